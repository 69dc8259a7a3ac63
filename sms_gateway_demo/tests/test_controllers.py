import json
import time

from odoo.tests import HttpCase, tagged
from odoo.tools import config, mute_logger

from ..const import ACCOUNT_HEADER, ACCOUNT_PATH, SEND_PATH
from ..engine import signature


@tagged("post_install", "-at_install")
class TestControllers(HttpCase):
    """The carrier's interface over HTTP, as Odoo calls it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.gateway = cls.env["sms.gateway"].create({"name": "Demo", "code": "demo"})

    def request(self, path, payload=None, secret=None, **headers):
        """A request signed with the account's secret, or with another."""
        body = b"" if payload is None else json.dumps(payload).encode()
        signed = signature.sign(secret or self.gateway.demo_secret, body, time.time())
        return self.url_open(
            path,
            data=body or None,
            headers={
                "Content-Type": "application/json",
                ACCOUNT_HEADER: str(self.gateway.id),
                signature.HEADER: signed,
                "X-Odoo-Database": self.env.cr.dbname,
                **headers,
            },
        )

    def test_texts_are_taken(self):
        text = {"uuid": "abc", "from": "59440010", "to": "+4790000003", "body": "Hello"}
        answer = self.request(SEND_PATH, {"texts": [text]})
        self.assertEqual(answer.status_code, 200)
        taken = self.env["sms.demo.text"].search([("uuid", "=", "abc")])
        self.assertEqual((taken.body, taken.phone_id.number), ("Hello", "+4790000003"))
        self.assertEqual(answer.json()["texts"][0]["id"], taken.reference)
        self.assertNotIn("Set-Cookie", answer.headers)

    def test_the_account_tells_its_balance(self):
        self.assertEqual(self.request(ACCOUNT_PATH).json(), {"balance": 10000})

    def test_who_has_not_signed_is_refused(self):
        texts = {"texts": [{"uuid": "abc", "from": "x", "to": "+4790000003", "body": "Hello"}]}
        unsigned = self.request(SEND_PATH, texts, **{signature.HEADER: ""})
        forged = self.request(SEND_PATH, texts, secret="guessed")
        stranger = self.request(SEND_PATH, texts, **{ACCOUNT_HEADER: "0"})
        nobody = self.request(SEND_PATH, texts, **{ACCOUNT_HEADER: "' or 1=1"})
        curious = self.request(ACCOUNT_PATH, secret="guessed")
        answers = [unsigned, forged, stranger, nobody, curious]
        self.assertEqual({answer.status_code for answer in answers}, {401})
        self.assertFalse(self.env["sms.demo.text"].search([("uuid", "=", "abc")]))

    @mute_logger("odoo.http")
    def test_nonsense_is_refused(self):
        self.assertEqual(self.request(SEND_PATH, {"nonsense": 1}).status_code, 400)
        self.assertEqual(self.request(SEND_PATH, [1]).status_code, 400)

    def test_the_carrier_is_this_server_unless_told_otherwise(self):
        port = config["http_port"]
        self.assertEqual(self.gateway._get_demo_carrier_url(), f"http://127.0.0.1:{port}")
        self.gateway.demo_carrier_url = "http://odoo.internal:8069/"
        self.assertEqual(self.gateway._get_demo_carrier_url(), "http://odoo.internal:8069")
