from unittest.mock import patch

from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import CUSTOMER, SmsSurveyCase


@tagged("post_install", "-at_install")
class TestActions(SmsSurveyCase):
    """The server action, for what is no call."""

    def create_action(self, model="crm.lead"):
        return self.env["ir.actions.server"].create(
            {
                "name": "Ask",
                "model_id": self.env["ir.model"]._get_id(model),
                "state": "sms_survey",
                "sms_survey_id": self.survey.id,
            }
        )

    def run_on(self, records):
        action = self.create_action(records._name)
        action.with_context(
            active_model=records._name, active_ids=records.ids, active_id=records[:1].id
        ).run()
        return self.env["survey.user_input"].search([("res_model", "=", records._name)])

    def test_r102_the_customer_of_any_record_is_asked(self):
        lead = self.create_lead(user_id=self.ola.id, partner_id=self.partner.id)
        agent = self.create_agent("Ola", user_id=self.ola.id)
        row = self.run_on(lead)
        self.assertEqual((row.number, row.partner_id), (CUSTOMER, self.partner))
        self.assertEqual((row.res_id, row.agent_id), (lead.id, agent))
        self.ask()
        self.answer("5")
        self.assertEqual(row.sms_state, "answered")

    def test_twice_before_it_is_asked_is_once(self):
        lead = self.create_lead()
        self.assertEqual(len(self.run_on(lead)), 1)
        self.assertEqual(len(self.run_on(lead)), 1)

    def test_a_record_without_a_number_is_passed_over(self):
        row = self.run_on(self.create_lead(phone=False))
        self.ask()
        self.assertEqual(row.skip_reason, "no_number")

    @mute_logger("odoo.addons.sms_survey.models.survey_user_input")
    def test_p10_an_error_stops_nobody(self):
        """P10: it stands on the record."""
        Inputs, lead = self.registry["survey.user_input"], self.create_lead()
        with patch.object(Inputs, "_plan", side_effect=ValueError("broken")):
            self.assertFalse(self.run_on(lead))
        self.assertIn("How did we do? was not sent: broken", lead.message_ids[0].preview)

    def test_its_name_and_models(self):
        action = self.create_action()
        self.assertEqual(action._generate_action_name(), "Ask by SMS: How did we do?")
        names = action.available_model_ids.mapped("model")
        self.assertIn("res.partner", names)
        self.assertNotIn("res.country", names)
