from odoo import api, models


class PhoneBlacklist(models.Model):
    _inherit = "phone.blacklist"

    @api.model_create_multi
    def create(self, vals_list):
        """Override of `phone_validation`: who has opted out is in no flow any more."""
        entries = super().create(vals_list)
        entries.filtered("active")._sms_stop_flows()
        return entries

    def write(self, vals):
        """Override of `phone_validation`: likewise, once an old entry counts again."""
        res = super().write(vals)
        if vals.get("active"):
            self._sms_stop_flows()
        return res

    @api.model
    def _sms_add_unknown(self, number):
        """Override of `sms_gateway`: likewise, for a number that the library does not know."""
        entry = super()._sms_add_unknown(number)
        entry._sms_stop_flows()
        return entry

    def _sms_stop_flows(self):
        if not self.env["sms.flow"]._is_any():
            return
        domain = [("number", "in", self.mapped("number")), ("state", "=", "active")]
        self.env["sms.flow.run"].sudo().search(domain)._stop("opt_out")
