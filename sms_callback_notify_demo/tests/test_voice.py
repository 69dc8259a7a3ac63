from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from odoo.addons.sms_callback_notify.tests.common import FIXED

from .common import VoiceCase

SMS_USER = "base.group_user,sms_gateway.group_sms_user"


@tagged("post_install", "-at_install")
class TestVoice(VoiceCase):
    """R094: the Auto Agent without an exchange."""

    def test_r094_the_telephone_rings(self):
        """R094: with the text and the keys of the order; Odoo has told it."""
        callback, call = self.ring()
        self.assertEqual((callback.state, callback.notify_state), ("notified", "auto_agent"))
        self.assertEqual((call.state, call.caller), ("ringing", "Support"))
        self.assertEqual((call.keep_key, call.cancel_key), ("1", "2"))
        self.assertEqual(call.body, "You are number 1")

    def test_r094_key_2_cancels(self):
        """R094: through an event, as from an exchange."""
        callback, call = self.ring()
        call.action_answer()
        call.action_press("2")
        self.assertEqual(callback.state, "notified")
        self.work_off()
        self.assertEqual((callback.state, callback.close_reason), ("cancelled", "auto_agent"))
        self.assertEqual((call.state, call.result), ("ended", "cancel"))

    def test_r094_key_1_keeps(self):
        callback, call = self.ring()
        call.action_answer()
        call.action_press("1")
        self.work_off()
        self.assertEqual((callback.state, callback.auto_agent_result), ("notified", "keep"))

    def test_other_keys_do_nothing(self):
        """And none does before somebody answers, or after the end."""
        callback, call = self.ring()
        call.action_press("2")
        call.action_answer()
        call.action_press("3")
        call.action_press("")
        self.assertEqual(call.state, "talking")
        call.action_press("1")
        call.action_press("2")
        call.action_hang_up()
        self.work_off()
        self.assertEqual((callback.state, callback.auto_agent_result), ("notified", "keep"))

    def test_a_key_that_is_not_set_is_no_key(self):
        self.service.keep_key = False
        _callback, call = self.ring()
        call.action_answer()
        call.action_press("")
        call.action_press(False)
        self.assertEqual(call.state, "talking")

    def test_who_hangs_up_was_not_reached(self):
        """And who declines; the place is kept (R094)."""
        callback, call = self.ring()
        call.action_hang_up()
        self.work_off()
        self.assertEqual((callback.state, callback.auto_agent_result), ("notified", "no_answer"))

    def test_a_telephone_that_is_off_does_not_ring(self):
        for mode, result in (("off", "no_answer"), ("gone", "failed")):
            with self.subTest(mode=mode):
                self.phone.mode = mode
                callback, call = self.ring()
                self.work_off()
                self.assertEqual((call.state, callback.auto_agent_result), ("ended", result))
                callback._cancel("caller")
                self.env["sms.demo.voice"].search([]).unlink()
                callback.external_id = False

    def test_it_stops_ringing_when_the_callback_is_closed(self):
        callback, call = self.ring()
        callback._claim(user=self.env.user)
        self.assertEqual(call.state, "ringing")
        callback._complete()
        self.assertEqual((call.state, call.result), ("ended", False))
        self.assertFalse(self.env["contact.center.event"].search([("state", "=", "new")]))

    def test_a_number_without_telephone_gets_one(self):
        self.phone.unlink()
        self.ask(FIXED)
        call = self.env["sms.demo.voice"].search([("phone_id.number", "=", FIXED)])
        self.assertEqual(call.state, "ringing")

    def test_another_exchange_s_calls_do_not_ring_here(self):
        """Nor is the demo exchange asked for an address."""
        self.connector.write({"kind": "generic", "outbound_url": "https://pbx.example.com/hook"})
        callback, call = self.ring()
        self.assertEqual(callback.notify_state, "auto_agent")
        self.assertFalse(call)
        self.assertTrue(
            self.env["contact.center.delivery"].search([("type", "=", "auto_agent.requested")])
        )

    def test_an_exchange_without_address_is_not_told(self):
        self.connector.kind = "generic"
        callback, call = self.ring()
        self.assertEqual(callback.notify_state, "failed")
        self.assertFalse(call)

    def test_a_telephone_that_rings_comes_first(self):
        """However many texts arrive on others."""
        self.env["sms.demo.phone"].create(
            [
                {"name": f"Texted {n}", "number": f"+47906000{n}", "last_text_at": "2100-01-01"}
                for n in range(10, 35)
            ]
        )
        self.ring()
        screen = self.env["sms.demo.phone"].get_screen()["phones"]
        self.assertEqual((len(screen), screen[0]["id"]), (24, self.phone.id))

    def test_it_speaks_the_customer_s_language(self):
        self.env["res.lang"]._activate_lang("nb_NO")
        self.phone.partner_id = self.env["res.partner"].create({"name": "Bakery", "lang": "nb_NO"})
        _callback, call = self.ring()
        (screen,) = self.env["sms.demo.phone"].get_screen(FIXED)["phones"]
        self.assertEqual(screen["voice"]["id"], call.id)
        self.assertEqual(screen["voice"]["lang"], "nb-NO")

    def test_p11_who_uses_the_telephones(self):
        """P11: salesmen of the company; nobody writes the result himself."""
        _callback, call = self.ring()
        company = self.env["res.company"].create({"name": "Other"})
        other = {"company_id": company.id, "company_ids": company.ids}
        outsider = new_test_user(self.env, "voice_plain", groups="base.group_user")
        stranger = new_test_user(self.env, "voice_other", groups=SMS_USER, **other)
        salesman = new_test_user(self.env, "voice_user", groups=SMS_USER)
        for user in (outsider, stranger):
            theirs = call.with_user(user)
            for attempt in (
                theirs.action_answer,
                theirs.action_hang_up,
                lambda theirs=theirs: theirs.action_press("2"),
                lambda theirs=theirs: theirs.read(["body"]),
            ):
                with self.subTest(user=user.login), self.assertRaises(AccessError):
                    attempt()
        phones = self.env["sms.demo.phone"].with_user(stranger)
        self.assertIsNone(phones.get_screen(FIXED)["phones"][0]["voice"])
        with self.assertRaises(AccessError):
            call.with_user(salesman).result = "keep"
        call.with_user(salesman).action_answer()
        call.with_user(salesman).action_press("2")
        self.assertEqual(call.result, "cancel")
