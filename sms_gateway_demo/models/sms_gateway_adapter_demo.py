import json
import time
from datetime import UTC, datetime

from odoo import models

from odoo.addons.sms_gateway.engine.contract import (
    DeliveryReport,
    InboundText,
    SendRequest,
    SendResult,
    WebhookMalformed,
)

from ..const import ACCOUNT_HEADER, ACCOUNT_PATH, BATCH_SIZE, FAILURE_TYPES, SEND_PATH
from ..engine import signature

REPORT_STATES = {"on_the_way": "sent", "delivered": "delivered", "failed": "failed"}
#: HTTP status of a refused request, with the outcome and failure type of all its texts. Any
#: other error leaves open what became of them.
REFUSALS = {
    400: ("failed", "sms_server"),
    401: ("failed", "sms_configuration"),
    404: ("failed", "sms_configuration"),
    413: ("failed", "sms_too_long"),
    429: ("retry", "sms_throttled"),
    503: ("retry", "sms_server"),
}


class SmsGatewayAdapterDemo(models.AbstractModel):
    """Odoo's side of the demo carrier: the same contract as that of any provider."""

    _name = "sms.gateway.adapter.demo"
    _inherit = ["sms.gateway.adapter"]
    _description = "SMS gateway adapter: demo carrier"

    # === SENDING === #

    def _prepare_request(self, gateway, messages):
        """Override of `sms_gateway` to send up to fifty texts in one signed request."""
        texts = [
            {
                "uuid": message.uuid,
                "from": message.sender_id.address,
                "to": message.number,
                "body": message.body,
            }
            for message in messages
        ]
        return self._sign_request(
            gateway,
            "POST",
            SEND_PATH,
            body=json.dumps({"texts": texts}).encode(),
            uuids=tuple(text["uuid"] for text in texts),
            idempotent=True,
        )

    def _sign_request(self, gateway, method, path, body=b"", **values):
        """A request in the name of the gateway's account."""
        headers = {
            "Content-Type": "application/json",
            ACCOUNT_HEADER: str(gateway.id),
            signature.HEADER: signature.sign(gateway.demo_secret or "", body, time.time()),
            "X-Odoo-Database": self.env.cr.dbname,
        }
        url = gateway._get_demo_carrier_url() + path
        return SendRequest(method=method, url=url, headers=headers, data=body, **values)

    def _parse_response(self, gateway, request, response):
        """Override of `sms_gateway` to read one answer for each text, or one for all."""
        if response.status == 200:
            return self._parse_answers(request, response)
        outcome, failure_type = REFUSALS.get(response.status, ("unknown", None))
        told = response.json() if isinstance(response.json(), dict) else {}
        values = {
            "failure_type": failure_type,
            "code": str(response.status),
            "reason": told.get("error"),
            "retry_after": told.get("retry_after"),
        }
        return [SendResult(uuid, outcome, **values) for uuid in request.uuids]

    def _parse_answers(self, request, response):
        """Those texts of which the answer says nothing are unknown."""
        told = response.json()
        texts = told.get("texts", []) if isinstance(told, dict) else []
        answers = {text.get("uuid"): text for text in texts if isinstance(text, dict)}
        return [self._parse_answer(uuid, answers.get(uuid)) for uuid in request.uuids]

    def _parse_answer(self, uuid, answer):
        if not answer:
            return SendResult(uuid, "unknown", reason=self.env._("The carrier said nothing of it."))
        if answer.get("status") == "accepted":
            return SendResult(
                uuid,
                "sent",
                provider_ref=answer["id"],
                segments=answer.get("parts"),
                cost=answer.get("price"),
                currency=answer.get("currency"),
            )
        code = answer.get("code")
        return SendResult(
            uuid,
            "failed",
            failure_type=FAILURE_TYPES.get(code, "sms_rejected"),
            code=code,
            reason=answer.get("reason"),
        )

    def _get_batch_size(self):
        """Override of `sms_gateway`: a request carries many texts."""
        return BATCH_SIZE

    # === WEBHOOKS === #

    def _verify_webhook(self, gateway, webhook):
        """Override of `sms_gateway` to check the signature over moment and body."""
        header = webhook.headers.get(signature.HEADER.lower())
        signature.check(gateway.demo_secret, header, webhook.body, time.time())

    def _extract_inbound(self, gateway, webhook):
        """Override of `sms_gateway` to read the texts of telephones."""
        return [self._parse_inbound(text) for text in self._get_items(webhook, "texts")]

    def _parse_inbound(self, text):
        try:
            return InboundText(
                number=text["from"],
                address=text["to"],
                body=text["body"],
                provider_ref=text["id"],
                sent_at=self._parse_moment(text.get("sent_at")),
            )
        except (KeyError, TypeError, ValueError, OverflowError, OSError) as error:
            raise WebhookMalformed(f"not a text: {error!r}") from error

    def _parse_moment(self, moment):
        """Naive UTC from seconds since the epoch."""
        return datetime.fromtimestamp(moment, UTC).replace(tzinfo=None) if moment else None

    def _extract_reports(self, gateway, webhook):
        """Override of `sms_gateway` to read what became of our texts."""
        return [self._parse_report(report) for report in self._get_items(webhook, "reports")]

    def _parse_report(self, report):
        try:
            state = REPORT_STATES[report["status"]]
            code = report.get("code")
            failure_type = FAILURE_TYPES.get(code, "sms_not_delivered") if code else None
        except (AttributeError, KeyError, TypeError) as error:
            raise WebhookMalformed(f"not a report: {error!r}") from error
        return DeliveryReport(
            state=state,
            uuid=report.get("uuid"),
            provider_ref=report.get("id"),
            failure_type=failure_type,
            code=code,
            reason=report.get("reason"),
        )

    def _get_items(self, webhook, name):
        """The list of that name in the call.

        :raise WebhookMalformed: where there is none
        """
        told = webhook.json()
        items = told.get(name) if isinstance(told, dict) else None
        if not isinstance(items, list):
            raise WebhookMalformed(f"no list of {name}")
        return items

    def _webhook_reply(self, gateway, webhook):
        """Override of `sms_gateway`: any 2xx keeps the carrier from calling again."""
        return 200, {"Content-Type": "application/json"}, b'{"ok": true}'

    # === ACCOUNT === #

    def _prepare_test_request(self, gateway):
        """Override of `sms_gateway`: the account answers only who knows the secret."""
        return self._sign_request(gateway, "GET", ACCOUNT_PATH, uuids=())

    def _prepare_balance_request(self, gateway):
        """Override of `sms_gateway` to ask how many texts are left."""
        return self._sign_request(gateway, "GET", ACCOUNT_PATH, uuids=())

    def _parse_balance(self, gateway, response):
        """Override of `sms_gateway`: the carrier counts parts of texts, not money."""
        told = response.json()
        balance = told.get("balance") if isinstance(told, dict) else None
        return None if balance is None else (balance, None)

    def _get_features(self):
        """Override of `sms_gateway`: it can do everything."""
        return {
            **super()._get_features(),
            "idempotency": True,
            "balance": True,
            "signature": True,
        }
