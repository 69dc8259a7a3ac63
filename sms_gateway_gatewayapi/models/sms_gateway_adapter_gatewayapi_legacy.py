import jwt

from odoo import models

from odoo.addons.sms_gateway.engine.contract import InboundText, WebhookMalformed
from odoo.addons.sms_gateway.engine.reading import (
    dig,
    dig_list,
    digits,
    read_number,
    read_text,
    read_time,
)

from .. import const


class SmsGatewayAdapterGatewayapiLegacy(models.AbstractModel):
    """GatewayAPI's legacy REST API; its calls repeat all that they say in a JSON Web Token."""

    _name = "sms.gateway.adapter.gatewayapi_legacy"
    _inherit = ["sms.gateway.adapter.gatewayapi.common"]
    _description = "SMS gateway adapter: GatewayAPI (legacy REST API)"

    # === SENDING === #

    def _prepare_request(self, gateway, messages):
        """The API does not see by itself that a text needs Unicode."""
        texts = [
            {
                "sender": digits(message.sender_id.address),
                "recipients": [{"msisdn": int(digits(message.number))}],
                "message": message.body,
                "encoding": "UCS2" if message.encoding == "ucs2" else "UTF8",
                "userref": message.uuid,
            }
            for message in messages
        ]
        uuids = messages.mapped("uuid")
        return self._prepare_rest_request(gateway, "POST", "mtsms", uuids, texts)

    def _read_accepted(self, request, answer):
        """The API tells only its ids, in the order of the texts."""
        ids = dig_list(answer, "ids")
        if len(ids) != len(request.uuids):
            return {}
        cost = self._read_cost(request, answer)
        return {
            uuid: {"provider_ref": reference, **cost}
            for uuid, told in zip(request.uuids, ids, strict=True)
            if (reference := read_text(told))
        }

    def _read_cost(self, request, answer):
        """What a text cost; of several only the sum is told."""
        usage = dig(answer, "usage")
        cost = read_number(dig(usage, "total_cost"))
        if cost is None or len(request.uuids) > 1:
            return {}
        return {"cost": cost, "currency": read_text(dig(usage, "currency"))}

    # === REFUSALS === #

    def _get_words(self, response):
        """What is to stand for %1 is told apart."""
        variable = read_text(dig(response.json(), "variables", 0)) or ""
        return super()._get_words(response).replace("%1", variable)

    def _find_named(self, request, answer):
        """The API names a text by its number."""
        numbers = [str(text["recipients"][0]["msisdn"]) for text in request.json]
        named = {read_text(value) for value in dig_list(answer, "variables")}
        return [u for u, number in zip(request.uuids, numbers, strict=True) if number in named]

    # === WEBHOOKS === #

    def _read_payload(self, webhook):
        """What the token of the call says; nothing else of it is signed."""
        token = webhook.headers.get(const.TOKEN_HEADER)
        if not token:
            raise WebhookMalformed(
                "a call of the messaging API: use a gateway with the provider GatewayAPI"
            )
        try:  # proven when it came
            return jwt.decode(token, options={"verify_signature": False})
        except jwt.InvalidTokenError as error:
            raise WebhookMalformed(f"no token: {error}") from error

    def _extract_inbound(self, gateway, webhook):
        payload = self._read_payload(webhook)
        text = InboundText(
            number=self._format_number(gateway, payload.get("msisdn")),
            address=self._read_address(gateway, payload),
            body=payload.get("message"),
            provider_ref=read_text(payload.get("id")),
            sent_at=read_time(payload.get("senttime")),
        )
        return [text]

    def _read_address(self, gateway, payload):
        """Our address; a short number comes with the prefix of its country before it."""
        receiver = read_text(payload.get("receiver"))
        prefix = read_text(payload.get("country_prefix"))
        short = receiver and prefix and receiver.removeprefix(prefix)
        return short if short in gateway.sender_ids.mapped("address") else receiver

    def _extract_reports(self, gateway, webhook):
        payload = self._read_payload(webhook)
        report = self._make_report(
            read_text(payload.get("status")),
            uuid=read_text(payload.get("userref")),
            reference=read_text(payload.get("id")),
            code=read_text(payload.get("code")),
            words=read_text(payload.get("error")),
        )
        return [report]
