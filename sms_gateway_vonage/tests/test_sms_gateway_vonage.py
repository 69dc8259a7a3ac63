import dataclasses
import hashlib
import json
import time
from urllib.parse import urlencode

from vonage_http_client.auth import Auth

from odoo.tests import TransactionCase, tagged

from odoo.addons.sms_gateway.engine.contract import (
    Response,
    TextPart,
    Webhook,
    WebhookMalformed,
    parse_pairs,
)
from odoo.addons.sms_gateway.tests.contract import AdapterContract

from .. import const

SECRET = "signature & secret = å"
#: As in the examples of developer.vonage.com; the text is in two parts.
SENT = [
    {
        "to": "46701234567",
        "message-id": "0A0000000123ABCD1",
        "status": "0",
        "remaining-balance": "3.14159265",
        "message-price": "0.03330000",
        "network": "24001",
        "client-ref": "my-personal-reference",
    },
    {
        "to": "46701234567",
        "message-id": "0A0000000123ABCD2",
        "status": "0",
        "remaining-balance": "3.10829265",
        "message-price": "0.03330000",
        "network": "24001",
        "client-ref": "my-personal-reference",
    },
]
THROTTLED = "Throughput Rate Exceeded - please wait [ 250 ] and retry"
RECEIPT = {
    "to": "46700000001",
    "network-code": "24001",
    "price": "0.03330000",
    "scts": "2611221531",
    "message-timestamp": "2026-11-22 15:31:48",
    "api-key": "abcd1234",
    "err-code": "0",
}
#: State that Vonage tells by ours.
STATES = {"sent": "buffered", "delivered": "delivered", "failed": "failed"}


def answer(parts, status=200):
    body = {"message-count": str(len(parts)), "messages": parts}
    return Response(status, {}, json.dumps(body).encode())


def refusal(status, words="Words of Vonage"):
    return answer([{"status": status, "error-text": words}])


