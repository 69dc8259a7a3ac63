from odoo import models


class SmsFlowCheck(models.TransientModel):
    _name = "sms.flow.check"
    _description = "SMS Flow Check"


class SmsFlowCheckLine(models.TransientModel):
    _name = "sms.flow.check.line"
    _description = "SMS Flow Finding"
