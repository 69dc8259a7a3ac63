from odoo import models


class ContactCenterCallback(models.Model):
    _inherit = "contact.center.callback"

    def _on_closed(self):
        """Override of `contact_center`: ask whoever was called back (R102)."""
        res = super()._on_closed()
        for callback in self.filtered(lambda callback: callback.state == "completed"):
            self.env["survey.user_input"].sudo()._plan_for_source(
                "callback_id", callback, callback._get_survey_agent()
            )
        return res

    def _get_survey_agent(self):
        """Who made the call: at the exchange, or by hand."""
        if self.agent_id or not self.user_id:
            return self.agent_id
        return self.agent_id._find_of_user(self.user_id, self.company_id)
