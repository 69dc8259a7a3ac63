import json
import time
from dataclasses import replace

from odoo.tests import TransactionCase, tagged

from odoo.addons.sms_gateway.engine.contract import Response, Webhook
from odoo.addons.sms_gateway.tests.contract import AdapterContract

from ..engine import signature

SECRET = "shared secret"
STATUSES = {"sent": "on_the_way", "delivered": "delivered", "failed": "failed"}


def answer(status, payload):
    return Response(status, {}, json.dumps(payload).encode())


def call(kind, payload, secret=SECRET, now=None):
    """A signed call of the carrier."""
    body = json.dumps(payload).encode()
    header = signature.sign(secret, body, now or time.time())
    return Webhook(
        kind=kind,
        method="POST",
        url=f"https://odoo.test/sms/gateway/token/{kind}",
        headers={signature.HEADER.lower(): header, "content-type": "application/json"},
        body=body,
    )


@tagged("post_install", "-at_install")
class TestContract(AdapterContract, TransactionCase):
    code = "demo"
    gateway_values = {"demo_secret": SECRET}
    credentials = ("demo_secret",)
    verification_fields = ("demo_secret",)
    reply = (200, b'{"ok": true}')

    def make_accepted(self, request):
        texts = [
            {"uuid": uuid, "status": "accepted", "id": f"ref-{uuid}", "parts": 1, "price": 0.05}
            for uuid in request.uuids
        ]
        return answer(200, {"texts": texts})

    def make_refusals(self, request):
        def refuse(code):
            texts = [
                {"uuid": uuid, "status": "rejected", "code": code, "reason": "No"}
                for uuid in request.uuids
            ]
            return answer(200, {"texts": texts})

        return [
            (refuse("number"), "sms_number_format"),
            (refuse("credit"), "sms_credit"),
            (refuse("something new"), "sms_rejected"),
            (answer(401, {"error": "refused: signature"}), "sms_configuration"),
        ]

    def make_throttled(self, request):
        return [answer(429, {"error": "busy", "retry_after": 1}), answer(503, {})]

    def make_garbage(self, request):
        unanswered = {"texts": [{"uuid": "somebody else's", "status": "accepted"}, 1]}
        return [*super().make_garbage(request), answer(200, unanswered), answer(504, {})]

    def make_test_answers(self):
        return [
            (answer(200, {"balance": 1}), True),
            (answer(401, {"error": "refused: signature"}), False),
        ]

    def make_inbound(self, number, address, body, reference):
        text = {"id": reference, "from": number, "to": address, "body": body}
        return call("inbound", {"texts": [{**text, "sent_at": 1767225600}]})

    def make_report(self, message, state):
        report = {"id": message.provider_ref, "uuid": message.uuid, "status": STATUSES[state]}
        if state == "failed":
            report.update(code="absent", reason="Switched off")
        return call("status", {"reports": [report]})

    def make_forgeries(self, webhook):
        payload = json.loads(webhook.body)
        changed = dict.fromkeys(payload, [])
        return [
            ({}, replace(webhook, headers={})),
            ({}, replace(webhook, body=json.dumps(changed).encode())),
            ({}, call(webhook.kind, payload, secret="guessed")),
            ({}, call(webhook.kind, payload, secret="")),
            ({}, call(webhook.kind, payload, now=time.time() - 2 * signature.TOLERANCE)),
            ({"demo_secret": "renewed"}, webhook),
            ({"demo_secret": False}, webhook),
        ]

    def make_repetition(self, webhook):
        """The same bytes, signed anew."""
        return call(webhook.kind, json.loads(webhook.body))

    def record(self, messages, outcome):
        """An answer names the texts it is about: have it name these."""
        if isinstance(outcome, Response) and b'"uuid"' in outcome.body:
            told = outcome.json()
            for text, message in zip(told["texts"], messages, strict=True):
                text["uuid"] = message.uuid
            outcome = answer(outcome.status, told)
        return super().record(messages, outcome)

    def test_several_in_one_call(self):
        """The carrier may tell of many texts at once."""
        texts = [
            {"id": f"REF{index}", "from": "+46701234567", "to": self.sender.address, "body": "Yes"}
            for index in range(3)
        ]
        self.receive(call("inbound", {"texts": texts}))
        self.work()
        self.assertEqual(self.get_received().mapped("provider_ref"), ["REF0", "REF1", "REF2"])

    def test_balance(self):
        adapter = self.adapter
        self.assertEqual(
            adapter._parse_balance(self.gateway, answer(200, {"balance": 3})), (3, None)
        )
        self.assertIsNone(adapter._parse_balance(self.gateway, answer(401, {"error": "refused"})))
