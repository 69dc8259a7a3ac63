from contextlib import contextmanager, nullcontext
from unittest.mock import patch

from odoo import SUPERUSER_ID
from odoo.tests import TransactionCase, new_test_user

from odoo.addons.sms_gateway.engine import transport
from odoo.addons.sms_gateway.engine.contract import (
    DeliveryReport,
    InboundText,
    Response,
    SendRequest,
    SendResult,
    TextPart,
    WebhookRefused,
)

CUSTOMER = "+4791234567"


class FakeProvider:
    """A provider at the network edge: what it was asked to send, and what it answers.

    ``answers`` holds, by the number of the customer or of ours, keyword arguments of
    :class:`SendResult`, or an exception of the transport. Without one a text is accepted.
    """

    def __init__(self):
        self.sent = []
        self.answers = {}

    @property
    def bodies(self):
        return [text["body"] for text in self.sent]

    @property
    def numbers(self):
        return [text["number"] for text in self.sent]

    def prepare_requests(self, adapter, gateway, messages):
        return [
            SendRequest(
                uuids=(message.uuid,),
                method="POST",
                url="https://provider.test/send",
                json={
                    "number": message.number,
                    "body": message.body,
                    "from": message.sender_id.address,
                },
            )
            for message in messages
        ]

    def perform(self, session, request):
        answer = self._get_answer(request)
        if not isinstance(answer, transport.NotSent):
            self.sent.append(request.json)
        if isinstance(answer, Exception):
            raise answer
        return Response(200, {}, b"")

    def _get_answer(self, request):
        return self.answers.get(request.json["number"]) or self.answers.get(request.json["from"])

    def parse_response(self, adapter, gateway, request, response):
        answer = self._get_answer(request) or {"outcome": "sent"}
        return [
            SendResult(uuid, **{"provider_ref": f"ref-{uuid}"} | answer) for uuid in request.uuids
        ]


class FakeWebhooks:
    """The provider's calls to us: lists in JSON, each proven by a header.

    ``seen`` holds the :class:`Webhook` of every call that was looked at.
    """

    proof = {"X-Proof": "right"}

    def __init__(self):
        self.seen = []

    def verify(self, adapter, gateway, webhook):
        self.seen.append(webhook)
        if webhook.headers.get("x-proof") != "right":
            raise WebhookRefused("signature")

    def extract_inbound(self, adapter, gateway, webhook):
        return [self._make_text(text) for text in webhook.json()]

    def _make_text(self, text):
        part = {"part": TextPart(**text["part"])} if "part" in text else {}
        return InboundText(**{"address": "59445012"} | text | part)

    def extract_reports(self, adapter, gateway, webhook):
        return [DeliveryReport(**report) for report in webhook.json()]


class SmsGatewayCase(TransactionCase):
    """A company with a gateway whose provider is played by the test, and its senders."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.env.company
        cls.company.country_id = cls.env.ref("base.no")
        cls.company.sms_bulk_enabled = True
        cls.company.sms_default_sender_id = False
        cls.env["sms.sender"].search([]).active = False  # those of the demo data
        cls.gateway = cls._create_gateway()
        cls.sender = cls._create_sender("Sales", "dedicated", "59445012", inbound_enabled=True)
        cls.text_sender = cls._create_sender("Fjord", "text", "Fjord AS")
        cls.partner = cls.env["res.partner"].create({"name": "Anna Hansen", "phone": CUSTOMER})
        cls.salesman = new_test_user(
            cls.env,
            "sms_salesman",
            groups="base.group_user,base.group_partner_manager,sms_gateway.group_sms_user",
        )
        cls.env.flush_all()

    @classmethod
    def _create_gateway(cls, **values):
        features = {
            "inbound": True,
            "status": True,
            "text_sender": True,
            "idempotency": False,
            "balance": False,
            "cost": False,
            "signature": False,
        }
        adapter = type(cls.env["sms.gateway.adapter.none"])
        cls.startClassPatcher(patch.object(adapter, "_get_features", lambda self: features))
        return cls.env["sms.gateway"].create(
            {"name": "Test provider", "state": "enabled", "max_per_second": 1000, **values}
        )

    @classmethod
    def _create_sender(cls, name, kind, address, **values):
        return cls.env["sms.sender"].create(
            {
                "name": name,
                "kind": kind,
                "address": address,
                "gateway_id": cls.gateway.id,
                "state": "approved",
                **values,
            }
        )

    @contextmanager
    def provider(self):
        """Play the provider; yields a :class:`FakeProvider`."""
        fake = FakeProvider()
        adapter = type(self.env["sms.gateway.adapter.none"])
        with (
            patch.object(adapter, "_prepare_requests", lambda *args: fake.prepare_requests(*args)),
            patch.object(adapter, "_parse_response", lambda *args: fake.parse_response(*args)),
            patch.object(transport, "perform", fake.perform),
        ):
            yield fake

    @contextmanager
    def webhooks(self):
        """Let the provider's calls in; yields a :class:`FakeWebhooks`."""
        fake = FakeWebhooks()
        adapter = type(self.env["sms.gateway.adapter.none"])
        with (
            patch.object(adapter, "_verify_webhook", lambda *args: fake.verify(*args)),
            patch.object(adapter, "_extract_inbound", lambda *args: fake.extract_inbound(*args)),
            patch.object(adapter, "_extract_reports", lambda *args: fake.extract_reports(*args)),
        ):
            yield fake

    def run_lanes(self, *lanes):
        """Send what waits, as the scheduled actions would."""
        with self.own_cursor() as env:
            for lane in lanes or ("chat", "normal", "bulk"):
                env["sms.lane"]._run(lane)

    def run_events(self):
        """Work off the webhook calls, as the scheduled action would."""
        lock = patch.object(self.registry["sms.lane"], "_lock", lambda *args: nullcontext(True))
        with self.own_cursor() as env, lock:  # a test has one connection: savepoints would cross
            env["sms.gateway.event"]._run()

    @contextmanager
    def own_cursor(self):
        """An environment that may commit, as that of a scheduled action; the test sees all."""
        self.env.flush_all()
        in_test_mode = nullcontext() if type(self)._registry_patched else None
        with in_test_mode or self.enter_registry_test_mode(), self.registry.cursor() as cr:
            yield self.env(cr=cr, user=SUPERUSER_ID, context={})
        self.env.invalidate_all()

    def create_text(self, **values):
        """A text to the customer through our sender, as the rest of Odoo makes it."""
        return self.env["sms.sms"].create(
            {"number": CUSTOMER, "body": "Hello", "sender_id": self.sender.id, **values}
        )

    def send_from_record(self, body="Hello", record=None, sender=None):
        """Send from a record's chatter; returns the message in the chatter."""
        record = (record or self.partner).with_context(sms_sender_id=(sender or self.sender).id)
        return record._message_sms(body)
