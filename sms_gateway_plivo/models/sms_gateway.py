from odoo import fields, models


class SmsGateway(models.Model):
    _inherit = "sms.gateway"

    # === FIELDS === #

    code = fields.Selection(selection_add=[("plivo", "Plivo")], ondelete={"plivo": "set default"})
    plivo_auth_id = fields.Char(
        "Plivo auth ID",
        copy=False,
        groups="base.group_system",
        help="On the overview page of the Plivo console. It begins with MA, of a subaccount with "
        "SA.",
    )
    plivo_auth_token = fields.Char(
        "Plivo auth token",
        copy=False,
        groups="base.group_system",
        help="Beside the auth ID. Plivo signs its calls with it too.",
    )
