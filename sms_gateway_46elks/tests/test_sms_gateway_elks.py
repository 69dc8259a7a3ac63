import dataclasses
import json
from urllib.parse import urlencode

from odoo.exceptions import ValidationError
from odoo.tests import TransactionCase, tagged

from odoo.addons.sms_gateway.engine.contract import (
    Response,
    Webhook,
    WebhookMalformed,
    parse_pairs,
)
from odoo.addons.sms_gateway.tests.contract import AdapterContract

from .. import const

#: 46elks.com/docs/send-sms.
ACCEPTED = {
    "status": "created",
    "direction": "outgoing",
    "from": "+46700000001",
    "created": "2024-05-04T13:37:42.314100",
    "parts": 1,
    "to": "+46701234567",
    "cost": 5000,
    "message": "Hello",
    "id": "s70df59406a1b4643b96f3f91e0bfb7b0",
}
#: 46elks.com/docs/receive-sms.
INBOUND = {"direction": "incoming", "created": "2018-07-13T13:57:23.741000"}
NO_CREDIT = b'{"error": "Not enough credits"}'
#: What the account answers, as programs of customers of theirs read it.
ACCOUNT = {"id": "u1", "balance": 1_234_500, "currency": "SEK", "displayname": "Acme"}


@tagged("post_install", "-at_install")
class TestSmsGatewayElks(AdapterContract, TransactionCase):
    code = "elks"
    gateway_values = {"elks_username": "u123", "elks_password": "hemligt & lösen"}
    credentials = ("elks_username", "elks_password")
    reply = (204, b"")

    # === CONTRACT === #

    def make_accepted(self, request):
        return Response(200, {}, json.dumps(ACCEPTED).encode())

    def make_refusals(self, request):
        failed = json.dumps({**ACCEPTED, "status": "failed"}).encode()
        return [
            (Response(401, {}, b"API access requires Basic HTTP"), "sms_configuration"),
            (Response(400, {}, b"Missing key from"), "sms_rejected"),
            (Response(403, {}, NO_CREDIT), "sms_credit"),
            (Response(403, {}, b"Not enough credits"), "sms_credit"),
            (Response(403, {}, b"Forbidden"), "sms_configuration"),
            (Response(404, {}, b"<html>"), "sms_configuration"),
            (Response(302, {"Location": "/login"}, b"moved"), "sms_rejected"),
            (Response(200, {}, failed), "sms_not_delivered"),
        ]

    def make_throttled(self, request):
        return [Response(429, {}, b"Too many requests")]

    def make_garbage(self, request):
        others = [
            Response(200, {}, b'{"id": null}'),
            Response(204, {}, b""),
            Response(503, {}, b""),
        ]
        return [*super().make_garbage(request), *others]

    def make_test_answers(self):
        return [
            (Response(200, {}, json.dumps(ACCOUNT).encode()), True),
            (Response(401, {}, b"Unauthorized"), False),
            (Response(200, {}, b"<html>Log in</html>"), False),
        ]

    def make_inbound(self, number, address, body, reference):
        form = {**INBOUND, "id": reference, "from": number, "to": address, "message": body}
        return self._call(self.gateway._get_webhook_url("inbound"), form)

    def make_report(self, message, state):
        """46elks calls the address that it was given with the text."""
        request = self.adapter._prepare_requests(self.gateway, message)[0]
        form = {"id": message.provider_ref or ACCEPTED["id"], "status": state}
        if state == "delivered":
            form["delivered"] = "2024-05-04T13:38:15.123000"
        return self._call(request.data["whendelivered"], form)

    def make_forgeries(self, webhook):
        return self.make_unsigned_forgeries(webhook)

    def _call(self, url, form):
        """The form as 46elks posts it to an address."""
        path, _, query = url.partition("?")
        pairs = (tuple(parse_pairs(part)) for part in (query, urlencode(form)))
        return Webhook(path.rpartition("/")[2], "POST", url, *pairs, remote_addr="192.0.2.7")

    def _parse(self, **values):
        """What becomes of a text by an answer like the recorded one."""
        request = self.adapter._prepare_requests(self.gateway, self.make_messages())[0]
        answer = Response(200, {}, json.dumps({**ACCEPTED, **values}).encode())
        (result,) = self.adapter._parse_response(self.gateway, request, answer)
        return result

    # === REQUEST === #

    def test_request_as_46elks_wants_it(self):
        """A form, user and password as Basic authentication, never in the address."""
        message = self.make_messages(body="Hej å & €")
        wire = self.prepare(self.adapter._prepare_requests(self.gateway, message)[0])
        self.assertEqual((wire.method, wire.url), ("POST", "https://api.46elks.com/a1/sms"))
        self.assertTrue(wire.headers["Authorization"].startswith("Basic "))
        self.assertEqual(
            dict(parse_pairs(wire.body)),
            {
                "from": self.sender.address,
                "to": "+46701234567",
                "message": "Hej å & €",
                "whendelivered": f"{self.gateway.status_url}?uuid={message.uuid}",
            },
        )

    def test_reports_bring_the_password(self):
        """Where the gateway asks for a password, 46elks is told it with the address."""
        self.gateway.write({"webhook_username": "elk", "webhook_password": "p@ss"})
        request = self.adapter._prepare_requests(self.gateway, self.make_messages())[0]
        self.assertRegex(request.data["whendelivered"], "^https?://elk:p%40ss@")

    # === ANSWERS === #

    def test_answer_tells_reference_parts_and_cost(self):
        """The cost comes in ten thousandths of the account's currency."""
        message = self.make_messages()
        answer = json.dumps({**ACCEPTED, "parts": 3, "cost": 10500}).encode()
        self.record(message, Response(200, {}, answer))
        self.assertEqual(message.provider_ref, ACCEPTED["id"])
        self.assertEqual((message.segments, message.cost), (3, 1.05))

    def test_odd_figures_are_left_out(self):
        """A text is sent also where its cost cannot be read."""
        for odd in (None, "much", -1, [], {}):
            result = self._parse(parts=odd)
            self.assertEqual((result.outcome, result.segments), ("sent", None), odd)
        for odd in (None, "much", [], {}):
            result = self._parse(cost=odd)
            self.assertEqual((result.outcome, result.cost), ("sent", None), odd)

    def test_refusal_in_46elks_words(self):
        message = self.make_messages()
        self.record(message, Response(403, {}, NO_CREDIT))
        self.assertEqual(message.failure_code, "403")
        self.assertEqual(message.failure_reason, "Not enough credits")

    def test_pause_as_long_as_46elks_asks(self):
        request = self.adapter._prepare_requests(self.gateway, self.make_messages())[0]
        answer = Response(429, {"Retry-After": "7"}, b"slower")
        (result,) = self.adapter._parse_response(self.gateway, request, answer)
        self.assertEqual((result.outcome, result.retry_after), ("retry", 7))

    # === TEXTS === #

    def test_time_is_utc(self):
        (text,) = self.adapter._extract_inbound(self.gateway, self.make_default_inbound())
        self.assertEqual(text.sent_at.isoformat(), "2018-07-13T13:57:23")

    def test_nothing_is_answered(self):
        """P2: words would be a text to the customer, for each of the repetitions of six hours."""
        for kind in ("inbound", "status"):
            webhook = self._call(self.gateway._get_webhook_url(kind), INBOUND)
            self.assertEqual(self.adapter._webhook_reply(self.gateway, webhook), (204, {}, b""))

    # === REPORTS === #

    def test_every_status_of_a_report(self):
        for status, state in const.STATES.items():
            message = self.make_messages()  # nobody has recorded 46elks's answer yet
            self.receive(self.make_report(message, status))
            self.work()
            self.assertEqual(message.state, state, status)
            self.assertEqual(message.provider_ref, ACCEPTED["id"])

    def test_unknown_status_is_parked(self):
        with self.assertRaisesRegex(WebhookMalformed, "melted"):
            self.adapter._extract_reports(
                self.gateway, self.make_report(self.make_messages(), "melted")
            )

    def test_report_by_its_id_alone(self):
        """Also one that was asked for outside of Odoo, without our reference."""
        message = self.make_sent_message()
        form = {"id": message.provider_ref, "status": "delivered"}
        self.receive(self._call(self.gateway._get_webhook_url("status"), form))
        self.work()
        self.assertEqual(message.state, "delivered")

    # === SENDERS === #

    def test_senders_are_names_or_whole_numbers(self):
        for kind, address in (("dedicated", "59000001"), ("short", "72100")):
            with self.assertRaisesRegex(ValidationError, "46elks sends as"):
                self.sender.write({"kind": kind, "address": address})
        self.sender.write({"inbound_enabled": False, "kind": "text", "address": "Acme"})

    # === ACCOUNT === #

    def test_balance(self):
        answer = Response(200, {}, json.dumps(ACCOUNT).encode())
        self.assertEqual(self.adapter._parse_balance(self.gateway, answer), (123.45, "SEK"))
        self.assertIsNone(self.adapter._parse_balance(self.gateway, Response(401, {}, b"no")))

    def test_connection_is_tested_with_what_sends(self):
        wire = self.prepare(self.adapter._prepare_test_request(self.gateway))
        sent = self.prepare(self.adapter._prepare_requests(self.gateway, self.make_messages())[0])
        self.assertEqual(wire.headers["Authorization"], sent.headers["Authorization"])
        self.assertEqual((wire.method, wire.url), ("GET", "https://api.46elks.com/a1/me"))

    # === PROOF === #

    def test_password_lets_the_call_in(self):
        """What 46elks was told with the address comes back as Basic authentication."""
        self.gateway.write({"webhook_username": "odoo", "webhook_password": "pass"})
        headers = {"authorization": "Basic b2RvbzpwYXNz"}
        webhook = dataclasses.replace(self.make_default_inbound(), headers=headers)
        self.assertEqual(self.receive(webhook), self.reply)
