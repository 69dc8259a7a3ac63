from odoo.tests import HttpCase, new_test_user, tagged


@tagged("post_install", "-at_install")
class TestTelephonesTour(HttpCase):
    """The screen with the telephones, as a salesman uses it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.user = new_test_user(
            cls.env, "sms_tour", groups="base.group_user,sms_gateway.group_sms_user"
        )
        cls.gateway = cls.env["sms.gateway"].create(
            {"name": "Tour carrier", "code": "demo", "state": "enabled"}
        )
        cls.env["sms.sender"].create(
            {
                "name": "Tour number",
                "kind": "dedicated",
                "address": "59449999",
                "gateway_id": cls.gateway.id,
                "state": "approved",
                "inbound_enabled": True,
            }
        )
        cls.carrier = cls.env["sms.demo.carrier"].search([("gateway_id", "=", cls.gateway.id)])
        cls.carrier.delivery = "manual"
        cls.phone = cls.env["sms.demo.phone"].create({"name": "Tour", "number": "+4790000004"})
        text = {"uuid": "tour", "from": "59449999", "to": "+4790000004", "body": "Are you there?"}
        cls.env["sms.demo.text"]._take(cls.carrier, [text])

    def test_a_text_is_delivered_and_answered(self):
        self.start_tour("/odoo/telephones", "sms_gateway_demo_telephones", login="sms_tour")
        received, answered = self.phone.text_ids.sorted("id")
        self.assertEqual((received.state, received.call_ids.kind), ("delivered", "status"))
        self.assertEqual((answered.body, answered.address), ("Yes, I am!", "59449999"))
        self.assertEqual(answered.call_ids.kind, "inbound")
        self.assertEqual(self.phone.mode, "off")
        self.assertEqual(self.carrier.fail_rate, 25)
