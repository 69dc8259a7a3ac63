from unittest.mock import patch

from odoo.tests import RecordCapturer, tagged
from odoo.tools.mail import email_normalize

from odoo.addons.sms_gateway.engine.contract import InboundText
from odoo.addons.sms_gateway.tests.common import CUSTOMER

from .common import SmsInboxCase

STRANGER = "+4799999999"


@tagged("post_install", "-at_install")
class TestRouting(SmsInboxCase):
    """A reply lands on the record the text left from."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.lead = cls.create_lead(user_id=cls.ola.id)

    def test_a_reply_lands_on_the_record_the_text_left_from(self):
        """R001: the reply to a text from the lead is on the lead, as a received SMS, once."""
        self.text_the_customer(self.lead)
        reply = self.receive("Yes, Friday is fine", ref="one")
        self.assertFalse(self.receive("Yes, Friday is fine", ref="one"), "a repetition is no reply")
        self.assertEqual(reply._get_record(), self.lead)
        posted = self.lead.message_ids.filtered(lambda m: "Friday is fine" in m.body)
        self.assertEqual(len(posted), 1)
        self.assertEqual(posted.message_type, "sms")
        self.assertEqual(posted.subtype_id, self.env.ref("sms_inbox.mt_sms_in"))
        self.assertFalse(reply.inbox_state)

    def test_the_latest_text_of_the_pair_decides(self):
        """R032: two records were texted by this sender; the later one gets the answer."""
        self.text_the_customer(self.partner)
        self.text_the_customer(self.lead)
        self.assertEqual(self.receive()._get_record(), self.lead)
        self.text_the_customer(self.partner)
        self.assertEqual(self.receive()._get_record(), self.partner)

    def test_a_record_that_was_texted_counts_though_its_number_has_changed(self):
        """R032: the answer comes from the telephone the text went to."""
        self.text_the_customer(self.lead)
        self.lead.phone = "+4792345678"
        self.assertEqual(self.receive()._get_record(), self.lead)

    def test_a_text_is_attached_to_the_record_with_the_number(self):
        """R117."""
        self.partner.phone = False
        reply = self.receive()
        self.assertEqual(reply._get_record(), self.lead)
        self.assertIn(reply.mail_message_id, self.lead.message_ids)
        self.assertEqual(reply.routing_rule, "only")

    def test_followers_outside_the_conversation_are_told(self):
        self.lead.message_subscribe(self.outsider.partner_id.ids)
        self.text_the_customer(self.lead)
        told = self.receive().mail_message_id.notification_ids.res_partner_id
        self.assertIn(self.outsider.partner_id, told)
        self.assertNotIn(self.ola.partner_id, told, "the conversation tells him")

    def test_a_customer_who_follows_gets_no_copy(self):
        """Neither by e-mail nor, worse, as a text to himself."""
        self.lead.partner_id = self.partner
        self.lead.message_subscribe(self.partner.ids)
        self.lead.message_subscribe(self.outsider.partner_id.ids)
        self.text_the_customer(self.lead)
        before = self.env["sms.sms"].search_count([])
        reply = self.receive()
        self.assertEqual(reply.mail_message_id.author_id, self.partner)
        self.assertEqual(self.env["sms.sms"].search_count([]), before)
        self.assertNotIn(self.partner, reply.mail_message_id.notification_ids.res_partner_id)

    def test_a_text_that_fits_nothing_waits_in_the_list(self):
        """R034: nothing is dropped. R036: no text of ours, no record: the inbox says so."""
        reply = self.receive(number=STRANGER)
        self.assertEqual((reply.inbox_state, reply.inbox_reason), ("todo", "no_record"))
        reply.with_user(self.env.ref("base.user_admin")).action_set_handled()
        self.assertEqual(
            (reply.inbox_state, reply.handled_by_id), ("handled", self.env.ref("base.user_admin"))
        )

    def test_a_record_of_another_company_is_not_found(self):
        other = self.env["res.company"].create({"name": "Other"})
        self.lead.write({"company_id": other.id, "team_id": False, "user_id": False})
        self.partner.phone = False
        self.assertEqual(self.receive().inbox_state, "todo")

    def test_the_record_of_a_deleted_lead_is_passed_over(self):
        self.text_the_customer(self.partner)
        self.text_the_customer(self.lead)
        self.lead.unlink()
        self.assertEqual(self.receive()._get_record(), self.partner)

    def test_a_stop_is_shown_on_the_record_but_is_nothing_to_handle(self):
        self.text_the_customer(self.lead)
        reply = self.receive("STOP")
        self.assertEqual(reply.keyword, "optout")
        self.assertEqual(reply._get_record(), self.lead)
        self.assertNotEqual(reply.conversation_id.sms_state, "waiting")
        nobody = self.receive("STOP", number=STRANGER)
        self.assertFalse(nobody.inbox_state)

    def test_a_stop_stands_before_its_confirmation(self):
        self.text_the_customer(self.lead)
        self.receive("Hello")
        stop = self.receive("STOP")
        shown = stop.conversation_id.message_ids.sorted("id")
        self.assertEqual(shown[-2], stop.conversation_message_id)
        self.assertEqual(shown[-1].sms_text_ids.origin, "system")

    def test_an_answer_without_an_address_can_be_told_by_mail(self):
        """A customer has no e-mail address: the mail to the followers has a valid sender still."""
        self.outsider.notification_type = "email"
        self.lead.message_subscribe(self.outsider.partner_id.ids)
        self.lead.contact_name = "Anna Åsen"
        self.text_the_customer(self.lead)
        reply = self.receive()
        sender = reply.mail_message_id.email_from
        self.assertIn(f"Anna Åsen ({CUSTOMER})", sender)
        self.assertTrue(email_normalize(sender))
        self.assertFalse(reply.mail_message_id.author_id, "it is not us who wrote it")
        self.assertIn(self.outsider.partner_id, reply.mail_message_id.notified_partner_ids)

    def test_the_worker_waits_for_no_mail_server(self):
        self.outsider.notification_type = "email"
        self.lead.message_subscribe(self.outsider.partner_id.ids)
        self.text_the_customer(self.lead)
        with (
            RecordCapturer(self.env["ir.cron.trigger"].sudo()) as triggers,
            patch.object(self.registry["mail.mail"], "send_after_commit") as send,
        ):
            reply = self.receive()
        send.assert_not_called()
        self.assertEqual(reply.mail_message_id.mail_ids.state, "outgoing")
        queue = self.env.ref("mail.ir_cron_mail_scheduler_action")
        self.assertIn(queue, triggers.records.cron_id)

    def test_what_one_company_erases_another_keeps(self):
        """P11: both have talked with the customer."""
        other = self.env["res.company"].create({"name": "Other"})
        values = {"inbound_enabled": True, "company_id": other.id}
        gateway = self._create_gateway(name="Other", company_id=other.id)
        theirs = self._create_sender(
            "Theirs", "dedicated", "59445099", gateway_id=gateway.id, **values
        )
        text = InboundText(CUSTOMER, theirs.address, "Yes", "ref-theirs")
        kept = self.env["sms.message"]._receive(gateway, [text])
        prompt = self.env["sms.prompt"]._ask(self.lead, kept)
        self.receive()._erase()
        self.assertTrue(kept.conversation_id)
        self.assertTrue(prompt.exists())

    def test_an_erased_answer_forgets_its_author(self):
        self.lead.contact_name = "Anna Åsen"
        self.text_the_customer(self.lead)
        reply = self.receive()
        conversation = reply.conversation_id
        reply._erase()
        sender = reply.mail_message_id.email_from
        self.assertNotIn(CUSTOMER, sender)
        self.assertNotIn("Anna", sender)
        self.assertTrue(email_normalize(sender))
        self.assertFalse(conversation.exists(), "its name and number are the customer's")

    def test_an_open_form_is_pinged(self):
        self.text_the_customer(self.lead)
        sent = []
        Bus = type(self.env["bus.bus"])
        self.patch(Bus, "_sendone", lambda bus, channel, *args: sent.append(str(channel)))
        self.receive()
        self.assertIn(f"sms_gateway.record/crm.lead/{self.lead.id}", sent)

    def test_switched_off_is_kept_but_not_routed(self):
        """R003: incoming texts are neither routed nor able to trigger anything."""
        self.text_the_customer(self.lead)
        self.company.sms_enabled = False
        reply = self.receive()
        self.assertEqual((reply.state, reply.failure_type), ("received", "sms_disabled"))
        self.assertFalse(reply.mail_message_id or reply.inbox_state)

    def test_receiving_is_a_switch_of_its_own_and_off_by_default(self):
        """R010: a sender that takes no answers sends all the same; what comes in waits, no more."""
        sender = self._create_sender("Info", "dedicated", "59445099", inbound_policy="record")
        self.assertFalse(sender.inbound_enabled)
        self.assertEqual(self.text_the_customer(self.lead, sender=sender).state, "sent")
        reply = self.receive(sender=sender)
        self.assertEqual((reply.inbox_state, reply.inbox_reason), ("todo", "one_way"))
        self.assertFalse(reply.conversation_id)
        stranger = self.receive(number=STRANGER, sender=sender)
        self.assertFalse(stranger.res_id, "no lead is made of it")

    def test_a_text_to_a_number_that_is_none_of_ours_waits(self):
        reply = self.receive(address="12345", number=STRANGER)
        self.assertEqual((reply.inbox_state, reply.inbox_reason), ("todo", "no_sender"))

    # === UNKNOWN NUMBERS === #

    def test_an_unknown_number_becomes_one_lead(self):
        """R125: one new lead with the number, to which the second text goes, too."""
        self.team_sender.inbound_policy = "record"
        first = self.receive("Hi", number=STRANGER, sender=self.team_sender)
        lead = first._get_record()
        self.assertEqual((lead._name, lead.phone_sanitized), ("crm.lead", STRANGER))
        self.assertEqual((lead.team_id, first.routing_rule), (self.team, "lead"))
        second = self.receive("Are you there?", number=STRANGER, sender=self.team_sender)
        self.assertEqual(second._get_record(), lead)
        elsewhere = self.receive("Hello?", number=STRANGER, sender=self.ola_sender)
        self.assertEqual(elsewhere._get_record(), lead, "also by another number of ours")
        self.assertFalse((first | second).mapped("inbox_state")[0])

    def test_six_first_texts_at_once_are_one_conversation_on_one_lead(self):
        """R125: they come in one call; order is kept (P4)."""
        self.team_sender.inbound_policy = "record"
        texts = [
            InboundText(STRANGER, self.team_sender.address, f"Text {n}", f"six-{n}")
            for n in range(6)
        ]
        received = self.env["sms.message"]._receive(self.gateway, texts)
        self.assertEqual(len(received), 6)
        self.assertEqual(len(received.conversation_id), 1)
        self.assertEqual(len({(m.res_model, m.res_id) for m in received}), 1)
        shown = received.conversation_id.message_ids.sorted("id").mapped("preview")
        self.assertEqual(shown, [f"Text {n}" for n in range(6)])

    def test_a_lead_of_a_personal_number_is_its_owners(self):
        """R151: the receiving number says whose it is."""
        self.ola_sender.inbound_policy = "record"
        lead = self.receive(number=STRANGER, sender=self.ola_sender)._get_record()
        self.assertEqual(lead.user_id, self.ola)

    # === WHY === #

    def test_why_here_names_the_rule_and_what_it_beat(self):
        lead = self.create_lead("Cabin", user_id=self.kari.id)
        reply = self.receive(sender=self.ola_sender)
        self.assertEqual((reply._get_record(), reply.routing_rule), (self.lead, "seller"))
        self.assertEqual(
            reply.candidate_ids.mapped(lambda c: (c.res_model, c.res_id, c.rank)),
            [
                ("crm.lead", self.lead.id, 1),
                ("res.partner", self.partner.id, 2),
                ("crm.lead", lead.id, 3),
            ],
        )
        why = reply.routing_why
        self.assertIn("seller of 59445001", why)
        self.assertIn("Passed over: Cabin (Owned by the seller of the number)", why)

    def test_the_inbox_names_what_a_text_may_belong_to(self):
        """R038: the records with the customer's number, as far as the reader may see them."""
        reply = self.receive(sender=self.text_sender)
        reply._set_inbox_todo("one_way")
        names = reply.with_user(self.env.ref("base.user_admin")).possible_names
        self.assertIn(self.lead.name, names)
        self.assertIn(self.partner.name, names)

    def test_merged_leads_keep_their_texts_and_conversation(self):
        other = self.create_lead("Roof again", user_id=self.ola.id)
        self.text_the_customer(other)
        reply = self.receive()
        self.assertEqual(reply._get_record(), other)
        merged = (self.lead | other).merge_opportunity()
        self.assertEqual(reply._get_record(), merged)
        self.assertEqual(reply.conversation_id._sms_get_record(), merged)
        self.assertEqual(self.receive("And?")._get_record(), merged)
