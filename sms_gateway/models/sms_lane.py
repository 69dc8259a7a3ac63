import contextlib
import logging
import time
from datetime import timedelta

from odoo import api, models
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL

from ..cursor import read_committed
from ..engine.contract import Response, SendResult
from ..engine.transport import NotSent, Transport

_logger = logging.getLogger(__name__)

#: A run ends after this many seconds and is started again: below the time limits of crons.
RUN_SECONDS = 40
#: Part of a second by which sending may run ahead of the even pace; the pace is slowed by the
#: same part, so that no window of one second ever holds more than the gateway's maximum.
BURST = 0.05
#: Tries to write results that conflict with a delivery report of the same text.
RECORD_TRIES = 10
#: Seconds that a run waits for the pace of a gateway before it leaves that to a later run.
MAX_WAIT = 2
#: Texts claimed at a time, at most.
CLAIM_LIMIT = 500
#: Of the ledger, what is read to record that a text was sent.
RECORDED_FIELDS = (
    "uuid",
    "direction",
    "state",
    "gateway_id",
    "origin",
    "mail_message_id",
    "res_model",
    "res_id",
)
#: A text of the queue that may leave now: its time has come, and no earlier text of its pair
#: waits or is under way (P4). One that waits for the end of the quiet hours holds nobody up.
#: OFFSET 0 keeps PostgreSQL from making a join of it: it would ask for all texts that wait where
#: a few are wanted, and with old statistics by comparing each with each.
CLAIMABLE = SQL("""
    text.state = 'outgoing'
    AND (text.send_after IS NULL OR text.send_after <= now() at time zone 'utc')
    AND NOT EXISTS (
        SELECT FROM sms_sms earlier
         WHERE earlier.sender_id = text.sender_id AND earlier.number = text.number
           AND earlier.id < text.id AND earlier.state IN ('outgoing', 'process')
           AND (earlier.attempts > 0 OR earlier.send_after IS NULL
                OR earlier.send_after <= now() at time zone 'utc')
        OFFSET 0)
""")


