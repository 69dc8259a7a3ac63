from odoo.tests import new_test_user, tagged
from odoo.tools.mail import email_normalize

from odoo.addons.sms_gateway.engine.contract import InboundText
from odoo.addons.sms_gateway.tests.common import CUSTOMER, SmsGatewayCase


@tagged("post_install", "-at_install")
class TestRouting(SmsGatewayCase):
    """The first slice: the reply lands on the record the text left from."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["crm.lead"].search([("phone_sanitized", "=", CUSTOMER)]).phone = False
        cls.env["res.partner"].search([("phone_sanitized", "=", CUSTOMER)]).phone = False
        cls.partner.phone = CUSTOMER
        cls.owner = new_test_user(
            cls.env,
            "sms_owner",
            groups="base.group_user,sales_team.group_sale_salesman",
            notification_type="inbox",
        )
        cls.lead = cls.env["crm.lead"].create(
            {"name": "Roof", "type": "lead", "phone": CUSTOMER, "user_id": cls.owner.id}
        )
        cls.env.flush_all()

    def receive(self, body="Yes please", number=CUSTOMER, address=None, ref=None):
        text = InboundText(
            number=number,
            address=address or self.sender.address,
            body=body,
            provider_ref=ref or f"in-{self.env['sms.sms']._new_uuid()}",
        )
        return self.env["sms.message"]._receive(self.gateway, text)

    def text_the_customer(self, record):
        message = self.send_from_record("Shall we come on Friday?", record=record)
        with self.provider():
            self.run_lanes()
        return message

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

    def test_the_owner_is_told(self):
        self.text_the_customer(self.lead)
        reply = self.receive()
        told = reply.mail_message_id.notification_ids.res_partner_id
        self.assertIn(self.owner.partner_id, told)

    def test_a_customer_who_follows_gets_no_copy(self):
        """Neither by e-mail nor, worse, as a text to himself."""
        self.lead.partner_id = self.partner
        self.lead.message_subscribe(self.partner.ids)
        self.text_the_customer(self.lead)
        before = self.env["sms.sms"].search_count([])
        reply = self.receive()
        self.assertEqual(reply.mail_message_id.author_id, self.partner)
        self.assertEqual(self.env["sms.sms"].search_count([]), before)
        self.assertNotIn(self.partner, reply.mail_message_id.notification_ids.res_partner_id)

    def test_without_a_text_of_ours_the_newest_record_with_the_number(self):
        self.env.cr.execute(
            "UPDATE res_partner SET create_date = '2020-01-01' WHERE id = %s", [self.partner.id]
        )
        self.env.invalidate_all()
        self.assertEqual(self.receive()._get_record(), self.lead)

    def test_a_text_that_fits_nothing_waits_in_the_list(self):
        """R034: nothing is dropped."""
        reply = self.receive(number="+4799999999")
        self.assertEqual(reply.inbox_state, "todo")
        self.assertTrue(reply.inbox_reason)
        reply.with_user(self.env.ref("base.user_admin")).action_set_handled()
        self.assertEqual(
            (reply.inbox_state, reply.handled_by_id), ("handled", self.env.ref("base.user_admin"))
        )

    def test_a_record_of_another_company_is_not_found(self):
        other = self.env["res.company"].create({"name": "Other"})
        self.lead.write({"company_id": other.id, "team_id": False, "user_id": False})
        self.partner.phone = False
        reply = self.receive()
        self.assertEqual(reply.inbox_state, "todo")

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
        nobody = self.receive("STOP", number="+4799999999")
        self.assertFalse(nobody.inbox_state)

    def test_an_answer_without_an_address_can_be_told_by_mail(self):
        """A customer has no e-mail address: the mail to the followers has a valid sender still."""
        self.owner.notification_type = "email"
        self.lead.contact_name = "Anna Åsen"
        self.text_the_customer(self.lead)
        reply = self.receive()
        sender = reply.mail_message_id.email_from
        self.assertIn(f"Anna Åsen ({CUSTOMER})", sender)
        self.assertTrue(email_normalize(sender))
        self.assertFalse(reply.mail_message_id.author_id, "it is not us who wrote it")
        self.assertIn(self.owner.partner_id, reply.mail_message_id.notified_partner_ids)

    def test_an_erased_answer_forgets_its_author(self):
        self.lead.contact_name = "Anna Åsen"
        self.text_the_customer(self.lead)
        reply = self.receive()
        reply._erase()
        sender = reply.mail_message_id.email_from
        self.assertNotIn(CUSTOMER, sender)
        self.assertNotIn("Anna", sender)
        self.assertTrue(email_normalize(sender))

    def test_an_open_form_is_pinged(self):
        self.text_the_customer(self.lead)
        sent = []
        Bus = type(self.env["bus.bus"])
        self.patch(Bus, "_sendone", lambda bus, channel, *args: sent.append(channel))
        self.receive()
        self.assertIn(f"sms_gateway.record/crm.lead/{self.lead.id}", sent)

    def test_switched_off_is_kept_but_not_routed(self):
        """R003: incoming texts are neither routed nor able to trigger anything."""
        self.text_the_customer(self.lead)
        self.company.sms_enabled = False
        reply = self.receive()
        self.assertEqual((reply.state, reply.failure_type), ("received", "sms_disabled"))
        self.assertFalse(reply.mail_message_id or reply.inbox_state)
