from odoo import fields, models


class SmsGateway(models.Model):
    _inherit = "sms.gateway"

    # === FIELDS === #

    code = fields.Selection(selection_add=[("ovh", "OVHcloud")], ondelete={"ovh": "set default"})
    ovh_application_key = fields.Char(
        "OVHcloud application key",
        copy=False,
        groups="base.group_system",
        help="From https://eu.api.ovh.com/createToken, with the rights GET /sms/* and POST /sms/*.",
    )
    ovh_application_secret = fields.Char(
        "OVHcloud application secret", copy=False, groups="base.group_system"
    )
    ovh_consumer_key = fields.Char("OVHcloud consumer key", copy=False, groups="base.group_system")
    ovh_service_name = fields.Char(
        "OVHcloud SMS account",
        copy=False,
        groups="base.group_system",
        help="In the OVHcloud control panel under Telecom › SMS, e.g. sms-ab12345-1.",
    )
    ovh_stop_clause = fields.Boolean(
        "OVHcloud adds its STOP clause",
        groups="base.group_system",
        help="To mailings and campaigns that leave under a name, as French law asks for. They then "
        "do not leave at night and at weekends, and the clause takes space of the text. All other "
        "texts go without.",
    )
