import json
from unittest.mock import Mock, patch
from urllib.parse import urlencode

import ovh

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

SERVICE = "sms-ab12345-1"
#: OVHcloud's own example of an answer.
TAKEN = {"ids": [26929925], "validReceivers": [], "invalidReceivers": [], "totalCreditsRemoved": 1}
#: ``ptt``, ``description`` and ``descriptionDlr`` of a report by the state it tells.
REPORTS = {
    "sent": ("3", "8", "Message accepted by the operator"),
    "delivered": ("4", "1", "Message delivered"),
    "failed": ("5", "2", "Message undelivered"),
}
ACCOUNT = {"name": SERVICE, "creditsLeft": 85.95, "status": "enable"}


def make_answer(values, status=200):
    return Response(status, {}, json.dumps(values).encode())


def make_error(status, code, words):
    error = {"errorCode": code, "httpCode": f"{status} Error", "message": words}
    return make_answer({**error, "class": "Client::Error", "queryId": "EU.ext-1"}, status)


@tagged("post_install", "-at_install")
class TestSmsGatewayOvh(AdapterContract, TransactionCase):
    code = "ovh"
    gateway_values = {
        "ovh_application_key": "application-key",
        "ovh_application_secret": "applicati0n secret",
        "ovh_consumer_key": "consumer-key",
        "ovh_service_name": SERVICE,
    }
    credentials = ("ovh_application_key", "ovh_application_secret", "ovh_consumer_key")

    # === CONTRACT === #

    def make_accepted(self, request):
        """Each text has an id of its own, for reports name it by nothing else."""
        return make_answer({**TAKEN, "ids": [int(request.uuids[0][:12], 16)]})

    def make_refusals(self, request):
        invalid = {**TAKEN, "ids": [], "invalidReceivers": ["+46701234567"]}
        return [
            (make_answer(invalid), "sms_invalid_destination"),
            (make_error(403, "INVALID_CREDENTIAL", "not valid"), "sms_configuration"),
            (make_error(403, "NOT_GRANTED_CALL", "not granted"), "sms_configuration"),
            (make_error(400, "QUERY_TIME_OUT", "Query out of time"), "sms_configuration"),
            (make_error(404, None, "This service does not exist"), "sms_configuration"),
            (make_error(460, None, "This service is expired"), "sms_configuration"),
            (make_error(400, None, "Not enough credits"), "sms_credit"),
            (make_error(400, None, "Sender Acme does not exist"), "sms_sender"),
            (make_error(400, None, "Invalid receiver"), "sms_invalid_destination"),
            (make_error(400, None, "Message is empty"), "sms_rejected"),
            (Response(400, {}, b"<html>"), "sms_rejected"),
        ]

    def make_throttled(self, request):
        return [make_error(429, None, "Too many requests")]

    def make_garbage(self, request):
        others = [make_answer({**TAKEN, "ids": []}), make_answer({**TAKEN, "ids": [None]})]
        odd = make_answer({"ids": [], "invalidReceivers": {}}), make_error(500, None, "Internal")
        return [*super().make_garbage(request), *others, *odd]

    def make_test_answers(self):
        return [
            (make_answer(ACCOUNT), True),
            (make_error(403, "INVALID_KEY", "Invalid key"), False),
            (Response(200, {}, b"<html>Log in</html>"), False),
        ]

    def make_inbound(self, number, address, body, reference):
        """As a handler in production reads it; the customer answered a text with our tag."""
        told = {"shortcode": "36105", "tag": f"odoo-{address}", "id": reference}
        return self._make_webhook("inbound", {**told, "senderid": number, "message": body})

    def make_report(self, message, state):
        return self._make_report(message, *REPORTS[state])

    def make_forgeries(self, webhook):
        return self.make_unsigned_forgeries(webhook)

    def _make_report(self, message, ptt, description, words):
        told = {"id": message.provider_ref or "26929925", "ptt": ptt, "date": "20261122153148"}
        return self._make_webhook(
            "status", {**told, "description": description, "descriptionDlr": words}
        )

    def _make_webhook(self, kind, params, method="GET"):
        url, pairs = self.gateway._get_webhook_url(kind), tuple(parse_pairs(urlencode(params)))
        values = {"remote_addr": "192.0.2.7"}
        if method == "GET":
            return Webhook(kind, method, f"{url}?{urlencode(params)}", query=pairs, **values)
        return Webhook(kind, method, url, form=pairs, body=urlencode(params).encode(), **values)

    def _prepare_job(self, **changes):
        """The body of a request from a sender that was changed."""
        self.sender.write(changes)
        (request,) = self.adapter._prepare_requests(self.gateway, self.make_messages())
        return json.loads(request.data)

    # === REQUEST === #

    def test_request_as_ovhcloud_wants_it(self):
        message = self.make_messages(body="Hej å & €")
        (request,) = self.adapter._prepare_requests(self.gateway, message)
        self.assertEqual(request.method, "POST")
        self.assertEqual(request.url, f"https://eu.api.ovh.com/1.0/sms/{SERVICE}/jobs")
        self.assertEqual(
            json.loads(request.data),
            {
                "message": "Hej å & €",
                "receivers": ["+46701234567"],
                "charset": "UTF-8",
                "coding": "7bit",
                "noStopClause": True,
                "tag": "odoo-+46700000001",
                "sender": "+46700000001",
            },
        )

    def test_signature_is_that_of_their_library(self):
        """Keys, address, body and moment, signed as OVHcloud's own library signs them."""
        message = self.make_messages(body="Zażółć & 😀 €")
        with patch("time.time", return_value=1795361508.9):
            requests = [
                *self.adapter._prepare_requests(self.gateway, message),
                self.adapter._prepare_test_request(self.gateway),
            ]
            for request in requests:
                self._check_signature(request)

    def _check_signature(self, request):
        client = ovh.Client(
            endpoint="ovh-eu",
            application_key=self.gateway.ovh_application_key,
            application_secret=self.gateway.ovh_application_secret,
            consumer_key=self.gateway.ovh_consumer_key,
        )
        client._time_delta, client._session = 0, Mock()
        values = json.loads(request.data) if request.data else None
        client.raw_call(request.method, request.url.removeprefix(const.API), values)
        (method, url), sent = client._session.request.call_args
        wire = self.prepare(request)
        self.assertEqual((wire.method, wire.url), (method, url))
        self.assertEqual((wire.body or b"").decode(), sent["data"])
        for name in ("Application", "Consumer", "Timestamp", "Signature"):
            self.assertEqual(wire.headers[f"X-Ovh-{name}"], sent["headers"][f"X-Ovh-{name}"])
        self.assertRegex(wire.headers["X-Ovh-Signature"], r"^\$1\$[0-9a-f]{40}$")

    def test_signature_depends_on_everything(self):
        """Another secret, key, text or moment is another signature."""

        def sign():
            (request,) = self.adapter._prepare_requests(self.gateway, message)
            return request.headers["X-Ovh-Signature"]

        message = self.make_messages()
        with patch("time.time", return_value=1795361508):
            signatures = [sign()]
            for name in ("ovh_application_secret", "ovh_consumer_key", "ovh_service_name"):
                self.gateway[name] = "other"
                signatures.append(sign())
            message.body = "Other"
            signatures.append(sign())
        with patch("time.time", return_value=1795361509):
            signatures.append(sign())
        self.assertEqual(len(set(signatures)), 6)

    def test_alphabet_follows_the_text(self):
        message = self.make_messages(body="Zażółć 😀")
        (request,) = self.adapter._prepare_requests(self.gateway, message)
        self.assertEqual(json.loads(request.data)["coding"], "8bit")

    def test_senders_of_each_kind(self):
        """A short number is OVHcloud's to choose; a name and a number are ours."""
        job = self._prepare_job(kind="short", address="36105")
        self.assertTrue(job["senderForResponse"])
        self.assertNotIn("sender", job)
        job = self._prepare_job(kind="text", address="Acme", inbound_enabled=False)
        self.assertEqual(job["sender"], "Acme")
        self.assertNotIn("senderForResponse", job)
        with self.assertRaisesRegex(ValidationError, "virtual number"):
            self.sender.write({"kind": "dedicated", "address": "59000001"})

    def test_stop_clause_for_advertisement_only(self):
        """A reminder with the clause would wait for the morning."""
        self.gateway.ovh_stop_clause = True
        message = self.make_messages()
        for origin, without in (("reminder", True), ("mailing", False), ("campaign", False)):
            message.origin = origin
            job = self.adapter._prepare_job(self.gateway, message)
            self.assertEqual(job["noStopClause"], without, origin)
        self.gateway.ovh_stop_clause = False
        self.assertTrue(self.adapter._prepare_job(self.gateway, message)["noStopClause"])

    # === ANSWERS === #

    def test_answer_names_the_text(self):
        message = self.make_messages()
        self.record(message, make_answer(TAKEN))
        self.assertEqual(message.provider_ref, "26929925")

    def test_refusal_in_ovhclouds_words(self):
        message = self.make_messages()
        self.record(message, make_error(403, "NOT_GRANTED_CALL", "This call has not been granted"))
        self.assertEqual(message.failure_code, "NOT_GRANTED_CALL")
        self.assertEqual(message.failure_reason, "This call has not been granted")

    # === TEXTS === #

    def test_texts_come_by_post_too(self):
        params = {"shortcode": "36105", "senderid": "+33612345678", "id": "7", "message": "Oui é"}
        webhook = self._make_webhook("inbound", params, "POST")
        self.assertEqual(self.receive(webhook), self.reply)
        self.work()
        self.assertEqual(self.get_received().body, "Oui é")
        self.assertEqual(self.get_received().number, "+33612345678")

    def test_answer_to_whom(self):
        """By our tag, for the short number is shared; without ours by the number."""
        cases = {
            ("odoo-+46700000001", "36105"): "+46700000001",
            ("odoo-36999", "36105"): "36999",
            ("somebody else's", "36105"): "36105",
            ("", "36105"): "36105",
        }
        for (tag, shortcode), address in cases.items():
            params = {"tag": tag, "shortcode": shortcode, "senderid": "+46701234567", "id": "7"}
            webhook = self._make_webhook("inbound", params)
            (text,) = self.adapter._extract_inbound(self.gateway, webhook)
            self.assertEqual(text.address, address)

    # === REPORTS === #

    def test_every_state_of_a_report(self):
        """By its ptt; where that says nothing by its description."""
        cases = {
            ("1", "8"): "sent",
            ("2", "4"): "sent",
            ("3", "8"): "sent",
            ("4", "1"): "delivered",
            ("4", "0"): "delivered",
            ("0", "1"): "delivered",
            ("0", "0"): "sent",
            ("0", "16"): "failed",
            ("24", "8"): "sent",
            ("24", "2"): "failed",
            ("24", ""): "failed",
        }
        for (ptt, description), state in cases.items():
            message = self.make_sent_message()
            self.receive(self._make_report(message, ptt, description, "words"))
            self.work()
            self.assertEqual(message.state, state, (ptt, description))

    def test_failed_report_says_why(self):
        cases = {"8": "sms_expired", "28": "sms_rejected", "999": "sms_not_delivered"}
        for ptt, failure_type in cases.items():
            message = self.make_sent_message()
            self.receive(self._make_report(message, ptt, "2", "in their words"))
            self.work()
            failure = (message.failure_type, message.failure_code, message.failure_reason)
            self.assertEqual(failure, (failure_type, ptt, "in their words"))

    def test_every_code_is_a_failure_type(self):
        """A code that means nothing to Odoo would stop the report of it."""
        known = dict(self.env["sms.sms"]._fields["failure_type"]._description_selection(self.env))
        for kinds in (const.FAILURES, const.WORDS, const.PTT_FAILURES):
            self.assertFalse(set(kinds.values()) - set(known))

    def test_report_without_a_state_is_parked(self):
        webhook = self._make_report(self.make_messages(), "999", "", "")
        with self.assertRaisesRegex(WebhookMalformed, "999"):
            self.adapter._extract_reports(self.gateway, webhook)

    # === ACCOUNT === #

    def test_balance_is_in_credits(self):
        self.assertEqual(
            self.adapter._parse_balance(self.gateway, make_answer(ACCOUNT)), (85.95, None)
        )
        refused = make_error(403, "INVALID_KEY", "Invalid key")
        self.assertIsNone(self.adapter._parse_balance(self.gateway, refused))

    def test_addresses_hold_the_password(self):
        """OVHcloud signs nothing: what proves its calls is pasted there with the address."""
        self.gateway.write({"webhook_username": "odoo", "webhook_password": "p@ss"})
        for address in (self.gateway.inbound_url, self.gateway.status_url):
            self.assertRegex(address, "^https?://odoo:p%40ss@")
