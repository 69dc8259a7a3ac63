import logging
from collections import defaultdict

from odoo import models
from odoo.fields import Domain
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from odoo.addons.mail.models.mail_render_mixin import format_datetime
from odoo.addons.sms_gateway.engine.quiet_hours import zone_of_number

_logger = logging.getLogger(__name__)


class SmsToolSending(models.AbstractModel):
    """What a tool does on records; a part of ``sms.tool``.

    Why a record gets no text is a *refusal*, as those of the gate: failure type and words.
    """

    _name = "sms.tool.sending"
    _description = "SMS Tool Sending"

    # === AUTOMATIONS === #

    def _run_automatically(self, records):
        """Text the contacts of records of the tool's model that match; nothing is raised (P10).

        What cannot be sent is noted on the record.
        """
        if not self.active or records._name != self.model:
            return
        try:
            with self.env.cr.savepoint():
                fit = self._filter(records, "run_domain")
                self._note(fit, self._send(fit, "normal"))
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            raise
        except Exception as error:
            _logger.warning("SMS tool %s failed on %s", self.name, records, exc_info=True)
            refusal = (
                "unknown",
                self.env._("SMS tool %(tool)s: %(why)s", tool=self.name, why=error),
            )
            self._note(records.exists(), dict.fromkeys(records.ids, refusal))

    def _note(self, records, refusals):
        """Say on the records why they got no text; where there is no chatter, in the ledger."""
        refused = records.filtered(lambda record: record.id in refusals).sudo()
        if isinstance(refused, self.pool["mail.thread"]):
            notes = {
                record.id: self.env._(
                    "SMS tool %(tool)s sent nothing. %(why)s",
                    tool=self.name,
                    why=refusals[record.id][1],
                )
                for record in refused
            }
            refused._message_log_batch(notes)
        else:
            self._record_in_ledger(refused, refusals)

    def _record_in_ledger(self, records, refusals):
        for record in records:
            failure_type, words = refusals[record.id]
            _logger.info("SMS tool %s sent nothing: %s", self.name, words)
            text = (
                self.env["sms.sms"]
                .sudo()
                .create(
                    {
                        "sender_id": self._get_sender(record).id,
                        "res_model": record._name,
                        "res_id": record.id,
                        "origin": "tool",
                        "state": "error",
                        "failure_type": failure_type,
                    }
                )
            )
            text.message_id.failure_reason = words

    # === SENDING === #

    def _send(self, records, lane, user=None):
        """Send each record's contact the text.

        :param user: ``res.users`` who pressed the button and must have the sender's use; None for
            automations
        :return: refusals of the texts that were not sent and do not stand as failed on the record
            either; of a person's press all refusals
        """
        texts, refusals = self._prepare_texts(records, user)
        ready = records.filtered(lambda record: record.id in texts)
        if not ready:
            return refusals
        sent = self.env["sms.sms"]._send_from_records(ready, texts, lane=lane, origin="tool")
        if user:
            for text in sent.filtered(lambda text: text.state in ("error", "canceled")):
                failure = text.message_id.failure_reason or text.failure_type
                refusals[text.res_id] = (text.failure_type, failure)
        return refusals

    def _prepare_texts(self, records, user):
        """Values of the texts by record id, and the refusals of the records that get none."""
        texts, refusals = {}, {}
        for record in records.sudo():
            refusal = self._refuse_sender(record, user) or self._refuse_contact(record)
            if refusal:
                refusals[record.id] = refusal
                continue
            contact = self._get_contacts(record)
            texts[record.id] = {
                "sender_id": self._get_sender(record).id,
                "number": self._get_number(record, contact),
                "partner_id": contact.id,
            }
        for id_, body in self._render_texts(records.browse(texts), texts).items():
            texts[id_]["body"] = body
        return texts, refusals

    def _render_texts(self, records, texts):
        """The text for each record, in the contact's language and by the contact's clock.

        What cannot be filled stays in braces, and the gate refuses it by name (R025).
        """
        alike = defaultdict(list)
        for record in records.sudo():
            company = self._get_company(record).partner_id
            lang = self._get_contacts(record).lang or company.lang or self.env.lang
            zone = zone_of_number(texts[record.id]["number"]) or company.tz or "UTC"
            alike[lang, zone].append(record.id)
        bodies = {}
        for (lang, zone), ids in alike.items():
            tool = self.sudo().with_context(lang=lang, sms_strict_rendering=True)
            bodies |= tool._render_field("body", ids, add_context=tool._get_clock(zone))
        return bodies

    def _get_clock(self, zone):
        """Formatting of moments for the renderer, in a time zone unless another is named."""

        def format_moment(moment, tz=False, dt_format=False, lang_code=False):
            return format_datetime(self.env, moment, tz or zone, dt_format, lang_code)

        return {"format_datetime": format_moment}

    # === REFUSALS === #

    def _refuse_sender(self, record, user):
        """Why there is no sender to text this record's contact with, or None."""
        sender = self._get_sender(record)
        if not sender:
            return "sms_sender", self.env._(
                "There is no sender to text with. Choose one in the SMS tool %(tool)s, or a "
                "default sender of %(company)s in the settings.",
                tool=self.name,
                company=self._get_company(record).name,
            )
        if user and not self._may_use_sender(sender):
            return "sms_sender", self.env._(
                "You may not send with %s. Ask an administrator.", sender.display_name
            )
        return None

    def _refuse_contact(self, record):
        """Why the record's contact cannot be texted, or None: which field, and what to do."""
        contact = self._get_contacts(record)
        if not contact:
            return "sms_number_missing", self.env._(
                "“%s” is empty. Choose who gets the text.", self._get_path_label()
            )
        number = contact[self._get_phone_field()]
        if not number:
            return "sms_number_missing", self.env._(
                "“%(field)s” of %(contact)s is empty. Enter a number.",
                field=contact._fields[self._get_phone_field()]._description_string(self.env),
                contact=contact.display_name,
            )
        if not self._get_number(record, contact):
            return "sms_number_format", self.env._(
                "“%(number)s” of %(contact)s is not a number in international form. Write it with "
                "a plus sign and the country code, or set the country of the contact.",
                number=number,
                contact=contact.display_name,
            )
        return None

    def _refuse_unfit(self):
        """The refusal of a record that does not match the tool's conditions."""
        return "sms_not_allowed", self.env._(
            "The conditions of the SMS tool %s are not met.", self.name
        )

    # === HELPERS === #

    def _filter(self, records, fname):
        """Those of the records that match a condition and are not another company's."""
        owners = records.sudo()._mail_get_companies()
        ours = records.filtered(
            lambda record: not self.company_id
            or not owners[record.id]
            or owners[record.id] == self.company_id
        )
        every = self.env[self.model].sudo().with_context(active_test=False)
        found = set(every.search(Domain("id", "in", ours.ids) & self._get_domain(fname)).ids)
        return ours.filtered(lambda record: record.id in found)

    def _may_use_sender(self, sender):
        return not sender or sender._may_be_used_by(self.env.user)

    def _get_contacts(self, records):
        """Who gets the texts.

        :return: ``res.partner``, with the rights of nobody
        """
        return records.sudo().mapped(self.contact_path or "")

    def _get_phone_field(self):
        return self.sudo().phone_field_id.name or "phone"

    def _get_number(self, record, contact):
        """The contact's number.

        :return: E.164, or False
        """
        country = contact.country_id or self._get_company(record).country_id
        return contact._phone_format(number=contact[self._get_phone_field()], country=country)

    def _get_company(self, record):
        """The company the record's text is sent for, with the rights of nobody."""
        default = self.sudo().company_id or self.env.company.sudo()
        return record.sudo()._mail_get_companies(default=default)[record.id]

    def _get_sender(self, record):
        """The sender of a record's text: the tool's, else that of the country or the company.

        :return: ``sms.sender``, with the rights of nobody
        """
        if sender := self.sudo().sender_id:
            return sender
        contact = self._get_contacts(record)
        number = self._get_number(record, contact) if len(contact) == 1 else None
        return self.env["sms.sender"].sudo()._get_company_sender(self._get_company(record), number)
