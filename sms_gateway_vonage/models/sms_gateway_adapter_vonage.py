import hashlib
import re

from odoo import models

from odoo.addons.sms_gateway.engine.contract import (
    DeliveryReport,
    InboundText,
    SendRequest,
    SendResult,
    TextPart,
    WebhookMalformed,
    WebhookRefused,
)
from odoo.addons.sms_gateway.engine.proof import check_age, check_equal, require, sign
from odoo.addons.sms_gateway.engine.reading import (
    dig,
    dig_list,
    digits,
    read_amount,
    read_count,
    read_number,
    read_state,
    read_text,
    read_time,
)
from odoo.addons.sms_gateway.engine.results import get_retry_after, refuse_one, unknown

from .. import const


class SmsGatewayAdapterVonage(models.AbstractModel):
    """Vonage, SMS API.

    It answers 200 whatever happened; each part of a text has a status of its own. Our uuid travels
    as ``client-ref`` and returns with every delivery receipt. It calls by GET, form or JSON, as the
    account is set, and does not join the parts of a long text.
    """

    _name = "sms.gateway.adapter.vonage"
    _inherit = ["sms.gateway.adapter"]
    _description = "SMS gateway adapter: Vonage"

    # === SENDING === #

    def _prepare_request(self, gateway, message):
        """One request for one text; Vonage does not see by itself that a text needs Unicode."""
        return SendRequest(
            uuids=(message.uuid,),
            method="POST",
            url=f"{const.URL}/sms/json",
            auth=self._get_login(gateway),
            data={
                "from": digits(message.sender_id.address),
                "to": digits(message.number),
                "text": message.body,
                "type": "unicode" if message.encoding == "ucs2" else "text",
                "client-ref": message.uuid,
                "status-report-req": "1",
            },
        )

    def _get_login(self, gateway):
        return gateway.vonage_api_key or "", gateway.vonage_api_secret or ""

    def _parse_response(self, gateway, request, response):
        parts = dig_list(response.json(), "messages")
        refused = [part for part in parts if read_text(dig(part, "status")) != "0"]
        if not refused and read_text(dig(parts, 0, "message-id")):
            return [self._read_sent(request.uuids[0], parts)]
        if 0 < len(refused) < len(parts):
            return unknown(request, response)  # some parts are on their way
        if refused or 300 <= response.status < 500:
            return self._parse_refusal(request, response)
        return unknown(request, response)

    def _read_sent(self, uuid, parts):
        prices = [read_number(part.get("message-price")) for part in parts]
        cost = {} if None in prices else {"cost": sum(prices), "currency": const.CURRENCY}
        reference = read_text(parts[0]["message-id"])
        return SendResult(uuid, "sent", reference, segments=len(parts), **cost)

    def _parse_refusal(self, request, response):
        """A refusal; how long to wait may stand in its words only."""
        code = read_text(dig(response.json(), "messages", 0, "status")) or str(response.status)
        words, status = self._get_words(response), response.status
        pause = re.search(const.PAUSE, words)
        wait = int(pause[1]) / 1000 if pause else get_retry_after(response)
        return [refuse_one(request.uuids[0], code, words, const.FAILURES, status, wait)]

    def _get_words(self, response):
        answer = response.json()
        told = dig(answer, "messages", 0, "error-text") or dig(answer, "error-code-label")
        return read_text(told) or super()._get_words(response)

    # === WEBHOOKS === #

    def _read_params(self, webhook):
        """Names and values of a call, told in the address, in a form or as JSON."""
        if "json" not in webhook.headers.get("content-type", ""):
            return webhook.params
        values = webhook.json()
        if not isinstance(values, dict):
            raise WebhookMalformed("not an object")
        return {name: read_text(value) or "" for name, value in values.items()}

    def _verify_webhook(self, gateway, webhook):
        """All parameters are signed, the moment too; a repetition may come with the old one."""
        if gateway.vonage_signature == "none":
            return
        require(gateway.vonage_signature_secret)
        try:
            params = dict(self._read_params(webhook))
        except WebhookMalformed as error:
            raise WebhookRefused("unsigned") from error
        given = params.pop("sig", "").lower()
        check_equal(given, self._sign(gateway, params))
        check_age(params.get("timestamp"), const.MAX_AGE)

    def _sign(self, gateway, params):
        """The signature of parameters, in small hexadecimal digits."""
        data = "".join(
            f"&{name}={value.translate(const.ESCAPES)}" for name, value in sorted(params.items())
        )
        secret, method = gateway.vonage_signature_secret, gateway.vonage_signature
        if method and method != "md5hash":
            return sign(secret, data, method).hex()
        signed = (data + secret).encode("utf-8", "surrogatepass")
        return hashlib.md5(signed, usedforsecurity=False).hexdigest()

    def _extract_inbound(self, gateway, webhook):
        params = self._read_params(webhook)
        return [
            InboundText(
                number=self._format_number(gateway, params.get("msisdn")),
                address=params.get("to"),
                body=params.get("text", ""),
                provider_ref=params.get("messageId"),
                sent_at=read_time(params.get("message-timestamp")),
                part=self._read_part(params),
            )
        ]

    def _read_part(self, params):
        """Which part of a long text it is, or None."""
        if not params.get("concat-ref"):
            return None
        number, total = (read_count(params.get(f"concat-{name}")) for name in ("part", "total"))
        return TextPart(params["concat-ref"], number, total)

    def _extract_reports(self, gateway, webhook):
        params = self._read_params(webhook)
        state = read_state(const.REPORT_STATES, params.get("status"))
        return [
            DeliveryReport(
                state,
                uuid=params.get("client-ref") or None,
                provider_ref=params.get("messageId") or None,
                **(self._read_failure(params) if state == "failed" else {}),
            )
        ]

    def _read_failure(self, params):
        code = params.get("err-code") or None
        kind = "sms_expired" if params["status"] == "expired" else "sms_not_delivered"
        kind, words = const.REPORT_FAILURES.get(code, (kind, params["status"]))
        return {"failure_type": kind, "code": code, "reason": words}

    def _get_dedup_key(self, gateway, webhook):
        """Of a text the id of Vonage: moment and signature may differ in a repetition."""
        reference = webhook.params.get("messageId")
        if webhook.kind == "inbound" and reference:
            return f"inbound:{reference}"
        return super()._get_dedup_key(gateway, webhook)

    # === ACCOUNT === #

    def _prepare_balance_request(self, gateway):
        return SendRequest(
            (),
            "GET",
            f"{const.URL}/account/get-balance",
            headers={"Accept": "application/json"},
            auth=self._get_login(gateway),
        )

    def _parse_balance(self, gateway, response):
        return read_amount(dig(response.json(), "value"), const.CURRENCY)

    def _get_test_advice(self):
        return self.env._("Check Vonage API key and Vonage API secret.")

    def _get_features(self):
        return {**super()._get_features(), "balance": True, "cost": True, "signature": True}
