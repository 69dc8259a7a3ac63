import json
from urllib.parse import urlencode

from odoo.tests import TransactionCase, tagged

from odoo.addons.sms_gateway.engine.contract import (
    Response,
    Webhook,
    WebhookMalformed,
    parse_pairs,
)
from odoo.addons.sms_gateway.engine.transport import NoAnswer
from odoo.addons.sms_gateway.tests.contract import AdapterContract

from .. import const

#: Answers as in SMSAPI's documentation and in the fixtures of its Python library 2.9.7.
UNAUTHORISED = (401, {"error": 101, "message": "Authorization failed"})
BALANCE = {"points": 100.5, "proCount": 606, "ecoCount": 1428, "mmsCount": 333}
#: A report that SMSAPI sent, recorded by a user of it.
REPORT = {
    "MsgId": "5B2E8B4C3439313E6C6A1A4C",
    "status": "404",
    "status_name": "DELIVERED",
    "idx": "",
    "points": "0.16",
    "to": "46701234567",
    "from": "Test",
    "sent_at": "1529777996",
    "donedate": "1529778001",
    "username": "odoo",
    "mcc": "240",
    "mnc": "7",
}
STATUSES = {
    "sent": ("403", "SENT"),
    "delivered": ("404", "DELIVERED"),
    "failed": ("405", "UNDELIVERED"),
}


def answer(status, body, headers=None):
    return Response(status, headers or {}, json.dumps(body).encode())


def refuse(code, words="In SMSAPI's words"):
    """Errors of a request come with HTTP 200."""
    return answer(200, {"error": code, "message": words, "invalid_numbers": None})


def accept(request, **invalid):
    """All of a request are taken but those whose number is invalid."""
    numbers = request.data["to"].split(",")
    taken = [
        {
            "id": f"ID{uuid}",
            "points": 0.16,
            "number": number,
            "date_sent": 1529777996,
            "submitted_number": number,
            "status": "QUEUE",
            "idx": uuid,
            "error": None,
        }
        for uuid, number in zip(request.uuids, numbers, strict=True)
        if number not in invalid
    ]
    refused = [
        {"number": number, "submitted_number": number, "message": words}
        for number, words in invalid.items()
    ]
    body = {"count": len(taken), "list": taken, "invalid_numbers": refused, "parts": 2}
    return answer(200, {**body, "message": request.data["message"], "length": 170})


