import logging
import re
from datetime import timedelta
from functools import partial
from hashlib import sha256

from psycopg2.errors import UniqueViolation

from odoo import api, fields, models
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from ..const import (
    EVENT_RETENTION_DAYS,
    UNKNOWN_REFERENCE_DELAY,
    UNKNOWN_REFERENCE_TRIES,
)
from ..cursor import read_committed
from ..engine.contract import Webhook, WebhookMalformed
from .sms_message import storable

_logger = logging.getLogger(__name__)

#: Events looked at together; delivery reports among them are applied in one transaction.
BATCH = 200
#: Tries of an event whose effects conflict with somebody's edit.
CONFLICT_TRIES = 10
#: Two transactions at once, as of the worker and of a person; the second sees what the first made.
CONFLICTS = (*PG_CONCURRENCY_EXCEPTIONS_TO_RETRY, UniqueViolation)
#: A longer key of a call is stored as its digest.
MAX_KEY_LENGTH = 200
#: Every so many events the worker is woken though it should be awake: it may have been killed.
WAKE_EVERY = 20


class SmsGatewayEvent(models.Model):
    """One webhook call, append-only.

    A call answered 2xx is here and takes effect exactly once: its effects and its state ``done``
    are one transaction. Events are worked off one after another, in the order they arrived.
    """

    _name = "sms.gateway.event"
    _description = "SMS Gateway Event"
    _order = "id DESC"
    _rec_name = "dedup_key"
    _log_access = False

    gateway_id = fields.Many2one("sms.gateway", required=True, readonly=True, ondelete="cascade")
    company_id = fields.Many2one(related="gateway_id.company_id")
    kind = fields.Selection(
        [("inbound", "Incoming text"), ("status", "Delivery report")], required=True, readonly=True
    )
    dedup_key = fields.Char(required=True, readonly=True)
    payload = fields.Text(readonly=True, help="The call as it came, without credentials.")
    state = fields.Selection(
        [
            ("new", "New"),
            ("done", "Done"),
            ("ignored", "Ignored"),
            ("failed", "Failed"),
            ("refused", "Refused"),
        ],
        required=True,
        readonly=True,
        default="new",
    )
    error = fields.Char("Reason", readonly=True)
    attempts = fields.Integer(readonly=True, default=0, help="Of refused calls: their number.")
    received_at = fields.Datetime(required=True, readonly=True, default=fields.Datetime.now)
    retry_at = fields.Datetime(readonly=True)

    _once = models.UniqueIndex("(gateway_id, dedup_key)")
    _todo_idx = models.Index("(id) WHERE state = 'new'")
    _received_at_idx = models.Index("(received_at)")
    _refused_idx = models.Index("(gateway_id) WHERE state = 'refused'")

    # === STORING === #

    @api.model
    def _store(self, gateway, webhook, key):
        """Insert the event unless the call is a repetition, and wake the worker.

        The secret of the address is not kept with it.

        :return: whether it is new
        """
        self.env.cr.execute(
            """
            INSERT INTO sms_gateway_event
                   (gateway_id, kind, dedup_key, payload, state, attempts, received_at)
            VALUES (%s, %s, %s, %s, 'new', 0, now() at time zone 'utc')
                ON CONFLICT (gateway_id, dedup_key) DO NOTHING RETURNING id
            """,
            [
                gateway.id,
                webhook.kind,
                _indexable(key),
                webhook.to_json().replace(gateway.sudo().webhook_token, "***"),
            ],
        )
        row = self.env.cr.fetchone()
        if row:
            self.env.cr.postcommit.add(partial(self._wake_for, row[0]))
        return bool(row)

    @api.model
    def _count_refusal(self, gateway, kind, reason):
        """Count a refused call: one row per gateway, reason and hour, however many calls come.

        In a transaction of its own, so that parallel refusals queue instead of conflicting.
        """
        hour = fields.Datetime.now().strftime("%Y-%m-%dT%H")
        with read_committed(self.env.registry) as cr:
            cr.execute(
                """
                INSERT INTO sms_gateway_event
                       (gateway_id, kind, dedup_key, state, error, attempts, received_at)
                VALUES (%s, %s, %s, 'refused', %s, 1, now() at time zone 'utc')
                    ON CONFLICT (gateway_id, dedup_key)
                    DO UPDATE SET attempts = sms_gateway_event.attempts + 1
                """,
                [gateway.id, kind, f"refused {kind} {reason} {hour}", reason],
                log_exceptions=False,
            )

    @api.model
    def _wake_for(self, event_id):
        """Wake the worker for an event that is committed, unless it comes anyway.

        It looks for more whenever it has worked something off. So it comes for this event too, if
        now, after the commit, an earlier one still waits.
        """
        if event_id % WAKE_EVERY and self._is_worker_awake(event_id):
            return
        with self.env.registry.cursor() as cr:
            self.with_env(self.env(cr=cr))._wake()

    @api.model
    def _is_worker_awake(self, event_id):
        self.env.cr.execute(
            """
            SELECT FROM sms_gateway_event
             WHERE state = 'new' AND retry_at IS NULL AND id < %s
             ORDER BY id DESC LIMIT 1
            """,
            [event_id],
        )
        return bool(self.env.cr.rowcount)

    @api.model
    def _wake(self, at=None):
        """Have the worker run after the commit, or at a moment.

        Hook: an addon with its own job queue starts the worker there.
        """
        self.env["sms.lane"]._trigger("ir_cron_events", at)

    # === WORKER === #

    @api.model
    def _run(self):
        """Work off the new events, oldest first; the scheduled action of the events."""
        with self.env["sms.lane"]._lock("events") as locked:
            if locked:
                self._release_late_parts()
            while locked and (events := self._get_due()):
                reports = events.filtered(lambda event: event.kind == "status")
                if not reports._try(type(reports)._process_reports):
                    for event in reports:
                        event._process_or_park()
                texts = (events - reports).sorted("id")
                if not texts._try(type(texts)._process_inbound):
                    for event in texts:
                        event._process_or_park()
                if not self.env["ir.cron"]._commit_progress():
                    self._wake()
                    break

    @api.model
    def _release_late_parts(self):
        """Those of a gateway that cannot be taken in keep nobody waiting, and are tried again."""
        for gateway, parts in self.env["sms.gateway.part"]._get_late().items():
            try:
                parts._release(gateway)
                self.env["sms.lane"]._commit(processed=len(parts))
            except Exception:
                self.env["sms.lane"]._rollback()
                _logger.exception("Parts of texts cannot be taken in: %s", parts.ids)

    @api.model
    def _get_due(self):
        return self.search(
            [
                ("state", "=", "new"),
                "|",
                ("retry_at", "=", False),
                ("retry_at", "<=", fields.Datetime.now()),
            ],
            order="id",
            limit=BATCH,
        )

    def _process_or_park(self):
        """Process one event; one that cannot be processed is parked with the reason (P7)."""
        for _try in range(CONFLICT_TRIES):
            try:
                self._process()
                self.env["sms.lane"]._commit(processed=1)
                return
            except CONFLICTS as error:
                self.env["sms.lane"]._rollback()
                reason = str(error)
            except WebhookMalformed as error:
                self.env["sms.lane"]._rollback()
                reason = str(error)
                break
            except Exception as error:
                self.env["sms.lane"]._rollback()
                _logger.exception("SMS gateway event %s cannot be processed", self.id)
                reason = str(error) or type(error).__name__
                break
        self._park(reason)

    def _park(self, reason):
        reason = storable(reason)[:500] or self.env._("No reason given.")
        self.write({"state": "failed", "error": reason, "attempts": self.attempts + 1})
        self.env["sms.lane"]._commit(processed=1)

    def _process(self):
        self.ensure_one()
        if self.kind == "status":
            self._process_reports()
        else:
            self._process_inbound()

    def _process_inbound(self):
        """Take in the texts of all these events together, in their order."""
        for gateway, events in self.grouped("gateway_id").items():
            texts = {event: event._extract_inbound() for event in events}
            received = [text for group in texts.values() for text in group]
            whole = self.env["sms.gateway.part"]._join(gateway, received)
            self.env["sms.message"].sudo()._receive(gateway.sudo(), whole)
            gateway.sudo()._note_call("last_inbound_at", max(events.mapped("received_at")))
            for event, group in texts.items():
                event._set_done(nothing_in_it=not group)

    def _extract_inbound(self):
        gateway = self.gateway_id.sudo()
        return gateway._get_adapter()._extract_inbound(gateway, self._get_webhook())

    def _process_reports(self):
        """Apply the reports of all these events together, and settle each event."""
        for gateway, events in self.grouped("gateway_id").items():
            reports = {event: event._extract_reports() for event in events}
            unknown = (
                self.env["sms.message"]
                .sudo()
                ._apply_reports(
                    gateway.sudo(), [report for group in reports.values() for report in group]
                )
            )
            gateway.sudo()._note_call("last_status_at", max(events.mapped("received_at")))
            for event, group in reports.items():
                event._settle_reports(group, unknown)

    def _extract_reports(self):
        gateway = self.gateway_id.sudo()
        return gateway._get_adapter()._extract_reports(gateway, self._get_webhook())

    def _settle_reports(self, reports, unknown):
        """Done, or to be tried again while its text may still be on its way to the ledger."""
        missing = [report for report in reports if report in unknown]
        if not missing:
            self._set_done(nothing_in_it=not reports)
        elif self.attempts + 1 < UNKNOWN_REFERENCE_TRIES:
            self.attempts += 1
            self.retry_at = fields.Datetime.now() + timedelta(seconds=UNKNOWN_REFERENCE_DELAY)
            self._wake(at=self.retry_at)
        else:
            names = ", ".join(str(report.uuid or report.provider_ref) for report in missing)
            self.write(
                {"state": "ignored", "error": self.env._("No text of ours: %s", names[:400])}
            )

    def _set_done(self, nothing_in_it=False):
        if nothing_in_it:
            self.write({"state": "ignored", "error": self.env._("Nothing in it.")})
        else:
            self.write({"state": "done", "error": False})

    def _get_webhook(self):
        return Webhook.from_json(self.payload)

    def _try(self, method):
        """Run it as one transaction.

        :return: whether it went through; nothing of it stays where it did not
        """
        try:
            method(self)
            self.env["sms.lane"]._commit(processed=len(self))
        except Exception:
            self.env["sms.lane"]._rollback()
            return False
        return True

    # === ACTION METHODS === #

    def action_replay(self):
        """Work these events off again; texts that were taken in are not taken in twice."""
        self.check_access("write")
        replayable = self.filtered(lambda event: event.state in ("failed", "ignored", "done"))
        replayable.write({"state": "new", "error": False, "attempts": 0, "retry_at": False})
        self._wake()

    # === RETENTION === #

    @api.model
    def _erase(self, number):
        """Forget the calls in which a number (E.164) occurs, but those still to be worked off.

        With its digits alone: a short number is part of many a longer one. What stands before
        them in an address may end with a digit too: ``%20``, ``%22``.
        """
        self.flush_model()
        self.env.cr.execute(
            "DELETE FROM sms_gateway_event WHERE state != 'new' AND payload ~ %s",
            [f"(^|[^0-9]|%[0-9A-Fa-f]{{2}})(00)?{re.escape(number.lstrip('+'))}([^0-9]|$)"],
        )
        self.invalidate_model()

    @api.autovacuum
    def _gc_old(self):
        before = fields.Datetime.now() - timedelta(days=EVENT_RETENTION_DAYS)
        self.env.cr.execute(
            "DELETE FROM sms_gateway_event WHERE received_at < %s AND state != 'new'", [before]
        )


def _indexable(key):
    """The key as PostgreSQL can index it, whatever a provider takes for an id."""
    if key.isprintable() and len(key) <= MAX_KEY_LENGTH:
        return key
    return sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
