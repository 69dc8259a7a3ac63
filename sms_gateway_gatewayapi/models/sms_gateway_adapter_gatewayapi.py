import re

from odoo import models

from odoo.addons.sms_gateway.engine.contract import (
    InboundText,
    SendRequest,
    TextPart,
    WebhookMalformed,
)
from odoo.addons.sms_gateway.engine.reading import dig, dig_list, digits, read_text, read_time

from .. import const


class SmsGatewayAdapterGatewayapi(models.AbstractModel):
    """GatewayAPI's messaging API; its calls are events, with the body signed."""

    _name = "sms.gateway.adapter.gatewayapi"
    _inherit = ["sms.gateway.adapter.gatewayapi.common"]
    _description = "SMS gateway adapter: GatewayAPI"

    # === SENDING === #

    def _prepare_request(self, gateway, messages):
        texts = [
            {
                "sender": digits(message.sender_id.address),
                "recipient": int(digits(message.number)),
                "message": message.body,
                "reference": message.uuid,
            }
            for message in messages
        ]
        return SendRequest(
            tuple(messages.mapped("uuid")),
            "POST",
            f"https://messaging.gatewayapi.{gateway.gatewayapi_region}/mobile/multi",
            headers={"Authorization": f"Token {gateway.gatewayapi_token}"},
            json={"messages": texts},
        )

    def _read_accepted(self, request, answer):
        return {
            read_text(dig(text, "reference")): {"provider_ref": reference}
            for text in dig_list(answer, "responses")
            if (reference := read_text(dig(text, "msg_id")))
        }

    # === REFUSALS === #

    def _read_code(self, answer):
        """Of a field that it does not take, the API tells the name in the place of a code."""
        return super()._read_code(answer) or read_text(dig(answer, "detail", 0, "loc", 3))

    def _get_words(self, response):
        detail = dig(response.json(), "detail")
        return read_text(dig(detail, 0, "msg")) or read_text(detail) or super()._get_words(response)

    def _find_named(self, request, answer):
        """The API names a text by its position."""
        named = {read_text(dig(error, "loc", 2)) for error in dig_list(answer, "detail")}
        return [uuid for position, uuid in enumerate(request.uuids) if str(position) in named]

    # === WEBHOOKS === #

    def _read_payload(self, webhook):
        """What the call says: an event and its type.

        A call with a token is of the legacy API, and what stands beside the token is not signed.
        """
        if webhook.headers.get(const.TOKEN_HEADER):
            raise WebhookMalformed(
                "a call of the legacy API: use a gateway with the provider "
                "GatewayAPI (legacy REST API)"
            )
        payload = webhook.json()
        if not isinstance(dig(payload, "event"), dict):
            raise WebhookMalformed("no event of the messaging API")
        return payload

    def _extract_inbound(self, gateway, webhook):
        payload = self._read_payload(webhook)
        if read_text(payload.get("event_type")) not in const.TEXT_EVENTS:
            return []
        return [self._read_text_event(gateway, payload["event"])]

    def _read_text_event(self, gateway, event):
        content, reference = event.get("content"), read_text(event.get("msg_id"))
        part = self._read_part(dig(content, "header"))
        return InboundText(
            number=self._format_number(gateway, event.get("sender")),
            address=read_text(event.get("recipient")) or self._get_only_address(gateway),
            body=content if isinstance(content, str) else dig(content, "message"),
            provider_ref=f"{reference}/{part.number}" if reference and part else reference,
            sent_at=read_time(event.get("sent_at")),
            part=part,
        )

    def _read_part(self, header):
        """Which part of a long text it is, or None."""
        match = re.fullmatch(const.PART_HEADER, read_text(header) or "")
        if not match:
            return None
        try:
            return TextPart(match[1] or match[2], int(match[4], 16), int(match[3], 16))
        except ValueError as error:
            raise WebhookMalformed(f"no user data header: {header}") from error

    def _get_only_address(self, gateway):
        """An event does not name the number that was written to; often there is but one."""
        receiving = gateway.sender_ids.filtered("can_receive")
        return receiving.address if len(receiving) == 1 else ""

    def _extract_reports(self, gateway, webhook):
        event = self._read_payload(webhook)["event"]
        told = read_text(event.get("status"))
        return [self._read_report(told, event)] if told else []

    def _read_report(self, told, event):
        return self._make_report(
            told,
            uuid=read_text(event.get("reference")),
            reference=read_text(event.get("msg_id")),
            code=read_text(dig(event, "error", "hex_code")),
            words=read_text(dig(event, "error", "details")),
        )