@tagged("post_install", "-at_install")
class TestSmsGatewayVonage(AdapterContract, TransactionCase):
    code = "vonage"
    gateway_values = {
        "vonage_api_key": "abcd1234",
        "vonage_api_secret": "hemligt",
        "vonage_signature_secret": SECRET,
    }
    credentials = ("vonage_api_key", "vonage_api_secret", "vonage_signature_secret")
    verification_fields = ("vonage_signature_secret",)

    # === CONTRACT === #

    def make_accepted(self, request):
        return answer([{**part, "client-ref": request.uuids[0]} for part in SENT])

    def make_refusals(self, request):
        return [
            (refusal("3", "Invalid value for parameter: to"), "sms_number_format"),
            (refusal("4", "Bad Credentials"), "sms_configuration"),
            (refusal("7"), "sms_not_allowed"),
            (refusal("9", "Quota Exceeded - rejected"), "sms_credit"),
            (refusal("15", "Illegal Sender Address - rejected"), "sms_sender"),
            (Response(401, {}, b"<html>"), "sms_configuration"),
            (Response(302, {"Location": "/login"}, b"moved"), "sms_rejected"),
            (Response(422, {}, b"{}"), "sms_rejected"),
        ]

    def make_throttled(self, request):
        return [refusal("1", THROTTLED), refusal("10"), Response(429, {"Retry-After": "3"}, b"")]

    def make_garbage(self, request):
        return [
            *super().make_garbage(request),
            answer([]),
            answer([{"status": "0"}]),
            answer([{}]),
            answer([7]),
            refusal("5", "Internal Error"),
            refusal("777"),
            answer([SENT[0], {"status": "1", "error-text": THROTTLED}]),
        ]

    def make_test_answers(self):
        return [
            (Response(200, {}, b'{"value": 10.28, "autoReload": false}'), True),
            (Response(401, {}, b'{"error-code": "401"}'), False),
            (Response(200, {}, b"<html>Log in</html>"), False),
        ]

    def make_inbound(self, number, address, body, reference):
        return self._make_call("inbound", self._make_text(number, address, body, reference))

    def make_report(self, message, state):
        code = {"err-code": "1"} if state == "failed" else {}
        return self._make_receipt(message, STATES[state], **code)

    def make_forgeries(self, webhook):
        unsigned = {k: v for k, v in webhook.params.items() if k != "sig"}
        signed = webhook.params
        old = self._sign({**unsigned, "timestamp": str(int(time.time()) - const.MAX_AGE - 60)})
        endless = self._sign({**unsigned, "timestamp": ""})
        forged = [
            unsigned,
            {**signed, "sig": ""},
            {**signed, "sig": "å"},
            {**signed, "sig": signed["sig"][:-1]},
            {**signed, "sig": self._sign(unsigned, "another secret")["sig"]},
            {**signed, "to": "46700000002"},
            {**signed, "more": "x"},
            old,
            endless,
        ]
        body = dataclasses.replace(
            webhook, query=(), headers={"content-type": "application/json"}, body=b"[]"
        )
        return [
            *[({}, self._make_call(webhook.kind, values, sign=False)) for values in forged],
            ({}, body),
            ({"vonage_signature": "sha256"}, webhook),
            ({"vonage_signature_secret": "changed"}, webhook),
        ]

    def make_repetition(self, webhook):
        """The same text with a moment and a signature of its own."""
        values = {k: v for k, v in webhook.params.items() if k != "sig"}
        return self._make_call(webhook.kind, {**values, "nonce": f"again-{time.time()}"})

    def _make_text(self, number, address, body, reference):
        return {
            "msisdn": number.lstrip("+"),
            "to": address.lstrip("+"),
            "messageId": reference,
            "text": body,
            "type": "text",
            "keyword": "YES",
            "message-timestamp": "2026-11-22 15:31:48",
            "api-key": "abcd1234",
        }

    def _make_receipt(self, message, state, **values):
        return self._make_call(
            "status",
            {
                **RECEIPT,
                "msisdn": message.number.lstrip("+"),
                "messageId": message.provider_ref or "lost",
                "client-ref": message.uuid,
                "status": state,
                **values,
            },
        )

    def _sign(self, values, secret=SECRET, method="md5hash"):
        values = {"timestamp": str(int(time.time())), "nonce": "n1", **values}
        if method != "md5hash":
            auth = Auth(api_key="k", signature_secret=secret, signature_method=method)
            return {**values, "sig": auth.sign_params(dict(values))}
        data = "".join(
            f"&{name}={values[name].replace('&', '_').replace('=', '_')}" for name in sorted(values)
        )
        return {**values, "sig": hashlib.md5((data + secret).encode()).hexdigest()}

    def _make_call(self, kind, values, transport="get", method="md5hash", sign=True):
        """A call of Vonage by GET, POST form or JSON, as the account is set."""
        values = self._sign(values, method=method) if sign else values
        query = urlencode(values)
        url = self.gateway._get_webhook_url(kind)
        pairs = tuple(parse_pairs(query))
        if transport == "get":
            return Webhook(kind, "GET", f"{url}?{query}", query=pairs)
        if transport == "form":
            headers = {"content-type": "application/x-www-form-urlencoded"}
            return Webhook(kind, "POST", url, form=pairs, headers=headers, body=query.encode())
        headers = {"content-type": "application/json; charset=utf-8"}
        return Webhook(kind, "POST", url, headers=headers, body=json.dumps(values).encode())

    # === REQUEST === #

    def test_request_as_vonage_wants_it(self):
        """Numbers are digits only; key and secret stand in the header, not in the form."""
        message = self.make_messages(body="Hej å & €")
        wire = self.prepare(self.adapter._prepare_requests(self.gateway, message)[0])
        self.assertEqual((wire.method, wire.url), ("POST", "https://rest.nexmo.com/sms/json"))
        self.assertEqual(
            wire.headers["Authorization"],
            Auth(api_key="abcd1234", api_secret="hemligt").create_basic_auth_string(),
        )
        self.assertEqual(
            dict(parse_pairs(wire.body)),
            {
                "from": "46700000001",
                "to": "46701234567",
                "text": "Hej å & €",
                "type": "text",
                "client-ref": message.uuid,
                "status-report-req": "1",
            },
        )

    def test_alphabet_follows_the_text(self):
        """Vonage sends question marks unless it is told that a text needs Unicode."""
        message = self.make_messages(body="Zażółć 😀")
        request = self.adapter._prepare_requests(self.gateway, message)[0]
        self.assertEqual(request.data["type"], "unicode")

    # === ANSWER === #

    def test_cost_and_parts_are_told(self):
        message = self.make_messages()
        request = self.adapter._prepare_requests(self.gateway, message)[0]
        (result,) = self.adapter._parse_response(self.gateway, request, self.make_accepted(request))
        told = (result.provider_ref, result.segments, result.cost, result.currency)
        self.assertEqual(told, ("0A0000000123ABCD1", 2, 0.0666, "EUR"))

    def test_price_untold_is_no_price(self):
        request = self.adapter._prepare_requests(self.gateway, self.make_messages())[0]
        bare = answer([{"status": "0", "message-id": "0A1"}])
        (result,) = self.adapter._parse_response(self.gateway, request, bare)
        self.assertEqual((result.outcome, result.cost), ("sent", None))

    def test_refusal_in_a_good_answer(self):
        """HTTP says 200, the text was refused all the same; with Vonage's code and words."""
        message = self.make_messages()
        self.record(message, refusal("15", "Illegal Sender Address - rejected"))
        failure = (message.state, message.failure_code, message.failure_reason)
        self.assertEqual(failure, ("failed", "15", "Illegal Sender Address - rejected"))

    def test_half_a_text_is_not_sent_again(self):
        """P2: one part went, the other was refused: nobody repeats the first by himself."""
        message = self.make_messages()
        self.record(message, answer([SENT[0], {"status": "1", "error-text": THROTTLED}]))
        self.assertEqual(message.state, "unknown")

    def test_pause_that_vonage_asks_for(self):
        """It says so in words, in milliseconds."""
        request = self.adapter._prepare_requests(self.gateway, self.make_messages())[0]
        (result,) = self.adapter._parse_response(self.gateway, request, refusal("1", THROTTLED))
        self.assertEqual((result.outcome, result.retry_after), ("retry", 0.25))

    # === PROOF === #

    def test_every_transport_and_signature(self):
        """By GET, form and JSON, signed in each way that an account can be set to."""
        for method, _words in const.SIGNATURES[:-1]:
            self.gateway.vonage_signature = method
            for transport in ("get", "form", "json"):
                with self.subTest(method=method, transport=transport):
                    reference = f"{method}-{transport}"
                    values = self._make_text(
                        "+46701234567", self.sender.address, "å&=😀", reference
                    )
                    genuine = self._make_call("inbound", values, transport, method)
                    self.assertEqual(self.receive(genuine), self.reply)
                    tampered = {**self._sign(values, method=method), "text": "No"}
                    forged = self._make_call("inbound", tampered, transport, sign=False)
                    self.assertEqual(self.receive(forged)[0], 403)
        self.work()
        self.assertEqual(self.get_received().mapped("body"), ["å&=😀"] * 15)

    def test_signature_is_the_one_of_vonages_own_library(self):
        """Both sign and check alike, in capitals too; but for the plain hash, which it lacks."""
        values = {
            **self._make_text("+46701234567", "12345", "a&b=c", "R"),
            "timestamp": "1795312000",
        }
        for method in ("md5", "sha1", "sha256", "sha512"):
            self.gateway.vonage_signature = method
            auth = Auth(api_key="k", signature_secret=SECRET, signature_method=method)
            ours = self.adapter._sign(self.gateway, values)
            self.assertEqual(ours, auth.sign_params(dict(values)))
            self.assertTrue(auth.check_signature({**values, "sig": ours.upper()}))

    def test_signature_in_capitals(self):
        signed = self._sign(self._make_text("+46701234567", "12345", "Yes", "R"))
        call = self._make_call("inbound", {**signed, "sig": signed["sig"].upper()}, sign=False)
        self.assertEqual(self.receive(call), self.reply)

    def test_late_repetition_is_accepted(self):
        """Odoo was down overnight: what Vonage repeats for a day is not lost."""
        text = self._make_text("+46701234567", self.sender.address, "Yes", "R")
        late = {**text, "timestamp": str(int(time.time()) - 20 * 3600)}
        self.assertEqual(self.receive(self._make_call("inbound", late)), self.reply)

    def test_account_without_signatures(self):
        """Vonage signs only on request; until then the administrator must say so himself."""
        text = self._make_text("+46701234567", self.sender.address, "Yes", "R")
        call = self._make_call("inbound", text, sign=False)
        self.assertEqual(self.receive(call)[0], 403)
        self.gateway.vonage_signature = "none"
        self.assertEqual(self.receive(call), self.reply)
        for values, forged in self.make_unsigned_forgeries(call):
            self.gateway.write(values)
            self.assertEqual(self.receive(forged)[0], 403)

    # === TEXTS === #

    def test_long_text_is_joined(self):
        """R: its parts come in any order, some of them twice, and make one text."""
        parts = ["It was a dark ", "and stormy ", "night."]
        for number in (3, 1, 3, 2, 1):
            text = self._make_text(
                "+46701234567", self.sender.address, parts[number - 1], f"PART{number}"
            )
            concat = {"concat": "true", "concat-ref": "79", "concat-total": "3"}
            call = self._make_call("inbound", {**text, **concat, "concat-part": str(number)})
            self.assertEqual(self.receive(call), self.reply)
            self.work()
        self.assertEqual(self.get_received().mapped("body"), ["".join(parts)])

    def test_parts_as_json_tells_them(self):
        """Numbers may be numbers in JSON."""
        text = self._make_text("+46701234567", "12345", "Yes", "R")
        values = {**text, "concat": True, "concat-ref": 0, "concat-total": 2, "concat-part": 1}
        call = self._make_call("inbound", values, "json", sign=False)
        (read,) = self.adapter._extract_inbound(self.gateway, call)
        self.assertEqual(read.part, TextPart("0", 1, 2))

    def test_impossible_part_is_parked(self):
        text = self._make_text("+46701234567", "12345", "Yes", "R")
        for part, total in (("3", "2"), ("0", "2"), ("x", "2"), ("1", "")):
            values = {**text, "concat-ref": "79", "concat-part": part, "concat-total": total}
            with self.assertRaises(WebhookMalformed):
                self.adapter._extract_inbound(self.gateway, self._make_call("inbound", values))

    def test_time_is_utc(self):
        (text,) = self.adapter._extract_inbound(self.gateway, self.make_default_inbound())
        self.assertEqual(text.sent_at.isoformat(), "2026-11-22T15:31:48")

    # === REPORTS === #

    def test_every_state(self):
        for told, expected in const.REPORT_STATES.items():
            message = self.make_sent_message()
            self.receive(self._make_receipt(message, told))
            self.work()
            self.assertEqual(message.state, expected, told)

    def test_receipt_of_a_text_whose_answer_was_lost(self):
        """P2: nobody knows its id at Vonage, but our own returns with the receipt."""
        message = self.make_messages()
        message.state = "unknown"
        self.receive(self._make_receipt(message, "delivered"))
        self.work()
        self.assertEqual((message.state, message.provider_ref), ("delivered", "lost"))

    def test_failures_with_code_and_words(self):
        cases = [
            ("failed", "11", "sms_invalid_destination", "Unroutable"),
            ("rejected", "6", "sms_rejected", "Anti-spam rejection"),
            ("expired", "0", "sms_expired", "expired"),
            ("failed", "777", "sms_not_delivered", "failed"),
            ("failed", "9", "sms_optout", "Illegal number, or opted out"),
        ]
        for state, code, kind, words in cases:
            message = self.make_sent_message()
            self.receive(self._make_receipt(message, state, **{"err-code": code}))
            self.work()
            failure = (message.failure_type, message.failure_code, message.failure_reason)
            self.assertEqual(failure, (kind, code, words))

    def test_every_code_is_a_failure_we_know(self):
        known = dict(self.env["sms.sms"]._fields["failure_type"]._description_selection(self.env))
        reported = {kind for kind, _words in const.REPORT_FAILURES.values()}
        self.assertLessEqual({*const.FAILURES.values(), *reported}, known.keys())

    # === ACCOUNT === #

    def test_unsigned_calls_have_their_password_in_the_address(self):
        """Else every call of an account without signature would be refused, and answers lost."""
        self.gateway.write({"webhook_username": "odoo", "webhook_password": "pass"})
        self.assertNotIn("odoo:pass@", self.gateway.inbound_url)
        self.gateway.vonage_signature = "none"
        self.assertFalse(self.gateway.support_signature)
        self.assertIn("odoo:pass@", self.gateway.inbound_url)

    def test_balance(self):
        told = Response(200, {}, b'{"value": 10.28, "autoReload": false}')
        self.assertEqual(self.adapter._parse_balance(self.gateway, told), (10.28, "EUR"))
        self.assertIsNone(self.adapter._parse_balance(self.gateway, Response(401, {}, b"")))
