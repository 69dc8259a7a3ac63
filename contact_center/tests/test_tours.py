from odoo.tests import HttpCase, new_test_user, tagged

from .common import ContactCenterCase


@tagged("post_install", "-at_install")
class TestTours(ContactCenterCase, HttpCase):
    """What a person sees and does, in a real browser."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        company = {"company_id": cls.company.id, "company_ids": cls.company.ids}
        cls.agent = new_test_user(
            cls.env, "cc_agent", groups="contact_center.group_agent", **company
        )
        new_test_user(cls.env, "cc_admin", groups="base.group_system", **company)

    def test_r085_an_agent_calls_back(self):
        """R085: from the board to the first in line; the board follows by itself."""
        callback = self.create_callback(name="Anna Hansen")
        self.create_callback("+4790612399", at=60, name="Berit Berg")
        self.start_tour("/odoo", "contact_center_agent", login="cc_agent")
        self.assertEqual((callback.state, callback.close_reason), ("completed", "agent"))
        self.assertEqual(callback.user_id, self.agent)
        self.assertEqual(callback.note, "Comes on Friday")
        by_hand = self.env["contact.center.callback"].search([("name", "=", "Kari Lie")])
        self.assertEqual((by_hand.number, by_hand.state), ("+4790612355", "cancelled"))

    def test_p9_a_token_is_shown_once(self):
        """P9: in a window with what is to be pasted; the form keeps its last characters."""
        self.start_tour("/odoo", "contact_center_token", login="cc_admin")
        connector = self.env["contact.center.connector"].search([("code", "=", "oslo")])
        self.assertTrue(connector.token_hash)
        self.assertEqual(self.env["contact.center.token"].search_count([]), 0)
