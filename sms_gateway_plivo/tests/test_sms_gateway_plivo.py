import dataclasses
import json
from base64 import b64encode
from urllib.parse import urlencode

from plivo.utils import validate_signature
from plivo.utils.signature_v3 import (
    construct_get_url,
    construct_post_url,
    get_signature_v3,
    validate_v3_signature,
)

from odoo.exceptions import ValidationError
from odoo.tests import TransactionCase, tagged

from odoo.addons.sms_gateway.engine.contract import (
    Response,
    Webhook,
    WebhookMalformed,
    WebhookRefused,
    parse_pairs,
)
from odoo.addons.sms_gateway.engine.proof import sign
from odoo.addons.sms_gateway.tests.contract import AdapterContract

from .. import const

AUTH_ID, TOKEN, NONCE = "MA" + "X" * 18, "t0ken & secret", "05429567804466091622"
REFERENCE = "db3ce55a-7f1d-11e1-8ea7-1231380bc196"
#: Delivery report and text as nyaruka/courier has recorded them.
REPORT = {
    "PartInfo": "1 of 1",
    "Units": "1",
    "TotalRate": "0.00350",
    "TotalAmount": "0.00350",
    "MCC": "240",
    "MNC": "01",
}
INBOUND = {"Type": "sms", "Units": "1", "TotalRate": "0.00000", "TotalAmount": "0.00000"}
ACCOUNT = {"auth_id": AUTH_ID, "cash_credits": "92.56", "name": "Acme", "account_type": "standard"}


def make_taken(*references, **more):
    answer = {"message": "message(s) queued", "message_uuid": references, "api_id": "a", **more}
    return Response(202, {}, json.dumps(answer).encode())


def make_error(status, words, headers=None):
    return Response(status, headers or {}, json.dumps({"api_id": "a", "error": words}).encode())


