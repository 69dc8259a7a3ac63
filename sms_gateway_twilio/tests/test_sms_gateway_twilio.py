import dataclasses
import json
from unittest.mock import patch
from urllib.parse import urlencode

from twilio.request_validator import (
    HMAC_SHA256,
    SIGNATURE_SETTINGS_HEADER,
    RequestValidator,
    get_signature_algorithm,
)

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import TransactionCase, new_test_user, tagged

from odoo.addons.sms_gateway.engine.contract import (
    Response,
    Webhook,
    WebhookMalformed,
    WebhookRefused,
    parse_pairs,
)
from odoo.addons.sms_gateway.tests.contract import AdapterContract

from .. import const

ACCOUNT, TOKEN = "AC" + "1" * 32, "t0ken & secret"
SID = "SM" + "2" * 32
#: A number that was bought, in the words of nyaruka/courier's recorded calls.
INBOUND = {
    "ToCountry": "US",
    "ToState": "District Of Columbia",
    "SmsMessageSid": SID,
    "NumMedia": "0",
    "ToCity": "",
    "FromZip": "27609",
    "SmsSid": SID,
    "FromState": "NC",
    "SmsStatus": "received",
    "FromCity": "RALEIGH",
    "FromCountry": "US",
    "ToZip": "",
    "NumSegments": "1",
    "AccountSid": ACCOUNT,
    "ApiVersion": "2010-04-01",
}
#: The answer that Odoo's own tests of Twilio have recorded.
ACCEPTED = {
    "account_sid": ACCOUNT,
    "api_version": "2010-04-01",
    "date_created": "Mon, 14 Apr 2025 09:27:41 +0000",
    "date_sent": None,
    "direction": "outbound-api",
    "error_code": None,
    "error_message": None,
    "messaging_service_sid": None,
    "num_media": "0",
    "num_segments": "1",
    "price": None,
    "price_unit": "USD",
    "sid": SID,
    "status": "queued",
}
STATUSES = {"sent": "sent", "delivered": "delivered", "failed": "undelivered"}


def make_error(code, message="", status=400, headers=None):
    """The body of every refusal."""
    url = f"https://www.twilio.com/docs/errors/{code}"
    answer = {"code": code, "message": message, "more_info": url, "status": status}
    return Response(status, headers or {}, json.dumps(answer).encode())


