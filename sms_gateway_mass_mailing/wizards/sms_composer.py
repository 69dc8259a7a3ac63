from odoo import models


class SmsComposer(models.TransientModel):
    _inherit = "sms.composer"

    def _get_origin(self):
        """Override of `sms_gateway`: what a mailing sends is counted as that."""
        return "mailing" if self.mailing_id else super()._get_origin()

    def _get_rules_company(self):
        """Override of `sms_gateway`: the scheduler that sends a mailing is of another company."""
        mailing = self.mailing_id
        return mailing._get_sms_company() if mailing else super()._get_rules_company()

    def _prepare_mass_sms(self, records, sms_record_values):
        """Override of `mass_mailing_sms`: it has made the links those of each recipient."""
        texts = super()._prepare_mass_sms(records, sms_record_values)
        for text in texts if self.mailing_id else ():
            if text.message_id.body != text.body:
                text.message_id.write({"body": text.body, **text._measure_values(text.body)})
        return texts
