import re

from odoo import api, fields, models, tools
from odoo.exceptions import ValidationError
from odoo.fields import Domain

from ..cache import clear_cache
from ..const import E164

ADDRESS_RULES = {
    "text": re.compile("[A-Za-z0-9 ]{3,11}"),
    "mobile": E164,
    "dedicated": re.compile("[0-9]{8}|[0-9]{14}"),
    "short": re.compile("[0-9]{3,6}"),
}


class SmsSender(models.Model):
    """One of our own addresses: what the customer sees as the sender, and answers to."""

    _name = "sms.sender"
    _description = "SMS Sender"
    _inherit = ["mail.thread"]
    _order = "sequence, id"
    _check_company_auto = True

    # === FIELDS === #

    name = fields.Char(required=True, tracking=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    kind = fields.Selection(
        [
            ("text", "Name"),
            ("mobile", "Mobile number"),
            ("dedicated", "Dedicated SMS number"),
            ("short", "Short number"),
        ],
        required=True,
        default="dedicated",
        tracking=True,
        help="Name: letters instead of a number, for texts that need no answer. Dedicated "
        "number: for texts that customers answer. A mobile number serves best where the same "
        "number is shown when you call: customers answer and call back.",
    )
    address = fields.Char(
        required=True,
        tracking=True,
        help="Name: 3 to 11 letters A-Z, digits and spaces. Mobile: with + and country code. "
        "Dedicated: exactly 8 or 14 digits. Short: 3 to 6 digits.",
    )
    gateway_id = fields.Many2one(
        "sms.gateway", required=True, index=True, ondelete="restrict", check_company=True
    )
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    user_ids = fields.Many2many(
        "res.users",
        string="Users",
        help="Who may send with it and gets its answers. Empty: everybody of the company may send.",
    )
    state = fields.Selection(
        [("draft", "Draft"), ("approved", "Approved")],
        default="draft",
        required=True,
        copy=False,
        tracking=True,
        help="Only an approved sender can be chosen. Approve it when the provider has.",
    )
    inbound_enabled = fields.Boolean(
        "Receives answers",
        tracking=True,
        help="The provider passes texts to this number on to us. Impossible for a name.",
    )
    can_receive = fields.Boolean(compute="_compute_can_receive")
    inbound_policy = fields.Selection(
        [("record", "New lead"), ("inbox", "Inbox")],
        string="Unknown customers",
        default="inbox",
        required=True,
        help="Where a text goes whose number is on no record.",
    )
    fallback_id = fields.Many2one(
        "sms.sender",
        "If unreachable",
        index="btree_not_null",
        ondelete="set null",
        check_company=True,
        domain="[('gateway_id', '!=', gateway_id), ('state', '=', 'approved')]",
        tracking=True,
        help="A sender at another provider. It takes over texts that certainly have not left: the "
        "gateway is disabled, or no connection to it can be made. Never one that may have gone.",
    )
    rule_ids = fields.One2many("sms.sender.rule", "sender_id", string="Default for")
    request_number_url = fields.Char(related="company_id.sms_request_number_url")
    is_ordinary_mobile = fields.Boolean(compute="_compute_is_ordinary_mobile")

    _address_uniq = models.UniqueIndex(
        "(gateway_id, address) WHERE active", "This gateway already has a sender of that address."
    )
    _inbound_needs_number = models.Constraint(
        "CHECK(NOT (inbound_enabled AND kind = 'text'))",
        "A name cannot receive answers: choose a number as the sender, or switch answers off.",
    )

    # === COMPUTE METHODS === #

    @api.depends("kind", "inbound_enabled", "gateway_id.support_inbound")
    def _compute_can_receive(self):
        for sender in self:
            sender.can_receive = (
                sender.kind != "text"
                and sender.inbound_enabled
                and sender.gateway_id.support_inbound
            )

    @api.depends("kind", "inbound_enabled")
    def _compute_is_ordinary_mobile(self):
        for sender in self:
            sender.is_ordinary_mobile = sender.kind == "mobile" and not sender.inbound_enabled

    @api.depends("name", "address")
    def _compute_display_name(self):
        for sender in self:
            same = not sender.address or sender.name == sender.address
            sender.display_name = sender.name if same else f"{sender.name} ({sender.address})"

    # === CONSTRAINT METHODS === #

    @api.constrains("kind", "address")
    def _check_address(self):
        for sender in self:
            if not ADDRESS_RULES[sender.kind].fullmatch(sender.address):
                raise ValidationError(sender._get_address_error())
            if sender.kind == "text" and not re.search("[A-Za-z]", sender.address):
                raise ValidationError(
                    self.env._(
                        "“%s” has no letter: choose another kind for a number.", sender.address
                    )
                )

    @api.constrains("kind", "address", "inbound_enabled", "gateway_id")
    def _check_gateway_support(self):
        for sender in self.filtered("gateway_id"):
            gateway = sender.gateway_id
            if words := gateway._get_adapter()._check_sender(gateway, sender):
                raise ValidationError(words)

    @api.constrains("fallback_id", "gateway_id")
    def _check_fallback(self):
        for sender in self.filtered("fallback_id"):
            if sender.fallback_id.gateway_id == sender.gateway_id:
                raise ValidationError(
                    self.env._(
                        "“If unreachable” of sender %(sender)s: %(fallback)s uses the same "
                        "gateway. Choose a sender at another one.",
                        sender=sender.display_name,
                        fallback=sender.fallback_id.display_name,
                    )
                )

    def _get_address_error(self):
        """What is wrong with the address, in words, with the remedy."""
        rules = {
            "text": self.env._(
                "3 to 11 characters, only A-Z, a-z, 0-9 and spaces (no Æ, Ø, Å, no dots)"
            ),
            "mobile": self.env._("a plus sign, the country code and the number, e.g. +4791234567"),
            "dedicated": self.env._("exactly 8 or exactly 14 digits"),
            "short": self.env._("3 to 6 digits"),
        }
        return self.env._(
            "Address “%(address)s” of sender %(sender)s: must be %(rule)s.",
            address=self.address,
            sender=self.name,
            rule=rules[self.kind],
        )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        clear_cache(self.env)
        return super().create(vals_list)

    def write(self, vals):
        res = super().write(vals)
        if {"active", "state"} & vals.keys():
            clear_cache(self.env)
        if "gateway_id" in vals:
            self._move_queue()
        return res

    @api.ondelete(at_uninstall=False)
    def _unlink_clear_cache(self):
        clear_cache(self.env)

    def _move_queue(self):
        """Texts that wait leave by the sender's new gateway; the old one may be closed."""
        queued = self.env["sms.sms"].sudo()
        queued = queued.search([("sender_id", "in", self.ids), ("state", "=", "outgoing")])
        for sender, texts in queued.grouped("sender_id").items():
            texts.gateway_id = texts.message_id.gateway_id = sender.gateway_id

    # === BUSINESS METHODS === #

    @api.model
    def _get_usable_domain(self, user, company):
        """Senders that the user can choose in that company as things stand.

        :return: Domain
        """
        ready = Domain(
            [
                ("state", "=", "approved"),
                ("gateway_id.state", "!=", "disabled"),
                ("gateway_id.active", "=", True),
            ]
        )
        return ready & self._get_permitted_domain(user, company)

    @api.model
    def _get_permitted_domain(self, user, company):
        """Senders that are the user's to send with in that company.

        :return: Domain
        """
        domain = Domain("company_id", "=", company.id)
        if user._is_superuser() or user.has_group("sms_gateway.group_sms_manager"):
            return domain
        return domain & (
            self._get_own_domain(user)
            | self._get_shared_domain()
            | Domain("id", "=", company.sudo().sms_default_sender_id.id)
            | Domain("rule_ids", "!=", False)
        )

    @api.model
    def _get_own_domain(self, user):
        """Senders whose answers are for this user.

        Override to add what else makes a number his, e.g. that it is his team's.

        :return: Domain
        """
        return Domain("user_ids", "in", user.ids)

    @api.model
    def _get_shared_domain(self):
        """Senders of nobody, which everybody of the company may use.

        Override to take away those that are somebody's in another way.

        :return: Domain
        """
        return Domain("user_ids", "=", False)

    @api.model
    @tools.ormcache()
    def _is_any_in_use(self):
        """Whether there are senders at all; where there are none, Odoo is as it was."""
        return bool(self.sudo().with_context(active_test=False).search_count([], limit=1))

    def _get_fallback(self):
        """The sender that takes over where the gateway cannot be reached; may be empty."""
        fallback = self.sudo().fallback_id.filtered("active")
        return fallback.filtered(
            lambda sender: sender.state == "approved"
            and sender.gateway_id.active
            and sender.gateway_id.state == "enabled"
        )

    def _get_reachable(self):
        """The sender itself, or its fallback while its own gateway is closed."""
        gateway = self.sudo().gateway_id
        is_closed = gateway.state == "disabled" or not gateway.active
        return (is_closed and self._get_fallback()) or self

    @api.model
    def _get_default_sender(self, user, company, number=None):
        """The sender of who chose none: his own, else the country's or company's, else none.

        :param str number: the customer's, E.164; decides where there is a rule for its country
        """
        if not self._is_any_in_use():
            return self.browse()
        own = self._get_own_sender(user, company)
        return own or self._get_company_sender(company, number)

    @api.model
    def _get_own_sender(self, user, company):
        """The sender whose answers are for this user in that company, may be empty."""
        if user._is_superuser():
            return self.browse()
        own = self.sudo().search(
            self._get_usable_domain(user, company) & self._get_own_domain(user)
        )
        return own.sorted(lambda sender: user not in sender.user_ids)[:1]

    @api.model
    def _get_company_sender(self, company, number=None):
        """The sender of the number's country in that company, else its default, may be empty.

        :param str number: E.164, or None
        """
        by_country = self.env["sms.sender.rule"]._get_sender(company, number)
        return by_country or company.sudo().sms_default_sender_id

    def _may_be_used_by(self, user):
        """Whether the user has the right to send with this sender."""
        self.ensure_one()
        company = self.sudo().company_id
        if not user._is_superuser() and company not in user.sudo().company_ids:
            return False
        return bool(self.sudo().filtered_domain(self._get_permitted_domain(user, company)))

    @api.model
    def _find_by_address(self, gateway, address):
        """The sender of an address as the provider writes it; empty where it is not one of ours."""
        senders = self.sudo().with_context(active_test=False)
        digits = re.sub(r"\D", "", address or "")
        return senders.search(
            [("gateway_id", "=", gateway.id), ("address", "in", [address, digits, f"+{digits}"])],
            order="active DESC, id",
            limit=1,
        )
