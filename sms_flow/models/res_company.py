from odoo import models


class ResCompany(models.Model):
    _inherit = "res.company"

    def write(self, vals):
        """Override of `sms_gateway`: with SMS switched off, no flow waits for anything (R076)."""
        switched_on = self.sudo().filtered("sms_enabled")
        res = super().write(vals)
        off = switched_on.filtered(lambda company: not company.sms_enabled)
        if off:
            flows = self.env["sms.flow"].sudo().search([("company_id", "in", off.ids)])
            flows._get_active_runs()._pause()
        if {"sms_quiet_hours", "sms_quiet_start", "sms_quiet_end"} & vals.keys():
            flows = self.env["sms.flow"].sudo().search([("company_id", "in", self.ids)])
            flows._get_active_runs().filtered("step_id.reminder_ids")._schedule()
        return res
