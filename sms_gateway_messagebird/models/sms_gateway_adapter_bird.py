import re
from base64 import b64decode, b64encode

from odoo import models

from odoo.addons.sms_gateway.engine.contract import (
    DeliveryReport,
    InboundText,
    SendRequest,
    SendResult,
    WebhookMalformed,
    WebhookRefused,
)
from odoo.addons.sms_gateway.engine.proof import check_age, check_any, require, sign
from odoo.addons.sms_gateway.engine.reading import (
    dig,
    read_amount,
    read_count,
    read_number,
    read_text,
    read_time,
)
from odoo.addons.sms_gateway.engine.results import refuse, unknown

from .. import const


class SmsGatewayAdapterBird(models.AbstractModel):
    """Bird, the new platform of what was MessageBird.

    It recognises a repeated request by its ``Idempotency-Key``, which is our uuid. The uuid also
    returns with every event, in ``metadata``.
    """

    _name = "sms.gateway.adapter.bird"
    _inherit = ["sms.gateway.adapter"]
    _description = "SMS gateway adapter: Bird"

    # === SENDING === #

    def _prepare_request(self, gateway, message):
        marketing = message.origin in const.BIRD_MARKETING
        text = {
            "from": message.sender_id.address,
            "to": message.number,
            "text": message.body,
            "category": "marketing" if marketing else "transactional",
            "metadata": {"uuid": message.uuid},
        }
        request = self._prepare_call(gateway, "POST", "sms/messages")
        headers = {**request.headers, "Idempotency-Key": message.uuid}
        return SendRequest(
            (message.uuid,), "POST", request.url, headers=headers, json=text, idempotent=True
        )

    def _prepare_call(self, gateway, method, path):
        """A request to the region that is part of the key; without one, to the first."""
        key = re.fullmatch(const.BIRD_KEY, gateway.bird_api_key or "")
        url = const.BIRD_URL.format(region=key[1] if key else "eu1")
        headers = {"Authorization": f"Bearer {gateway.bird_api_key}"}
        return SendRequest((), method, f"{url}/v1/{path}", headers=headers)

    def _parse_response(self, gateway, request, response):
        answer = response.json()
        reference = read_text(dig(answer, "id"))
        if reference and response.status < 300:
            parts = read_count(dig(answer, "segments", "count"))
            cost = self._read_cost(answer)
            return [SendResult(request.uuids[0], "sent", reference, segments=parts, **cost)]
        if 300 <= response.status < 500:
            return self._parse_refusal(request, response)
        return unknown(request, response)

    def _parse_refusal(self, request, response):
        error = self._read_error(response)
        names = (read_text(dig(error, key)) for key in ("name", "type"))
        known = (const.BIRD_REFUSALS[name] for name in names if name in const.BIRD_REFUSALS)
        code = read_text(dig(error, "code")) or str(response.status)
        words = self._get_words(response)
        return refuse(request, response, code, words, {code: next(known, None)})

    def _get_words(self, response):
        told = dig(self._read_error(response), "message")
        return read_text(told) or super()._get_words(response)

    def _read_error(self, response):
        answer = response.json()
        return dig(answer, "error") or answer

    def _read_cost(self, data):
        cost = dig(data, "cost")
        return {
            "cost": read_number(dig(cost, "amount")),
            "currency": read_text(dig(cost, "currency_code")),
        }

    # === WEBHOOKS === #

    def _verify_webhook(self, gateway, webhook):
        """Standard Webhooks: id, moment and body are signed, with the secret of the endpoint."""
        require(gateway.bird_webhook_secret)
        told = [webhook.headers.get(f"webhook-{part}") for part in ("id", "timestamp", "signature")]
        if not all(told):
            raise WebhookRefused("unsigned")
        name, timestamp, given = told
        check_age(timestamp)
        signed = f"{name}.{timestamp}.".encode("utf-8", "surrogatepass") + webhook.body
        check_any(given.split(), self._sign(gateway, signed))

    def _sign(self, gateway, data):
        """What the header says of data that is signed with one of the gateway's secrets."""
        secrets = gateway.bird_webhook_secret.split()
        try:
            keys = [b64decode(s.removeprefix(const.BIRD_SECRET_PREFIX)) for s in secrets]
        except ValueError as error:
            raise WebhookRefused("secret") from error
        return [b"v1," + b64encode(sign(key, data)) for key in keys if key]

    def _read_event(self, webhook):
        """Name, moment and data of the event that a call brings."""
        event = webhook.json()
        name, data = read_text(dig(event, "type")), dig(event, "data")
        if not name or not isinstance(data, dict):
            raise WebhookMalformed("no event of Bird")
        return name, read_time(event.get("timestamp")), data

    def _extract_inbound(self, gateway, webhook):
        name, moment, data = self._read_event(webhook)
        if name != "sms.received":
            return []
        return [
            InboundText(
                number=self._format_number(gateway, data.get("from")),
                address=data.get("to"),
                body=read_text(data.get("text")) or "",
                provider_ref=data.get("sms_id"),
                sent_at=moment,
            )
        ]

    def _extract_reports(self, gateway, webhook):
        name, _moment, data = self._read_event(webhook)
        state = const.BIRD_EVENTS.get(name)
        if not state:
            return []
        return [
            DeliveryReport(
                state,
                uuid=dig(data, "metadata", "uuid"),
                provider_ref=data.get("sms_id"),
                **self._read_cost(data),
                **(self._read_failure(name, data) if state == "failed" else {}),
            )
        ]

    def _read_failure(self, name, data):
        code = read_text(dig(data, "error", "code"))
        kind = const.BIRD_EVENT_FAILURES.get(name, "sms_not_delivered")
        return {
            "failure_type": const.BIRD_FAILURES.get(code, kind),
            "code": read_text(dig(data, "error", "carrier_error_code")) or code,
            "reason": read_text(dig(data, "error", "description")) or name,
        }

    def _get_dedup_key(self, gateway, webhook):
        """The id that is signed with the call, and the same in each repetition."""
        return f"{webhook.kind}:{webhook.headers['webhook-id']}"

    # === ACCOUNT === #

    def _prepare_test_request(self, gateway):
        return self._prepare_call(gateway, "GET", "sms/senders")

    def _is_account(self, gateway, response):
        return isinstance(dig(response.json(), "data"), list)

    def _get_test_advice(self):
        return self.env._("Check Bird API key.")

    def _prepare_balance_request(self, gateway):
        return self._prepare_call(gateway, "GET", "organization/billing/wallets")

    def _parse_balance(self, gateway, response):
        wallet = dig(response.json(), "data", 0)
        return read_amount(dig(wallet, "balance"), dig(wallet, "currency_code"))

    def _get_features(self):
        return {
            **super()._get_features(),
            "idempotency": True,
            "balance": True,
            "cost": True,
            "signature": True,
        }
