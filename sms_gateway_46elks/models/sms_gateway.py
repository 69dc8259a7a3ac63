from odoo import fields, models


class SmsGateway(models.Model):
    _inherit = "sms.gateway"

    # === FIELDS === #

    code = fields.Selection(selection_add=[("elks", "46elks")], ondelete={"elks": "set default"})
    elks_username = fields.Char(
        "46elks API username",
        copy=False,
        groups="base.group_system",
        help="In the 46elks dashboard under Account. It begins with u.",
    )
    elks_password = fields.Char(
        "46elks API password",
        copy=False,
        groups="base.group_system",
        help="Beside the API username; not the password you log in with.",
    )