@tagged("post_install", "-at_install")
class TestSmsGatewaySmsapi(AdapterContract, TransactionCase):
    code = "smsapi"
    gateway_values = {"smsapi_token": "Ab12 & hemligt", "smsapi_service": "smsapi.pl"}
    credentials = ("smsapi_token",)
    reply = (200, b"OK")

    # === CONTRACT === #

    def make_accepted(self, request):
        return accept(request)

    def make_refusals(self, request):
        return [
            (refuse(11), "sms_too_long"),
            (refuse(13, "No correct phonenumbers"), "sms_invalid_destination"),
            (refuse(14), "sms_sender"),
            (refuse(103), "sms_credit"),
            (refuse(105), "sms_configuration"),
            (refuse(112), "sms_country_not_supported"),
            (refuse(8), "sms_rejected"),
            (answer(*UNAUTHORISED), "sms_configuration"),
            (Response(403, {}, b"Forbidden"), "sms_configuration"),
            (Response(302, {"Location": "/login"}, b"moved"), "sms_rejected"),
            (accept(request, **{request.data["to"]: "Invalid"}), "sms_invalid_destination"),
            (refuse(59), "sms_optout"),  # the last: then the number is opted out here too
        ]

    def make_throttled(self, request):
        return [
            refuse(202),
            refuse(52),
            refuse(201),
            Response(429, {"Retry-After": "5"}, b"Too many requests"),
        ]

    def make_garbage(self, request):
        odd = [{"list": None}, {"list": [1, None, {"idx": ["x"]}]}, {"error": None}, {"list": []}]
        return [*super().make_garbage(request), *(answer(200, body) for body in odd)]

    def make_test_answers(self):
        page = Response(200, {}, b"<html>Log in</html>")
        wrong = [answer(*UNAUTHORISED), refuse(105), page, answer(200, {"points": "many"})]
        return [(answer(200, BALANCE), True), *((told, False) for told in wrong)]

    def make_inbound(self, number, address, body, reference):
        pairs = {
            "sms_from": number.lstrip("+"),
            "sms_to": address.lstrip("+"),
            "sms_text": body,
            "sms_date": "1795361508",
            "username": "odoo",
            "MsgId": reference,
        }
        return self._make_webhook("inbound", pairs)

    def make_report(self, message, state):
        status, words = STATUSES[state]
        reference = message.provider_ref or REPORT["MsgId"]
        return self._make_report(
            MsgId=reference, idx=message.uuid, status=status, status_name=words
        )

    def make_forgeries(self, webhook):
        return self.make_unsigned_forgeries(webhook)

    def _make_webhook(self, kind, pairs, method="POST"):
        text = urlencode(pairs)
        where = "form" if method == "POST" else "query"
        address = self.gateway._get_webhook_url(kind)
        return Webhook(
            kind,
            method,
            address if method == "POST" else f"{address}?{text}",
            **{where: tuple(parse_pairs(text))},
            body=text.encode() if method == "POST" else b"",
        )

    def _make_report(self, method="GET", **values):
        return self._make_webhook("status", {**REPORT, **values}, method)

    def _prepare(self, messages):
        return self.adapter._prepare_requests(self.gateway, messages)

    # === REQUEST === #

    def test_request_as_smsapi_wants_it(self):
        """Numbers without plus, our uuid as idx, checked against those SMSAPI knows."""
        messages = self.make_messages(2, "Hej å & €")
        (request,) = self._prepare(messages)
        wire = self.prepare(request)
        self.assertEqual(wire.url, "https://api.smsapi.pl/sms.do")
        self.assertEqual(wire.headers["Authorization"], "Bearer Ab12 & hemligt")
        sent = dict(parse_pairs(wire.body))
        self.assertEqual(sent["to"], "46701234567,46701234568")
        self.assertEqual(sent["from"], "46700000001")
        self.assertEqual(sent["message"], "Hej å & €")
        self.assertEqual(sent["idx"], "|".join(messages.mapped("uuid")))
        self.assertEqual((sent["check_idx"], sent["format"]), ("1", "json"))
        self.assertEqual((sent["encoding"], sent["allow_duplicates"]), ("utf-8", "1"))

    def test_name_as_sender(self):
        self.sender.write({"inbound_enabled": False, "kind": "text", "address": "My Bank"})
        (request,) = self._prepare(self.make_messages())
        self.assertEqual(request.data["from"], "My Bank")

    def test_texts_of_one_body_go_together(self):
        """A campaign of 250 is three requests; another body is another request."""
        messages = self.make_messages(250) + self.make_messages(1, "Other", "+46709999999")
        sizes = sorted(len(request.uuids) for request in self._prepare(messages))
        self.assertEqual(sizes, [1, 50, 100, 100])

    def test_segments_and_reference_are_kept(self):
        message = self.make_sent_message()
        self.assertEqual(message.segments, 2)
        self.assertEqual(message.provider_ref, f"ID{message.uuid}")
        self.assertFalse(message.cost, "points are no money of a known currency")

    # === NEVER TWICE === #

    def test_lost_answer_is_found_out(self):
        """P2: the text went, its answer was lost; sent again, SMSAPI knows it: sent, once."""
        message = self.make_messages()
        self.record(message, NoAnswer("timed out"))
        self.assertEqual(message.state, "queued")
        message.state = "sending"
        self.record(message, refuse(53, "Not unique idx"))
        self.assertEqual(message.state, "sent")
        self.assertFalse(message.failure_type)
        self.receive(self.make_report(message, "delivered"))
        self.work()
        self.assertEqual((message.state, message.provider_ref), ("delivered", REPORT["MsgId"]))

    def test_what_is_tried_again_goes_alone(self):
        """P2: of a list, SMSAPI does not say which it knows; of one it does."""
        messages = self.make_messages(3)
        self.record(messages[:2], NoAnswer("timed out"))
        requests = self._prepare(messages)
        self.assertEqual(
            sorted(request.uuids for request in requests),
            sorted((uuid,) for uuid in messages.mapped("uuid")),
        )

    def test_list_refused_for_one_of_it(self):
        """One number on the blacklist fails alone, not with the others of its list."""
        for code in sorted(const.OF_ONE):
            messages = self.make_messages(3)
            self.record(messages, refuse(code))
            self.assertEqual(set(messages.mapped("state")), {"queued"}, code)
            self.assertEqual(len(self._prepare(messages)), 3)

    def test_invalid_number_in_a_list(self):
        """The others of the list were taken."""
        messages = self.make_messages(3)
        number = messages[1].number.lstrip("+")
        self.record(messages, lambda request: accept(request, **{number: "Invalid phone number"}))
        self.assertEqual(messages.mapped("state"), ["sent", "failed", "sent"])
        self.assertEqual(messages[1].failure_type, "sms_invalid_destination")
        self.assertEqual(messages[1].failure_reason, "Invalid phone number")

    def test_refused_in_a_list(self):
        """An entry of the list can be a refusal."""

        def refuse_last(request):
            body = accept(request).json()
            body["list"][-1].update(error=57, status="ERROR")
            return answer(200, body)

        messages = self.make_messages(2)
        self.record(messages, refuse_last)
        self.assertEqual(messages.mapped("state"), ["sent", "failed"])
        self.assertEqual(messages[1].failure_type, "sms_blacklist")

    def test_no_error_is_no_refusal(self):
        """A text that was taken is not shown as failed for an error that is none."""

        def take(request):
            body = accept(request).json()
            body["list"][0]["error"] = 0
            return answer(200, {**body, "error": 0})

        messages = self.make_messages(2)
        self.record(messages, take)
        self.assertEqual(messages.mapped("state"), ["sent", "sent"])

    def test_number_not_told_of(self):
        """Neither taken nor refused: unknown, never sent again by itself."""
        messages = self.make_messages(2)
        self.record(
            messages, lambda request: answer(200, {"list": accept(request).json()["list"][:1]})
        )
        self.assertEqual(messages.mapped("state"), ["sent", "unknown"])

    # === REPORTS === #

    def test_several_reports_in_one_call(self):
        """P1: SMSAPI joins them by commas; none is lost."""
        messages = self.make_messages(3)
        self.record(messages, self.make_accepted)
        webhook = self._make_report(
            MsgId=",".join(messages.mapped("provider_ref")),
            idx=",".join(messages.mapped("uuid")),
            status="404,402,403",
            status_name="DELIVERED,EXPIRED,SENT",
        )
        self.assertEqual(self.receive(webhook), self.reply)
        self.work()
        self.assertEqual(messages.mapped("state"), ["delivered", "failed", "sent"])
        self.assertEqual(
            (messages[1].failure_type, messages[1].failure_code, messages[1].failure_reason),
            ("sms_expired", "402", "EXPIRED"),
        )

    def test_report_without_idx(self):
        """By SMSAPI's own id, posted or in the address."""
        for method in ("GET", "POST"):
            message = self.make_sent_message()
            self.receive(self._make_report(method, MsgId=message.provider_ref))
            self.work()
            self.assertEqual(message.state, "delivered", method)

    def test_every_status(self):
        final = {"404": "delivered", "402": "failed", "405": "failed", "406": "failed"}
        final |= {"407": "failed", "412": "failed"}
        for status in const.REPORT_STATES:
            (report,) = self.adapter._extract_reports(
                self.gateway, self._make_report(status=status)
            )
            self.assertEqual(report.state, final.get(status, "sent"), status)
            self.assertEqual(bool(report.failure_type), report.state == "failed", status)

    def test_ids_and_statuses_that_do_not_pair(self):
        webhook = self._make_report(MsgId="A,B", status="404,404,404")
        with self.assertRaisesRegex(WebhookMalformed, "as many ids"):
            self.adapter._extract_reports(self.gateway, webhook)

    # === TEXTS === #

    def test_text_without_an_id(self):
        """Repeated, even in another form, it is one text; a minute later it is another."""
        webhook = self.make_inbound("+46701234567", self.sender.address, "Yes", "")
        pairs = dict(parse_pairs(webhook.body.decode()))
        repeated = self._make_webhook("inbound", pairs, "GET")
        later = self._make_webhook("inbound", {**pairs, "sms_date": "1795361568"})
        for call in (webhook, webhook, repeated, later):
            self.receive(call)
        self.work()
        self.assertEqual(self.get_received().mapped("body"), ["Yes", "Yes"])

    def test_moment_and_number(self):
        (text,) = self.adapter._extract_inbound(self.gateway, self.make_default_inbound())
        self.assertEqual(text.number, "+46701234567")
        self.assertEqual(text.sent_at.isoformat(), "2026-11-22T15:31:48")

    def test_text_from_nobody(self):
        with self.assertRaisesRegex(WebhookMalformed, "sms_from, sms_to"):
            self.adapter._extract_inbound(
                self.gateway, self._make_webhook("inbound", {"MsgId": "1"})
            )

    # === ACCOUNT === #

    def test_balance_in_points(self):
        request = self.adapter._prepare_balance_request(self.gateway)
        self.assertEqual(
            self.prepare(request).url,
            "https://api.smsapi.pl/user.do?credits=1&details=1&format=json",
        )
        told = self.adapter._parse_balance(self.gateway, answer(200, BALANCE))
        self.assertEqual(told, (100.5, None))
        self.assertIsNone(self.adapter._parse_balance(self.gateway, answer(*UNAUTHORISED)))

    def test_wrong_token_is_told_in_words(self):
        _ok, words = self.adapter._parse_test_response(self.gateway, answer(*UNAUTHORISED))
        self.assertIn("Authorization failed", words)
        self.assertIn("SMSAPI token", words)

    def test_addresses_to_paste_hold_the_password(self):
        """SMSAPI signs nothing; the password it may be given stands in the addresses."""
        self.gateway.write({"webhook_username": "odoo", "webhook_password": "p:w"})
        self.assertIn("://odoo:p%3Aw@", self.gateway.inbound_url)
