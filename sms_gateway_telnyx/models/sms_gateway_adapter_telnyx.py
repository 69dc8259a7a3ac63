from base64 import b64decode

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from odoo import models

from odoo.addons.sms_gateway.engine.contract import (
    DeliveryReport,
    InboundText,
    SendRequest,
    SendResult,
    WebhookMalformed,
    WebhookRefused,
)
from odoo.addons.sms_gateway.engine.proof import check_age, require
from odoo.addons.sms_gateway.engine.reading import (
    dig,
    read_count,
    read_number,
    read_text,
    read_time,
)
from odoo.addons.sms_gateway.engine.results import get_retry_after, refuse, unknown

from .. import const


class SmsGatewayAdapterTelnyx(models.AbstractModel):
    """Telnyx, API version 2.

    It recognises a repeated request by its ``Idempotency-Key``, which is our uuid. Each text names
    the address for its reports, with our uuid in it.
    """

    _name = "sms.gateway.adapter.telnyx"
    _inherit = ["sms.gateway.adapter"]
    _description = "SMS gateway adapter: Telnyx"

    # === SENDING === #

    def _prepare_request(self, gateway, message):
        return SendRequest(
            uuids=(message.uuid,),
            method="POST",
            url=f"{const.URL}/messages",
            headers={**self._prepare_headers(gateway), "Idempotency-Key": message.uuid},
            json=self._prepare_text(gateway, message),
            idempotent=True,
        )

    def _prepare_headers(self, gateway):
        return {"Authorization": f"Bearer {gateway.telnyx_api_key}"}

    def _prepare_text(self, gateway, message):
        """A name is no number of a messaging profile: Telnyx must be told which one it uses."""
        text = {
            "from": message.sender_id.address,
            "to": message.number,
            "text": message.body,
            "type": "SMS",
            "webhook_url": self._get_report_url(gateway, message),
            "use_profile_webhooks": False,
        }
        if message.sender_id.kind == "text":
            text["messaging_profile_id"] = gateway.telnyx_profile
        return text

    def _parse_response(self, gateway, request, response):
        answer = response.json()
        reference = read_text(dig(answer, "data", "id"))
        if reference and response.status < 300:
            parts = read_count(dig(answer, "data", "parts"))
            cost = self._read_cost(dig(answer, "data"))
            return [SendResult(request.uuids[0], "sent", reference, segments=parts, **cost)]
        if 300 <= response.status < 500:
            return self._parse_refusal(request, response, dig(answer, "errors", 0))
        return unknown(request, response)

    def _parse_refusal(self, request, response, error):
        """A conflict is a first try that Telnyx still works on; asked again, it tells the end."""
        code = read_text(dig(error, "code")) or str(response.status)
        return refuse(
            request,
            code,
            self._read_reason(error) or response.text.strip(),
            {code: "sms_server"} if response.status == 409 else const.FAILURES,
            response.status,
            get_retry_after(response),
        )

    def _read_reason(self, error):
        """Title and detail of an error in the words of Telnyx, or None."""
        words = (read_text(dig(error, name)) for name in ("title", "detail"))
        return ": ".join(filter(None, words)) or None

    def _read_cost(self, payload):
        amount = read_number(dig(payload, "cost", "amount"))
        currency = read_text(dig(payload, "cost", "currency"))
        return {} if amount is None else {"cost": amount, "currency": currency}

    def _check_sender(self, gateway, sender):
        if sender.kind == "text" and not gateway.sudo().telnyx_profile:
            return self.env._(
                "Telnyx sends in a name only within a messaging profile: fill in “Telnyx messaging "
                "profile” of %s first.",
                gateway.name,
            )
        return super()._check_sender(gateway, sender)

    # === WEBHOOKS === #

    def _verify_webhook(self, gateway, webhook):
        """The moment and the body are signed with Ed25519, with the account's key."""
        require(gateway.telnyx_public_key)
        signature = webhook.headers.get("telnyx-signature-ed25519")
        timestamp = webhook.headers.get("telnyx-timestamp")
        if not (signature and timestamp):
            raise WebhookRefused("unsigned")
        check_age(timestamp)
        try:
            key = Ed25519PublicKey.from_public_bytes(b64decode(gateway.telnyx_public_key))
            key.verify(b64decode(signature), f"{timestamp}|".encode() + webhook.body)
        except (InvalidSignature, ValueError) as error:
            raise WebhookRefused("signature") from error

    def _read_event(self, webhook):
        """Name and payload of the event that a call brings."""
        data = dig(webhook.json(), "data")
        name, payload = read_text(dig(data, "event_type")), dig(data, "payload")
        if not name or not isinstance(payload, dict):
            raise WebhookMalformed("no event of Telnyx")
        return name, payload

    def _extract_inbound(self, gateway, webhook):
        name, payload = self._read_event(webhook)
        if name != "message.received":
            return []
        return [
            InboundText(
                number=self._format_number(
                    gateway, read_text(dig(payload, "from", "phone_number")) or ""
                ),
                address=dig(payload, "to", 0, "phone_number"),
                body=self._read_body(payload),
                provider_ref=dig(payload, "id"),
                sent_at=read_time(payload.get("received_at")),
            )
        ]

    def _read_body(self, payload):
        """The text, and the addresses of pictures that came with it."""
        media = payload.get("media")
        links = [read_text(dig(item, "url")) for item in media] if isinstance(media, list) else []
        return "\n".join(filter(None, [read_text(payload.get("text")), *links]))

    def _extract_reports(self, gateway, webhook):
        name, payload = self._read_event(webhook)
        if name not in const.REPORT_EVENTS:
            return []
        told = read_text(dig(payload, "to", 0, "status"))
        if not told:
            raise WebhookMalformed("a report without a state")
        state = const.REPORT_STATES.get(told, "sent")
        failure = self._read_failure(told, payload) if state == "failed" else {}
        return [
            DeliveryReport(
                state,
                uuid=webhook.params.get("uuid"),
                provider_ref=dig(payload, "id"),
                **failure,
                **self._read_cost(payload),
            )
        ]

    def _read_failure(self, told, payload):
        """Why a text failed: the code of Telnyx, else the state alone."""
        error = dig(payload, "errors", 0)
        code = read_text(dig(error, "code"))
        kind = const.REPORT_FAILURES.get(told, "sms_not_delivered")
        return {
            "failure_type": const.FAILURES.get(code, kind),
            "code": code,
            "reason": self._read_reason(error) or told,
        }

    # === ACCOUNT === #

    def _prepare_test_request(self, gateway):
        return SendRequest(
            (), "GET", f"{const.URL}/balance", headers=self._prepare_headers(gateway)
        )

    def _parse_test_response(self, gateway, response):
        if self._parse_balance(gateway, response):
            return True, ""
        words = self._read_reason(dig(response.json(), "errors", 0)) or response.text.strip()[:200]
        return False, self.env._(
            "Telnyx does not accept this API key. It answered %(status)s %(words)s",
            status=response.status,
            words=words,
        )

    def _prepare_balance_request(self, gateway):
        return self._prepare_test_request(gateway)

    def _parse_balance(self, gateway, response):
        data = dig(response.json(), "data")
        amount = read_number(dig(data, "balance"))
        return None if amount is None else (amount, read_text(dig(data, "currency")))

    def _get_features(self):
        return {
            **super()._get_features(),
            "idempotency": True,
            "balance": True,
            "cost": True,
            "signature": True,
        }
