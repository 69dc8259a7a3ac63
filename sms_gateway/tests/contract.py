"""What every provider's addon must keep, as tests it inherits.

An adapter's test mixes :class:`AdapterContract` into a ``TransactionCase``, names its gateway and
hands in what it recorded of the provider; the tests are here. Nothing is sent: an adapter only
turns texts into requests and bytes into facts, and so do these tests. Example::

    @tagged("post_install", "-at_install")
    class TestAcme(AdapterContract, TransactionCase):
        code = "acme"
        gateway_values = {"acme_token": "s3cret"}
        credentials = ("acme_token",)

        def make_accepted(self, request):
            return Response(201, {}, b'{"id": "A1"}')
"""

import copy
import dataclasses
import json
from base64 import b64encode
from contextlib import contextmanager, suppress
from unittest.mock import patch

import requests

from odoo.fields import Command
from odoo.modules.neutralize import get_neutralization_queries

from odoo.addons.sms_gateway.const import UNKNOWN_REFERENCE_TRIES
from odoo.addons.sms_gateway.engine.contract import OUTCOMES, Response, WebhookMalformed
from odoo.addons.sms_gateway.engine.transport import NoAnswer, NotSent

#: Texts that have been mangled on their way by somebody, some time.
BODIES = (
    "Yes",
    "Tom & Jerry = 100 % + <b>? #1; a%20b",
    "åäö ÆØÅ € [x] {y}",
    "Zażółć gęślą jaźń 😀 Привет",
    "two\nlines",
    "x" * 700,
)

PAGE = b"<!DOCTYPE html><html><body>Welcome to nginx! error ok 0: accepted</body></html>"