class SmsLane(models.AbstractModel):
    """The transport: takes texts from the queue to the provider.

    One run per lane at a time, in all processes. Each turn of a run: *claim* texts and commit;
    the adapter makes requests of them; they are performed, many at a time, without a cursor; what
    came back is *recorded* and committed. Killed at any moment, a text that was claimed and not
    recorded may or may not have gone: the next run marks it unknown and never sends it again.
    """

    _name = "sms.lane"
    _description = "SMS Lane"

    # === SCHEDULING === #

    @api.model
    def _wake(self, lane, at=None):
        """Have the lane run after the commit, or at a moment.

        Hook: an addon with its own job queue starts the run there.
        """
        self._trigger(f"ir_cron_lane_{lane}", at)

    @api.model
    def _trigger(self, name, at=None):
        """Trigger one of our scheduled actions; one that was deleted must stop no business."""
        cron = self.env.ref(f"sms_gateway.{name}", raise_if_not_found=False)
        if cron:
            cron.sudo()._trigger(at)
        else:
            _logger.error(
                "No scheduled action sms_gateway.%s: update the addon to restore it", name
            )

    @api.model
    def _run(self, lane):
        """Send what the lane holds; the scheduled action of the lane.

        :param str lane: ``chat``, ``normal`` or ``bulk``
        """
        with self._lock(lane) as locked, Transport() as transport:
            if locked:
                self._settle_orphans(lane)
                LaneRun(self, lane, transport).drain()

    @contextlib.contextmanager
    def _lock(self, lane):
        """Whether this is the lane's only run; held by a transaction of its own."""
        with read_committed(self.env.registry) as cr:
            cr.execute("SELECT pg_try_advisory_xact_lock(hashtext(%s))", [f"sms.lane.{lane}"])
            yield cr.fetchone()[0]

    @api.model
    def _settle_orphans(self, lane):
        """Texts claimed by a run that died: nobody knows whether they went.

        Where the provider recognises a repeated request they are simply sent again.
        """
        orphans = (
            self.env["sms.sms"]
            .sudo()
            .search([("lane", "=", lane), ("state", "=", "process"), ("gateway_id", "!=", False)])
        )
        repeatable = orphans.filtered("gateway_id.support_idempotency")
        repeatable.message_id._set_queued()
        for text in repeatable:
            text.attempts += 1
        (orphans - repeatable).message_id._set_unknown(
            self.env._("The sending process was stopped before the provider's answer was recorded.")
        )
        self._commit(processed=len(orphans))

    # === CLAIM === #

    @api.model
    def _get_waiting_gateways(self, lane):
        """Gateways with texts of the lane to send now."""
        self.env.cr.execute(
            SQL(
                """
                SELECT gateway.id FROM sms_gateway gateway
                 WHERE gateway.active AND gateway.state != 'disabled' AND EXISTS (
                       SELECT FROM sms_sms text
                        WHERE gateway_id = gateway.id AND lane = %s AND %s
                       OFFSET 0)
                """,
                lane,
                CLAIMABLE,
            )
        )
        return self.env["sms.gateway"].sudo().browse([row[0] for row in self.env.cr.fetchall()])

    @api.model
    def _claim(self, gateway, lane, room):
        """Take texts from the queue, as many as the gateway's limits allow.

        The caller commits. Another run that claims for the gateway at the same moment makes this
        one come back empty-handed.

        :param int room: texts the caller can take
        :return: (``sms.message`` claimed, seconds to wait where the pace allows none now)
        """
        self.env.cr.execute(
            """
            SELECT next_send_at, extract(epoch FROM clock_timestamp())::float8
              FROM sms_gateway_throttle WHERE gateway_id = %s FOR UPDATE SKIP LOCKED
            """,
            [gateway.id],
            log_exceptions=False,
        )
        row = self.env.cr.fetchone()
        if not row:
            return self.env["sms.message"], BURST
        next_send_at, now = row
        pace = gateway.max_per_second * (1 - BURST)
        start = max(next_send_at or 0, now - BURST)
        allowed = int((now - start) * pace + 1) if start <= now else 0
        limit = min(room, allowed, self._get_free_slots(gateway))
        claimed = self._claim_rows(gateway, lane, limit) if limit > 0 else []
        if claimed:
            self._set_next_send_at(gateway, start + len(claimed) / pace)
        return self._start_claimed(claimed, lane), max(0.0, start - now) or 1 / pace

    def _get_free_slots(self, gateway):
        """Texts that may still be under way at the gateway, over all processes."""
        self.env.cr.execute(
            "SELECT count(*) FROM sms_sms WHERE gateway_id = %s AND state = 'process'", [gateway.id]
        )
        capacity = gateway.max_in_flight * gateway._get_adapter()._get_batch_size()
        return capacity - self.env.cr.fetchone()[0]

    def _claim_rows(self, gateway, lane, limit):
        """Ids of (``sms.sms``, ``sms.message``) claimed, oldest first.

        Materialized, for else PostgreSQL may run the inner query, and so the limit, many times.
        """
        self.env["sms.sms"].flush_model()
        self.env.cr.execute(
            SQL(
                """
                WITH claimed AS MATERIALIZED (
                     SELECT id FROM sms_sms text
                      WHERE gateway_id = %s AND lane = %s AND %s
                      ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED)
                UPDATE sms_sms SET state = 'process', claimed_at = now() at time zone 'utc'
                  FROM claimed WHERE sms_sms.id = claimed.id
                RETURNING message_id
                """,
                gateway.id,
                lane,
                CLAIMABLE,
                limit,
            ),
            log_exceptions=False,
        )
        return sorted(row[0] for row in self.env.cr.fetchall())

    def _set_next_send_at(self, gateway, moment):
        self.env.cr.execute(
            "UPDATE sms_gateway_throttle SET next_send_at = %s WHERE gateway_id = %s",
            [moment, gateway.id],
            log_exceptions=False,
        )

    def _start_claimed(self, message_ids, lane):
        """Mark claimed texts as sending, without those that may not go (any more, or yet)."""
        self.env["sms.sms"].invalidate_model(["state", "claimed_at"], flush=False)
        claimed = self.env["sms.message"].sudo().browse(message_ids)
        allowed = claimed - self._cancel_forbidden(claimed)
        allowed -= self._postpone_quiet(allowed, lane)
        self._note_leaving(allowed)
        self._mark_sending(allowed)
        return allowed

    def _note_leaving(self, messages):
        """What others note about texts must not stop them."""
        try:
            with self.env.cr.savepoint():
                messages._note_leaving()
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            raise
        except Exception:
            _logger.exception("%s texts leave without note", len(messages))

    def _mark_sending(self, messages):
        """Straight in the database: for the moment a request takes, nothing else changes."""
        messages.flush_recordset(["state"])
        self.env.cr.execute(
            "UPDATE sms_message SET state = 'sending' WHERE id = ANY(%s)", [messages.ids]
        )
        messages.invalidate_recordset(["state"], flush=False)

    def _cancel_forbidden(self, messages):
        """Between writing and sending, a number may have opted out, SMS been switched off."""
        blacklisted = self.env["sms.sms"]._gate_get_blacklisted(set(messages.mapped("number")))
        exempt = self._get_optout_confirmations(messages) if blacklisted else messages.browse()
        opted_out = messages.filtered(lambda m: m.number in blacklisted) - exempt
        opted_out._set_cancelled("sms_blacklist", self.env._("Opted out before it was sent."))
        switched_off = (messages - opted_out).filtered(lambda m: not m.company_id.sms_enabled)
        switched_off._set_cancelled("sms_disabled", self.env._("Switched off before it was sent."))
        return opted_out | switched_off

    def _postpone_quiet(self, messages, lane):
        """Texts that no person is waiting for leave the customer his night."""
        postponed = messages.browse()
        for message in messages if lane != "chat" else ():
            if until := message.company_id._get_sms_quiet_until(message.number):
                self._postpone(message, until, lane)
                postponed |= message
        return postponed

    def _postpone(self, message, until, lane):
        outbox = self.env["sms.sms"].sudo().search([("message_id", "=", message.id)])
        outbox.write({"state": "outgoing", "send_after": until})
        self._wake(lane, at=until)

    @api.model
    def _release_quiet(self, companies):
        """The quiet hours are others now: look anew at texts that wait for the end of the old."""
        waiting = (
            self.env["sms.sms"]
            .sudo()
            .search(
                [
                    ("sender_id.company_id", "in", companies.ids),
                    ("state", "=", "outgoing"),
                    ("send_after", "!=", False),
                    ("attempts", "=", 0),
                ]
            )
        )
        waiting.send_after = False
        for lane in set(waiting.mapped("lane")):
            self._wake(lane)

    def _get_optout_confirmations(self, messages):
        return (
            self.env["sms.sms"]
            .sudo()
            .search([("message_id", "in", messages.ids), ("is_optout_confirmation", "=", True)])
            .message_id
        )

    # === RECORD === #

    @api.model
    def _record(self, outcomes):
        """Write what became of requests, and commit.

        A delivery report may overtake the answer and be written at the same moment: then again.

        :param list outcomes: of (gateway, request, outcome) with outcome as in
            :meth:`Transport.collect`
        """
        results = [r for outcome in outcomes for r in self._read_outcome(*outcome)]
        try:
            self._record_or_retry(results)
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            raise
        except Exception:
            _logger.warning("%s results are recorded one by one", len(results), exc_info=True)
            self._rollback()
            for result in results:
                self._record_alone(result)

    def _record_or_retry(self, results):
        for tries_left in reversed(range(RECORD_TRIES)):
            try:
                self._record_results(results)
                self._commit(processed=len(results))
                return
            except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
                self._rollback()
                if not tries_left:
                    raise

    def _record_alone(self, result):
        """One that cannot be written down must not take the others with it."""
        try:
            self._record_or_retry([result])
        except Exception:
            self._rollback()
            _logger.exception("What became of text %s cannot be recorded", result.uuid)
            reason = self.env._("The provider's answer could not be recorded.")
            self._record_or_retry([SendResult(result.uuid, "unknown", reason=reason)])

    def _record_results(self, results):
        messages = (
            self.env["sms.message"]
            .sudo()
            .search_fetch([("uuid", "in", [r.uuid for r in results])], RECORDED_FIELDS)
        )
        messages._record_results(results)
        for gateway, group in messages.grouped("gateway_id").items():
            waits = [
                r.retry_after
                for r in results
                if r.retry_after and r.uuid in set(group.mapped("uuid"))
            ]
            if waits:
                self._pause(gateway, max(waits))

    def _read_outcome(self, gateway, request, outcome):
        """The results of one request: what the adapter reads, or what the network's error means."""
        if isinstance(outcome, Response):
            return self._read_response(gateway, request, outcome)
        reached = not isinstance(outcome, NotSent)
        reason = (
            self.env._("The provider's answer was lost (%s).", outcome)
            if reached
            else self.env._("The provider could not be reached (%s).", outcome)
        )
        fate = "unknown" if reached and not request.idempotent else "retry"
        return [
            SendResult(uuid, fate, reason=reason, failure_type="sms_server", unreached=not reached)
            for uuid in request.uuids
        ]

    def _read_response(self, gateway, request, response):
        try:
            results = gateway._get_adapter()._parse_response(gateway, request, response)
        except Exception:
            _logger.exception("SMS gateway %s: unreadable answer %s", gateway.name, response.status)
            results = []
        told = {result.uuid: result for result in results}
        lost = self.env._("The provider's answer (%s) says nothing of this text.", response.status)
        return [
            told.get(uuid) or SendResult(uuid, "unknown", reason=lost) for uuid in request.uuids
        ]

    def _pause(self, gateway, seconds):
        """Nothing leaves by the gateway for that long, in any process."""
        self.env.cr.execute(
            """
            UPDATE sms_gateway_throttle
               SET next_send_at = greatest(
                   next_send_at, extract(epoch FROM clock_timestamp())::float8 + %s)
             WHERE gateway_id = %s
            """,
            [seconds, gateway.id],
        )

    def _commit(self, processed=0):
        """Make what was done last, and start with a fresh view of the database.

        :param int processed: told to Odoo's scheduler, which leaves out a job that was killed
            three times in a row without having done anything
        """
        if processed:
            self.env["ir.cron"]._commit_progress(processed)
        else:
            self.env.cr.commit()  # pylint: disable=invalid-commit
        self.env.invalidate_all(flush=False)

    def _rollback(self):
        self.env.cr.rollback()
        self.env.invalidate_all(flush=False)


