import dataclasses
import json
import time
from base64 import b64encode

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from telnyx import Telnyx
from telnyx.lib.webhook_verification import WebhookVerificationError, verify_webhook_signature

from odoo.exceptions import ValidationError
from odoo.tests import TransactionCase, tagged

from odoo.addons.sms_gateway.engine.contract import Response, Webhook, WebhookMalformed
from odoo.addons.sms_gateway.tests.contract import AdapterContract

from .. import const

#: The pair of keys of a made-up account, and another one.
KEY = Ed25519PrivateKey.generate()
OTHER_KEY = Ed25519PrivateKey.generate()
PUBLIC_KEY = b64encode(KEY.public_key().public_bytes_raw()).decode()

#: As in the examples of developers.telnyx.com.
MESSAGE = {
    "record_type": "message",
    "direction": "outbound",
    "id": "b0c7e8cb-6227-4c74-9f32-c7f80c30934b",
    "type": "SMS",
    "messaging_profile_id": "16fd2706-8baf-433b-82eb-8c7fada847da",
    "from": {"phone_number": "+46700000001", "carrier": "Telnyx", "line_type": "Wireless"},
    "to": [{"phone_number": "+46701234567", "status": "queued", "carrier": "", "line_type": ""}],
    "text": "Hello",
    "media": [],
    "encoding": "GSM-7",
    "parts": 2,
    "tags": [],
    "cost": {"amount": "0.0051", "currency": "USD"},
    "received_at": "2019-01-23T18:10:02.574Z",
    "sent_at": None,
    "completed_at": None,
    "valid_until": "2019-01-23T18:10:02.574Z",
    "errors": [],
}
BALANCE = {
    "data": {
        "record_type": "balance",
        "balance": "300.00",
        "credit_limit": "100.00",
        "available_credit": "400.00",
        "currency": "USD",
    }
}
#: State that Telnyx tells by ours.
STATES = {"sent": "sent", "delivered": "delivered", "failed": "delivery_failed"}


def make_error(status, code, title="Title", detail="Detail.", headers=None):
    error = {"code": code, "title": title, "detail": detail, "source": {"pointer": "/to"}}
    return Response(status, headers or {}, json.dumps({"errors": [error]}).encode())


