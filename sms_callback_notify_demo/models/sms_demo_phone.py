from odoo import fields, models
from odoo.fields import Domain


class SmsDemoPhone(models.Model):
    _inherit = "sms.demo.phone"

    voice_ids = fields.One2many("sms.demo.voice", "phone_id", "Calls")

    def _find_for_screen(self, domain):
        """Override of `sms_gateway_demo` to put those first that ring."""
        ringing = Domain("voice_ids", "any", [("state", "!=", "ended")])
        return self.search(domain & ringing) | super()._find_for_screen(domain)

    def _format_for_screen(self):
        """Override of `sms_gateway_demo` to add the call that rings, or is talked."""
        return {**super()._format_for_screen(), "voice": self._get_call()._format_for_screen()}

    def _get_call(self):
        """The call of the user's companies that rang first, may be empty."""
        domain = [("phone_id", "=", self.id), ("state", "!=", "ended")]
        return self.env["sms.demo.voice"].search(domain, order="id", limit=1)
