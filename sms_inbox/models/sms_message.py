from odoo import fields, models
from odoo.tools.mail import email_normalize, formataddr

#: Texts that may be answered: the customer can have read them.
ANSWERABLE_STATES = ("sending", "sent", "delivered", "unknown")
#: Texts looked at, newest first, for one whose record still exists.
ANSWERED_CANDIDATES = 10
#: Models whose records hold customers' numbers.
ROUTED_MODELS = ("crm.lead", "res.partner")


class SmsMessage(models.Model):
    _inherit = "sms.message"

    inbox_state = fields.Selection(
        [("todo", "To handle"), ("handled", "Handled")], readonly=True, index="btree_not_null"
    )
    inbox_reason = fields.Char("Why it is here", readonly=True)
    handled_at = fields.Datetime(readonly=True)
    handled_by_id = fields.Many2one("res.users", readonly=True)

    # === ACTION METHODS === #

    def action_set_handled(self):
        """Take texts off the list; who and when are kept."""
        self.check_access("read")
        self.sudo().filtered(lambda m: m.inbox_state == "todo").write(
            {
                "inbox_state": "handled",
                "handled_at": self.env.cr.now(),
                "handled_by_id": self.env.uid,
            }
        )

    # === BUSINESS METHODS === #

    def _route_inbound(self):
        """Override of `sms_gateway`: the record the text answers, else one with the number."""
        res = super()._route_inbound()
        record = self._find_answered_record() or self._find_newest_record()
        if record is not None:
            self._post_on_record(record)
        elif not self.keyword:
            self.inbox_state = "todo"
            self.inbox_reason = self.env._("No text of ours to this number, and no record with it.")
        return res

    def _find_answered_record(self):
        """The record from which the latest text to this customer left by this sender."""
        answered = self.search(
            [
                ("number", "=", self.number),
                ("sender_id", "=", self.sender_id.id),
                ("direction", "=", "out"),
                ("state", "in", ANSWERABLE_STATES),
                ("res_id", "!=", False),
            ],
            order="id desc",
            limit=ANSWERED_CANDIDATES,
        )
        records = (text._get_record() for text in answered) if self.sender_id else ()
        return next((record for record in records if self._can_hold(record)), None)

    def _find_newest_record(self):
        """The newest lead or contact of the company that holds the customer's number."""
        found = [
            record
            for model in ROUTED_MODELS
            for record in self.env[model]
            .sudo()
            .search(
                [
                    ("phone_sanitized", "=", self.number),
                    ("company_id", "in", [False, self.company_id.id]),
                ],
                order="create_date desc, id desc",
                limit=1,
            )
        ]
        return max(found, key=lambda record: record.create_date, default=None)

    def _can_hold(self, record):
        """Whether a text can be posted on the record."""
        return record is not None and isinstance(record, self.pool["mail.thread"])

    def _post_on_record(self, record):
        """Show the text in the record's chatter, and tell its followers."""
        customer = self._find_customer(record)
        self.mail_message_id = (
            record.sudo()
            .with_context(mail_post_autofollow_author_skip=True, mail_post_autofollow=False)
            .message_post(
                body=self.body or "",
                message_type="sms",
                subtype_xmlid="sms_inbox.mt_sms_in",
                author_id=customer.id or False,
                email_from=customer.email_formatted or self._get_author_address(record, customer),
            )
        )
        self.write({"res_model": record._name, "res_id": record.id, "partner_id": customer.id})
        self._ping_record()

    def _get_author_address(self, record, customer):
        """A customer without an e-mail address: his name and number, and an address of ours.

        It is the sender of the e-mails that tell the record's followers, so it must be a valid one.
        """
        name = customer.name or ("contact_name" in record and record.sudo().contact_name)
        return self._with_our_address(f"{name} ({self.number})" if name else self.number)

    def _with_our_address(self, name):
        ours = email_normalize(self.company_id.email_formatted)
        return formataddr((name, ours)) if ours else name

    def _erase(self):
        """Override of `sms_gateway`: the answers in the chatter forget whose they are."""
        for text in self.filtered(lambda text: text.direction == "in" and text.number):
            message = text.mail_message_id.sudo()
            if text.number in (message.email_from or ""):
                message.email_from = text._with_our_address(self.env._("[erased]"))
        return super()._erase()

    def _find_customer(self, record):
        """The contact of the record that holds the number, may be empty."""
        partners = record.sudo()._mail_get_partners()[record.id]
        return partners.filtered(lambda partner: partner.phone_sanitized == self.number)[:1]
