import dataclasses
import hmac
import json

from odoo.addons.sms_gateway.engine.contract import Response
from odoo.addons.sms_gateway.tests.contract import AdapterContract

from .. import const

SECRET = "hemligt" * 6
#: As in the documentation of the REST API.
LEGACY_TEXT = {
    "id": 1000001,
    "msisdn": 4587654321,
    "receiver": 451204,
    "message": "foo Hello World",
    "senttime": 1450000000,
    "webhook_label": "test",
    "country_code": "DK",
    "country_prefix": 45,
}
#: State that GatewayAPI tells by ours.
STATES = {"sent": "ENROUTE", "delivered": "DELIVERED", "failed": "UNDELIVERABLE"}
ACCOUNT = b'{"credit": 1234.56, "currency": "DKK", "id": 1}'


def answer(status, body, headers=None):
    return Response(status, headers or {}, json.dumps(body).encode())


def refuse_legacy(status, code, words="Words: %1", *variables):
    body = {"code": code, "incident_uuid": "d8127429", "message": words, "variables": variables}
    return answer(status, body)


class GatewayapiContract(AdapterContract):
    """What the tests of both APIs share."""

    gateway_values = {"gatewayapi_token": "JxJOf8ddQSdtEjYwL_-FFU", "gatewayapi_secret": SECRET}
    credentials = ("gatewayapi_token", "gatewayapi_secret")
    verification_fields = ("gatewayapi_secret",)

    def make_throttled(self, request):
        return [Response(429, {"Retry-After": "3"}, b"")]

    def make_test_answers(self):
        return [
            (Response(200, {}, ACCOUNT), True),
            (refuse_legacy(401, "0x0211", "Invalid password"), False),
            (Response(200, {}, b"<html>Log in</html>"), False),
        ]

    def with_headers(self, webhook, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items() if value}
        return dataclasses.replace(webhook, headers=headers)

    def sign(self, webhook, secret=SECRET):
        """A call as the messaging API signs it, after GatewayAPI's own example."""
        signature = hmac.digest(secret.encode(), webhook.body, "SHA256").hex()
        return self.with_headers(webhook, signature=f"v1={signature}")

    # === TESTS === #

    def test_balance(self):
        told = Response(200, {}, ACCOUNT)
        self.assertEqual(self.adapter._parse_balance(self.gateway, told), (1234.56, "DKK"))
        self.assertIsNone(self.adapter._parse_balance(self.gateway, Response(401, {}, b"")))

    def test_every_code_is_a_failure_we_know(self):
        known = dict(self.env["sms.sms"]._fields["failure_type"]._description_selection(self.env))
        kinds = {
            *const.FAILURES.values(),
            *const.REPORT_FAILURES.values(),
            *const.STATE_FAILURES.values(),
        }
        self.assertLessEqual(kinds, known.keys())
