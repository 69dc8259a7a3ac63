import re

import jwt
import phonenumbers

from odoo import models

from odoo.addons.sms_gateway.engine.contract import (
    DeliveryReport,
    InboundText,
    SendRequest,
    SendResult,
    TextPart,
    WebhookMalformed,
)
from odoo.addons.sms_gateway.engine.json_web_token import read_jwt
from odoo.addons.sms_gateway.engine.proof import check_equal, require, sign
from odoo.addons.sms_gateway.engine.reading import (
    dig,
    dig_list,
    digits,
    read_amount,
    read_number,
    read_state,
    read_text,
    read_time,
)
from odoo.addons.sms_gateway.engine.results import refuse, refuse_one, retry, unknown

from .. import const


class SmsGatewayAdapterGatewayapi(models.AbstractModel):
    """GatewayAPI, by its messaging API or its legacy REST API.

    Both take many texts in one request, each with our uuid, and refuse all of them for one. Which
    API calls us shows in the call: the legacy one repeats everything in a JSON Web Token.
    """

    _name = "sms.gateway.adapter.gatewayapi"
    _inherit = ["sms.gateway.adapter"]
    _description = "SMS gateway adapter: GatewayAPI"

    # === SENDING === #

    def _get_batch_size(self):
        return const.BATCH_SIZE

    def _get_batch_key(self, message):
        """A country that the account may not send to is refused with all texts of its request."""
        try:
            return phonenumbers.region_code_for_number(phonenumbers.parse(message.number))
        except phonenumbers.NumberParseException:
            return None

    def _get_alone(self, messages):
        """Those that were tried before: an answer may name only one of several wrong texts."""
        return messages._get_tried()

    def _prepare_request(self, gateway, messages):
        legacy = gateway.gatewayapi_api == "legacy"
        prepare = self._prepare_legacy if legacy else self._prepare_messaging
        return prepare(gateway, messages)

    def _prepare_messaging(self, gateway, messages):
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

    def _prepare_legacy(self, gateway, messages):
        """The legacy API does not see by itself that a text needs Unicode."""
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
        return self._prepare_rest(gateway, "POST", "mtsms", messages.mapped("uuid"), texts)

    def _prepare_rest(self, gateway, method, path, uuids=(), json=None):
        return SendRequest(
            tuple(uuids),
            method,
            f"https://gatewayapi.{gateway.gatewayapi_region}/rest/{path}",
            auth=(gateway.gatewayapi_token or "", ""),
            json=json,
        )

    def _parse_response(self, gateway, request, response):
        if 300 <= response.status < 500:
            return self._parse_refusal(request, response)
        legacy = isinstance(request.json, list)
        references = (self._read_ids if legacy else self._read_responses)(request, response)
        if response.status >= 500 or not references:
            return unknown(request, response)
        cost = self._read_cost(request, response)
        return [
            SendResult(uuid, "sent", references[uuid], **cost)
            if references.get(uuid)
            else SendResult(uuid, "unknown", reason="not in the answer")
            for uuid in request.uuids
        ]

    def _read_responses(self, request, response):
        """GatewayAPI's id by ours."""
        return {
            read_text(dig(text, "reference")): read_text(dig(text, "msg_id"))
            for text in dig_list(response.json(), "responses")
        }

    def _read_ids(self, request, response):
        """GatewayAPI's id by ours; the legacy API tells them in the order of the texts."""
        ids = dig_list(response.json(), "ids")
        if len(ids) != len(request.uuids):
            return {}
        return dict(zip(request.uuids, map(read_text, ids), strict=True))

    def _read_cost(self, request, response):
        """What a text cost; of several the sum is told, and of none by the messaging API."""
        usage = dig(response.json(), "usage")
        cost = read_number(dig(usage, "total_cost"))
        if cost is None or len(request.uuids) > 1:
            return {}
        return {"cost": cost, "currency": read_text(dig(usage, "currency"))}

    def _parse_refusal(self, request, response):
        """Refused together; where the answer names the texts meant, the others may go again."""
        answer = response.json()
        code = read_text(dig(answer, "code")) or read_text(dig(answer, "detail", 0, "loc", 3))
        code = (code or str(response.status)).lower()
        words, status = self._get_words(response), response.status
        if named := self._find_named(request, answer):
            failures = {u: refuse_one(u, code, words, const.FAILURES, status) for u in named}
            return retry(request, code, words, failures)
        if len(request.uuids) > 1 and self._is_of_one(code, status):
            return retry(request, code, words)
        return refuse(request, response, code, words, const.FAILURES)

    def _is_of_one(self, code, status):
        """Whether a refusal is meant for one of several texts, or nobody knows for how many."""
        return code in const.OF_ONE or (status in (400, 422) and code not in const.FAILURES)

    def _get_words(self, response):
        """The legacy API tells what is to stand for %1 apart."""
        answer = response.json()
        if words := read_text(dig(answer, "message")):
            return words.replace("%1", read_text(dig(answer, "variables", 0)) or "")
        words = read_text(dig(answer, "detail", 0, "msg")) or read_text(dig(answer, "detail"))
        return words or super()._get_words(response)

    def _find_named(self, request, answer):
        """Our ids of the texts that a refusal names, by their number or by their position."""
        if isinstance(request.json, list):
            keys = [str(text["recipients"][0]["msisdn"]) for text in request.json]
            named = {read_text(value) for value in dig_list(answer, "variables")}
        else:
            keys = [str(position) for position in range(len(request.uuids))]
            named = {read_text(dig(error, "loc", 2)) for error in dig_list(answer, "detail")}
        return [uuid for uuid, key in zip(request.uuids, keys, strict=True) if key in named]

    # === WEBHOOKS === #

    def _verify_webhook(self, gateway, webhook):
        """The legacy API sends a token that repeats the call, the messaging API signs the body."""
        require(gateway.gatewayapi_secret)
        if token := webhook.headers.get("x-gwapi-signature"):
            read_jwt(token, gateway.gatewayapi_secret)
        else:
            signature = f"v1={sign(gateway.gatewayapi_secret, webhook.body).hex()}"
            check_equal(webhook.headers.get("signature"), signature)

    def _read_payload(self, webhook):
        """What the call says; of the legacy API only the token, for nothing else is signed.

        :return: (payload dict, whether it is an event of the messaging API)
        """
        if token := webhook.headers.get("x-gwapi-signature"):
            try:  # proven when it came
                return jwt.decode(token, options={"verify_signature": False}), False
            except jwt.InvalidTokenError as error:
                raise WebhookMalformed(f"no token: {error}") from error
        payload = webhook.json()
        if not isinstance(dig(payload, "event"), dict):
            raise WebhookMalformed("no event of the messaging API")
        return payload, True

    def _extract_inbound(self, gateway, webhook):
        payload, is_event = self._read_payload(webhook)
        if not is_event:
            return [self._read_legacy_text(gateway, payload)]
        if read_text(payload.get("event_type")) not in const.TEXT_EVENTS:
            return []
        return [self._read_text_event(gateway, payload["event"])]

    def _read_legacy_text(self, gateway, payload):
        return InboundText(
            number=self._format_number(gateway, payload.get("msisdn")),
            address=self._read_address(gateway, payload),
            body=payload.get("message"),
            provider_ref=read_text(payload.get("id")),
            sent_at=read_time(payload.get("senttime")),
        )

    def _read_address(self, gateway, payload):
        """Our address; a short number comes with the prefix of its country before it."""
        receiver = read_text(payload.get("receiver"))
        prefix = read_text(payload.get("country_prefix"))
        short = receiver and prefix and receiver.removeprefix(prefix)
        return short if short in gateway.sender_ids.mapped("address") else receiver

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
        payload, is_event = self._read_payload(webhook)
        report = payload["event"] if is_event else payload
        told = read_text(report.get("status"))
        if is_event and not told:
            return []
        state = read_state(const.REPORT_STATES, told)
        return [
            DeliveryReport(
                state,
                uuid=report.get("reference") or report.get("userref"),
                provider_ref=read_text(report.get("msg_id")) or read_text(report.get("id")),
                **(self._read_failure(told, report) if state == "failed" else {}),
            )
        ]

    def _read_failure(self, told, report):
        """Why a text failed: code and words, which the two APIs tell in different places."""
        error = report.get("error")
        code = read_text(dig(error, "hex_code")) or read_text(report.get("code"))
        kind = const.STATE_FAILURES.get(told, "sms_not_delivered")
        return {
            "failure_type": const.REPORT_FAILURES.get((code or "").lower(), kind),
            "code": code,
            "reason": read_text(dig(error, "details")) or read_text(error) or told,
        }

    # === ACCOUNT === #

    def _prepare_balance_request(self, gateway):
        return self._prepare_rest(gateway, "GET", "me")

    def _parse_balance(self, gateway, response):
        account = response.json()
        return read_amount(dig(account, "credit"), dig(account, "currency"))

    def _get_test_advice(self):
        return self.env._("Check GatewayAPI token and GatewayAPI region.")

    def _get_features(self):
        return {**super()._get_features(), "balance": True, "signature": True}