@tagged("post_install", "-at_install")
class TestSmsGatewayPlivo(AdapterContract, TransactionCase):
    code = "plivo"
    gateway_values = {"plivo_auth_id": AUTH_ID, "plivo_auth_token": TOKEN}
    credentials = ("plivo_auth_token",)
    verification_fields = ("plivo_auth_token",)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Plivo's library looks at the form of an address; that of tests has no dot in its host.
        cls.env["ir.config_parameter"].set_param("web.base.url", "https://odoo.example.com")

    # === CONTRACT === #

    def make_accepted(self, request):
        return make_taken(*(f"{REFERENCE}-{uuid}" for uuid in request.uuids))

    def make_refusals(self, request):
        number = request.json["dst"]
        return [
            (make_error(401, "Unauthorized"), "sms_configuration"),
            (make_error(400, "src is not valid"), "sms_rejected"),
            (make_error(400, f"{number} is not a valid phone number"), "sms_invalid_destination"),
            (make_taken(invalid_number=[number]), "sms_invalid_destination"),
            (Response(404, {}, b"<html>"), "sms_configuration"),
        ]

    def make_throttled(self, request):
        return [make_error(429, "Too many requests")]

    def make_garbage(self, request):
        odd = [make_taken(), make_taken("only one"), make_error(500, "Internal"), make_taken(1, 2)]
        return [*super().make_garbage(request), *odd, Response(202, {}, b'{"message_uuid": "x"}')]

    def make_test_answers(self):
        other = json.dumps({**ACCOUNT, "auth_id": "MA1"}).encode()
        return [
            (Response(200, {}, json.dumps(ACCOUNT).encode()), True),
            (make_error(401, "Unauthorized"), False),
            (Response(200, {}, other), False),
            (Response(200, {}, b"<html>Log in</html>"), False),
        ]

    def make_inbound(self, number, address, body, reference):
        form = {
            **INBOUND,
            "From": number.lstrip("+"),
            "To": address.lstrip("+"),
            "Text": body,
            "MessageUUID": reference,
        }
        return self._make_webhook(self.gateway._get_webhook_url("inbound"), form)

    def make_report(self, message, state):
        return self._make_report(message, state)

    def make_forgeries(self, webhook):
        """Changed in each part, or signed by somebody else; also with V2 beside the wrong V3."""
        good = webhook.headers
        bare = dataclasses.replace(webhook, headers={})
        without_v3 = {k: v for k, v in good.items() if "v3" not in k}
        wrong_v2 = {**without_v3, "x-plivo-signature-v2": "wrong"}
        other_nonce = {**good, "x-plivo-signature-v3-nonce": "1"}
        return [
            ({}, bare),
            ({}, self._sign(webhook, "other")),
            ({"plivo_auth_token": False}, self._sign(webhook, "")),
            ({}, dataclasses.replace(webhook, form=(*webhook.form, ("Extra", "1")))),
            ({}, dataclasses.replace(webhook, form=webhook.form[1:])),
            ({}, dataclasses.replace(webhook, query=(*webhook.query, ("extra", "1")))),
            ({}, dataclasses.replace(webhook, url=webhook.url.replace("/sms/", "/other/"))),
            ({}, dataclasses.replace(webhook, headers=other_nonce)),
            ({}, dataclasses.replace(webhook, headers={**good, "x-plivo-signature-v3": "å,"})),
            ({}, dataclasses.replace(webhook, headers={**good, "x-plivo-signature-v3": ""})),
            ({}, dataclasses.replace(webhook, headers=wrong_v2)),
            ({"plivo_auth_token": "renewed"}, webhook),
        ]

    def _make_report(self, message, status, **more):
        """Plivo calls the address that it was given with the text."""
        request = self.adapter._prepare_requests(self.gateway, message)[0]
        return self._make_report_to(request, message, status, **more)

    def _make_report_to(self, request, message, status, **more):
        reference = message.provider_ref or REFERENCE
        form = {
            **REPORT,
            "From": self.sender.address.lstrip("+"),
            "To": message.number.lstrip("+"),
            "MessageUUID": reference,
            "ParentMessageUUID": reference,
            "Status": status,
            "ErrorCode": "000",
            **more,
        }
        return self._make_webhook(request.json["url"], form)

    def _make_webhook(self, url, form, method="POST"):
        kind = url.partition("?")[0].rpartition("/")[2]
        query = tuple(parse_pairs(url.partition("?")[2]))
        pairs = tuple(parse_pairs(urlencode(form)))
        return self._sign(Webhook(kind, method, url, query=query, form=pairs), TOKEN)

    def _sign(self, webhook, token):
        """The call as Plivo signs it: V3 by its own library, V2 as it documents."""
        if webhook.method == "GET":
            signed = construct_get_url(webhook.url, {})
        else:
            signed = construct_post_url(webhook.url, dict(webhook.form))
        v3 = get_signature_v3(token.encode(), signed.decode(), NONCE).decode()
        v2 = b64encode(sign(token, webhook.url.partition("?")[0] + NONCE)).decode()
        headers = {
            "x-plivo-signature-v2": v2,
            "x-plivo-signature-v2-nonce": NONCE,
            "x-plivo-signature-v3": v3,
            "x-plivo-signature-v3-nonce": NONCE,
        }
        return dataclasses.replace(webhook, headers=headers)

    def _verify(self, webhook, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.adapter._verify_webhook(
            self.gateway, dataclasses.replace(webhook, headers=headers or webhook.headers)
        )

    def _parse(self, messages, answer):
        """Outcome and failure type of each text by the answer."""
        (request,) = self.adapter._prepare_requests(self.gateway, messages)
        results = self.adapter._parse_response(self.gateway, request, answer)
        by_uuid = {result.uuid: (result.outcome, result.failure_type) for result in results}
        return [by_uuid[message.uuid] for message in messages]

    # === REQUEST === #

    def test_request_as_plivo_wants_it(self):
        """Numbers without plus sign, and an address for reports that names the text."""
        message = self.make_messages(body="Hej å & €")
        wire = self.prepare(self.adapter._prepare_requests(self.gateway, message)[0])
        self.assertEqual(wire.url, f"https://api.plivo.com/v1/Account/{AUTH_ID}/Message/")
        self.assertTrue(wire.headers["Authorization"].startswith("Basic "))
        self.assertEqual(
            json.loads(wire.body),
            {
                "src": "46700000001",
                "dst": "46701234567",
                "text": "Hej å & €",
                "type": "sms",
                "url": f"{self.gateway.status_url}?46701234567={message.uuid}",
                "method": "POST",
            },
        )

    def test_equal_texts_leave_together(self):
        """A mailing of 50 equal texts is three requests; other words are another."""
        messages = self.make_messages(50) | self.make_messages(2, "Other", "+46709999990")
        prepared = self.adapter._prepare_requests(self.gateway, messages)
        self.assertEqual(sorted(len(request.uuids) for request in prepared), [2, 10, 20, 20])
        self.assertEqual({request.json["text"] for request in prepared}, {"Hello", "Other"})
        for request in prepared:
            self.assertEqual(len(request.json["dst"].split("<")), len(request.uuids))
            self.assertLess(len(request.json["url"]), 2000)

    # === ANSWERS === #

    def test_reference_of_one_text(self):
        message = self.make_messages()
        self.record(message, make_taken(REFERENCE))
        self.assertEqual(message.provider_ref, REFERENCE)

    def test_reports_of_a_batch_find_their_texts(self):
        """Plivo does not say which reference is whose: each report names the number."""
        messages = self.make_messages(3)
        (request,) = self.adapter._prepare_requests(self.gateway, messages)
        self.record(messages, self.make_accepted)
        self.assertEqual(set(messages.mapped("state")), {"sent"})
        self.assertFalse(any(messages.mapped("provider_ref")))
        for message, status in zip(messages, ("delivered", "failed", "sent"), strict=True):
            reference = f"ref{message.id}"
            told = {"MessageUUID": reference, "ParentMessageUUID": reference}
            self.receive(self._make_report_to(request, message, status, **told))
        self.work()
        self.assertEqual(messages.mapped("state"), ["delivered", "failed", "sent"])
        self.assertEqual(messages.mapped("provider_ref"), [f"ref{m.id}" for m in messages])

    def test_wrong_number_among_others(self):
        """Plivo takes the others, and says so within a success."""
        messages = self.make_messages(3)
        answer = make_taken("a", "b", invalid_number=[messages[1].number])
        wrong = ("failed", "sms_invalid_destination")
        self.assertEqual(self._parse(messages, answer), [("sent", None), wrong, ("sent", None)])

    def test_what_is_tried_again_goes_alone(self):
        """Seven wrong numbers in one request would use up the tries of the right ones."""
        messages = self.make_messages(3)
        self.env["sms.sms"].search([("message_id", "=", messages[0].id)]).attempts = 1
        prepared = self.adapter._prepare_requests(self.gateway, messages)
        self.assertEqual([len(request.uuids) for request in prepared], [2, 1])

    def test_wrong_number_stops_the_others(self):
        """P2: where none was taken for the sake of one number, the others are tried again."""
        messages = self.make_messages(3)
        wrong = messages[1].number.lstrip("+")
        answer = make_error(400, f"{wrong} is not a valid phone number")
        self.assertEqual(
            self._parse(messages, answer),
            [
                ("retry", "sms_server"),
                ("failed", "sms_invalid_destination"),
                ("retry", "sms_server"),
            ],
        )

    def test_odd_answers(self):
        """A success without the list of wrong numbers, or with a senseless one, is one."""
        for odd in (None, "x", [None], [[]], [{}], {}):
            answer = make_taken("a", "b", invalid_number=odd)
            self.assertEqual(self._parse(self.make_messages(2), answer), [("sent", None)] * 2)

    def test_refusal_in_plivos_words(self):
        message = self.make_messages()
        self.record(message, make_error(400, "src is not valid"))
        self.assertEqual(
            (message.failure_code, message.failure_reason), ("400", "src is not valid")
        )

    def test_pause_as_long_as_plivo_asks(self):
        (request,) = self.adapter._prepare_requests(self.gateway, self.make_messages())
        answer = make_error(429, "slower", {"Retry-After": "7"})
        (result,) = self.adapter._parse_response(self.gateway, request, answer)
        self.assertEqual((result.outcome, result.retry_after), ("retry", 7))

    # === REPORTS === #

    def test_every_status_of_a_report(self):
        for status, state in const.REPORT_STATES.items():
            message = self.make_messages()  # nobody has recorded Plivo's answer yet
            self.receive(self._make_report(message, status))
            self.work()
            self.assertEqual(message.state, state, status)
            self.assertEqual(message.provider_ref, REFERENCE)

    def test_report_tells_the_cost(self):
        message = self.make_sent_message()
        self.receive(self._make_report(message, "delivered", TotalAmount="0.0105"))
        self.work()
        self.assertEqual((message.cost, message.currency_id.name), (0.0105, "USD"))

    def test_failed_report_says_why(self):
        cases = {"30": "sms_rejected", "900": "sms_credit", "12345": "sms_not_delivered"}
        for code, failure_type in {**cases, "200": "sms_optout"}.items():
            message = self.make_sent_message()
            self.receive(self._make_report(message, "undelivered", ErrorCode=code))
            self.work()
            self.assertEqual(message.failure_type, failure_type)
            self.assertEqual((message.failure_code, message.failure_reason), (code, "undelivered"))

    def test_every_code_is_a_failure_type(self):
        """A code that means nothing to Odoo would stop the report of it."""
        known = dict(self.env["sms.sms"]._fields["failure_type"]._description_selection(self.env))
        self.assertFalse(set(const.REPORT_FAILURES.values()) - set(known))

    def test_parts_of_a_text_are_one_text(self):
        """Each part is reported under an id of its own, with that of the first."""
        message = self.make_sent_message()
        request = self.adapter._prepare_requests(self.gateway, message)[0]
        for part in (1, 2):
            told = {"PartInfo": f"{part} of 2", "MessageUUID": f"part {part}"}
            self.receive(self._make_report_to(request, message, "delivered", **told))
        self.work()
        self.assertEqual(message.state, "delivered")
        self.assertEqual(set(self.get_events().mapped("state")), {"done"})

    def test_report_by_its_reference_alone(self):
        """Also one to an address without our numbers."""
        message = self.make_sent_message()
        form = {**REPORT, "To": "46701234567", "Status": "delivered"}
        form["MessageUUID"] = message.provider_ref
        self.receive(self._make_webhook(self.gateway._get_webhook_url("status"), form))
        self.work()
        self.assertEqual(message.state, "delivered")

    def test_unknown_status_is_parked(self):
        with self.assertRaisesRegex(WebhookMalformed, "melted"):
            self.adapter._extract_reports(
                self.gateway, self._make_report(self.make_messages(), "melted")
            )

    # === PROOF === #

    def test_our_signature_is_theirs(self):
        """V3: what we would sign is what Plivo's library accepts, with and without a query."""
        for webhook in (
            self.make_default_inbound("Hej å & = + 😀"),
            self.make_report(self.make_messages(2)[:1], "delivered"),
        ):
            signed = self.adapter._get_signed(webhook, "v3") + NONCE
            ours = b64encode(sign(TOKEN, signed)).decode()
            form = dict(webhook.form)
            theirs = ("POST", webhook.url, NONCE, TOKEN, ours)
            self.assertTrue(validate_v3_signature(*theirs, params=form))
            self.assertFalse(validate_v3_signature(*theirs, params={**form, "To": "1"}))
            self._verify(webhook)

    def test_called_with_get(self):
        """Who chose GET in the console receives texts too."""
        query = urlencode({"To": "46700000001", "From": "46701234567", "Text": "Ja"})
        url = f"{self.gateway._get_webhook_url('inbound')}?{query}&MessageUUID=1"
        webhook = self._make_webhook(url, {}, "GET")
        signature = webhook.headers["x-plivo-signature-v3"]
        self.assertTrue(validate_v3_signature("GET", url, NONCE, TOKEN, signature))
        self.assertEqual(self.receive(webhook), self.reply)
        self.work()
        self.assertEqual(self.get_received().body, "Ja")

    def test_one_of_several_signatures(self):
        """While a token is being renewed, and for a number of a subaccount."""
        webhook = self.make_default_inbound()
        good, nonce = webhook.headers["x-plivo-signature-v3"], {"x_plivo_signature_v3_nonce": NONCE}
        self._verify(webhook, x_plivo_signature_v3=f"other,{good}", **nonce)
        self._verify(webhook, x_plivo_signature_v3="other", x_plivo_signature_ma_v3=good, **nonce)
        self.assertTrue(
            validate_v3_signature(
                "POST", webhook.url, NONCE, TOKEN, f"other,{good}", params=dict(webhook.form)
            )
        )

    def test_signature_documented_for_texts(self):
        """V2: the address alone, checked by Plivo's library; with another address or nonce not."""
        for webhook in (
            self.make_default_inbound(),
            self.make_report(self.make_messages(), "delivered"),
        ):
            good = webhook.headers["x-plivo-signature-v2"]
            self.assertTrue(validate_signature(webhook.url, NONCE, good, TOKEN))
            nonce = {"x_plivo_signature_v2_nonce": NONCE}
            self._verify(webhook, x_plivo_signature_v2=good, **nonce)
            self._verify(webhook, x_plivo_signature_v2="x", x_plivo_signature_ma_v2=good, **nonce)
            elsewhere = dataclasses.replace(webhook, url=f"{webhook.url}x".replace("?", "/x?"))
            for call, signature, changed in (
                (webhook, "other", nonce),
                (webhook, "", nonce),
                (webhook, good, {"x_plivo_signature_v2_nonce": "1"}),
                (webhook, good, {}),
                (elsewhere, good, nonce),
            ):
                with self.assertRaises(WebhookRefused):
                    self._verify(call, x_plivo_signature_v2=signature, **changed)

    # === SENDERS === #

    def test_senders_are_whole_numbers_or_names_without_blanks(self):
        with self.assertRaisesRegex(ValidationError, "plus sign and country code"):
            self.sender.write({"kind": "dedicated", "address": "59000001"})
        name = {"kind": "text", "inbound_enabled": False}
        with self.assertRaisesRegex(ValidationError, "without"):
            self.sender.write({**name, "address": "Heat AS"})
        self.sender.write({**name, "address": "HeatAS"})

    # === ACCOUNT === #

    def test_balance(self):
        answer = Response(200, {}, json.dumps(ACCOUNT).encode())
        self.assertEqual(self.adapter._parse_balance(self.gateway, answer), (92.56, "USD"))
        self.assertIsNone(self.adapter._parse_balance(self.gateway, make_error(401, "no")))

    def test_connection_is_tested_with_what_sends(self):
        wire = self.prepare(self.adapter._prepare_test_request(self.gateway))
        sent = self.prepare(self.adapter._prepare_requests(self.gateway, self.make_messages())[0])
        self.assertEqual(wire.headers["Authorization"], sent.headers["Authorization"])
        self.assertEqual(wire.url, f"https://api.plivo.com/v1/Account/{AUTH_ID}/")
