from datetime import timedelta

from odoo import fields, models

from odoo.addons.sms_gateway.engine.quiet_hours import next_allowed

#: A text that leaves later than this after it was written was held up: by quiet hours, a provider
#: that could not be reached, a long queue.
HELD_UP = timedelta(minutes=1)


class SmsMessage(models.Model):
    _inherit = "sms.message"  # pylint: disable=consider-merging-classes-inherited

    flow_id = fields.Many2one(
        "sms.flow", "SMS flow", readonly=True, index="btree_not_null", ondelete="set null"
    )
    flow_entry_id = fields.Many2one(
        "sms.flow.entry", readonly=True, index="btree_not_null", ondelete="set null"
    )
    flow_step_id = fields.Many2one(related="flow_entry_id.step_id", string="SMS step")
    flow_reminder_id = fields.Many2one(
        "sms.flow.reminder", readonly=True, index="btree_not_null", ondelete="set null"
    )
    inbox_reason = fields.Selection(
        selection_add=[
            ("no_rule", "Answer to a step that takes none"),
            ("shared", "Several flows use the number"),
        ]
    )

    # === STATE METHODS === #

    def _transition(self, state, **values):
        """Override of `sms_gateway`: reminders of a text that was held up count from when it left.

        Most leave at once, and nothing is to be done.
        """
        held_up = self.browse()
        if state in ("sent", "delivered", "unknown"):
            soon = self.env.cr.now() - HELD_UP
            held_up = self.filtered(
                lambda m: m.state in ("queued", "sending")
                and m.flow_entry_id
                and m.create_date < soon
            )
        changed = super()._transition(state, **values)
        for message in held_up & changed:
            message.flow_entry_id.run_id._note_text_left(message)
        return changed

    def _resend(self):
        """Override of `sms_gateway`: what is sent again is a text of the step like the first."""
        fresh = self.filtered(lambda m: m.flow_entry_id and not m.resent_as_id)
        res = super()._resend()
        for message in fresh:
            message.flow_entry_id.run_id._note_resent(message, message.resent_as_id)
        return res

    def _set_failed(self, failure_type, reason=None, code=None):
        """Override of `sms_gateway`: a step whose text did not arrive needs attention."""
        changed = super()._set_failed(failure_type, reason=reason, code=code)
        changed._tell_flows()
        return changed

    def _set_cancelled(self, failure_type=False, reason=None):
        """Override of `sms_gateway`: likewise, where it was refused at the last moment."""
        changed = super()._set_cancelled(failure_type=failure_type, reason=reason)
        changed.filtered("failure_type")._tell_flows()
        return changed

    def _tell_flows(self):
        """Runs that still stand in the step of these texts."""
        for message in self.filtered("flow_entry_id"):
            run = message.flow_entry_id.run_id
            if run.entry_id == message.flow_entry_id and run.state != "stopped":
                words = message._get_failure_words() or dict(message._selection_failure_type()).get(
                    message.failure_type
                )
                run._note_text_failed(words or self.env._("The text was not delivered."))

    # === RECEIVING === #

    def _route_inbound(self):
        """Override of `sms_inbox`: whoever writes is reminded no more, whatever he writes.

        What answers a text of a flow that takes no answers waits in the inbox (R062).
        """
        self._stop_reminding()
        res = super()._route_inbound()
        self._catch_unexpected()
        return res

    def _stop_reminding(self):
        """Runs that wait for these customers on these numbers have an answer, of whatever kind."""
        if not self.env["sms.flow"]._is_any():
            return
        runs = self.env["sms.flow.run"].sudo()
        runs = runs.search([("number", "in", self.mapped("number")), ("state", "=", "active")])
        by_number = runs.grouped("number")
        runs._note_replies(
            {
                run: message
                for message in self
                for run in by_number.get(message.number, ())
                if message.sender_id in run._get_own_senders()
            }
        )

    def _catch_unexpected(self):
        """Texts that follow one of a flow, and that no question waits for."""
        free = self.filtered(
            lambda m: not m.inbox_state
            and not m.keyword
            and m.routing_rule != "prompt"
            and m.sender_id.flow_ids
        )
        for message in free:
            latest = self.sudo()._find_latest_sent(message.number, message.sender_id)
            if latest.flow_entry_id:
                message._set_inbox_todo("no_rule")

    def _get_possible_names(self):
        """Override of `sms_inbox`: and the flows that use the number (R038).

        Those in which the customer's number is known, if there are any.
        """
        names = super()._get_possible_names()
        flows = self.sender_id.sudo().flow_ids
        runs = self.env["sms.flow.run"].sudo()
        runs = runs.search([("flow_id", "in", flows.ids), ("number", "in", self.mapped("number"))])
        by_number = runs.grouped("number")
        readable = flows.sudo(False)._filtered_access("read")
        for message in self:
            flows = message.sender_id.sudo().flow_ids
            known = flows & by_number.get(message.number, runs.browse()).flow_id
            possible = (known or flows).sudo(False) & readable
            names[message] = names[message] + possible.mapped("name")
        return names

    # === SENDING === #

    def _is_reminder_wanted(self):
        """Whether the customer still is in the step and has not answered."""
        entry = self.flow_entry_id
        run = entry.run_id
        return (
            run.entry_id == entry
            and run.state == "active"
            and run.flow_id.is_running
            and not entry.replied_at
        )

    def _get_reminder_window(self):
        """Until when a reminder has to wait; False where it may go now.

        :return: naive UTC datetime, or False
        """
        now, reminder = fields.Datetime.now(), self.flow_reminder_id
        zone = self.flow_entry_id.run_id.tz or "UTC"
        opening = next_allowed(now, zone, reminder.window_end, reminder.window_start)
        return opening > now and opening