class AdapterContract:
    """The contract of ``sms.gateway.adapter``, tested. Mix into a ``TransactionCase``."""

    #: Odoo's own runner leaves out inherited tests unless told.
    allow_inherited_tests_method = True

    # === WHAT THE ADAPTER'S TEST FILLS IN === #

    #: The adapter: ``sms.gateway.adapter.<code>``.
    code = None
    #: Values of the gateway, made-up credentials included.
    gateway_values = {}
    #: Which of these fields hold a secret.
    credentials = ()
    #: Fields without which no call can be proven. Empty where the provider signs nothing, and the
    #: secret in our address is all the proof there is.
    verification_fields = ()
    #: One of our own numbers, as the provider likes it.
    sender_values = {"kind": "mobile", "address": "+46700000001"}
    #: What the provider must be answered so that it does not repeat its call.
    reply = (200, b"")

    def make_accepted(self, request):
        """The provider's answer that takes all texts of the request.

        :return: :class:`Response`
        """
        raise NotImplementedError

    def make_refusals(self, request):
        """Answers that refuse for good, each with the failure type that it means.

        One that the customer has opted out comes last: we remember it too, and write no more.

        :return: list of (:class:`Response`, failure type)
        """
        raise NotImplementedError

    def make_throttled(self, request):
        """Answers that ask to come again later.

        :return: list of :class:`Response`
        """
        raise NotImplementedError

    def make_garbage(self, request):
        """Answers of which nobody knows whether the texts were taken. Extend, do not shorten.

        :return: list of :class:`Response`
        """
        bodies = (b"", PAGE, b"\xff\xfe\x00", b"[]", b"null", b'{"unexpected": [1]}')
        return [Response(status, {}, body) for status in (200, 500, 502) for body in bodies]

    def make_test_answers(self):
        """Answers to the request of *Test connection*, each with whether it proves the account.

        :return: list of (:class:`Response`, bool)
        """
        return []

    def make_inbound(self, number, address, body, reference):
        """A genuine call that brings a text.

        :param number: the customer's, E.164
        :param address: ours, as on the sender
        :param reference: what makes two such calls one or two texts
        :return: :class:`Webhook`
        """
        raise NotImplementedError

    def make_report(self, message, state):
        """A genuine call that reports on a text of ours.

        :param message: ``sms.message``; with a ``provider_ref`` if the provider told one
        :param state: ``sent``, ``delivered`` or ``failed``
        :return: :class:`Webhook`
        """
        raise NotImplementedError

    def make_forgeries(self, webhook):
        """Calls like the genuine one, but not proven: unsigned, wrongly signed, tampered with.

        :return: list of (gateway values to set first, :class:`Webhook`)
        """
        raise NotImplementedError

    def make_unsigned_forgeries(self, webhook):
        """Forgeries of a provider that signs nothing: from elsewhere, without the password."""
        return [
            ({"allowed_ips": "192.0.2.1"}, dataclasses.replace(webhook, remote_addr="192.0.2.2")),
            ({"webhook_username": "odoo", "webhook_password": "pass"}, webhook),
        ]

    def make_repetition(self, webhook):
        """The same call again, as the provider repeats it when it got no answer."""
        return webhook

    # === TOOLS === #

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.make_account()

    @classmethod
    def make_account(cls):
        """A company with a gateway of this provider, and a sender."""
        cls.company = cls.env.company
        cls.company.country_id = cls.env.ref("base.se")
        cls.gateway = cls.env["sms.gateway"].create(
            {"name": "Contract", "code": cls.code, "state": "enabled", **cls.gateway_values}
        )
        cls.adapter = cls.gateway._get_adapter()
        cls.sender = cls.env["sms.sender"].create(
            {
                "name": "Contract",
                "gateway_id": cls.gateway.id,
                "state": "approved",
                "inbound_enabled": True,
                "user_ids": [Command.clear()],
                **cls.sender_values,
            }
        )

    def make_messages(self, count=1, body="Hello", number="+46701234567"):
        """Texts that a lane has claimed: in the ledger, about to be sent."""
        texts = self.env["sms.sms"].create(
            [
                {"sender_id": self.sender.id, "number": f"+{int(number) + index}", "body": body}
                for index in range(count)
            ]
        )
        refused = texts.message_id.filtered("failure_type").mapped("failure_reason")
        self.assertFalse(refused)
        texts.state = "process"
        texts.message_id.state = "sending"
        return texts.message_id

    def make_sent_message(self):
        """A text that the provider has accepted."""
        message = self.make_messages()
        self.record(message, self.make_accepted)
        self.assertEqual(message.state, "sent")
        return message

    def record(self, messages, outcome):
        """Send texts and let the gateway record what came of it.

        :param outcome: a response, an exception of the transport, or a function of the request
        """
        for request in self.adapter._prepare_requests(self.gateway, messages):
            answer = outcome(request) if callable(outcome) else outcome
            Lane = self.env["sms.lane"]
            Lane._record_results(Lane._read_outcome(self.gateway, request, answer))

    def prepare(self, request):
        """The request as it goes over the wire."""
        return requests.Request(
            request.method,
            request.url,
            params=request.params,
            data=request.data,
            json=request.json,
            headers=dict(request.headers),
            auth=request.auth,
        ).prepare()

    def receive(self, webhook):
        """Let the provider call; return the HTTP status and body of the answer."""
        with self.enter_registry_test_mode():
            status, _headers, body = self.gateway._receive_call(webhook)
        return status, body

    def work(self):
        """Let the worker work off what was received."""
        with self.enter_registry_test_mode(), self._unlocked(), self.registry.cursor() as cr:
            self.env(cr=cr)["sms.gateway.event"]._run()

    @contextmanager
    def _unlocked(self):
        """One worker at a time is kept by a second transaction, of which a test has none."""

        @contextmanager
        def lock(_self, _name):
            yield True

        with patch.object(self.env.registry["sms.lane"], "_lock", lock):
            yield

    def get_events(self):
        return self.env["sms.gateway.event"].search([("gateway_id", "=", self.gateway.id)])

    def get_received(self):
        """The texts received by the gateway, oldest first."""
        return self.env["sms.message"].search(
            [("gateway_id", "=", self.gateway.id), ("direction", "=", "in")], order="id"
        )

    def make_default_inbound(self, body="Yes", reference="REF1"):
        return self.make_inbound("+46701234567", self.sender.address, body, reference)

    # === SENDING === #

    def test_every_text_is_in_exactly_one_request(self):
        """1,000 texts in one call: none is left out, none is in two requests."""
        messages = self.make_messages(1000)
        prepared = self.adapter._prepare_requests(self.gateway, messages)
        uuids = [uuid for request in prepared for uuid in request.uuids]
        self.assertEqual(len(uuids), 1000)
        self.assertEqual(set(uuids), set(messages.mapped("uuid")))

    def test_requests_can_go_and_hide_the_credentials(self):
        """What is prepared is valid HTTP; no secret is in the address, where logs show it."""
        for body in BODIES:
            messages = self.make_messages(2, body)
            for request in self.adapter._prepare_requests(self.gateway, messages):
                wire = self.prepare(request)
                self.assertRegex(wire.url, "^https?://")
                for name in self.credentials:
                    self.assertNotIn(self.gateway[name], requests.utils.unquote(wire.url))
                self.assertEqual(
                    request.idempotent, self.adapter._get_features()["idempotency"], request.uuids
                )

    def test_accepted(self):
        """The provider takes the text: it is sent, and nothing stands against it."""
        message = self.make_sent_message()
        self.assertTrue(message.sent_at)
        self.assertFalse(message.failure_type)

    def test_refused(self):
        """The provider refuses: the text has failed, with the reason, and is not repeated."""
        message = self.make_messages()
        request = self.adapter._prepare_requests(self.gateway, message)[0]
        for answer, failure_type in self.make_refusals(request):
            with self.subTest(answer=answer):
                message = self.make_messages()
                self.record(message, answer)
                self.assertEqual((message.state, message.failure_type), ("failed", failure_type))
                self.assertTrue(message.failure_reason or message.failure_code)

    def test_throttled(self):
        """The provider is busy: the text waits in the queue and is tried again."""
        request = self.adapter._prepare_requests(self.gateway, self.make_messages())[0]
        for answer in self.make_throttled(request):
            with self.subTest(answer=answer):
                message = self.make_messages()
                self.record(message, answer)
                self.assertEqual(message.state, "queued")

    def test_unreachable(self):
        """No connection: the text certainly did not go, and is tried again."""
        message = self.make_messages()
        self.record(message, NotSent("no connection"))
        self.assertEqual(message.state, "queued")

    def test_answer_lost(self):
        """The text may have gone: unknown, unless the provider recognises a repetition."""
        message = self.make_messages()
        self.record(message, NoAnswer("timed out"))
        repeatable = self.adapter._get_features()["idempotency"]
        self.assertEqual(message.state, "queued" if repeatable else "unknown")

    def test_garbage_is_never_sent_again(self):
        """An answer nobody understands: unknown, for each text, without an exception."""
        request = self.adapter._prepare_requests(self.gateway, self.make_messages(3))[0]
        for answer in self.make_garbage(request):
            with self.subTest(answer=answer):
                results = self.adapter._parse_response(self.gateway, request, answer)
                self.assertEqual({result.uuid for result in results}, set(request.uuids))
                self.assertEqual({result.outcome for result in results}, {"unknown"})

    def test_results_are_well_formed(self):
        """Every result is one of the known outcomes, and a failure says of which type."""
        known = dict(self.env["sms.sms"]._fields["failure_type"]._description_selection(self.env))
        request = self.adapter._prepare_requests(self.gateway, self.make_messages(2))[0]
        refusals = [answer for answer, _failure_type in self.make_refusals(request)]
        for answer in [self.make_accepted(request), *refusals, *self.make_throttled(request)]:
            for result in self.adapter._parse_response(self.gateway, request, answer):
                self.assertIn(result.outcome, OUTCOMES)
                self.assertIn(result.uuid, request.uuids)
                self.assertIn(result.failure_type or "unknown", known)
                if result.outcome == "failed":
                    self.assertTrue(result.failure_type)

    # === PROOF === #

    def test_unproven_calls_are_refused_and_change_nothing(self):
        """P8: a call without proof is refused; nothing of it is kept, nothing takes effect."""
        message = self.make_sent_message()
        for webhook in (self.make_default_inbound(), self.make_report(message, "delivered")):
            for values, forgery in self.make_forgeries(webhook):
                with self.subTest(forgery=forgery, values=values):
                    before = {name: self.gateway[name] for name in values}
                    self.gateway.write(values)
                    self.assertEqual(self.receive(forgery)[0], 403)
                    self.work()
                    self.gateway.write(before)
        self.assertFalse(self.get_events().filtered("payload"))
        self.assertFalse(self.get_received())
        self.assertEqual(message.state, "sent")
        self.assertTrue(self.gateway.refused_count)

    def test_missing_secret_is_refusal(self):
        """P8: a gateway without the secret believes nobody, not everybody."""
        for name in self.verification_fields:
            webhook = self.make_default_inbound()
            self.gateway[name] = False
            self.assertEqual(self.receive(webhook)[0], 403, name)
        self.assertFalse(self.get_events().filtered("payload"))

    def test_reply_is_exact(self):
        """The answer stops the provider's repetitions and is no text to the customer."""
        self.assertEqual(self.receive(self.make_default_inbound()), self.reply)
        message = self.make_sent_message()
        self.assertEqual(self.receive(self.make_report(message, "delivered")), self.reply)

    def test_callers_address_and_password(self):
        """Who may call can be narrowed down, whatever the provider signs."""
        self.gateway.write(
            {"allowed_ips": "192.0.2.7", "webhook_username": "odoo", "webhook_password": "p:ä"}
        )
        webhook = dataclasses.replace(self.make_default_inbound(), remote_addr="192.0.2.7")
        login = {"authorization": f"Basic {b64encode('odoo:p:ä'.encode()).decode()}"}
        proven = dataclasses.replace(webhook, headers={**webhook.headers, **login})
        wrong = dataclasses.replace(
            webhook, headers={**webhook.headers, "authorization": "Basic x"}
        )
        elsewhere = dataclasses.replace(proven, remote_addr="192.0.2.8")
        for call, expected in ((proven, self.reply[0]), (webhook, 403), (wrong, 403)):
            self.assertEqual(self.receive(call)[0], expected)
        self.assertEqual(self.receive(elsewhere)[0], 403)
        self.assertNotIn(login["authorization"], str(self.get_events().mapped("payload")))

    # === TEXTS === #

    def test_texts_arrive_unharmed(self):
        """Number, address and every character of the text, in the order of arrival."""
        for index, body in enumerate(BODIES):
            self.receive(self.make_default_inbound(body, f"REF{index}"))
        self.work()
        received = self.get_received()
        self.assertEqual(received.mapped("body"), list(BODIES))
        self.assertEqual(set(received.mapped("number")), {"+46701234567"})
        self.assertEqual(received.sender_id, self.sender)
        self.assertEqual(set(self.get_events().mapped("state")), {"done"})

    def test_repeated_text_is_one_text(self):
        """P3: however often a call is repeated, before and after it was worked off."""
        webhook = self.make_default_inbound()
        for _time in range(3):
            self.assertEqual(self.receive(self.make_repetition(webhook)), self.reply)
        self.work()
        self.assertEqual(self.receive(self.make_repetition(webhook)), self.reply)
        self.work()
        self.assertEqual(len(self.get_received()), 1)
        self.assertEqual(self.get_received().provider_ref, "REF1")

    def test_equal_texts_are_two(self):
        """A customer may say *Yes* twice."""
        self.receive(self.make_default_inbound(reference="REF1"))
        self.receive(self.make_default_inbound(reference="REF2"))
        self.work()
        self.assertEqual(self.get_received().mapped("body"), ["Yes", "Yes"])

    # === REPORTS === #

    def test_reports_in_any_order(self):
        """P5: the first final state stays, whatever comes after or comes again."""
        cases = {
            ("sent", "delivered"): "delivered",
            ("delivered", "sent"): "delivered",
            ("delivered", "failed"): "delivered",
            ("failed", "sent"): "failed",
            ("failed", "delivered"): "failed",
            ("delivered", "delivered"): "delivered",
        }
        for told, expected in cases.items():
            for together in (True, False):
                with self.subTest(told=told, together=together):
                    self._check_reports(told, expected, together)

    def _check_reports(self, told, expected, together):
        message = self.make_sent_message()
        for state in told:
            self.assertEqual(self.receive(self.make_report(message, state)), self.reply)
            if not together:
                self.work()
        self.work()
        self.assertEqual(message.state, expected)
        self.assertEqual(bool(message.failure_type), expected == "failed")

    def test_report_settles_an_unknown_text(self):
        """The answer was lost, the report was not."""
        message = self.make_sent_message()
        message.state = "unknown"
        self.receive(self.make_report(message, "delivered"))
        self.work()
        self.assertEqual(message.state, "delivered")

    def test_report_of_an_unknown_text_is_kept(self):
        """A report that overtakes its text waits for it; one of a stranger is put aside in time."""
        message = self.make_sent_message()
        webhook = self.make_report(message, "delivered")
        message.write({"uuid": "later", "provider_ref": "later"})
        self.assertEqual(self.receive(webhook), self.reply)
        for tries in range(1, UNKNOWN_REFERENCE_TRIES):
            self.work()
            event = self.get_events()
            self.assertEqual((event.state, event.attempts), ("new", tries))
            event.retry_at = False
        self.work()
        self.assertEqual(self.get_events().state, "ignored")
        self.assertEqual(message.state, "sent")

    # === NONSENSE === #

    def test_nonsense_is_parked(self):
        """Genuine but senseless calls raise one exception only, by which they are parked."""
        message = self.make_sent_message()
        for webhook, extract in (
            (self.make_default_inbound(), self.adapter._extract_inbound),
            (self.make_report(message, "failed"), self.adapter._extract_reports),
        ):
            for mutilated in mutilate(webhook):
                with self.subTest(call=mutilated):
                    self.assertTrue(self.adapter._get_dedup_key(self.gateway, mutilated))
                    try:
                        extract(self.gateway, mutilated)
                    except WebhookMalformed as error:
                        self.assertTrue(str(error))

    # === ACCOUNT === #

    def test_connection_is_proven_without_a_text(self):
        """*Test connection* tells a good account from a bad one."""
        request = self.adapter._prepare_test_request(self.gateway)
        if request:
            self.assertRegex(self.prepare(request).url, "^https?://")
            self.assertEqual(request.uuids, ())
        for answer, expected in self.make_test_answers():
            with self.subTest(answer=answer):
                ok, words = self.adapter._parse_test_response(self.gateway, answer)
                self.assertEqual(ok, expected)
                self.assertTrue(ok or str(answer.status) in words, words)

    def test_credentials_are_for_administrators(self):
        """P9: nobody else reads them, and no copy of the gateway has them."""
        for name in self.credentials:
            field = self.gateway._fields[name]
            self.assertEqual(field.groups, "base.group_system", name)
            self.assertFalse(field.copy, name)
            self.assertTrue(self.gateway_values[name], name)

    def test_neutralised_copy_has_no_credentials(self):
        """P9: a copy of the database cannot act in the account's name."""
        self.env.flush_all()
        for query in get_neutralization_queries([self.adapter._original_module]):
            self.env.cr.execute(query)
        self.env.invalidate_all(flush=False)
        for name in self.credentials:
            self.assertNotEqual(self.gateway[name], self.gateway_values[name], name)


