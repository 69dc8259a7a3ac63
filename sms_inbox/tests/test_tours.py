from concurrent.futures import ThreadPoolExecutor
from unittest.mock import patch

from odoo.tests import HttpCase, tagged
from odoo.tests.common import HOST, TEST_CURSOR_COOKIE_NAME, ChromeBrowser

from odoo.addons.sms_gateway.tests.common import CUSTOMER

from .common import SmsInboxCase


class ToursCase(SmsInboxCase, HttpCase):
    """A customer waits for an answer of the team."""

    def setUp(self):
        super().setUp()
        self.lead = self.create_lead(partner_id=self.partner.id)
        self.conversation = self.receive(
            "When do you come?", sender=self.team_sender
        ).conversation_id
        self.lead_url = f"/odoo/crm.lead/{self.lead.id}"

    def start_two_tours(self, first, second):
        """Run the tours of two people at the same time, each in a browser of his own.

        Each is a tuple of address, tour and login.
        """
        self.authenticate(second[2], second[2])
        session, self.session = self.session, None  # else it ends when the other begins
        wait = ChromeBrowser._wait_code_ok

        def wait_for_both(browser, code, timeout, **kwargs):
            other = self._open_browser(*second[:2], session)
            try:
                with ThreadPoolExecutor(1) as pool:
                    waiting = pool.submit(wait, browser, code, timeout, **kwargs)
                    wait(other, f"odoo.startTour({second[1]!r})", timeout)
                    waiting.result()
            finally:
                other.stop()

        with patch.object(ChromeBrowser, "_wait_code_ok", wait_for_both):
            self.start_tour(first[0], first[1], login=first[2], timeout=90)

    def _open_browser(self, url, tour, session):
        browser = ChromeBrowser(self, success_signal="tour succeeded")
        browser.set_cookie("session_id", session.sid, "/", HOST)
        browser.set_cookie(TEST_CURSOR_COOKIE_NAME, self.http_request_key, "/", HOST)
        browser.navigate_to(f"{self.base_url()}{url}")
        self.assertTrue(browser._wait_ready(f"odoo.isTourReady({tour!r})"))
        return browser

    def sent_bodies(self):
        texts = self.env["sms.message"].search(
            [("conversation_id", "=", self.conversation.id), ("direction", "=", "out")]
        )
        return texts.sorted("id").mapped("body")


@tagged("post_install", "-at_install")
class TestTours(ToursCase):
    """What a person sees and does, in a real browser."""

    def test_two_people_answer_and_see_each_other_at_once(self):
        """R129, R138: from the icon of a number; in Discuss; live for both."""
        self.conversation.sms_assign(self.kari.id)
        self.start_two_tours(
            (self.lead_url, "sms_inbox_seller", "sms_ola"),
            ("/odoo/discuss", "sms_inbox_colleague", "sms_kari"),
        )
        self.assertEqual(self.sent_bodies(), ["Friday at 10 suits me", "Bring the ladder"])
        with self.provider() as provider:
            self.run_lanes("chat")
        self.assertEqual(provider.bodies, ["Friday at 10 suits me", "Bring the ladder"])

    def test_two_people_see_a_text_that_is_sent_by_the_button(self):
        """It is in a conversation that is open, without reload."""
        self.start_two_tours(
            (self.lead_url, "sms_inbox_watch", "sms_ola"),
            (self.lead_url, "sms_inbox_watch_colleague", "sms_kari"),
        )
        self.assertEqual(self.sent_bodies(), ["By the button"])

    def test_two_people_see_a_text_of_the_inbox_find_its_record(self):
        """R040 to R045: one handles it, the other has the record open."""
        cabin = self.create_lead("Cabin", phone="+4798765432")
        self.team_sender.inbound_policy = "inbox"
        text = self.receive("Is this the dentist?", number="+4799999991", sender=self.team_sender)
        self.start_two_tours(
            ("/odoo/action-sms_inbox.sms_message_action_todo", "sms_inbox_handle", "sms_ola"),
            (f"/odoo/crm.lead/{cabin.id}", "sms_inbox_handle_colleague", "sms_kari"),
        )
        self.assertEqual((text._get_record(), text.inbox_state), (cabin, "handled"))
        self.assertEqual(text.handled_by_id, self.ola)

    def test_two_people_see_a_conversation_move_and_come_back(self):
        """R134, R136: one moves it and undoes that, the other has it open and answers it.

        The first is no member any more then, but what he looks at stays.
        """
        self.create_lead("Cabin", phone=False)
        self.start_two_tours(
            ("/odoo/action-sms_inbox.sms_conversation_action_all", "sms_inbox_move", "sms_ola"),
            ("/odoo/discuss", "sms_inbox_move_colleague", "sms_kari"),
        )
        self.assertEqual(self.conversation._sms_get_record(), self.partner)
        self.assertEqual(self.sent_bodies(), ["Now I see it", "And back"])

    def test_r139_r143_a_template_is_picked_changed_and_made(self):
        self.ola.group_ids += self.env.ref("sales_team.group_sale_manager")
        self.env["sms.template"].create(
            {
                "name": "Visit",
                "model_id": self.env["ir.model"]._get_id("crm.lead"),
                "body": "About {{ object.name }}: we come on Friday.",
            }
        )
        self.start_tour(self.lead_url, "sms_inbox_template", login="sms_ola")
        made = self.env["sms.template"].search([("name", "=", "Monday")])
        self.assertEqual(made.model, "crm.lead")
        self.assertFalse(self.sent_bodies(), "picking sends nothing")

    def test_a_refused_text_says_why_and_can_be_typed_on(self):
        self.env["phone.blacklist"]._add([CUSTOMER])
        self.start_tour(self.lead_url, "sms_inbox_refused", login="sms_ola")
        self.assertFalse(self.sent_bodies())

    def test_r127_r128_my_sms_opens_a_conversation_at_the_right(self):
        """R130, R140: and what can be done with it."""
        self.conversation.sms_user_id = self.ola
        self.start_tour("/odoo", "sms_inbox_my_sms", login="sms_ola")
        self.assertEqual(self.conversation.sms_state, "waiting")

    def test_a_move_is_undone_from_the_conversation(self):
        Move = self.env["sms.conversation.move"].with_user(self.ola)
        Move.create(
            {
                "channel_ids": self.conversation.ids,
                "record_ref": f"{self.lead._name},{self.lead.id}",
            }
        ).action_move()
        self.assertEqual(self.conversation.sms_res_model, "crm.lead")
        self.start_tour(self.lead_url, "sms_inbox_undo_move", login="sms_ola")
        self.assertEqual(self.conversation.sms_res_model, "res.partner")

    def test_r131_a_notification_opens_the_conversation(self):
        self.start_tour(self.lead_url, "sms_inbox_notification", login="sms_ola")

    def test_r132_an_activity_opens_the_conversation(self):
        self.lead.activity_schedule("sms_inbox.mail_activity_type_sms", user_id=self.ola.id)
        self.start_tour(self.lead_url, "sms_inbox_activity", login="sms_ola")


@tagged("post_install", "-at_install")
class TestPhoneTours(ToursCase):
    """The same on a telephone."""

    browser_size = "390x844"
    touch_enabled = True

    def test_a_conversation_is_answered_on_a_telephone(self):
        """R138."""
        self.start_tour("/odoo/discuss", "sms_inbox_phone", login="sms_ola")
        self.assertEqual(self.sent_bodies(), ["On Friday"])
        self.assertEqual(self.conversation.sms_user_id, self.ola)
