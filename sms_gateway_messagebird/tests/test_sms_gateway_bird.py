import dataclasses
import json
import time
from base64 import b64decode, b64encode

from bird import Bird, WebhookVerificationError

from odoo.tests import TransactionCase, tagged

from odoo.addons.sms_gateway.engine.contract import Response, Webhook
from odoo.addons.sms_gateway.engine.proof import sign
from odoo.addons.sms_gateway.tests.contract import AdapterContract

from .. import const

SECRET = f"whsec_{b64encode(b'0' * 32).decode()}"
OTHER_SECRET = f"whsec_{b64encode(b'1' * 32).decode()}"
#: As Bird's library for Python expects it.
MESSAGE = {
    "id": "sms_01krdgeqcxet5s7t44vh8rt9mg",
    "direction": "outbound",
    "status": "accepted",
    "to": "+46701234567",
    "from": "+46700000001",
    "text": "Hello",
    "category": "transactional",
    "segments": {"count": 2, "encoding": "GSM_7BIT", "characters": 200},
    "cost": {
        "amount": "0.00990",
        "currency_code": "EUR",
        "transaction_amount": "0.00790",
        "passthrough_amount": "0.00200",
    },
}
DATA = {
    "sms_id": "sms_01krdgeqcxet5s7t44vh8rt9mg",
    "workspace_id": "ws_01krdgeqcxet5s7t44vh8rt9mg",
    "to": "+46700000001",
    "from": "+46701234567",
    "tags": None,
    "metadata": None,
    "requested_language": None,
    "resolved_language": None,
    "template_id": None,
    "template_version_id": None,
    "template_content_hash": None,
}
ERROR = {
    "code": "blocked_by_carrier",
    "description": "Carrier filtered as spam",
    "carrier_error_code": "4470",
    "occurred_at": "2026-05-21T12:00:00Z",
}
EVENTS = {"sent": "sms.sent", "delivered": "sms.delivered", "failed": "sms.undelivered"}


def make_error(status, kind, name=None, headers=None):
    error = {"type": kind, "code": "E1001", "name": name, "message": "Words", "request_id": "r1"}
    return Response(status, headers or {}, json.dumps({"error": error}).encode())


