from odoo import api, fields, models

from ..const import INBOUND_QUERY


class SmsGateway(models.Model):
    _inherit = "sms.gateway"

    # === FIELDS === #

    code = fields.Selection(
        selection_add=[("kannel", "Kannel")], ondelete={"kannel": "set default"}
    )
    kannel_url = fields.Char(
        "Kannel address",
        copy=False,
        groups="base.group_system",
        help="Where smsbox takes texts, e.g. http://127.0.0.1:13013/cgi-bin/sendsms",
    )
    kannel_username = fields.Char(
        "Kannel user",
        copy=False,
        groups="base.group_system",
        help="The username of a group sendsms-user in Kannel's configuration.",
    )
    kannel_password = fields.Char("Kannel password", copy=False, groups="base.group_system")
    kannel_smsc = fields.Char(
        "Kannel carrier",
        groups="base.group_system",
        help="The smsc-id that is to carry the texts. Empty: Kannel chooses.",
    )
    kannel_get_url = fields.Char(
        "Kannel get-url",
        compute="_compute_kannel_get_url",
        groups="base.group_system",
        help="Put this address, in quotes, as get-url into the group sms-service of Kannel's "
        "configuration.",
    )

    # === COMPUTE METHODS === #

    @api.depends("inbound_url")
    def _compute_kannel_get_url(self):
        for gateway in self:
            address = gateway.inbound_url.replace("%", "%%")
            gateway.kannel_get_url = f"{address}?{INBOUND_QUERY}"
