import dataclasses
import json
import time
from base64 import b64encode
from hashlib import sha256
from urllib.parse import urlencode

import jwt
from messagebird.error import ValidationError
from messagebird.request_validator import RequestValidator

from odoo.tests import TransactionCase, tagged

from odoo.addons.sms_gateway.engine.contract import Response, Webhook, parse_pairs
from odoo.addons.sms_gateway.tests.contract import AdapterContract

from .. import const

KEY = "signing key " * 6
#: As in the documentation of MessageBird; the text is in two parts.
ACCEPTED = {
    "id": "e8077d803532c0b5937c639b60216938",
    "href": "https://rest.messagebird.com/messages/e8077d803532c0b5937c639b60216938",
    "direction": "mt",
    "type": "sms",
    "originator": "46700000001",
    "body": "Hello",
    "reference": None,
    "validity": None,
    "gateway": 10,
    "datacoding": "plain",
    "createdDatetime": "2016-05-03T14:26:57+00:00",
    "recipients": {
        "totalCount": 1,
        "totalSentCount": 1,
        "items": [
            {
                "recipient": 46701234567,
                "status": "sent",
                "statusDatetime": "2016-05-03T14:26:57+00:00",
                "messagePartCount": 2,
            }
        ],
    },
}
BALANCE = b'{"payment": "prepaid", "type": "euros", "amount": 9.2}'
STATES = {"sent": "buffered", "delivered": "delivered", "failed": "delivery_failed"}


def make_error(status, code, description="Words", parameter=None):
    error = {"code": code, "description": description, "parameter": parameter}
    return Response(status, {}, json.dumps({"errors": [error]}).encode())


