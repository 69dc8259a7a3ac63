"""The demo carrier in the tests of other addons.

Mix nothing in, inherit :class:`DemoCarrierCase`: its gateway is at the demo carrier, nothing goes
over the network, and :meth:`DemoCarrierCase.exchange` lets happen what would happen by itself::

    text = self.phone._answer("Yes")
    self.exchange()
    self.assertEqual(self.get_received().body, "Yes")
"""

import json
from contextlib import contextmanager
from unittest.mock import patch
from urllib.parse import urlsplit

from odoo.addons.sms_gateway.engine.contract import Response, Webhook
from odoo.addons.sms_gateway.models import sms_lane
from odoo.addons.sms_gateway.tests.common import CUSTOMER, SmsGatewayCase

from ..const import ACCOUNT_PATH, SEND_PATH
from ..models import sms_demo_call

#: Rounds of an exchange; more is a loop.
MOST_ROUNDS = 10


class Loopback:
    """Stands for ``Transport``: carrier and Odoo in one process, without a network.

    :param env: of the test; both sides work with it while a request is under way
    :param list log: takes a (method, path, status) for each request
    """

    def __init__(self, env, log):
        self._env, self._log, self._done = env, log, []

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        pass

    @property
    def in_flight(self):
        return len(self._done)

    def count(self, key):
        return 0

    def submit(self, key, size, request):
        self._done.append((key, request, self._perform(request)))

    def collect(self, timeout, linger=False):
        done, self._done = self._done, []
        return done

    def _perform(self, request):
        path = urlsplit(request.url).path
        serve = self._serve_carrier if path in (SEND_PATH, ACCOUNT_PATH) else self._serve_gateway
        self._env.invalidate_all()
        response = serve(path, request)
        self._env.flush_all()
        self._log.append((request.method, path, response.status))
        return response

    def _serve_carrier(self, path, request):
        carriers = self._env["sms.demo.carrier"]
        status, answer = carriers._serve(path, request.headers, request.data)
        return Response(status, {}, json.dumps(answer).encode())

    def _serve_gateway(self, path, request):
        token, kind = path.split("/")[-2:]
        gateway = self._env["sms.gateway"]._find_by_token(token)
        headers = {name.lower(): value for name, value in request.headers.items()}
        webhook = Webhook(kind, request.method, request.url, headers=headers, body=request.data)
        return Response(*gateway._receive_call(webhook))


class DemoCarrierCase(SmsGatewayCase):
    """A company whose gateway is at the demo carrier, and a customer's telephone."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.carrier = cls.env["sms.demo.carrier"].search([("gateway_id", "=", cls.gateway.id)])
        cls.carrier.latency = 0
        cls.env["sms.sender"].search([("gateway_id", "!=", cls.gateway.id)]).active = False
        cls.env["sms.demo.phone"].search([]).unlink()
        cls.phone = cls.env["sms.demo.phone"].create({"name": "Anna Hansen", "number": CUSTOMER})
        cls.log = []

    @classmethod
    def _create_gateway(cls, **values):
        return super()._create_gateway(code="demo", **values)

    def exchange(self):
        """Let texts, reports and answers flow until nothing moves any more."""
        for _round in range(MOST_ROUNDS):
            with self.loopback():
                self.run_lanes()
                self.run_carrier()
                self.run_events()
            if not self.is_busy():
                return
        raise AssertionError("carrier and Odoo do not come to rest")

    @contextmanager
    def loopback(self):
        """Both sides reach each other without a network."""

        def make():
            return Loopback(self.env, self.log)

        @contextmanager
        def lock(_self, _name):
            """A second transaction keeps others from running at a time; a test has only one."""
            yield True

        with (
            patch.object(sms_lane, "Transport", make),
            patch.object(sms_demo_call, "Transport", make),
            patch.object(self.registry["sms.lane"], "_lock", lock),
        ):
            yield

    def run_carrier(self):
        """Let texts arrive and tell Odoo, as the carrier's scheduled action would."""
        with self.own_cursor() as env:
            env["sms.demo.call"]._cron_work()

    def is_busy(self):
        """Whether something waits to be sent, told or worked off."""
        waits = {
            "sms.sms": [("state", "=", "outgoing"), ("gateway_id", "=", self.gateway.id)],
            "sms.demo.call": [("state", "=", "waiting")],
            "sms.gateway.event": [("state", "=", "new"), ("retry_at", "=", False)],
        }
        return any(self.env[model].search_count(domain) for model, domain in waits.items())

    def get_received(self):
        """What Odoo got from the customer, oldest first."""
        domain = [("gateway_id", "=", self.gateway.id), ("direction", "=", "in")]
        return self.env["sms.message"].search(domain, order="id")
