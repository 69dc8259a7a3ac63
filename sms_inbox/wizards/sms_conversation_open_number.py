from odoo import api, fields, models


class SmsConversationOpenNumber(models.TransientModel):
    """One of a customer's numbers, with whose it is, to choose from."""

    _name = "sms.conversation.open.number"
    _description = "SMS Number to Choose"

    number = fields.Char(required=True, readonly=True, help="E.164")
    holder_name = fields.Char("Whose", readonly=True)

    @api.depends("number", "holder_name")
    def _compute_display_name(self):
        for line in self:
            line.display_name = f"{line.holder_name}: {line.number}"
