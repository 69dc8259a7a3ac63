from odoo import fields, models

#: Why a run came to a step, or left it.
CAUSES = [
    ("stage", "Stage set"),
    ("hand", "By hand"),
    ("reply", "SMS reply"),
    ("expired", "No answer"),
    ("action", "Automation"),
    ("batch", "Many at once"),
]


class SmsFlowEntry(models.Model):
    """One stay of a record in one step: when, why, what was sent and what was answered."""

    _name = "sms.flow.entry"
    _description = "SMS Flow History"
    _order = "id DESC"
    _rec_name = "step_name"
    _log_access = False

    run_id = fields.Many2one(
        "sms.flow.run", required=True, readonly=True, index=True, ondelete="cascade"
    )
    flow_id = fields.Many2one(
        "sms.flow", required=True, readonly=True, index=True, ondelete="cascade"
    )
    step_id = fields.Many2one("sms.flow.step", readonly=True, index=True, ondelete="set null")
    step_name = fields.Char("Step", readonly=True, help="As it was called; also once it is gone.")
    company_id = fields.Many2one(related="flow_id.company_id")
    cause = fields.Selection(CAUSES, "Came by", readonly=True)
    user_id = fields.Many2one("res.users", "Moved by", readonly=True, index="btree_not_null")
    entered_at = fields.Datetime(required=True, readonly=True)
    left_at = fields.Datetime(readonly=True)
    left_by = fields.Selection([*CAUSES, ("stopped", "Flow stopped")], "Left by", readonly=True)
    message_id = fields.Many2one(
        "sms.message", "Text", readonly=True, index="btree_not_null", ondelete="set null"
    )
    message_body = fields.Text("Text sent", related="message_id.body")
    reply_message_id = fields.Many2one(
        "sms.message", "Answer", readonly=True, index="btree_not_null", ondelete="set null"
    )
    reply_body = fields.Text("Answer received", related="reply_message_id.body")
    replied_at = fields.Datetime("Answered", readonly=True)
    reply_id = fields.Many2one(
        "sms.flow.reply", "Taken for", readonly=True, index="btree_not_null", ondelete="set null"
    )
    reminder_ids = fields.Many2many("sms.flow.reminder", string="Reminders sent", readonly=True)
    reminders_sent = fields.Integer(readonly=True)

    _report_idx = models.Index("(flow_id, entered_at)")
