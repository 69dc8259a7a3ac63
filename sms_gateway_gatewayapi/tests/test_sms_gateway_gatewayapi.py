import dataclasses
import hmac
import json

import jwt

from odoo.tests import TransactionCase, tagged

from odoo.addons.sms_gateway.engine.contract import (
    Response,
    TextPart,
    Webhook,
    WebhookMalformed,
)
from odoo.addons.sms_gateway.tests.contract import AdapterContract

from .. import const

SECRET = "hemligt" * 6
#: The token of a delivery report in GatewayAPI's documentation; its secret is "secret".
DOCUMENTED_TOKEN = (
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJpZCI6MjM4MTcwMywibXNpc2RuIjo0NTQyNjA5MDQ1LCJ0aW1lIjox"
    "NTIyNzY0MDYyLCJzdGF0dXMiOiJERUxJVkVSRUQiLCJlcnJvciI6bnVsbCwiY29kZSI6bnVsbCwidXNlcnJlZiI6bnVsbC"
    "wiY2FsbGJhY2tfdXJsIjoiaHR0cDovL2JiYWY3MTQyLm5ncm9rLmlvIiwiYXBpIjo0fQ.KdfDH65bnQtgxEkFnpAQodOci"
    "AJedZFB13r9wEo8t3Y"
)
#: As in the documentation of the REST API.
LEGACY_TEXT = {
    "id": 1000001,
    "msisdn": 4587654321,
    "receiver": 451204,
    "message": "foo Hello World",
    "senttime": 1450000000,
    "webhook_label": "test",
    "country_code": "DK",
    "country_prefix": 45,
}
#: As in the examples of the messaging API.
TEXT_EVENT = {
    "msg_id": "01K33QFGSHXXM0Q7HM7QS34PY6",
    "sender": 4512345678,
    "sent_at": "2025-04-01T11:49:12.005021+00:00",
    "content": {"message": "Hello World", "encoding": "UCS2", "header": "050003CC0201"},
}
REPORT_EVENT = {
    "msg_id": "01JQRJWK259Y1YEECJZB50908V",
    "recipient": 4512345678,
    "reference": "<client provided reference>",
    "status": "REJECTED",
    "status_at": "2025-04-01T11:49:12.005021+00:00",
    "error": {"hex_code": "0x1905", "details": "Unsupported sender"},
}
#: State that GatewayAPI tells by ours.
STATES = {"sent": "ENROUTE", "delivered": "DELIVERED", "failed": "UNDELIVERABLE"}
ACCOUNT = b'{"credit": 1234.56, "currency": "DKK", "id": 1}'


def answer(status, body, headers=None):
    return Response(status, headers or {}, json.dumps(body).encode())


def refuse_legacy(status, code, words="Words: %1", *variables):
    body = {"code": code, "incident_uuid": "d8127429", "message": words, "variables": variables}
    return answer(status, body)


def refuse_field(position, field, words="Input should be valid"):
    """How the messaging API refuses a field of the text at a position."""
    return answer(
        422, {"detail": [{"loc": ["body", "messages", position, field], "msg": words, "type": "x"}]}
    )


class GatewayapiContract(AdapterContract):
    """What the tests of both APIs share."""

    code = "gatewayapi"
    gateway_values = {"gatewayapi_token": "JxJOf8ddQSdtEjYwL_-FFU", "gatewayapi_secret": SECRET}
    credentials = ("gatewayapi_token", "gatewayapi_secret")
    verification_fields = ("gatewayapi_secret",)

    def make_throttled(self, request):
        return [Response(429, {"Retry-After": "3"}, b"")]

    def make_test_answers(self):
        return [
            (Response(200, {}, ACCOUNT), True),
            (refuse_legacy(401, "0x0211", "Invalid password"), False),
            (Response(200, {}, b"<html>Log in</html>"), False),
        ]

    def with_headers(self, webhook, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items() if value}
        return dataclasses.replace(webhook, headers=headers)


