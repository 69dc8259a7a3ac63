import re
import secrets
from hashlib import sha256
from hmac import compare_digest
from itertools import filterfalse
from urllib.parse import quote

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools.urls import urljoin

from ..engine import caller, transport
from ..engine.contract import WebhookRefused

#: Fields computed from the adapter's features.
FEATURES = ("inbound", "status", "text_sender", "idempotency", "balance", "signature")
#: Errors of the network edge: what was written is no address, or cannot be sent.
NO_ADDRESS = ("MissingSchema", "InvalidSchema", "InvalidURL", "LocationParseError")
NO_CHARACTERS = ("UnicodeEncodeError", "InvalidHeader")
#: What the provider's calls must satisfy before its adapter looks at them.
CALLER_FIELDS = ("allowed_ips", "webhook_username", "webhook_password")


class SmsGateway(models.Model):
    """An account at a provider."""

    _name = "sms.gateway"
    _description = "SMS Gateway"
    _inherit = ["mail.thread", "mail.activity.mixin", "sms.gateway.health"]
    _order = "sequence, id"
    _check_company_auto = True

    # === FIELDS === #

    name = fields.Char(required=True, translate=False, tracking=True)
    sequence = fields.Integer(default=10)
    code = fields.Selection(
        selection=[("none", "No provider yet")],
        string="Provider",
        required=True,
        default="none",
        help="Providers are addons: install the one of your provider to see it here.",
    )
    state = fields.Selection(
        [("disabled", "Disabled"), ("test", "Test"), ("enabled", "Enabled")],
        default="disabled",
        required=True,
        copy=False,
        tracking=True,
        help="A disabled gateway sends nothing and refuses calls. In test, texts go only to the "
        "numbers of internal users.",
    )
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    sender_ids = fields.One2many("sms.sender", "gateway_id", string="Senders")
    active = fields.Boolean(default=True)

    webhook_token = fields.Char(
        required=True,
        copy=False,
        readonly=True,
        groups="base.group_system",
        default=lambda self: secrets.token_urlsafe(32),
    )
    webhook_token_digest = fields.Char(
        compute="_compute_webhook_token_digest", store=True, groups="base.group_system"
    )
    inbound_url = fields.Char(
        string="Incoming text URL",
        compute="_compute_webhook_urls",
        groups="base.group_system",
        help="Give this address to the provider for incoming texts.",
    )
    status_url = fields.Char(
        string="Delivery report URL",
        compute="_compute_webhook_urls",
        groups="base.group_system",
        help="Give this address to the provider for delivery reports.",
    )
    allowed_ips = fields.Char(
        "Calls only from",
        groups="base.group_system",
        help="Addresses or networks of the provider, separated by commas, e.g. 192.0.2.7, "
        "10.0.0.0/8. Calls from elsewhere are refused. Empty: from everywhere.",
    )
    webhook_username = fields.Char(
        "User of the calls",
        copy=False,
        groups="base.group_system",
        help="With a password: the provider must name both in each call (HTTP Basic). For "
        "providers that do not sign their calls they stand in the addresses above.",
    )
    webhook_password = fields.Char(
        "Password of the calls",
        copy=False,
        groups="base.group_system",
        help="Letters A-Z and digits: providers write others in different ways.",
    )

    max_per_second = fields.Float(
        "Texts per second",
        default=20,
        required=True,
        help="Never exceeded, whatever the number of processes. Ask your provider.",
    )
    max_in_flight = fields.Integer(
        "Requests at a time",
        default=20,
        required=True,
        help="Requests to the provider that may wait for an answer at the same moment.",
    )

    last_inbound_at = fields.Datetime("Last text received", readonly=True, copy=False)
    last_status_at = fields.Datetime("Last delivery report", readonly=True, copy=False)
    refused_count = fields.Integer(
        "Refused calls",
        compute="_compute_refused_count",
        help="Calls to our addresses that were not proven to come from the provider.",
    )
    balance = fields.Char(readonly=True, copy=False, help="As told by the provider.")
    balance_amount = fields.Float(readonly=True, copy=False)
    balance_at = fields.Datetime("Balance as of", readonly=True, copy=False)

    support_inbound = fields.Boolean(compute="_compute_features")
    support_status = fields.Boolean(compute="_compute_features")
    support_text_sender = fields.Boolean(compute="_compute_features")
    support_idempotency = fields.Boolean(compute="_compute_features")
    support_balance = fields.Boolean(compute="_compute_features")
    support_signature = fields.Boolean(compute="_compute_features")

    _webhook_token_uniq = models.UniqueIndex("(webhook_token)")
    _webhook_token_digest_idx = models.Index("(webhook_token_digest)")
    _max_per_second_positive = models.Constraint(
        "CHECK(max_per_second > 0)", "Texts per second must be more than zero."
    )
    _max_in_flight_positive = models.Constraint(
        "CHECK(max_in_flight BETWEEN 1 AND 200)", "Requests at a time must be from 1 to 200."
    )
    _webhook_login_whole = models.Constraint(
        "CHECK((webhook_username IS NULL) = (webhook_password IS NULL))",
        "User and password of the calls: fill in both, or none of them.",
    )

    # === COMPUTE METHODS === #

    @api.depends("webhook_token")
    def _compute_webhook_token_digest(self):
        for gateway in self:
            gateway.webhook_token_digest = _digest(gateway.webhook_token)

    @api.depends(
        "code", "support_signature", "webhook_token", "webhook_username", "webhook_password"
    )
    def _compute_webhook_urls(self):
        for gateway in self:
            gateway.inbound_url = gateway._get_address_to_paste("inbound")
            gateway.status_url = gateway._get_address_to_paste("status")

    @api.depends("code")
    def _compute_features(self):
        for gateway in self:
            features = gateway._get_adapter()._get_features()
            for feature in FEATURES:
                gateway[f"support_{feature}"] = features[feature]

    def _compute_refused_count(self):
        counts = self._count_refused()
        for gateway in self:
            gateway.refused_count = counts.get(gateway, 0)

    def _count_refused(self, domain=()):
        """Refused calls by gateway."""
        refused = [("gateway_id", "in", self.ids), ("state", "=", "refused"), *domain]
        events = self.env["sms.gateway.event"].sudo()
        return dict(events._read_group(refused, ["gateway_id"], ["attempts:sum"]))

    # === CONSTRAINT METHODS === #

    @api.constrains("allowed_ips")
    def _check_allowed_ips(self):
        for gateway in self:
            words = re.findall(r"[^\s,;]+", gateway.allowed_ips or "")
            if wrong := next(filterfalse(_is_network, words), None):
                raise ValidationError(
                    self.env._(
                        "“Calls only from” of %(gateway)s: “%(word)s” is neither an address nor a "
                        "network. Write e.g. 192.0.2.7 or 10.0.0.0/8, with commas between several.",
                        gateway=gateway.name,
                        word=wrong,
                    )
                )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        gateways = super().create(vals_list)
        gateways._create_throttle()
        return gateways

    def copy_data(self, default=None):
        vals_list = super().copy_data(default=default)
        if "name" not in (default or {}):
            for gateway, vals in zip(self, vals_list, strict=True):
                vals["name"] = self.env._("%s (copy)", gateway.name)
        return vals_list

    def _create_throttle(self):
        self.env["sms.gateway.throttle"].sudo().create([{"gateway_id": g.id} for g in self])

    # === ACTION METHODS === #

    def action_test_connection(self):
        """Prove the credentials without sending a text."""
        self.ensure_one()
        self.check_access("write")
        request = self._get_adapter()._prepare_test_request(self.sudo())
        if not request:
            raise UserError(self.env._("%s offers no way to test the connection.", self.name))
        response = self._perform(request)
        ok, words = self._get_adapter()._parse_test_response(self.sudo(), response)
        if not ok:
            raise UserError(self.env._("%(gateway)s: %(words)s", gateway=self.name, words=words))
        return self._notify_success(words or self.env._("The connection works."))

    def action_refresh_balance(self):
        """Ask the provider for the account's balance."""
        for gateway in self:
            gateway.check_access("write")
            if not gateway._refresh_balance():
                raise UserError(
                    self.env._(
                        "%s told no balance. Test the connection: it says why.", gateway.name
                    )
                )

    def action_renew_webhook_token(self):
        """Replace the token of the addresses; the provider must be told the new ones."""
        self.check_access("write")
        for gateway in self:
            gateway.webhook_token = secrets.token_urlsafe(32)

    def action_view_events(self):
        """The calls of this gateway, those that were refused first of all."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "sms_gateway.sms_gateway_event_action"
        )
        context = {"search_default_refused": True}
        return {**action, "domain": [("gateway_id", "=", self.id)], "context": context}

    def _refresh_balance(self):
        """:return: whether the provider has told it"""
        request = self._get_adapter()._prepare_balance_request(self.sudo())
        if not request:
            return False
        told = self._get_adapter()._parse_balance(self.sudo(), self._perform(request))
        if told:
            self.balance = " ".join(str(part) for part in told if part is not None)
            self.balance_amount = told[0]
            self.balance_at = self.env.cr.now()
        return bool(told)

    def _notify_success(self, message):
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {"type": "success", "message": message},
        }

    # === BUSINESS METHODS === #

    def _get_adapter(self):
        """The provider's side of the contract: ``sms.gateway.adapter.<code>``."""
        self.ensure_one()
        return self.env[f"sms.gateway.adapter.{self.code}"]

    def _is_test_number(self, number):
        """Whether a gateway in test may send there: the number of an internal user."""
        users = self.env["res.users"].sudo().search([("share", "=", False)])
        return number in users.partner_id.mapped("phone_sanitized")

    def _perform(self, request):
        """Perform one request of this account now, for a person who waits for the answer.

        :return: :class:`Response`
        """
        self.ensure_one()
        try:
            with transport.make_session(size=1) as session:
                return transport.perform(session, request)
        except (transport.NotSent, transport.NoAnswer) as error:
            raise UserError(
                self.env._(
                    "%(gateway)s does not answer: %(reason)s",
                    gateway=self.name,
                    reason=self._explain_silence(str(error)),
                )
            )

    def _explain_silence(self, kind):
        """In words, with the remedy, what the network edge calls by the kind of the error."""
        if kind in NO_ADDRESS:
            return self.env._(
                "its address on the page Credentials is none. Write it whole, with https:// or "
                "http:// and without blanks."
            )
        if kind in NO_CHARACTERS:
            return self.env._(
                "one of the credentials holds a character that cannot be sent. Copy them again."
            )
        told = {
            "NameResolutionError": self.env._("the name of its server is not known here"),
            "NewConnectionError": self.env._("its server takes no connection"),
            "ConnectTimeoutError": self.env._("no connection within the time limit"),
            "no answer within the time limit": self.env._("no answer within the time limit"),
            "SSLError": self.env._("the certificate of its server is not accepted"),
        }
        return self.env._(
            "%s. Check the address on the page Credentials, if there is one, and whether this "
            "server may call the provider.",
            told.get(kind, kind),
        )

    def _get_webhook_url(self, kind):
        """The public address the provider calls.

        :param str kind: ``inbound`` or ``status``
        """
        self.ensure_one()
        token = self.sudo().webhook_token
        return urljoin(self.get_base_url(), f"/sms/gateway/{token}/{kind}")

    def _get_address_to_paste(self, kind):
        """The address as the provider is told it, with the password that proves its calls.

        Who signs them needs none in it, and would sign an address that looks otherwise.
        """
        address, gateway = self._get_webhook_url(kind), self.sudo()
        if gateway.support_signature or not gateway.webhook_password:
            return address
        login = ":".join(
            quote(part, safe="") for part in (gateway.webhook_username, gateway.webhook_password)
        )
        return address.replace("://", f"://{login}@", 1)

    def _receive_call(self, webhook):
        """Take in a webhook call: proven first, then stored once, worked off after the commit.

        :param webhook: :class:`Webhook`
        :return: (HTTP status, headers dict, body bytes) for the provider
        """
        self.ensure_one()
        adapter = self._get_adapter()
        try:
            if self.state == "disabled":
                raise WebhookRefused("disabled")
            caller.check(webhook, *(self[name] for name in CALLER_FIELDS))
            adapter._verify_webhook(self, webhook)
        except WebhookRefused as refusal:
            self.env["sms.gateway.event"]._count_refusal(self, webhook.kind, refusal.reason)
            return 403, {}, b""
        key = adapter._get_dedup_key(self, webhook)
        self.env["sms.gateway.event"]._store(self, webhook, key)
        return adapter._webhook_reply(self, webhook)

    def _note_call(self, field, moment):
        """Show when the provider called last; a call replayed later was not the last."""
        if not self[field] or self[field] < moment:
            self[field] = moment

    @api.model
    def _find_by_token(self, token):
        """The active gateway whose address holds the token, or an empty recordset.

        Looked up by digest and compared in constant time: how long it takes tells nothing.
        """
        digest = [("webhook_token_digest", "=", _digest(token))]
        gateway = self.sudo().search_fetch(digest, ["code"])
        gateway.fetch(self._get_webhook_fields(gateway.code))
        known = gateway.webhook_token or ""
        if known and compare_digest(known.encode(), token.encode()):
            return gateway
        return self.browse()

    @api.model
    def _get_webhook_fields(self, code):
        """Fields that a call needs: to read all of them takes longer than all the rest of it."""
        own = [
            name
            for name, field in self._fields.items()
            if name.startswith(f"{code}_") and field.store
        ]
        return ["code", "state", "webhook_token", *CALLER_FIELDS, *own]


def _is_network(word):
    try:
        return bool(caller.read_networks(word))
    except ValueError:
        return False


def _digest(token):
    return sha256((token or "").encode()).hexdigest()