def mutilate(webhook):
    """Calls like this one, each with something missing or senseless.

    :return: generator of :class:`Webhook`
    """
    for part in ("query", "form"):
        pairs = getattr(webhook, part)
        for index, (name, _value) in enumerate(pairs):
            for senseless in (
                [],
                [(name, "")],
                [(name, "\x00\ud800 nonsense")],
                [(name, "9" * 5000)],
            ):
                changed = (*pairs[:index], *senseless, *pairs[index + 1 :])
                yield dataclasses.replace(webhook, **{part: changed})
    for body in (b"", b"{}", b"[]", b"null", b"1", b'"x"', b"\xff\x00", b"[" * 100_000, PAGE):
        yield dataclasses.replace(webhook, body=body)
    with suppress(ValueError):
        for value in mutilate_json(json.loads(webhook.body)):
            yield dataclasses.replace(webhook, body=json.dumps(value).encode())
    yield dataclasses.replace(webhook, query=(), form=(), body=b"")


def mutilate_json(value):
    """Values like this one, each with one part of it missing or of a senseless type.

    >>> list(mutilate_json({"a": 1}))[:3]
    [{}, {'a': None}, {'a': ''}]
    """
    keys = list(value) if isinstance(value, dict) else range(len(value))
    for key in keys:
        rest = copy.copy(value)
        del rest[key]
        yield rest
        parts = mutilate_json(value[key]) if isinstance(value[key], dict | list) else ()
        for part in (None, "", "nonsense", -1, 1e300, [], ["x"], {}, {"a": 1}, *parts):
            changed = copy.copy(value)
            changed[key] = part
            yield changed
