from odoo import models

from .. import const


class SmsGate(models.AbstractModel):
    _inherit = "sms.gate"

    def _gate_check_one(self, vals, sender, blacklisted):
        """LINK cannot carry emoji: such a text is refused here, and not sent broken."""
        if refusal := super()._gate_check_one(vals, sender, blacklisted):
            return refusal
        if sender.gateway_id.code != "linkmobility":
            return None
        wrong = "".join(dict.fromkeys(const.NOT_CARRIED.findall(vals.get("body") or "")))
        if not wrong:
            return None
        return "sms_rejected", self.env._(
            "LINK Mobility cannot send %s. Take it out of the text, or choose another sender.",
            wrong,
        )
