from odoo import models


class SmsLane(models.AbstractModel):
    _inherit = "sms.lane"

    def _cancel_forbidden(self, messages):
        """Override of `sms_gateway`: a reminder that waited may have been answered meanwhile."""
        forbidden = super()._cancel_forbidden(messages)
        reminders = (messages - forbidden).filtered("flow_reminder_id")
        pointless = reminders.filtered(lambda reminder: not reminder._is_reminder_wanted())
        pointless._set_cancelled(reason=self.env._("The customer has answered or moved on."))
        return forbidden | pointless

    def _postpone_quiet(self, messages, lane):
        """Override of `sms_gateway`: a reminder that waited too long waits for its next window."""
        postponed = super()._postpone_quiet(messages, lane)
        for message in (messages - postponed).filtered("flow_reminder_id"):
            if until := message._get_reminder_window():
                self._postpone(message, until, lane)
                postponed |= message
        return postponed
