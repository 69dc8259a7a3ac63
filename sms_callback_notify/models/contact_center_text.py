import logging

from odoo import api, models
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

_logger = logging.getLogger(__name__)


class ContactCenterText(models.AbstractModel):
    """For calls and callbacks: texts of their service to their number."""

    _name = "contact.center.text"
    _description = "Contact Center Text"

    @api.model
    def mail_allowed_qweb_expressions(self):
        """Override to let people who write no programs use what the texts are about."""
        return (
            *super().mail_allowed_qweb_expressions(),
            "object.display_name",
            "object.position",
            "object.number",
            "object.service_id.name",
            "object.company_id.name",
            "object.company_id.website",
        )

    def _render_text(self, field):
        """A text of the service, filled with this record, in the customer's language.

        :param str field: of the service
        """
        lang = self._get_text_lang()
        template = self.service_id.with_context(lang=lang)[field] or ""
        renderer = (
            self.env["mail.render.mixin"].sudo().with_context(sms_strict_rendering=True, lang=lang)
        )
        return renderer._render_template(template, self._name, self.ids)[self.id]

    def _get_text_lang(self):
        """Code of the first of the customer's languages that is active, else the company's."""
        known = self.env["res.lang"]
        spoken = (code for code in self._get_langs() if code and known._lang_get(code))
        return next(spoken, self.service_id.company_id.partner_id.lang)

    def _try_to_send(self, field, sender):
        """Send a text of the service; whatever happens, the event that caused it stands (P10).

        It stands in the chatter of the contact, where there is one.

        :param str field: of the service
        :return: (``sms.message`` or None, why it does not go or None)
        """
        message, why_not = self._try(
            lambda: self._send_text(self._render_text(field), sender), field
        )
        if why_not:
            return None, why_not
        if message.state == "queued":
            return message, None
        return message, message.failure_reason or dict(
            message._fields["failure_type"]._description_selection(self.env)
        ).get(message.failure_type)

    def _try(self, work, field):
        """Do what may fail, e.g. because of what stands in a text.

        :return: (what it returns or None, why it failed or None)
        """
        try:
            with self.env.cr.savepoint():
                return work(), None
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            raise
        except Exception as error:
            _logger.warning("%s of %s fails", field, self, exc_info=True)
            return None, str(error) or type(error).__name__

    def _send_text(self, body, sender):
        holder = self.partner_id.sudo() or self.sudo()
        recipient = {"number": self.number, "partner_id": self.partner_id.id, "body": body}
        text = self.env["sms.sms"]._send_from_records(
            holder,
            {holder.id: recipient},
            sender_id=sender.id,
            origin="callback",
            lane="normal",
        )
        return text.message_id
