import secrets

from odoo import api, fields, models
from odoo.tools import config

#: Interfaces of which this machine is one.
ANY_INTERFACE = {"", "0.0.0.0", "::"}


class SmsGateway(models.Model):
    _inherit = "sms.gateway"

    code = fields.Selection(
        selection_add=[("demo", "Demo carrier")], ondelete={"demo": "set default"}
    )
    demo_secret = fields.Char(
        "Shared secret",
        copy=False,
        groups="base.group_system",
        help="Both sides sign with it. Without it the carrier and Odoo refuse each other.",
    )
    demo_carrier_url = fields.Char(
        "Carrier address",
        copy=False,
        groups="base.group_system",
        help="Where the carrier answers, and where it finds Odoo. Empty: this very server.",
    )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        gateways = super().create(vals_list)
        gateways.filtered(lambda gateway: gateway.code == "demo")._open_demo_account()
        return gateways

    def write(self, vals):
        result = super().write(vals)
        if vals.get("code") == "demo":
            self._open_demo_account()
        return result

    # === ACTION METHODS === #

    def action_renew_demo_secret(self):
        """Replace the secret; the carrier knows the new one at once."""
        self.check_access("write")
        for gateway in self:
            gateway.demo_secret = secrets.token_urlsafe(32)

    def action_open_demo_phones(self):
        """Open the carrier's telephones."""
        return self.env["ir.actions.actions"]._for_xml_id(
            "sms_gateway_demo.sms_demo_phone_action_screen"
        )

    # === BUSINESS METHODS === #

    def _open_demo_account(self):
        """Give these gateways what they need at the carrier: a secret and an account."""
        known = self.env["sms.demo.carrier"].sudo().search([("gateway_id", "in", self.ids)])
        new = self - known.gateway_id
        self.env["sms.demo.carrier"].sudo().create([{"gateway_id": g.id} for g in new])
        for gateway in self.sudo().filtered(lambda gateway: not gateway.demo_secret):
            gateway.demo_secret = secrets.token_urlsafe(32)

    def _get_demo_carrier_url(self):
        """Where carrier and Odoo reach each other, without a slash at the end.

        Not the public address: the machine may not be able to reach itself by that.
        """
        return (self.demo_carrier_url or self._get_own_url()).rstrip("/")

    @api.model
    def _get_own_url(self):
        interface = config["http_interface"] or ""
        host = "127.0.0.1" if interface in ANY_INTERFACE else interface
        return f"http://{f'[{host}]' if ':' in host else host}:{config['http_port']}"
