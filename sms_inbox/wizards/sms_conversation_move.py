from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

#: Field that takes what is selected in a list, by the model of the list.
SELECTABLE = {"discuss.channel": "channel_ids", "sms.message": "message_ids"}


class SmsConversationMove(models.TransientModel):
    """Move conversations, or single texts, to the record they belong to."""

    _name = "sms.conversation.move"
    _description = "Move SMS Conversations"

    # === FIELDS === #

    channel_ids = fields.Many2many("discuss.channel", string="Conversations")
    message_ids = fields.Many2many("sms.message", string="Texts")
    from_names = fields.Char("Now on", compute="_compute_from_names")
    record_ref = fields.Reference(
        [("res.partner", "Contact or company"), ("crm.lead", "Lead or opportunity")],
        string="Move to",
        required=True,
    )
    move_history = fields.Boolean(
        "Take the earlier texts along",
        default=True,
        help="They disappear from the history of the record the conversation leaves, and stand in "
        "the history of the one it goes to. Otherwise only later texts go there.",
    )

    # === COMPUTE METHODS === #

    @api.depends("channel_ids", "message_ids")
    def _compute_from_names(self):
        for wizard in self:
            names = [record.display_name for record in wizard._get_sources()]
            wizard.from_names = ", ".join(names) or self.env._("No record")

    @api.model
    def default_get(self, fields):
        """Override to take what is selected in a list."""
        values = super().default_get(fields)
        selected = SELECTABLE.get(self.env.context.get("active_model"))
        if selected and not any(values.get(name) for name in SELECTABLE.values()):
            values[selected] = [Command.set(self.env.context.get("active_ids", []))]
        return values

    # === ACTION METHODS === #

    def action_move(self):
        """Move, and say so."""
        self.ensure_one()
        target = self.record_ref
        self._check_may_move()
        moves = self.env["sms.conversation.move.log"]
        for channel in self.channel_ids:
            if channel._sms_get_record() != target:
                moves |= moves._move_conversation(channel, target, self.move_history)
        elsewhere = self.message_ids.filtered(lambda text: text._get_record() != target)
        moves |= moves._move_messages(elsewhere, target)
        return self._get_closing_action(moves)

    def _check_may_move(self):
        """What is moved, where it is and where it goes must be the user's to read."""
        if not self.channel_ids and not self.message_ids:
            raise UserError(self.env._("Choose the conversations to move first."))
        for records in (self.channel_ids, self.message_ids, self.record_ref, *self._get_sources()):
            records.check_access("read")
        if set(self.channel_ids.mapped("channel_type")) - {"sms"}:
            raise UserError(self.env._("Only SMS conversations can be moved."))

    def _get_sources(self):
        """The records that what is moved is on, each once."""
        moved = [channel._sms_get_record() for channel in self.channel_ids]
        moved += [message._get_record() for message in self.message_ids]
        return list(dict.fromkeys(record.sudo(False) for record in moved if record))

    def _get_closing_action(self, moves):
        name = self.record_ref.display_name
        words = self.env._("Moved to %s.", name)
        if not moves:
            words = self.env._("It is on %s already: nothing was moved.", name)
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success" if moves else "info",
                "message": words,
                "next": {"type": "ir.actions.act_window_close"},
            },
        }
