from odoo import models


class SmsLane(models.AbstractModel):
    _inherit = "sms.lane"

    def _cancel_forbidden(self, messages):
        """Override of `sms_gateway`: what was diverted to LINK was written for another provider."""
        res = super()._cancel_forbidden(messages)
        adapter = self.env["sms.gateway.adapter.linkmobility"]
        ours = (messages - res).filtered(lambda m: m.gateway_id.code == "linkmobility")
        for message in ours:
            if words := adapter._explain_not_carried(message.body):
                message._set_failed("sms_rejected", words)
                res |= message
        return res
