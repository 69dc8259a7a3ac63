from odoo import api, models


class ContactCenterAgent(models.Model):
    _inherit = "contact.center.agent"

    @api.model
    def _find_of_user(self, user, company):
        """The agent that a user is in a company, may be empty."""
        if not user:
            return self.browse()
        domain = [("user_id", "=", user.id), ("company_id", "=", company.id)]
        return self.search(domain, limit=1)
