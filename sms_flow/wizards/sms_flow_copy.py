from odoo import models


class SmsFlowCopy(models.TransientModel):
    _name = "sms.flow.copy"
    _description = "SMS Flow Copy"
