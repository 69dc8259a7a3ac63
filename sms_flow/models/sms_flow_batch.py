import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL

_logger = logging.getLogger(__name__)

#: Records that are put into the step in one transaction.
PART = 500
#: How long a batch that is done stays in the list.
KEPT = timedelta(days=90)


class SmsFlowBatch(models.Model):
    """Many records that are put into a step, a part of them at a time.

    Each part is one transaction: its texts are written and its lines marked together. So a batch
    that is stopped at any moment, even by a crash, goes on with the lines that are still to do.
    """

    _name = "sms.flow.batch"
    _description = "SMS Flow Batch"
    _order = "id DESC"
    _rec_name = "step_id"

    # === FIELDS === #

    flow_id = fields.Many2one(
        "sms.flow", "SMS flow", required=True, readonly=True, index=True, ondelete="cascade"
    )
    step_id = fields.Many2one(
        "sms.flow.step", "Step", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="flow_id.company_id", store=True, index=True)
    res_model = fields.Char("Record model", required=True, readonly=True)
    user_id = fields.Many2one(
        "res.users", "Started by", required=True, readonly=True, index=True, ondelete="cascade"
    )
    state = fields.Selection(
        [
            ("waiting", "Waiting"),
            ("running", "Under way"),
            ("paused", "Stopped"),
            ("done", "Done"),
        ],
        required=True,
        readonly=True,
        default="waiting",
    )
    pause_reason = fields.Char("Why it stopped", readonly=True)
    ended_at = fields.Datetime("Done at", readonly=True)
    line_ids = fields.One2many("sms.flow.batch.line", "batch_id", "Records", readonly=True)
    total = fields.Integer("Records in all", readonly=True)
    done_count = fields.Integer("Put into the step", compute="_compute_counts")
    failed_count = fields.Integer("Failed", compute="_compute_counts")
    progress = fields.Float(compute="_compute_counts", help="Percent")

    _open_idx = models.Index("(id) WHERE state IN ('waiting', 'running')")

    # === COMPUTE METHODS === #

    @api.depends("total")
    def _compute_counts(self):
        domain = [("batch_id", "in", self.ids), ("state", "!=", "todo")]
        Line = self.env["sms.flow.batch.line"].sudo()
        counts = {
            (batch.id, state): count
            for batch, state, count in Line._read_group(domain, ["batch_id", "state"], ["__count"])
        }
        for batch in self:
            batch.done_count = counts.get((batch.id, "done"), 0)
            batch.failed_count = counts.get((batch.id, "failed"), 0)
            seen_to = batch.done_count + batch.failed_count
            batch.progress = 100 * seen_to / batch.total if batch.total else 100

    # === ACTION METHODS === #

    def action_stop(self):
        """Leave the rest as it is; who was put into the step stays there."""
        self.check_access("read")
        self.sudo().filtered(lambda batch: batch.state in ("waiting", "running")).write(
            {"state": "paused", "pause_reason": False}
        )

    def action_resume(self):
        """Go on with the records that are still to do."""
        self.check_access("read")
        for batch in self.sudo().filtered(lambda batch: batch.state == "paused"):
            if obstacle := batch._find_obstacle():
                raise UserError(obstacle)
            batch._restart()

    def action_retry(self):
        """Try those that failed once more."""
        self.check_access("read")
        for batch in self.sudo():
            if obstacle := batch._find_obstacle():
                raise UserError(obstacle)
            failed = batch.line_ids.filtered(lambda line: line.state == "failed")
            failed.write({"state": "todo", "error": False})
            batch._restart()

    def action_view_failed(self):
        """The records that could not be put into the step, and why."""
        return self._view_lines([("state", "=", "failed")])

    def action_view_lines(self):
        """All its records."""
        return self._view_lines([])

    def _view_lines(self, domain):
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "sms_flow.sms_flow_batch_line_action"
        )
        return {**action, "domain": [("batch_id", "in", self.ids), *domain]}

    # === BUSINESS METHODS: STARTING === #

    @api.model
    def _start(self, step, model, domain):
        """Have the records of a domain put into a step, those that the user may read.

        :param step: ``sms.flow.step``
        :param model: of the records, in the user's environment
        :param domain: over that model
        :return: ``sms.flow.batch``
        """
        if words := step.flow_id._refuse_kind(model._name):
            raise UserError(words)
        batch = self.sudo().create(
            {
                "flow_id": step.flow_id.id,
                "step_id": step.id,
                "res_model": model._name,
                "user_id": self.env.uid,
            }
        )
        batch.total = batch._insert_lines(model._search(domain, order="id"))
        batch._restart()
        return batch.sudo(False)

    def _insert_lines(self, query):
        """A line for each record of a query, by the database: there may be very many.

        :return: how many
        """
        self.env.flush_all()
        table = query.table
        rows = query.select(SQL("%s", self.id), SQL.identifier(table, "id"), SQL("%s", "todo"))
        ((count,),) = self.env.execute_query(
            SQL(
                """
                WITH line AS (
                     INSERT INTO sms_flow_batch_line (batch_id, res_id, state) %s RETURNING 1)
                SELECT count(*) FROM line
                """,
                rows,
            )
        )
        self.env["sms.flow.batch.line"].invalidate_model(flush=False)
        return count

    def _restart(self):
        self.write({"state": "waiting", "pause_reason": False, "ended_at": False})
        self._wake()

    @api.model
    def _wake(self):
        """Have the batches worked off after the commit."""
        cron = self.env.ref("sms_flow.ir_cron_batch", raise_if_not_found=False)
        if cron:
            cron.sudo()._trigger()
        else:
            _logger.error("No scheduled action for batches: update the addon to restore it")

    # === BUSINESS METHODS: WORKING OFF === #

    @api.model
    def _run(self):
        """Work off what waits, a part of each batch in turn; the scheduled action."""
        with self.env["sms.lane"]._lock("flow_batch") as locked:
            while locked and (batches := self._find_open()):
                for batch in batches:
                    batch._work_off_part()
                if not self.env["ir.cron"]._commit_progress():
                    self._wake()
                    self.env["sms.lane"]._commit()
                    break

    @api.model
    def _find_open(self):
        return self.sudo().search([("state", "in", ("waiting", "running"))], order="id")

    def _work_off_part(self):
        """See to the next of its records, or to its end."""
        try:
            lines = self._begin_part()
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            # somebody has just stopped it
            self.env["sms.lane"]._rollback()
            return
        if lines:
            lines._try()

    def _begin_part(self):
        """The lines to see to now; empty where it ends here, which is committed."""
        if self.state not in ("waiting", "running"):
            return self.line_ids.browse()
        lines = self.line_ids.search(
            [("batch_id", "=", self.id), ("state", "=", "todo")], order="id", limit=PART
        )
        if not lines:
            self._finish()
        elif obstacle := self._find_obstacle():
            self.write({"state": "paused", "pause_reason": obstacle})
            lines = lines.browse()
        elif self.state == "waiting":
            self.state = "running"
        self.env["sms.lane"]._commit()
        return lines

    def _find_obstacle(self):
        """Why nothing can be sent now, or None."""
        flow, step = self.flow_id, self.step_id
        if not flow.is_running:
            return self.env._("%s is switched off. Switch it on, then go on.", flow.name)
        refusal = step.body and self.env["sms.sms"]._gate_check_bulk(
            {"lane": "bulk"}, flow.company_id
        )
        return refusal[1] if refusal else None

    def _finish(self):
        self.write({"state": "done", "ended_at": self.env.cr.now()})
        self.user_id._bus_send(
            "simple_notification",
            {
                "type": "warning" if self.failed_count else "success",
                "message": self.env._(
                    "%(step)s: %(done)s records were put into it, %(failed)s failed.",
                    step=self.step_id.name,
                    done=self.done_count,
                    failed=self.failed_count,
                ),
            },
        )

    def _get_env(self):
        """The environment of who started it, with all rights; his own are checked by record."""
        user = self.user_id
        context = {"lang": user.lang, "tz": user.tz, "allowed_company_ids": self.company_id.ids}
        return self.env(user=user, su=True, context=context)

    @api.model
    def _find_refusals(self, step, records):
        """Why records may not be put into a step by the user.

        :param step: ``sms.flow.step``
        :param records: existing ones of one model, in the user's environment
        :return: dict of str by record id
        """
        writable = records.sudo(False)._filtered_access("write")
        flow, refusals = step.flow_id.sudo(), {}
        for record in records.sudo():
            if record.id not in writable._ids:
                words = self.env._("You may not change this record.")
            else:
                words = flow._find_refusal(record)
            if words:
                refusals[record.id] = words
        return refusals

    @api.model
    def _find_troubles(self, flow, records):
        """Why the texts of records that have just come to a step cannot go.

        :return: dict of str by record id
        """
        domain = [
            ("flow_id", "=", flow.id),
            ("res_model", "=", records._name),
            ("res_id", "in", records.ids),
            ("attention", "!=", False),
        ]
        runs = self.env["sms.flow.run"].sudo().search_fetch(domain, ["res_id", "attention"])
        return {run.res_id: run.attention for run in runs}

    @api.autovacuum
    def _gc_batches(self):
        """What was done long ago is of no use any more."""
        old = fields.Datetime.now() - KEPT
        self.sudo().search([("ended_at", "<", old)]).unlink()


