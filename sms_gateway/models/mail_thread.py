from odoo import models


class MailThread(models.AbstractModel):
    _inherit = "mail.thread"

    def _notify_thread_by_sms(self, message, recipients_data, msg_vals=False, **kwargs):
        """Override of `sms`: a notification refused at the gate shows the reason in words."""
        res = super()._notify_thread_by_sms(message, recipients_data, msg_vals=msg_vals, **kwargs)
        if (msg_vals or {}).get("message_type", message.message_type) == "sms":
            self._show_sms_refusals(message)
        return res

    def _show_sms_refusals(self, message):
        refused = self.env["sms.message"].sudo().search(
            [("mail_message_id", "=", message.id), ("failure_reason", "!=", False)]
        )
        for text in refused:
            message.sudo().notification_ids.filtered(
                lambda n: n.notification_type == "sms" and n.sms_number == text.number
            ).failure_reason = text.failure_reason
