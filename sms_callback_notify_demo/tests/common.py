from odoo.addons.sms_callback_notify.tests.common import FIXED, CallbackCase


class VoiceCase(CallbackCase):
    """A demo exchange, and a customer with a telephone that takes no texts."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.connector.write({"kind": "demo", "outbound_url": False})
        cls.service.write(
            {
                "notify_channel": "auto_agent",
                "auto_agent_body": "You are number {{ object.position }}",
            }
        )
        cls.env["sms.demo.phone"].search([("number", "=", FIXED)]).unlink()
        cls.phone = cls.env["sms.demo.phone"].create({"name": "Bakery", "number": FIXED})

    def ring(self):
        """Somebody without a mobile telephone asks to be called back, and is next.

        :return: (callback, the call of the Auto Agent)
        """
        callback = self.ask(FIXED)
        return callback, self.env["sms.demo.voice"].search([("phone_id", "=", self.phone.id)])

    def work_off(self):
        """What the demo exchange has told takes effect."""
        self.env["contact.center.event"].search([("state", "=", "new")], order="id")._process()
