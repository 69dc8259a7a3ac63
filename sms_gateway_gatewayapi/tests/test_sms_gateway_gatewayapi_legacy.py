import json

import jwt

from odoo.tests import TransactionCase, tagged

from odoo.addons.sms_gateway.engine.contract import Response, Webhook

from .. import const
from .common import LEGACY_TEXT, SECRET, STATES, GatewayapiContract, answer, refuse_legacy

#: The token of a delivery report in GatewayAPI's documentation; its secret is "secret".
DOCUMENTED_TOKEN = (
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJpZCI6MjM4MTcwMywibXNpc2RuIjo0NTQyNjA5MDQ1LCJ0aW1lIjox"
    "NTIyNzY0MDYyLCJzdGF0dXMiOiJERUxJVkVSRUQiLCJlcnJvciI6bnVsbCwiY29kZSI6bnVsbCwidXNlcnJlZiI6bnVsbC"
    "wiY2FsbGJhY2tfdXJsIjoiaHR0cDovL2JiYWY3MTQyLm5ncm9rLmlvIiwiYXBpIjo0fQ.KdfDH65bnQtgxEkFnpAQodOci"
    "AJedZFB13r9wEo8t3Y"
)


@tagged("post_install", "-at_install")
class TestSmsGatewayGatewayapiLegacy(GatewayapiContract, TransactionCase):
    code = "gatewayapi_legacy"

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

    def test_region(self):
        """An account within the EU is not known outside."""
        self.gateway.gatewayapi_region = "eu"
        request = self.adapter._prepare_requests(self.gateway, self.make_messages())[0]
        self.assertEqual(request.url, "https://gatewayapi.eu/rest/mtsms")

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

    def test_call_of_the_messaging_api_is_parked(self):
        """With the reason, which says whose it is; it is no call of a stranger."""
        event = {"event_type": "user-message.text.sms", "event": {"content": "Yes"}}
        for kind in ("inbound", "status"):
            url = self.gateway._get_webhook_url(kind)
            call = Webhook(kind, "POST", url, body=json.dumps(event).encode())
            self.assertEqual(self.receive(self.sign(call)), self.reply)
        self.work()
        for parked in self.get_events():
            self.assertEqual(parked.state, "failed")
            self.assertIn("messaging API", parked.error)

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
