from odoo import fields, models


class SmsSender(models.Model):
    _inherit = "sms.sender"

    flow_ids = fields.One2many(
        "sms.flow", "sender_id", "SMS flows", help="The flows that text with it."
    )
    strict_answers = fields.Boolean(
        "Answers to a shared number wait",
        default=True,
        help="While several flows use this number, no answer moves a customer: all of them wait in "
        "the inbox. Switched off, an answer that directly follows the one question that is open "
        "counts.",
    )

    def _find_twins(self):
        """The same number in other companies."""
        return (
            self.sudo().search(
                [("address", "in", self.mapped("address")), ("company_id", "not in", self.company_id.ids)]
            )
            if self
            else self
        )
