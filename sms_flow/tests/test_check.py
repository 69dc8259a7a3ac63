from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import new_test_user, tagged

from .common import SmsFlowCase


class CheckCase(SmsFlowCase):
    """A flow in which nothing is found, and is switched off."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.reminder = cls.create_reminder(delay=2)
        cls.flow.flow_enabled = False
        cls.lead = cls.create_team_lead()
        cls.company.sms_quiet_hours = False
        cls.company.sms_max_segments = 0

    def check(self, flow=None):
        """What the check finds, by severity."""
        Check, flow = self.env["sms.flow.check"], flow or self.flow
        found = Check._find(flow, Check._get_sample(flow))
        return [(finding.severity, finding.words) for finding in found]

    def assert_found(self, severity, *words, flow=None):
        """One thing is found, and its words hold these."""
        found = self.check(flow)
        self.assertEqual([finding[0] for finding in found], [severity], found)
        for word in words:
            self.assertIn(word, found[0][1])

    def press(self, method="action_check", flow=None):
        """Press a button of the flow; returns the dialog, if there is one."""
        action = getattr(flow or self.flow, method)()
        if action["type"] == "ir.actions.client":
            self.assertEqual(action["params"]["next"]["tag"], "soft_reload")
            return self.env["sms.flow.check"]
        return self.env["sms.flow.check"].browse(action["res_id"])


@tagged("post_install", "-at_install")
class TestCheck(CheckCase):
    """What a check finds, one thing after the other."""

    def test_nothing_is_found_in_a_good_flow(self):
        self.assertEqual(self.check(), [])

    # === SET-UP === #

    def test_a_flow_without_steps(self):
        self.flow.step_ids.unlink()
        self.assert_found("error", "no step")

    def test_a_flow_without_a_sender(self):
        self.flow.sender_id = False
        self.assert_found("error", "no sender")

    def test_a_name_as_the_sender_of_questions(self):
        self.flow.write({"inbound_enabled": False, "sender_id": self.text_sender.id})
        self.assert_found("error", "Sale", "Fjord AS", "name")

    def test_a_sender_that_does_not_receive(self):
        self.flow.inbound_enabled = False
        self.team_sender.inbound_enabled = False
        self.assert_found("error", "Sale", "does not receive")

    def test_answers_that_are_not_listened_to(self):
        self.flow.inbound_enabled = False
        self.assert_found("error", "Sale", "Listen to answers")

    def test_a_name_may_send_what_asks_nothing(self):
        self.flow.write({"inbound_enabled": False, "sender_id": self.text_sender.id})
        self.sale_step.reply_ids.unlink()
        self.sale_step.write({"body": "We have your order.", "is_final": True})
        self.reminder.unlink()
        self.assertFalse([found for found in self.check() if found[0] == "error"])

    # === WORDS === #

    def test_two_answers_with_one_word(self):
        self.no.keywords = "nei, Ja!"
        self.assert_found("error", "“ja”", "Confirmed", "Rejected")

    def test_two_answers_with_one_word_and_one_target(self):
        """Whichever counts, it leads to the same step."""
        self.create_reply(self.sale_step, "ja, jo", self.confirmed_step)
        self.assertEqual(self.check(), [])

    def test_a_word_in_a_phrase_of_another_answer(self):
        """Listed exactly goes before contained: no error, but told."""
        self.no.write({"keywords": "takk", "match": "word"})
        self.assert_found("warning", "“ja takk”", "it leads to Confirmed")

    def test_hard_opt_out_words_are_errors(self):
        self.yes.keywords = "ja, STOPP"
        self.assert_found("error", "“stopp”", "opt-out")

    def test_words_with_another_meaning_are_told(self):
        """Of the company: opt-out where no question is open, opt-in, help."""
        self.env["sms.keyword"].create(
            {
                "name": "Ours",
                "company_id": self.company.id,
                "hard_words": "stopp",
                "soft_words": "avbryt",
                "optin_words": "start",
                "help_words": "hjelp",
            }
        )
        for word, meaning in (("avbryt", "opts customers out"), ("start", "in again"),
                              ("hjelp", "asks for help")):  # fmt: skip
            self.no.keywords = word
            with self.subTest(word=word):
                self.assert_found("warning", f"“{word}”", meaning, "question is open")

    def test_words_that_providers_block_are_told(self):
        self.env["sms.keyword"].search([]).soft_words = False
        self.no.keywords = "nei, END"
        self.assert_found("warning", "“end”", "providers")

    def test_a_plain_no_is_fine(self):
        self.no.keywords = "no, nej, nei, ei, nie"
        self.assertEqual(self.check(), [])

    # === WAYS === #

    def test_a_step_that_nothing_leads_to(self):
        """Of leads it is a hint, for a stage is set by hand; of contacts a warning."""
        self.no.target_step_id = self.confirmed_step
        self.assert_found("info", "by hand")
        self.questions[0].reply_ids.target_step_id = self.questions[2]
        found = [
            finding
            for finding in self.env["sms.flow.check"]._find(self.survey, self.partner.browse())
            if finding.step_id == self.questions[1].id and "by hand" in finding.words
        ]
        self.assertEqual(found[0].severity, "warning")

    def test_a_yes_that_leads_round(self):
        self.confirmed_step.write({"is_final": False, "expires_after": 3})
        self.create_reply(self.confirmed_step, "yes", self.sale_step)
        self.assert_found("warning", "“yes”", "Sale → Confirmed → Sale")

    def test_silence_that_leads_round(self):
        self.sale_step.write({"expires_after": 3, "expires_step_id": self.confirmed_step.id})
        self.confirmed_step.write(
            {"is_final": False, "expires_after": 3, "expires_step_id": self.sale_step.id}
        )
        self.assert_found("warning", "never answers", "Sale → Confirmed → Sale")

    def test_a_question_without_answers(self):
        self.confirmed_step.body = "Thank you! When may we come?"
        self.assert_found("warning", "takes no answer")

    def test_a_step_that_nobody_leaves(self):
        self.confirmed_step.is_final = False
        self.assert_found("info", "last step")

    def test_a_question_that_waits_for_ever(self):
        self.reminder.unlink()
        self.assert_found("warning", "for ever")
        self.sale_step.expires_after = 3
        self.assertEqual(self.check(), [])

    def test_answers_that_nothing_asks_for(self):
        self.sale_step.body = False
        found = dict.fromkeys(words for _severity, words in self.check())
        self.assertEqual(len(found), 2, found)
        self.assertIn("no text that asks", "".join(found))
        self.assertIn("reminders never go", "".join(found))

    def test_answers_of_a_last_step(self):
        self.reminder.unlink()
        self.sale_step.is_final = True
        self.assert_found("warning", "answers are not waited for")

    # === REMINDERS === #

    def test_a_reminder_after_the_end(self):
        """The second of two that follow one another."""
        self.create_reminder(delay=2)
        self.sale_step.write({"expires_after": 3, "expires_unit": "hours"})
        self.assert_found("warning", "after 2 hours", "given up before")

    def test_a_reminder_in_the_quiet_hours(self):
        self.reminder.write({"window_start": 20.5, "window_end": 22})
        self.assertEqual(self.check(), [])
        self.company.write({"sms_quiet_hours": True, "sms_quiet_start": 20, "sms_quiet_end": 9})
        self.assert_found("warning", "20:30", "22:00", "quiet hours")

    # === TEXTS === #

    def test_a_merge_field_that_is_empty_on_some(self):
        """With the list of the records."""
        nameless = self.create_customers(3, contact_name=False)
        self.assert_found("warning", "Contact Name", "3 of 4 records")
        dialog = self.press()
        self.assertEqual(dialog.line_ids.record_count, 3)
        action = dialog.line_ids.action_open_records()
        self.assertEqual(self.env[action["res_model"]].search(action["domain"]), nameless)

    def test_a_merge_field_that_does_not_exist(self):
        self.sale_step.body = "Hi {{ object.first_name }}, yes or no?"
        self.assert_found("error", "first_name")

    def test_paths_of_fields_are_known(self):
        self.sale_step.body = (
            "{{ object.team_id.company_id.name or 'x' }} {{ object.create_date.year }}"
            " {{ object.env.company.name }} {{ object.team_id.name }}?"
        )
        self.assertEqual(self.check(), [])

    def test_a_text_that_becomes_dearer(self):
        """R002: which characters make two SMS of one."""
        self.sale_step.body = "It’s ready. " + "Shall we come? " * 5
        self.assert_found("warning", "’", "up to 2 SMS", "without them 1")

    def test_a_name_that_makes_a_text_dearer_is_a_hint(self):
        self.sale_step.body = "Hi {{ object.contact_name }}, " + "shall we come? " * 6
        self.lead.contact_name = "Wałęsa"
        self.assert_found("info", "ł ę", "up to 2 SMS")

    def test_a_text_that_is_too_long_for_some(self):
        self.company.sms_max_segments = 1
        self.sale_step.body = "Hi {{ object.contact_name }}, shall we come?"
        self.lead.contact_name = "Anna " * 30
        self.create_customers(2)
        self.assert_found("warning", "2 SMS", "1 of 3 records", "1 are allowed")

    def test_a_text_that_is_too_long_as_a_reminder(self):
        self.company.sms_max_segments = 1
        self.reminder.prefix = "We have not heard of you:"
        self.sale_step.body = "Shall we come? " * 10
        self.assert_found("warning", "its reminder", "1 of 1 records")

    def test_a_text_that_is_too_long_for_all(self):
        self.company.sms_max_segments = 1
        self.sale_step.body = "Shall we come? " * 11
        self.assert_found("error", "2 SMS", "1 are allowed")

    def test_the_newest_records_are_looked_at_in_a_few_queries(self):
        self.create_customers(40)
        self.env.invalidate_all()
        Check = self.env["sms.flow.check"]
        self.check()  # what is cached for good
        self.env.invalidate_all()
        with self.assertQueryCount(30):
            Check._find(self.flow, Check._get_sample(self.flow))

    def test_contacts_of_the_flow_are_looked_at(self):
        self.questions[0].body = "Hi {{ object.city }}, question 1?"
        self.create_reminder(self.questions[0])
        self.create_reminder(self.questions[1])
        self.create_reminder(self.questions[2])
        self.assertFalse(self.env["sms.flow.check"]._get_sample(self.survey))
        self.enter(self.partner, self.questions[1])
        found = [words for _severity, words in self.check(self.survey)]
        self.assertIn("City", "".join(found))
        self.assertIn("1 of 1 records", "".join(found))

    # === THE NUMBER === #

    def test_r030_a_number_of_two_flows(self):
        self.survey.sender_id = self.team_sender
        self.assert_found("warning", "also serves Survey")

    def test_r031_a_number_of_two_companies_is_a_hint(self):
        other = self.env["res.company"].create({"name": "Fjord Sverige"})
        gateway = self.gateway.copy({"company_id": other.id})
        sender = self._create_sender(
            "Twin", "dedicated", self.team_sender.address, gateway_id=gateway.id,
            company_id=other.id, inbound_enabled=True,
        )  # fmt: skip
        self.create_flow("Svensk", model="res.partner", company_id=other.id, sender_id=sender.id)
        self.assert_found("info", "another company")


@tagged("post_install", "-at_install")
class TestSwitchOn(CheckCase):
    """What the buttons of the flow do with what is found."""

    def test_a_good_flow_is_switched_on_at_once(self):
        self.assertFalse(self.press("action_switch_on"))
        self.assertTrue(self.flow.is_running)

    def test_a_check_of_a_good_flow_changes_nothing(self):
        self.assertFalse(self.press())
        self.assertFalse(self.flow.flow_enabled)

    def test_hints_hinder_nobody(self):
        self.confirmed_step.is_final = False
        self.assertFalse(self.press("action_switch_on"))
        self.assertTrue(self.flow.is_running)

    def test_warnings_are_shown_first(self):
        self.reminder.unlink()
        dialog = self.press("action_switch_on")
        self.assertEqual(dialog.line_ids.mapped("severity"), ["warning"])
        self.assertEqual(dialog.line_ids.step_id, self.sale_step)
        self.assertFalse(self.flow.flow_enabled)
        dialog.action_switch_on()
        self.assertTrue(self.flow.is_running)

    def test_errors_keep_it_off(self):
        self.no.keywords = "ja"
        dialog = self.press("action_switch_on")
        self.assertTrue(dialog.has_error)
        with self.assertRaisesRegex(UserError, "put the errors right"):
            dialog.action_switch_on()
        self.assertFalse(self.flow.flow_enabled)
        self.no.keywords = "nei"
        dialog.action_check_again()
        self.assertTrue(self.flow.is_running, "put right and checked again")

    def test_r011_without_a_sender_the_switch_itself_says_so(self):
        self.flow.sender_id = False
        with self.assertRaisesRegex(ValidationError, "choose a sender"):
            self.flow.action_switch_on()

    def test_errors_come_first(self):
        self.reminder.unlink()
        self.yes.keywords = "ja, stopp"
        self.confirmed_step.is_final = False
        self.assertEqual(self.press().line_ids.mapped("severity"), ["error", "warning", "info"])

    def test_a_finding_opens_its_step(self):
        self.reminder.unlink()
        action = self.press().line_ids.action_open_step()
        self.assertEqual((action["res_model"], action["res_id"]), (
            "sms.flow.step", self.sale_step.id,
        ))  # fmt: skip

    def test_only_managers_check(self):
        self.reminder.unlink()
        with self.assertRaises(AccessError):
            self.flow.with_user(self.ola).action_check()

    def test_a_manager_of_texts_who_may_read_no_leads_checks_the_rest(self):
        self.no.keywords = "ja"
        manager = new_test_user(
            self.env, "sms_boss", groups="base.group_user,sms_gateway.group_sms_manager"
        )
        action = self.flow.with_user(manager).action_check()
        dialog = self.env["sms.flow.check"].with_user(manager).browse(action["res_id"])
        self.assertEqual(dialog.line_ids.mapped("severity"), ["error"])
        self.assertFalse(dialog.sample_count)
