from odoo import models


class SmsSms(models.Model):
    _inherit = "sms.sms"

    def _gate_follow_up(self):
        """Override of `sms_gateway`: what is sent from elsewhere shows in the conversation.

        The conversation shows its own texts itself, and what goes to many when it leaves.
        """
        res = super()._gate_follow_up()
        if not self.env.context.get("sms_in_conversation"):
            self.filtered(lambda sms: sms.lane != "bulk").message_id._show_in_conversations()
        return res
