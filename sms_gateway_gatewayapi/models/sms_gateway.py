from odoo import fields, models

from ..const import REGIONS


class SmsGateway(models.Model):
    _inherit = "sms.gateway"

    # === FIELDS === #

    code = fields.Selection(
        selection_add=[
            ("gatewayapi", "GatewayAPI"),
            ("gatewayapi_legacy", "GatewayAPI (legacy REST API)"),
        ],
        ondelete={"gatewayapi": "set default", "gatewayapi_legacy": "set default"},
    )
    gatewayapi_region = fields.Selection(
        REGIONS,
        "GatewayAPI region",
        default="com",
        groups="base.group_system",
        help="Where the account was created: the address at which you log in.",
    )
    gatewayapi_token = fields.Char(
        "GatewayAPI token",
        copy=False,
        groups="base.group_system",
        help="In the GatewayAPI dashboard: API › API Keys.",
    )
    gatewayapi_secret = fields.Char(
        "GatewayAPI webhook secret",
        copy=False,
        groups="base.group_system",
        help="In the GatewayAPI dashboard: API › Webhooks, the secret (authentication token) that "
        "you gave to the webhooks. The same for all of them; without it no call is accepted.",
    )
