from odoo import api, fields, models


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
    twin_ids = fields.Many2many(
        "sms.sender",
        string="The same number in other companies",
        compute="_compute_twin_ids",
        compute_sudo=True,
        groups="base.group_system",
    )

    @api.depends("address", "company_id")
    def _compute_twin_ids(self):
        for sender in self:
            sender.twin_ids = self.sudo().search(
                [("address", "=", sender.address), ("company_id", "!=", sender.company_id.id)]
            )
