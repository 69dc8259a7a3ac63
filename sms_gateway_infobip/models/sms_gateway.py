from odoo import fields, models


class SmsGateway(models.Model):
    _inherit = "sms.gateway"

    # === FIELDS === #

    code = fields.Selection(
        selection_add=[("infobip", "Infobip")], ondelete={"infobip": "set default"}
    )
    infobip_url = fields.Char(
        "Infobip base URL",
        copy=False,
        groups="base.group_system",
        help="Your own address of Infobip's API, on the home page of its portal, e.g. "
        "https://xxxxx.api.infobip.com",
    )
    infobip_key = fields.Char(
        "Infobip API key",
        copy=False,
        groups="base.group_system",
        help="In Infobip's portal: Developer tools › API keys. It needs the scopes sms:manage and "
        "account-management:manage.",
    )
