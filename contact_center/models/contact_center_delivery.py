import json
import time
import uuid
from datetime import timedelta

import requests

from odoo import api, fields, models

from ..engine import signature
from ..engine.schema import format_time

#: Seconds to connect, and between two bytes of the answer.
TIMEOUT = 10
#: Seconds until the next attempt; after the last one it is given up.
RETRY_DELAYS = (10, 60, 5 * 60, 30 * 60, 2 * 3600, 8 * 3600)
#: The exchange wants to hear no more of it.
GONE = 410
BATCH = 100
RETENTION_DAYS = 30


class ContactCenterDelivery(models.Model):
    """One thing that an exchange is told, until it has heard it.

    At least once: its id is the same in every attempt, so that the exchange can tell. Another one
    may overtake it while it waits for its next attempt.
    """

    _name = "contact.center.delivery"
    _description = "Contact Center Delivery"
    _order = "id DESC"
    _rec_name = "type"

    connector_id = fields.Many2one(
        "contact.center.connector", required=True, readonly=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="connector_id.company_id")
    uuid = fields.Char("Id", required=True, readonly=True, copy=False)
    type = fields.Char(required=True, readonly=True)
    payload = fields.Text(readonly=True, help="The body as it is sent.")
    state = fields.Selection(
        [("waiting", "Waiting"), ("done", "Done"), ("failed", "Given up")],
        required=True,
        readonly=True,
        default="waiting",
    )
    attempts = fields.Integer(readonly=True)
    next_attempt_at = fields.Datetime(
        "Not before", readonly=True, default=lambda self: fields.Datetime.now()
    )
    done_at = fields.Datetime("Heard at", readonly=True)
    response_code = fields.Integer("Answer", readonly=True, aggregator=None)
    error = fields.Char("Reason", readonly=True)

    _due_idx = models.Index("(next_attempt_at, id) WHERE state = 'waiting'")

    # === QUEUING === #

    @api.model
    def _queue(self, connector, event_type, data):
        """Have a connector's exchange told after the commit.

        :param str event_type: e.g. ``callback.cancelled``
        :param dict data: what JSON can hold
        """
        moment = format_time(self.env.cr.now())
        message_id = f"msg_{uuid.uuid4().hex}"
        content = {"id": message_id, "type": event_type, "time": moment, "data": data}
        delivery = self.sudo().create(
            {
                "connector_id": connector.id,
                "uuid": message_id,
                "type": event_type,
                "payload": json.dumps(content, ensure_ascii=False),
            }
        )
        self._wake()
        return delivery

    @api.model
    def _wake(self):
        """Have them sent after the commit."""
        self.env.ref("contact_center.ir_cron_deliveries").sudo()._trigger()

    # === SENDING === #

    @api.model
    def _run(self):
        """Send what is due, oldest first; the scheduled action.

        An exchange that does not answer is left alone until the next run: others wait no longer
        for it than once.
        """
        silent = set()
        while delivery := self._find_due(silent):
            if not delivery._send():
                silent.add(delivery.connector_id.id)
            if not self.env["ir.cron"]._commit_progress(1):
                self._wake()
                break
            self.env.invalidate_all(flush=False)

    @api.model
    def _find_due(self, silent):
        """The next one, locked so that nobody else sends it; may be empty."""
        due = self.search(
            [
                ("state", "=", "waiting"),
                ("next_attempt_at", "<=", fields.Datetime.now()),
                ("connector_id", "not in", list(silent)),
            ],
            order="next_attempt_at, id",
            limit=BATCH,
        )
        return due.try_lock_for_update(limit=1)

    def _send(self):
        """Make one attempt.

        :return: whether the exchange has answered
        """
        connector = self.connector_id
        if not connector.outbound_url:
            self._give_up(
                self.env._("Connector %s has no address of the exchange to tell.", connector.name)
            )
            return True
        body = self.payload.encode()
        headers = signature.get_headers(
            connector.outbound_secret, self.uuid, str(int(time.time())), body
        )
        self.attempts += 1
        try:
            code = _post(connector.outbound_url, body, headers)
        except (requests.RequestException, ValueError) as error:
            self.response_code = 0
            self._put_off(
                self.env._(
                    "%(url)s does not answer (%(error)s). Is the connector's address of the "
                    "exchange right, and the exchange running?",
                    url=connector.outbound_url,
                    error=type(error).__name__,
                )
            )
            return False
        self._note_answer(code)
        return True

    def _note_answer(self, code):
        self.response_code = code
        if 200 <= code < 300:
            self.write({"state": "done", "done_at": fields.Datetime.now(), "error": False})
        elif code == GONE:
            self._give_up(self.env._("The exchange wants to hear no more of it."))
        else:
            self._put_off(self.env._("The exchange has answered %s.", code))

    def _put_off(self, reason):
        """Try again later, unless it was tried often enough."""
        if self.attempts > len(RETRY_DELAYS):
            self._give_up(reason)
            return
        delay = timedelta(seconds=RETRY_DELAYS[self.attempts - 1])
        self.write({"error": reason, "next_attempt_at": fields.Datetime.now() + delay})

    def _give_up(self, reason):
        self.write({"state": "failed", "error": reason})

    # === ACTION METHODS === #

    def action_retry(self):
        """Try again what was given up, from the first attempt on."""
        self.check_access("write")
        self.filtered(lambda delivery: delivery.state == "failed").write(
            {"state": "waiting", "attempts": 0, "next_attempt_at": fields.Datetime.now()}
        )
        self._wake()

    # === RETENTION === #

    @api.autovacuum
    def _gc_old(self):
        before = fields.Datetime.now() - timedelta(days=RETENTION_DAYS)
        self.search([("create_date", "<", before), ("state", "!=", "waiting")]).unlink()


def _post(url, body, headers):
    """The network edge: post JSON, and follow nobody elsewhere.

    Proxies and passwords of the machine are not used: the address means what it says.

    :return: the status of the answer, whose body is not read
    """
    headers = {**headers, "Content-Type": "application/json", "User-Agent": "Odoo-Contact-Center"}
    with requests.Session() as session:
        session.trust_env = False
        answer = session.post(
            url, data=body, headers=headers, timeout=TIMEOUT, allow_redirects=False, stream=True
        )
        answer.close()
        return answer.status_code