@tagged("post_install", "-at_install")
class TestMessaging(GatewayapiContract, TransactionCase):
    # === CONTRACT === #

    def make_accepted(self, request):
        texts = [
            {
                "msg_id": f"id-{text['reference']}",
                "recipient": text["recipient"],
                "reference": text["reference"],
            }
            for text in request.json["messages"]
        ]
        return answer(202, {"responses": texts})

    def make_refusals(self, request):
        return [
            (refuse_field(0, "recipient"), "sms_number_format"),
            (refuse_field(0, "sender"), "sms_sender"),
            (answer(422, {"detail": "no"}), "sms_rejected"),
            (answer(403, {"message": "Wrong key or region"}), "sms_configuration"),
            (Response(401, {}, b""), "sms_configuration"),
            (Response(302, {"Location": "/login"}, b"moved"), "sms_rejected"),
        ]

    def make_garbage(self, request):
        other = {"responses": [{"msg_id": "x", "reference": None}]}
        return [
            *super().make_garbage(request),
            answer(202, {"responses": []}),
            answer(202, {"responses": [7]}),
            answer(202, other),
            answer(500, self.make_accepted(request).json()),
        ]

    def make_inbound(self, number, address, body, reference):
        event = {
            "msg_id": reference,
            "sender": int(number),
            "sent_at": "2025-04-01T11:49:12.005021+00:00",
            "content": {"message": body, "encoding": "UCS2", "header": None},
        }
        return self.make_event("inbound", "user-message.text.sms", event)

    def make_report(self, message, state):
        return self.make_event(
            "status",
            "message.status.sms",
            {
                "msg_id": message.provider_ref or "lost",
                "recipient": int(message.number),
                "reference": message.uuid,
                "status": STATES[state],
                "status_at": "2025-04-01T11:49:12.005021+00:00",
                "error": None,
            },
        )

    def make_event(self, kind, name, event, number=1):
        payload = {
            "event_id": f"09c829a2-{number}",
            "timestamp": "2025-04-01T11:50:12.003029+00:00",
            "event_type": name,
            "event": event,
        }
        url = self.gateway._get_webhook_url(kind)
        return self.sign(Webhook(kind, "POST", url, body=json.dumps(payload).encode()))

    def sign(self, webhook, secret=SECRET):
        """As GatewayAPI's own example checks it."""
        signature = hmac.digest(secret.encode(), webhook.body, "SHA256").hex()
        return self.with_headers(webhook, signature=f"v1={signature}")

    def make_forgeries(self, webhook):
        token = jwt.encode(webhook.json(), "another" * 6, algorithm="HS256")
        plain = jwt.encode(webhook.json(), None, algorithm="none")
        signature = webhook.headers["signature"]
        return [
            ({}, self.with_headers(webhook)),
            ({}, self.with_headers(webhook, signature="v1=")),
            ({}, self.with_headers(webhook, signature=signature[:-1])),
            ({}, self.with_headers(webhook, signature=signature.removeprefix("v1="))),
            ({}, self.with_headers(webhook, signature="å")),
            ({}, self.sign(webhook, "another")),
            ({}, dataclasses.replace(webhook, body=webhook.body + b" ")),
            ({}, self.with_headers(webhook, signature=signature, x_gwapi_signature=token)),
            ({}, self.with_headers(webhook, signature=signature, x_gwapi_signature=plain)),
            ({"gatewayapi_secret": "changed"}, webhook),
        ]

    def make_repetition(self, webhook):
        payload = {**webhook.json(), "timestamp": "2025-04-01T12:50:12.003029+00:00"}
        return self.sign(dataclasses.replace(webhook, body=json.dumps(payload).encode()))

    # === REQUEST === #

    def test_request_as_gatewayapi_wants_it(self):
        message = self.make_messages(body="Hej å & €")
        wire = self.prepare(self.adapter._prepare_requests(self.gateway, message)[0])
        self.assertEqual(wire.url, "https://messaging.gatewayapi.com/mobile/multi")
        self.assertEqual(wire.headers["Authorization"], "Token JxJOf8ddQSdtEjYwL_-FFU")
        text = {
            "sender": "46700000001",
            "recipient": 46701234567,
            "message": "Hej å & €",
            "reference": message.uuid,
        }
        self.assertEqual(json.loads(wire.body), {"messages": [text]})

    def test_region(self):
        """An account within the EU is not known outside."""
        self.gateway.gatewayapi_region = "eu"
        request = self.adapter._prepare_requests(self.gateway, self.make_messages())[0]
        self.assertEqual(request.url, "https://messaging.gatewayapi.eu/mobile/multi")
        request = self.adapter._prepare_test_request(self.gateway)
        self.assertEqual(request.url, "https://gatewayapi.eu/rest/me")

    def test_batches(self):
        """Many texts in one request, but never of two countries; of none is a country too."""
        messages = self.make_messages(150)
        for number in ("+4791234567", "+99912345678"):
            messages += self.make_messages(number=number)
        prepared = self.adapter._prepare_requests(self.gateway, messages)
        self.assertEqual([len(request.uuids) for request in prepared], [100, 50, 1, 1])

    # === ANSWER === #

    def test_each_text_gets_its_own_id(self):
        """Whatever the order of the answer."""
        messages = self.make_messages(3)
        request = self.adapter._prepare_requests(self.gateway, messages)[0]
        told = self.make_accepted(request).json()["responses"]
        self.record(messages, answer(202, {"responses": told[::-1]}))
        for message in messages:
            self.assertEqual(message.provider_ref, f"id-{message.uuid}")

    def test_text_missing_in_the_answer(self):
        """P2: nobody knows of it, so it is not sent again."""
        messages = self.make_messages(2)
        request = self.adapter._prepare_requests(self.gateway, messages)[0]
        told = self.make_accepted(request).json()["responses"]
        self.record(messages, answer(202, {"responses": told[:1]}))
        self.assertEqual(set(messages.mapped("state")), {"sent", "unknown"})

    def test_one_wrong_text_does_not_stop_the_others(self):
        """GatewayAPI refuses all; those that it does not name go again without the wrong one."""
        messages = self.make_messages(3)
        request = self.adapter._prepare_requests(self.gateway, messages)[0]
        wrong = messages.filtered(lambda m: m.uuid == request.uuids[1])
        self.record(messages, refuse_field(1, "recipient", "Too long"))
        self.assertEqual((wrong.state, wrong.failure_type), ("failed", "sms_number_format"))
        self.assertEqual(wrong.failure_reason, "Too long")
        self.assertEqual(set((messages - wrong).mapped("state")), {"queued"})
        prepared = self.adapter._prepare_requests(self.gateway, messages - wrong)
        self.assertEqual([len(request.uuids) for request in prepared], [1, 1])

    def test_refusal_that_names_no_text(self):
        """Nobody knows whom it is meant for: each goes again alone, and the right ones leave."""
        messages = self.make_messages(2)
        self.record(messages, answer(422, {"detail": "A message is too long"}))
        self.assertEqual(messages.mapped("state"), ["queued"] * 2)
        prepared = self.adapter._prepare_requests(self.gateway, messages)
        self.assertEqual([len(request.uuids) for request in prepared], [1, 1])

    # === PROOF === #

    def test_calls_of_the_legacy_api_too(self):
        """A keyword that is still served by the legacy API reaches the same gateway."""
        token = jwt.encode(LEGACY_TEXT, SECRET, algorithm="HS256")
        webhook = Webhook("inbound", "POST", "https://x", body=b"not looked at")
        call = self.with_headers(webhook, x_gwapi_signature=token)
        self.assertEqual(self.receive(call), self.reply)
        self.work()
        self.assertEqual(self.get_received().body, "foo Hello World")

    # === TEXTS === #

    def test_documented_text(self):
        webhook = self.make_event("inbound", "user-message.text.sms", TEXT_EVENT)
        (text,) = self.adapter._extract_inbound(self.gateway, webhook)
        self.assertEqual((text.number, text.body), ("+4512345678", "Hello World"))
        self.assertEqual(text.part, TextPart("CC", 1, 2))
        self.assertEqual(text.sent_at.isoformat(), "2025-04-01T11:49:12")

    def test_long_text_is_joined(self):
        """Its parts come as events of their own, in any order, some of them twice."""
        for number in (2, 1, 2):
            content = {"message": f"part {number}.", "header": f"0608041234020{number}"}
            event = {**TEXT_EVENT, "content": content}
            self.receive(self.make_event("inbound", "user-message.text.sms", event, number))
            self.work()
        self.assertEqual(self.get_received().mapped("body"), ["part 1.part 2."])

    def test_unheard_of_header_is_no_part(self):
        """A text with a header that means something else is a text all the same."""
        for header, expected in (("05040B8423F0", None), ("050003CC020X", "refused")):
            event = {**TEXT_EVENT, "content": {"message": "Yes", "header": header}}
            webhook = self.make_event("inbound", "user-message.text.sms", event)
            if expected:
                with self.assertRaises(WebhookMalformed):
                    self.adapter._extract_inbound(self.gateway, webhook)
            else:
                (text,) = self.adapter._extract_inbound(self.gateway, webhook)
                self.assertIsNone(text.part)

    def test_text_by_rcs(self):
        event = {**TEXT_EVENT, "content": "Hello world!"}
        webhook = self.make_event("inbound", "user-message.text.rcs", event)
        (text,) = self.adapter._extract_inbound(self.gateway, webhook)
        self.assertEqual(text.body, "Hello world!")

    def test_other_events_are_nothing_to_us(self):
        event = {**TEXT_EVENT, "content": {"latitude": 55.6, "longitude": 12.5}}
        for kind in ("inbound", "status"):
            self.receive(self.make_event(kind, "user-message.location.rcs", event))
        self.work()
        self.assertEqual(set(self.get_events().mapped("state")), {"ignored"})

    def test_address_is_the_only_one(self):
        """The event does not tell which number was written to; with two, nobody guesses."""
        webhook = self.make_default_inbound()
        (text,) = self.adapter._extract_inbound(self.gateway, webhook)
        self.assertEqual(text.address, self.sender.address)
        self.sender.copy({"address": "+46700000002"})
        (text,) = self.adapter._extract_inbound(self.gateway, webhook)
        self.assertEqual(text.address, "")

    # === REPORTS === #

    def test_documented_report(self):
        webhook = self.make_event("status", "message.status.sms", REPORT_EVENT)
        (report,) = self.adapter._extract_reports(self.gateway, webhook)
        self.assertEqual(report.uuid, "<client provided reference>")
        failure = (report.state, report.failure_type, report.code, report.reason)
        self.assertEqual(failure, ("failed", "sms_sender", "0x1905", "Unsupported sender"))

    def test_report_of_a_text_whose_answer_was_lost(self):
        """P2: nobody knows its id at GatewayAPI, but our own returns with the report."""
        message = self.make_messages()
        message.state = "unknown"
        self.receive(self.make_report(message, "delivered"))
        self.work()
        self.assertEqual(message.state, "delivered")


