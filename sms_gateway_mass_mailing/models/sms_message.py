from odoo import models


class SmsMessage(models.Model):
    _inherit = "sms.message"

    def _erase(self):
        """Override of `sms_gateway`: the mailing forgets the number too."""
        trackers = self.env["sms.tracker"].sudo().search([("sms_uuid", "in", self.mapped("uuid"))])
        trackers.mailing_trace_id.sms_number = False
        return super()._erase()
