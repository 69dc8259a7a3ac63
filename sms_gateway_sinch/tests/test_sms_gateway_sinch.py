import dataclasses
import json
import time
from base64 import b64encode

from sinch.domains.authentication.sinch_events.v1.authentication_validation import (
    calculate_sinch_event_signature,
    compute_signed_data,
)
from sinch.domains.sms.sinch_events.v1 import SmsSinchEvent

from odoo.tests import TransactionCase, tagged

from odoo.addons.sms_gateway.engine.contract import (
    Response,
    Webhook,
    WebhookMalformed,
    WebhookRefused,
)
from odoo.addons.sms_gateway.engine.proof import sign
from odoo.addons.sms_gateway.tests.contract import AdapterContract

from .. import const

SECRET = "a sécret"
SIGNATURE = "x-sinch-webhook-signature"
#: Payloads as in Sinch's documentation and the models of its Python library 2.3.0.
BATCH = "01FC66621XXXXX119Z8PMV1QPU"
UNAUTHORISED = Response(401, {}, b'{"code": "unauthorized", "text": "Wrong token"}')
REPORT = {
    "type": "recipient_delivery_report_sms",
    "batch_id": BATCH,
    "recipient": "46701234567",
    "code": 0,
    "status": "Delivered",
    "at": "2026-11-22T02:00:00.000Z",
    "operator_status_at": "2026-11-22T02:00:00Z",
    "operator": "24007",
    "number_of_message_parts": 1,
}
STATUSES = {"sent": ("Dispatched", 401), "delivered": ("Delivered", 0), "failed": ("Failed", 404)}


def answer(status, body):
    return Response(status, {}, json.dumps(body).encode())


def sign_as_sinch(secret, body, nonce="01FJA8B4A7BM43YGWSG9GBV067", timestamp=None):
    """Headers of a call, the signature made by Sinch's own library."""
    timestamp = str(timestamp or int(time.time()))
    signed = compute_signed_data(body.decode(), nonce, timestamp)
    return {
        SIGNATURE: calculate_sinch_event_signature(signed, secret),
        f"{SIGNATURE}-nonce": nonce,
        f"{SIGNATURE}-timestamp": timestamp,
        f"{SIGNATURE}-algorithm": "HmacSHA256",
    }


