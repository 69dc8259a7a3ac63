from odoo import models


class MailThread(models.AbstractModel):
    _inherit = "mail.thread"

    def _message_sms_schedule_mass(self, body="", template=False, **composer_values):
        """Override of `sms`: what a program schedules (reminders of Odoo) is no bulk SMS."""
        automatic = self.with_context(sms_automatic=True)
        return super(MailThread, automatic)._message_sms_schedule_mass(
            body=body, template=template, **composer_values
        )

    def _notify_thread(self, message, msg_vals=False, **kwargs):
        """Override of `sms`: the notification says why a text was refused at the gate."""
        res = super()._notify_thread(message, msg_vals=msg_vals, **kwargs)
        if (msg_vals or {}).get("message_type", message.message_type) == "sms":
            self._complete_sms_notifications(message)
        return res

    def _complete_sms_notifications(self, message):
        texts = self.env["sms.message"].sudo().search([("mail_message_id", "=", message.id)])
        by_number = texts.grouped("number")
        for notification in message.sudo().notification_ids if texts else ():
            if text := by_number.get(notification.sms_number):
                notification.write(text[0]._prepare_notification_details())
