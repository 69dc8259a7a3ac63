from odoo.tests import tagged

from odoo.addons.sms_gateway.tests.common import CUSTOMER

from .common import OTHER_CUSTOMER, SmsFlowCase


@tagged("post_install", "-at_install")
class TestReply(SmsFlowCase):
    """Answers: the listed ones move the record, all others wait for a person."""

    def ask(self, **values):
        """A lead whose customer has read the question."""
        lead = self.create_team_lead(**values)
        self.set_stage(lead, self.sale)
        self.send()
        return lead

    def assert_waits(self, message, reason, lead, stage):
        self.assertEqual((message.inbox_state, message.inbox_reason), ("todo", reason))
        self.assertEqual(lead.stage_id, stage)

    # === MOVES === #

    def test_r052_the_acceptance_scenario(self):
        """R052: sale, yes, confirmed sale with its receipt."""
        lead = self.ask()
        reply = self.reply("Ja takk")
        self.assertEqual(lead.stage_id, self.confirmed)
        self.assertFalse(reply.inbox_state)
        self.assertEqual(reply._get_record(), lead)
        self.assertEqual(self.send(), ["Thank you for your order!"])
        run = self.get_run(lead)
        self.assertEqual((run.state, run.cause), ("done", "reply"))
        self.assertEqual(lead.sms_flow_step_id, self.confirmed_step)

    def test_r052_a_no_is_rejected(self):
        lead = self.ask()
        self.reply("Nei!")
        self.assertEqual(lead.stage_id, self.rejected)
        self.assertFalse(self.send())

    def test_r033_any_listed_word_moves_it(self):
        """R033, R058, R059, R060."""
        for number, word in enumerate(("JA", " ja  takk. ", "Ok 👍", "YES!")):
            with self.subTest(word=word):
                phone = f"+4791300{number:03}"
                lead = self.ask(phone=phone)
                self.reply(word, number=phone)
                self.assertEqual(lead.stage_id, self.confirmed)

    def test_r060_the_chatter_says_what_set_the_stage(self):
        """R060."""
        lead = self.ask()
        self.reply("<Ja takk>")
        notes = self.get_messages(lead).filtered("tracking_value_ids")
        self.assertEqual(notes[0].tracking_value_ids.new_value_char, "Confirmed")
        self.assertEqual(notes[0].body.unescape(), "<p>Set by SMS reply: “<Ja takk>”</p>")

    def test_r060_the_history_says_which_answer_it_was(self):
        lead = self.ask()
        entry = self.get_run(lead).entry_id
        reply = self.reply("ok")
        self.assertEqual((entry.reply_id, entry.reply_message_id), (self.yes, reply))
        self.assertTrue(entry.replied_at)
        self.assertEqual(entry.left_by, "reply")
        self.assertTrue(entry.left_at)

    def test_r061_the_stage_set_by_an_answer_sends_its_own_text_once(self):
        """R061: and by the lane of conversations, for somebody waits for it."""
        lead = self.ask()
        self.reply("ja")
        text = self.get_texts(lead)[-1]
        self.assertEqual(text.body, "Thank you for your order!")
        self.assertEqual(self.send("chat"), ["Thank you for your order!"])
        self.assertFalse(self.send())

    def test_r059_several_lists_lead_to_several_steps(self):
        later = self.env["crm.stage"].create({"name": "Later", "team_ids": self.team.ids})
        step = self.create_step(stage_id=later.id)
        self.create_reply(self.sale_step, "senere, later", step)
        lead = self.ask()
        self.reply("Senere!")
        self.assertEqual(lead.stage_id, later)

    def test_r057_a_step_takes_as_many_lists_as_it_has(self):
        """R057: with the last one gone it takes none."""
        lead = self.ask()
        self.no.unlink()
        self.assert_waits(self.reply("nei"), "no_match", lead, self.sale)
        self.assertEqual(self.reply("ja").inbox_state, False)

    def test_only_the_lead_that_asked_moves(self):
        other = self.ask(phone=OTHER_CUSTOMER)
        lead = self.ask()
        self.reply("ja")
        self.assertEqual((lead.stage_id, other.stage_id), (self.confirmed, self.sale))

    def test_a_text_of_somebody_else_moves_nothing(self):
        lead = self.ask()
        self.reply("ja", number=OTHER_CUSTOMER)
        self.assertEqual(lead.stage_id, self.sale)

    def test_the_word_may_be_contained_where_that_was_chosen(self):
        lead = self.ask()
        self.assert_waits(self.reply("ja, men først fredag"), "no_match", lead, self.sale)
        self.yes.match = "word"
        self.reply("ja, men først fredag")
        self.assertEqual(lead.stage_id, self.confirmed)

    def test_r063_several_steps_chain_without_anybody(self):
        """R063: question by question to the end."""
        self.enter(self.partner, self.questions[0])
        for body in ("Question 2?", "Question 3?", "Thanks!"):
            self.send()
            message = self.reply("2", sender=self.survey_sender)
            self.assertFalse(message.inbox_state, message.inbox_reason)
            self.assertEqual(self.get_bodies(self.partner)[-1], body)
        run = self.get_run(self.partner)
        self.assertEqual((run.state, len(run.entry_ids)), ("done", 4))

    def test_an_answer_that_is_delivered_twice_counts_once(self):
        """P3."""
        lead = self.ask()
        for _time in range(2):
            self.receive("ja", sender=self.team_sender, ref="same")
            self.commit()
        self.assertEqual(self.get_bodies(lead).count("Thank you for your order!"), 1)

    def test_an_answer_before_the_text_was_sent_counts(self):
        """The provider is slow to take our text, or the customer quick."""
        lead = self.create_team_lead()
        self.set_stage(lead, self.sale)
        self.reply("ja")
        self.assertEqual(lead.stage_id, self.confirmed)

    # === THE INBOX === #

    def test_r035_what_is_only_like_the_word_waits(self):
        """R035."""
        lead = self.ask()
        message = self.reply("Okei")
        self.assert_waits(message, "no_match", lead, self.sale)
        self.assertEqual(message._get_record(), lead)
        self.assertFalse(self.get_run(lead).entry_id.reply_id)

    def test_after_what_was_no_answer_comes_one(self):
        lead = self.ask()
        self.reply("Hvem er dette?")
        self.reply("ja")
        self.assertEqual(lead.stage_id, self.confirmed)

    def test_r062_a_step_without_answers_takes_none(self):
        """R062."""
        self.sale_step.reply_ids.unlink()
        lead = self.ask()
        self.assert_waits(self.reply("ja"), "no_rule", lead, self.sale)

    def test_r062_nor_does_the_last_step(self):
        lead = self.ask()
        self.reply("ja")
        self.send()
        self.assert_waits(self.reply("ja"), "no_rule", lead, self.confirmed)
        self.assertEqual(self.get_bodies(lead).count("Thank you for your order!"), 1)

    def test_r074_an_answer_to_the_old_stage_is_late(self):
        """R074: the stage has changed; what answers the old question moves nothing."""
        lead = self.ask()
        self.set_stage(lead, self.rejected)
        self.assert_waits(self.reply("ja"), "late", lead, self.rejected)

    def test_r074_nor_after_a_stage_without_step(self):
        lead = self.ask()
        self.set_stage(lead, self.talk)
        self.assert_waits(self.reply("ja"), "late", lead, self.talk)

    def test_r075_the_words_of_the_new_step_count_not_those_of_the_old(self):
        """R075."""
        self.rejected_step.write({"is_final": False, "body": "May we ask again next year?"})
        self.create_reply(self.rejected_step, "gjerne", self.confirmed_step)
        lead = self.ask()
        self.set_stage(lead, self.rejected)
        self.send()
        self.assert_waits(self.reply("ja"), "no_match", lead, self.rejected)
        self.reply("gjerne")
        self.assertEqual(lead.stage_id, self.confirmed)

    def test_an_answer_while_the_flow_is_off_waits(self):
        lead = self.ask()
        self.flow.flow_enabled = False
        self.assert_waits(self.reply("ja"), "late", lead, self.sale)

    def test_an_answer_while_the_flow_does_not_listen_waits(self):
        lead = self.ask()
        self.flow.inbound_enabled = False
        message = self.reply("ja")
        self.assertEqual(lead.stage_id, self.sale)
        self.assertEqual(message.inbox_state, "todo")

    def test_an_answer_for_a_record_stopped_by_hand_waits(self):
        lead = self.ask()
        self.get_run(lead).action_stop()
        self.assert_waits(self.reply("ja"), "late", lead, self.sale)
        self.assertEqual(self.get_run(lead).end_reason, "hand")

    def test_decision_10_an_answer_to_a_one_way_sender_moves_nothing(self):
        """Decision 10."""
        self.flow.write({"inbound_enabled": False})
        self.team_sender.inbound_enabled = False
        lead = self.ask()
        self.assert_waits(self.reply("ja"), "one_way", lead, self.sale)

    def test_decision_4_an_unknown_number_waits_in_the_inbox(self):
        """Decision 4: on a flow's number nobody becomes a lead, until its owner says so."""
        leads = self.env["crm.lead"].search_count([])
        message = self.reply("ja", number=OTHER_CUSTOMER)
        self.assertEqual((message.inbox_state, message.inbox_reason), ("todo", "no_record"))
        self.assertEqual(self.env["crm.lead"].search_count([]), leads)
        self.team_sender.inbound_policy = "record"
        lead = self.reply("ja", number=OTHER_CUSTOMER)._get_record()
        self.assertEqual((lead._name, lead.phone_sanitized), ("crm.lead", OTHER_CUSTOMER))

    def test_decision_4_the_open_question_goes_first(self):
        """Decision 4: whoever the six rules would find."""
        self.team_sender.inbound_policy = "record"
        lead = self.ask()
        self.partner.user_id = self.ola
        self.assertEqual(self.reply("ja").routing_rule, "prompt")
        self.assertEqual(lead.stage_id, self.confirmed)

    def test_p7_a_failure_in_moving_loses_no_text(self):
        """P7: the text stands on the record, the failure too."""
        lead = self.ask()
        Run = type(self.env["sms.flow.run"])
        self.patch(Run, "_begin_stay", lambda *args: 1 / 0)
        with self.assertLogs("odoo.addons.sms_flow.models.sms_flow_transition", "WARNING"):
            message = self.reply("ja")
        self.assertEqual(message._get_record(), lead)
        self.assertIn("division by zero", self.get_run(lead).attention)
        self.assertIn("ja", self.get_notes(lead))

    def test_decision_15_an_opt_out_goes_before_everything(self):
        """Even where STOP is listed as an answer."""
        self.yes.keywords = "ja, stop"
        lead = self.ask()
        message = self.reply("STOP")
        self.assertEqual(message.keyword, "optout")
        self.assertEqual(lead.stage_id, self.sale)
        run = self.get_run(lead)
        self.assertEqual((run.state, run.end_reason), ("stopped", "opt_out"))

    def test_decision_15_no_is_never_an_opt_out(self):
        lead = self.ask()
        self.assertFalse(self.reply("nei").keyword)
        self.assertEqual(lead.stage_id, self.rejected)

    def test_of_two_leads_with_one_number_nobody_knows_which_is_meant(self):
        """Two customers' leads of one flow: the answer waits."""
        first, second = self.ask(), self.ask()
        message = self.reply("ja")
        self.assertEqual(message.inbox_state, "todo")
        self.assertEqual(message.inbox_reason, "ambiguous")
        self.assertEqual((first.stage_id, second.stage_id), (self.sale, self.sale))

    # === LOOPS === #

    def test_r063_answers_that_turn_in_circles_end(self):
        """R063: an answering machine says yes for ever; we do not."""
        self.create_reply(self.questions[0], "ja", self.questions[1])
        self.create_reply(self.questions[1], "ja", self.questions[0])
        self.enter(self.partner, self.questions[0])
        for _time in range(30):
            self.reply("ja", sender=self.survey_sender)
        run = self.get_run(self.partner)
        self.assertEqual((run.state, run.end_reason), ("stopped", "circle"))
        self.assertIn("again and again", run.attention)
        self.assertLessEqual(len(self.get_texts(self.partner)), 12)

    def test_r063_a_question_that_repeats_itself_ends(self):
        self.create_reply(self.questions[0], "hva", self.questions[0])
        self.enter(self.partner, self.questions[0])
        for _time in range(10):
            self.reply("hva", sender=self.survey_sender)
        self.assertEqual(self.get_run(self.partner).end_reason, "circle")
        self.assertLessEqual(len(self.get_texts(self.partner)), 6)

    def test_by_hand_nothing_is_a_circle(self):
        for _time in range(8):
            self.enter(self.partner, self.questions[0])
        self.assertEqual(self.get_run(self.partner).state, "active")
        self.assertEqual(len(self.get_texts(self.partner)), 8)

    def test_yesterdays_visits_make_no_circle(self):
        self.create_reply(self.questions[0], "hva", self.questions[0])
        self.enter(self.partner, self.questions[0])
        for day in range(1, 9):
            with self.at(f"2040-01-{day:02} 12:00:00"):
                self.reply("hva", sender=self.survey_sender)
        self.assertEqual(self.get_run(self.partner).state, "active")

    # === MANY === #

    def test_answers_of_many_are_moved_together(self):
        """Received in one call; each lead moves, and P12: they cost less than each by itself."""
        leads = self.create_customers(20)
        self.set_stage(leads, self.sale)
        self.send()
        for lead in leads:
            self.receive("ja", number=lead.phone_sanitized, sender=self.team_sender)
        with self.assertQueryCount(default=250):
            self.commit()
        self.assertEqual(leads.stage_id, self.confirmed)
        self.assertEqual(len(self.send()), 20)
        self.assertEqual(CUSTOMER in leads.mapped("phone_sanitized"), False)
