from odoo import models


class MailThread(models.AbstractModel):
    _inherit = "mail.thread"

    def _message_sms_schedule_mass(self, body="", template=False, **composer_values):
        """Override of `sms`: what a program schedules (reminders of Odoo) is no bulk SMS."""
        automatic = self.with_context(sms_automatic=True)
        return super(MailThread, automatic)._message_sms_schedule_mass(
            body=body, template=template, **composer_values
        )

    def _message_sms_with_template(
        self,
        template=False,
        template_xmlid=False,
        template_fallback="",
        partner_ids=False,
        **kwargs,
    ):
        """Override of `sms`: strict rendering of a text that leaves with a sender of ours."""
        strict = bool(self.env["sms.sms"]._gate_choose_sender(self._get_sms_company()))
        if not template and template_xmlid:
            template = self.env.ref(template_xmlid, raise_if_not_found=False)
        record = self.with_context(sms_strict_rendering=strict)
        return super(MailThread, record)._message_sms_with_template(
            template=template and template.with_context(sms_strict_rendering=strict),
            template_fallback=template_fallback,
            partner_ids=partner_ids,
            **kwargs,
        )

    def _message_sms(self, body, *args, **kwargs):
        """Override of `sms`: the text is rendered, what its sending sets off is no text."""
        lenient = self.with_context(sms_strict_rendering=False)
        return super(MailThread, lenient)._message_sms(body, *args, **kwargs)

    def _message_log_batch(self, bodies, *args, clone=False, **kwargs):
        """Override of `mail`: many notes that differ only in record and body are one statement.

        :param bool clone: the first note is created and all others are copies of its row, which
            takes a tenth of the time; what other addons do in ``create`` happens for the first
        """
        if not clone or len(self) < 2:
            return super()._message_log_batch(bodies, *args, **kwargs)
        first = super(MailThread, self[:1])._message_log_batch(bodies, *args, **kwargs)
        return first + first._clone_for(self[1:], bodies)

    def _get_sms_company(self):
        """The company a text from this record is sent for."""
        return self._mail_get_companies(default=self.env.company)[self.id]

    def _notify_thread(self, message, msg_vals=False, **kwargs):
        """Override of `sms`: the notification says why a text was refused at the gate."""
        res = super()._notify_thread(message, msg_vals=msg_vals, **kwargs)
        is_sms = (msg_vals or {}).get("message_type", message.message_type) == "sms"
        if is_sms and self.env["sms.sender"]._is_any_in_use():
            self._complete_sms_notifications(message)
        return res

    def _complete_sms_notifications(self, message):
        texts = self.env["sms.message"].sudo().search([("mail_message_id", "=", message.id)])
        by_number = texts.grouped("number")
        for notification in message.sudo().notification_ids if texts else ():
            if text := by_number.get(notification.sms_number):
                notification.write(text[0]._prepare_notification_details())
