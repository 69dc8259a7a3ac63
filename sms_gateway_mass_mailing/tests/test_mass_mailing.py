from unittest.mock import patch

from odoo.tests import Form, tagged

from odoo.addons.sms_gateway.tests.common import CUSTOMER, SmsGatewayCase


@tagged("post_install", "-at_install")
class TestMassMailing(SmsGatewayCase):
    """Bulk: mailings and list views send with our senders, and never through IAP."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = cls.env["res.partner"].create({"name": "Bo", "phone": "+4790000001"})
        cls.partners = cls.partner | cls.other
        cls.startClassPatcher(
            patch(
                "odoo.addons.sms.tools.sms_api.SmsApi._contact_iap",
                side_effect=AssertionError("Odoo's SMS service was asked"),
            )
        )

    def send_mailing(self, **values):
        mailing = self.env["mailing.mailing"].create(
            {
                "subject": "Spring",
                "mailing_type": "sms",
                "mailing_model_id": self.env["ir.model"]._get_id("res.partner"),
                "mailing_domain": [("id", "in", self.partners.ids)],
                "body_plaintext": "New roofs",
                "sms_allow_unsubscribe": True,
                "sms_sender_id": self.sender.id,
                **values,
            }
        )
        mailing.action_send_sms()
        return mailing

    def get_traces(self, mailing):
        return mailing.mailing_trace_ids.sorted("sms_number")

    def test_a_mailing_leaves_with_our_sender(self):
        """R153: target groups get their texts through the gateway; the statistics follow."""
        mailing = self.send_mailing()
        texts = self.env["sms.message"].search([("origin", "=", "mailing")])
        self.assertEqual(set(texts.mapped("number")), {CUSTOMER, "+4790000001"})
        self.assertEqual(texts.sender_id, self.sender)
        with self.provider() as provider:
            self.run_lanes("bulk")
        self.assertEqual(set(provider.numbers), {CUSTOMER, "+4790000001"})
        self.assertTrue(all(body.startswith("New roofs") for body in provider.bodies))
        self.assertTrue(all("/sms/" in body for body in provider.bodies), "the way out is in it")
        self.assertEqual(set(self.get_traces(mailing).mapped("trace_status")), {"pending"})
        texts._set_delivered()
        self.assertEqual(set(self.get_traces(mailing).mapped("trace_status")), {"sent"})

    def test_a_list_view_leaves_with_our_sender(self):
        """R153: so do texts to records chosen in a list."""
        composer = self.env["sms.composer"].with_context(
            default_res_model="res.partner",
            default_res_ids=self.partners.ids,
            default_composition_mode="mass",
        )
        composer.create({"body": "Hello", "sender_id": self.sender.id}).action_send_sms()
        with self.provider() as provider:
            self.run_lanes("bulk")
        self.assertEqual(provider.bodies, ["Hello", "Hello"])

    def test_what_the_gate_refuses_shows_on_the_recipient(self):
        """R154: without bulk activated nothing leaves, and the mailing says why."""
        self.company.sms_bulk_enabled = False
        traces = self.get_traces(self.send_mailing())
        self.assertEqual(set(traces.mapped("trace_status")), {"error"})
        self.assertEqual(set(traces.mapped("failure_type")), {"sms_bulk_disabled"})

    def test_a_logged_mailing_has_one_tracker_for_each_text(self):
        """Kept in the chatter or not: the state has one source."""
        mailing = self.send_mailing(keep_archives=True)
        with self.provider():
            self.run_lanes("bulk")
        self.assertEqual(set(self.get_traces(mailing).mapped("trace_status")), {"pending"})

    def test_who_has_opted_out_gets_none(self):
        """P6: a mailing leaves him out, whatever its own exclusion list says."""
        self.env["phone.blacklist"]._add([CUSTOMER])
        self.send_mailing(use_exclusion_list=False)
        with self.provider() as provider:
            self.run_lanes("bulk")
        self.assertEqual(provider.numbers, ["+4790000001"])

    def test_the_form_offers_the_senders_one_may_use(self):
        """R012: the mailing's sender is one of those."""
        draft = self._create_sender("Draft", "dedicated", "59445099", state="draft")
        form = Form(
            self.env["mailing.mailing"].with_context(default_mailing_type="sms"),
            view="mass_mailing_sms.mailing_mailing_view_form_sms",
        )
        self.assertIn(self.sender, form.available_sms_sender_ids)
        self.assertNotIn(draft, form.available_sms_sender_ids)
