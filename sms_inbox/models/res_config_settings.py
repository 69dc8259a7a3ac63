from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    sms_notify_in_app = fields.Boolean(related="company_id.sms_notify_in_app", readonly=False)
