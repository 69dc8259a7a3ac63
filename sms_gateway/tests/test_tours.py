from odoo.tests import HttpCase, tagged

from .common import CUSTOMER, SmsGatewayCase


@tagged("post_install", "-at_install")
class TestTours(SmsGatewayCase, HttpCase):
    """What a person sees and does, in a real browser."""

    def setUp(self):
        super().setUp()
        self.company.sms_default_sender_id = self.sender
        self.url = f"/odoo/res.partner/{self.partner.id}"

    def test_r002_the_composer_counts_warns_and_sends_with_the_chosen_sender(self):
        self.start_tour(self.url, "sms_gateway_composer", login="sms_salesman")
        text = self.env["sms.message"].search([("number", "=", CUSTOMER)])
        self.assertEqual(text.sender_id, self.text_sender)
        self.assertEqual((text.segments, text.state), (1, "queued"))
        with self.provider() as provider:
            self.run_lanes()
        self.assertEqual(provider.bodies, [f"It's ready - come at 14 {'x' * 50}"])

    def test_r002_the_composer_multiplies_segments_by_recipients(self):
        self.env["res.partner"].search([]).filtered("phone").phone = False
        customers = self.env["res.partner"].create(
            [{"name": f"Tour {n}", "phone": f"+479123450{n}"} for n in range(3)]
        )
        url = "/odoo/action-base.action_partner_form"
        self.start_tour(url, "sms_gateway_composer_mass", login="sms_salesman")
        sent = self.env["sms.message"].search([("number", "in", customers.mapped("phone"))])
        self.assertFalse(sent, "looking at the price sends nothing")

    def test_r146_a_delivery_report_shows_below_the_text(self):
        self.send_from_record()
        with self.provider():
            self.run_lanes()
        self.env["sms.message"].search([("number", "=", CUSTOMER)])._set_delivered()
        self.start_tour(self.url, "sms_gateway_delivered", login="sms_salesman")

    def test_r147_r148_r149_a_failure_shows_its_reason_on_hover(self):
        self._send_and_fail()
        self.start_tour(self.url, "sms_gateway_failed", login="sms_salesman")

    def test_an_administrator_sees_the_trouble_and_chooses_a_sender_for_a_country(self):
        text = self.create_text()
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE sms_sms SET create_date = create_date - interval '1 hour' WHERE id = %s",
            [text.id],
        )
        self.env.invalidate_all()
        self.start_tour("/odoo/sms-health", "sms_gateway_health", login="admin")
        rule = self.env["sms.sender.rule"].search([("prefix", "=", "+46")])
        self.assertEqual(rule.sender_id, self.sender)

    def test_the_menus_lead_to_gateways_and_texts(self):
        self._send_and_fail()
        self.start_tour("/odoo", "sms_gateway_menus", login="admin")

    def _send_and_fail(self):
        self.send_from_record("Bad number")
        with self.provider() as provider:
            provider.answers[CUSTOMER] = {
                "outcome": "failed",
                "failure_type": "sms_number_format",
                "code": "21211",
                "reason": "InvalidSendingParameters",
            }
            self.run_lanes()
