import contextlib
import logging
from collections import defaultdict
from typing import NamedTuple

from odoo import api, models
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

_logger = logging.getLogger(__name__)

#: Where the moves of a transaction are collected.
KEY = "sms_flow.moves"
#: Where it stands what a flow is doing just now: at the cursor, so that no caller can pretend it.
DOING = "sms_flow.doing"


class Move(NamedTuple):
    """What is to be done with a record at the end of the transaction."""

    uid: int
    step_id: int  # 0: the step of the lead's stage, whatever it is then
    cause: str
    message_id: int
    lane: str


class SmsFlowTransition(models.AbstractModel):
    """Moves records through their flows, all those of a transaction together at its end.

    Whoever changes stages, one by one or ten thousand at once, only has them noted here. What
    counts is where a record stands at the end, which is the commit or a savepoint before it: it
    has come to that step once, and gets one text. Nothing here ever stops the write that caused
    it (P10).
    """

    _name = "sms.flow.transition"
    _description = "SMS Flow Transition"

    # === WHAT IS BEING DONE === #

    @contextlib.contextmanager
    def _doing(self, cause, step=None):
        """While a flow itself changes records: why, and to which step it brings them."""
        cache = self.env.cr.cache
        before = cache.get(DOING)
        cache[DOING] = (cause, step)
        try:
            yield
        finally:
            cache[DOING] = before

    @api.model
    def _get_doing(self):
        """(cause, ``sms.flow.step``) of what a flow does just now; both may be None."""
        return self.env.cr.cache.get(DOING) or (None, None)

    # === NOTING === #

    @api.model
    def _request_follow(self, leads):
        """Leads have a stage: bring them to its step, if their team has a flow."""
        doing, step = self._get_doing()
        teams = self.env["sms.flow"]._get_team_ids()
        for lead in leads.sudo():
            if step and lead.stage_id == step.stage_id:
                continue
            if lead.sms_flow_step_id or lead.team_id.id in teams:
                move = Move(self.env.uid, 0, doing or "stage", 0, "normal")
                self._request(("crm.lead", lead.id, 0), move)

    @api.model
    def _request_move(self, run, step, cause, message):
        """Bring a run to a step, because of a received text."""
        key = (run.res_model, run.res_id, step.flow_id.id)
        self._request(key, Move(self.env.uid, step.id, cause, message.id, "chat"))

    @api.model
    def _request_step(self, records, step):
        """Bring records to a step, as an automation asks."""
        cause = self._get_doing()[0] or "action"
        for record in records:
            key = (records._name, record.id, step.flow_id.id)
            self._request(key, Move(self.env.uid, step.id, cause, 0, "normal"))

    @api.model
    def _request(self, key, move):
        """The latest move of a record counts."""
        precommit = self.env.cr.precommit
        if KEY not in precommit.data:
            precommit.data[KEY] = {}
            precommit.add(self._work_off)
        precommit.data[KEY].pop(key, None)
        precommit.data[KEY][key] = move

    @api.model
    def _is_following(self, leads):
        """Whether these leads are noted to be brought to the steps of their stages."""
        moves = self.env.cr.precommit.data.get(KEY)
        return bool(moves) and all(("crm.lead", lead.id, 0) in moves for lead in leads)

    # === WORKING OFF === #

    @api.model
    def _work_off(self):
        """Make the moves; at the end of the transaction, by itself."""
        moves = self.env.cr.precommit.data.pop(KEY, {})
        # nothing of the caller's screen counts here: no defaults, no rule that has been run
        self = self.with_env(self.env(context=self._get_own_context()))  # noqa: PLW0642
        groups = defaultdict(dict)
        for (model, id_, flow_id), move in moves.items():
            group = (model, flow_id, move.uid, move.step_id, move.cause, move.lane)
            groups[group][id_] = move.message_id
        # what somebody asked for goes before what follows from a stage
        for (model, _flow_id, uid, step_id, cause, lane), ids in sorted(
            groups.items(), key=lambda item: not item[0][3]
        ):
            self._try(uid, model, list(ids), step_id, cause, lane, ids)

    @api.model
    def _get_own_context(self):
        return {
            name: self.env.context[name]
            for name in ("lang", "tz", "allowed_company_ids")
            if name in self.env.context
        }

    @api.model
    def _try(self, uid, model, ids, step_id, cause, lane, messages):
        """Move records together; where that fails one by one, and what fails then stands so."""
        env = self.env(user=uid, su=True)
        try:
            with self.env.cr.savepoint():
                records = env[model].browse(ids).exists()
                self.with_env(env)._move(records, step_id, cause, lane, messages)
        except Exception as error:
            self._raise_if_conflict(error)
            if len(ids) > 1:
                for id_ in ids:
                    self._try(uid, model, [id_], step_id, cause, lane, messages)
                return
            _logger.warning("SMS flow: %s %s cannot be moved", model, ids, exc_info=True)
            self.with_env(env)._try_to_note_failure(env[model].browse(ids), step_id, error)

    @api.model
    def _raise_if_conflict(self, error):
        """Two transactions at once: Odoo does it all again."""
        if isinstance(error, PG_CONCURRENCY_EXCEPTIONS_TO_RETRY):
            raise error

    @api.model
    def _move(self, records, step_id, cause, lane, messages):
        if step_id:
            step = self.env["sms.flow.step"].browse(step_id).exists()
            if step and step.flow_id.is_running:
                records = self._leave_out_strangers(records, step)
                texts = {
                    id_: self.env["sms.message"].browse(message_id)
                    for id_, message_id in messages.items()
                    if message_id
                }
                self._enter(records, step, cause, texts, lane)
        else:
            self._follow(records, cause)

    @api.model
    def _leave_out_strangers(self, records, step):
        """Those of the records that belong to the step's flow; of the others it is noted why."""
        flow = step.flow_id
        refusals = {record.id: words for record in records if (words := flow._find_refusal(record))}
        strangers = records.filtered(lambda record: record.id in refusals)
        if strangers:
            strangers._message_log_batch(
                {
                    id_: self.env._(
                        "It was not put into %(step)s of %(flow)s. %(why)s",
                        step=step.name,
                        flow=flow.name,
                        why=words,
                    )
                    for id_, words in refusals.items()
                }
            )
        return records - strangers

    @api.model
    def _enter(self, records, step, cause, messages=None, lane="normal"):
        """Bring records to a step of their flow, whatever step they are in.

        :param dict messages: ``sms.message`` that caused it, by record id
        """
        if not records or not step.flow_id.is_running:
            return
        runs = self.env["sms.flow.run"]._find_or_create(step.flow_id, records)
        if cause == "reply":
            # who has opted out, or been archived, since he wrote stays out
            runs = runs.filtered(lambda run: run.state == "active")
        self._end_other_runs(runs)
        by_run = {run: messages[run.res_id] for run in runs if run.res_id in (messages or {})}
        runs._enter(step, cause, by_run, lane)

    @api.model
    def _follow(self, leads, cause):
        """Bring leads to the steps of their stages; those that stand there already stay.

        A stage without a step ends the run: what was waited for is over (R074). Who is archived
        stays out.
        """
        Run = self.env["sms.flow.run"]
        leads = leads.filtered("active")
        flows = self.env["sms.flow"]._find_for(leads)
        by_step = defaultdict(leads.browse)
        for lead in leads:
            flow = flows.get(lead, self.env["sms.flow"])
            by_step[flow._get_step_of_stage(lead.stage_id)] += lead
        for step, group in by_step.items():
            if not step:
                Run._find_active(group)._stop("left")
                group.filtered("sms_flow_step_id")._sms_flow_write_step(None)
                continue
            self._enter(
                group.filtered(lambda lead, s=step: lead.sms_flow_step_id != s), step, cause
            )

    @api.model
    def _end_other_runs(self, runs):
        """A lead is in one flow: that of its team."""
        if runs[:1].res_model == "crm.lead":
            others = self.env["sms.flow.run"]._find_active(runs._get_records()) - runs
            others._stop("moved")

    @api.model
    def _try_to_note_failure(self, record, step_id, error):
        """Where not even that can be written down, it stands in the log."""
        try:
            with self.env.cr.savepoint():
                self._note_failure(record, step_id, error)
        except Exception as other_error:
            self._raise_if_conflict(other_error)
            _logger.exception("SMS flow: the failure of %s cannot be noted", record)

    @api.model
    def _note_failure(self, record, step_id, error):
        """A record that could not be moved needs attention, where it has a flow."""
        step = self.env["sms.flow.step"].browse(step_id)
        flow = step.flow_id or (
            self.env["sms.flow"]._find_for(record).get(record, step.flow_id)
            if record._name == "crm.lead"
            else step.flow_id
        )
        if not flow or not record.exists():
            return
        run = self.env["sms.flow.run"]._find_or_create(flow, record)
        if not run.step_id:
            run._end("stopped", "failed")
        run._need_attention(
            self.env._(
                "It could not be moved to %(step)s: %(why)s", step=step.name or "…", why=error
            )
        )
