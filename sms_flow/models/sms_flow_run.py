import json
from collections import defaultdict
from datetime import timedelta
from functools import lru_cache

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from odoo.addons.sms_gateway.engine.quiet_hours import zone_of_number

from .sms_flow_entry import CAUSES

#: Moves that no person makes: they may turn in circles.
AUTOMATIC_CAUSES = ("reply", "expired", "action")
#: A record comes to one step by itself so many times within a day, then the flow stops for it.
CIRCLES, CIRCLES_WITHIN = 5, timedelta(days=1)
#: Those of who never answers take longer.
SILENT_CIRCLES_WITHIN = timedelta(days=365)
#: Digits of a number that tell its time zone, whoever has it.
ZONE_DIGITS = 8


class SmsFlowRun(models.Model):
    """One record in one flow: where it stands and what it waits for."""

    _name = "sms.flow.run"
    _description = "SMS Flow Record"
    _inherit = ["sms.flow.schedule"]
    _order = "id DESC"
    _rec_name = "record_name"

    # === FIELDS === #

    flow_id = fields.Many2one(
        "sms.flow", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="flow_id.company_id", store=True, index=True)
    res_model = fields.Char("Record model", required=True, readonly=True)
    res_id = fields.Many2oneReference(
        "Record", model_field="res_model", required=True, readonly=True, index=True
    )
    record_name = fields.Char("Name", compute="_compute_record_name")
    number = fields.Char(readonly=True, help="Of the customer, in international form.")
    tz = fields.Char("Time zone", readonly=True)
    step_id = fields.Many2one(
        "sms.flow.step", "Step", readonly=True, index="btree_not_null", ondelete="set null"
    )
    entry_id = fields.Many2one(
        "sms.flow.entry", readonly=True, index="btree_not_null", ondelete="set null"
    )
    entry_ids = fields.One2many("sms.flow.entry", "run_id", "History", readonly=True)
    state = fields.Selection(
        [("active", "In the flow"), ("done", "Through"), ("stopped", "Stopped")],
        required=True,
        readonly=True,
        default="active",
    )
    cause = fields.Selection(CAUSES, "Came by", readonly=True)
    step_entered_at = fields.Datetime("In the step since", readonly=True)
    first_text_at = fields.Datetime("First text of the step", readonly=True)
    last_text_at = fields.Datetime("Last text", readonly=True)
    is_paused = fields.Boolean(
        readonly=True, help="The flow was switched off meanwhile: nothing follows in this step."
    )
    ended_at = fields.Datetime(readonly=True)
    end_reason = fields.Selection(
        [
            ("done", "Came to the last step"),
            ("left", "Its new stage has no step"),
            ("moved", "Went to another flow"),
            ("hand", "Stopped by hand"),
            ("opt_out", "The customer opted out"),
            ("archived", "Archived"),
            ("expired", "No answer in time"),
            ("circle", "Turned in circles"),
            ("step_deleted", "The step was deleted"),
            ("failed", "Could not be moved"),
        ],
        readonly=True,
    )
    attention = fields.Char("Needs attention", readonly=True)
    attention_at = fields.Datetime("Since", readonly=True)
    is_record_readable = fields.Boolean(
        compute="_compute_is_record_readable", search="_search_is_record_readable"
    )

    _record_uniq = models.UniqueIndex("(flow_id, res_model, res_id)")
    _record_idx = models.Index("(res_model, res_id)")
    _number_idx = models.Index("(number) WHERE state = 'active'")
    _step_idx = models.Index("(step_id, state)")
    _attention_idx = models.Index("(flow_id) WHERE attention IS NOT NULL")
    _reminder_idx = models.Index("(next_reminder_at) WHERE next_reminder_at IS NOT NULL")
    _expiry_idx = models.Index("(expires_at) WHERE expires_at IS NOT NULL")

    # === COMPUTE METHODS === #

    @api.depends("res_model", "res_id")
    @api.depends_context("uid", "allowed_company_ids")
    def _compute_record_name(self):
        """As a user may read it; whoever asks: a link to the run is shown with its name."""
        names = self._get_readable_names({(run.res_model, run.res_id) for run in self})
        for run in self:
            run.record_name = names.get((run.res_model, run.res_id), False)

    @api.model
    def _get_readable_names(self, keys):
        """Names of the records that the user may read; those of each model at once.

        :param keys: iterable of (model, id)
        :return: dict of str by (model, id)
        """
        ids = defaultdict(set)
        for model, id_ in keys:
            ids[model].add(id_)
        return {
            (model, record.id): record.display_name
            for model in ids.keys() & set(self._get_models())
            for record in self._filter_readable(self.env[model].browse(ids[model]))
        }

    @api.model
    def _filter_readable(self, records):
        readable = records.exists().sudo(False)._filtered_access("read")
        return readable.with_env(self.env)

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_is_record_readable(self):
        readable = self.search([("id", "in", self.ids), ("is_record_readable", "=", True)])
        for run in self:
            run.is_record_readable = run.id in readable._ids

    @api.model
    def _search_is_record_readable(self, operator, value):
        """For the rules, which are evaluated as superuser: the records a user may read."""
        if operator != "in" or list(value) != [True]:
            return NotImplemented
        return Domain.OR(
            Domain("res_model", "=", model)
            & Domain("res_id", "in", self.env[model].sudo(False)._search([]))
            for model in self._get_models()
            if self.env[model].sudo(False).has_access("read")
        )

    @api.model
    def _get_models(self):
        """The models whose records can be in flows."""
        return [model for model, _label in self.env["sms.flow"]._fields["model"].selection]

    # === ACTION METHODS === #

    def action_open_record(self):
        """Open the lead or contact."""
        self.ensure_one()
        record = self._get_record()
        if record is None:
            raise UserError(self.env._("The record was deleted."))
        record.check_access("read")
        return record.get_formview_action()

    def action_stop(self):
        """Take records out of their flows: nothing is sent to them any more."""
        self._check_may_move()
        self.sudo().filtered(lambda run: run.state == "active")._stop("hand")

    def action_dismiss(self):
        """What needed attention was seen to."""
        self._check_may_move()
        self.sudo().write({"attention": False, "attention_at": False})
        self.sudo()._schedule()

    def action_retry(self):
        """Send the text of the step again, where it could not be sent."""
        self._check_may_move()
        unsent = self.sudo().filtered(lambda run: run.attention and run._is_text_missing())
        for (flow, step), runs in unsent.grouped(lambda r: (r.flow_id, r.step_id)).items():
            self._check_can_send(flow, step)
            runs.write({"attention": False, "attention_at": False})
            runs._send_step_texts(step, lane="normal")
            runs._schedule()
        return self._tell_retried(unsent)

    @api.model
    def _tell_retried(self, runs):
        """The client action that says what became of texts that were sent again."""
        refused = runs.filtered("attention")
        kind = "danger" if refused else "success" if runs else "warning"
        words = {
            "danger": "\n".join(dict.fromkeys(refused.mapped("attention"))),
            "success": self.env._("Sent again."),
            "warning": self.env._(
                "The text of the step was sent. See to what is written there, then dismiss it."
            ),
        }[kind]
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": kind,
                "message": words,
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    def _is_text_missing(self):
        """Whether the step's text did not go: it was refused, or it failed."""
        text = self.entry_id.message_id
        return self.state != "stopped" and (not text or text.state in ("failed", "cancelled"))

    @api.model
    def _check_can_send(self, flow, step):
        if not step:
            raise UserError(self.env._("The record stands in no step. Start it anew."))
        if not flow.is_running:
            raise UserError(self.env._("%s is switched off. Switch it on first.", flow.name))

    def _check_may_move(self):
        """Who may change the record may move it through its flow."""
        self.check_access("read")
        for model, runs in self.sudo().grouped("res_model").items():
            self.env[model].browse(runs.mapped("res_id")).exists().check_access("write")

    # === BUSINESS METHODS: RECORDS === #

    def _get_record(self):
        """The lead or contact, or None; access is not checked."""
        self.ensure_one()
        if self.res_model not in self.env:
            return None
        return self.env[self.res_model].browse(self.res_id).exists() or None

    def _get_records(self):
        """The records of runs of one model, in the order of the runs."""
        return self.env[self[:1].res_model].browse(self.mapped("res_id")).sudo()

    @api.model
    def _find_or_create(self, flow, records):
        """The runs of records in a flow, in the order of the records; missing ones are made.

        The records are locked: who makes the same runs at the same moment waits, and does it all
        again once this is committed.

        :return: ``sms.flow.run``
        """
        self.env.flush_all()
        self.env.execute_query(
            SQL(
                "SELECT id FROM %s WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE",
                SQL.identifier(records._table),
                records.ids,
            )
        )
        domain = [
            ("flow_id", "=", flow.id),
            ("res_model", "=", records._name),
            ("res_id", "in", records.ids),
        ]
        known = {run.res_id: run for run in self.sudo().search(domain)}
        missing = records.filtered(lambda record: record.id not in known)
        created = self.sudo().create(
            [
                {"flow_id": flow.id, "res_model": records._name, "res_id": record.id}
                for record in missing
            ]
        )
        known |= {run.res_id: run for run in created}
        return self.sudo().concat(*(known[record.id] for record in records))

    @api.model
    def _find_active(self, records):
        """The runs that records are in now."""
        if not self.env["sms.flow"]._is_any():
            return self.sudo().browse()
        domain = [
            ("res_model", "=", records._name),
            ("res_id", "in", records.ids),
            ("state", "=", "active"),
        ]
        return self.sudo().search(domain)

    @api.model
    def _get_zone_of_number(self, number):
        """The IANA time zone that a number tells, or None."""
        return _zone_of_prefix(number[: ZONE_DIGITS + 1], len(number)) if number else None

    # === BUSINESS METHODS: STEPS === #

    def _enter(self, step, cause, message=None, lane="normal"):
        """Bring runs of one flow to a step: leave the old, send its text, run its actions.

        :param str cause: of ``CAUSES``
        :param dict message: ``sms.message`` that caused it, by run
        :param str lane: of the texts
        """
        runs = self - self._stop_circling(step, cause)
        if not runs:
            return
        runs._leave(cause)
        runs._begin_stay(step, cause)
        runs._show_on_records(step, message or {})
        runs._send_step_texts(step, lane)
        if step.is_final:
            runs._end("done", "done")
        runs._schedule()
        runs._run_actions(step)

    def _stop_circling(self, step, cause):
        """Those that came to the step too often by themselves; they stop and say so."""
        if cause not in AUTOMATIC_CAUSES:
            return self.browse()
        silent = cause == "expired"
        within = SILENT_CIRCLES_WITHIN if silent else CIRCLES_WITHIN
        visits = self.env["sms.flow.entry"]._read_group(
            [
                ("run_id", "in", self.ids),
                ("step_id", "=", step.id),
                ("entered_at", ">=", self.env.cr.now() - within),
                ("cause", "in", ("expired",) if silent else AUTOMATIC_CAUSES),
            ],
            ["run_id"],
            having=[("__count", ">=", CIRCLES)],
        )
        circling = self.browse([run.id for (run,) in visits])
        circling._stop("circle")
        circling._need_attention(
            self.env._(
                "It came to %s again and again and was stopped. Look at the answers of the step, "
                "and start it anew.",
                step.name,
            )
        )
        return circling

    def _leave(self, cause):
        """What the old step waits for is over: its questions are late, its reminders cancelled.

        Its text, too, where it was held up, e.g. by quiet hours: nobody wakes up to two texts of
        which the first is no longer true.
        """
        self._close_questions("late")
        self._cancel_reminders()
        held_up = self._find_queued("flow").filtered("send_after")
        held_up._set_cancelled(reason=self.env._("The customer had left the step by then."))
        self.entry_id.filtered(lambda entry: not entry.left_at).write(
            {"left_at": self.env.cr.now(), "left_by": cause}
        )

    def _begin_stay(self, step, cause):
        now = self.env.cr.now()
        user = self.env.user if cause in ("stage", "hand", "batch") else self.env["res.users"]
        entries = self.env["sms.flow.entry"].create(
            [
                {
                    "run_id": run.id,
                    "flow_id": run.flow_id.id,
                    "step_id": step.id,
                    "step_name": step.name,
                    "cause": cause,
                    "user_id": user.id,
                    "entered_at": now,
                }
                for run in self
            ]
        )
        for run, entry in zip(self, entries, strict=True):
            run.entry_id = entry
        self.write(
            {
                "step_id": step.id,
                "state": "active",
                "cause": cause,
                "step_entered_at": now,
                "first_text_at": False,
                "last_text_at": False,
                "is_paused": False,
                "ended_at": False,
                "end_reason": False,
                "attention": False,
                "attention_at": False,
            }
        )

    def _show_on_records(self, step, messages):
        """The records' step, their stage and why, in the chatter."""
        records = self._get_records()
        notes = {
            run.res_id: self.env._("Set by SMS reply: “%s”", messages[run].body)
            for run in self
            if run in messages
        }
        records._sms_flow_set_step(step, notes)

    def _run_actions(self, step):
        for action in step.sudo().action_ids:
            self._run_action(action)

    def _run_action(self, action):
        """Run it for all records; where that fails one by one. An error stands on its record (P10).

        :param action: ``ir.actions.server``
        """
        records = self._get_records()
        context = {
            "active_model": records._name,
            "active_ids": records.ids,
            "active_id": records[:1].id,
        }
        doing = self.env["sms.flow.transition"]._doing("action")
        try:
            with doing, self.env.cr.savepoint():
                action.with_context(**context).run()
        except Exception as error:
            self.env["sms.flow.transition"]._raise_if_conflict(error)
            if len(self) > 1:
                for run in self:
                    run._run_action(action)
                return
            self._need_attention(
                self.env._("The action “%(action)s” failed: %(why)s", action=action.name, why=error)
            )

    # === BUSINESS METHODS: ENDING === #

    def _end(self, state, reason):
        self.write({"state": state, "ended_at": self.env.cr.now(), "end_reason": reason})

    def _stop(self, reason):
        """Take runs out of their flow; the records keep their stage."""
        if not self:
            return
        self._stop_waiting()
        self.entry_id.filtered(lambda entry: not entry.left_at).write(
            {"left_at": self.env.cr.now(), "left_by": "stopped"}
        )
        self._end("stopped", reason)
        for _model, runs in self.grouped("res_model").items():
            runs._get_records().exists()._sms_flow_forget_step(runs.step_id)

    def _stop_waiting(self):
        """No answer moves these runs any more, and nothing goes out, nor what is in the queue."""
        self._close_questions("cancelled")
        self._cancel_reminders()
        self._cancel_queued("flow", self.env._("The customer is not in the flow any more."))

    def _pause(self):
        """The flow is off: nothing is waited for, and of what was sent nothing will follow."""
        self._stop_waiting()
        self.is_paused = True

    def _close_questions(self, state):
        self._find_open_questions()._close(state)

    def _find_open_questions(self):
        domain = [
            ("res_model", "=", self._name),
            ("res_id", "in", self.ids),
            ("state", "=", "open"),
        ]
        return self.env["sms.prompt"].sudo().search(domain)

    def _need_attention(self, why):
        """Put runs on the list of those that somebody must look at.

        :param str why: what a person reads
        """
        self.write({"attention": why[:1000], "attention_at": self.env.cr.now()})

    # === BUSINESS METHODS: TEXTS === #

    def _send_step_texts(self, step, lane):
        """The step's text to the customers of these runs, and the question it asks."""
        if not step.body:
            return
        sent = self._send_texts(step, origin="flow", lane=lane)
        for run, message in sent.items():
            run.entry_id.message_id = message
        if not step.is_final:
            self._ask(sent)

    def _send_texts(self, step, origin, lane, reminder=None):
        """Send the text of a step, each run's in its own words and to its own number.

        What cannot be sent stands in the chatter and needs attention.

        :param reminder: ``sms.flow.reminder`` that it is
        :return: dict of ``sms.message`` by run, of those that are on their way
        """
        if not self:
            return {}
        flow, records = self.flow_id, self._get_records()
        recipients = records._sms_flow_get_recipients()
        bodies = step._render_texts(records, reminder)
        texts = self.env["sms.sms"]._send_from_records(
            records,
            {record.id: {**recipients[record.id], "body": bodies[record.id]} for record in records},
            sender_id=flow.sender_id.id,
            origin=origin,
            lane=lane,
        )
        self._link_texts(texts, reminder)
        return self._note_texts(texts)

    def _link_texts(self, texts, reminder):
        """In the ledger, a text of a flow knows its stay and its reminder."""
        rows = [
            {"id": text.message_id.id, "flow_entry_id": run.entry_id.id}
            for run, text in zip(self, texts, strict=True)
        ]
        self.env.flush_all()
        self.env.execute_query(
            SQL(
                """
                UPDATE sms_message text
                   SET flow_id = %s, flow_entry_id = row.flow_entry_id, flow_reminder_id = %s
                  FROM json_to_recordset(%s) AS row (id integer, flow_entry_id integer)
                 WHERE text.id = row.id RETURNING text.id
                """,
                self.flow_id.id,
                reminder.id if reminder else None,
                json.dumps(rows),
            )
        )
        self.env["sms.message"].invalidate_model(
            ["flow_id", "flow_entry_id", "flow_reminder_id"], flush=False
        )

    def _note_texts(self, texts):
        """When texts went, to whom, and which could not.

        :return: dict of ``sms.message`` by run, of those that are on their way
        """
        sent = {}
        for run, text in zip(self, texts, strict=True):
            if text.state == "outgoing":
                sent[run] = text.message_id
                run._note_text(text.message_id)
            else:
                run.number = text.number
                run._need_attention(text.message_id.failure_reason or text.failure_type)
        return sent

    def _note_text(self, message):
        """A text of the step is on its way."""
        now = self.env.cr.now()
        self.write(
            {
                "number": message.number,
                "tz": self.flow_id._get_tz(message.number),
                "first_text_at": self.first_text_at or now,
                "last_text_at": now,
                "is_paused": False,
            }
        )

    def _note_text_left(self, message):
        """A text of the step that was held up has left now: what follows counts from here."""
        if self.entry_id != message.flow_entry_id or not self.last_text_at:
            return
        now = self.env.cr.now()
        if message == self.entry_id.message_id:
            self.first_text_at = now
        self.last_text_at = now
        self._schedule()

    def _note_resent(self, old, new):
        """Somebody sent a text of the step again: it asks as the first did, or should have."""
        links = ("flow_id", "flow_entry_id", "flow_reminder_id")
        new.write({name: old[name].id for name in links})
        if self.entry_id != old.flow_entry_id or self.state == "stopped" or new.state != "queued":
            return
        self.write({"attention": False, "attention_at": False})
        self._note_text(new)
        if not old.flow_reminder_id:
            self.entry_id.message_id = new
        if questions := self._find_open_questions():
            questions._ask_again(new)
        elif self.state == "active":
            self._ask({self: new})
        self._schedule()

    def _note_text_failed(self, why):
        """The text of the step did not arrive; so nothing follows it."""
        self._need_attention(why)
        self._cancel_reminders()

    def _note_other_text(self):
        """Somebody texted the customer meanwhile; that counts as the last text."""
        self.last_text_at = self.env.cr.now()
        self._schedule()

    # === BUSINESS METHODS: ANSWERS === #

    def _ask(self, messages):
        """Wait for the answers to texts, where the flow listens.

        :param dict messages: ``sms.message`` by run
        """
        flow = self.flow_id
        if not flow.inbound_enabled or not flow.sender_id.can_receive:
            return
        asking = {run: message for run, message in messages.items() if run.step_id.reply_ids}
        self.env["sms.prompt"]._ask_many(asking)

    def _handle_sms_reply(self, prompt, message):
        """Take a text for the answer to the step's question, where it is one of the words.

        Implements the contract of ``sms.prompt``. The move itself is made with all others of the
        transaction (``sms.flow.transition``).

        :return: whether it was an answer
        """
        self.ensure_one()
        if not self._is_waiting_for(prompt):
            return False
        self._note_replies({self: message})
        reply = self.step_id.reply_ids._find_match(message.body)
        if not reply:
            return False
        self.entry_id.reply_id = reply
        self.env["sms.flow.transition"]._request_move(self, reply.target_step_id, "reply", message)
        return True

    def _is_waiting_for(self, prompt):
        """Whether the question belongs to where the run stands now."""
        asked_in = prompt.message_id.flow_entry_id
        return (
            self.state == "active"
            and self.flow_id.is_running
            and self.flow_id.inbound_enabled
            and (prompt.state == "open" or asked_in == self.entry_id)
        )

    def _get_own_senders(self):
        """The numbers that the customer may answer to: the flow's, also the one it had before."""
        return self.flow_id.sender_id | self.entry_id.message_id.sender_id

    def _note_replies(self, messages):
        """Customers have written: no reminder follows, whatever they wrote.

        :param dict messages: ``sms.message`` by run
        """
        fresh = self.browse([r.id for r in messages]).filtered(lambda r: not r.entry_id.replied_at)
        for run in fresh:
            run.entry_id.write(
                {"replied_at": self.env.cr.now(), "reply_message_id": messages[run].id}
            )
        fresh._cancel_reminders()


@lru_cache(maxsize=4096)
def _zone_of_prefix(prefix, length):
    """Numbers that begin alike are of the same place; looking each up takes a hundred times longer.

    >>> _zone_of_prefix("+47912345", 11)
    'Europe/Oslo'
    """
    return zone_of_number(prefix.ljust(length, "0"))
