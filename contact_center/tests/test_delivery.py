import base64
import hashlib
import hmac
import json
from contextlib import contextmanager, suppress
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import RecordCapturer, freeze_time, new_test_user, tagged

from ..models import contact_center_delivery
from ..models.contact_center_delivery import RETENTION_DAYS, RETRY_DELAYS
from .common import ContactCenterCase

KEY = b"a secret of the exchange"


class Exchange:
    """An exchange on loopback: what it was told, and what it answers."""

    def __init__(self):
        self.told = []
        self.status = 204

    @contextmanager
    def listen(self):
        exchange = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                exchange.told.append((self.path, dict(self.headers.items()), body))
                self.send_response(exchange.status)
                self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args):
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = Thread(target=server.serve_forever, args=[0.01], daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


@tagged("post_install", "-at_install")
class TestDelivery(ContactCenterCase):
    """What the exchange is told, until it has heard it."""

    def setUp(self):
        super().setUp()
        self.env["contact.center.delivery"].search([]).unlink()
        self.exchange = Exchange()
        self.connector.outbound_secret = f"whsec_{base64.b64encode(KEY).decode()}"
        url = self.enterContext(self.exchange.listen())
        self.connector.outbound_url = f"{url}/hook"

    def tell(self, *args, **data):
        """An event of the exchange; without a type Odoo tells something."""
        if args:
            return super().tell(*args, **data)
        self.connector._tell("callback.cancelled", {"callback_id": "k1", **data})
        return self.find()

    def find(self):
        self.env.invalidate_all()
        return self.env["contact.center.delivery"].search([], limit=1)

    def run_deliveries(self):
        self.env.flush_all()
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            self.env(cr=cr)["contact.center.delivery"]._run()
        return self.find()

    def test_what_is_queued_is_sent_signed(self):
        """R087: after the commit; the signature is computed here by hand."""
        with RecordCapturer(self.env["ir.cron.trigger"].sudo()) as triggers:
            delivery = self.tell(name="Åse")
        self.assertEqual(
            triggers.records.cron_id, self.env.ref("contact_center.ir_cron_deliveries")
        )
        self.assertEqual((delivery.state, self.exchange.told), ("waiting", []))
        delivery = self.run_deliveries()
        self.assertEqual((delivery.state, delivery.response_code), ("done", 204))
        self.assertTrue(delivery.done_at)
        ((path, headers, body),) = self.exchange.told
        self.assertEqual((path, headers["Content-Type"]), ("/hook", "application/json"))
        content = json.loads(body)
        self.assertEqual(content["type"], "callback.cancelled")
        self.assertEqual(content["data"], {"callback_id": "k1", "name": "Åse"})
        self.assertEqual(headers["webhook-id"], content["id"])
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        digest = base64.b64encode(hmac.digest(KEY, signed, hashlib.sha256)).decode()
        self.assertEqual(headers["webhook-signature"], f"v1,{digest}")
        self.run_deliveries()
        self.assertEqual(len(self.exchange.told), 1)

    def test_a_callback_cancelled_in_odoo_is_told(self):
        """R087: the customer's "no" reaches the exchange."""
        self.create_callback(external_id="k9")._cancel("sms_reply")
        self.run_deliveries()
        content = json.loads(self.exchange.told[-1][2])
        self.assertEqual(content["type"], "callback.cancelled")
        self.assertEqual(content["data"]["callback_id"], "k9")
        self.assertEqual(content["data"]["reason"], "sms_reply")

    def test_without_an_address_nothing_is_queued(self):
        self.connector.outbound_url = False
        self.assertFalse(self.tell())

    def test_without_a_secret_it_goes_unsigned(self):
        self.connector.outbound_secret = False
        self.tell()
        self.run_deliveries()
        self.assertNotIn("webhook-signature", self.exchange.told[0][1])

    def test_it_is_tried_again_until_it_is_given_up(self):
        """The id stays, so that the exchange can tell a repetition."""
        self.exchange.status = 500
        self.tell()
        moment = fields.Datetime.now()
        for delay in RETRY_DELAYS:
            with freeze_time(moment):
                delivery = self.run_deliveries()
                self.assertEqual(delivery.state, "waiting")
                self.assertEqual(delivery.next_attempt_at - moment, timedelta(seconds=delay))
                self.assertEqual(delivery.error, "The exchange has answered 500.")
                told = len(self.exchange.told)
                self.run_deliveries()
                self.assertEqual(len(self.exchange.told), told, "not before")
            moment += timedelta(seconds=delay)
        with freeze_time(moment):
            delivery = self.run_deliveries()
        self.assertEqual((delivery.state, delivery.attempts), ("failed", 7))
        self.assertEqual(len({headers["webhook-id"] for _p, headers, _b in self.exchange.told}), 1)
        self.exchange.status = 200
        delivery.action_retry()
        self.assertEqual(self.run_deliveries().state, "done")

    def test_gone_is_gone(self):
        self.exchange.status = 410
        self.tell()
        delivery = self.run_deliveries()
        self.assertEqual((delivery.state, delivery.attempts), ("failed", 1))

    def test_nobody_is_followed_elsewhere(self):
        self.exchange.status = 307
        self.tell()
        delivery = self.run_deliveries()
        self.assertEqual((delivery.state, delivery.response_code), ("waiting", 307))
        self.assertEqual([path for path, _headers, _body in self.exchange.told], ["/hook"])

    def test_who_is_silent_keeps_others_waiting_once(self):
        """Of two things to tell a dead exchange one is tried; the other exchange hears its own."""
        other = self.connector.copy({"code": "other", "outbound_url": "http://127.0.0.1:9/x"})
        for _time in range(2):
            other._tell("callback.cancelled", {"callback_id": "k"})
        self.tell()
        self.run_deliveries()
        deliveries = self.env["contact.center.delivery"].search([], order="id")
        self.assertEqual(deliveries.mapped("state"), ["waiting", "waiting", "done"])
        self.assertEqual(deliveries.mapped("attempts"), [1, 0, 1])
        self.assertIn("http://127.0.0.1:9/x does not answer (ConnectionE", deliveries[0].error)
        other.outbound_url = "http://127.0.0.1:99999/no-such-port"
        deliveries[0].next_attempt_at = fields.Datetime.now()
        self.run_deliveries()
        self.assertEqual(deliveries.mapped("state"), ["waiting", "waiting", "done"])
        other.outbound_url = False
        deliveries.next_attempt_at = fields.Datetime.now()
        self.run_deliveries()
        self.assertEqual(deliveries.mapped("state"), ["failed", "failed", "done"])

    def test_each_is_committed_by_itself(self):
        """An error of ours in the second leaves the first done."""
        self.tell()
        self.tell(n=2)
        post, calls = contact_center_delivery._post, []

        def post_once(*args):
            calls.append(args)
            if len(calls) > 1:
                raise KeyError
            return post(*args)

        with (
            patch.object(contact_center_delivery, "_post", post_once),
            suppress(KeyError),  # `assertRaises` would take everything back
        ):
            self.run_deliveries()
        self.env.invalidate_all()
        states = self.env["contact.center.delivery"].search([], order="id").mapped("state")
        self.assertEqual(states, ["done", "waiting"])

    def test_old_ones_are_removed(self):
        self.exchange.status = 410
        old = self.tell()
        self.run_deliveries()
        kept = self.tell()
        before = fields.Datetime.now() - timedelta(days=RETENTION_DAYS, hours=1)
        self.env.cr.execute("UPDATE contact_center_delivery SET create_date = %s", [before])
        self.env.invalidate_all()
        self.env["contact.center.delivery"]._gc_old()
        self.assertFalse(old.exists())
        self.assertTrue(kept.exists(), "it still waits")

    def test_only_administrators_see_them(self):
        agent = new_test_user(self.env, "agent", groups="contact_center.group_supervisor")
        delivery = self.tell().with_user(agent)
        for method in (lambda: delivery.type, delivery.action_retry):
            with self.assertRaises(AccessError):
                method()
