from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.sms_gateway.engine import transport
from odoo.addons.sms_gateway.engine.contract import Response, SendRequest

from .common import SmsGatewayCase

REQUEST = SendRequest((), "GET", "http://127.0.0.1:1/")
#: Requests that cannot be made, and what the administrator is told of them.
WRONG = (
    (SendRequest((), "GET", "127.0.0.1/send"), "address on the page Credentials is none"),
    (SendRequest((), "GET", ""), "address on the page Credentials is none"),
    (SendRequest((), "GET", "http://127.0.0.1:1/", auth=("u", "ą")), "cannot be sent"),
)
#: What the network edge calls it, and what the administrator is told.
SILENCE = {
    "NameResolutionError": "the name of its server is not known",
    "NewConnectionError": "its server takes no connection",
    "ProtocolError": "ProtocolError. Check the address",
}


@tagged("post_install", "-at_install")
class TestGateway(SmsGatewayCase):
    """What an administrator is told who sets a gateway up."""

    def ask(self, action, **hooks):
        """Press a button of the gateway whose adapter answers so."""
        adapter = type(self.env["sms.gateway.adapter.none"])
        with patch.multiple(adapter, **{name: lambda *a, h=h: h for name, h in hooks.items()}):
            return getattr(self.gateway, action)()

    def test_an_address_that_is_none_is_explained(self):
        """In words with a remedy, and not in those of the network's library."""
        for request, words in WRONG:
            with self.subTest(words), self.assertRaisesRegex(UserError, words):
                self.ask("action_test_connection", _prepare_test_request=request)

    def test_a_provider_that_does_not_answer_is_explained(self):
        """Whether the address, this server's network or the provider is to be looked at."""
        for kind, words in SILENCE.items():
            with (
                self.subTest(kind),
                patch.object(transport, "perform", side_effect=transport.NotSent(kind)),
                self.assertRaisesRegex(UserError, f"^{self.gateway.name} does not.*{words}"),
            ):
                self.ask("action_test_connection", _prepare_test_request=REQUEST)

    def test_what_a_provider_wants_known_of_the_connection_is_shown(self):
        """That something is proven only with the first text, for one."""
        with patch.object(type(self.gateway), "_perform", lambda *a: Response(200, {}, b"")):
            answers = {"_prepare_test_request": REQUEST}
            told = (True, "The platform is checked with the first text.")
            action = self.ask("action_test_connection", **answers, _parse_test_response=told)
            self.assertEqual(action["params"]["message"], told[1])
            told = (True, "")
            action = self.ask("action_test_connection", **answers, _parse_test_response=told)
            self.assertEqual(action["params"]["message"], "The connection works.")

    def test_a_balance_that_is_not_told_is_said_to_be_missing(self):
        """Else the button does nothing, and the old balance passes for the new."""
        with patch.object(type(self.gateway), "_perform", lambda *a: Response(401, {}, b"")):
            answers = {"_prepare_balance_request": REQUEST}
            with self.assertRaisesRegex(UserError, "no balance"):
                self.ask("action_refresh_balance", **answers, _parse_balance=None)
            self.ask("action_refresh_balance", **answers, _parse_balance=(9.5, "EUR"))
        self.assertEqual(self.gateway.balance, "9.5 EUR")

    def test_a_copy_is_told_apart_and_sends_nothing(self):
        """Two accounts of one name, of which one has no credentials, confuse everybody."""
        copy = self.gateway.copy()
        self.assertEqual(copy.name, f"{self.gateway.name} (copy)")
        self.assertEqual(copy.state, "disabled")
        self.assertNotEqual(copy.webhook_token, self.gateway.webhook_token)
        self.assertEqual(self.gateway.copy({"name": "Stockholm"}).name, "Stockholm")
