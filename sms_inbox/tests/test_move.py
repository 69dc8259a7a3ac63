from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from odoo.addons.sms_gateway.tests.common import CUSTOMER

from .test_handle import STRANGER, InboxCase


@tagged("post_install", "-at_install")
class TestMove(InboxCase):
    """Conversations and texts that came to the wrong record, and back."""

    def setUp(self):
        super().setUp()
        self.text = self.receive("When do you come?", number=CUSTOMER)
        self.conversation = self.text.conversation_id
        self.assertEqual(self.text._get_record(), self.partner)

    def move(self, target, conversations=None, texts=None, history=True):
        Move = self.env["sms.conversation.move"].with_user(self.salesman)
        if not texts:
            conversations = conversations or self.conversation
        wizard = Move.create(
            {
                "channel_ids": conversations and conversations.ids,
                "message_ids": texts and texts.ids,
                "record_ref": f"{target._name},{target.id}",
                "move_history": history,
            }
        )
        return wizard.action_move()

    def undo(self):
        move = self.conversation.sudo().sms_move_id.with_user(self.salesman)
        return move.action_undo()["params"]["message"]

    def assert_on(self, record):
        conversation = self.conversation.sudo()
        self.assertEqual(
            (conversation.sms_res_model, conversation.sms_res_id), (record._name, record.id)
        )

    # === MOVING === #

    def test_later_replies_follow_the_move(self):
        """R133, R134, R137: from a contact to an opportunity; what comes next is there."""
        self.move(self.lead)
        self.assert_on(self.lead)
        reply = self.receive("Hello again", number=CUSTOMER)
        self.assertEqual(reply._get_record(), self.lead)
        self.assertEqual(reply.routing_rule, "moved")
        self.assertIn(self.salesman.name, reply.routing_why)

    def test_it_moves_between_all_four_types(self):
        """R135: person, company, opportunity, lead, and round again."""
        company = self.env["res.partner"].create({"name": "Hansen AS", "is_company": True})
        lead = self._create_lead("Cold", type="lead")
        for target in (company, self.lead, lead, self.partner):
            self.move(target)
            self.assert_on(target)
            self.assertEqual(self.text._get_record(), target)

    def test_several_conversations_move_at_once(self):
        """R136: those selected in the list."""
        other = self.receive(number=STRANGER).conversation_id
        self.move(self.lead, self.conversation | other)
        self.assertEqual((self.conversation | other).mapped("sms_res_id"), [self.lead.id] * 2)

    def test_the_list_hands_over_what_is_selected(self):
        context = {"active_model": "discuss.channel", "active_ids": self.conversation.ids}
        Move = self.env["sms.conversation.move"].with_user(self.salesman)
        wizard = Form(Move.with_context(**context))
        self.assertEqual(wizard.channel_ids.ids, self.conversation.ids)
        self.assertEqual(wizard.from_names, self.partner.name)

    def test_the_earlier_texts_go_along(self):
        """R137: it appears at the target and no longer at the source."""
        self.move(self.lead)
        self.assertEqual(self.text._get_record(), self.lead)
        self.assertIn("When do you come?", self.notes(self.lead))
        self.assertNotIn("When do you come?", self.notes(self.partner))

    def test_the_earlier_texts_stay_where_they_are_asked_to(self):
        self.move(self.lead, history=False)
        self.assertEqual(self.text._get_record(), self.partner)
        self.assertIn("When do you come?", self.notes(self.partner))

    def test_both_records_tell(self):
        """R134, decision 16: a note on each, with a link to the other."""
        self.move(self.lead)
        self.assertIn(f'data-oe-id="{self.lead.id}"', self.notes(self.partner))
        self.assertIn("moved to", self.notes(self.partner))
        self.assertIn(f'data-oe-id="{self.partner.id}"', self.notes(self.lead))
        self.assertIn("moved here from", self.notes(self.lead))

    def test_a_single_text_moves_alone(self):
        second = self.receive("And the gutter?", number=CUSTOMER)
        self.move(self.lead, texts=second)
        self.assertEqual(second._get_record(), self.lead)
        self.assertEqual(self.text._get_record(), self.partner)
        self.assertIn("And the gutter?", self.notes(self.lead))
        self.assert_on(self.partner)

    def test_a_text_of_the_inbox_is_handled_by_the_move(self):
        text = self.receive("Hello?", number=STRANGER)
        self.move(self.lead, text.conversation_id)
        self.assertEqual(text.inbox_state, "handled")
        self.assertIn("Hello?", self.notes(self.lead))

    def test_a_colleague_undoes_it_from_the_conversation(self):
        self.move(self.lead)
        manager = self.env.ref("base.user_admin")
        self.conversation.with_user(manager).action_sms_undo_move()
        self.assert_on(self.partner)
        with self.assertRaisesRegex(UserError, "not moved, or that is undone"):
            self.conversation.with_user(manager).action_sms_undo_move()

    def test_what_is_there_already_is_not_moved(self):
        action = self.move(self.partner)
        self.assertIn("already", action["params"]["message"])
        self.assertFalse(self.conversation.sudo().sms_move_id)

    # === RIGHTS === #

    def test_only_to_a_record_one_may_read(self):
        """Decision 16: target and source must be readable."""
        other = self.env["res.company"].create({"name": "Other"})
        hidden = self._create_lead("Hidden", company_id=other.id, user_id=False, team_id=False)
        with self.assertRaises(AccessError):
            self.move(hidden)
        self.assert_on(self.partner)

    def test_only_a_conversation_one_may_read(self):
        """P11: a colleague outside the team moves nothing, nor undoes it."""
        Move = self.env["sms.conversation.move"].with_user(self.outsider)
        values = {
            "channel_ids": self.conversation.ids,
            "record_ref": f"res.partner,{self.outsider.partner_id.id}",
        }
        with self.assertRaises(AccessError):
            Move.create(values).action_move()
        forged = self.env["sms.conversation.move"].create(values).with_user(self.outsider)
        with self.assertRaises(UserError):
            forged.action_move()
        self.move(self.lead)
        with self.assertRaises(AccessError):
            self.conversation.sudo().sms_move_id.with_user(self.outsider).action_undo()
        self.assert_on(self.lead)

    # === UNDO === #

    def test_undo_brings_everything_back_and_says_so(self):
        why = self.text.routing_why
        self.move(self.lead)
        self.assertNotEqual(self.text.routing_why, why)
        words = self.undo()
        self.assertEqual(self.text.routing_why, why)
        self.assertIn(CUSTOMER, words)
        self.assertIn(self.partner.name, words)
        self.assert_on(self.partner)
        self.assertEqual(self.text._get_record(), self.partner)
        self.assertIn("When do you come?", self.notes(self.partner))
        self.assertNotIn("When do you come?", self.notes(self.lead))
        self.assertIn("Move undone", self.notes(self.partner))
        self.assertIn("Move undone", self.notes(self.lead))
        self.assertFalse(self.conversation.sudo().sms_move_id)

    def test_moves_are_undone_one_after_another(self):
        """The last first; the one before it can be undone then."""
        third = self._create_lead("Third")
        self.move(self.lead)
        first = self.conversation.sudo().sms_move_id
        self.move(third)
        with self.assertRaises(UserError):
            first.with_user(self.salesman).action_undo()
        self.undo()
        self.assert_on(self.lead)
        self.undo()
        self.assert_on(self.partner)

    def test_undo_happens_once(self):
        self.move(self.lead)
        move = self.conversation.sudo().sms_move_id.with_user(self.salesman)
        move.action_undo()
        with self.assertRaises(UserError):
            move.action_undo()

    def test_undo_puts_a_text_back_into_the_inbox(self):
        text = self.receive("Hello?", number=STRANGER)
        self.conversation = text.conversation_id
        self.move(self.lead)
        self.undo()
        self.assertEqual((text.inbox_state, text.res_id), ("todo", 0))
        self.assertNotIn("Hello?", self.notes(self.lead))
        self.assertFalse(self.conversation.sudo().sms_res_id)

    def test_a_single_text_is_brought_back(self):
        self.move(self.lead, texts=self.text)
        log = self.env["sms.conversation.move.log"].with_user(self.salesman).search([], limit=1)
        self.assertEqual(log.moved_message_count, 1)
        log.action_undo()
        self.assertEqual(self.text._get_record(), self.partner)

    def test_what_was_put_elsewhere_since_stays_there(self):
        third = self._create_lead("Third")
        self.move(self.lead)
        self.move(third, texts=self.text)
        self.undo()
        self.assertEqual(self.text._get_record(), third)
        self.assert_on(self.partner)

    def test_what_came_from_a_deleted_record_stays(self):
        self.move(self.lead)
        third = self._create_lead("Third")
        self.move(third)
        self.lead.unlink()
        with self.assertRaises(UserError):
            self.undo()
        self.assert_on(third)
