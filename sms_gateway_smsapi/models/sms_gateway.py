from odoo import fields, models


class SmsGateway(models.Model):
    _inherit = "sms.gateway"

    # === FIELDS === #

    code = fields.Selection(
        selection_add=[("smsapi", "SMSAPI")], ondelete={"smsapi": "set default"}
    )
    smsapi_token = fields.Char(
        "SMSAPI token",
        copy=False,
        groups="base.group_system",
        help="In SMSAPI's panel: Settings › API tokens (OAuth). It needs the permission SMS, and "
        "Profile for the balance.",
    )
    smsapi_service = fields.Selection(
        [
            ("smsapi.com", "SMSAPI.com"),
            ("smsapi.pl", "SMSAPI.pl"),
            ("smsapi.se", "SMSAPI.se"),
            ("smsapi.bg", "SMSAPI.bg"),
        ],
        "SMSAPI service",
        default="smsapi.com",
        groups="base.group_system",
        help="Where the account was made: each country has its own.",
    )
