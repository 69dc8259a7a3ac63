from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user, tagged

from odoo.addons.sms_gateway.tests.common import CUSTOMER

from .common import OTHER_CUSTOMER, SmsFlowCase

#: A working day, at noon for the customers.
NOON = fields.Datetime.to_datetime("2026-11-10 11:00:00")
HOUR = timedelta(hours=1)


@tagged("post_install", "-at_install")
class TestReport(SmsFlowCase):
    """Stays in steps, measured."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.create_reminder(delay=2)
        cls.lead = cls.create_team_lead()
        cls.other = cls.create_team_lead(phone=OTHER_CUSTOMER)

    def start(self, leads=None):
        """Leads come to the question at noon, and it leaves at once."""
        with self.at(NOON):
            self.set_stage(leads or self.lead, self.sale)
            self.send()

    def read_row(self, **domain):
        """What the report says of the stays in the step that asks, or in another."""
        domain = {"step_id": self.sale_step.id, "flow_id": self.flow.id} | domain
        rows = self.env["sms.flow.report"].search([(k, "=", v) for k, v in domain.items()])
        self.assertEqual(len(rows), 1)
        return rows

    def measure(self, *aggregates, **domain):
        """The aggregates of the step that asks."""
        self.env.flush_all()
        domain = {"step_id": self.sale_step.id} | domain
        rows = self.env["sms.flow.report"]._read_group(
            [(k, "=", v) for k, v in domain.items()], [], aggregates
        )
        return rows[0]

    def test_a_stay_that_lasts(self):
        self.start()
        with self.at(NOON + 3 * HOUR):
            row = self.read_row()
            self.assertEqual(row.duration_hours, 3)
        self.assertEqual((row.team_id, row.company_id), (self.team, self.company))
        self.assertEqual((row.date, row.cause, row.left_by), (NOON, "stage", False))
        self.assertEqual((row.replied, row.reply_hours, row.matched), (0, 0, 0))
        self.assertEqual(row.run_id, self.get_run(self.lead))

    def test_an_answer(self):
        """Asked at noon, answered half an hour later."""
        self.start()
        with self.at(NOON + HOUR / 2):
            self.reply("Ja takk")
        row = self.read_row()
        self.assertEqual((row.left_by, row.duration_hours), ("reply", 0.5))
        self.assertEqual((row.replied, row.reply_hours, row.matched), (1, 0.5, 1))

    def test_the_time_to_reply_starts_when_the_text_left(self):
        with self.at(NOON):
            self.set_stage(self.lead, self.sale)
        with self.at(NOON + HOUR):
            self.send()
        with self.at(NOON + 3 * HOUR):
            self.reply("Ja takk")
        self.assertEqual(self.read_row().reply_hours, 2)

    def test_a_last_step_has_no_duration_and_no_rate(self):
        self.start()
        with self.at(NOON + HOUR):
            self.reply("Ja takk")
        with self.at(NOON + 9 * HOUR):
            values = self.measure(
                "entry_count:sum", "duration_hours:avg", "replied:avg",
                step_id=self.confirmed_step.id,
            )  # fmt: skip
        self.assertEqual(values[0], 1)
        self.assertIs(values[1], False, "no average, not 0")
        self.assertIs(values[2], False)

    def test_rates_are_averages_of_who_was_asked(self):
        """Of three one answers well, one in vain; a fourth got no text and counts nowhere."""
        silent = self.create_team_lead(phone="+4798000001")
        unreachable = self.create_team_lead(phone=False)
        self.start(self.lead + self.other + silent + unreachable)
        with self.at(NOON + HOUR):
            self.reply("Ja takk")
            self.reply("Tja", number=OTHER_CUSTOMER)
        count, replied, matched, hours = self.measure(
            "entry_count:sum", "replied:avg", "matched:avg", "reply_hours:avg"
        )
        self.assertEqual(count, 4)
        self.assertAlmostEqual(replied, 2 / 3)
        self.assertEqual((matched, hours), (0.5, 1))

    def test_a_failed_text_was_no_question(self):
        self.start(self.lead)
        text = self.get_texts(self.lead)
        self.assertEqual(self.read_row().texts, 1)
        text._set_failed("sms_number_format", reason="Gone")
        self.env.flush_all()
        self.assertEqual(self.read_row().texts, 1, "it had left")

    def test_the_effect_of_reminders(self):
        """Both are reminded, one answers then."""
        self.start(self.lead + self.other)
        self.assertEqual(len(self.tick(NOON + 2 * HOUR)), 2)
        with self.at(NOON + 3 * HOUR):
            self.reply("Ja takk")
        reminders, after, texts = self.measure(
            "reminders:sum", "answered_after_reminder:avg", "texts:sum"
        )
        self.assertEqual((reminders, after, texts), (2, 0.5, 4))

    def test_a_reminder_that_was_recalled_had_no_effect(self):
        """The answer came while the reminder was in the queue."""
        self.start()
        with self.at(NOON + 2 * HOUR):
            self.run_due()
            self.reply("Ja takk")
        row = self.read_row()
        self.assertEqual((row.reminders, row.answered_after_reminder, row.texts), (0, 0, 1))

    def test_r002_segments_and_cost_are_counted_for_each_flow(self):
        """R002: of the texts that left, reminders too, in the currency of the provider."""
        self.sale_step.body = "Shall we come? " * 11
        self.start()
        self.tick(NOON + 2 * HOUR)
        texts = self.get_texts(self.lead)
        euro = self.env.ref("base.EUR")
        texts.write({"cost": 0.08, "currency_id": euro.id})
        segments, cost = self.measure("segments:sum", "cost:sum", flow_id=self.flow.id)
        self.assertEqual((texts.mapped("segments"), segments), ([2, 2], 4))
        self.assertAlmostEqual(cost, 0.16)
        self.assertEqual(self.read_row().currency_id, euro)

    def test_texts_that_never_left_are_not_counted(self):
        with self.at(NOON):
            self.set_stage(self.lead, self.sale)
        self.get_texts(self.lead).action_cancel()
        self.assertEqual((self.read_row().texts, self.read_row().segments), (0, 0))

    def test_steps_stand_in_their_order(self):
        """The funnel: by step, in the order of the flow."""
        self.start(self.lead + self.other)
        self.reply("Ja takk")
        rows = self.env["sms.flow.report"]._read_group(
            [("flow_id", "=", self.flow.id)], ["step_id"], ["entry_count:sum"]
        )
        self.assertEqual(rows, [(self.sale_step, 2), (self.confirmed_step, 1)])

    def test_one_sees_stays_of_records_one_may_read(self):
        self.lead.user_id = self.ola
        self.other.user_id = self.kari
        self.start(self.lead + self.other)
        Report = self.env["sms.flow.report"]
        domain = [("flow_id", "=", self.flow.id)]
        seen = Report.with_user(self.ola).search(domain).run_id.sudo().mapped("res_id")
        self.assertEqual(seen, self.lead.ids)
        boss = new_test_user(
            self.env, "sms_boss", groups="base.group_user,sms_gateway.group_sms_manager"
        )
        self.assertEqual(Report.with_user(boss).search_count(domain), 2)
        stranger = new_test_user(
            self.env,
            "sms_stranger",
            groups="base.group_user,sms_gateway.group_sms_manager",
            company_id=self.env["res.company"].create({"name": "Other"}).id,
        )
        self.assertFalse(Report.with_user(stranger).search_count(domain))
        nobody = new_test_user(self.env, "sms_nobody", groups="base.group_user")
        with self.assertRaises(AccessError):
            Report.with_user(nobody).search(domain)


@tagged("post_install", "-at_install")
class TestUnmatched(SmsFlowCase):
    """What was no answer becomes one."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.lead = cls.create_team_lead()
        cls.other = cls.create_team_lead(phone=OTHER_CUSTOMER)
        cls.boss = new_test_user(
            cls.env,
            "sms_boss",
            groups="base.group_user,sms_gateway.group_sms_manager,"
            "sales_team.group_sale_salesman_all_leads",
        )

    def setUp(self):
        super().setUp()
        self.set_stage(self.lead + self.other, self.sale)

    def find(self, user=None, **domain):
        """The rows of our flow, as a user sees them."""
        self.env.flush_all()
        Unmatched = self.env["sms.flow.unmatched"].with_user(user or self.boss)
        domain = {"flow_id": self.flow.id} | domain
        return Unmatched.search([(k, "=", v) for k, v in domain.items()])

    def open(self, unmatched=None):
        """The wizard of the one row, in its form."""
        action = (unmatched or self.find()).action_add()
        wizard = self.env[action["res_model"]].with_user(self.boss).browse(action["res_id"])
        return Form(wizard)

    def add(self, reply=None, **values):
        """Add the one row to an answer; returns the words of the notification."""
        form = self.open()
        if reply:
            form.reply_id = reply
        for name, value in values.items():
            form[name] = value
        action = form.save().action_add()
        self.commit()
        return action["params"]["message"]

    # === THE LIST === #

    def test_texts_are_counted_by_what_they_say(self):
        """Case and blanks and what surrounds them make no difference."""
        self.reply("Jepp")
        self.reply(" JEPP! ", number=OTHER_CUSTOMER)
        self.reply("On Friday")
        rows = self.find()
        self.assertEqual(
            [(row.word, row.text_count, row.waiting_count) for row in rows],
            [("jepp", 2, 2), ("on friday", 1, 1)],
        )
        self.assertEqual(rows.step_id, self.sale_step)
        texts = self.env["sms.message"].search(rows[0].action_view_texts()["domain"])
        self.assertEqual(texts.mapped("number"), [OTHER_CUSTOMER, CUSTOMER])

    def test_a_second_text_belongs_to_the_same_question(self):
        """The stay knows its first reply only."""
        self.reply("Who are you")
        self.reply("Jepp")
        self.assertEqual(self.find(word="jepp").step_id, self.sale_step)

    def test_texts_to_a_step_without_answers_are_listed(self):
        self.reply("Ja takk")
        self.reply("Great")
        self.assertEqual(self.find().step_id, self.confirmed_step)

    def test_what_was_handled_still_counts(self):
        text = self.reply("Jepp")
        text._set_inbox_handled()
        row = self.find()
        self.assertEqual((row.text_count, row.waiting_count), (1, 0))

    def test_answers_and_other_texts_are_not_listed(self):
        self.reply("Ja takk")
        self.receive("Jepp", sender=self.ola_sender)
        self.assertFalse(self.find())

    def test_one_sees_what_one_may_read(self):
        self.reply("Jepp")
        self.assertTrue(self.find(self.kari), "a number of her team")
        self.assertFalse(self.find(self.outsider))

    # === ADDING === #

    def test_a_text_becomes_a_word_of_an_answer(self):
        """And counts at once for whoever waits."""
        text = self.reply("Jepp!")
        message = self.add(self.yes)
        self.assertEqual(self.yes.keywords, "ja, ja takk, ok, yes, jepp")
        self.assertIn("count now: 1", message)
        self.assertEqual(self.lead.stage_id, self.confirmed)
        self.assertEqual((text.inbox_state, text.handled_by_id), ("handled", self.boss))
        self.assertFalse(self.find(), "it is an answer now")
        self.reply("Jepp", number=OTHER_CUSTOMER)
        self.assertEqual(self.other.stage_id, self.confirmed)

    def test_a_text_becomes_an_answer_of_its_own(self):
        self.reply("Call me")
        self.add(target_step_id=self.rejected_step)
        reply = self.sale_step.reply_ids.filtered(lambda r: r.keywords == "call me")
        self.assertEqual((reply.target_step_id, reply.match), (self.rejected_step, "exact"))
        self.assertEqual(self.lead.stage_id, self.rejected)

    def test_a_new_answer_needs_a_target(self):
        self.reply("Jepp")
        form = self.open()
        with self.assertRaises(AssertionError):  # required in the form
            form.save()
        with self.assertRaisesRegex(UserError, "Choose the answer"):
            form.record.action_add()

    def test_waiting_texts_may_be_left_alone(self):
        text = self.reply("Jepp")
        self.add(self.yes, is_applied=False)
        self.assertEqual((self.lead.stage_id, text.inbox_state), (self.sale, "todo"))

    def test_who_has_moved_on_is_not_moved(self):
        """The same word may mean something else where he stands now."""
        text = self.reply("Jepp")
        self.set_stage(self.lead, self.talk)
        form = self.open()
        self.assertFalse(form.waiting_count)
        self.add(self.yes)
        self.assertEqual((self.lead.stage_id, text.inbox_state), (self.talk, "todo"))

    def test_who_came_back_to_the_step_is_not_moved(self):
        """His text answered the question of another stay."""
        self.reply("Jepp")
        self.set_stage(self.lead, self.talk)
        self.set_stage(self.lead, self.sale)
        self.assertFalse(self.open().waiting_count)

    def test_opt_out_words_are_refused(self):
        self.reply("Jepp")
        self.env["sms.keyword"].search([])[:1].hard_words = "stopp, jepp"
        with self.assertRaisesRegex(UserError, "opt-out word"):
            self.add(self.yes)
        self.assertNotIn("jepp", self.yes.keywords)

    def test_words_with_another_meaning_are_told(self):
        self.reply("Jepp")
        self.env["sms.keyword"].search([])[:1].soft_words = "avbryt, jepp"
        self.assertIn("opts customers out", self.open().note)

    def test_a_word_of_another_answer_is_refused(self):
        self.reply("Jepp")
        form = self.open()
        form.reply_id = self.yes
        wizard = form.save()
        self.no.keywords = "nei, jepp"
        with self.assertRaisesRegex(UserError, "already is an answer.*Rejected"):
            wizard.action_add()

    def test_a_word_that_is_there_already_is_not_added_twice(self):
        text = self.reply("Jepp")
        form = self.open()
        form.reply_id = self.yes
        wizard = form.save()
        self.yes.keywords = "ja, Jepp"
        wizard.action_add()
        self.assertEqual(self.yes.keywords, "ja, Jepp")
        self.assertEqual(text.inbox_state, "handled")

    def test_a_text_with_a_comma_cannot_be_listed(self):
        """The comma parts words: “ja, på fredag” would make “på fredag” an answer."""
        self.reply("Ja, på fredag")
        with self.assertRaisesRegex(UserError, "would still be no answer"):
            self.add(self.yes)
        self.yes.match = "word"
        with self.assertRaisesRegex(UserError, "would still be no answer"):
            self.add(self.yes)
        self.add(self.yes, word="på fredag")
        self.assertEqual(self.yes.keywords, "ja, ja takk, ok, yes, på fredag")
        self.assertEqual(self.lead.stage_id, self.confirmed)

    def test_only_managers_add(self):
        self.reply("Jepp")
        with self.assertRaises(AccessError):
            self.find(self.kari).action_add()


