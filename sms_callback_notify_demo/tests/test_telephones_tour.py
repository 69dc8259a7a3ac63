from odoo.tests import HttpCase, new_test_user, tagged

from .common import VoiceCase


@tagged("post_install", "-at_install")
class TestTelephonesTour(VoiceCase, HttpCase):
    """A telephone that rings, in a real browser."""

    def test_r094_a_customer_answers_the_auto_agent(self):
        """R094: it rings, speaks, takes key 2; the callback is cancelled."""
        new_test_user(self.env, "voice_tour", groups="base.group_user,sms_gateway.group_sms_user")
        callback, call = self.ring()
        self.start_tour("/odoo/telephones", "sms_callback_notify_demo_voice", login="voice_tour")
        self.assertEqual(call.result, "cancel")
        self.work_off()
        self.assertEqual((callback.state, callback.close_reason), ("cancelled", "auto_agent"))