@tagged("post_install", "-at_install")
class TestSmsGatewayBird(AdapterContract, TransactionCase):
    code = "bird"
    gateway_values = {"bird_api_key": "bk_us2_0123abc", "bird_webhook_secret": SECRET}
    credentials = ("bird_api_key", "bird_webhook_secret")
    verification_fields = ("bird_webhook_secret",)

    # === CONTRACT === #

    def make_accepted(self, request):
        answer = {**MESSAGE, "id": f"sms_{request.uuids[0]}"}
        return Response(202, {}, json.dumps(answer).encode())

    def make_refusals(self, request):
        bare = json.dumps({"type": "auth_error", "message": "Words"}).encode()
        return [
            (
                make_error(422, "validation_error", "SMSInvalidRecipient"),
                "sms_invalid_destination",
            ),
            (make_error(422, "validation_error", "SMSSenderNotConfigured"), "sms_sender"),
            (make_error(422, "validation_error", "Unheard"), "sms_rejected"),
            (make_error(402, "billing_error"), "sms_credit"),
            (Response(401, {}, bare), "sms_configuration"),
            (Response(404, {}, b"<html>"), "sms_configuration"),
            (Response(302, {"Location": "/login"}, b"moved"), "sms_rejected"),
        ]

    def make_throttled(self, request):
        return [
            make_error(429, "rate_limit_error", headers={"Retry-After": "7"}),
            make_error(409, "conflict_error"),
            Response(429, {}, b""),
        ]

    def make_garbage(self, request):
        return [
            *super().make_garbage(request),
            Response(202, {}, b'{"id": null}'),
            make_error(500, "internal_error"),
            make_error(503, "rate_limit_error"),
        ]

    def make_test_answers(self):
        return [
            (Response(200, {}, b'{"data": [], "next_cursor": null}'), True),
            (make_error(401, "auth_error"), False),
            (Response(200, {}, b"<html>Log in</html>"), False),
        ]

    def make_inbound(self, number, address, body, reference):
        segments = {"count": 1, "encoding": "GSM_7BIT", "characters": len(body)}
        data = {**DATA, "from": number, "to": address, "text": body, "segments": segments}
        return self.make_event("inbound", "sms.received", {**data, "sms_id": reference})

    def make_report(self, message, state):
        error = {"error": ERROR} if state == "failed" else {}
        return self.make_state(message, EVENTS[state], **error)

    def make_state(self, message, name, **values):
        reference = message.provider_ref or "sms_lost"
        told = {"sms_id": reference, "metadata": {"uuid": message.uuid}, **values}
        return self.make_event("status", name, {**DATA, **told})

    def make_event(self, kind, name, data):
        event = {"type": name, "timestamp": "2026-11-22T15:31:48Z", "data": data}
        url = self.gateway._get_webhook_url(kind)
        webhook = Webhook(kind, "POST", url, body=json.dumps(event).encode())
        return self.sign(webhook, name=f"msg_{name}_{data['sms_id']}")

    def sign(self, webhook, secret=SECRET, moment=None, name=None):
        """As Standard Webhooks are signed."""
        name = name or webhook.headers["webhook-id"]
        timestamp = str(int(moment or time.time()))
        data = f"{name}.{timestamp}.".encode() + webhook.body
        signature = b64encode(sign(b64decode(secret[6:]), data)).decode()
        return self.with_headers(webhook, id=name, timestamp=timestamp, signature=f"v1,{signature}")

    def with_headers(self, webhook, **values):
        values = {f"webhook-{name}": value for name, value in values.items()}
        headers = {k: v for k, v in {**webhook.headers, **values}.items() if v}
        return dataclasses.replace(webhook, headers=headers)

    def make_forgeries(self, webhook):
        signature = webhook.headers["webhook-signature"]
        later = str(int(webhook.headers["webhook-timestamp"]) + 2)
        forged = [
            self.with_headers(webhook, id=""),
            self.with_headers(webhook, timestamp=""),
            self.with_headers(webhook, signature=""),
            self.with_headers(webhook, id="msg_2"),
            self.with_headers(webhook, timestamp=later),
            self.with_headers(webhook, timestamp="soon"),
            self.with_headers(webhook, signature=signature[:-2]),
            self.with_headers(webhook, signature=signature.replace("v1,", "v2,")),
            self.with_headers(webhook, signature=signature.replace("v1,", "")),
            self.with_headers(webhook, signature="v1,å v1,"),
            self.sign(webhook, OTHER_SECRET),
            self.sign(webhook, moment=time.time() - 400),
            self.sign(webhook, moment=time.time() + 400),
            dataclasses.replace(webhook, body=webhook.body + b" "),
        ]
        return [
            *[({}, call) for call in forged],
            ({"bird_webhook_secret": OTHER_SECRET}, webhook),
            ({"bird_webhook_secret": "no secret"}, webhook),
        ]

    def make_repetition(self, webhook):
        """The id stays, moment and signature are new."""
        return self.sign(webhook, moment=time.time() - 60)

    # === REQUEST === #

    def test_request_as_bird_wants_it(self):
        """The region is part of the key."""
        message = self.make_messages(body="Hej å & €")
        wire = self.prepare(self.adapter._prepare_requests(self.gateway, message)[0])
        self.assertEqual(wire.url, "https://us2.platform.bird.com/v1/sms/messages")
        self.assertEqual(wire.headers["Authorization"], "Bearer bk_us2_0123abc")
        self.assertEqual(
            json.loads(wire.body),
            {
                "from": "+46700000001",
                "to": "+46701234567",
                "text": "Hej å & €",
                "category": "transactional",
                "metadata": {"uuid": message.uuid},
            },
        )

    def test_repetition_has_the_same_key(self):
        """P2: Bird recognises the second request by our uuid, and sends the text once."""
        message = self.make_messages()
        keys = {
            self.adapter._prepare_requests(self.gateway, message)[0].headers["Idempotency-Key"]
            for _time in range(2)
        }
        self.assertEqual(keys, {message.uuid})

    def test_mailings_are_told_as_marketing(self):
        """Several countries treat it otherwise, and Bird must know."""
        message = self.make_messages()
        message.origin = "mailing"
        request = self.adapter._prepare_requests(self.gateway, message)[0]
        self.assertEqual(request.json["category"], "marketing")

    def test_cost_and_parts_are_told(self):
        request = self.adapter._prepare_requests(self.gateway, self.make_messages())[0]
        accepted = self.make_accepted(request)
        (result,) = self.adapter._parse_response(self.gateway, request, accepted)
        self.assertEqual((result.segments, result.cost, result.currency), (2, 0.0099, "EUR"))

    def test_refusal_in_birds_words(self):
        message = self.make_messages()
        self.record(message, make_error(402, "billing_error"))
        self.assertEqual((message.failure_code, message.failure_reason), ("E1001", "Words"))

    def test_pause_that_bird_asks_for(self):
        request = self.adapter._prepare_requests(self.gateway, self.make_messages())[0]
        throttled = self.make_throttled(request)[0]
        (result,) = self.adapter._parse_response(self.gateway, request, throttled)
        self.assertEqual((result.outcome, result.retry_after), ("retry", 7))

    # === PROOF === #

    def test_signature_is_the_one_of_birds_own_library(self):
        """What Bird's library accepts is accepted, what it refuses is refused."""
        reference = "sms_01krdgeqcxet5s7t44vh8rt9mg"
        genuine = self.make_default_inbound("Zażółć 😀", reference)
        event = Bird(webhook_secret=SECRET).webhooks.unwrap(genuine.body, genuine.headers)
        self.assertEqual(event.root.data.text, "Zażółć 😀")
        self.assertEqual(self.receive(genuine)[0], 200)
        for values, forged in self.make_forgeries(genuine):
            if forged.headers.get("webhook-signature", "").isascii():  # or it fails otherwise
                bird = Bird(webhook_secret=values.get("bird_webhook_secret", SECRET))
                with self.assertRaises(WebhookVerificationError):
                    bird.webhooks.unwrap(forged.body, forged.headers)

    def test_events_are_the_ones_of_birds_own_library(self):
        """Bird's library reads the made-up reports."""
        message = self.make_sent_message()
        message.provider_ref = DATA["sms_id"]
        for state in EVENTS:
            report = self.make_report(message, state)
            event = Bird(webhook_secret=SECRET).webhooks.unwrap(report.body, report.headers)
            self.assertEqual(event.root.data.metadata, {"uuid": message.uuid})

    def test_each_endpoint_has_its_secret(self):
        """Two addresses are two endpoints; and a secret can be replaced without a gap."""
        self.gateway.bird_webhook_secret = f"{OTHER_SECRET} {SECRET}"
        genuine = self.make_default_inbound()
        for secret in (SECRET, OTHER_SECRET):
            self.assertEqual(self.receive(self.sign(genuine, secret))[0], 200)
        both = [
            self.sign(genuine, secret).headers["webhook-signature"]
            for secret in (f"whsec_{b64encode(b'2' * 32).decode()}", SECRET)
        ]
        self.assertEqual(self.receive(self.with_headers(genuine, signature=" ".join(both)))[0], 200)

    def test_empty_secret_proves_nothing(self):
        """P8: what is left of a secret that was pasted half is no key."""
        self.gateway.bird_webhook_secret = "whsec_"
        self.assertEqual(self.receive(self.sign(self.make_default_inbound(), "whsec_"))[0], 403)

    # === TEXTS AND REPORTS === #

    def test_other_events_are_nothing_to_us(self):
        for kind in ("inbound", "status"):
            self.receive(self.make_event(kind, "sms.unheard_of", DATA))
        self.work()
        self.assertEqual(set(self.get_events().mapped("state")), {"ignored"})

    def test_time_is_utc(self):
        (text,) = self.adapter._extract_inbound(self.gateway, self.make_default_inbound())
        self.assertEqual(text.sent_at.isoformat(), "2026-11-22T15:31:48")

    def test_every_state(self):
        for name, expected in const.BIRD_EVENTS.items():
            message = self.make_sent_message()
            self.receive(self.make_state(message, name))
            self.work()
            self.assertEqual(message.state, expected, name)

    def test_failures_with_code_and_words(self):
        optout = {**ERROR, "code": "recipient_opted_out", "carrier_error_code": None}
        cases = [
            ("sms.undelivered", ERROR, "sms_rejected", "4470", "Carrier filtered as spam"),
            ("sms.expired", None, "sms_expired", False, "sms.expired"),
            ("sms.failed", {"code": "new"}, "sms_not_delivered", "new", "sms.failed"),
            ("sms.rejected", optout, "sms_optout", "recipient_opted_out", ERROR["description"]),
        ]
        for name, error, *expected in cases:
            message = self.make_sent_message()
            self.receive(self.make_state(message, name, error=error))
            self.work()
            failure = [message.failure_type, message.failure_code, message.failure_reason]
            self.assertEqual(failure, expected)

    def test_every_code_is_a_failure_we_know(self):
        known = dict(self.env["sms.sms"]._fields["failure_type"]._description_selection(self.env))
        kinds = {
            kind
            for kinds in (const.BIRD_REFUSALS, const.BIRD_FAILURES, const.BIRD_EVENT_FAILURES)
            for kind in kinds.values()
        }
        self.assertLessEqual(kinds, known.keys())

    # === ACCOUNT === #

    def test_balance(self):
        told = Response(200, {}, b'{"data": [{"balance": "118.00", "currency_code": "EUR"}]}')
        self.assertEqual(self.adapter._parse_balance(self.gateway, told), (118.0, "EUR"))
        refused = make_error(403, "permission_error")
        self.assertIsNone(self.adapter._parse_balance(self.gateway, refused))
