from odoo import models

from odoo.addons.sms_gateway.engine.contract import (
    DeliveryReport,
    InboundText,
    SendRequest,
    SendResult,
    WebhookMalformed,
)
from odoo.addons.sms_gateway.engine.proof import check_age, check_ed25519, require
from odoo.addons.sms_gateway.engine.reading import (
    dig,
    dig_list,
    read_amount,
    read_count,
    read_number,
    read_text,
    read_time,
)
from odoo.addons.sms_gateway.engine.results import refuse, unknown

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
            return self._parse_refusal(request, response)
        return unknown(request, response)

    def _parse_refusal(self, request, response):
        """A conflict is a first try that Telnyx still works on; asked again, it tells the end."""
        code = read_text(dig(response.json(), "errors", 0, "code")) or str(response.status)
        failures = {code: "sms_server"} if response.status == 409 else const.FAILURES
        return refuse(request, response, code, self._get_words(response), failures)

    def _get_words(self, response):
        return self._read_reason(response.json()) or super()._get_words(response)

    def _read_reason(self, told):
        """Title and detail of the first of several errors, or None."""
        words = (read_text(dig(told, "errors", 0, name)) for name in ("title", "detail"))
        return ": ".join(filter(None, words)) or None

    def _read_cost(self, payload):
        cost = dig(payload, "cost")
        return {
            "cost": read_number(dig(cost, "amount")),
            "currency": read_text(dig(cost, "currency")),
        }

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
        timestamp = webhook.headers.get("telnyx-timestamp")
        check_age(timestamp)
        signature = webhook.headers.get("telnyx-signature-ed25519")
        signed = f"{timestamp}|".encode() + webhook.body
        check_ed25519(signature, signed, gateway.telnyx_public_key)

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
                number=self._format_number(gateway, dig(payload, "from", "phone_number")),
                address=dig(payload, "to", 0, "phone_number"),
                body=self._read_body(payload),
                provider_ref=dig(payload, "id"),
                sent_at=read_time(payload.get("received_at")),
            )
        ]

    def _read_body(self, payload):
        """The text, and the addresses of pictures that came with it."""
        links = (read_text(dig(item, "url")) for item in dig_list(payload, "media"))
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
        code = read_text(dig(payload, "errors", 0, "code"))
        kind = const.REPORT_FAILURES.get(told, "sms_not_delivered")
        return {
            "failure_type": const.FAILURES.get(code, kind),
            "code": code,
            "reason": self._read_reason(payload) or told,
        }

    # === ACCOUNT === #

    def _prepare_balance_request(self, gateway):
        return SendRequest(
            (), "GET", f"{const.URL}/balance", headers=self._prepare_headers(gateway)
        )

    def _parse_balance(self, gateway, response):
        data = dig(response.json(), "data")
        return read_amount(dig(data, "balance"), dig(data, "currency"))

    def _get_test_advice(self):
        return self.env._("Check Telnyx API key.")

    def _get_features(self):
        return {
            **super()._get_features(),
            "idempotency": True,
            "balance": True,
            "cost": True,
            "signature": True,
        }