@tagged("post_install", "-at_install")
class TestSmsGatewayTelnyx(AdapterContract, TransactionCase):
    code = "telnyx"
    gateway_values = {"telnyx_api_key": "KEY0123_abc", "telnyx_public_key": PUBLIC_KEY}
    credentials = ("telnyx_api_key", "telnyx_public_key")
    verification_fields = ("telnyx_public_key",)

    # === CONTRACT === #

    def make_accepted(self, request):
        answer = {**MESSAGE, "id": f"id-{request.uuids[0]}"}
        return Response(200, {}, json.dumps({"data": answer}).encode())

    def make_refusals(self, request):
        return [
            (make_error(422, "10002"), "sms_number_format"),
            (make_error(401, "10009"), "sms_configuration"),
            (make_error(402, "20100"), "sms_credit"),
            (make_error(400, "40305"), "sms_sender"),
            (make_error(400, "40309"), "sms_country_not_supported"),
            (make_error(400, "99999"), "sms_rejected"),
            (Response(404, {}, b"<html>"), "sms_configuration"),
            (Response(302, {"Location": "/login"}, b"moved"), "sms_rejected"),
            # the last, for the number cannot be written to after it
            (make_error(400, "40300", "Blocked due to STOP message"), "sms_optout"),
        ]

    def make_throttled(self, request):
        return [
            make_error(429, "10011", headers={"Retry-After": "7"}),
            make_error(400, "40011"),
            Response(429, {}, b""),
            make_error(409, "10012"),
        ]

    def make_garbage(self, request):
        no_id = json.dumps({"data": {**MESSAGE, "id": None}}).encode()
        return [
            *super().make_garbage(request),
            Response(200, {}, no_id),
            make_error(500, "10007"),
            make_error(503, "10011"),
        ]

    def make_test_answers(self):
        balance = json.dumps(BALANCE).encode()
        return [
            (Response(200, {}, balance), True),
            (make_error(401, "10009"), False),
            (Response(200, {}, b"<html>Log in</html>"), False),
            (Response(200, {}, b'{"data": {"balance": "much"}}'), False),
        ]

    def make_inbound(self, number, address, body, reference):
        payload = {
            **MESSAGE,
            "direction": "inbound",
            "id": reference,
            "from": {"phone_number": number, "carrier": "", "line_type": ""},
            "to": [{"phone_number": address, "status": "webhook_delivered"}],
            "text": body,
        }
        return self._make_event("inbound", "message.received", payload)

    def make_report(self, message, state):
        """Telnyx calls the address that it was given with the text."""
        return self._make_report(message, STATES[state])

    def make_forgeries(self, webhook):
        stale = self._sign(webhook, moment=time.time() - 400)
        signature = webhook.headers["telnyx-signature-ed25519"]
        earlier = str(int(webhook.headers["telnyx-timestamp"]) - 1)
        return [
            *[({}, forged) for forged in self._make_unsigned(webhook)],
            ({}, self._sign(webhook, OTHER_KEY)),
            ({}, dataclasses.replace(webhook, body=webhook.body + b" ")),
            ({}, self._with_headers(webhook, {"telnyx-timestamp": earlier})),
            ({}, self._with_headers(webhook, {"telnyx-timestamp": "soon"})),
            ({}, self._with_headers(webhook, {"telnyx-signature-ed25519": "x" + signature})),
            ({}, self._with_headers(webhook, {"telnyx-signature-ed25519": "å"})),
            ({}, stale),
            ({}, self._sign(webhook, moment=time.time() + 400)),
            ({"telnyx_public_key": "no key"}, webhook),
        ]

    def make_repetition(self, webhook):
        """The number of the attempt is in the body, and so the signature is another one."""
        event = json.loads(webhook.body)
        event["meta"]["attempt"] += 1
        return self._sign(dataclasses.replace(webhook, body=json.dumps(event).encode()))

    def _make_unsigned(self, webhook):
        for name in ("telnyx-signature-ed25519", "telnyx-timestamp"):
            headers = {k: v for k, v in webhook.headers.items() if k != name}
            yield dataclasses.replace(webhook, headers=headers)

    def _with_headers(self, webhook, headers):
        return dataclasses.replace(webhook, headers={**webhook.headers, **headers})

    def _sign(self, webhook, key=KEY, moment=None):
        timestamp = str(int(moment or time.time()))
        signature = key.sign(f"{timestamp}|".encode() + webhook.body)
        return self._with_headers(
            webhook,
            {
                "telnyx-signature-ed25519": b64encode(signature).decode(),
                "telnyx-timestamp": timestamp,
            },
        )

    def _make_event(self, kind, name, payload, url=None):
        url = url or self.gateway._get_webhook_url(kind)
        query = url.partition("?")[2]
        event = {
            "data": {
                "id": f"event-{name}-{payload['id']}-{payload['to'][0].get('status')}",
                "event_type": name,
                "occurred_at": "2019-01-23T18:10:02.574Z",
                "record_type": "event",
                "payload": payload,
            },
            "meta": {"attempt": 1, "delivered_to": url},
        }
        call = Webhook(
            kind,
            "POST",
            url,
            query=tuple(tuple(pair.split("=")) for pair in query.split("&") if pair),
            body=json.dumps(event).encode(),
        )
        return self._sign(call)

    def _make_report(self, message, state, **values):
        request = self.adapter._prepare_requests(self.gateway, message)[0]
        payload = {
            **MESSAGE,
            "id": message.provider_ref or "lost",
            "to": [{"phone_number": message.number, "status": state}],
            **values,
        }
        name = "message.sent" if state == "sent" else "message.finalized"
        return self._make_event("status", name, payload, request.json["webhook_url"])

    def _report(self, state, **values):
        """Let Telnyx report on a text; return the text."""
        message = self.make_sent_message()
        self.receive(self._make_report(message, state, **values))
        self.work()
        return message

    # === REQUEST === #

    def test_request_as_telnyx_wants_it(self):
        message = self.make_messages(body="Hej å & €")
        request = self.adapter._prepare_requests(self.gateway, message)[0]
        wire = self.prepare(request)
        self.assertEqual((wire.method, wire.url), ("POST", "https://api.telnyx.com/v2/messages"))
        self.assertEqual(wire.headers["Authorization"], "Bearer KEY0123_abc")
        self.assertEqual(
            json.loads(wire.body),
            {
                "from": "+46700000001",
                "to": "+46701234567",
                "text": "Hej å & €",
                "type": "SMS",
                "webhook_url": f"{self.gateway.status_url}?uuid={message.uuid}",
                "use_profile_webhooks": False,
            },
        )

    def test_repetition_has_the_same_key(self):
        """P2: Telnyx recognises the second request by our uuid, and sends the text once."""
        message = self.make_messages()
        keys = {
            self.adapter._prepare_requests(self.gateway, message)[0].headers["Idempotency-Key"]
            for _time in range(2)
        }
        self.assertEqual(keys, {message.uuid})

    def test_first_try_still_worked_on(self):
        """P2: a repetition that overtakes its first try waits, and is not called failed."""
        message = self.make_messages()
        self.record(message, make_error(409, "10012"))
        self.assertEqual(message.state, "queued")
        message.state = "sending"
        self.record(message, self.make_accepted)
        self.assertEqual(message.state, "sent")

    def test_name_needs_a_messaging_profile(self):
        """Telnyx refuses a name without it; the administrator reads so when he makes the sender."""
        values = {"kind": "text", "address": "MyShop", "inbound_enabled": False}
        with self.assertRaisesRegex(ValidationError, "messaging profile"):
            self.sender.write(values)
        self.gateway.telnyx_profile = "16fd2706"
        self.sender.write(values)
        request = self.adapter._prepare_requests(self.gateway, self.make_messages())[0]
        self.assertEqual(request.json["messaging_profile_id"], "16fd2706")
        self.assertEqual(request.json["from"], "MyShop")

    # === ANSWER === #

    def test_cost_and_parts_are_told(self):
        request = self.adapter._prepare_requests(self.gateway, self.make_messages())[0]
        (result,) = self.adapter._parse_response(self.gateway, request, self.make_accepted(request))
        told = (result.provider_ref, result.segments, result.cost, result.currency)
        self.assertEqual(told, (f"id-{request.uuids[0]}", 2, 0.0051, "USD"))

    def test_refusal_in_telnyx_words(self):
        message = self.make_messages()
        self.record(message, make_error(400, "40300", "Blocked", "The customer wrote STOP."))
        self.assertEqual(message.failure_code, "40300")
        self.assertEqual(message.failure_reason, "Blocked: The customer wrote STOP.")

    def test_pause_that_telnyx_asks_for(self):
        request = self.adapter._prepare_requests(self.gateway, self.make_messages())[0]
        throttled = self.make_throttled(request)[0]
        (result,) = self.adapter._parse_response(self.gateway, request, throttled)
        self.assertEqual((result.outcome, result.retry_after), ("retry", 7))

    # === PROOF === #

    def test_signature_is_the_one_of_telnyx_own_library(self):
        """What Telnyx's library accepts is accepted, what it refuses is refused."""
        genuine = self.make_default_inbound("Zażółć 😀")
        verify_webhook_signature(genuine.body, genuine.headers, PUBLIC_KEY)
        self.assertEqual(self.receive(genuine)[0], 200)
        for values, forged in self.make_forgeries(genuine):
            key = values.get("telnyx_public_key", PUBLIC_KEY)
            with self.assertRaises(WebhookVerificationError):
                verify_webhook_signature(forged.body, forged.headers, key)

    def test_events_are_the_ones_of_telnyx_own_library(self):
        """Telnyx's library reads the made-up events as texts and reports."""
        client = Telnyx(api_key="key", public_key=PUBLIC_KEY)
        inbound = self.make_default_inbound("Yes")
        event = client.webhooks.unwrap(inbound.body.decode(), headers=inbound.headers)
        self.assertEqual(event.data.payload.text, "Yes")
        report = self.make_report(self.make_sent_message(), "failed")
        event = client.webhooks.unwrap(report.body.decode(), headers=report.headers)
        self.assertEqual(event.data.payload.to[0].status, "delivery_failed")

    def test_refusals_are_told_apart(self):
        """The administrator sees whether calls come unsigned, late, or with a wrong key."""
        genuine = self.make_default_inbound()
        for forged in (
            next(self._make_unsigned(genuine)),
            self._sign(genuine, OTHER_KEY),
            self._sign(genuine, moment=time.time() - 400),
        ):
            self.receive(forged)
        self.gateway.telnyx_public_key = False
        self.receive(genuine)
        reasons = {event.error for event in self.get_events()}
        self.assertEqual(reasons, {"unsigned", "signature", "stale", "secret"})

    # === TEXTS === #

    def test_pictures_come_as_links(self):
        """A customer's picture is not lost: its address stands below the text."""
        media = [{"url": "https://media.telnyx.com/a.png", "content_type": "image/png", "size": 9}]
        for text, expected in (("Look", "Look\n"), (None, "")):
            payload = {**MESSAGE, "type": "MMS", "text": text, "media": media, "id": "M"}
            webhook = self._make_event("inbound", "message.received", payload)
            (read,) = self.adapter._extract_inbound(self.gateway, webhook)
            self.assertEqual(read.body, f"{expected}https://media.telnyx.com/a.png")

    def test_other_events_are_nothing_to_us(self):
        """A profile used by others too tells of their texts and replies as well."""
        for kind in ("inbound", "status"):
            webhook = self._make_event(kind, "message.unheard_of", MESSAGE)
            self.assertEqual(self.receive(webhook), self.reply)
            self.work()
            self.assertEqual(self.get_events()[0].state, "ignored")

    def test_time_is_utc(self):
        (text,) = self.adapter._extract_inbound(self.gateway, self.make_default_inbound())
        self.assertEqual(text.sent_at.isoformat(), "2019-01-23T18:10:02")

    # === REPORTS === #

    def test_every_state(self):
        states = {
            "queued": "sent",
            "sending": "sent",
            "sent": "sent",
            "delivered": "delivered",
            "read": "delivered",
            "delivery_unconfirmed": "sent",
            "expired": "failed",
            "sending_failed": "failed",
            "delivery_failed": "failed",
        }
        for told, expected in states.items():
            self.assertEqual(self._report(told).state, expected, told)

    def test_failures_in_telnyx_words(self):
        error = {"code": "40001", "title": "Not routable", "detail": "A landline."}
        cases = {
            "delivery_failed": ([error], "sms_invalid_destination", "40001"),
            "sending_failed": ([{"code": "12345", "title": "New"}], "sms_not_delivered", "12345"),
            "expired": ([], "sms_expired", False),
        }
        for state, (errors, kind, code) in cases.items():
            message = self._report(state, errors=errors)
            self.assertEqual((message.failure_type, message.failure_code), (kind, code))
            self.assertTrue(message.failure_reason)

    def test_every_code_is_a_failure_we_know(self):
        known = dict(self.env["sms.sms"]._fields["failure_type"]._description_selection(self.env))
        self.assertLessEqual(set(const.FAILURES.values()), known.keys())

    def test_final_cost_comes_with_the_report(self):
        message = self._report("delivered", cost={"amount": "0.0102", "currency": "USD"})
        self.assertEqual(message.cost, 0.0102)

    def test_report_without_a_state_is_parked(self):
        payload = {**MESSAGE, "to": []}
        event = {"data": {"event_type": "message.finalized", "payload": payload}}
        webhook = Webhook("status", "POST", "https://x", body=json.dumps(event).encode())
        with self.assertRaisesRegex(WebhookMalformed, "without a state"):
            self.adapter._extract_reports(self.gateway, webhook)

    # === ACCOUNT === #

    def test_balance(self):
        answer = Response(200, {}, json.dumps(BALANCE).encode())
        self.assertEqual(self.adapter._parse_balance(self.gateway, answer), (300.0, "USD"))
        self.assertIsNone(self.adapter._parse_balance(self.gateway, Response(401, {}, b"")))
