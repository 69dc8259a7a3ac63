import json
import logging
from datetime import UTC, datetime, timedelta
from functools import partial

from odoo import api, fields, models
from odoo.exceptions import ConcurrencyError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from ..engine.schema import TYPES

_logger = logging.getLogger(__name__)

#: Events worked off in one transaction.
BATCH = 200
#: Tries of an event that conflicts with somebody's edit.
CONFLICT_TRIES = 10
#: Every so many events the worker is woken though it should be awake: it may have been killed.
WAKE_EVERY = 20
RETENTION_DAYS = 30
#: Where the first event of a transaction is kept.
WAKE = "contact_center.wake"
#: Two transactions at once; the second sees what the first made.
CONFLICTS = (*PG_CONCURRENCY_EXCEPTIONS_TO_RETRY, ConcurrencyError)
#: Where the services whose calls have ended are collected.
MEASURE = "contact_center.measure"
#: Whose method ``_event_<type>`` takes an event, by the first word of its type.
OWNERS = {
    "call": "contact.center.call",
    "callback": "contact.center.callback",
    "auto_agent": "contact.center.callback",
    "agent": "contact.center.agent",
}
OWNERS_BY_TYPE = {
    "queue.snapshot": "contact.center.call",
    "queue.stats": "contact.center.service",
}


