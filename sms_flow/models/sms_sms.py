from odoo import models


class SmsSms(models.Model):
    _inherit = "sms.sms"

    def _gate_check_sender(self, vals, sender):
        """Override of `sms_gateway`: a flow sends with a number that is assigned to one (R077)."""
        if vals["origin"] in ("flow", "reminder") and not sender.flow_ids:
            return "sms_sender", self.env._(
                "%s is assigned to no SMS flow. Choose it as the flow's sender.",
                sender.display_name,
            )
        return super()._gate_check_sender(vals, sender)

    def _gate_follow_up(self):
        """Override of `sms_gateway`: a text from elsewhere counts as the step's last, too."""
        res = super()._gate_follow_up()
        meanwhile = self.filtered(
            lambda text: text.state == "outgoing"
            and text.res_id
            and text.origin not in ("flow", "reminder", "system")
            and text.sender_id.id in self.env["sms.flow"]._get_sender_ids()
        )
        for (sender, model), texts in meanwhile.grouped(
            lambda text: (text.sender_id, text.res_model)
        ).items():
            runs = self.env["sms.flow.run"].sudo()
            runs = runs.search(
                [
                    ("res_model", "=", model),
                    ("res_id", "in", texts.mapped("res_id")),
                    ("state", "=", "active"),
                    ("flow_id.sender_id", "=", sender.id),
                    ("last_text_at", "!=", False),
                    ("is_paused", "=", False),
                ]
            )
            runs._note_other_text()
        return res