@tagged("post_install", "-at_install")
class TestSmsGatewayMessagebird(AdapterContract, TransactionCase):
    code = "messagebird"
    gateway_values = {"messagebird_access_key": "live_gshuPaZ", "messagebird_signing_key": KEY}
    credentials = ("messagebird_access_key", "messagebird_signing_key")
    verification_fields = ("messagebird_signing_key",)

    # === CONTRACT === #

    def make_accepted(self, request):
        answer = {**ACCEPTED, "id": sha256(request.uuids[0].encode()).hexdigest()[:32]}
        return Response(201, {}, json.dumps(answer).encode())

    def make_refusals(self, request):
        return [
            (make_error(401, 2, "Request not allowed", "access_key"), "sms_configuration"),
            (make_error(422, 9, "no recipients found", "recipients"), "sms_invalid_destination"),
            (make_error(422, 10, "originator is invalid", "originator"), "sms_sender"),
            (make_error(422, 25, "Not enough balance"), "sms_credit"),
            (make_error(422, 777), "sms_rejected"),
            (make_error(404, 20), "sms_configuration"),
            (Response(403, {}, b"<html>"), "sms_configuration"),
            (Response(302, {"Location": "/login"}, b"moved"), "sms_rejected"),
        ]

    def make_throttled(self, request):
        return [Response(429, {"Retry-After": "3"}, b""), make_error(429, 777)]

    def make_garbage(self, request):
        others = [make_error(500, 99), make_error(200, 25), Response(201, {}, b'{"id": [1]}')]
        return [*super().make_garbage(request), *others]

    def make_test_answers(self):
        return [
            (Response(200, {}, BALANCE), True),
            (make_error(401, 2), False),
            (Response(200, {}, b"<html>Log in</html>"), False),
        ]

    def make_inbound(self, number, address, body, reference):
        pairs = {
            "id": reference,
            "recipient": address.lstrip("+"),
            "originator": number.lstrip("+"),
            "body": body,
            "createdDatetime": "2026-11-22T15:31:48+00:00",
        }
        return self.make_post(pairs)

    def make_report(self, message, state):
        return self.make_status(message, STATES[state])

    def make_post(self, pairs):
        body = urlencode(pairs)
        webhook = Webhook(
            "inbound",
            "POST",
            self.gateway._get_webhook_url("inbound"),
            form=tuple(parse_pairs(body)),
            body=body.encode(),
        )
        return self.sign(webhook)

    def make_status(self, message, state, **values):
        pairs = {
            "id": message.provider_ref or "lost",
            "reference": message.uuid,
            "recipient": message.number.lstrip("+"),
            "status": state,
            "statusDatetime": "2026-11-22T15:31:48+00:00",
            "statusReason": "pending DLR",
            "mccmnc": "24001",
            "messagePartCount": "1",
            **values,
        }
        query = urlencode(pairs)
        url = f"{self.gateway._get_webhook_url('status')}?{query}"
        return self.sign(Webhook("status", "GET", url, query=tuple(parse_pairs(query))))

    def sign(self, webhook, key=KEY, algorithm="HS256", without=(), **changed):
        """As MessageBird signs a call."""
        now = int(time.time())
        claims = {
            "iss": "MessageBird",
            "nbf": now - 1,
            "exp": now + 60,
            "jti": "e92eb4ae",
            "url_hash": sha256(webhook.url.encode()).hexdigest(),
            **({"payload_hash": sha256(webhook.body).hexdigest()} if webhook.body else {}),
            **changed,
        }
        claims = {name: value for name, value in claims.items() if name not in without}
        token = jwt.encode(claims, key, algorithm=algorithm)
        return self.with_token(webhook, token)

    def with_token(self, webhook, token):
        headers = {"messagebird-signature-jwt": token} if token else {}
        return dataclasses.replace(webhook, headers=headers)

    def make_forgeries(self, webhook):
        genuine, past = webhook.headers["messagebird-signature-jwt"], int(time.time()) - 4000
        other_url = webhook.url.replace("/sms/", "/smx/") + "&a=1"
        payload = {"without": ["payload_hash"]} if webhook.body else {"payload_hash": "a" * 64}
        forged = [
            self.with_token(webhook, ""),
            self.with_token(webhook, genuine[:-2]),
            self.with_token(webhook, "å.å.å"),
            self.sign(webhook, "another key " * 6),
            self.sign(webhook, None, "none"),
            self.sign(webhook, nbf=past, exp=past + 60),
            self.sign(webhook, nbf=past + 8000, exp=past + 9000),
            self.sign(webhook, without=["exp"]),
            self.sign(webhook, url_hash=""),
            self.sign(webhook, iss="Somebody"),
            self.sign(webhook, **payload),
            dataclasses.replace(webhook, url=other_url),
            dataclasses.replace(webhook, body=webhook.body + b"&recipient=1"),
        ]
        changed = {"messagebird_signing_key": "changed key " * 6}
        return [*[({}, call) for call in forged], (changed, webhook)]

    # === REQUEST === #

    def test_request_as_messagebird_wants_it(self):
        message = self.make_messages(body="Hej å & €")
        wire = self.prepare(self.adapter._prepare_requests(self.gateway, message)[0])
        self.assertEqual((wire.method, wire.url), ("POST", "https://rest.messagebird.com/messages"))
        self.assertEqual(wire.headers["Authorization"], "AccessKey live_gshuPaZ")
        self.assertEqual(
            json.loads(wire.body),
            {
                "originator": "46700000001",
                "recipients": ["46701234567"],
                "body": "Hej å & €",
                "datacoding": "plain",
                "reference": message.uuid,
                "reportUrl": self.gateway.status_url,
            },
        )

    def test_alphabet_follows_the_text(self):
        message = self.make_messages(body="Zażółć 😀")
        request = self.adapter._prepare_requests(self.gateway, message)[0]
        self.assertEqual(request.json["datacoding"], "unicode")

    def test_parts_are_told(self):
        request = self.adapter._prepare_requests(self.gateway, self.make_messages())[0]
        accepted = self.make_accepted(request)
        (result,) = self.adapter._parse_response(self.gateway, request, accepted)
        self.assertEqual(result.segments, 2)

    def test_refusal_in_messagebirds_words(self):
        message = self.make_messages()
        self.record(message, make_error(422, 25, "Not enough balance"))
        self.assertEqual(message.failure_code, "25")
        self.assertEqual(message.failure_reason, "Not enough balance")

    # === PROOF === #

    def test_signature_is_the_one_of_messagebirds_own_library(self):
        """What MessageBird's library accepts is accepted, what it refuses is refused."""
        report = self.make_report(self.make_sent_message(), "delivered")
        for genuine in (self.make_default_inbound("Zażółć 😀"), report):
            self.assertTrue(self.validate(genuine, KEY))
            self.assertEqual(self.receive(genuine)[0], 200)
            for values, forged in self.make_forgeries(genuine):
                with self.assertRaises(ValidationError):
                    self.validate(forged, values.get("messagebird_signing_key", KEY))

    def validate(self, webhook, key):
        token = webhook.headers.get("messagebird-signature-jwt", "")
        return RequestValidator(key).validate_signature(token, webhook.url, webhook.body)

    def test_behind_a_proxy_and_on_a_port(self):
        """The public address is signed, as it was pasted, whatever Odoo itself listens on."""
        for base in ("https://odoo.example.com", "https://odoo.example.com:8443", "http://x/sub"):
            self.env["ir.config_parameter"].set_param("web.base.url", base)
            genuine = self.make_default_inbound(reference=base)
            self.assertTrue(genuine.url.startswith(base))
            self.assertEqual(self.receive(genuine)[0], 200)
            self.assertTrue(self.validate(genuine, KEY))

    def test_longer_signatures(self):
        for algorithm in ("HS384", "HS512"):
            genuine = self.make_default_inbound(reference=algorithm)
            self.assertEqual(self.receive(self.sign(genuine, KEY * 2, algorithm))[0], 403)
            self.assertEqual(self.receive(self.sign(genuine, KEY, algorithm))[0], 200)

    def test_account_with_unsigned_reports(self):
        """The administrator may accept them; texts, and wrong signatures, stay refused."""
        report = self.make_report(self.make_sent_message(), "delivered")
        unsigned, text = (self.with_token(c, "") for c in (report, self.make_default_inbound()))
        self.assertEqual(self.receive(unsigned)[0], 403)
        self.gateway.messagebird_unsigned_reports = True
        self.assertEqual(self.receive(unsigned)[0], 200)
        self.assertEqual(self.receive(text)[0], 403)
        self.assertEqual(self.receive(self.sign(report, "another key " * 6))[0], 403)

    def test_password_where_reports_are_unsigned(self):
        """MessageBird is told it with the address, or its reports would be refused for lack of it.

        Texts stay signed, whichever of the two addresses it signs.
        """
        self.gateway.write({"webhook_username": "bird", "webhook_password": "p@ss"})
        request = self.adapter._prepare_requests(self.gateway, self.make_messages())[0]
        self.assertNotIn("p%40ss", request.json["reportUrl"])
        self.gateway.messagebird_unsigned_reports = True
        request = self.adapter._prepare_requests(self.gateway, self.make_messages())[0]
        self.assertRegex(request.json["reportUrl"], "^https?://bird:p%40ss@")
        report = self.make_report(self.make_sent_message(), "delivered")
        self.assertEqual(self.receive(self.with_token(report, ""))[0], 403)
        self.assertEqual(self.receive(self.with_login(self.with_token(report, "")))[0], 200)
        text = self.make_default_inbound()
        pasted = dataclasses.replace(text, url=self.gateway.inbound_url)
        for signed in (text, self.sign(pasted)):
            self.assertEqual(self.receive(signed)[0], 403)
            call = self.with_login(dataclasses.replace(signed, url=text.url))
            self.assertEqual(self.receive(call)[0], 200)
        self.assertEqual(self.receive(self.with_login(self.with_token(text, "")))[0], 403)

    def with_login(self, webhook):
        login = b64encode(b"bird:p@ss").decode()
        headers = {**webhook.headers, "authorization": f"Basic {login}"}
        return dataclasses.replace(webhook, headers=headers)

    # === TEXTS === #

    def test_text_to_a_short_number(self):
        """It comes with names of its own."""
        pairs = {
            "mid": "SHORT1",
            "shortcode": "1008",
            "originator": "46701234567",
            "message": "Yes",
            "receive_datetime": "20261122153148",
        }
        (text,) = self.adapter._extract_inbound(self.gateway, self.make_post(pairs))
        self.assertEqual((text.address, text.body, text.provider_ref), ("1008", "Yes", "SHORT1"))
        self.assertEqual(text.sent_at.isoformat(), "2026-11-22T15:31:48")

    def test_pictures_come_as_links(self):
        pairs = {
            "id": "M",
            "recipient": "46700000001",
            "originator": "46701234567",
            "body": "Look",
            "mediaURLs[0]": "https://x/a.png",
            "mediaURLs[1]": "https://x/b.png",
        }
        (text,) = self.adapter._extract_inbound(self.gateway, self.make_post(pairs))
        self.assertEqual(text.body, "Look\nhttps://x/a.png\nhttps://x/b.png")

    def test_time_is_utc(self):
        (text,) = self.adapter._extract_inbound(self.gateway, self.make_default_inbound())
        self.assertEqual(text.sent_at.isoformat(), "2026-11-22T15:31:48")

    # === REPORTS === #

    def test_every_state(self):
        for told, expected in const.REPORT_STATES.items():
            message = self.make_sent_message()
            self.receive(self.make_status(message, told))
            self.work()
            self.assertEqual(message.state, expected, told)

    def test_cost_comes_with_the_report(self):
        message = self.make_sent_message()
        price = {"price[amount]": "0.075", "price[currency]": "EUR"}
        self.receive(self.make_status(message, "delivered", **price))
        self.work()
        self.assertEqual((message.cost, message.currency_id.name), (0.075, "EUR"))

    def test_report_of_a_text_whose_answer_was_lost(self):
        """P2: nobody knows its id at MessageBird, but our own returns with the report."""
        message = self.make_messages()
        message.state = "unknown"
        self.receive(self.make_report(message, "delivered"))
        self.work()
        self.assertEqual((message.state, message.provider_ref), ("delivered", "lost"))

    def test_failures_with_code_and_words(self):
        cases = [
            ("delivery_failed", "1", "unknown_subscriber", "sms_invalid_destination"),
            ("delivery_failed", "27", "Unavailable subscriber", "sms_not_delivered"),
            ("delivery_failed", "777", "new reason", "sms_not_delivered"),
            ("expired", "", "", "sms_expired"),
            ("delivery_failed", "103", "new reason", "sms_optout"),
        ]
        for state, code, words, kind in cases:
            message = self.make_sent_message()
            values = {"statusErrorCode": code, "statusReason": words}
            self.receive(self.make_status(message, state, **values))
            self.work()
            failure = (message.failure_type, message.failure_code, message.failure_reason)
            self.assertEqual(failure, (kind, code or False, words or state))

    def test_every_code_is_a_failure_we_know(self):
        known = dict(self.env["sms.sms"]._fields["failure_type"]._description_selection(self.env))
        kinds = {
            kind
            for kinds in (const.FAILURES, const.PARAMETERS, const.REASONS)
            for kind in kinds.values()
        }
        self.assertLessEqual(kinds, known.keys())

    # === ACCOUNT === #

    def test_balance(self):
        told = Response(200, {}, BALANCE)
        self.assertEqual(self.adapter._parse_balance(self.gateway, told), (9.2, "EUR"))
        self.assertIsNone(self.adapter._parse_balance(self.gateway, make_error(401, 2)))
        credits = Response(200, {}, b'{"type": "credits", "amount": 3}')
        self.assertEqual(self.adapter._parse_balance(self.gateway, credits), (3, None))
