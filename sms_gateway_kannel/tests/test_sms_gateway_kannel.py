import dataclasses
import re
from urllib.parse import parse_qsl, quote, urlencode

from odoo.tests import TransactionCase, tagged

from odoo.addons.sms_gateway.engine.contract import (
    InboundText,
    Response,
    Webhook,
    WebhookMalformed,
    parse_pairs,
)
from odoo.addons.sms_gateway.tests.contract import AdapterContract

from .. import const

#: Words that Kannel 1.4.5 answered with, recorded.
ACCEPTED = Response(202, {}, b"0: Accepted for delivery")
QUEUED = Response(202, {}, b"3: Queued for later delivery")
UNAUTHORISED = Response(403, {}, b"Authorization failed for sendsms")
NO_RECEIVER = Response(400, {}, b"Empty receiver number not allowed, rejected")
BUSY = Response(503, {}, b"Temporal failure, try again later.")

#: Type and answer of a report by the state it tells.
REPORTS = {"sent": ("8", "ACK/"), "delivered": ("1", ""), "failed": ("2", "")}


@tagged("post_install", "-at_install")
class TestSmsGatewayKannel(AdapterContract, TransactionCase):
    code = "kannel"
    gateway_values = {
        "kannel_url": "http://kannel.example.com:13013/cgi-bin/sendsms",
        "kannel_username": "odoo",
        "kannel_password": "hemligt & lösen",
        "kannel_smsc": "operator",
    }
    credentials = ("kannel_username", "kannel_password")

    # === CONTRACT === #

    def make_accepted(self, request):
        return ACCEPTED

    def make_refusals(self, request):
        denied = b"Number(s) has/have been denied by white- and/or black-lists."
        return [
            (UNAUTHORISED, "sms_configuration"),
            (Response(403, {}, b"Not routable. Do not try again."), "sms_configuration"),
            (NO_RECEIVER, "sms_invalid_destination"),
            (Response(400, {}, denied), "sms_not_allowed"),
            (Response(400, {}, b"Sender missing and no global set, rejected"), "sms_sender"),
            (Response(400, {}, b"UDH field is too long, rejected"), "sms_configuration"),
            (Response(404, {}, b"<html>"), "sms_configuration"),
            (Response(302, {"Location": "/login"}, b"moved"), "sms_configuration"),
        ]

    def make_throttled(self, request):
        return [BUSY]

    def make_garbage(self, request):
        others = [Response(202, {}, b""), Response(202, {}, b"<html>"), Response(504, {}, b"")]
        return [*super().make_garbage(request), *others]

    def make_test_answers(self):
        login = Response(200, {}, b"<html>Log in</html>")
        return [(NO_RECEIVER, True), (UNAUTHORISED, False), (ACCEPTED, False), (login, False)]

    def make_inbound(self, number, address, body, reference):
        pairs = {
            "from": number,
            "to": address,
            "text": body,
            "id": reference,
            "time": "1795361508",
            "coding": "0",
            "charset": "UTF-8",
        }
        return self._make_webhook("inbound", urlencode(pairs))

    def make_report(self, message, state):
        """Kannel calls the address that it was given with the text, its escapes filled in."""
        request = self.adapter._prepare_requests(self.gateway, message)[0]
        kind, answer = REPORTS[state]
        return self._fill_report(request, kind, answer)

    def make_forgeries(self, webhook):
        values = {"allowed_ips": "192.0.2.7, 10.0.0.0/8"}
        others = ("", "192.0.2.8", "2001:db8::1", "::ffff:11.1.2.3", "not an address")
        elsewhere = [(values, dataclasses.replace(webhook, remote_addr=ip)) for ip in others]
        return [*elsewhere, *self.make_unsigned_forgeries(webhook)]

    def _make_webhook(self, kind, query):
        return Webhook(
            kind,
            "GET",
            f"{self.gateway._get_webhook_url(kind)}?{query}",
            query=tuple(parse_pairs(query)),
            headers={"user-agent": "Kannel/1.4.5"},
            remote_addr="192.0.2.7",
        )

    def _fill_report(self, request, kind, answer="", reference="1001"):
        """The call that Kannel makes of the ``dlr-url`` of a request."""
        filled = fill_escapes(request, d=kind, F=reference, A=answer)
        return self._make_webhook("status", filled.partition("?")[2])

    def _report(self, message, kind, answer=""):
        """Let Kannel report on a text; return the text."""
        request = self.adapter._prepare_requests(self.gateway, message)[0]
        self.receive(self._fill_report(request, kind, answer))
        self.work()
        return message

    # === REQUEST === #

    def test_request_as_kannel_wants_it(self):
        """A post of the text alone; all else is in Kannel's headers, in UTF-8."""
        message = self.make_messages(body="Hej å & €")
        wire = self.prepare(self.adapter._prepare_requests(self.gateway, message)[0])
        headers = {k: v.encode("latin-1").decode() for k, v in wire.headers.items()}
        self.assertEqual(wire.url, self.gateway.kannel_url)
        self.assertEqual(wire.body, "Hej å & €".encode())
        self.assertEqual(headers["Content-Type"], "text/plain; charset=UTF-8")
        self.assertEqual(headers["X-Kannel-Username"], "odoo")
        self.assertEqual(headers["X-Kannel-Password"], "hemligt & lösen")
        self.assertEqual(headers["X-Kannel-From"], self.sender.address)
        self.assertEqual(headers["X-Kannel-To"], "+46701234567")
        self.assertEqual(headers["X-Kannel-SMSC"], "operator")
        self.assertEqual(headers["X-Kannel-Coding"], "0")
        self.assertEqual(headers["X-Kannel-DLR-Mask"], "31")

    def test_alphabet_follows_the_text(self):
        message = self.make_messages(body="Zażółć 😀")
        request = self.adapter._prepare_requests(self.gateway, message)[0]
        self.assertEqual(request.headers["X-Kannel-Coding"], "2")

    def test_no_carrier_chosen(self):
        """Without a carrier Kannel is asked for none."""
        self.gateway.kannel_smsc = False
        request = self.adapter._prepare_requests(self.gateway, self.make_messages())[0]
        self.assertNotIn("X-Kannel-SMSC", request.headers)

    def test_report_address_survives_kannel(self):
        """Percent signs of our own address are none of Kannel's escapes."""
        self.env["ir.config_parameter"].set_param("web.base.url", "https://example.com/%d0%b0")
        message = self.make_messages()
        request = self.adapter._prepare_requests(self.gateway, message)[0]
        filled = fill_escapes(request, d="8", F="1001", A="ACK/ & more")
        address, _, query = filled.partition("?")
        self.assertIn("/%d0%b0/sms/gateway/", address)
        self.assertEqual(address, self.gateway.status_url)
        self.assertEqual(
            dict(parse_qsl(query)),
            {"uuid": message.uuid, "type": "8", "answer": "ACK/ & more", "ref": "1001"},
        )

    def test_queued_by_kannel_is_sent(self):
        """The carrier is away, Kannel has the text."""
        message = self.make_messages()
        self.record(message, QUEUED)
        self.assertEqual(message.state, "sent")

    # === TEXTS === #

    def test_numbers_become_international(self):
        """Carriers write numbers in four ways; what is no number stays as it is."""
        numbers = {
            "+46701234567": "+46701234567",
            "0046701234567": "+46701234567",
            "46701234567": "+46701234567",
            "0701234567": "+46701234567",
            "MyBank": "MyBank",
            "72100": "72100",
        }
        for number, expected in numbers.items():
            webhook = self.make_inbound(number, "12345", "Yes", "REF")
            (text,) = self.adapter._extract_inbound(self.gateway, webhook)
            self.assertEqual(text.number, expected)

    def test_numbers_without_a_country(self):
        """A company without country still reads what is international."""
        self.company.country_id = False
        for number in ("+46701234567", "0046701234567", "46701234567"):
            webhook = self.make_inbound(number, "12345", "Yes", "REF")
            (text,) = self.adapter._extract_inbound(self.gateway, webhook)
            self.assertEqual(text.number, "+46701234567")

    def test_charset_without_mo_recode(self):
        """Kannel that does not recode tells the charset, and texts are read all the same."""
        query = urlencode({"from": "+46701234567", "to": "12345", "id": "REF"})
        text = quote("Zażółć 😀".encode("utf-16-be"))
        webhook = self._make_webhook("inbound", f"{query}&charset=UTF-16BE&text={text}")
        (read,) = self.adapter._extract_inbound(self.gateway, webhook)
        self.assertEqual(read.body, "Zażółć 😀")

    def test_time_is_utc(self):
        webhook = self.make_default_inbound()
        (text,) = self.adapter._extract_inbound(self.gateway, webhook)
        self.assertIsInstance(text, InboundText)
        self.assertEqual(text.sent_at.isoformat(), "2026-11-22T15:31:48")

    def test_incomplete_get_url_is_told(self):
        """An administrator who cut the address short reads what is missing."""
        webhook = self._make_webhook("inbound", "from=%2B46701234567&text=Yes&id=")
        with self.assertRaisesRegex(WebhookMalformed, "to, id"):
            self.adapter._extract_inbound(self.gateway, webhook)

    # === REPORTS === #

    def test_every_type_of_report(self):
        states = {"1": "delivered", "2": "failed", "4": "sent", "8": "sent", "16": "failed"}
        self.assertEqual(states.keys(), const.REPORT_STATES.keys())
        for kind, state in states.items():
            message = self.make_messages()  # nobody has recorded Kannel's answer yet
            self.assertEqual(self._report(message, kind).state, state, kind)

    def test_failures_in_the_carriers_words(self):
        """SMPP status, SMPP receipt or plain words become a type, a code and a reason."""
        receipt = "id:1 sub:001 dlvrd:000 submit date:2611221532 done date:2611221532 "
        cases = {
            ("16", "NACK/0x0000000b/Invalid Destination Address"): (
                "sms_invalid_destination",
                "0x0000000b",
                "Invalid Destination Address",
            ),
            ("16", "NACK/0x0000000a/Invalid Source Address"): (
                "sms_sender",
                "0x0000000a",
                "Invalid Source Address",
            ),
            ("16", "NACK/0x000000fe/Vendor"): ("sms_rejected", "0x000000fe", "Vendor"),
            ("16", "NACK/No credit"): ("sms_rejected", False, "No credit"),
            ("16", ""): ("sms_rejected", False, False),
            ("2", f"{receipt}stat:UNDELIV err:001 text:x"): ("sms_not_delivered", "001", "UNDELIV"),
            ("2", f"{receipt}stat:EXPIRED err:002 text:x"): ("sms_expired", "002", "EXPIRED"),
            ("2", f"{receipt}stat:REJECTD err:00A text:x"): ("sms_rejected", "00A", "REJECTD"),
            ("2", f"{receipt}stat:UNKNOWN text:x"): ("sms_not_delivered", False, "UNKNOWN"),
            ("2", "Absent subscriber"): ("sms_not_delivered", False, "Absent subscriber"),
        }
        for told, expected in cases.items():
            message = self._report(self.make_sent_message(), *told)
            failure = (message.failure_type, message.failure_code, message.failure_reason)
            self.assertEqual(failure, expected)

    def test_carriers_id_is_kept(self):
        """Kannel's answer names no message; the carrier's own id comes with the report."""
        message = self._report(self.make_sent_message(), "8", "ACK/")
        self.assertEqual(message.provider_ref, "1001")

    # === SET-UP === #

    def test_get_url_is_ready_to_paste(self):
        address, _, query = self.gateway.kannel_get_url.partition("?")
        self.assertEqual(address, self.gateway.inbound_url)
        self.assertEqual(query, const.INBOUND_QUERY)


def fill_escapes(request, **values):
    """What Kannel makes of the address for reports: escapes filled in, each URL-encoded."""

    def fill(match):
        return "%" if match[1] == "%" else quote(values.get(match[1], match[0]), safe="")

    return re.sub("%(.)", fill, request.headers["X-Kannel-DLR-Url"])
