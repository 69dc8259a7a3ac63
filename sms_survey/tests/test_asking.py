from datetime import timedelta
from unittest.mock import patch

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .common import CUSTOMER, NOON, OTHER_CUSTOMER, SmsSurveyCase

FIXED = "+4722123456"


@tagged("post_install", "-at_install")
class TestAsking(SmsSurveyCase):
    """Who is asked what, when, and who is not."""

    # === WHO === #

    def test_r102_one_question_after_an_answered_call(self):
        row = self.call()
        self.assertEqual(
            (row.sms_state, row.number, row.partner_id), ("waiting", CUSTOMER, self.partner)
        )
        self.assertEqual(self.ask(), ["How did we do?\n1, 2, 3, 4, 5"])
        self.assertEqual((row.sms_state, row.state), ("sent", "in_progress"))
        self.assertEqual(self.ask(), [])

    def test_r102_nobody_who_was_not_answered(self):
        self.tell("call.queued", 0, service="help", call_id="c1", caller=CUSTOMER)
        self.tell("call.left_queue", 9, call_id="c1", reason="abandoned")
        self.tell("call.ended", 10, call_id="c1", reason="caller")
        self.tell("call.missed", 0, service="help", call_id="c2", caller=CUSTOMER)
        self.assertFalse(self.env["survey.user_input"].search([("survey_id", "=", self.survey.id)]))

    def test_r102_once_however_often_the_end_is_told(self):
        row = self.call()
        self.tell("call.ended", 61, call_id="c1", reason="caller")
        self.tell("call.answered", 62, call_id="c1", agent="Eve")
        self.assertEqual(self.find_input(), row)
        self.assertEqual(len(self.ask()), 1)
        self.tell("call.ended", 63, call_id="c1", reason="caller")
        self.assertEqual(self.ask(), [])

    def test_r110_of_a_transferred_call_the_last_service_and_agent(self):
        sales_survey = self.create_survey("Sold?", ["Yes", "No"])
        sales = self.create_service("Sales", "shop", survey_id=sales_survey.id)
        self.tell("call.queued", 0, service="help", call_id="c1", caller=CUSTOMER)
        self.tell("call.answered", 10, call_id="c1", agent="Ada")
        self.tell("call.transferred", 20, call_id="c1", to_service="shop", to_agent="Eve")
        self.tell("call.ended", 60, call_id="c1", reason="caller")
        row = self.find_input()
        self.assertEqual((row.service_id, row.agent_id.name), (sales, "Eve"))
        self.assertEqual(row.survey_id, sales_survey)

    def test_r110_told_after_the_end_the_last_ones_are_taken_over(self):
        other_survey = self.create_survey("Sold?", ["Yes", "No"])
        self.create_service("Sales", "shop", survey_id=other_survey.id)
        self.call()
        self.tell("call.ended", 70, call_id="c1", agent="Eve", service="shop", reason="caller")
        row = self.find_input()
        self.assertEqual((row.agent_id.name, row.survey_id), ("Eve", other_survey))
        self.ask()
        self.tell("call.ended", 80, call_id="c1", agent="Ada", service="help", reason="caller")
        self.assertEqual((row.agent_id.name, row.service_id), ("Ada", self.service))
        self.assertEqual(row.survey_id, other_survey, "it was asked already")

    def test_r102_after_a_completed_callback(self):
        user = new_test_user(self.env, "survey_agent", groups="contact_center.group_agent")
        agent = self.create_agent("Ada", user_id=user.id)
        callbacks = self.env["contact.center.callback"]
        values = {"service_id": self.service.id, "number": CUSTOMER}
        callback = callbacks.create(values)
        callback._claim(user=user)
        callback._complete()
        row = self.env["survey.user_input"].search([("callback_id", "=", callback.id)])
        self.assertEqual((row.number, row.agent_id, row.sms_state), (CUSTOMER, agent, "waiting"))
        cancelled = callbacks.create(values)
        cancelled._cancel("supervisor")
        self.assertFalse(self.env["survey.user_input"].search([("callback_id", "=", cancelled.id)]))

    def test_a_service_without_a_survey_asks_nobody(self):
        self.service.survey_id = False
        self.assertFalse(self.call())

    # === WHAT === #

    def test_r103_the_text_of_the_service(self):
        self.service.survey_body = "How was {{ object.service_id.name }}? 1 to 5"
        self.call()
        self.assertEqual(self.ask(), ["How was Support? 1 to 5"])

    def test_a_text_that_cannot_be_filled_is_not_sent(self):
        self.service.survey_body = "Hi {{ object.partner_id.name }}, how was it?"
        row = self.call(caller=OTHER_CUSTOMER)
        self.assertEqual(self.ask(), [])
        self.assertEqual(row.sms_state, "failed")
        self.assertIn("object.partner_id.name", row.failure_reason)

    @mute_logger("odoo.addons.sms_survey.models.survey_user_input")
    def test_p10_a_question_that_breaks_keeps_nobody_else_waiting(self):
        """P10: it says why; whoever comes after it is asked."""
        Inputs = self.registry["survey.user_input"]
        send = Inputs._send

        def break_one(row, body):
            if row.number == CUSTOMER:
                raise ValueError("broken")
            return send(row, body)

        broken, other = self.call(), self.call("c2", caller=OTHER_CUSTOMER)
        with patch.object(Inputs, "_send", break_one):
            self.assertEqual(len(self.ask()), 1)
        self.assertEqual((broken.sms_state, broken.failure_reason), ("failed", "broken"))
        self.assertEqual(other.sms_state, "sent")

    def test_a_supervisor_cannot_have_a_text_run_code(self):
        self.env["ir.config_parameter"].set_param("mail.restrict.template.rendering", True)
        boss = new_test_user(self.env, "survey_boss", groups="contact_center.group_supervisor")
        service = self.service.with_user(boss)
        service.survey_body = "How was {{ object.service_id.name }}?"
        with self.assertRaisesRegex(AccessError, "Support"):
            service.survey_body = "{{ object.env['res.users'].search([]).mapped('login') }}"

    # === WHEN === #

    def test_after_a_delay(self):
        self.survey.sms_delay_minutes = 30
        with self.after():
            row = self.call()
        self.assertEqual(row.due_at, NOON + timedelta(minutes=30))
        with self.after(minutes=29):
            self.assertEqual(self.ask(), [])
        with self.after(minutes=30):
            self.assertEqual(len(self.ask()), 1)

    def test_r102_a_number_is_asked_once_in_a_quarantine(self):
        self.survey.sms_quarantine_days = 7
        with self.after():
            self.call("c1")
            self.ask()
        with self.after(days=7, seconds=-1):
            row = self.call("c2")
            self.assertEqual(self.ask(), [])
            self.assertEqual((row.sms_state, row.skip_reason), ("skipped", "quarantine"))
        with self.after(days=7):
            row = self.call("c3")
            self.assertEqual(len(self.ask()), 1)
        self.assertEqual(row.sms_state, "sent")

    def test_the_quarantine_counts_what_is_asked_at_the_same_moment(self):
        self.survey.sms_quarantine_days = 1
        rows = self.call("c1") + self.call("c2") + self.call("c3", caller=OTHER_CUSTOMER)
        self.assertEqual(len(self.ask()), 2)
        self.assertEqual(rows.mapped("sms_state"), ["sent", "skipped", "sent"])

    def test_without_a_quarantine_the_newer_question_takes_the_older_one_s_place(self):
        first = self.call("c1")
        self.ask()
        second = self.call("c2")
        self.ask()
        self.answer("5")
        self.assertEqual((first.sms_state, second.sms_state), ("expired", "answered"))

    def test_both_at_once_one_after_the_other(self):
        rows = self.call("c1") + self.call("c2")
        self.assertEqual(len(self.ask()), 2)
        self.answer("5")
        self.assertEqual(rows.mapped("sms_state"), ["expired", "answered"])

    # === WHO NOT === #

    def test_decision_8_who_is_passed_over_and_why(self):
        self.env["phone.blacklist"].add(OTHER_CUSTOMER)
        for caller, reason in (
            ("anonymous", "no_number"),
            (FIXED, "not_mobile"),
            (OTHER_CUSTOMER, "blacklisted"),
        ):
            with self.subTest(reason):
                row = self.call(reason, caller=caller)
                self.assertEqual(self.ask(), [])
                self.assertEqual((row.sms_state, row.skip_reason), ("skipped", reason))
        self.assertEqual(self.survey.answer_count, 0)

    def test_numbers_that_may_be_mobile_as_the_service_says(self):
        for may_be, state in ((True, "sent"), (False, "skipped")):
            self.service.ambiguous_is_mobile = may_be
            row = self.call(f"us-{may_be}", caller="+12015550123")
            self.ask()
            self.assertEqual(row.sms_state, state)

    def test_a_closed_survey_asks_nobody(self):
        row = self.call()
        self.survey.active = False
        self.assertEqual(self.ask(), [])
        self.assertEqual(row.skip_reason, "off")

    def test_a_question_that_the_provider_refuses(self):
        row = self.call()
        self.run_due()
        with self.provider() as provider:
            provider.answers[CUSTOMER] = {"outcome": "failed", "failure_type": "sms_number_format"}
            self.run_lanes()
        self.assertEqual(row.sms_state, "failed")
        self.assertTrue(row.failure_reason)
        message = self.answer("5")
        self.assertNotEqual(row.sms_state, "answered")
        self.assertNotEqual(message.inbox_reason, "no_match")

    def test_who_got_no_question_may_be_asked_after_the_next_call(self):
        """Decision 8: only what was sent counts in the quarantine."""
        self.survey.sms_quarantine_days = 7
        self.test_a_question_that_the_provider_refuses()
        self.call("c2")
        self.assertEqual(len(self.ask()), 1)

    def test_what_is_sent_again_asks_again(self):
        row = self.call()
        self.run_due()
        with self.provider() as provider:
            provider.answers[CUSTOMER] = {"outcome": "failed", "failure_type": "sms_server"}
            self.run_lanes()
        row.question_message_id.action_resend()
        self.assertEqual(len(self.ask()), 1)
        self.answer("5")
        self.assertEqual((row.sms_state, self.get_values(row)), ("answered", ["5"]))

    # === SET-UP === #

    def test_a_sender_that_cannot_be_answered_is_refused(self):
        with self.assertRaisesRegex(ValidationError, "Fjord"):
            self.survey.sms_sender_id = self.text_sender

    def test_a_service_takes_surveys_by_sms_only(self):
        plain = self.env["survey.survey"].create({"title": "Web"})
        with self.assertRaisesRegex(ValidationError, "Web"):
            self.service.survey_id = plain

    def test_a_service_takes_surveys_of_its_company_only(self):
        other = self.env["res.company"].create({"name": "Other AS"})
        with self.assertRaisesRegex(ValidationError, "Other AS"):
            self.service.company_id = other

    def test_the_type_is_one_of_the_survey_app_s(self):
        survey = self.env["survey.survey"].with_user(
            new_test_user(self.env, "survey_user", groups="survey.group_survey_user")
        )
        self.assertIn("sms", survey.new({}).allowed_survey_types)

    def test_an_erased_number_is_forgotten_here_too(self):
        row = self.call()
        self.ask()
        row.sms_message_ids._erase()
        self.assertFalse(row.number)
