from odoo import models


class SmsGate(models.AbstractModel):
    _inherit = "sms.gate"

    def _gate_check_one(self, vals, sender, blacklisted):
        """Override of `sms_gateway`: what LINK cannot carry is refused here, not sent broken."""
        if refusal := super()._gate_check_one(vals, sender, blacklisted):
            return refusal
        if sender.gateway_id.code != "linkmobility":
            return None
        adapter = self.env["sms.gateway.adapter.linkmobility"]
        words = adapter._explain_not_carried(vals.get("body"))
        return ("sms_rejected", words) if words else None
