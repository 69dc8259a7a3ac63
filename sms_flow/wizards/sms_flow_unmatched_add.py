from odoo import models


class SmsFlowUnmatchedAdd(models.TransientModel):
    _name = "sms.flow.unmatched.add"
    _description = "SMS Flow Unmatched Add"