class ContactCenterEvent(models.Model):
    """One thing that an exchange told, append-only.

    What was answered 2xx is here and takes effect once: its effects and its state are one
    transaction. Events are worked off in the order they arrived; each fact carries its own time,
    so one that overtook another changes nothing that is newer.
    """

    _name = "contact.center.event"
    _description = "Contact Center Event"
    _order = "id DESC"
    _rec_name = "event_id"
    _log_access = False

    connector_id = fields.Many2one(
        "contact.center.connector", required=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="connector_id.company_id")
    event_id = fields.Char("Id at the exchange", required=True, readonly=True)
    type = fields.Char(required=True, readonly=True)
    occurred_at = fields.Datetime(required=True, readonly=True)
    received_at = fields.Datetime(required=True, readonly=True, default=fields.Datetime.now)
    payload = fields.Text(readonly=True, help="The data of the event, as JSON.")
    body_hash = fields.Char(readonly=True)
    state = fields.Selection(
        [
            ("new", "New"),
            ("done", "Done"),
            ("ignored", "Ignored"),
            ("stale", "Overtaken"),
            ("failed", "Failed"),
        ],
        required=True,
        readonly=True,
        default="new",
    )
    error = fields.Char("Reason", readonly=True)

    _once = models.UniqueIndex("(connector_id, event_id)")
    _todo_idx = models.Index("(id) WHERE state = 'new'")
    _received_at_idx = models.Index("(received_at)")

    # === STORING === #

    @api.model
    def _store(self, connector, event_id, event_type, occurred_at, data, body_hash):
        """Insert an event unless it is there, and wake the worker after the commit.

        :param datetime occurred_at: naive UTC
        :param dict data: validated
        :param str body_hash: of the event as it came, to tell a repetition from another one
        :return: ``accepted``, ``duplicate``, or ``conflict`` where the id is another event's
        """
        self.env.cr.execute(
            """
            INSERT INTO contact_center_event
                   (connector_id, event_id, type, occurred_at, received_at, payload, body_hash,
                    state)
            VALUES (%s, %s, %s, %s, now() at time zone 'utc', %s, %s, 'new')
                ON CONFLICT (connector_id, event_id) DO NOTHING RETURNING id
            """,
            [connector.id, event_id, event_type, occurred_at, json.dumps(data), body_hash],
        )
        if row := self.env.cr.fetchone():
            self._wake_after_commit(row[0])
            return "accepted"
        return self._compare(connector, event_id, body_hash)

    @api.model
    def _compare(self, connector, event_id, body_hash):
        known = self.search([("connector_id", "=", connector.id), ("event_id", "=", event_id)])
        return "duplicate" if not known or known.body_hash == body_hash else "conflict"

    @api.model
    def _wake_after_commit(self, event_id):
        """Once for all events of the transaction."""
        postcommit = self.env.cr.postcommit
        if WAKE not in postcommit.data:
            postcommit.data[WAKE] = event_id
            postcommit.add(partial(self._wake_for, event_id))

    @api.model
    def _wake_for(self, event_id):
        """Wake the worker for an event that is committed, unless it comes anyway.

        It looks for more whenever it has worked something off. So it comes for this event too, if
        now, after the commit, an earlier one still waits.
        """
        with self.env.registry.cursor() as cr:
            events = self.with_env(self.env(cr=cr))
            if event_id % WAKE_EVERY == 0 or not events._is_worker_awake(event_id):
                events._wake()

    @api.model
    def _is_worker_awake(self, event_id):
        self.env.cr.execute(
            "SELECT FROM contact_center_event WHERE state = 'new' AND id < %s LIMIT 1", [event_id]
        )
        return bool(self.env.cr.rowcount)

    @api.model
    def _wake(self):
        """Have the worker run after the commit."""
        self.env.ref("contact_center.ir_cron_events").sudo()._trigger()

    # === WORKER === #

    @api.model
    def _run(self):
        """Work off the new events, oldest first; the scheduled action of the events."""
        while events := self.search([("state", "=", "new")], order="id", limit=BATCH):
            if not events._try_together():
                for event in events:
                    event._process_or_park()
            if not self.env["ir.cron"]._commit_progress():
                self._wake()
                break

    def _try_together(self):
        """Work off events in one transaction.

        :return: whether it went through; nothing of it stays where it did not
        """
        try:
            self._process()
            self._commit(len(self))
        except Exception:
            self._rollback()
            return False
        return True

    def _process_or_park(self):
        """Work off one event; one that cannot be is parked with the reason."""
        for _try in range(CONFLICT_TRIES):
            try:
                self._process()
                self._commit(1)
                return
            except CONFLICTS as error:
                self._rollback()
                reason = str(error)
            except Exception as error:
                self._rollback()
                _logger.exception("Contact center event %s cannot be worked off", self.id)
                reason = str(error) or type(error).__name__
                break
        self._fail(reason)
        self._commit(1)

    def _process(self):
        for event in self:
            state = event._apply()
            if event.state == "new":
                event.state = state
        self._measure()
        latest = {event.connector_id: event.received_at for event in self}
        for connector, moment in latest.items():
            connector.last_event_at = moment

    def _apply(self):
        """Have the event's owner take it; returns the state it has then.

        What is of no known type was not checked when it came, whatever method its name leads to.
        """
        if self.type not in TYPES:
            return "ignored"
        model = OWNERS_BY_TYPE.get(self.type) or OWNERS[self.type.split(".")[0]]
        name = f"_event_{self.type.replace('.', '_')}"
        return getattr(self.env[model], name)(self, json.loads(self.payload))

    def _commit(self, processed):
        self.env["ir.cron"]._commit_progress(processed)
        self.env.invalidate_all(flush=False)

    def _rollback(self):
        self.env.cr.rollback()
        self.env.cr.cache.pop(MEASURE, None)
        self.env.invalidate_all(flush=False)

    @api.model
    def _note_measure(self, services):
        """The figures of these services are to be measured anew, once for all these events."""
        self.env.cr.cache.setdefault(MEASURE, set()).update(services.ids)

    @api.model
    def _measure(self):
        ids = self.env.cr.cache.pop(MEASURE, set())
        self.env["contact.center.service"].browse(sorted(ids))._measure()

    # === FOR THE OWNERS === #

    def _fail(self, reason):
        """It cannot be worked off; somebody may look at it.

        :return: the state
        """
        self.write({"state": "failed", "error": reason.replace("\x00", "")[:500]})
        return "failed"

    def _find_service(self, code):
        """The service of that code, may be empty."""
        services = self.env["contact.center.service"]
        return self.connector_id._find_service(code) if code else services

    def _get_service(self, data):
        """The service the event names; it was there when the event was accepted.

        :raises ValueError: where it is there no more
        """
        service = self._find_service(data["service"])
        if not service:
            raise ValueError(self.env._("There is no service %s.", data["service"]))
        return service

    @api.model
    def _read_time(self, text):
        """Naive UTC of a time of RFC 3339, or None."""
        if not text:
            return None
        moment = datetime.fromisoformat(text)
        if moment.tzinfo:
            moment = moment.astimezone(UTC).replace(tzinfo=None)
        return moment.replace(microsecond=0)

    # === ACTION METHODS === #

    def action_replay(self):
        """Work failed events off again."""
        self.check_access("write")
        self.filtered(lambda event: event.state == "failed").write({"state": "new", "error": False})
        self._wake()

    # === RETENTION === #

    @api.autovacuum
    def _gc_old(self):
        before = fields.Datetime.now() - timedelta(days=RETENTION_DAYS)
        self.env.cr.execute(
            "DELETE FROM contact_center_event WHERE received_at < %s AND state != 'new'", [before]
        )