@tagged("post_install", "-at_install")
class TestSmsGatewayTwilio(AdapterContract, TransactionCase):
    code = "twilio"
    gateway_values = {
        "twilio_account_sid": ACCOUNT,
        "twilio_auth_token": TOKEN,
        "twilio_api_key_secret": "key secret",
        "twilio_shared_key": "sh4red",
    }
    credentials = ("twilio_auth_token", "twilio_api_key_secret", "twilio_shared_key")
    verification_fields = ("twilio_auth_token",)
    reply = (200, b"<Response/>")

    # === CONTRACT === #

    def make_accepted(self, request):
        return Response(201, {}, json.dumps(ACCEPTED).encode())

    def make_refusals(self, request):
        return [
            (make_error(20003, "Authenticate", 401), "sms_configuration"),
            (make_error(21211, "Invalid 'To' Phone Number"), "sms_invalid_destination"),
            (make_error(21606, "not a valid From"), "sms_sender"),
            (make_error(21408, "region"), "sms_country_not_supported"),
            (make_error(99999, "new", 400), "sms_rejected"),
            (make_error(99999, "new", 403), "sms_configuration"),
            (Response(404, {}, b"<html>"), "sms_configuration"),
            (Response(201, {}, b'{"sid": "SM1", "error_code": 30007}'), "sms_rejected"),
            (make_error(21610, "unsubscribed"), "sms_optout"),  # the last, for it is remembered
        ]

    def test_what_twilio_took_is_never_tried_again(self):
        """P2: it has an id, so it exists; whatever code stands beside."""
        request = self.adapter._prepare_requests(self.gateway, self.make_messages())[0]
        for code, outcome in ((30001, "failed"), (30410, "failed"), (99999, "sent")):
            told = Response(201, {}, b'{"sid": "SM1", "error_code": %d}' % code)
            result = self.adapter._parse_response(self.gateway, request, told)[0]
            self.assertEqual((result.outcome, result.provider_ref), (outcome, "SM1"))

    def make_throttled(self, request):
        return [make_error(20429, "Too Many Requests", 429), make_error(21611, "queue full")]

    def make_garbage(self, request):
        odd = Response(201, {}, b'{"sid": null}'), make_error(20500, "Internal Server Error", 500)
        return [*super().make_garbage(request), *odd, Response(503, {}, b"")]

    def make_test_answers(self):
        return [
            (Response(200, {}, b'{"messages": [], "page": 0}'), True),
            (Response(200, {}, b"<html>Log in</html>"), False),
            (make_error(20003, "Authenticate", 401), False),
        ]

    def make_inbound(self, number, address, body, reference):
        told = {"From": number, "To": address, "Body": body, "MessageSid": reference}
        return self._make_webhook("inbound", {**INBOUND, **told})

    def make_report(self, message, state):
        """Twilio calls the address that it was given with the text."""
        return self._make_report(message, STATUSES[state])

    def make_forgeries(self, webhook):
        def sign(token, **changes):
            changed = dataclasses.replace(webhook, **changes)
            return self._sign(changed, token)

        unsigned = dataclasses.replace(webhook, headers={})
        elsewhere = webhook.url.replace("/sms/", "/other/")
        rule = {**webhook.headers, SIGNATURE_SETTINGS_HEADER.lower(): "algorithm=HMAC_MD5"}
        return [
            ({}, unsigned),
            ({}, dataclasses.replace(webhook, headers={"x-twilio-signature": "å"})),
            ({}, sign("other")),
            ({"twilio_auth_token": False}, sign("")),
            ({}, dataclasses.replace(webhook, form=(*webhook.form, ("Extra", "1")))),
            ({}, dataclasses.replace(webhook, form=webhook.form[1:])),
            ({}, dataclasses.replace(webhook, url=f"{webhook.url}#x")),
            ({}, dataclasses.replace(sign(TOKEN, url=elsewhere), url=webhook.url)),
            ({}, dataclasses.replace(webhook, headers=rule)),
            ({"twilio_auth_token": "renewed"}, webhook),
        ]

    def _make_report(self, message, status, **more):
        request = self.adapter._prepare_requests(self.gateway, message)[0]
        told = {
            "AccountSid": ACCOUNT,
            "ApiVersion": "2010-04-01",
            "From": self.sender.address,
            "MessageSid": message.provider_ref or SID,
            "MessageStatus": status,
            "RawDlrDoneDate": "2504241615",
            "SmsSid": message.provider_ref or SID,
            "SmsStatus": status,
            "To": message.number,
            **more,
        }
        query = request.data["StatusCallback"].partition("?")[2]
        return self._make_webhook("status", told, query)

    def _make_webhook(self, kind, form, query=""):
        webhook = Webhook(
            kind,
            "POST",
            self.gateway._get_webhook_url(kind) + (f"?{query}" if query else ""),
            query=tuple(parse_pairs(query)),
            form=tuple(parse_pairs(urlencode(form))),
            body=urlencode(form).encode(),
        )
        return self._sign(webhook, TOKEN)

    def _sign(self, webhook, token, algorithm=None):
        """The call as Twilio's own library signs it."""
        peer = RequestValidator(token)
        signature = peer.compute_signature(webhook.url, dict(webhook.form), algorithm)
        return dataclasses.replace(webhook, headers={"x-twilio-signature": signature})

    def _verify(self, webhook):
        self.adapter._verify_webhook(self.gateway, webhook)

    def _report(self, message, status, **more):
        self.receive(self._make_report(message, status, **more))
        self.work()
        return message

    # === REQUEST === #

    def test_request_as_twilio_wants_it(self):
        """A form, with account and token as Basic authentication, never in the address."""
        message = self.make_messages(body="Hej å & €")
        wire = self.prepare(self.adapter._prepare_requests(self.gateway, message)[0])
        self.assertEqual(wire.method, "POST")
        self.assertEqual(
            wire.url, f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
        )
        self.assertTrue(wire.headers["Authorization"].startswith("Basic "))
        self.assertEqual(
            dict(parse_pairs(wire.body)),
            {
                "To": "+46701234567",
                "From": self.sender.address,
                "Body": "Hej å & €",
                "StatusCallback": f"{self.gateway.status_url}?uuid={message.uuid}",
            },
        )

    def test_api_key_sends_and_the_token_verifies(self):
        """A key that can be revoked sends; Twilio signs with the token all the same."""
        self.gateway.twilio_api_key_sid = "SK1"
        request = self.adapter._prepare_requests(self.gateway, self.make_messages())[0]
        self.assertEqual(request.auth, ("SK1", "key secret"))
        self.assertIn(ACCOUNT, request.url)
        self._verify(self.make_default_inbound())

    def test_messaging_service_keeps_the_sender(self):
        """The customer answers to the number he was written from, also with a service."""
        self.gateway.twilio_service_sid = "MG1"
        request = self.adapter._prepare_requests(self.gateway, self.make_messages())[0]
        self.assertEqual(request.data["MessagingServiceSid"], "MG1")
        self.assertEqual(request.data["From"], self.sender.address)

    # === ANSWERS === #

    def test_answer_names_the_text_and_its_segments(self):
        message = self.make_sent_message()
        self.assertEqual(message.provider_ref, SID)
        request = self.adapter._prepare_requests(self.gateway, message)[0]
        for told, segments in (("3", 3), ("0", None), (None, None)):
            answer = json.dumps({**ACCEPTED, "num_segments": told}).encode()
            (result,) = self.adapter._parse_response(
                self.gateway, request, Response(201, {}, answer)
            )
            self.assertEqual((result.outcome, result.segments), ("sent", segments))

    def test_refusal_in_twilios_words(self):
        message = self.make_messages()
        self.record(message, make_error(21610, "Attempt to send to unsubscribed recipient"))
        self.assertEqual(message.failure_type, "sms_optout")
        self.assertEqual(message.failure_code, "21610")
        self.assertEqual(message.failure_reason, "Attempt to send to unsubscribed recipient")

    def test_pause_as_long_as_twilio_asks(self):
        message = self.make_messages()
        request = self.adapter._prepare_requests(self.gateway, message)[0]
        answer = make_error(20429, "Too Many Requests", 429, {"Retry-After": "7"})
        (result,) = self.adapter._parse_response(self.gateway, request, answer)
        self.assertEqual((result.outcome, result.retry_after), ("retry", 7))

    def test_every_code_is_a_failure_type(self):
        """A code that means nothing to Odoo would stop the report of it."""
        known = dict(self.env["sms.sms"]._fields["failure_type"]._description_selection(self.env))
        self.assertFalse(set(const.FAILURES.values()) - set(known))

    # === REPORTS === #

    def test_every_state_of_a_report(self):
        for status, state in const.REPORT_STATES.items():
            message = self.make_messages()  # nobody has recorded Twilio's answer yet
            self.assertEqual(self._report(message, status).state, state, status)
            self.assertEqual(message.provider_ref, SID)

    def test_failed_report_says_why(self):
        cases = {
            ("30006", None): ("sms_not_delivered", "30006", "undelivered"),
            ("30007", "Filtered"): ("sms_rejected", "30007", "Filtered"),
            ("98765", None): ("sms_not_delivered", "98765", "undelivered"),
            (None, None): ("sms_not_delivered", False, "undelivered"),
            ("21610", "Unsubscribed"): ("sms_optout", "21610", "Unsubscribed"),
        }
        for (code, words), expected in cases.items():
            told = {"ErrorCode": code, "ErrorMessage": words}
            told = {name: value for name, value in told.items() if value}
            message = self._report(self.make_sent_message(), "undelivered", **told)
            failure = (message.failure_type, message.failure_code, message.failure_reason)
            self.assertEqual(failure, expected)

    def test_state_of_an_incoming_text_is_no_report(self):
        with self.assertRaisesRegex(WebhookMalformed, "receiving"):
            self.adapter._extract_reports(
                self.gateway, self._make_report(self.make_messages(), "receiving")
            )

    # === TEXTS === #

    def test_pictures_are_links(self):
        """Who answers with a picture only has not sent an empty text."""
        link = "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages/MM1/Media/ME"
        media = {"NumMedia": "2", "MediaUrl0": f"{link}0", "MediaUrl1": f"{link}1"}
        for body, expected in (
            ("Look", f"Look\n{link}0\n{link}1"),
            ("", f"{link}0\n{link}1"),
        ):
            told = {**INBOUND, **media, "Body": body, "From": "+46701234567", "MessageSid": SID}
            webhook = self._make_webhook("inbound", told)
            (text,) = self.adapter._extract_inbound(self.gateway, webhook)
            self.assertEqual(text.body, expected)

    def test_called_with_get(self):
        """Who chose HTTP GET in the console receives texts too."""
        form = {**INBOUND, "From": "+46701234567", "To": "+46700000001", "Body": "Ja å"}
        query = urlencode({**form, "MessageSid": SID})
        url = f"{self.gateway._get_webhook_url('inbound')}?{query}"
        webhook = Webhook("inbound", "GET", url, query=tuple(parse_pairs(query)))
        webhook = self._sign(webhook, TOKEN)
        self.assertEqual(self.receive(webhook), self.reply)
        self.work()
        self.assertEqual(self.get_received().body, "Ja å")

    def test_answer_is_twiml(self):
        """Any other words would be sent to the customer."""
        reply = self.adapter._webhook_reply(self.gateway, self.make_default_inbound())
        self.assertEqual(reply, (200, {"Content-Type": "text/xml"}, b"<Response/>"))

    # === PROOF === #

    def test_our_signature_is_theirs(self):
        """What we expect is what Twilio's library accepts, and the other way round."""
        webhook = self.make_default_inbound("Hej å & = + 😀")
        expected = self.adapter._get_signature(self.gateway, webhook, webhook.url)
        peer = RequestValidator(TOKEN)
        self.assertTrue(peer.validate(webhook.url, dict(webhook.form), expected))
        self.assertFalse(peer.validate(webhook.url, {}, expected))
        self._verify(webhook)

    def test_with_and_without_port(self):
        """Twilio signs the port or leaves it out; behind a proxy ours may have one."""
        for address in (
            "https://odoo.example.com",
            "https://odoo.example.com:443",
            "https://odoo.example.com:8443",
            "http://odoo.example.com:8069",
            "http://[2001:db8::1]:8069",
        ):
            self.env["ir.config_parameter"].set_param("web.base.url", address)
            webhook = self.make_default_inbound()
            self._verify(webhook)
            for signed in self.adapter._get_addresses(webhook.url):
                other = self._sign(dataclasses.replace(webhook, url=signed), TOKEN)
                self._verify(dataclasses.replace(webhook, headers=other.headers))
            wrong = webhook.url.replace("example.com", "example.org").replace("db8::1", "db8::2")
            other = self._sign(dataclasses.replace(webhook, url=wrong), TOKEN)
            with self.assertRaises(WebhookRefused):
                self._verify(dataclasses.replace(webhook, headers=other.headers))

    def test_repeated_names_are_signed_once_each(self):
        """Unknown and repeated parameters, in any order, belong to what is signed."""
        webhook = self.make_default_inbound()
        form = (("Z", "2"), *webhook.form, ("Z", "1"), ("Z", "2"), ("A", ""))
        webhook = dataclasses.replace(webhook, form=form)
        peer = RequestValidator(TOKEN)
        signature = peer.compute_signature(webhook.url, MultiDict(form))
        headers = {"x-twilio-signature": signature}
        self._verify(dataclasses.replace(webhook, headers=headers))

    def test_webhooks_rule_signs_with_its_own_secret(self):
        """SHA-256 and the SharedKey, where Twilio says so; never the one for the other."""
        settings = "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256"
        self.assertEqual(get_signature_algorithm(settings), HMAC_SHA256)
        ruled = {SIGNATURE_SETTINGS_HEADER.lower(): settings}
        webhook = self.make_default_inbound()
        good = self._sign(webhook, "sh4red", HMAC_SHA256)
        self._verify(dataclasses.replace(good, headers={**good.headers, **ruled}))
        for headers in (
            good.headers,
            {**webhook.headers, **ruled},
            {**self._sign(webhook, TOKEN, HMAC_SHA256).headers, **ruled},
        ):
            with self.assertRaises(WebhookRefused):
                self._verify(dataclasses.replace(webhook, headers=headers))
        self.gateway.twilio_shared_key = False
        with self.assertRaisesRegex(WebhookRefused, "secret"):
            self._verify(dataclasses.replace(good, headers={**good.headers, **ruled}))

    # === SENDERS === #

    def test_number_needs_its_country_code(self):
        with self.assertRaisesRegex(ValidationError, "choose the kind Mobile number"):
            self.sender.write({"kind": "dedicated", "address": "59000001"})

    def test_names_and_short_numbers_can_send(self):
        self.sender.inbound_enabled = False
        self.sender.write({"kind": "text", "address": "Acme"})
        self.sender.write({"kind": "short", "address": "72100"})

    # === ACCOUNT === #

    def test_connection_is_tested_with_what_sends(self):
        self.gateway.twilio_api_key_sid = "SK1"
        request = self.adapter._prepare_test_request(self.gateway)
        self.assertEqual((request.method, request.auth), ("GET", ("SK1", "key secret")))
        self.assertTrue(request.url.endswith(f"{ACCOUNT}/Messages.json?PageSize=1"))

    def test_balance(self):
        answer = b'{"currency": "USD", "balance": "12.34", "account_sid": "AC1"}'
        with patch.object(type(self.gateway), "_perform", return_value=Response(200, {}, answer)):
            self.gateway.action_refresh_balance()
        self.assertEqual(self.gateway.balance, "12.34 USD")
        self.assertIsNone(self.adapter._parse_balance(self.gateway, make_error(20003, "", 401)))

    # === TAKE-OVER === #

    def _set_up_odoo(self, numbers, token="0doo"):
        """Let Odoo's own addon hold an account; the story in ``tests/`` has the real one."""
        account = {"twilio_account_sid": "AC" + "9" * 32, "twilio_auth_token": token}
        model = type(self.gateway)
        for name, value in (
            ("_get_odoo_twilio_account", account if token else {}),
            ("_get_odoo_twilio_numbers", numbers),
        ):
            self.startPatcher(patch.object(model, name, return_value=value))

    def test_take_over(self):
        """Account and numbers, in one click; what it did stays readable on the gateway."""
        self.gateway.twilio_api_key_sid = "SK1"
        self._set_up_odoo(["+32455998877", "72100", "Acme", self.sender.address, "+32455998877"])
        self.assertTrue(self.gateway.twilio_can_take_over)
        action = self.gateway.action_twilio_take_over()
        self.assertEqual(self.gateway.twilio_account_sid, "AC" + "9" * 32)
        self.assertEqual(self.gateway.twilio_auth_token, "0doo")
        self.assertFalse(self.gateway.twilio_api_key_sid)
        self.assertFalse(self.gateway.twilio_api_key_secret)
        senders = self.gateway.sender_ids - self.sender
        self.assertEqual(
            sorted(senders.mapped(lambda s: (s.address, s.kind, s.state, s.inbound_enabled))),
            [("+32455998877", "mobile", "draft", True), ("72100", "short", "draft", True)],
        )
        words = action["params"]["message"]
        self.assertIn("+32455998877, 72100", words)
        self.assertIn("left out: Acme", words)
        self.assertNotIn("0doo", words)
        self.assertIn("72100", self.gateway.message_ids[:1].body)

    def test_take_over_twice(self):
        """A second click brings what is new, and nothing twice, not even what was archived."""
        self._set_up_odoo(["+32455998877"])
        self.gateway.action_twilio_take_over()
        sender = self.gateway.sender_ids - self.sender
        sender.active = False
        action = self.gateway.action_twilio_take_over()
        self.assertEqual(len(self.gateway.with_context(active_test=False).sender_ids), 2)
        self.assertIn("No new senders", action["params"]["message"])

    def test_nothing_to_take_over(self):
        self._set_up_odoo([], token=None)
        self.assertFalse(self.gateway.twilio_can_take_over)
        with self.assertRaisesRegex(UserError, "hold no account"):
            self.gateway.action_twilio_take_over()
        self.assertEqual(self.gateway.twilio_account_sid, ACCOUNT)

    def test_take_over_is_for_administrators(self):
        """P9: an SMS manager does not get at the account by a button."""
        self._set_up_odoo(["+32455998877"])
        groups = "base.group_user,sms_gateway.group_sms_manager"
        manager = new_test_user(self.env, "sms manager", groups=groups)
        with self.assertRaisesRegex(AccessError, "Only an administrator"):
            self.gateway.with_user(manager).action_twilio_take_over()
        self.assertEqual(self.gateway.sender_ids, self.sender)


class MultiDict(list):
    """Pairs, as a web framework hands them to Twilio's library."""

    def __init__(self, pairs):
        super().__init__(name for name, _value in pairs)
        self._pairs = pairs

    def getlist(self, name):
        return [value for key, value in self._pairs if key == name]
