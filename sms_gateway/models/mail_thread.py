from odoo import models


class MailThread(models.AbstractModel):
    _inherit = "mail.thread"

    def _notify_thread(self, message, msg_vals=False, **kwargs):
        """Override of `sms`: a notification refused at the gate shows the reason in words."""
        res = super()._notify_thread(message, msg_vals=msg_vals, **kwargs)
        if (msg_vals or {}).get("message_type", message.message_type) == "sms":
            self._show_sms_refusals(message)
        return res

    def _show_sms_refusals(self, message):
        refused = (
            self.env["sms.message"]
            .sudo()
            .search([("mail_message_id", "=", message.id), ("failure_reason", "!=", False)])
        )
        reasons = {text.number: text.failure_reason for text in refused}
        notifications = message.sudo().notification_ids if refused else ()
        for notification in notifications:
            if notification.notification_type == "sms" and notification.sms_number in reasons:
                notification.failure_reason = reasons[notification.sms_number]
