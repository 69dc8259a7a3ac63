from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import split_every

#: Recipients handled at a time in a mass send, so that memory stays flat.
CHUNK = 1000


class SmsComposer(models.TransientModel):
    _inherit = "sms.composer"

    sender_id = fields.Many2one(
        "sms.sender",
        "From",
        compute="_compute_sender_id",
        store=True,
        readonly=False,
        precompute=True,
        domain="[('id', 'in', available_sender_ids)]",
    )
    available_sender_ids = fields.Many2many("sms.sender", compute="_compute_available_sender_ids")
    has_sender_rules = fields.Boolean(compute="_compute_has_sender_rules")
    sender_by_number = fields.Boolean(
        "Other senders by country",
        compute="_compute_sender_by_number",
        store=True,
        readonly=False,
        precompute=True,
        help="Where a sender rule has a sender for how a number begins, such as +46, that number "
        "gets the text from it. All others get it from the sender above.",
    )
    sms_recipient_count = fields.Integer(
        "Recipients", compute="_compute_sms_recipient_count", compute_sudo=False
    )
    can_be_answered = fields.Boolean(related="sender_id.can_receive")
    has_unfilled_fields = fields.Boolean(compute="_compute_has_unfilled_fields")

    # === COMPUTE METHODS === #

    @api.depends("res_model")
    def _compute_sender_id(self):
        for composer in self:
            composer.sender_id = composer.sender_id or self.env["sms.sender"]._get_default_sender(
                self.env.user, self.env.company, composer._get_single_number()
            )

    @api.depends_context("company")
    def _compute_has_sender_rules(self):
        self.has_sender_rules = bool(self.env["sms.sender.rule"]._get_rules(self.env.company.id))

    @api.depends("sender_id", "composition_mode", "res_ids")
    def _compute_sender_by_number(self):
        """Of texts to many for which nobody has chosen a sender, nor has one of his own."""
        for composer in self:
            composer.sender_by_number = (
                composer.has_sender_rules
                and not composer.comment_single_recipient
                and composer.sender_id == self.env.company.sudo().sms_default_sender_id
                and not self.env["sms.sender"]._get_own_sender(self.env.user, self.env.company)
            )

    def _get_single_number(self):
        """The number of a text to one, E.164; its country may have a sender of its own."""
        if not self.comment_single_recipient:
            return None
        record = self.env[self.res_model].browse(self.res_id)
        return record._phone_format(number=self.recipient_single_number_itf or "")

    @api.depends_context("uid", "company")
    def _compute_available_sender_ids(self):
        Sender = self.env["sms.sender"]
        self.available_sender_ids = Sender.search(
            Sender._get_usable_domain(self.env.user, self.env.company)
        )

    @api.depends("composition_mode", "recipient_valid_count", "sanitized_numbers")
    def _compute_sms_recipient_count(self):
        for composer in self:
            numbers = (composer.sanitized_numbers or "").split(",")
            composer.sms_recipient_count = max(
                composer.recipient_valid_count,
                composer.comment_single_recipient,
                len(list(filter(None, numbers))),
            )

    @api.depends("body", "composition_mode")
    def _compute_has_unfilled_fields(self):
        for composer in self:
            composer.has_unfilled_fields = composer.comment_single_recipient and "{{" in (
                composer.body or ""
            )

    def _compute_body(self):
        """Override of `sms`: an empty merge field stays visible in the text (R025)."""
        strict = self.with_context(sms_strict_rendering=True)
        return super(SmsComposer, strict)._compute_body()

    # === ACTION METHODS === #

    def action_send_sms(self):
        """Override of `sms`: who presses *Send* gets every refusal as an error, at once.

        In an automatic send (a server action) nothing is raised: a text that cannot be sent
        stands as failed on the record.
        """
        if self.env.context.get("sms_automatic"):
            self._action_send_sms()
            return False
        self._check_may_send()
        personal = self.composition_mode != "mass"
        composer = self.with_context(sms_raise_refusal=personal)
        return super(SmsComposer, composer).action_send_sms()

    def _check_may_send(self):
        """Tell of the company's switches before anything is prepared."""
        sender = self.sender_id.sudo()
        company = sender.company_id or self.env.company
        Text = self.env["sms.sms"]
        refusal = Text._gate_check_switch(company) or (
            self._sends_with_ours() and Text._gate_check_bulk({"lane": self._get_lane()}, company)
        )
        if refusal:
            raise UserError(refusal[1])

    def _action_send_sms(self):
        """Override of `sms`: the gate learns the sender, lane and origin chosen here."""
        composer = self.with_context(
            sms_sender_id=self.sender_id.id,
            sms_sender_by_number=self.sender_by_number,
            sms_lane=self._get_lane(),
            sms_origin=self._get_origin(),
            sms_use_exclusion_list=self.use_exclusion_list,
        )
        return super(SmsComposer, composer)._action_send_sms()

    def _get_lane(self):
        """What a person sends to one goes first, what he sends to many goes last."""
        if self.env.context.get("sms_automatic"):
            return "bulk" if self.env.context.get("sms_to_many") else "normal"
        return "bulk" if self.composition_mode == "mass" or self.res_ids_count > 1 else "chat"

    def _get_origin(self):
        """Override where texts of the composer come from elsewhere, e.g. from a mailing."""
        return "composer"

    # === MASS MODE === #

    def _action_send_sms_mass(self, records=None):
        """Override of `sms`: in chunks, so that memory does not grow with the recipients."""
        records = records if records is not None else self._get_records()
        composer = self.with_context(sms_seen_numbers=set())
        texts = self.env["sms.sms"]
        ids = []
        for chunk in split_every(CHUNK, records.ids):
            texts = super(SmsComposer, composer)._action_send_sms_mass(records.browse(chunk))
            ids += texts.ids
            self.env.flush_all()
            self.env.invalidate_all(flush=False)
        return texts.browse(ids)

    def _prepare_recipient_values(self, records):
        """Override of `sms`: a number kept in international form is not parsed again."""
        stored = self._filter_by_stored_number(records)
        info = super()._prepare_recipient_values(records - stored)
        partners = stored._mail_get_partners()
        (field,) = records._phone_get_number_fields() if stored else (False,)
        for record in stored:
            info[record.id] = {
                "partner": partners[record.id][:1],
                "sanitized": record.phone_sanitized,
                "number": record[field],
                "partner_store": False,
                "field_store": field,
            }
        return info

    def _filter_by_stored_number(self, records):
        """Those of the records whose one telephone number they keep in E.164."""
        fields_of_numbers = records._phone_get_number_fields()
        if (
            len(fields_of_numbers) != 1
            or self.number_field_name not in (False, *fields_of_numbers)
            or not isinstance(records, self.pool["mail.thread.phone"])
        ):
            return records.browse()
        return records.filtered(
            lambda record: record.phone_sanitized and record[fields_of_numbers[0]]
        )

    def _prepare_body_values(self, records):
        """Override of `sms`: what cannot be filled stays visible, and the gate refuses it."""
        strict = self.with_context(sms_strict_rendering=self._sends_with_ours())
        try:
            return super(SmsComposer, strict)._prepare_body_values(records)
        except AccessError:
            if not self.comment_single_recipient:
                raise
            # Braces that a template left in the text: the user may not have them evaluated again.
            return dict.fromkeys(records.ids, self.body)

    def _prepare_mass_sms_values(self, records):
        """Override of `sms`: the record of each text, for the ledger."""
        result = super()._prepare_mass_sms_values(records)
        for res_id, vals in result.items():
            sender = self._choose_sender(vals["number"])
            vals.update(sender_id=sender.id, res_model=records._name, res_id=res_id)
        return result

    def _choose_sender(self, number):
        """The sender of a text to one of many.

        :param str number: E.164, or False
        """
        rules = self.env["sms.sender.rule"]
        by_number = self.sender_by_number and rules._get_sender(self._get_rules_company(), number)
        return by_number or self.sender_id

    def _get_rules_company(self):
        """Whose sender rules count; override where it is not the company of who sends."""
        return self.env.company

    def _sends_with_ours(self):
        """Whether any of the texts may leave with a sender of ours."""
        return bool(self.sender_id) or self.sender_by_number

    def _prepare_mass_sms(self, records, sms_record_values):
        """Override of `sms`: a logged text gets its notification, so that its state shows."""
        texts = super()._prepare_mass_sms(records, sms_record_values)
        unseen = (
            self._log_refused(records, texts)
            if self.env.context.get("sms_automatic")
            else texts[:0]
        )
        (texts.filtered("sender_id") | unseen)._create_notifications()
        return texts

    def _prepare_mass_log_values(self, records, sms_records_values):
        """Override of `sms`: the notes of a mass send differ only in record and text."""
        values = super()._prepare_mass_log_values(records, sms_records_values)
        return {**values, "clone": True} if self._sends_with_ours() else values

    def _log_refused(self, records, texts):
        """Note on the records what could not be sent, where nobody is there to see an error (P10).

        :return: the texts noted
        """
        unseen = {
            record.id: text
            for record, text in zip(records, texts, strict=True)
            if text.state in ("error", "canceled") and not text.mail_message_id
        }
        if not unseen or not isinstance(records, self.pool["mail.thread"]):
            return texts.browse()
        records = records.browse(unseen)
        bodies = {res_id: {"body": text.body or ""} for res_id, text in unseen.items()}
        logs = records._message_log_batch(**self._prepare_mass_log_values(records, bodies))
        for text, message in zip(unseen.values(), logs, strict=True):
            text.mail_message_id = text.message_id.mail_message_id = message
        return texts.concat(*unseen.values())

    def _get_blacklist_record_ids(self, records, recipients_info):
        """Override of `sms`: ask for these numbers instead of reading the whole list."""
        if not self.use_exclusion_list:
            return set()
        numbers = {recipients_info[record.id]["sanitized"] for record in records}
        blacklisted = self.env["sms.sms"]._gate_get_blacklisted(numbers)
        return {r.id for r in records if recipients_info[r.id]["sanitized"] in blacklisted}

    def _get_done_record_ids(self, records, recipients_info):
        """Override of `sms`: a number gets the text once, over all chunks."""
        done = super()._get_done_record_ids(records.browse(), recipients_info)
        seen = self.env.context.get("sms_seen_numbers")
        seen = set() if seen is None else seen
        for record in records:
            number = recipients_info[record.id]["sanitized"]
            if number in seen:
                done.append(record.id)
            seen.add(number)
        return done
