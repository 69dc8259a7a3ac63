import dataclasses
import json

import jwt

from odoo.tests import TransactionCase, tagged

from odoo.addons.sms_gateway.engine.contract import (
    Response,
    TextPart,
    Webhook,
    WebhookMalformed,
)

from .common import LEGACY_TEXT, SECRET, STATES, GatewayapiContract, answer

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


def refuse_field(position, field, words="Input should be valid"):
    """How the messaging API refuses a field of the text at a position."""
    return answer(
        422, {"detail": [{"loc": ["body", "messages", position, field], "msg": words, "type": "x"}]}
    )


@tagged("post_install", "-at_install")
class TestSmsGatewayGatewayapi(GatewayapiContract, TransactionCase):
    code = "gatewayapi"

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

    def test_call_of_the_legacy_api_is_parked(self):
        """A text that comes by the other API is not lost: the provider that reads it gets it."""
        token = jwt.encode(LEGACY_TEXT, SECRET, algorithm="HS256")
        self.receive(self.with_headers(self.make_default_inbound(), x_gwapi_signature=token))
        self.work()
        self.assertFalse(self.get_received(), "what stands beside a token is not signed")
        event = self.get_events()
        self.assertEqual(event.state, "failed")
        self.assertIn("legacy API", event.error)
        self.gateway.code = "gatewayapi_legacy"
        event.action_replay()
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
