from unittest.mock import patch

from odoo.tests import new_test_user, tagged

from .common import SmsGatewayCase


@tagged("post_install", "-at_install")
class TestNotification(SmsGatewayCase):
    def test_without_reports_the_state_ends_with_sent(self):
        """R146: a provider that gives no delivery status has none shown."""
        adapter = type(self.env["sms.gateway.adapter.none"])
        features = self.env["sms.gateway.adapter.none"]._get_features()
        with patch.object(adapter, "_get_features", lambda self: {**features, "status": False}):
            self.gateway.invalidate_recordset(["support_status"])
            silent = self.send_from_record().notification_ids
        self.gateway.invalidate_recordset(["support_status"])
        telling = self.send_from_record().notification_ids
        self.assertEqual((silent.sms_without_report, telling.sms_without_report), (True, False))

    def test_reminders_of_odoo_are_no_bulk(self):
        """R154: bulk SMS being off does not stop what Odoo's own programs schedule."""
        self.company.sms_bulk_enabled = False
        self.company.sms_default_sender_id = self.sender
        self.partner._message_sms_schedule_mass(body="Your meeting is at ten")
        text = self.env["sms.message"].search([("res_id", "=", self.partner.id)], limit=1)
        self.assertEqual(text.state, "queued")

    def test_a_text_under_way_cannot_be_deleted(self):
        """P2: what is being sent keeps its place in ledger and outbox."""
        text = self.create_text()
        self.env.flush_all()
        self.env.cr.execute("UPDATE sms_sms SET state = 'process' WHERE id = %s", [text.id])
        self.env.invalidate_all()
        with self.assertRaisesRegex(Exception, "being sent"):
            text.unlink()

    def test_an_administrator_may_delete_from_the_outbox(self):
        """Who may see Odoo's list of texts writes no ledger himself."""
        text = self.create_text()
        administrator = new_test_user(self.env, "sms_admin", groups="base.group_system")
        message = text.message_id
        text.with_user(administrator).unlink()
        self.assertEqual(message.state, "cancelled")

    def test_deleting_from_the_outbox_cancels(self):
        text = self.create_text()
        message = text.message_id
        text.unlink()
        self.assertEqual(message.state, "cancelled")

    def test_sending_again_writes_a_new_text_under_the_same_message(self):
        posted = self.send_from_record()
        failed = self.env["sms.message"].search([("mail_message_id", "=", posted.id)])
        failed._set_failed("sms_rejected", "no")
        self.assertEqual(posted.notification_ids.notification_status, "exception")
        failed.action_resend()
        texts = self.env["sms.message"].search([("mail_message_id", "=", posted.id)])
        self.assertEqual(sorted(texts.mapped("state")), ["failed", "queued"])
        self.assertEqual(posted.notification_ids.notification_status, "ready")
        with self.provider() as provider:
            self.run_lanes()
        self.assertEqual(len(provider.sent), 1)
        self.assertEqual(posted.notification_ids.notification_status, "pending")

    def test_r025_a_template_sent_by_a_program_is_strict_too(self):
        """R025: the empty field is named on the record, nothing leaves."""
        template = self.env["sms.template"].create(
            {
                "name": "Visit",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "body": "We come to {{ object.city }}",
            }
        )
        partner = self.partner.with_context(sms_sender_id=self.sender.id)
        message = partner._message_sms_with_template(template=template)
        self.assertEqual(message.notification_ids.failure_type, "sms_merge_field")
        self.assertIn("City", message.notification_ids.failure_reason)
        partner.city = "Bergen"
        message = partner._message_sms_with_template(template=template)
        self.assertEqual(message.notification_ids.notification_status, "ready")
