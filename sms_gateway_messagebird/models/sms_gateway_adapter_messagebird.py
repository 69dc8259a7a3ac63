from hashlib import sha256

from odoo import models

from odoo.addons.sms_gateway.engine.contract import (
    DeliveryReport,
    InboundText,
    SendRequest,
    SendResult,
    WebhookMalformed,
    WebhookRefused,
)
from odoo.addons.sms_gateway.engine.json_web_token import read_jwt
from odoo.addons.sms_gateway.engine.proof import check_equal, require
from odoo.addons.sms_gateway.engine.reading import (
    dig,
    digits,
    read_count,
    read_number,
    read_text,
    read_time,
)
from odoo.addons.sms_gateway.engine.results import get_retry_after, refuse, unknown

from .. import const


class SmsGatewayAdapterMessagebird(models.AbstractModel):
    """MessageBird, the API before Bird.

    Our uuid travels as ``reference`` and returns with every report. Of several recipients all
    would share one reference, and one wrong number would refuse all: each text goes alone.
    """

    _name = "sms.gateway.adapter.messagebird"
    _inherit = ["sms.gateway.adapter"]
    _description = "SMS gateway adapter: MessageBird"

    # === SENDING === #

    def _prepare_request(self, gateway, message):
        return SendRequest(
            uuids=(message.uuid,),
            method="POST",
            url=f"{const.URL}/messages",
            headers=self._prepare_headers(gateway),
            json={
                "originator": digits(message.sender_id.address),
                "recipients": [digits(message.number)],
                "body": message.body,
                "datacoding": "unicode" if message.encoding == "ucs2" else "plain",
                "reference": message.uuid,
                "reportUrl": gateway.status_url,
            },
        )

    def _prepare_headers(self, gateway):
        return {"Authorization": f"AccessKey {gateway.messagebird_access_key}"}

    def _parse_response(self, gateway, request, response):
        answer = response.json()
        reference = read_text(dig(answer, "id"))
        if reference and response.status < 300:
            parts = dig(answer, "recipients", "items", 0, "messagePartCount")
            return [SendResult(request.uuids[0], "sent", reference, segments=read_count(parts))]
        if 300 <= response.status < 500:
            return self._parse_refusal(request, response, dig(answer, "errors", 0))
        return unknown(request, response)

    def _parse_refusal(self, request, response, error):
        code = read_text(dig(error, "code")) or str(response.status)
        by_parameter = const.PARAMETERS.get(read_text(dig(error, "parameter")))
        return refuse(
            request,
            code,
            read_text(dig(error, "description")) or response.text.strip(),
            {code: by_parameter} if by_parameter else const.FAILURES,
            response.status,
            get_retry_after(response),
        )

    # === WEBHOOKS === #

    def _verify_webhook(self, gateway, webhook):
        """A token signs the address as it was called, with its query, and the body."""
        token = webhook.headers.get("messagebird-signature-jwt", "")
        if not token and webhook.kind == "status" and gateway.messagebird_unsigned_reports:
            return
        require(gateway.messagebird_signing_key)
        claims = read_jwt(token, gateway.messagebird_signing_key)
        if "exp" not in claims:
            raise WebhookRefused("stale")
        body = sha256(webhook.body).hexdigest() if webhook.body else "none"
        check_equal(read_text(claims.get("iss")), const.ISSUER)
        check_equal(read_text(claims.get("url_hash")), sha256(webhook.url.encode()).hexdigest())
        check_equal(read_text(claims.get("payload_hash", "none")), body)

    def _extract_inbound(self, gateway, webhook):
        """A short number has names of its own for the same things."""
        params = webhook.params
        moment = params.get("receive_datetime")
        return [
            InboundText(
                number=self._format_number(gateway, params.get("originator", "")),
                address=params.get("recipient") or params.get("shortcode"),
                body=self._read_body(webhook),
                provider_ref=params.get("id") or params.get("mid"),
                sent_at=read_time(moment, "%Y%m%d%H%M%S")
                if moment
                else read_time(params.get("createdDatetime")),
            )
        ]

    def _read_body(self, webhook):
        """The text, and the addresses of pictures that came with it."""
        params = webhook.params
        links = [value for name, value in webhook.form if name.startswith("mediaURLs")]
        return "\n".join(filter(None, [params.get("body") or params.get("message"), *links]))

    def _extract_reports(self, gateway, webhook):
        params = webhook.params
        state = const.REPORT_STATES.get(params.get("status"))
        if not state:
            raise WebhookMalformed(f"no state of a text: {params.get('status')}")
        return [
            DeliveryReport(
                state,
                uuid=params.get("reference") or None,
                provider_ref=params.get("id") or None,
                cost=read_number(params.get("price[amount]")),
                currency=params.get("price[currency]") or None,
                **(self._read_failure(params) if state == "failed" else {}),
            )
        ]

    def _read_failure(self, params):
        code = params.get("statusErrorCode") or None
        words = params.get("statusReason") or params["status"]
        kind = "sms_expired" if params["status"] == "expired" else "sms_not_delivered"
        kind = const.REASONS.get(words.replace("_", " ").lower(), kind)
        return {
            "failure_type": "sms_optout" if code == const.OPTED_OUT else kind,
            "code": code,
            "reason": words,
        }

    # === ACCOUNT === #

    def _prepare_test_request(self, gateway):
        return SendRequest(
            (), "GET", f"{const.URL}/balance", headers=self._prepare_headers(gateway)
        )

    def _parse_test_response(self, gateway, response):
        if self._parse_balance(gateway, response):
            return True, ""
        words = read_text(dig(response.json(), "errors", 0, "description"))
        return False, self.env._(
            "MessageBird does not accept this access key. It answered %(status)s %(words)s",
            status=response.status,
            words=words or response.text.strip()[:200],
        )

    def _prepare_balance_request(self, gateway):
        return self._prepare_test_request(gateway)

    def _parse_balance(self, gateway, response):
        told = response.json()
        amount = read_number(dig(told, "amount"))
        currency = const.CURRENCIES.get(read_text(dig(told, "type")))
        return None if amount is None else (amount, currency)

    def _get_features(self):
        return {**super()._get_features(), "balance": True, "cost": True, "signature": True}
