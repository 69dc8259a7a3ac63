import json

from odoo.tests import TransactionCase, tagged

from odoo.addons.sms_gateway.engine.contract import Response, Webhook, WebhookMalformed
from odoo.addons.sms_gateway.tests.contract import AdapterContract

from .. import const

#: Payloads as in Infobip's documentation and the models of its Python library 6.0.0.
PENDING = {"groupId": 1, "groupName": "PENDING", "id": 26, "name": "PENDING_ACCEPTED"}
UNAUTHORISED = {
    "requestError": {
        "serviceException": {"messageId": "UNAUTHORIZED", "text": "Invalid login details"}
    }
}
TOO_MANY = {
    "errorCode": "E429",
    "description": "Too many requests.",
    "action": "Slow down.",
    "violations": [],
    "resources": [],
}
NO_ERROR = {"groupId": 0, "groupName": "OK", "id": 0, "name": "NO_ERROR", "permanent": False}
REPORT = {
    "bulkId": "BULK-ID-123-xyz",
    "price": {"pricePerMessage": 0.05, "currency": "EUR"},
    "status": {
        "groupId": 3,
        "groupName": "DELIVERED",
        "id": 5,
        "name": "DELIVERED_TO_HANDSET",
        "description": "Message delivered to handset",
    },
    "error": {**NO_ERROR, "description": "No Error"},
    "messageId": "MESSAGE-ID-123-xyz",
    "to": "46701234567",
    "sentAt": "2019-11-09T16:00:00.000+0000",
    "doneAt": "2019-11-09T16:00:00.000+0000",
    "messageCount": 2,
    "mccMnc": "24007",
}
UNKNOWN_SUBSCRIBER = {
    "groupId": 1,
    "groupName": "HANDSET_ERRORS",
    "id": 1,
    "name": "EC_UNKNOWN_SUBSCRIBER",
    "description": "Unknown Subscriber",
    "permanent": True,
}
UNDELIVERABLE = {"groupId": 2, "groupName": "UNDELIVERABLE", "id": 9}
STATUSES = {
    "sent": (PENDING, NO_ERROR),
    "delivered": (REPORT["status"], REPORT["error"]),
    "failed": (UNDELIVERABLE, UNKNOWN_SUBSCRIBER),
}


def answer(status, body, headers=None):
    return Response(status, headers or {}, json.dumps(body).encode())


def accept(request, **statuses):
    """All are taken, but those of which another status is given by uuid."""
    texts = [
        {
            "messageId": uuid,
            "status": statuses.get(uuid, PENDING),
            "destination": "46701234567",
            "details": {"messageCount": 2},
        }
        for uuid in request.uuids
    ]
    return answer(200, {"bulkId": "2034072219640523072", "messages": texts})


def reject(status):
    return {"groupId": 5, "groupName": "REJECTED", "id": status, "description": "In words"}