@tagged("post_install", "-at_install")
class TestLegacy(GatewayapiContract, TransactionCase):
    gateway_values = {**GatewayapiContract.gateway_values, "gatewayapi_api": "legacy"}

    # === CONTRACT === #

    def make_accepted(self, request):
        ids = [421332671 + index for index in range(len(request.uuids))]
        usage = {"countries": {"SE": len(ids)}, "currency": "DKK", "total_cost": 0.12 * len(ids)}
        return answer(200, {"ids": ids, "usage": usage})

    def make_refusals(self, request):
        return [
            (refuse_legacy(403, "0x0213", "Unauthorized IP-address: %1"), "sms_configuration"),
            (refuse_legacy(403, "0x0215", "MSISDN %1 blacklisted", 46701234567), "sms_not_allowed"),
            (refuse_legacy(403, "0x0216", "Insufficient credit"), "sms_credit"),
            (refuse_legacy(403, "0x0217"), "sms_country_not_supported"),
            (refuse_legacy(422, "0x021E"), "sms_configuration"),
            (refuse_legacy(422, "0x0777"), "sms_rejected"),
            (Response(401, {}, b""), "sms_configuration"),
            (Response(302, {"Location": "/login"}, b"moved"), "sms_rejected"),
        ]

    def make_garbage(self, request):
        return [
            *super().make_garbage(request),
            answer(200, {"ids": [1, 2]}),
            answer(200, {"ids": [None] * len(request.uuids)}),
            refuse_legacy(500, "0x0216"),
        ]

    def make_inbound(self, number, address, body, reference):
        payload = {
            **LEGACY_TEXT,
            "id": reference,
            "msisdn": int(number),
            "receiver": int(address),
            "message": body,
        }
        return self.make_call("inbound", payload)

    def make_report(self, message, state):
        payload = {
            "id": int(message.provider_ref or 7),
            "msisdn": int(message.number),
            "time": 1450000000,
            "status": STATES[state],
            "error": None,
            "code": None,
            "userref": message.uuid,
        }
        return self.make_call("status", payload)

    def make_call(self, kind, payload, secret=SECRET, algorithm="HS256"):
        webhook = Webhook(
            kind, "POST", self.gateway._get_webhook_url(kind), body=json.dumps(payload).encode()
        )
        token = jwt.encode(payload, secret, algorithm=algorithm)
        return self.with_headers(webhook, x_gwapi_signature=token)

    def make_forgeries(self, webhook):
        payload, kind = webhook.json(), webhook.kind
        genuine = webhook.headers["x-gwapi-signature"]
        old = {**payload, "exp": 1450000000}
        return [
            ({}, self.with_headers(webhook)),
            ({}, self.with_headers(webhook, x_gwapi_signature=genuine[:-2])),
            ({}, self.with_headers(webhook, x_gwapi_signature="no token")),
            ({}, self.with_headers(webhook, x_gwapi_signature="å.å.å")),
            ({}, self.make_call(kind, payload, "another" * 6)),
            ({}, self.make_call(kind, payload, None, "none")),
            ({}, self.make_call(kind, old)),
            ({"gatewayapi_secret": "changed" * 6}, webhook),
        ]

    # === TESTS === #

    def test_request_as_gatewayapi_wants_it(self):
        """The token is the user, without a password; never in the address."""
        message = self.make_messages(body="Hej å & €")
        wire = self.prepare(self.adapter._prepare_requests(self.gateway, message)[0])
        self.assertEqual(wire.url, "https://gatewayapi.com/rest/mtsms")
        self.assertEqual(wire.headers["Authorization"], "Basic SnhKT2Y4ZGRRU2R0RWpZd0xfLUZGVTo=")
        text = {
            "sender": "46700000001",
            "recipients": [{"msisdn": 46701234567}],
            "message": "Hej å & €",
            "encoding": "UTF8",
            "userref": message.uuid,
        }
        self.assertEqual(json.loads(wire.body), [text])

    def test_alphabet_follows_the_text(self):
        """GatewayAPI replaces letters unless it is told that a text needs Unicode."""
        message = self.make_messages(body="Zażółć 😀")
        request = self.adapter._prepare_requests(self.gateway, message)[0]
        self.assertEqual(request.json[0]["encoding"], "UCS2")

    def test_cost_of_one_text(self):
        """Of several, only the sum is told: which of them cost what is not guessed."""
        for count, cost in ((1, 0.12), (2, None)):
            messages = self.make_messages(count)
            request = self.adapter._prepare_requests(self.gateway, messages)[0]
            accepted = self.make_accepted(request)
            results = self.adapter._parse_response(self.gateway, request, accepted)
            self.assertEqual({result.cost for result in results}, {cost})

    def test_one_blocked_number_does_not_stop_the_others(self):
        """GatewayAPI refuses all; the others go again without it."""
        messages = self.make_messages(3)
        blocked = messages.filtered(lambda m: m.number == "+46701234568")
        self.record(messages, refuse_legacy(403, "0x0215", "MSISDN %1 blacklisted", 46701234568))
        self.assertEqual(blocked.failure_reason, "MSISDN 46701234568 blacklisted")
        self.assertEqual(set((messages - blocked).mapped("state")), {"queued"})

    def test_refusal_for_one_text_that_names_none(self):
        """One blocked number or forbidden word must not cost a hundred customers their text."""
        for status, code in ((403, "0x0214"), (403, "0x0215"), (422, "0x0312"), (422, "0x9999")):
            messages = self.make_messages(2)
            self.record(messages, refuse_legacy(status, code))
            self.assertEqual(messages.mapped("state"), ["queued"] * 2, code)
            prepared = self.adapter._prepare_requests(self.gateway, messages)
            self.assertEqual([len(request.uuids) for request in prepared], [1, 1])
            alone = messages[0]
            self.record(alone, refuse_legacy(status, code))
            self.assertEqual(alone.state, "failed", code)

    def test_refusal_for_the_account_is_one_for_all(self):
        """Wrong credentials and an empty account are told at once, not after many tries."""
        for status, code, kind in (
            (401, "0x0211", "sms_configuration"),
            (403, "0x0216", "sms_credit"),
            (403, "0x0217", "sms_country_not_supported"),
        ):
            messages = self.make_messages(2)
            self.record(messages, refuse_legacy(status, code))
            self.assertEqual(messages.mapped("state"), ["failed"] * 2, code)
            self.assertEqual(set(messages.mapped("failure_type")), {kind})

    def test_token_of_the_documentation(self):
        """The signature is the one that GatewayAPI documents; only what it signs is believed."""
        self.gateway.gatewayapi_secret = "secret"
        webhook = Webhook("status", "POST", "https://x", body=b'{"status": "REJECTED", "id": 1}')
        call = self.with_headers(webhook, x_gwapi_signature=DOCUMENTED_TOKEN)
        self.assertEqual(self.receive(call), self.reply)
        (report,) = self.adapter._extract_reports(self.gateway, call)
        self.assertEqual((report.state, report.provider_ref), ("delivered", "2381703"))

    def test_short_number_of_a_country(self):
        """Texts to 1204 in Denmark come for 451204, and to an eight-digit number likewise."""
        for kind, address, receiver in (
            ("short", "1204", 451204),
            ("dedicated", "60575797", 4560575797),
        ):
            self.sender.write({"kind": kind, "address": address})
            call = self.make_call("inbound", {**LEGACY_TEXT, "receiver": receiver})
            (text,) = self.adapter._extract_inbound(self.gateway, call)
            self.assertEqual(text.address, address)
        call = self.make_call("inbound", {**LEGACY_TEXT, "receiver": 451205})
        (text,) = self.adapter._extract_inbound(self.gateway, call)
        self.assertEqual(text.address, "451205")

    def test_every_state(self):
        for told, expected in const.REPORT_STATES.items():
            message = self.make_sent_message()
            payload = {"id": 1, "status": told, "userref": message.uuid}
            self.receive(self.make_call("status", payload))
            self.work()
            self.assertEqual(message.state, expected, told)

    def test_failures_with_code_and_words(self):
        cases = [
            ("UNDELIVERABLE", "0x1010", "Unknown subscriber", "sms_invalid_destination"),
            ("REJECTED", "0x103C", "Personal service barring", "sms_not_allowed"),
            ("REJECTED", "0x1081", "External error", "sms_rejected"),
            ("EXPIRED", None, None, "sms_expired"),
        ]
        for state, code, words, kind in cases:
            message = self.make_sent_message()
            payload = {"id": 1, "status": state, "code": code, "error": words}
            self.receive(self.make_call("status", {**payload, "userref": message.uuid}))
            self.work()
            failure = (message.failure_type, message.failure_code, message.failure_reason)
            self.assertEqual(failure, (kind, code or False, words or state))

    def test_every_code_is_a_failure_we_know(self):
        known = dict(self.env["sms.sms"]._fields["failure_type"]._description_selection(self.env))
        kinds = {
            *const.FAILURES.values(),
            *const.REPORT_FAILURES.values(),
            *const.STATE_FAILURES.values(),
        }
        self.assertLessEqual(kinds, known.keys())

    def test_balance(self):
        told = Response(200, {}, ACCOUNT)
        self.assertEqual(self.adapter._parse_balance(self.gateway, told), (1234.56, "DKK"))
        self.assertIsNone(self.adapter._parse_balance(self.gateway, Response(401, {}, b"")))
