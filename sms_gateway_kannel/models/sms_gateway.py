from ipaddress import ip_network

from odoo import api, fields, models
from odoo.exceptions import ValidationError

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
    kannel_allowed_ips = fields.Char(
        "Kannel calls from",
        groups="base.group_system",
        help="Addresses or networks of Kannel, separated by commas, e.g. 192.0.2.7, 10.0.0.0/8. "
        "Calls from elsewhere are refused. Empty: the secret in the address is enough.",
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

    # === CONSTRAINT METHODS === #

    @api.constrains("kannel_allowed_ips")
    def _check_kannel_allowed_ips(self):
        for gateway in self.sudo():
            try:
                gateway._get_kannel_networks()
            except ValueError as error:
                raise ValidationError(
                    self.env._("“Kannel calls from” is not a list of addresses: %s", error)
                ) from error

    # === BUSINESS METHODS === #

    def _get_kannel_networks(self):
        """The networks Kannel may call from; none means all.

        :raise ValueError: where one of them is no address
        """
        words = (self.kannel_allowed_ips or "").replace(",", " ").split()
        return [ip_network(word) for word in words]
