import time
from datetime import timedelta

from psycopg2.errors import SerializationFailure

from odoo import api, fields, models
from odoo.tools.urls import urljoin

from odoo.addons.sms_gateway.engine.contract import Response, SendRequest
from odoo.addons.sms_gateway.engine.transport import Transport

from ..const import DISORDER_DELAY, RETRY_DELAYS
from ..engine import signature

#: Calls at a time.
CALLS_AT_A_TIME = 8
#: One run of the worker ends after that long; it stays for what falls due in the meantime if
#: that is soon. In seconds.
RUN_SECONDS, LINGER_SECONDS, POLL_SECONDS = 50, 10, 0.1
#: Calls looked at for the oldest of each telephone.
CLAIM_DEPTH = 500
#: What was told is forgotten after that long, in days.
RETENTION_DAYS = 30


class SmsDemoCall(models.Model):
    """A call that the carrier makes to Odoo, as a real provider calls a webhook.

    Signed, repeated until Odoo answers with 2xx, and never made within anybody's transaction:
    the claim is committed before a call leaves, its outcome after. Calls of one telephone are
    made one after another, in order.
    """

    _name = "sms.demo.call"
    _description = "Call of the Demo Carrier"
    _order = "id DESC"
    _rec_name = "kind"

    # === FIELDS === #

    text_id = fields.Many2one(
        "sms.demo.text", required=True, readonly=True, index=True, ondelete="cascade"
    )
    phone_id = fields.Many2one(related="text_id.phone_id", store=True)
    kind = fields.Selection(
        [("inbound", "Answer"), ("status", "Report")], required=True, readonly=True
    )
    payload = fields.Text(required=True, readonly=True)
    state = fields.Selection(
        [
            ("waiting", "Waiting"),
            ("calling", "Calling"),
            ("done", "Done"),
            ("failed", "Given up"),
        ],
        required=True,
        readonly=True,
        default="waiting",
    )
    due_at = fields.Datetime(required=True, readonly=True, default=lambda self: self.env.cr.now())
    attempts = fields.Integer(readonly=True, default=0)
    answer = fields.Char("Answered", readonly=True, help="HTTP status, or the network's error.")

    _due_idx = models.Index("(due_at, id) WHERE state = 'waiting'")
    _calling_idx = models.Index("(phone_id) WHERE state = 'calling'")

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        calls = super().create(vals_list)
        if calls:
            self._wake_worker()
        return calls

    # === ACTION METHODS === #

    def action_repeat(self):
        """Tell Odoo the same again."""
        self.check_access("read")
        self.sudo()._repeat()

    # === BUSINESS METHODS === #

    def _repeat(self):
        """Tell Odoo the same again, in the same bytes."""
        self.create(
            [
                {"text_id": call.text_id.id, "kind": call.kind, "payload": call.payload}
                for call in self
            ]
        )

    def _suffer_mischief(self):
        """The carrier tells some of it twice, and some of it late."""
        self.filtered(lambda call: call._get_carrier()._happens("duplicate_rate"))._repeat()
        disorderly = self.filtered(lambda call: call._get_carrier()._happens("disorder_rate"))
        disorderly._put_off(DISORDER_DELAY)

    def _get_carrier(self):
        return self.text_id.carrier_id

    def _put_off(self, seconds):
        self.write({"due_at": self.env.cr.now() + timedelta(seconds=seconds)})

    def _prepare_request(self):
        """The signed HTTP request to Odoo's own address of that kind."""
        gateway = self.text_id.carrier_id.gateway_id
        body = self.payload.encode()
        return SendRequest(
            uuids=(str(self.id),),
            method="POST",
            url=urljoin(
                gateway._get_demo_carrier_url(),
                f"/sms/gateway/{gateway.webhook_token}/{self.kind}",
            ),
            headers={
                "Content-Type": "application/json",
                signature.HEADER: signature.sign(gateway.demo_secret or "", body, time.time()),
                "X-Odoo-Database": self.env.cr.dbname,
            },
            data=body,
        )

    def _record(self, outcome):
        """Write down what came of a call; repeat it later unless Odoo took it.

        :param outcome: as in :meth:`Transport.collect`
        """
        answered = isinstance(outcome, Response)
        self.answer = str(outcome.status if answered else outcome)
        if answered and 200 <= outcome.status < 300:
            self._set_done()
        else:
            self._try_again()

    def _set_done(self):
        self.state = "done"
        if self.kind == "inbound":
            self.text_id._set_taken()

    def _try_again(self):
        if self.attempts > len(RETRY_DELAYS):
            self.state = "failed"
        else:
            self.state = "waiting"
            self._put_off(RETRY_DELAYS[self.attempts - 1])
        self.text_id._update_screens()

    @api.autovacuum
    def _gc_calls(self):
        """Forget what was told long ago."""
        border = fields.Datetime.now() - timedelta(days=RETENTION_DAYS)
        self.search([("state", "in", ("done", "failed")), ("due_at", "<", border)]).unlink()

    # === WORKER === #

    @api.model
    def _wake_worker(self, at=None):
        self.env.ref("sms_gateway_demo.ir_cron_carrier").sudo()._trigger(at)

    @api.model
    def _cron_work(self):
        """Let texts arrive and tell Odoo of them, until nothing falls due any time soon."""
        self._requeue_orphans()
        end = time.monotonic() + RUN_SECONDS
        with Transport() as transport:
            while self._work(transport, rest=time.monotonic() > end):
                pass
        self._come_back()

    def _requeue_orphans(self):
        """Calls whose worker was killed: nobody knows whether they were made."""
        self.search([("state", "=", "calling")]).write({"state": "waiting"})

    def _work(self, transport, rest=False):
        """One round.

        :param bool rest: start nothing new
        :return: whether there is a reason for another round
        """
        try:
            if not rest:
                self._start(transport)
            for _key, request, outcome in transport.collect(timeout=POLL_SECONDS):
                self.browse(int(request.uuids[0]))._record(outcome)
            self._commit()
        except SerializationFailure:
            self._rollback()
        return bool(transport.in_flight) or (not rest and self._linger())

    def _start(self, transport):
        """Let texts arrive, claim calls that are due, commit, then make them."""
        self.env["sms.demo.text"]._arrive_due()
        requests = [
            call._prepare_request() for call in self._claim(CALLS_AT_A_TIME - transport.in_flight)
        ]
        self._commit()
        for request in requests:
            transport.submit("odoo", CALLS_AT_A_TIME, request)

    def _claim(self, limit):
        """Take calls that are due, the oldest of each telephone that is not being told of."""
        self.flush_model()
        self.env.cr.execute(
            """
            WITH due AS MATERIALIZED (
                 SELECT id, phone_id, due_at FROM sms_demo_call
                  WHERE state = 'waiting' AND due_at <= clock_timestamp() at time zone 'utc'
                    AND phone_id NOT IN (
                        SELECT phone_id FROM sms_demo_call WHERE state = 'calling')
                  ORDER BY due_at, id LIMIT %s),
                 oldest AS MATERIALIZED (
                 SELECT DISTINCT ON (phone_id) id, due_at FROM due ORDER BY phone_id, due_at, id)
            UPDATE sms_demo_call SET state = 'calling', attempts = attempts + 1
             WHERE id IN (SELECT id FROM oldest ORDER BY due_at, id LIMIT %s)
            RETURNING id
            """,
            [CLAIM_DEPTH, limit],
            log_exceptions=False,
        )
        claimed = self.browse(sorted(row[0] for row in self.env.cr.fetchall()))
        claimed.invalidate_recordset(["state", "attempts"], flush=False)
        return claimed

    def _linger(self):
        """Wait for what falls due soon; whether there is such a thing."""
        seconds = self._get_seconds_to_next()
        self._commit()
        if seconds is None or seconds > LINGER_SECONDS:
            return False
        time.sleep(min(max(seconds, 0), POLL_SECONDS))
        return True

    def _come_back(self):
        """Have the worker run again when the next call or text falls due."""
        seconds = self._get_seconds_to_next()
        if seconds is not None:
            later = self.env.cr.now() + timedelta(seconds=seconds)
            self._wake_worker(later if seconds > 0 else None)

    def _get_seconds_to_next(self):
        """Seconds until the next call or text falls due, or None where there is none."""
        self.env.cr.execute(
            """
            SELECT extract(epoch FROM min(due_at) - clock_timestamp() at time zone 'utc')::float8
              FROM (SELECT due_at FROM sms_demo_call WHERE state = 'waiting'
                    UNION ALL
                    SELECT due_at FROM sms_demo_text WHERE state = 'waiting') AS waiting
            """
        )
        return self.env.cr.fetchone()[0]

    def _commit(self):
        """Make what was done last, and start with a fresh view of the database."""
        self.env.cr.commit()  # pylint: disable=invalid-commit
        self.env.invalidate_all(flush=False)

    def _rollback(self):
        self.env.cr.rollback()
        self.env.invalidate_all(flush=False)