@tagged("post_install", "-at_install")
class TestSmsGatewaySinch(AdapterContract, TransactionCase):
    code = "sinch"
    gateway_values = {
        "sinch_region": "eu",
        "sinch_plan": "0123plan",
        "sinch_token": "t0ken-hemlig",
        "sinch_secret": SECRET,
    }
    credentials = ("sinch_token", "sinch_secret")

    # === CONTRACT === #

    def make_accepted(self, request):
        values = {"id": request.uuids[0], "to": request.json["to"], "canceled": False}
        return answer(201, {**values, "created_at": "2026-11-22T02:00:00.000Z"})

    def make_refusals(self, request):
        wrong = {"code": "syntax_invalid_parameter_format", "text": "The format of ['to'] is wrong"}
        return [
            (answer(400, wrong), "sms_rejected"),
            (answer(400, {"code": "missing_callback_url", "text": "None"}), "sms_configuration"),
            (UNAUTHORISED, "sms_configuration"),
            (Response(403, {}, b""), "sms_configuration"),
            (Response(404, {}, b"<html>"), "sms_configuration"),
        ]

    def make_throttled(self, request):
        return [Response(429, {"Retry-After": "5"}, b""), answer(429, {"code": "rate_limited"})]

    def make_garbage(self, request):
        return [*super().make_garbage(request), answer(201, {"id": None}), answer(503, {"id": "x"})]

    def make_test_answers(self):
        good = answer(200, {"count": 0, "page": 0, "batches": [], "page_size": 1})
        page = Response(200, {}, b"<html>Log in</html>")
        return [(good, True), (UNAUTHORISED, False), (page, False), (Response(404, {}, b""), False)]

    def make_inbound(self, number, address, body, reference):
        return self._make_webhook(
            "inbound",
            {
                "type": "mo_text",
                "id": reference,
                "from": number.lstrip("+"),
                "to": address.lstrip("+"),
                "body": body,
                "received_at": "2026-11-22T02:00:00.000Z",
                "operator_id": "24007",
            },
        )

    def make_report(self, message, state):
        status, code = STATUSES[state]
        batch, _, number = (message.provider_ref or "").partition("/")
        return self._make_report(batch_id=batch, recipient=number, status=status, code=code)

    def make_forgeries(self, webhook):
        body = webhook.body
        unsigned = {k: v for k, v in webhook.headers.items() if not k.startswith(SIGNATURE)}
        stale = time.time() - 3600
        later = str(int(webhook.headers[f"{SIGNATURE}-timestamp"]) + 1)
        headers = [
            unsigned,
            {**webhook.headers, SIGNATURE: ""},
            {**webhook.headers, SIGNATURE: "é"},
            {**webhook.headers, SIGNATURE: webhook.headers[SIGNATURE].swapcase()},
            {**webhook.headers, f"{SIGNATURE}-nonce": "another"},
            {**webhook.headers, f"{SIGNATURE}-timestamp": later},
            sign_as_sinch("another", body),
            sign_as_sinch(SECRET, body, timestamp=int(stale)),
            sign_as_sinch(SECRET, body, timestamp=int(time.time()) + 3600),
            sign_as_sinch(SECRET, body, timestamp="yesterday"),
            {k: v for k, v in webhook.headers.items() if not k.endswith("-timestamp")},
            {k: v for k, v in webhook.headers.items() if not k.endswith("-nonce")},
        ]
        return [
            *(({}, dataclasses.replace(webhook, headers=forged)) for forged in headers),
            ({}, dataclasses.replace(webhook, body=body.replace(b"46", b"47", 1))),
            ({}, dataclasses.replace(webhook, body=body + b" ")),
            *self.make_unsigned_forgeries(webhook),
        ]

    def make_repetition(self, webhook):
        """Sinch signs each repetition anew."""
        headers = sign_as_sinch(SECRET, webhook.body, nonce=f"N{time.monotonic_ns()}")
        return dataclasses.replace(webhook, headers={**webhook.headers, **headers})

    def _make_webhook(self, kind, content):
        body = json.dumps(content).encode()
        return Webhook(
            kind,
            "POST",
            self.gateway._get_webhook_url(kind),
            headers={"content-type": "application/json", **sign_as_sinch(SECRET, body)},
            body=body,
        )

    def _make_report(self, **values):
        return self._make_webhook("status", {**REPORT, **values})

    def _prepare(self, messages):
        return self.adapter._prepare_requests(self.gateway, messages)

    # === SIGNATURE === #

    def test_what_we_sign_sinch_accepts(self):
        """Both ways: Sinch's library accepts the signature that we compute."""
        body = self.make_default_inbound("åäö 😀").body
        headers = {f"{SIGNATURE}-nonce": "n", f"{SIGNATURE}-timestamp": "1795312000"}
        ours = b64encode(sign(SECRET, body + b".n.1795312000")).decode()
        event = SmsSinchEvent(SECRET)
        self.assertTrue(event.validate_authentication_header({**headers, SIGNATURE: ours}, body))
        self.assertFalse(event.validate_authentication_header({**headers, SIGNATURE: "x"}, body))

    def test_payloads_are_sinchs(self):
        """What these tests send, Sinch's library reads."""
        event = SmsSinchEvent(SECRET)
        for webhook in (self.make_default_inbound(), self._make_report()):
            self.assertTrue(
                event.validate_authentication_header(dict(webhook.headers), webhook.body)
            )
            event.parse_event(webhook.body)

    def test_reasons_of_refusal(self):
        """The counter of refusals tells a wrong secret from a clock that is wrong."""
        webhook = self.make_default_inbound()
        cases = {
            "unsigned": {},
            "signature": sign_as_sinch("another", webhook.body),
            "stale": sign_as_sinch(SECRET, webhook.body, timestamp=1),
        }
        for reason, headers in cases.items():
            with self.assertRaises(WebhookRefused) as refusal:
                self.adapter._verify_webhook(
                    self.gateway, dataclasses.replace(webhook, headers=headers)
                )
            self.assertEqual(refusal.exception.reason, reason)

    def test_behind_a_proxy(self):
        """The address is no part of what is signed: no proxy can break the signature."""
        webhook = self.make_default_inbound()
        for url in ("http://10.0.0.1:8069/x", "https://example.com:443/y?z=1"):
            self.assertEqual(self.receive(dataclasses.replace(webhook, url=url)), self.reply)

    def test_account_without_signatures(self):
        """Sinch signs for some accounts only; then the secret in the address is the proof."""
        self.gateway.sinch_secret = False
        webhook = self.make_default_inbound()
        self.assertEqual(self.receive(dataclasses.replace(webhook, headers={})), self.reply)
        self.work()
        self.assertEqual(len(self.get_received()), 1)

    # === REQUEST === #

    def test_request_as_sinch_wants_it(self):
        message = self.make_messages(body="Hej å & €")
        (request,) = self._prepare(message)
        wire = self.prepare(request)
        self.assertEqual(wire.url, "https://eu.sms.api.sinch.com/xms/v1/0123plan/batches")
        self.assertEqual(wire.headers["Authorization"], "Bearer t0ken-hemlig")
        self.assertEqual(
            json.loads(wire.body),
            {
                "type": "mt_text",
                "from": "46700000001",
                "to": ["46701234567"],
                "body": "Hej å & €",
                "delivery_report": "per_recipient",
                "callback_url": self.gateway.status_url,
                "client_reference": message.uuid,
            },
        )

    def test_name_as_sender(self):
        self.sender.write({"inbound_enabled": False, "kind": "text", "address": "My Bank"})
        (request,) = self._prepare(self.make_messages())
        self.assertEqual(request.json["from"], "My Bank")

    def test_texts_of_one_body_go_together(self):
        """A campaign of 250 is three batches; another body is another one."""
        messages = self.make_messages(250) + self.make_messages(1, "Other", "+46709999999")
        sizes = sorted(len(request.uuids) for request in self._prepare(messages))
        self.assertEqual(sizes, [1, 50, 100, 100])

    def test_a_number_is_once_in_a_batch(self):
        """Two equal texts to one number could not be told apart within one batch."""
        messages = self.make_messages(2) + self.make_messages(1)
        self.record(messages, self.make_accepted)
        self.assertEqual(len(set(messages.mapped("provider_ref"))), 3)
        self.assertEqual(len(self._prepare(messages)), 2)

    def test_batch_refused_for_one_of_it(self):
        """One wrong number fails alone, not with the others of its batch."""
        messages = self.make_messages(3)
        self.record(messages, answer(400, {"code": "syntax_constraint_violation", "text": "to"}))
        self.assertEqual(set(messages.mapped("state")), {"queued"})
        self.assertEqual(len(self._prepare(messages)), 3)

    # === REPORTS === #

    def test_recipients_of_a_batch(self):
        """Each recipient's report finds its text, though all have one id at Sinch."""
        messages = self.make_messages(3)
        self.record(messages, self.make_accepted)
        for message, state in zip(messages, ("failed", "delivered", "sent"), strict=True):
            self.receive(self.make_report(message, state))
        self.work()
        self.assertEqual(messages.mapped("state"), ["failed", "delivered", "sent"])
        self.assertEqual(messages[0].failure_code, "404")

    def test_report_finds_a_text_whose_answer_was_lost(self):
        """P2: it is not sent again, and its report says what became of it."""
        message = self.make_messages()
        message.state = "unknown"
        self.receive(self._make_report(client_reference=message.uuid))
        self.work()
        self.assertEqual(
            (message.state, message.provider_ref), ("delivered", f"{BATCH}/46701234567")
        )

    def test_report_on_a_whole_batch(self):
        """A report of the other kind, as Sinch sends where a plan is set so, is understood."""
        messages = self.make_messages(3)
        self.record(messages, self.make_accepted)
        numbers = [message.number.lstrip("+") for message in messages]
        statuses = [
            {"code": 0, "status": "Delivered", "count": 2, "recipients": numbers[:2]},
            {"code": 406, "status": "Expired", "count": 1, "recipients": [f"+{numbers[2]}"]},
            {"code": 401, "status": "Dispatched", "count": 7},
        ]
        batch = messages[0].provider_ref.partition("/")[0]
        content = {"type": "delivery_report_sms", "batch_id": batch, "statuses": statuses}
        self.receive(self._make_webhook("status", {**content, "total_message_count": 3}))
        self.work()
        self.assertEqual(messages.mapped("state"), ["delivered", "delivered", "failed"])
        self.assertEqual(messages[2].failure_type, "sms_expired")

    def test_every_status_however_written(self):
        """Sinch's documentation and its libraries differ in capitals."""
        for status, state in const.STATES.items():
            for written in (status, status.title(), status.lower()):
                webhook = self._make_report(status=written, code=999)
                (report,) = self.adapter._extract_reports(self.gateway, webhook)
                self.assertEqual(report.state, state, written)
                self.assertEqual(bool(report.failure_type), state == "failed")

    def test_failures_by_code(self):
        cases = {
            ("Rejected", 402): "sms_rejected",
            ("Failed", 404): "sms_not_delivered",
            ("Aborted", 410): "sms_sender",
            ("Aborted", 411): "sms_too_long",
            ("Rejected", 412): "sms_country_not_supported",
            ("Aborted", 413): "sms_configuration",
            ("Expired", 5): "sms_expired",
            ("Deleted", 3): "sms_not_delivered",
        }
        for (status, code), kind in cases.items():
            message = self.make_sent_message()
            batch, _, number = message.provider_ref.partition("/")
            self.receive(
                self._make_report(batch_id=batch, recipient=number, status=status, code=code)
            )
            self.work()
            failure = (message.failure_type, message.failure_code, message.failure_reason)
            self.assertEqual(failure, (kind, str(code), status))

    def test_strange_reports_are_parked(self):
        for values in (
            {"type": "recipient_delivery_report_mms"},
            {"status": "Seen"},
            {"batch_id": None},
            {"recipient": ""},
            {"type": "delivery_report_sms", "statuses": [{"recipients": "46"}]},
        ):
            with self.assertRaises(WebhookMalformed, msg=values):
                self.adapter._extract_reports(self.gateway, self._make_report(**values))

    # === TEXTS === #

    def test_moment_and_number(self):
        (text,) = self.adapter._extract_inbound(self.gateway, self.make_default_inbound())
        self.assertEqual((text.number, text.address), ("+46701234567", "46700000001"))
        self.assertEqual(text.sent_at.isoformat(), "2026-11-22T02:00:00")

    def test_picture_comes_as_its_text_and_a_link(self):
        """Who answers with a picture has written; what he wrote is not lost."""
        picture = {"content_type": "image/png", "status": "Uploaded", "code": 0}
        media = [{**picture, "url": "https://x/a.png"}, {**picture, "url": None}]
        cases = [
            ({"subject": "Fence", "message": "Look å", "media": media}, "Fence\nLook å"),
            ({"message": "Look", "media": media}, "Look"),
        ]
        for body, expected in cases:
            self.assertEqual(self._read_media(body), f"{expected}\nhttps://x/a.png")
        self.assertEqual(self._read_media({"media": media[:1]}), "https://x/a.png")

    def test_picture_that_sinch_lost(self):
        """Not an empty text: that a picture came is told."""
        failed = {"content_type": "image/png", "status": "Failed", "code": 400}
        for body in ({"media": [failed]}, {"media": None}, {}):
            self.assertEqual(self._read_media(body), "[picture without text]")

    def _read_media(self, body):
        """The text of a picture message that Sinch's library reads too."""
        told = {"type": "mo_media", "id": "M1", "from": "46701234567", "to": "46700000001"}
        told["received_at"] = "2026-11-22T02:00:00.000Z"
        webhook = self._make_webhook("inbound", {**told, "body": body})
        SmsSinchEvent(SECRET).parse_event(webhook.body)
        (text,) = self.adapter._extract_inbound(self.gateway, webhook)
        return text.body

    def test_binary_text_is_parked(self):
        """It cannot be shown as a text; it is kept for who looks after the gateway."""
        webhook = self._make_webhook("inbound", {"type": "mo_binary", "id": "1", "udh": "00"})
        with self.assertRaisesRegex(WebhookMalformed, "mo_binary"):
            self.adapter._extract_inbound(self.gateway, webhook)

    # === ACCOUNT === #

    def test_connection_is_tried_by_a_list(self):
        request = self.adapter._prepare_test_request(self.gateway)
        self.assertEqual(request.method, "GET")
        self.assertIn("/0123plan/batches?page_size=1", self.prepare(request).url)

    def test_wrong_token_is_told_in_words(self):
        _ok, words = self.adapter._parse_test_response(self.gateway, UNAUTHORISED)
        self.assertIn("Wrong token", words)
        self.assertIn("Sinch API token", words)
