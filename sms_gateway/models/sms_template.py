from odoo import fields, models


class SmsTemplate(models.Model):
    _inherit = "sms.template"

    name = fields.Char(required=True)
