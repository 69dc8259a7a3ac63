from odoo import api, fields, models

from ..const import SIGNATURES


class SmsGateway(models.Model):
    _inherit = "sms.gateway"

    # === FIELDS === #

    code = fields.Selection(
        selection_add=[("vonage", "Vonage")], ondelete={"vonage": "set default"}
    )
    vonage_api_key = fields.Char(
        "Vonage API key",
        copy=False,
        groups="base.group_system",
        help="Eight letters and digits, at the top of the Vonage dashboard.",
    )
    vonage_api_secret = fields.Char(
        "Vonage API secret",
        copy=False,
        groups="base.group_system",
        help="In the Vonage dashboard: API settings › Account secret.",
    )
    vonage_signature = fields.Selection(
        SIGNATURES,
        "Vonage signature",
        default="md5hash",
        groups="base.group_system",
        help="How Vonage signs its calls, in the Vonage dashboard: API settings › SMS settings › "
        "Signature algorithm. Vonage's support switches the signature on.",
    )
    vonage_signature_secret = fields.Char(
        "Vonage signature secret",
        copy=False,
        groups="base.group_system",
        help="In the Vonage dashboard: API settings › SMS settings › Signature secret. Without it "
        "no call is accepted, unless the calls are not signed.",
    )

    # === COMPUTE METHODS === #

    @api.depends("vonage_signature")
    def _compute_features(self):
        """Override of `sms_gateway`: Vonage signs for some accounts only."""
        res = super()._compute_features()
        for gateway in self.filtered(lambda g: g.code == "vonage"):
            gateway.support_signature = gateway.sudo().vonage_signature != "none"
        return res
