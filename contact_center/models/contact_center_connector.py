import hashlib
import secrets
from urllib.parse import urlsplit

from odoo import api, fields, models
from odoo.exceptions import ValidationError

#: Characters of a token that remain readable, so that one can be told from another.
HINT = 4


class ContactCenterConnector(models.Model):
    """A telephone exchange that tells Odoo what happens, and that Odoo tells what to do."""

    _name = "contact.center.connector"
    _description = "Contact Center Connector"
    _order = "name, id"

    name = fields.Char(required=True)
    code = fields.Char(
        required=True, help="Short name; the user name where the exchange logs in with a password."
    )
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company, index=True
    )
    kind = fields.Selection(
        [("generic", "Other"), ("asterisk", "Asterisk"), ("freeswitch", "FreeSWITCH")],
        "Exchange",
        required=True,
        default="generic",
    )
    country_id = fields.Many2one(
        "res.country",
        required=True,
        default=lambda self: self.env.company.country_id,
        help="Of numbers that come without a country code.",
    )
    token_hash = fields.Char(readonly=True, copy=False, groups="base.group_system")
    token_hint = fields.Char("Token", readonly=True, copy=False)
    signing_secret = fields.Char(
        copy=False,
        groups="base.group_system",
        help="Where it is set, each call of the exchange must be signed with it.",
    )
    outbound_url = fields.Char(
        "Address of the exchange", help="Where callbacks and their changes are told."
    )
    outbound_secret = fields.Char(
        "Secret for signing",
        copy=False,
        groups="base.group_system",
    )
    last_event_at = fields.Datetime(readonly=True, copy=False)
    agent_ids = fields.One2many("contact.center.agent", "connector_id")
    api_url = fields.Char("Address of the API", compute="_compute_api_url")

    _code_uniq = models.Constraint(
        "UNIQUE (code)",
        "Code: another connector has it already, perhaps an archived one or another company's. "
        "Choose another.",
    )
    _code_no_colon = models.Constraint(
        "CHECK (code NOT LIKE '%:%')",
        "Code: it cannot hold a colon, which ends the user name where the exchange logs in with a "
        "password. Choose another.",
    )
    _token_idx = models.UniqueIndex("(token_hash) WHERE token_hash IS NOT NULL")

    # === COMPUTE METHODS === #

    @api.depends_context("company")
    def _compute_api_url(self):
        for connector in self:
            connector.api_url = f"{connector.get_base_url()}/cc/api/v1"

    # === CONSTRAINTS === #

    @api.constrains("outbound_url")
    def _check_outbound_url(self):
        for connector in self.filtered("outbound_url"):
            if not _is_web_address(connector.outbound_url):
                raise ValidationError(
                    self.env._(
                        "Connector %(connector)s, Address of the exchange: %(url)s is no address "
                        "of the web. Enter all of it, e.g. https://pbx.example.com/odoo.",
                        connector=connector.name,
                        url=connector.outbound_url,
                    )
                )

    # === CRUD METHODS === #

    def copy_data(self, default=None):
        """Override to give the copy a code of its own."""
        vals_list = super().copy_data(default)
        if "code" in (default or {}):
            return vals_list
        return [{**vals, "code": self.env._("%s (copy)", vals["code"])} for vals in vals_list]

    # === TOKEN === #

    def action_new_token(self):
        """Make a new token, and show it this once."""
        self.check_access("write")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Token of %s", self.name),
            "res_model": "contact.center.token",
            "view_mode": "form",
            "target": "new",
            "context": {
                "default_connector_id": self.id,
                "default_token": self._renew_token(),
            },
        }

    def _renew_token(self):
        """Make a new token; the one before is void at once.

        :return: the token, which is not kept
        """
        self.ensure_one()
        token = secrets.token_urlsafe(32)
        self.sudo().write({"token_hash": self._hash(token), "token_hint": f"…{token[-HINT:]}"})
        return token

    @api.model
    def _find_by_token(self, token):
        """The connector, be it archived, whose token this is; may be empty."""
        found = self.sudo().with_context(active_test=False)
        return found.search([("token_hash", "=", self._hash(token))]) if token else found.browse()

    @api.model
    def _hash(self, token):
        """A token is random and long: no salt, and no slow hash, makes it safer."""
        return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()

    # === BUSINESS METHODS === #

    def _tell(self, event_type, data):
        """Have the exchange told, where it wants to be; after the commit.

        :param str event_type: e.g. ``callback.cancelled``
        :param dict data: what JSON can hold
        """
        for connector in self.filtered("outbound_url"):
            self.env["contact.center.delivery"]._queue(connector, event_type, data)

    def _can_make_calls(self):
        """Whether it hears the order to call somebody.

        Hook: override for an exchange that is told in another way than at its address.
        """
        return bool(self.outbound_url)

    def _find_service(self, code):
        """The service of that code in the connector's company; may be empty."""
        services = self.env["contact.center.service"].sudo()
        return services.search([("code", "=", code), ("company_id", "=", self.company_id.id)])


def _is_web_address(text):
    """
    >>> _is_web_address("https://pbx.example.com/odoo"), _is_web_address("http://10.0.0.5:8088")
    (True, True)
    >>> [_is_web_address(text) for text in ("pbx.example.com", "ftp://pbx", "http://[pbx")]
    [False, False, False]
    """
    try:
        address = urlsplit(text)
    except ValueError:
        return False
    return address.scheme in ("http", "https") and bool(address.hostname)
