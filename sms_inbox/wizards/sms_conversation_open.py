from odoo import api, fields, models
from odoo.fields import Command, Domain


class SmsConversationOpen(models.TransientModel):
    """Choose from which of our numbers to write, to which of the customer's, and about what."""

    _name = "sms.conversation.open"
    _description = "Open SMS Conversation"

    # === FIELDS === #

    channel_id = fields.Many2one("discuss.channel", "Conversation", ondelete="cascade")
    res_model = fields.Char()
    res_id = fields.Many2oneReference(model_field="res_model")
    record_name = fields.Char("About", compute="_compute_record_name")
    available_number_ids = fields.Many2many("sms.conversation.open.number")
    number_id = fields.Many2one(
        "sms.conversation.open.number",
        "To",
        domain="[('id', 'in', available_number_ids)]",
        ondelete="cascade",
    )
    available_sender_ids = fields.Many2many("sms.sender", compute="_compute_available_sender_ids")
    sender_id = fields.Many2one(
        "sms.sender",
        "From",
        domain="[('id', 'in', available_sender_ids)]",
        ondelete="cascade",
        help="Your own numbers, those of your team, and those that everybody may use.",
    )
    can_be_answered = fields.Boolean(related="sender_id.can_receive")
    available_lead_ids = fields.Many2many("crm.lead", compute="_compute_available_lead_ids")
    lead_id = fields.Many2one(
        "crm.lead",
        "Opportunity",
        domain="[('id', 'in', available_lead_ids)]",
        ondelete="cascade",
        help="The conversation about one of the customer's opportunities.",
    )

    # === COMPUTE METHODS === #

    @api.depends("res_model", "res_id")
    def _compute_record_name(self):
        for wizard in self:
            record = wizard._get_record()
            wizard.record_name = record.display_name if record else False

    @api.depends_context("uid", "company")
    def _compute_available_sender_ids(self):
        Sender = self.env["sms.sender"]
        domain = Sender._get_usable_domain(self.env.user, self.env.company)
        self.available_sender_ids = Sender.search(domain).sorted("can_receive", reverse=True)

    @api.depends("res_model", "res_id")
    def _compute_available_lead_ids(self):
        """The opportunities of a person or beside an opportunity; of a company or lead none.

        Those of the contact, and those with the number of the conversation.
        """
        for wizard in self:
            wizard.available_lead_ids = self.env["crm.lead"].search(
                wizard._get_leads_domain() & Domain("type", "=", "opportunity")
            )

    def _get_leads_domain(self):
        record, partner = self._get_record(), self._get_partner_of_leads()
        if not partner and (record is None or getattr(record, "type", "") != "opportunity"):
            return Domain.FALSE
        number = self.channel_id.sms_number
        by_number = Domain("phone_sanitized", "=", number) if number else Domain.FALSE
        return Domain("partner_id", "in", partner.ids) | by_number

    @api.onchange("lead_id")
    def _onchange_lead_id(self):
        """The numbers of the opportunity's conversation, where there is one."""
        conversation = self._find_conversation_of_lead()
        known = self.available_number_ids.filtered(lambda n: n.number == conversation.sms_number)
        if known:
            self.number_id = known[0]._origin
        if conversation.sms_sender_id in self.available_sender_ids._origin:
            self.sender_id = conversation.sms_sender_id

    @api.model
    def default_get(self, fields):
        """Override to begin with the conversation or record the wizard is opened from."""
        values = super().default_get(fields)
        if "number_id" in fields:
            values |= self._get_defaults_of(self._get_opened_from())
        return values

    @api.model
    def _get_opened_from(self):
        """A wizard that knows the conversation or record it is opened from, and nothing else."""
        context = self.env.context
        channel = self.env["discuss.channel"].browse(context.get("default_channel_id", ()))
        channel.check_access("read")
        record = channel._sms_get_record() if channel else None
        return self.new(
            {
                "channel_id": channel.id,
                "res_model": record._name if record else context.get("default_res_model"),
                "res_id": record.id if record else context.get("default_res_id"),
                "lead_id": False,
            }
        )

    @api.model
    def _get_defaults_of(self, wizard):
        lines = self.env["sms.conversation.open.number"].create(wizard._get_number_values())
        current = lines.filtered(lambda line: line.number == wizard.channel_id.sms_number)
        return {
            "res_model": wizard.res_model,
            "res_id": wizard.res_id,
            "available_number_ids": [Command.set(lines.ids)],
            "number_id": (current or lines)[:1].id,
            "sender_id": wizard._get_first_sender().id,
        }

    # === ACTION METHODS === #

    def action_open(self):
        """Open the conversation, a new one where there is none."""
        self.ensure_one()
        Channel = self.env["discuss.channel"]
        record = self.lead_id or self._get_record()
        if record is None:
            return Channel._sms_open(self.number_id.number, None, self.sender_id).action_sms_open()
        channel_id = Channel.sms_open_conversation(
            record._name, record.id, number=self.number_id.number, sender_id=self.sender_id.id
        )
        return Channel.browse(channel_id).action_sms_open()

    # === BUSINESS METHODS === #

    def _get_record(self):
        """What the customer is written about, or None; the user may read it."""
        if not self.res_id or self.res_model not in self.env:
            return None
        record = self.env[self.res_model].browse(self.res_id).exists()
        record.check_access("read")
        return record or None

    def _get_first_sender(self):
        """The one in use, else the user's own, else any; such as can be answered first."""
        usable = self.available_sender_ids._origin
        answerable = usable.filtered("can_receive")
        own = self.env["sms.sender"]._get_default_sender(self.env.user, self.env.company)
        wanted = [self.channel_id.sudo().sms_sender_id, own & answerable, answerable[:1], own]
        return next((sender for sender in wanted if sender & usable), usable[:1])

    def _find_conversation_of_lead(self):
        return self.env["discuss.channel"].search(
            [
                ("channel_type", "=", "sms"),
                ("sms_res_model", "=", "crm.lead"),
                ("sms_res_id", "=", self.lead_id.id),
            ],
            order="last_interest_dt DESC, id DESC",
            limit=1,
        )

    # === BUSINESS METHODS: NUMBERS === #

    def _get_number_values(self):
        """The customer's numbers, each once, with whose it is; the record's own first."""
        names = {}
        for holder in self._get_holders():
            if holder.phone_sanitized:
                names.setdefault(holder.phone_sanitized, holder.display_name)
        if self.channel_id:
            names.setdefault(self.channel_id.sms_number, self.channel_id.name)
        return [{"number": number, "holder_name": name} for number, name in names.items()]

    def _get_holders(self):
        """Records with the customer's numbers: itself, contact, company, contacts of these."""
        record = self._get_record()
        partner = self._get_partner()
        family = (partner | partner.parent_id | partner.child_ids)._filtered_access("read")
        return [*(record if record and record != partner else ()), *family]

    def _get_partner(self):
        record = self._get_record()
        if record is None:
            return self.env["res.partner"]
        return record if record._name == "res.partner" else record._mail_get_partners()[record.id]

    def _get_partner_of_leads(self):
        """The person whose opportunities can be chosen; empty for companies and leads."""
        record = self._get_record()
        partner = self._get_partner()[:1]
        if record is not None and record._name == "crm.lead":
            return partner if record.type == "opportunity" else partner.browse()
        return partner.filtered(lambda person: not person.is_company)
