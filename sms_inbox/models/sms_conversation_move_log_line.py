from odoo import fields, models


class SmsConversationMoveLogLine(models.Model):
    """One text that a move took along, and where it was."""

    _name = "sms.conversation.move.log.line"
    _description = "Moved SMS"
    _log_access = False

    log_id = fields.Many2one(
        "sms.conversation.move.log", required=True, readonly=True, index=True, ondelete="cascade"
    )
    message_id = fields.Many2one(
        "sms.message", required=True, readonly=True, index=True, ondelete="cascade"
    )
    from_model = fields.Char(readonly=True)
    from_id = fields.Many2oneReference(model_field="from_model", readonly=True)
    from_rule = fields.Char("Why it was there", readonly=True)
