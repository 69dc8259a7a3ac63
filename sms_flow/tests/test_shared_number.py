from odoo.tests import tagged

from odoo.addons.sms_gateway.tests.common import CUSTOMER

from .common import SmsFlowCase


@tagged("post_install", "-at_install")
class TestSharedNumber(SmsFlowCase):
    """One number for several flows: whose question a text answers may not be certain."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.survey.sender_id = cls.team_sender

    def ask(self, contact=False):
        lead = self.create_team_lead()
        self.set_stage(lead, self.sale)
        self.send()
        if contact:
            self.enter(self.partner, self.questions[0])
            self.send()
        return lead

    def assert_waits(self, message, reason="shared"):
        self.assertEqual((message.inbox_state, message.inbox_reason), ("todo", reason))

    # === ONE COMPANY === #

    def test_r037_on_a_shared_number_no_answer_counts(self):
        """R037, decision 3: strict by default, be it the only question that is open."""
        self.assertTrue(self.team_sender.strict_answers)
        lead = self.ask()
        self.assert_waits(self.reply("ja"))
        self.assertEqual(lead.stage_id, self.sale)

    def test_r037_where_the_owner_takes_the_risk_the_only_question_counts(self):
        """R037, decision 3."""
        self.team_sender.strict_answers = False
        lead = self.ask()
        self.assertFalse(self.reply("ja").inbox_state)
        self.assertEqual(lead.stage_id, self.confirmed)

    def test_r037_with_two_questions_open_it_never_does(self):
        """Decision 3."""
        self.team_sender.strict_answers = False
        lead = self.ask(contact=True)
        self.assert_waits(self.reply("ja"))
        self.assertEqual(lead.stage_id, self.sale)
        self.assertEqual(self.get_run(self.partner).step_id, self.questions[0])

    def test_r037_nor_where_another_text_came_between(self):
        """Decision 3: it cannot be tied to one outgoing text."""
        self.team_sender.strict_answers = False
        lead = self.ask()
        self.text_the_customer(self.partner, sender=self.team_sender)
        self.assert_waits(self.reply("ja"))
        self.assertEqual(lead.stage_id, self.sale)

    def test_whoever_answers_is_reminded_no_more(self):
        """Whatever it was that he answered."""
        self.create_reminder(delay=2)
        self.create_reminder(self.questions[0], delay=2)
        with self.at("2040-01-10 11:00:00"):
            self.ask(contact=True)
            self.reply("ja")
        self.assertEqual(self.tick("2040-01-10 14:00:00"), [])

    def test_r030_a_number_of_two_flows_is_said_on_both(self):
        """R030: a warning, not a block."""
        self.assertIn("also serves Survey", self.flow.sender_note)
        self.assertIn("also serves Heat pumps", self.survey.sender_note)
        self.assertEqual(self.flow.other_flow_ids, self.survey)

    def test_r029_number_and_flow_are_tied_both_ways(self):
        """R029."""
        self.assertEqual(self.team_sender.flow_ids, self.flow | self.survey)
        self.assertFalse(self.survey_sender.flow_ids)

    def test_r030_an_archived_flow_uses_no_number(self):
        """R077: freeing the flow frees the number, and answers are certain again."""
        self.survey.active = False
        self.assertFalse(self.flow.sender_note)
        lead = self.ask()
        self.reply("ja")
        self.assertEqual(lead.stage_id, self.confirmed)

    def test_r030_a_number_of_its_own_needs_no_note(self):
        self.survey.sender_id = self.survey_sender
        self.assertFalse(self.flow.sender_note)

    # === TWO COMPANIES === #

    def create_twin(self):
        """The same number with another company."""
        company = self.env["res.company"].create({"name": "Second", "sms_enabled": True})
        gateway = self.gateway.copy({"name": "Second", "company_id": company.id})
        gateway.state = "enabled"
        return self.env["sms.sender"].create(
            {
                "name": "Twin",
                "kind": "dedicated",
                "address": self.team_sender.address,
                "gateway_id": gateway.id,
                "company_id": company.id,
                "state": "approved",
                "inbound_enabled": True,
            }
        )

    def test_r031_another_company_may_use_the_number_too(self):
        """R031: a softer note; a customer of one company alone is certain."""
        self.survey.sender_id = self.survey_sender
        twin = self.create_twin()
        self.create_flow(
            "Theirs", model="res.partner", company_id=twin.company_id.id, sender_id=twin.id
        )
        self.flow.invalidate_recordset(["sender_note"])
        self.assertIn("another company uses the same number", self.flow.sender_note)
        self.assertNotIn("also serves", self.flow.sender_note)
        lead = self.ask()
        self.reply("ja")
        self.assertEqual(lead.stage_id, self.confirmed)

    def test_r031_a_customer_of_both_companies_is_ambiguous(self):
        """R031."""
        self.survey.sender_id = self.survey_sender
        twin = self.create_twin()
        lead = self.ask()
        self.create_text(number=CUSTOMER, sender_id=twin.id)
        self.assert_waits(self.reply("ja"), "ambiguous")
        self.assertEqual(lead.stage_id, self.sale)