@tagged("post_install", "-at_install")
class TestSmsGatewayInfobip(AdapterContract, TransactionCase):
    code = "infobip"
    gateway_values = {
        "infobip_url": "https://abc12.api.infobip.com/",
        "infobip_key": "0123-hemlig",
    }
    credentials = ("infobip_key",)

    # === CONTRACT === #

    def make_accepted(self, request):
        return accept(request)

    def make_refusals(self, request):
        wrong = {"errorCode": "E400", "description": "Bad request", "violations": []}
        old = {"requestError": {"serviceException": {"messageId": "BAD_REQUEST", "text": "Bad"}}}
        return [
            (answer(401, UNAUTHORISED), "sms_configuration"),
            (answer(403, {"errorCode": "E403", "description": "Scope"}), "sms_configuration"),
            (answer(400, wrong), "sms_rejected"),
            (answer(400, old), "sms_rejected"),
            (self._violate(0, "destinations[0].to"), "sms_invalid_destination"),
            (self._violate(0, "sender"), "sms_sender"),
            (self._violate(0, "content.text"), "sms_rejected"),
            (Response(404, {}, b"<html>"), "sms_configuration"),
        ]

    def _violate(self, index, place):
        violation = {"property": f"messages[{index}].{place}", "violation": "is invalid"}
        return answer(400, {"errorCode": "E400", "description": "Bad", "violations": [violation]})

    def make_throttled(self, request):
        return [answer(429, TOO_MANY), Response(429, {"Retry-After": "30"}, b"")]

    def make_garbage(self, request):
        odd = [{"messages": [1, None]}, {"messages": [{"messageId": ["x"]}]}, {"messages": []}]
        return [*super().make_garbage(request), *(answer(200, body) for body in odd)]

    def make_test_answers(self):
        page = Response(200, {}, b"<html>Log in</html>")
        wrong = [answer(401, UNAUTHORISED), answer(403, TOO_MANY), page, answer(200, [])]
        good = answer(200, {"balance": 47.79134, "currency": "EUR"})
        return [(good, True), *((told, False) for told in wrong)]

    def make_inbound(self, number, address, body, reference):
        text = {
            "messageId": reference,
            "from": number.lstrip("+"),
            "to": address.lstrip("+"),
            "text": body,
            "cleanText": body,
            "keyword": "",
            "receivedAt": "2016-10-06T09:28:39.220+0000",
            "smsCount": 1,
            "price": {"pricePerMessage": 0, "currency": "EUR"},
            "callbackData": "callbackData",
        }
        return self._make_webhook("inbound", [text])

    def make_report(self, message, state):
        return self._make_reports(self._report(message, *STATUSES[state]))

    def make_forgeries(self, webhook):
        return self.make_unsigned_forgeries(webhook)

    def _make_webhook(self, kind, results):
        body = {"results": results, "messageCount": len(results), "pendingMessageCount": 0}
        return Webhook(
            kind,
            "POST",
            self.gateway._get_webhook_url(kind),
            headers={"content-type": "application/json"},
            body=json.dumps(body).encode(),
        )

    def _make_reports(self, *reports):
        return self._make_webhook("status", list(reports))

    def _report(self, message, status, error=None):
        values = {"messageId": message.uuid, "status": status, "error": error or NO_ERROR}
        return {**REPORT, **values}

    # === REQUEST === #

    def test_request_as_infobip_wants_it(self):
        """Each text with our id, and with the address for its reports."""
        message = self.make_messages(body="Hej å & €")
        (request,) = self.adapter._prepare_requests(self.gateway, message)
        wire = self.prepare(request)
        self.assertEqual(wire.url, "https://abc12.api.infobip.com/sms/3/messages")
        self.assertEqual(wire.headers["Authorization"], "App 0123-hemlig")
        (text,) = json.loads(wire.body)["messages"]
        self.assertEqual(text["sender"], "46700000001")
        self.assertEqual(text["destinations"], [{"to": "46701234567", "messageId": message.uuid}])
        self.assertEqual(text["content"], {"text": "Hej å & €"})
        self.assertEqual(text["webhooks"]["delivery"]["url"], self.gateway.status_url)
        self.assertEqual(text["webhooks"]["contentType"], "application/json")

    def test_name_as_sender(self):
        self.sender.write({"inbound_enabled": False, "kind": "text", "address": "My Bank"})
        (request,) = self.adapter._prepare_requests(self.gateway, self.make_messages())
        self.assertEqual(request.json["messages"][0]["sender"], "My Bank")

    def test_different_texts_go_together(self):
        """A hundred in one request, whatever they say."""
        messages = self.make_messages(149) + self.make_messages(1, "Other", "+46709999999")
        requests = self.adapter._prepare_requests(self.gateway, messages)
        self.assertEqual([len(request.uuids) for request in requests], [100, 50])

    def test_password_of_the_calls_goes_along(self):
        """Infobip signs nothing; the password it must name stands in the address for reports."""
        self.gateway.write({"webhook_username": "odoo", "webhook_password": "p:w"})
        (request,) = self.adapter._prepare_requests(self.gateway, self.make_messages())
        address = request.json["messages"][0]["webhooks"]["delivery"]["url"]
        self.assertIn("://odoo:p%3Aw@", address)

    # === ANSWER === #

    def test_segments_are_kept(self):
        message = self.make_sent_message()
        self.assertEqual((message.segments, message.provider_ref), (2, message.uuid))

    def test_each_text_has_its_own_fate(self):
        """Of several in one request some are refused; each says why in Infobip's words."""
        expected = {6: "sms_country_not_supported", 8: "sms_invalid_destination", 12: "sms_credit"}
        expected |= {11: "sms_sender", 25: "sms_too_long", 24: "sms_rejected"}
        expected |= {14: "sms_not_allowed"}  # who blocked it is not told: no opt-out for good
        messages = self.make_messages(len(expected) + 1)
        statuses = {
            message.uuid: reject(status)
            for message, status in zip(messages, expected, strict=False)
        }
        self.record(messages, lambda request: accept(request, **statuses))
        self.assertEqual(messages.mapped("state"), ["failed"] * len(expected) + ["sent"])
        self.assertEqual(messages[:-1].mapped("failure_type"), list(expected.values()))
        self.assertEqual((messages[0].failure_code, messages[0].failure_reason), ("6", "In words"))

    def test_rejected_for_the_moment(self):
        """Flooding and an error at Infobip pass by: certainly not taken, tried again."""
        for status in (20, 21):
            message = self.make_messages()
            self.record(message, lambda r, s=status: accept(r, **{r.uuids[0]: reject(s)}))
            self.assertEqual(message.state, "queued", status)

    def test_known_id_is_no_proof(self):
        """P2: Infobip knows our id, but not whether that text went: unknown, not sent again."""
        message = self.make_messages()
        self.record(message, lambda r: accept(r, **{r.uuids[0]: reject(23)}))
        self.assertEqual(message.state, "unknown")

    def test_status_without_a_group(self):
        message = self.make_messages()
        self.record(message, lambda r: accept(r, **{r.uuids[0]: {"id": 99}}))
        self.assertEqual(message.state, "unknown")

    def test_one_wrong_text_spares_the_others(self):
        """Infobip refuses the whole request: the wrong one fails, the others are tried again."""
        messages = self.make_messages(3)
        self.record(messages, self._violate(1, "destinations[0].to"))
        self.assertEqual(messages.mapped("state"), ["queued", "failed", "queued"])
        self.assertEqual(messages[1].failure_reason, "messages[1].destinations[0].to: is invalid")

    def test_violation_of_nobody(self):
        """A violation that names no text of ours is one of the whole request."""
        for place in ("options.schedule", "messages[7].sender"):
            messages = self.make_messages(2)
            violation = [{"property": place, "violation": "x"}, None, {"property": ["x"]}]
            self.record(messages, answer(400, {"errorCode": "E400", "violations": violation}))
            self.assertEqual(set(messages.mapped("failure_type")), {"sms_rejected"})
            self.assertEqual(messages[0].failure_code, "E400")

    # === REPORTS === #

    def test_hundred_reports_in_one_call(self):
        messages = self.make_messages(100)
        self.record(messages, self.make_accepted)
        webhook = self._make_reports(
            *(self._report(message, REPORT["status"]) for message in messages)
        )
        self.assertEqual(self.receive(webhook), self.reply)
        self.work()
        self.assertEqual(set(messages.mapped("state")), {"delivered"})

    def test_cost_is_kept(self):
        """The price is of one part; the text has two."""
        message = self.make_sent_message()
        self.receive(self.make_report(message, "delivered"))
        self.work()
        self.assertEqual((message.cost, message.currency_id.name), (0.1, "EUR"))

    def test_at_the_operator_is_not_delivered(self):
        """Its group says DELIVERED, but the customer has not got it."""
        message = self.make_sent_message()
        status = {**REPORT["status"], "id": 2, "name": "DELIVERED_TO_OPERATOR"}
        self.receive(self._make_reports(self._report(message, status)))
        self.work()
        self.assertEqual(message.state, "sent")

    def test_every_group(self):
        message = self.make_messages()
        for group, state in const.STATES.items():
            webhook = self._make_reports(self._report(message, {"groupName": group, "id": 99}))
            (report,) = self.adapter._extract_reports(self.gateway, webhook)
            self.assertEqual(report.state, state, group)
            self.assertEqual(report.failure_type, const.GROUPS.get(group))

    def test_failures_in_infobips_words(self):
        barred = {**UNKNOWN_SUBSCRIBER, "id": 13, "name": "EC_CALL_BARRED", "description": None}
        expired = {"groupName": "EXPIRED", "id": 15, "name": "EXPIRED_EXPIRED"}
        cases = [
            (
                UNDELIVERABLE,
                UNKNOWN_SUBSCRIBER,
                "sms_invalid_destination",
                "1",
                "Unknown Subscriber",
            ),
            (UNDELIVERABLE, barred, "sms_not_delivered", "13", "EC_CALL_BARRED"),
            (expired, NO_ERROR, "sms_expired", "15", "EXPIRED_EXPIRED"),
            (reject(19), NO_ERROR, "sms_configuration", "19", "In words"),
            (reject(77), NO_ERROR, "sms_rejected", "77", "In words"),
            (reject(10), NO_ERROR, "sms_blacklist", "10", "In words"),
        ]
        for status, error, *expected in cases:
            message = self.make_sent_message()
            self.receive(self._make_reports(self._report(message, status, error)))
            self.work()
            failure = [message.failure_type, message.failure_code, message.failure_reason]
            self.assertEqual(failure, expected)

    def test_unknown_group_is_parked(self):
        webhook = self._make_reports({**REPORT, "status": {"groupName": "SEEN"}})
        with self.assertRaisesRegex(WebhookMalformed, "SEEN"):
            self.adapter._extract_reports(self.gateway, webhook)

    # === TEXTS === #

    def test_several_texts_in_one_call(self):
        calls = [self.make_default_inbound(body, body) for body in ("One", "Two")]
        results = [call.json()["results"][0] for call in calls]
        self.receive(self._make_webhook("inbound", results))
        self.work()
        self.assertEqual(self.get_received().mapped("body"), ["One", "Two"])

    def test_moment_and_number(self):
        (text,) = self.adapter._extract_inbound(self.gateway, self.make_default_inbound())
        self.assertEqual((text.number, text.address), ("+46701234567", "46700000001"))
        self.assertEqual(text.sent_at.isoformat(), "2016-10-06T09:28:39")

    # === ACCOUNT === #

    def test_balance(self):
        request = self.adapter._prepare_balance_request(self.gateway)
        self.assertEqual(
            self.prepare(request).url, "https://abc12.api.infobip.com/account/1/balance"
        )
        told = answer(200, {"balance": 47.79134, "currency": "EUR"})
        self.assertEqual(self.adapter._parse_balance(self.gateway, told), (47.79134, "EUR"))
        self.assertIsNone(self.adapter._parse_balance(self.gateway, answer(401, UNAUTHORISED)))

    def test_wrong_key_is_told_in_words(self):
        _ok, words = self.adapter._parse_test_response(self.gateway, answer(401, UNAUTHORISED))
        self.assertIn("Invalid login details", words)
        self.assertIn("Infobip API key", words)
