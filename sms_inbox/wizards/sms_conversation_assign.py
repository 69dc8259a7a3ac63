from odoo import api, fields, models
from odoo.fields import Command


class SmsConversationAssign(models.TransientModel):
    """Give conversations to whoever is to answer them."""

    _name = "sms.conversation.assign"
    _description = "Assign SMS Conversations"

    channel_ids = fields.Many2many("discuss.channel", string="Conversations", required=True)
    user_id = fields.Many2one(
        "res.users",
        "To",
        domain=lambda self: self._get_user_domain(),
        help="Nobody: the conversations wait among the unassigned.",
    )

    @api.model
    def _get_user_domain(self):
        """Who may work with texts of the company."""
        return [
            ("all_group_ids", "in", self.env.ref("sms_gateway.group_sms_user").ids),
            ("company_ids", "in", self.env.company.ids),
            ("share", "=", False),
        ]

    @api.model
    def default_get(self, fields):
        """Override to take what is selected in a list."""
        values = super().default_get(fields)
        if self.env.context.get("active_model") == "discuss.channel":
            selected = Command.set(self.env.context.get("active_ids", []))
            values.setdefault("channel_ids", [selected])
        return values

    def action_assign(self):
        """Assign, with the rights of the user; the conversations check them."""
        self.channel_ids.sms_assign(self.user_id.id)
        return {"type": "ir.actions.act_window_close"}
