from odoo import models


class MailThread(models.AbstractModel):
    _inherit = "mail.thread"

    def _notify_thread_by_sms(self, message, recipients_data, msg_vals=False, **kwargs):
        """Override of `sms`: a notification refused at the gate shows the reason in words."""
        res = super()._notify_thread_by_sms(message, recipients_data, msg_vals=msg_vals, **kwargs)
        refused = self.env["sms.message"].sudo().search(
            [
                ("mail_message_id", "=", message.id),
                ("state", "in", ("failed", "cancelled")),
                ("failure_reason", "!=", False),
            ]
        ) if kwargs.get("sms_numbers") or recipients_data else ()
        for text in refused:
            message.sudo().notification_ids.filtered(
                lambda n: n.notification_type == "sms" and n.sms_number == text.number
            ).failure_reason = text.failure_reason
        return res
