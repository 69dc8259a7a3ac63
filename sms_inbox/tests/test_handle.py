from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user, tagged

from odoo.addons.sms_gateway.engine.contract import InboundText
from odoo.addons.sms_gateway.tests.common import CUSTOMER, SmsGatewayCase

STRANGER = "+4799887766"


class InboxCase(SmsGatewayCase):
    """A salesman with a number of his own, and customers who write to it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["crm.lead"].search([("phone_sanitized", "=", CUSTOMER)]).phone = False
        cls.env["res.partner"].search([("phone_sanitized", "=", CUSTOMER)]).phone = False
        cls.partner.phone = CUSTOMER
        cls.salesman.group_ids += cls.env.ref("sales_team.group_sale_salesman_all_leads")
        cls.sender.write({"user_ids": cls.salesman.ids, "inbound_policy": "inbox"})
        cls.outsider = new_test_user(
            cls.env, "sms_outsider", groups="base.group_user,sms_gateway.group_sms_user"
        )
        cls.lead = cls._create_lead("Roof", phone=CUSTOMER, user_id=False)
        cls.env.flush_all()

    @classmethod
    def _create_lead(cls, name, **values):
        return cls.env["crm.lead"].create(
            {"name": name, "type": "opportunity", "user_id": cls.salesman.id, **values}
        )

    def receive(self, body="Yes please", number=STRANGER, address=None):
        """A text from a customer, as the salesman sees it."""
        text = InboundText(
            number=number,
            address=address or self.sender.address,
            body=body,
            provider_ref=f"in-{self.env['sms.sms']._new_uuid()}",
        )
        message = self.env["sms.message"]._receive(self.gateway, [text])
        return message.with_user(self.salesman)

    def handle(self, messages):
        """The wizard that *Handle…* opens for texts."""
        return self.open_action(messages.action_handle())

    def open_action(self, action):
        return self.env[action["res_model"]].with_user(self.salesman).browse(action["res_id"])

    def find(self, wizard, search):
        """What the wizard shows after a search."""
        with Form(wizard) as form:
            form.search_text = search
        return [line._get_record() for line in wizard.line_ids]

    def notes(self, record):
        return "\n".join(record.message_ids.mapped("body"))


@tagged("post_install", "-at_install")
class TestHandle(InboxCase):
    """What people do with the texts of the inbox."""

    # === FINDING THE RECORD === #

    def test_a_row_says_what_it_is_and_what_it_may_belong_to(self):
        """R038, R039: text, numbers, reason and possible records."""
        text = self.receive("Hello?")
        self.assertEqual((text.inbox_state, text.inbox_reason), ("todo", "no_record"))
        self.assertEqual(text.sender_id, self.sender)
        self.assertTrue(text.age)
        self.assertFalse(text.possible_names)
        self._create_lead("Boat", phone=STRANGER)
        text.invalidate_recordset()
        self.assertEqual(text.possible_names, "Boat")

    def test_p12_a_long_inbox_asks_no_more_than_a_short_one(self):
        texts = self.env["sms.message"]
        for digit in range(6):
            number = f"+479988770{digit}"
            texts |= self.receive(number=number).with_user(self.salesman)
            self._create_lead(f"Boat {digit}", phone=number)
        self.env.flush_all()
        self.assertEqual(self.count_queries_of_names(texts[:2]), self.count_queries_of_names(texts))
        self.assertEqual(texts.mapped("possible_names"), [f"Boat {digit}" for digit in range(6)])

    def count_queries_of_names(self, texts):
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        texts.mapped("possible_names")
        return self.env.cr.sql_log_count - before

    def test_the_best_guess_is_first_and_says_why(self):
        """R040: those with the number are proposed, each with the reason."""
        text = self.receive()
        self.partner.phone = STRANGER
        self.lead.phone = STRANGER
        lines = self.handle(text).line_ids
        self.assertEqual([line._get_record() for line in lines], [self.partner, self.lead])
        self.assertIn("Contact before", lines[0].reason)
        self.assertIn("Less likely", lines[1].reason)
        self.assertEqual(lines.mapped("kind"), ["Contact", "Opportunity"])

    def test_search_finds_by_name_and_by_number(self):
        """R041: a part of the name, of the contact's name, or of the number."""
        wizard = self.handle(self.receive())
        self.lead.contact_name = "Kåre Olsen"
        self.assertIn(self.lead, self.find(wizard, "roo"))
        self.assertIn(self.lead, self.find(wizard, "kåre"))
        found = self.find(wizard, "91 23 45")
        self.assertIn(self.lead, found)
        self.assertIn(self.partner, found)
        self.assertFalse(self.find(wizard, "no such customer"))

    def test_a_record_the_user_may_not_read_is_not_found(self):
        other = self.env["res.company"].create({"name": "Other"})
        hidden = self._create_lead(
            "Hidden roof", phone=STRANGER, company_id=other.id, user_id=False, team_id=False
        )
        text = self.receive()
        wizard = self.handle(text)
        self.assertNotIn(hidden, self.find(wizard, "hidden"))
        self.assertFalse(self.handle(text).line_ids)

    # === SELECT === #

    def test_select_puts_the_text_on_the_record_and_opens_it(self):
        """R042, R043, R044, R045: linked, opened, in the chatter, out of the inbox."""
        text = self.receive("Is it ready?")
        wizard = self.handle(text)
        self.find(wizard, "Roof")
        action = wizard.line_ids[0].action_select()
        self.assertEqual((action["res_model"], action["res_id"]), ("crm.lead", self.lead.id))
        self.assertEqual(text._get_record(), self.lead)
        posted = self.lead.message_ids.filtered(lambda m: "Is it ready?" in m.body)
        self.assertEqual(posted.subtype_id, self.env.ref("sms_inbox.mt_sms_in"))
        self.assertEqual((text.inbox_state, text.handled_by_id), ("handled", self.salesman))
        self.assertTrue(text.handled_at)
        self.assertEqual(text.conversation_id.sudo().sms_res_id, self.lead.id)

    def test_select_and_next_goes_on_with_the_next_text(self):
        first, second, third = (self.receive(number=f"+479988776{n}") for n in range(3))
        wizard = self.handle(first)
        self.find(wizard, "Roof")
        following = self.open_action(wizard.line_ids[0].action_select_next())
        self.assertEqual(following.message_id, second)
        following = self.open_action(following.action_skip())
        self.assertEqual(following.message_id, third)
        following = self.open_action(following.action_not_for_us())
        self.assertEqual(following.message_id, second, "what was skipped comes again at the end")
        self.assertEqual(following.action_skip()["tag"], "display_notification")
        self.assertEqual(second.inbox_state, "todo", "skipping handles nothing")

    def test_selected_texts_of_one_customer_are_handled_together(self):
        texts = self.receive("One") | self.receive("Two") | self.receive(number="+4799887700")
        wizard = self.handle(texts)
        self.assertEqual(wizard.together_count, 2)
        self.find(wizard, "Roof")
        following = self.open_action(wizard.line_ids[0].action_select_next())
        self.assertEqual(following.message_id, texts[2])
        self.assertEqual(texts.mapped("inbox_state"), ["handled", "handled", "todo"])

    def test_a_text_already_on_a_record_leaves_it(self):
        """Its owner is away: whoever handles it may find that it belongs elsewhere."""
        text = self.receive("Where are you?", number=CUSTOMER)
        self.assertEqual(text._get_record(), self.partner)
        text.sudo()._set_inbox_todo("away")
        wizard = self.handle(text)
        wizard.line_ids.filtered(lambda line: line._get_record() == self.lead).action_select()
        self.assertEqual(text._get_record(), self.lead)
        self.assertIn("Where are you?", self.notes(self.lead))
        self.assertNotIn("Where are you?", self.notes(self.partner))

    def test_a_text_of_somebody_else_cannot_be_handled(self):
        """P11: neither by the wizard nor past it."""
        text = self.receive().with_user(self.outsider)
        for action in ("action_handle", "action_not_for_us", "action_opt_out", "action_move"):
            with self.assertRaises(AccessError):
                getattr(text, action)()
        self.assertEqual(text.sudo().inbox_state, "todo")

    # === NEXT OUTCOME === #

    def test_the_next_outcome_is_the_users_own_act(self):
        """R047: optional; without it the stage stays, whatever the text says."""
        before = self.lead.stage_id
        won = self.env["crm.stage"].search([("id", "!=", before.id)], limit=1)
        for stage in (before, won):
            wizard = self.handle(self.receive("YES"))
            wizard.stage_id = stage if stage == won else False
            self.find(wizard, "Roof")
            wizard.line_ids[0].action_select()
            self.assertEqual(self.lead.stage_id, stage)

    def test_a_contact_has_no_next_outcome(self):
        wizard = self.handle(self.receive())
        wizard.stage_id = self.env["crm.stage"].search([], limit=1)
        self.find(wizard, "Anna Hansen")
        line = wizard.line_ids.filtered(lambda line: line.res_model == "res.partner")[0]
        with self.assertRaises(UserError):
            line.action_select()

    # === QUESTIONS === #

    def ask(self, answers):
        """A question of the partner, late now; what its owner answers when it gets the reply."""
        self.taken = []

        def handle_reply(owner, prompt, message):
            self.taken.append(message.body)
            return answers

        partners = type(self.partner)
        self.startPatcher(patch.object(partners, "_handle_sms_reply", handle_reply, create=True))
        text = self.env["sms.sms"].create(
            {"number": STRANGER, "body": "Friday?", "sender_id": self.sender.id}
        )
        prompt = self.env["sms.prompt"]._ask(self.partner, text.message_id)
        prompt._set_late()
        return prompt

    def test_handling_by_hand_answers_no_question(self):
        """R046: neither Select nor Not for us reach the owner of the question."""
        prompt = self.ask(answers=True)
        wizard = self.handle(self.receive("YES"))
        self.assertEqual(wizard.prompt_id, prompt)
        self.find(wizard, "Roof")
        wizard.line_ids[0].action_select()
        self.handle(self.receive("YES")).action_not_for_us()
        self.assertEqual((self.taken, prompt.state), ([], "late"))

    def test_apply_as_answer_hands_it_to_the_owner(self):
        prompt = self.ask(answers=True)
        text = self.receive("YES")
        self.handle(text).action_apply_answer()
        self.assertEqual((self.taken, prompt.state), (["YES"], "answered"))
        self.assertEqual((text.inbox_state, text.handled_by_id), ("handled", self.salesman))

    def test_an_answer_the_owner_does_not_take_stays_in_the_inbox(self):
        self.ask(answers=False)
        text = self.receive("MAYBE")
        with self.assertRaises(UserError):
            self.handle(text).action_apply_answer()
        self.assertEqual(text.inbox_state, "todo")

    # === WITHOUT A RECORD === #

    def test_not_for_us_takes_it_out(self):
        """R045: who and when are kept."""
        text = self.receive()
        self.handle(text).action_not_for_us()
        self.assertEqual((text.inbox_state, text.handled_by_id), ("handled", self.salesman))
        self.assertFalse(text._get_record())

    def test_new_lead_holds_the_text_and_is_opened(self):
        text = self.receive("I want a roof")
        action = self.handle(text).action_create_lead()
        lead = text._get_record()
        self.assertEqual((action["res_model"], action["res_id"]), ("crm.lead", lead.id))
        self.assertEqual(lead.phone_sanitized, STRANGER)
        self.assertIn("I want a roof", self.notes(lead))
        self.assertEqual(text.inbox_state, "handled")

    def test_new_lead_for_several_makes_one_for_each_customer(self):
        texts = self.receive("One") | self.receive("Two") | self.receive(number="+4799887700")
        texts.action_create_lead()
        leads = [text._get_record() for text in texts]
        self.assertEqual(leads[0], leads[1])
        self.assertNotEqual(leads[0], leads[2])
        self.assertEqual(set(texts.mapped("inbox_state")), {"handled"})

    def test_old_wizards_are_forgotten(self):
        """No field of theirs stands in the way of the clean-up."""
        wizard = self.handle(self.receive())
        self.env.cr.execute("UPDATE sms_message_handle SET write_date = '2020-01-01'")
        wizard.invalidate_model()
        wizard.sudo()._transient_vacuum()
        self.assertFalse(wizard.exists())

    def test_opt_out_stops_texts_to_the_customer(self):
        text = self.receive("Leave me alone")
        self.handle(text).action_opt_out()
        entry = self.env["phone.blacklist"].search([("number", "=", STRANGER)])
        self.assertEqual(entry.sms_optout_text, "Leave me alone")
        self.assertEqual(text.inbox_state, "handled")

    def test_reply_opens_the_conversation_and_handles_nothing(self):
        text = self.receive()
        action = self.handle(text).action_reply()
        self.assertEqual(action["tag"], "sms_inbox.open")
        self.assertEqual(action["params"]["channel_id"], text.conversation_id.id)
        self.assertEqual(text.inbox_state, "todo")
