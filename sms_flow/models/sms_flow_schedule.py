import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL

_logger = logging.getLogger(__name__)

#: Runs that are seen to in one transaction.
BATCH = 500
#: Reminders wait so long, at most, for received texts that are not yet worked off.
PATIENCE = timedelta(minutes=5)
#: A moment is put into the window, then out of the quiet hours, and so on; after three rounds it
#: is in both, or both never meet.
ROUNDS = 3


class SmsFlowSchedule(models.AbstractModel):
    """When reminders are due and questions expire; a part of ``sms.flow.run``.

    Both moments are computed when something changes and kept in indexed columns, so that the
    scheduled action picks what is due and nothing else (P12).
    """

    _name = "sms.flow.schedule"
    _description = "SMS Flow Schedule"

    next_reminder_at = fields.Datetime("Next reminder", readonly=True)
    next_reminder_id = fields.Many2one(
        "sms.flow.reminder", readonly=True, index="btree_not_null", ondelete="set null"
    )
    expires_at = fields.Datetime("Given up at", readonly=True)

    # === SCHEDULE === #

    def _schedule(self):
        """Compute anew when the next reminder is due and when the step is given up.

        A reminder is due its delay after the last or the first text of the step, and then at the
        first moment that is in its window and outside the company's quiet hours, on the clock of
        the customer. Nothing is due once he has answered, or before he has been sent anything.
        """
        if not self:
            return
        self.env.flush_all()
        self.env.execute_query(
            SQL(
                """
                UPDATE sms_flow_run run
                   SET next_reminder_at = due.at, next_reminder_id = due.reminder_id,
                       expires_at = due.expires_at
                  FROM (%s) due
                 WHERE run.id = due.run_id
                   AND (run.next_reminder_at, run.next_reminder_id, run.expires_at)
                       IS DISTINCT FROM (due.at, due.reminder_id, due.expires_at)
             RETURNING run.id
                """,
                self._get_due_query(),
            )
        )
        self.invalidate_recordset(
            ["next_reminder_at", "next_reminder_id", "expires_at"], flush=False
        )

    def _get_due_query(self):
        """SQL of (run_id, at, reminder_id, expires_at) of these runs."""
        return SQL(
            """
            SELECT run.id AS run_id, next.at, next.reminder_id,
                   CASE WHEN waiting.yes AND step.expires_after > 0
                        THEN coalesce(run.first_text_at, run.step_entered_at)
                             + step.expires_after * %(expires_unit)s END AS expires_at
              FROM sms_flow_run run
              JOIN sms_flow flow ON flow.id = run.flow_id
              JOIN res_company company ON company.id = flow.company_id
              LEFT JOIN sms_flow_step step ON step.id = run.step_id
              LEFT JOIN sms_flow_entry entry ON entry.id = run.entry_id
              CROSS JOIN LATERAL (
                   SELECT run.state = 'active' AND flow.active AND flow.sms_enabled
                          AND flow.flow_enabled AND company.sms_enabled
                          AND run.is_paused IS NOT TRUE
                          AND entry.replied_at IS NULL AND run.attention IS NULL AS yes) waiting
              LEFT JOIN LATERAL (%(reminders)s) next ON waiting.yes
             WHERE run.id = ANY(%(ids)s)
            """,
            expires_unit=_interval(SQL("step.expires_unit")),
            reminders=self._get_next_reminder_query(),
            ids=self.ids,
        )

    @api.model
    def _get_next_reminder_query(self):
        """SQL of (at, reminder_id) of the reminder of ``run`` that is due first.

        One whose window the quiet hours never let open is never due.
        """
        before, moment, laterals = SQL(), SQL("planned.at"), []
        window = SQL("reminder.window_start"), SQL("reminder.window_end")
        loud = SQL("company.sms_quiet_end"), SQL("company.sms_quiet_start")
        for number in range(2 * ROUNDS):
            into_window = number % 2 == 0
            opening = _opening(moment, *(window if into_window else loud))
            if not into_window:
                opening = SQL(
                    "CASE WHEN company.sms_quiet_hours THEN %s ELSE %s END", opening, moment
                )
            name = SQL.identifier(f"round_{number}")
            # OFFSET 0: merged into one, the expression would grow with each round many times over
            laterals.append(SQL("CROSS JOIN LATERAL (SELECT %s AS at OFFSET 0) %s", opening, name))
            before, moment = moment, SQL("%s.at", name)
        return SQL(
            """
            SELECT %(moment)s AS at, reminder.id AS reminder_id
              FROM sms_flow_reminder reminder
              CROSS JOIN LATERAL (
                   SELECT greatest(
                          CASE reminder.base WHEN 'first' THEN run.first_text_at
                               ELSE run.last_text_at END
                          + reminder.delay * %(unit)s, %(now)s) AS at OFFSET 0) planned
              %(laterals)s
             WHERE reminder.step_id = run.step_id AND planned.at IS NOT NULL
               AND run.last_text_at IS NOT NULL
               AND %(moment)s = %(before)s
               AND NOT EXISTS (
                   SELECT FROM sms_flow_entry_sms_flow_reminder_rel sent
                    WHERE sent.sms_flow_entry_id = run.entry_id
                      AND sent.sms_flow_reminder_id = reminder.id)
             ORDER BY 1, reminder.sequence, reminder.id LIMIT 1
            """,
            moment=moment,
            before=before,
            unit=_interval(SQL("reminder.delay_unit")),
            now=self.env.cr.now(),
            laterals=SQL(" ").join(laterals),
        )

    def _cancel_reminders(self):
        """No reminder goes out: none is due, and those in the queue leave it."""
        if not self:
            return
        self.write({"next_reminder_at": False, "next_reminder_id": False, "expires_at": False})
        self._cancel_queued("reminder", self.env._("The customer has answered or moved on."))

    def _cancel_queued(self, origin, why):
        """Texts of the step the runs are in leave the queue."""
        self._find_queued(origin)._set_cancelled(reason=why)

    def _find_queued(self, *origins):
        """Texts of the step the runs are in that have not left yet."""
        return (
            self.env["sms.message"]
            .sudo()
            .search(
                [
                    ("flow_entry_id", "in", self.entry_id.ids),
                    ("origin", "in", origins),
                    ("state", "in", ("queued", "sending")),
                ]
            )
        )

    # === WHAT IS DUE === #

    @api.model
    def _run_due(self):
        """See to what is due: steps that are given up, then reminders; the scheduled action."""
        with self.env["sms.lane"]._lock("flow") as locked:
            while locked and (due := self._pick_due()):
                due._try(type(due)._see_to_due)
                if not self.env["ir.cron"]._commit_progress():
                    break

    @api.model
    def _pick_due(self):
        """Runs with something due now, the longest overdue first; they are locked.

        While received texts wait to be worked off, reminders wait too: one may be the answer.
        """
        now = self.env.cr.now()
        overdue = now - PATIENCE if self._is_behind() else now
        self.env.cr.execute(
            """
            SELECT id FROM sms_flow_run WHERE id IN (
                   (SELECT id FROM sms_flow_run WHERE expires_at <= %s
                     ORDER BY expires_at LIMIT %s)
                    UNION ALL
                   (SELECT id FROM sms_flow_run WHERE next_reminder_at <= %s
                     ORDER BY next_reminder_at LIMIT %s))
               FOR NO KEY UPDATE SKIP LOCKED
            """,
            [overdue, BATCH, overdue, BATCH],
        )
        return self.sudo().browse([row[0] for row in self.env.cr.fetchall()])

    @api.model
    def _is_behind(self):
        """Whether calls with texts of customers are not yet worked off."""
        self.env.cr.execute(
            "SELECT FROM sms_gateway_event WHERE state = 'new' AND kind = 'inbound' LIMIT 1"
        )
        return bool(self.env.cr.rowcount)

    def _try(self, method):
        """Run it as one transaction; what fails is tried one by one, and then stands as failed."""
        try:
            method(self)
            self.env["sms.lane"]._commit(processed=len(self))
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            self.env["sms.lane"]._rollback()
        except Exception as error:
            self.env["sms.lane"]._rollback()
            _logger.exception("SMS flow: what is due of %s records failed", len(self))
            if len(self) > 1:
                for run in self:
                    run._try(method)
            else:
                self._cancel_reminders()
                self._need_attention(str(error) or type(error).__name__)
                self.env["sms.lane"]._commit(processed=1)

    def _see_to_due(self):
        """Late or not: what is outside its window by now waits for the next.

        So does who has not been sent what he is to be reminded of; it is planned anew when it
        leaves (``_note_text_left``).
        """
        waiting = self._find_queued("flow", "reminder").filtered("send_after")
        held_up = waiting.flow_entry_id.run_id & self
        held_up.write({"next_reminder_at": False, "expires_at": False})
        ready = self - held_up
        ready._schedule()
        now = self.env.cr.now()
        expired = ready.filtered(lambda run: run.expires_at and run.expires_at <= now)
        for step, runs in expired.grouped("step_id").items():
            runs._give_up(step)
        due = (ready - expired).filtered(
            lambda run: run.next_reminder_at and run.next_reminder_at <= now
        )
        for (step, reminder), runs in due.grouped(
            lambda run: (run.step_id, run.next_reminder_id)
        ).items():
            runs._send_reminder(step, reminder)

    def _give_up(self, step):
        """Nobody answered in time: to the step that is for this, else the end."""
        self._close_questions("expired")
        if step.expires_step_id:
            self._enter(step.expires_step_id, "expired")
        else:
            self._stop("expired")

    def _send_reminder(self, step, reminder):
        """The step's text once more; the question stays the same.

        Others that are overdue by now are left out: nobody is reminded twice at once.
        """
        sent = self._send_texts(step, origin="reminder", lane="normal", reminder=reminder)
        for run in self:
            run.entry_id.reminder_ids += reminder | run._get_overdue_reminders(step)
            run.entry_id.reminders_sent += run in sent
        prompts = self._find_open_questions().grouped("res_id")
        for run, message in sent.items():
            if run.id in prompts:
                prompts[run.id]._ask_again(message)
        self._schedule()

    def _get_overdue_reminders(self, step):
        """Those counted from the first text whose time has come, be it outside their window."""
        now, first = self.env.cr.now(), self.first_text_at
        return step.reminder_ids.filtered(
            lambda r: r.base == "first" and first and first + r._get_delay() <= now
        )


