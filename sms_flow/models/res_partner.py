from odoo import models


class ResPartner(models.Model):
    _name = "res.partner"
    _inherit = ["res.partner", "sms.flow.mixin"]

    def _take_over_sms(self, merged):
        """Override of `sms_inbox`: and the runs of flows."""
        res = super()._take_over_sms(merged)
        self._sms_flow_take_over(merged)
        return res
