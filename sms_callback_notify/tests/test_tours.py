from odoo.tests import HttpCase, new_test_user, tagged

from .common import CALLER, CallbackCase


@tagged("post_install", "-at_install")
class TestTours(CallbackCase, HttpCase):
    """What an administrator writes, and sees of it, in a real browser."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.service = cls.env["contact.center.service"].create({"name": "Repairs", "code": "fix"})
        new_test_user(
            cls.env,
            "cbn_admin",
            groups="base.group_system,sms_gateway.group_sms_manager",
        )

    def test_r079_r087_an_administrator_writes_the_texts(self):
        """R079, R087: the welcome, the notification and the words for no; what comes of them."""
        url = f"/odoo/contact.center.service/{self.service.id}"
        self.start_tour(url, "sms_callback_notify_texts", login="cbn_admin")
        self.tell("call.queued", service="fix", call_id="c1", caller=CALLER)
        self.tell(
            "callback.requested",
            60,
            service="fix",
            phone=CALLER,
            callback_id="k1",
            call_id="c1",
            name="Anna Hansen",
        )
        self.tell("call.left_queue", 61, call_id="c1", reason="callback")
        self.assertEqual(
            self.get_bodies(),
            ["Welcome to Repairs!", "Anna Hansen, you are next. Answer NOPE to cancel."],
        )
        self.answer("Nope!")
        callback = self.env["contact.center.callback"].search([("external_id", "=", "k1")])
        self.assertEqual((callback.state, callback.close_reason), ("cancelled", "sms_reply"))
        url = "/odoo/contact-center-callbacks"
        self.start_tour(url, "sms_callback_notify_outcome", login="cbn_admin")