def _interval(unit):
    """SQL of the interval of a unit of ``DELAY_UNITS``."""
    return SQL(
        "CASE %s WHEN 'minutes' THEN interval '1 minute' WHEN 'hours' THEN interval '1 hour'"
        " ELSE interval '1 day' END",
        unit,
    )


def _opening(moment, start, end):
    """SQL of the first moment, from ``moment`` on, between two hours of the customer's day.

    All moments are naive UTC; the hours are those of ``run.tz``, right across both nights on which
    clocks change. ``start`` may be the later of the two, for hours across midnight; two equal ones
    are the whole day.
    """
    local = SQL("(%s AT TIME ZONE 'UTC' AT TIME ZONE coalesce(run.tz, 'UTC'))", moment)
    hour = SQL("extract(epoch FROM %s::time) / 3600.0", local)
    return SQL(
        """
        CASE WHEN %(start)s = %(end)s
               OR (%(start)s < %(end)s AND %(hour)s >= %(start)s AND %(hour)s < %(end)s)
               OR (%(start)s > %(end)s AND (%(hour)s >= %(start)s OR %(hour)s < %(end)s))
             THEN %(moment)s
             ELSE (date_trunc('day', %(local)s)
                   + (CASE WHEN %(hour)s >= %(start)s THEN 1 ELSE 0 END) * interval '1 day'
                   + %(start)s * interval '1 hour')
                  AT TIME ZONE coalesce(run.tz, 'UTC') AT TIME ZONE 'UTC' END
        """,
        start=start,
        end=end,
        hour=hour,
        local=local,
        moment=moment,
    )