class LaneRun:
    """One run of a lane, from the first claim to the last recorded answer."""

    def __init__(self, model, lane, transport):
        self.model, self.lane, self.transport = model, lane, transport
        self.end = time.monotonic() + RUN_SECONDS
        self.may_claim = False

    def drain(self):
        """Send until nothing waits, or until the time is up."""
        while True:
            wait = self.claim() if time.monotonic() < self.end else None
            outcomes = self.transport.collect(min(wait or 1, 1), linger=not self.may_claim)
            if outcomes:
                self.model._record(outcomes)
            elif not self.transport.in_flight and not self.keep_waiting(wait):
                return

    def claim(self):
        """Claim for every gateway that has texts waiting, and start their requests.

        Afterwards ``may_claim`` tells whether one of them could take more at once.

        :return: seconds after which to claim again, or None where nothing waits
        """
        waiting = self.model._get_waiting_gateways(self.lane)
        waits = [self.claim_for(gateway) for gateway in waiting if self.has_room(gateway)]
        self.may_claim = any(self.has_room(gateway) for gateway in waiting)
        self.model._commit()
        return min(waits, default=None)

    def has_room(self, gateway):
        """Not worth a claim while three quarters of the gateway's requests are under way."""
        return self.transport.count(gateway) <= gateway.max_in_flight * 3 // 4

    def claim_for(self, gateway):
        """Claim and start the texts of one gateway; the claim is committed before they start."""
        try:
            messages, wait = self.model._claim(gateway, self.lane, CLAIM_LIMIT)
            requests = self.prepare(gateway, messages)
            self.model._commit()
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            self.model._rollback()
            return BURST
        for request in requests:
            self.transport.submit(gateway, gateway.max_in_flight, request)
        return wait

    def prepare(self, gateway, messages):
        """Requests of the claimed texts; what the adapter cannot prepare has failed."""
        try:
            requests = (
                gateway._get_adapter()._prepare_requests(gateway, messages) if messages else []
            )
            reason = self.model.env._("The provider's addon made no request of it.")
        except Exception as error:
            _logger.exception(
                "SMS gateway %s: cannot prepare %s texts", gateway.name, len(messages)
            )
            requests, reason = [], str(error)
        prepared = {uuid for request in requests for uuid in request.uuids}
        messages.filtered(lambda m: m.uuid not in prepared)._set_failed("sms_configuration", reason)
        return requests

    def keep_waiting(self, wait):
        """Whether texts wait for their gateway's pace and it is soon enough to stay for them."""
        if wait is None:
            if time.monotonic() >= self.end:
                self.model._wake(self.lane)
                self.model._commit()
            return False
        if wait > MAX_WAIT:
            self.model._wake(self.lane, at=self.model.env.cr.now() + timedelta(seconds=wait))
            self.model._commit()
            return False
        time.sleep(wait)
        return True
