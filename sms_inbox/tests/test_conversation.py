from datetime import timedelta
from unittest.mock import patch

from odoo.exceptions import AccessError, ConcurrencyError, UserError
from odoo.fields import Domain
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.mail.tools.discuss import Store
from odoo.addons.sms_gateway.tests.common import CUSTOMER

from .common import SmsInboxCase

STRANGER = "+4799999999"


@tagged("post_install", "-at_install")
class TestConversation(SmsInboxCase):
    """One conversation for each pair of numbers, in Odoo's own Discuss."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.lead = cls.create_lead(user_id=cls.ola.id, contact_name="Anna")

    def shown(self, conversation):
        return conversation.sudo().message_ids.sorted("id").mapped("preview")

    # === BEGINNING === #

    def test_a_reply_is_in_the_conversation_of_its_pair(self):
        """R111, R078: a reply on a record is in the conversation of that record."""
        self.text_the_customer(self.lead, sender=self.ola_sender)
        reply = self.receive("Yes", sender=self.ola_sender)
        conversation = reply.conversation_id
        self.assertEqual((conversation.sms_number, conversation.name), (CUSTOMER, "Anna"))
        self.assertEqual(conversation._sms_get_record(), self.lead)
        self.assertEqual(self.receive(sender=self.ola_sender).conversation_id, conversation)
        self.assertNotEqual(self.receive(sender=self.team_sender).conversation_id, conversation)

    def test_it_begins_with_what_was_written_before(self):
        """R141: the history of the pair, which is no news to anybody."""
        self.text_the_customer(self.lead, sender=self.ola_sender, body="Shall we come?")
        self.text_the_customer(self.lead, sender=self.team_sender, body="By another number")
        conversation = self.receive("Yes", sender=self.ola_sender).conversation_id
        self.assertEqual(self.shown(conversation), ["Shall we come?", "Yes"])
        member = conversation.channel_member_ids
        self.assertEqual(member.partner_id, self.ola.partner_id)
        self.assertEqual(member.message_unread_counter, 1)

    def test_what_is_sent_from_elsewhere_shows_and_takes_it_to_its_record(self):
        """R032: who texts from another lead gets the answer there; it is no unread message."""
        conversation = self.receive("Hi", sender=self.ola_sender).conversation_id
        member = conversation.channel_member_ids
        member._mark_as_read(conversation.message_ids[:1].id)
        other = self.create_lead("Cabin", user_id=self.ola.id)
        text = self.text_the_customer(other, sender=self.ola_sender, body="About the cabin")
        self.assertEqual(self.shown(conversation), ["Hi", "About the cabin"])
        self.assertEqual(text.conversation_id, conversation)
        self.assertEqual(conversation._sms_get_record(), other)
        self.assertEqual(conversation.sms_state, "answered")
        self.assertEqual(member.message_unread_counter, 0)
        self.assertEqual(self.receive(sender=self.ola_sender)._get_record(), other)

    def test_two_texts_at_once_are_no_news_either(self):
        conversation = self.receive("Hi", sender=self.ola_sender).conversation_id
        member = conversation.channel_member_ids
        member._mark_as_read(conversation.message_ids[:1].id)
        values = {"number": CUSTOMER, "sender_id": self.ola_sender.id}
        texts = self.env["sms.sms"].create([{**values, "body": body} for body in ("One", "Two")])
        self.assertEqual(self.shown(conversation), ["Hi", "One", "Two"])
        self.assertEqual(conversation.sms_last_message_id, texts.message_id[1])
        self.assertEqual(member.message_unread_counter, 0)

    def test_what_goes_by_the_clock_or_is_refused_answers_nobody(self):
        """P7: who waits for an answer is not lost because a reminder reaches him."""
        reply = self.receive("When do you come?", sender=self.ola_sender)
        conversation = reply.conversation_id
        since = conversation.sms_waiting_since
        values = {"number": CUSTOMER, "sender_id": self.ola_sender.id, "body": "Ten per cent off"}
        on_cabin = {"res_model": "crm.lead", "res_id": self.create_lead("Cabin").id}
        for way in (
            {"origin": "reminder"},
            {"state": "error", "failure_type": "sms_server", **on_cabin},
            {"state": "canceled", "failure_type": "sms_duplicate", **on_cabin},
        ):
            with self.subTest(**way):
                self.env["sms.sms"].create({**values, **way})
                self.assertEqual(self.shown(conversation)[-1], "Ten per cent off")
                self.assertEqual(conversation.sms_state, "waiting")
                self.assertEqual(conversation.sms_waiting_since, since)
                self.assertEqual(conversation._sms_get_record(), reply._get_record())

    def test_a_mailing_shows_when_it_leaves(self):
        """P12: it holds no conversation while it is written. The answer goes to its record (R032).

        What is held cannot be written in, and a mailing takes long to write.
        """
        reply = self.receive("When do you come?", sender=self.ola_sender)
        conversation = reply.conversation_id
        cabin = self.create_lead("Cabin")
        values = {"number": CUSTOMER, "sender_id": self.ola_sender.id, "lane": "bulk"}
        for origin in ("mailing", "campaign"):
            with self.subTest(origin):
                on_cabin = {"res_model": "crm.lead", "res_id": cabin.id, "body": origin}
                text = self.env["sms.sms"].create({**values, **on_cabin, "origin": origin})
                self.assertNotIn(origin, self.shown(conversation))
                with self.provider():
                    self.run_lanes()
                self.assertEqual(text.message_id.state, "sent")
                self.assertEqual(self.shown(conversation)[-1], origin)
                self.assertEqual(conversation.sms_state, "waiting")
        self.assertEqual(conversation._sms_get_record(), cabin)

    def test_what_cannot_be_shown_leaves_all_the_same(self):
        self.receive(sender=self.ola_sender)
        values = {"number": CUSTOMER, "sender_id": self.ola_sender.id, "body": "Ten per cent off"}
        text = self.env["sms.sms"].create({**values, "origin": "mailing", "lane": "bulk"})
        with (
            patch.object(self.registry["discuss.channel"], "_sms_mirror", side_effect=ValueError),
            mute_logger("odoo.addons.sms_gateway.models.sms_lane"),
            self.provider(),
        ):
            self.run_lanes()
        self.assertEqual(text.message_id.state, "sent")

    def test_texts_of_no_conversation_cost_the_ledger_nothing(self):
        """P12: of a mailing, nearly all."""
        self.open_conversation()
        values = {"sender_id": self.ola_sender.id, "body": "Hello"}
        texts = self.env["sms.sms"].create(
            [{**values, "number": number} for number in (CUSTOMER, "+4790000001")]
        )
        messages = texts.message_id
        self.assertEqual(messages.mapped(lambda m: bool(m.conversation_id)), [True, False])
        with patch.object(type(messages), "write") as write:
            messages[1]._find_conversations()
        write.assert_not_called()

    def test_opening_it_twice_is_one_conversation(self):
        conversation = self.open_conversation()
        self.assertEqual(self.open_conversation(), conversation)
        self.assertTrue(conversation.is_member)
        self.assertFalse(conversation.sudo().uuid, "no link lets strangers in")

    def test_opening_what_somebody_opens_at_this_moment_is_tried_again(self):
        """By Odoo, which handles the call once more; nobody sees an error."""
        conversation = self.open_conversation()
        Channel = self.registry["discuss.channel"]

        def join_twice(channel, users, **kwargs):
            member = {"channel_id": channel.id, "partner_id": users.partner_id.id}
            self.env["discuss.channel.member"].create([member, member])

        with mute_logger("odoo.sql_db"):
            with (
                patch.object(Channel, "_sms_get_pair_domain", lambda *args: Domain.FALSE),
                self.assertRaises(ConcurrencyError),
            ):
                self.open_conversation()
            with (
                patch.object(Channel, "_add_members", join_twice),
                self.assertRaises(ConcurrencyError),
            ):
                conversation.sudo()._sms_join(self.kari)

    def test_opening_from_an_opportunity_is_about_it_from_a_contact_not(self):
        conversation = self.open_conversation(record=self.lead)
        self.assertEqual(conversation._sms_get_record(), self.lead)
        self.open_conversation(record=self.partner)
        self.assertEqual(conversation._sms_get_record(), self.lead)
        other = self.create_lead("Cabin", user_id=self.ola.id)
        self.open_conversation(record=other)
        self.assertEqual(conversation._sms_get_record(), other)

    def test_a_record_without_a_number_says_what_to_do(self):
        self.lead.phone = False
        with self.assertRaisesRegex(UserError, "Roof has no telephone number. Enter one"):
            self.open_conversation(record=self.lead)
        self.lead.phone = "12"
        with self.assertRaisesRegex(UserError, "“12” of Roof .* country"):
            self.open_conversation(record=self.lead)

    def test_a_name_holds_no_conversation(self):
        with self.assertRaisesRegex(UserError, "cannot receive answers"):
            self.open_conversation(sender=self.text_sender)

    def test_the_number_written_with_last_is_chosen_else_ones_own(self):
        """R144: of several numbers of mine; own ones only."""
        self.assertEqual(self.open_conversation().sms_sender_id, self.ola_sender)
        team = self.open_conversation(user=self.kari).sms_sender_id
        self.assertEqual(team, self.team_sender, "she has none of her own")
        self.receive(sender=self.team_sender)
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE discuss_channel SET last_interest_dt = '2020-01-01' WHERE sms_sender_id = %s",
            [self.ola_sender.id],
        )
        self.env.invalidate_all()
        self.assertEqual(self.open_conversation().sms_sender_id, self.team_sender)
        with self.assertRaises(AccessError):
            self.open_conversation(user=self.kari, sender=self.ola_sender)

    def test_a_conversation_that_somebody_has_is_not_anybodys(self):
        """P11: though the number is nobody's, so that everybody may send with it."""
        conversation = self.open_conversation(user=self.ola, sender=self.sender)
        self.write_in(conversation)
        with self.assertRaisesRegex(UserError, "sms_ola is in conversation with"):
            self.open_conversation(user=self.outsider, sender=self.sender)
        conversation.sms_assign(False)
        joined = self.open_conversation(user=self.outsider, sender=self.sender)
        self.assertEqual(joined, conversation)

    def test_it_is_called_after_the_customer_not_after_the_record(self):
        self.lead.contact_name = False
        self.partner.phone = False
        conversation = self.receive(sender=self.ola_sender).conversation_id
        self.assertEqual(conversation.name, CUSTOMER)

    def test_it_keeps_its_customer_on_a_record_that_names_none(self):
        conversation = self.open_conversation(record=self.partner)
        conversation.sudo()._sms_set_record(self.create_lead("Cabin", phone=False))
        self.assertEqual(conversation.sms_partner_id, self.partner)
        self.assertEqual(conversation.name, self.partner.name)

    # === WRITING === #

    def test_what_is_typed_goes_out_and_stands_on_the_record(self):
        """R138: from the conversation to the provider, on the chat lane, in the chatter too."""
        conversation = self.open_conversation(record=self.lead)
        post = self.write_in(conversation, "<p>Shall we <b>come</b>?</p>")
        with self.provider() as provider:
            self.run_lanes("chat")
        self.assertEqual(provider.sent[0]["body"], "Shall we *come*?")
        self.assertEqual(provider.sent[0]["from"], self.ola_sender.address)
        text = post.sms_text_ids
        self.assertEqual((text.state, text.origin, text.user_id), ("sent", "chat", self.ola))
        self.assertEqual(text._get_record(), self.lead)
        self.assertIn(text.mail_message_id, self.lead.message_ids)
        self.assertEqual(self.shown(conversation), ["Shall we *come*?"], "once")

    def test_the_state_of_a_text_stands_under_it(self):
        """Queued, sent, delivered, failed with the reason; live for all in the conversation."""
        conversation = self.open_conversation(record=self.lead)
        post = self.write_in(conversation)
        self.assertEqual(post._sms_get_text_values()["notification_status"], "ready")
        seen = []
        Bus = type(self.env["bus.bus"])
        self.patch(Bus, "_sendone", lambda bus, *args: seen.append(str(args)))
        with self.provider() as provider:
            provider.answers[CUSTOMER] = {
                "outcome": "failed",
                "failure_type": "sms_rejected",
                "reason": "No such subscriber",
            }
            self.run_lanes("chat")
        values = post._sms_get_text_values()
        self.assertEqual(values["notification_status"], "exception")
        self.assertIn("No such subscriber", values["failure_reason"])
        self.assertTrue([event for event in seen if "No such subscriber" in event])

    def test_a_refused_text_is_not_shown_and_says_why(self):
        conversation = self.open_conversation(record=self.lead)
        self.env["phone.blacklist"].sudo()._add([CUSTOMER])
        with self.assertRaisesRegex(UserError, "has opted out"):
            self.write_in(conversation)
        self.assertFalse(self.shown(conversation))

    def test_a_text_carries_no_files(self):
        conversation = self.open_conversation(record=self.lead)
        with self.assertRaisesRegex(UserError, "carries no files"):
            self.write_in(conversation, attachments=[("a.txt", b"x")])

    def test_a_text_can_be_neither_edited_nor_deleted(self):
        conversation = self.open_conversation(record=self.lead)
        post = self.write_in(conversation)
        with self.assertRaises(UserError):
            conversation._message_update_content(post, body="Never said")

    def test_a_template_is_rendered_for_the_record_and_keeps_what_is_empty(self):
        """R139, R025: an empty field stays in braces for the user to see."""
        template = self.env["sms.template"].create(
            {
                "name": "Hello",
                "model_id": self.env["ir.model"]._get_id("crm.lead"),
                "body": "Hi {{ object.contact_name }} in {{ object.city }}",
            }
        )
        conversation = self.open_conversation(record=self.lead)
        self.assertIn({"id": template.id, "name": "Hello"}, conversation.sms_get_templates())
        self.assertEqual(
            conversation.sms_render_template(template.id), "Hi Anna in {{ object.city }}"
        )

    # === WHO === #

    def test_whoever_answers_first_has_it(self):
        conversation = self.receive(sender=self.team_sender, number=STRANGER).conversation_id
        self.assertFalse(conversation.sms_user_id)
        self.assertEqual(
            conversation.channel_member_ids.partner_id, (self.ola | self.kari).partner_id
        )
        self.write_in(conversation.with_user(self.kari))
        self.assertEqual(conversation.sms_user_id, self.kari)
        self.assertEqual(conversation.channel_member_ids.partner_id, self.kari.partner_id)

    def test_p11_who_has_left_the_team_sees_its_conversations_no_more(self):
        """Odoo archives a membership, as of who goes to another team."""
        reply = self.receive(number=STRANGER, sender=self.team_sender)
        shown = (reply.with_user(self.kari), reply.conversation_id.with_user(self.kari))
        reply.conversation_id.channel_member_ids.unlink()
        self.assertEqual({records.has_access("read") for records in shown}, {True})
        self.team.crm_team_member_ids.filtered(lambda m: m.user_id == self.kari).active = False
        self.env.invalidate_all()
        self.assertEqual({records.has_access("read") for records in shown}, {False})
        self.assertFalse(self.team_sender._may_be_used_by(self.kari))

    def test_only_those_with_the_right_receive(self):
        """R114: also who had it and lost it."""
        conversation = self.receive(sender=self.team_sender, number=STRANGER).conversation_id
        self.kari.group_ids -= self.env.ref("sms_gateway.group_sms_user")
        self.receive(sender=self.team_sender, number=STRANGER)
        self.assertEqual(conversation.channel_member_ids.partner_id, self.ola.partner_id)

    def test_an_owner_without_the_right_is_told_and_the_team_keeps_the_text(self):
        """R115, R116."""
        self.ola.group_ids -= self.env.ref("sms_gateway.group_sms_user")
        reply = self.receive(sender=self.team_sender)
        self.assertEqual(reply._get_record(), self.lead)
        self.assertEqual((reply.inbox_state, reply.inbox_reason), ("todo", "no_right"))
        self.assertEqual(reply.conversation_id.channel_member_ids.partner_id, self.kari.partner_id)
        notices = self.env["mail.notification"].search(
            [("res_partner_id", "=", self.ola.partner_id.id)]
        )
        told = notices.mail_message_id.filtered(lambda m: "Contact your administrator" in m.body)
        self.assertEqual(len(told), 1)
        self.receive(sender=self.team_sender)
        self.assertEqual(len(told), 1, "once a day")

    def test_an_owner_who_is_away_leaves_it_to_the_team(self):
        self.ola.out_of_office_from = self.env.cr.now() - timedelta(days=1)
        reply = self.receive(sender=self.team_sender)
        self.assertEqual((reply.inbox_state, reply.inbox_reason), ("todo", "away"))
        self.assertFalse(reply.conversation_id.sms_user_id)
        self.assertIn(self.kari.partner_id, reply.conversation_id.channel_member_ids.partner_id)

    def test_an_archived_owner_does_not_swallow_it(self):
        conversation = self.receive(sender=self.team_sender).conversation_id
        self.assertEqual(conversation.sms_user_id, self.ola)
        self.ola.active = False
        reply = self.receive(sender=self.team_sender)
        self.assertEqual((reply.inbox_state, reply.inbox_reason), ("todo", "away"))
        self.assertFalse(conversation.sms_user_id)

    def test_a_text_nobody_looks_after_is_in_the_inbox(self):
        """P7: it is on a record that has no owner, by a number that is nobody's."""
        self.lead.user_id = False
        reply = self.receive(sender=self.sender)
        self.assertEqual((reply.inbox_state, reply.inbox_reason), ("todo", "nobody"))

    def test_a_number_of_nobody_is_everybodys_until_somebody_answers(self):
        """P11: managers are told of it, every seller finds it, whoever answers has it."""
        conversation = self.receive(sender=self.sender, number=STRANGER).conversation_id
        text = conversation.sms_last_message_id
        manager = self.env.ref("base.user_admin")
        self.assertIn(manager.partner_id, conversation.channel_member_ids.partner_id)
        self.assertTrue(text.with_user(self.outsider).has_access("read"), "it is in the inbox")
        self.assertTrue(conversation.with_user(self.outsider).has_access("read"))
        self.write_in(conversation.with_user(self.kari))
        self.assertFalse(conversation.with_user(self.outsider).has_access("read"))

    def test_a_text_put_on_a_lead_is_its_owners(self):
        reply = self.receive(sender=self.sender, number=STRANGER)
        reply._link_to_record(self.lead)
        self.assertEqual(reply.conversation_id.sms_user_id, self.ola)

    def test_a_lead_made_by_hand_is_his_who_makes_it(self):
        reply = self.receive(sender=self.team_sender, number=STRANGER)
        lead = reply.with_user(self.kari).sudo()._create_lead()
        self.assertEqual(lead.user_id, self.kari)
        self.assertEqual(reply.conversation_id.sms_user_id, self.kari)

    def test_a_conversation_moved_to_a_contact_is_called_after_him(self):
        conversation = self.receive(sender=self.team_sender, number=STRANGER).conversation_id
        conversation._sms_set_record(self.partner)
        self.assertEqual(
            (conversation.name, conversation.sms_partner_id), (self.partner.name, self.partner)
        )

    def test_who_gets_the_lead_gets_its_conversation(self):
        conversation = self.receive(sender=self.team_sender).conversation_id
        self.assertEqual(conversation.sms_user_id, self.ola)
        self.lead.user_id = self.kari
        self.assertEqual(conversation.sms_user_id, self.kari)
        self.assertEqual(conversation.channel_member_ids.partner_id, self.kari.partner_id)

    def test_who_gets_many_leads_gets_their_conversations_at_once(self):
        """P12: what is asked for all together is asked once."""
        numbers = [f"+479000000{digit}" for digit in range(8)]
        leads = self.env["crm.lead"].union(
            *(self.create_lead(number, phone=number, user_id=self.ola.id) for number in numbers)
        )
        conversations = self.env["discuss.channel"].union(
            *(
                self.receive(number=number, sender=self.team_sender).conversation_id
                for number in numbers
            )
        )
        self.assertEqual(conversations.sms_user_id, self.ola)
        DiscussChannel = self.registry["discuss.channel"]
        with patch.object(
            DiscussChannel,
            "_sms_find_authors",
            autospec=True,
            side_effect=DiscussChannel._sms_find_authors,
        ) as find_authors:
            leads.user_id = self.kari
        find_authors.assert_called_once()
        self.assertEqual(conversations.sms_user_id, self.kari)
        self.assertEqual(conversations.channel_member_ids.partner_id, self.kari.partner_id)

    def test_done_until_the_customer_writes_again(self):
        conversation = self.receive(sender=self.ola_sender).conversation_id.with_user(self.ola)
        since = conversation.sms_waiting_since
        self.assertTrue(since)
        self.receive(sender=self.ola_sender)
        self.assertEqual(conversation.sms_waiting_since, since, "since the first")
        conversation.action_sms_done()
        self.assertEqual((conversation.sms_state, conversation.sms_waiting_since), ("done", False))
        self.receive(sender=self.ola_sender)
        self.assertEqual(conversation.sms_state, "waiting")

    def test_nobody_is_given_a_conversation_he_cannot_receive(self):
        conversation = self.receive(sender=self.ola_sender).conversation_id.with_user(self.ola)
        clerk = self.create_seller("sms_clerk", groups="base.group_user")
        with self.assertRaisesRegex(UserError, "cannot receive texts"):
            conversation.sms_assign(clerk.id)
        conversation.sms_assign(self.outsider.id)
        self.assertEqual(conversation.sms_user_id, self.outsider)

    # === BEING TOLD === #

    def receive_with_push(self):
        """A text for Ola's number; returns the recipients of pushes."""
        self.env["mail.push.device"].sudo().create(
            {
                "partner_id": self.ola.partner_id.id,
                "endpoint": "https://push.test/1",
                "keys": "{}",
                "expiration_time": False,
            }
        )
        Channel = self.registry["discuss.channel"]
        told = []
        with patch.object(
            Channel,
            "_notify_thread_by_web_push",
            lambda channel, message, recipients, **kwargs: told.extend(recipients),
        ):
            self.receive(sender=self.ola_sender)
        return [recipient["id"] for recipient in told]

    def test_members_get_a_push(self):
        self.assertEqual(self.receive_with_push(), self.ola.partner_id.ids)

    def test_notifying_in_the_app_is_a_switch(self):
        """R113: without it counters are all there is."""
        self.company.sms_notify_in_app = False
        self.lead.message_subscribe(self.outsider.partner_id.ids)
        self.assertFalse(self.receive_with_push())
        reply = self.receive(sender=self.ola_sender)
        self.assertFalse(reply.mail_message_id.notification_ids)
        values = Store().add(reply.conversation_id).get_result()["discuss.channel"][0]
        self.assertTrue(values["sms_quiet"])

    def test_a_member_learns_of_his_conversations_only(self):
        """P11: texts that are handled together are told apart on the bus."""
        sent = []
        Bus = type(self.env["bus.bus"])
        self.patch(Bus, "_sendone", lambda bus, target, *args: sent.append((target, args)))
        texts = self.receive("Secret of Ola", sender=self.ola_sender)
        texts |= self.receive("Secret of the team", sender=self.team_sender, number=STRANGER)
        sent.clear()
        self.env["discuss.channel"]._sms_broadcast_posts(texts)
        self.assertEqual(len(sent), 2)
        for target, args in sent:
            ours = "Ola" if target.sms_sender_id == self.ola_sender else "the team"
            theirs = "the team" if ours == "Ola" else "Ola"
            self.assertIn(f"Secret of {ours}", str(args))
            self.assertNotIn(f"Secret of {theirs}", str(args))

    # === IDLE === #

    def age(self, conversation, days):
        self.env.flush_all()
        for table in ("discuss_channel", "discuss_channel_member"):
            column = "id" if table == "discuss_channel" else "channel_id"
            self.env.cr.execute(
                f"UPDATE {table} SET last_interest_dt = now() at time zone 'utc' - "
                f"interval '{days} days' WHERE {column} = %s",
                [conversation.id],
            )
        self.env.invalidate_all()

    def test_idle_conversations_leave_the_sidebar_and_then_their_members(self):
        conversation = self.receive(sender=self.ola_sender).conversation_id
        member = conversation.channel_member_ids
        self.age(conversation, 3)
        self.env["discuss.channel.member"]._gc_idle_sms_members()
        self.assertTrue(member.is_pinned, "it waits for an answer")
        self.write_in(conversation.with_user(self.ola))
        member.with_user(self.ola)._mark_as_read(conversation.message_ids[:1].id)
        self.age(conversation, 3)
        self.env["discuss.channel.member"]._gc_idle_sms_members()
        self.assertFalse(member.is_pinned)
        self.age(conversation, 31)
        self.env["discuss.channel.member"]._gc_idle_sms_members()
        self.assertFalse(member.exists())
        self.assertTrue(conversation.with_user(self.ola).has_access("read"), "by rule")
        self.receive(sender=self.ola_sender)
        self.assertEqual(conversation.channel_member_ids.partner_id, self.ola.partner_id)

    def test_what_the_ledger_forgets_stands_in_no_conversation(self):
        reply = self.receive(sender=self.ola_sender)
        post = reply.conversation_message_id
        reply.unlink()
        self.assertFalse(post.exists())
