from odoo import models


class ContactCenterCallback(models.Model):
    _inherit = "contact.center.callback"

    def _on_closed(self):
        """Override of `contact_center`: the Auto Agent calls in vain, and hangs up."""
        res = super()._on_closed()
        calls = self.env["sms.demo.voice"].sudo()
        for callback in self:
            calls._hang_up(callback.connector_id, callback._get_public_id())
        return res