@tagged("post_install", "-at_install")
class TestHistory(SmsFlowCase):
    """What has happened is told, whatever is deleted later."""

    def test_the_history_outlives_its_step(self):
        lead = self.create_team_lead()
        self.set_stage(lead, self.sale)
        self.send()
        self.set_stage(lead, self.confirmed)
        entry = self.get_run(lead).entry_ids.filtered(lambda e: e.step_id == self.sale_step)
        self.sale_step.unlink()
        self.env.invalidate_all()
        self.assertTrue(entry.exists())
        self.assertFalse(entry.step_id)
        self.assertEqual((entry.step_name, entry.display_name), ("Sale", "Sale"))
        row = self.env["sms.flow.report"].browse(entry.id)
        self.assertEqual((row.step_name, row.step_id, row.texts), ("Sale", entry.step_id, 1))
        self.assertEqual(entry.message_id.flow_entry_id, entry)

    def test_with_the_flow_its_history_goes(self):
        leads = self.create_customers(2)
        self.set_stage(leads, self.sale)
        self.set_stage(leads[0], self.confirmed)
        runs = self.get_run(leads[0]) + self.get_run(leads[1])
        entries = runs.entry_ids
        self.flow.unlink()
        self.env.invalidate_all()
        self.assertFalse(runs.exists() or entries.exists())
        self.assertFalse(leads.sms_flow_step_id)

    def test_the_names_of_many_records_are_read_together(self):
        """Of runs and of the lines of a batch: no query for each."""
        leads = self.create_customers(12)
        self.set_stage(leads, self.sale)
        runs = self.env["sms.flow.run"].search([("res_id", "in", leads.ids)])
        batch = self.env["sms.flow.batch"].with_user(self.ola)
        model = self.env["crm.lead"].with_user(self.ola)
        lines = batch._start(self.sale_step, model, [("id", "in", leads.ids)]).line_ids
        for records in (runs.with_user(self.ola), lines.with_user(self.ola)):
            self.assertEqual(len(records), 12)
            self.count_queries(records)  # what is read once for all: rules, models
            self.assertEqual(self.count_queries(records), self.count_queries(records[:2]))

    def count_queries(self, records):
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        records.browse(records.ids).mapped("record_name")
        return self.env.cr.sql_log_count - before
