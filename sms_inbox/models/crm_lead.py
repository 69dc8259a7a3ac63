from odoo import models


class CrmLead(models.Model):
    _name = "crm.lead"
    _inherit = ["crm.lead", "sms.conversation.mixin"]

    def _merge_dependences(self, opportunities):
        """Override of `crm`: texts and conversations of merged leads go to the one that stays."""
        res = super()._merge_dependences(opportunities)
        self._take_over_sms(opportunities - self)
        return res
