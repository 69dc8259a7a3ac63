from odoo import api, fields, models


class SmsGateway(models.Model):
    _inherit = "sms.gateway"

    # === FIELDS === #

    code = fields.Selection(selection_add=[("sinch", "Sinch")], ondelete={"sinch": "set default"})
    sinch_region = fields.Selection(
        [
            ("eu", "Europe"),
            ("us", "United States"),
            ("br", "Brazil"),
            ("ca", "Canada"),
            ("au", "Australia"),
        ],
        "Sinch region",
        default="eu",
        groups="base.group_system",
        help="Where the service plan was made: each region has its own.",
    )
    sinch_plan = fields.Char(
        "Sinch service plan",
        copy=False,
        groups="base.group_system",
        help="The service plan ID; in Sinch's dashboard: SMS › Service APIs.",
    )
    sinch_token = fields.Char(
        "Sinch API token",
        copy=False,
        groups="base.group_system",
        help="In Sinch's dashboard beside the service plan: SMS › Service APIs.",
    )
    sinch_secret = fields.Char(
        "Sinch webhook secret",
        copy=False,
        groups="base.group_system",
        help="If Sinch signs its calls to your account, the secret it signs them with; then calls "
        "without a signature are refused. Empty: the secret in the addresses proves the calls.",
    )

    # === COMPUTE METHODS === #

    @api.depends("sinch_secret")
    def _compute_features(self):
        """Override of `sms_gateway`: Sinch signs for some accounts only."""
        res = super()._compute_features()
        for gateway in self.filtered(lambda g: g.code == "sinch"):
            gateway.support_signature = bool(gateway.sudo().sinch_secret)
        return res
