from datetime import timedelta

from odoo import api, fields, models

from .sms_flow_step import DELAY_UNITS


class SmsFlowReminder(models.Model):
    """The text of a step once more, some time later, for who has not answered."""

    _name = "sms.flow.reminder"
    _description = "SMS Flow Reminder"
    _order = "step_id, sequence, id"
    _rec_name = "prefix"

    step_id = fields.Many2one("sms.flow.step", required=True, index=True, ondelete="cascade")
    sequence = fields.Integer(default=10)
    delay = fields.Integer("After", required=True, default=24)
    delay_unit = fields.Selection(DELAY_UNITS, "Unit", required=True, default="hours")
    base = fields.Selection(
        [("last", "the last text"), ("first", "the first text of the step")],
        "Counted from",
        required=True,
        default="last",
        help="Every text that the customer got from the flow's number meanwhile counts as the "
        "last.",
    )
    prefix = fields.Char(
        translate=True,
        default=lambda self: self.env._("Reminder:"),
        help="Stands before the text of the step.",
    )
    window_start = fields.Float("From", default=9.0)
    window_end = fields.Float("To", default=21.0)

    _delay_positive = models.Constraint(
        "CHECK(delay > 0)", "A reminder goes out some time after the text: enter a delay above 0."
    )
    _window_valid = models.Constraint(
        "CHECK(window_start >= 0 AND window_start < window_end AND window_end <= 24)",
        "A reminder's window is two times of one day, the earlier first, e.g. 9:00 to 21:00.",
    )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        reminders = super().create(vals_list)
        reminders.step_id.flow_id._refuse_while_off()
        reminders.step_id._get_active_runs()._schedule()
        return reminders

    def write(self, vals):
        """Override of `base`: rights are checked before a change; it may not go to others (P11)."""
        res = super().write(vals)
        if "step_id" in vals:
            self.check_access("write")
        self.step_id.flow_id._refuse_while_off()
        if vals.keys() - {"prefix", "sequence"}:
            self.step_id._get_active_runs()._schedule()
        return res

    def unlink(self):
        """Override of `base`: who would have got it gets the next; what is queued does not go."""
        self.env["sms.message"].sudo().search(
            [("flow_reminder_id", "in", self.ids), ("state", "=", "queued")]
        )._set_cancelled(reason=self.env._("The reminder was deleted."))
        runs = self.step_id._get_active_runs()
        res = super().unlink()
        runs._schedule()
        return res

    # === BUSINESS METHODS === #

    def _get_delay(self):
        return timedelta(**{self.delay_unit: self.delay})
