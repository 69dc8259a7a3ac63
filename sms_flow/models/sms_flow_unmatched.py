from odoo import models


class SmsFlowUnmatched(models.Model):
    _name = "sms.flow.unmatched"
    _description = "SMS Flow Unmatched Answer"
