from odoo import models


class SmsComposer(models.TransientModel):
    _inherit = "sms.composer"

    def _get_origin(self):
        """Override of `sms_gateway`: what a mailing sends is counted as that."""
        return "mailing" if self.mailing_id else super()._get_origin()
