from odoo import models


class ContactCenterCall(models.Model):
    _inherit = "contact.center.call"

    def _on_talked(self):
        """Override of `contact_center`: ask the caller about the call (R102).

        Told again, the call's last service and agent are those of the question (R110).
        """
        res = super()._on_talked()
        for call in self:
            self.env["survey.user_input"].sudo()._plan_for_source("call_id", call, call.agent_id)
        return res
