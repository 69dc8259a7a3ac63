import json

from odoo.tests import TransactionCase, tagged

from odoo.addons.sms_gateway.engine.contract import Response, Webhook, WebhookMalformed
from odoo.addons.sms_gateway.tests.contract import AdapterContract

from .. import const

#: Payloads as in LINK's "SMS REST API, MT and Delivery Reports" 1.6 and, of a text, in Sergel's
#: documentation of the same platform.
UNAUTHORISED = {"resultCode": 106100, "description": "Authentication failed"}
REPORT = {
    "refId": "",
    "id": "Dcshuhod0PMAAAFQ+/PbnR3x",
    "operator": "no.telenor",
    "sentTimestamp": "2015-11-12T09:25:38Z",
    "timestamp": "2015-11-12T09:25:00Z",
    "resultCode": 1001,
    "operatorResultCode": "2",
    "segments": 1,
    "gateCustomParameters": {},
    "customParameters": {"received": "2015-11-12T09:25:38Z"},
}
TEXT = {
    "destination": "NO-2333",
    "subNumber": None,
    "source": "+4741560067",
    "content": {"type": "SMS", "userData": "Bclt hello", "encoding": "TEXT"},
    "operator": "no.telenor",
    "timestamp": "2015-11-12T09:25:38Z",
    "messageId": "I4dg-tkZXPcAAAFM",
    "operatorTimestamp": None,
    "operatorMessageId": "1",
    "route": {"type": "KEYWORD_ROUTE", "id": "1", "refId": "r", "gateIds": [], "keyword": "BCLT"},
    "gateCustomParameters": {},
    "customParameters": {"moReferenceId": "1"},
}
RESULTS = {"sent": 1000, "delivered": 1001, "failed": 1006}


def answer(status, body):
    return Response(status, {}, json.dumps(body).encode())


def accept(request, **codes):
    """All are queued, but those of which another result is given by uuid."""
    texts = [
        {
            "messageId": f"ID{uuid}",
            "refId": uuid,
            "resultCode": codes.get(uuid, 1005),
            "message": "Queued" if uuid not in codes else "In words",
            "smsCount": 2,
        }
        for uuid in request.uuids
    ]
    return answer(200, texts)