class SmsFlowBatchLine(models.Model):
    """One record of a batch, and what became of it."""

    _name = "sms.flow.batch.line"
    _description = "SMS Flow Batch Record"
    _order = "id"
    _rec_name = "record_name"
    _log_access = False

    batch_id = fields.Many2one(
        "sms.flow.batch", required=True, readonly=True, index=True, ondelete="cascade"
    )
    res_model = fields.Char(related="batch_id.res_model")
    res_id = fields.Many2oneReference(
        "Record", model_field="res_model", required=True, readonly=True
    )
    record_name = fields.Char("Name", compute="_compute_record_name")
    state = fields.Selection(
        [("todo", "To do"), ("done", "Done"), ("failed", "Failed")], required=True, readonly=True
    )
    error = fields.Char("Why it failed", readonly=True)

    _record_uniq = models.UniqueIndex("(batch_id, res_id)")
    _state_idx = models.Index("(batch_id, state, id)")

    @api.depends("res_id")
    @api.depends_context("uid", "allowed_company_ids")
    def _compute_record_name(self):
        keys = {line: (line.sudo().res_model, line.res_id) for line in self}
        names = self.env["sms.flow.run"]._get_readable_names(keys.values())
        for line in self:
            line.record_name = names.get(keys[line], False)

    def _get_record(self):
        """The lead or contact, or None; access is not checked."""
        model = self.sudo().res_model
        return self.env[model].browse(self.res_id).exists() or None

    def action_open_record(self):
        """Open the lead or contact."""
        self.ensure_one()
        record = self._get_record()
        if record is None:
            raise UserError(self.env._("The record was deleted."))
        record.check_access("read")
        return record.get_formview_action()

    # === WORKING OFF === #

    def _try(self):
        """Put the records of these lines into the step, in one transaction.

        Where that fails, one by one; and what fails then says why.
        """
        Lane = self.env["sms.lane"]
        try:
            self._enter()
            Lane._commit(processed=len(self))
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            Lane._rollback()
        except Exception as error:
            Lane._rollback()
            _logger.warning("SMS flow batch: %s records failed", len(self), exc_info=True)
            if len(self) > 1:
                self._try_one_by_one()
            else:
                self._note_results({self.res_id: str(error) or type(error).__name__})
                Lane._commit(processed=1)

    def _try_one_by_one(self):
        for line in self:
            if line.batch_id.state == "running":
                line._try()

    def _enter(self):
        batch = self.batch_id
        env = batch._get_env()
        step = env["sms.flow.step"].browse(batch.step_id.id)
        ids = self.mapped("res_id")
        records = env[batch.res_model].browse(ids).exists()
        gone = self.env._("The record was deleted.")
        errors = dict.fromkeys(set(ids) - set(records.ids), gone)
        errors |= env["sms.flow.batch"]._find_refusals(step, records)
        fit = records.filtered(lambda record: record.id not in errors)
        if fit:
            env["sms.flow.transition"]._enter(fit, step, "batch", lane="bulk")
            errors |= env["sms.flow.batch"]._find_troubles(step.flow_id, fit)
        self._note_results(errors)

    def _note_results(self, errors):
        """What became of the records of these lines.

        :param dict errors: words by record id, of those that failed
        """
        failed = self.filtered(lambda line: line.res_id in errors)
        (self - failed).write({"state": "done", "error": False})
        for line in failed:
            line.write({"state": "failed", "error": errors[line.res_id][:1000]})
