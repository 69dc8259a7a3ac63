from unittest.mock import patch

from odoo.exceptions import ValidationError
from odoo.tests import tagged

from odoo.addons.sms_gateway.engine.transport import NoAnswer, NotSent

from .common import CUSTOMER, SmsGatewayCase


@tagged("post_install", "-at_install")
class TestFallback(SmsGatewayCase):
    """A sender at another provider, for when ours is down."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other_gateway = cls._create_gateway(name="Other provider")
        cls.fallback = cls._create_sender(
            "Spare", "dedicated", "59445999", gateway_id=cls.other_gateway.id
        )
        cls.sender.fallback_id = cls.fallback

    def sent_from(self, provider):
        return [text["from"] for text in provider.sent]

    def test_a_provider_that_cannot_be_reached_is_replaced_at_once(self):
        """P2: no connection, so nothing can have left; and it shows on the text."""
        text = self.create_text()
        with self.provider() as provider:
            provider.answers["59445012"] = NotSent("NewConnectionError")
            self.run_lanes()
            self.run_lanes()
        message = text.message_id
        self.assertEqual(self.sent_from(provider), ["59445999"])
        self.assertEqual((message.state, message.sender_id), ("sent", self.fallback))
        self.assertEqual(message.intended_sender_id, self.sender)
        self.assertEqual((message.gateway_id, message.address), (self.other_gateway, "59445999"))

    def test_never_after_the_request_was_made(self):
        """P2: a lost answer, a refusal and a busy provider are no reason to send it elsewhere."""
        cases = {
            "failed": {"outcome": "failed", "failure_type": "sms_server"},
            "queued": {"outcome": "retry", "failure_type": "sms_server"},
            "unknown": NoAnswer("timed out"),
        }
        for state, answer in cases.items():
            with self.subTest(state=state), self.provider() as provider:
                text = self.create_text()
                provider.answers["59445012"] = answer
                self.run_lanes()
                self.run_lanes()
                self.assertEqual(self.sent_from(provider), ["59445012"])
                self.assertEqual(text.message_id.state, state)
                self.assertEqual(text.message_id.sender_id, self.sender)
                text.message_id._set_cancelled()

    def test_the_next_text_to_the_customer_does_not_overtake(self):
        """P4: what was written since goes with it."""
        first, second = self.create_text(body="1"), self.create_text(body="2")
        other = self.create_text(body="3", number="+4791234500")
        first._divert()
        self.assertEqual((first | second).sender_id, self.fallback)
        self.assertEqual((first | second).message_id.sender_id, self.fallback)
        self.assertEqual(other.sender_id, self.sender)
        with self.provider() as provider:
            self.run_lanes()
        bodies = [text["body"] for text in provider.sent if text["number"] == CUSTOMER]
        self.assertEqual(bodies, ["1", "2"])

    def test_once(self):
        """Two providers that are both down: the text waits and is tried again, as without."""
        self.fallback.fallback_id = self.sender
        text = self.create_text()
        with self.provider() as provider:
            provider.answers[CUSTOMER] = NotSent("no connection")
            self.run_lanes()
            self.run_lanes()
        self.assertFalse(provider.sent)
        self.assertEqual((text.message_id.state, text.attempts), ("queued", 1))
        self.assertEqual(text.sender_id, self.fallback)

    def test_a_disabled_gateway_is_replaced_when_the_text_is_written(self):
        """Nobody has to choose another sender in a hurry."""
        self.gateway.state = "disabled"
        text = self.create_text()
        self.assertEqual((text.state, text.sender_id), ("outgoing", self.fallback))
        self.assertEqual(text.message_id.intended_sender_id, self.sender)
        self.sender.fallback_id = False
        self.assertEqual(self.create_text().failure_type, "sms_sender")

    def test_whose_sender_it_is_decides_not_whose_fallback(self):
        """A salesman may not write by the spare number, but his text may leave by it."""
        self.gateway.state = "disabled"
        self.sender.user_ids = self.salesman
        self.fallback.user_ids = self.env.ref("base.user_admin")
        texts = self.env["sms.sms"].with_user(self.salesman).sudo(False)
        text = texts.sudo().with_context(sms_sender_id=self.sender.id)
        text = text.create({"number": CUSTOMER, "body": "Hello"})
        self.assertEqual((text.state, text.sender_id), ("outgoing", self.fallback))
        text = texts.sudo().with_context(sms_sender_id=self.fallback.id)
        text = text.create({"number": CUSTOMER, "body": "Hello"})
        self.assertEqual((text.state, text.failure_type), ("error", "sms_sender"))

    def test_only_a_fallback_that_can_send(self):
        for values in ({"state": "draft"}, {"active": False}):
            before = {name: self.fallback[name] for name in values}
            self.fallback.write(values)
            self.assertFalse(self.sender._get_fallback())
            self.fallback.write(before)
        for state in ("test", "disabled"):
            self.other_gateway.state = state
            self.assertFalse(self.sender._get_fallback())

    def test_a_fallback_is_at_another_gateway(self):
        """Else it would be down too."""
        with self.assertRaisesRegex(ValidationError, "same gateway"):
            self.sender.fallback_id = self.text_sender

    def test_what_a_provider_may_have_is_not_sent_by_another(self):
        """P2: the answer was lost, the repetition finds no connection: the first may have gone."""
        text, later = self.create_text(body="1"), self.create_text(body="2")
        adapter = type(self.gateway._get_adapter())
        features = {**self.gateway._get_adapter()._get_features(), "idempotency": True}
        self.startPatcher(patch.object(adapter, "_get_features", lambda _self: features))
        self.env.invalidate_all()
        text.state, text.message_id.state = "process", "sending"
        with patch.object(type(self.env["sms.lane"]), "_commit"):
            self.env["sms.lane"]._settle_orphans(text.lane)
        self.assertEqual((text.state, text.attempts), ("outgoing", 1))
        later.attempts = 1
        self.assertFalse(text._divert())
        self.assertEqual((text | later).sender_id, self.sender)
        text.attempts = 0
        self.assertTrue(text._divert())
        self.assertEqual((text.sender_id, later.sender_id), (self.fallback, self.sender))
