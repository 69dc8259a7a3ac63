from odoo import models


class SmsFlowReport(models.Model):
    _name = "sms.flow.report"
    _description = "SMS Flow Report"