@tagged("post_install", "-at_install")
class TestSmsGatewayLinkmobility(AdapterContract, TransactionCase):
    code = "linkmobility"
    gateway_values = {
        "linkmobility_url": "https://n-eu.linkmobility.io/",
        "linkmobility_username": "odoo-user",
        "linkmobility_password": "hemligt lösen",
        "linkmobility_platform": "COMMON_API",
        "linkmobility_partner": "10100",
        "linkmobility_gate": "gAt3",
    }
    credentials = ("linkmobility_username", "linkmobility_password")

    # === CONTRACT === #

    def make_messages(self, count=1, body="Hello", number="+46701234567"):
        """LINK carries no emoji; that it is refused has a test of its own."""
        return super().make_messages(count, body.replace("😀", ""), number)

    def make_accepted(self, request):
        return accept(request)

    def make_refusals(self, request):
        return [
            (answer(401, UNAUTHORISED), "sms_configuration"),
            (answer(403, {"resultCode": 106200, "description": "Platform"}), "sms_configuration"),
            (answer(400, {"resultCode": 106301, "description": "Gate"}), "sms_configuration"),
            (answer(400, {"resultCode": 106000, "description": "Unknown"}), "sms_rejected"),
            (answer(400, {"resultCode": 3001, "description": "Encoding"}), "sms_rejected"),
            (Response(404, {}, b"<html>"), "sms_configuration"),
        ]

    def make_throttled(self, request):
        return [Response(429, {"Retry-After": "5"}, b""), answer(429, {"resultCode": 3})]

    def make_garbage(self, request):
        odd = [[1, None, {"refId": ["x"]}], [{"refId": request.uuids[0]}]]
        lost = [Response(204, {}, b""), Response(200, {}, b"OK")]
        return [*super().make_garbage(request), *(answer(200, body) for body in odd), *lost]

    def make_test_answers(self):
        empty = {"resultCode": 106000, "description": "No messages"}
        page = Response(200, {}, b"<html>Log in</html>")
        good = [answer(200, []), answer(400, empty)]
        wrong = [
            answer(401, UNAUTHORISED),
            answer(400, UNAUTHORISED),
            page,
            Response(400, {}, b"Bad"),
        ]
        return [*((told, True) for told in good), *((told, False) for told in wrong)]

    def make_inbound(self, number, address, body, reference):
        content = {**TEXT["content"], "userData": body}
        values = {"source": number, "destination": address, "messageId": reference}
        return self._make_webhook("inbound", {**TEXT, **values, "content": content})

    def make_report(self, message, state):
        return self._make_report(refId=message.uuid, resultCode=RESULTS[state])

    def make_forgeries(self, webhook):
        return self.make_unsigned_forgeries(webhook)

    def _make_webhook(self, kind, content):
        return Webhook(
            kind,
            "POST",
            self.gateway._get_webhook_url(kind),
            headers={"content-type": "application/json"},
            body=json.dumps(content).encode(),
        )

    def _make_report(self, **values):
        return self._make_webhook("status", {**REPORT, **values})

    # === REQUEST === #

    def test_request_as_link_wants_it(self):
        """An answer is asked for: without, LINK takes the text and tells no id."""
        message = self.make_messages(body="Hej å & €")
        (request,) = self.adapter._prepare_requests(self.gateway, message)
        wire = self.prepare(request)
        self.assertEqual(wire.url, "https://n-eu.linkmobility.io/sms/sendbatch")
        self.assertTrue(wire.headers["Authorization"].startswith("Basic "))
        self.assertEqual(
            json.loads(wire.body)["sendRequestMessages"],
            [
                {
                    "source": "+46700000001",
                    "sourceTON": "MSISDN",
                    "destination": "+46701234567",
                    "userData": "Hej å & €",
                    "dcs": "TEXT",
                    "platformId": "COMMON_API",
                    "platformPartnerId": "10100",
                    "refId": message.uuid,
                    "useDeliveryReport": True,
                    "deliveryReportGates": ["gAt3"],
                    "ignoreResponse": False,
                }
            ],
        )

    def test_kinds_of_senders(self):
        """LINK is told what the sender is, and does not take 2333 for a name."""
        self.sender.inbound_enabled = False
        cases = {"text": ("My Bank", "ALPHANUMERIC"), "short": ("2333", "SHORTNUMBER")}
        for kind, (address, expected) in cases.items():
            self.sender.write({"kind": kind, "address": address})
            (request,) = self.adapter._prepare_requests(self.gateway, self.make_messages())
            (text,) = request.json["sendRequestMessages"]
            self.assertEqual((text["source"], text["sourceTON"]), (address, expected))
        self.assertEqual(
            const.SOURCE_KINDS.keys(), dict(self.sender._fields["kind"].selection).keys()
        )

    def test_alphabet_follows_the_text(self):
        message = self.make_messages(body="Zażółć")
        (request,) = self.adapter._prepare_requests(self.gateway, message)
        self.assertEqual(request.json["sendRequestMessages"][0]["dcs"], "UCS2")

    def test_no_gate_chosen(self):
        """Without a gate LINK reports through the one it has set for the account."""
        self.gateway.linkmobility_gate = False
        (request,) = self.adapter._prepare_requests(self.gateway, self.make_messages())
        self.assertNotIn("deliveryReportGates", request.json["sendRequestMessages"][0])

    def test_different_texts_go_together(self):
        messages = self.make_messages(149) + self.make_messages(1, "Other", "+46709999999")
        requests = self.adapter._prepare_requests(self.gateway, messages)
        self.assertEqual([len(request.uuids) for request in requests], [100, 50])

    def test_name_begins_with_a_letter(self):
        self.sender.inbound_enabled = False
        with self.assertRaisesRegex(Exception, "begin with a letter"):
            self.sender.write({"kind": "text", "address": "24 Bank"})

    # === EMOJI === #

    def _write(self, body, sender=None):
        values = {"number": "+46701234567", "body": body, "sender_id": (sender or self.sender).id}
        return self.env["sms.sms"].create(values)

    def test_emoji_is_refused_in_clear_words(self):
        """Nothing is sent broken: the words name what LINK cannot carry, and what to do."""
        message = self._write("Welcome 😀 and 😀 and 🎉").message_id
        self.assertEqual((message.state, message.failure_type), ("failed", "sms_rejected"))
        self.assertIn("cannot send 😀🎉. Take it out", message.failure_reason)

    def test_other_alphabets_are_not_refused(self):
        """Two and three bytes are carried: å, €, Polish, Cyrillic, Chinese."""
        self.assertEqual(self._write("å € Zażółć Привет 你好 ☺").message_id.state, "queued")

    def test_emoji_that_was_written_for_another_provider(self):
        """Its provider is down and LINK is the spare: it fails in clear words, not sent broken."""
        gateway = self.gateway.create({"name": "Other", "code": "none", "state": "enabled"})
        sender = self.sender.copy({"gateway_id": gateway.id, "state": "approved"})
        sender.fallback_id = self.sender
        texts = self._write("Welcome 😀", sender) | self._write("Welcome ☺", sender)
        texts[0]._divert()
        self.assertEqual(texts.message_id.gateway_id, self.gateway)
        texts |= self._write("Welcome 😀", sender)
        self.env["sms.lane"]._start_claimed(texts.message_id.ids, "chat")
        broken, whole, elsewhere = texts.message_id
        self.assertEqual((broken.state, broken.failure_type), ("failed", "sms_rejected"))
        self.assertIn("cannot send 😀. Take it out", broken.failure_reason)
        self.assertEqual((whole.state, elsewhere.state), ("sending", "sending"))
        self.assertEqual(elsewhere.gateway_id, gateway)

    def test_emoji_through_another_provider(self):
        """The rule is LINK's; senders of other gateways have none of it."""
        gateway = self.gateway.create({"name": "Other", "code": "none"})
        sender = self.sender.copy({"gateway_id": gateway.id, "state": "approved"})
        reason = self._write("Welcome 😀", sender).message_id.failure_reason or ""
        self.assertNotIn("LINK", reason)

    # === ANSWER === #

    def test_reference_and_segments_are_kept(self):
        message = self.make_sent_message()
        self.assertEqual((message.segments, message.provider_ref), (2, f"ID{message.uuid}"))

    def test_each_text_has_its_own_fate(self):
        """Of several in one request some are refused; each says why in LINK's words."""
        expected = {2106: "sms_invalid_destination", 106200: "sms_configuration"}
        expected |= {4001: "sms_rejected", 2205: "sms_rejected"}
        messages = self.make_messages(len(expected) + 1)
        codes = {m.uuid: code for m, code in zip(messages, expected, strict=False)}
        self.record(messages, lambda request: accept(request, **codes))
        self.assertEqual(messages.mapped("state"), ["failed"] * len(expected) + ["sent"])
        self.assertEqual(messages[:-1].mapped("failure_type"), list(expected.values()))
        self.assertEqual(messages[0].failure_code, "2106")
        self.assertEqual(messages[0].failure_reason, "In words")

    def test_a_code_that_proves_nothing(self):
        """P2: a code that does not prove a refusal is no reason to repeat the text."""
        for code, state in dict.fromkeys((1, 3, 4, 99), "unknown").items():
            message = self.make_messages()
            self.record(message, lambda r, c=code: accept(r, **{r.uuids[0]: c}))
            self.assertEqual(message.state, state, code)

    # === REPORTS === #

    def test_every_result(self):
        final = {const.DELIVERED: "delivered"} | dict.fromkeys(const.TRANSIENT, "sent")
        for code in [*final, *const.FAILURES, *const.UNEXPLAINED]:
            webhook = self._make_report(refId="u", resultCode=int(code))
            (report,) = self.adapter._extract_reports(self.gateway, webhook)
            self.assertEqual(report.state, final.get(code, "failed"), code)
            self.assertEqual(bool(report.failure_type), report.state == "failed", code)

    def test_failure_with_the_operators_code(self):
        cases = {
            1002: "sms_expired",
            1006: "sms_not_delivered",
            2104: "sms_invalid_destination",
            2201: "sms_rejected",
            105: "sms_not_delivered",
        }
        for code, kind in cases.items():
            message = self.make_sent_message()
            self.receive(self._make_report(refId=message.uuid, resultCode=code))
            self.work()
            failure = (message.failure_type, message.failure_code, message.failure_reason)
            self.assertEqual(failure, (kind, str(code), "no.telenor: 2"))

    def test_report_without_our_reference(self):
        message = self.make_sent_message()
        self.receive(self._make_report(id=message.provider_ref, refId=None))
        self.work()
        self.assertEqual(message.state, "delivered")

    def test_unknown_result_is_parked(self):
        """It may be a passing state: it must not make a text failed for good."""
        with self.assertRaisesRegex(WebhookMalformed, "1999"):
            self.adapter._extract_reports(self.gateway, self._make_report(resultCode=1999))

    # === TEXTS === #

    def test_short_number_with_its_country(self):
        """LINK writes NO-2333 for the short number 2333; the answer finds its sender."""
        self.sender.write({"kind": "short", "address": "2333"})
        self.receive(self._make_webhook("inbound", TEXT))
        self.work()
        message = self.get_received()
        self.assertEqual((message.number, message.body), ("+4741560067", "Bclt hello"))
        self.assertEqual(message.sender_id, self.sender)

    def test_moment(self):
        (text,) = self.adapter._extract_inbound(self.gateway, self._make_webhook("inbound", TEXT))
        self.assertEqual(text.sent_at.isoformat(), "2015-11-12T09:25:38")

    def test_binary_text_is_parked(self):
        content = {**TEXT["content"], "encoding": "BINARY"}
        webhook = self._make_webhook("inbound", {**TEXT, "content": content})
        with self.assertRaisesRegex(WebhookMalformed, "binary"):
            self.adapter._extract_inbound(self.gateway, webhook)

    # === ACCOUNT === #

    def test_connection_is_tried_without_a_text(self):
        request = self.adapter._prepare_test_request(self.gateway)
        self.assertEqual(request.json, {"sendRequestMessages": []})

    def test_wrong_password_is_told_in_words(self):
        _ok, words = self.adapter._parse_test_response(self.gateway, answer(401, UNAUTHORISED))
        self.assertIn("Authentication failed", words)
        self.assertIn("user and password", words)
