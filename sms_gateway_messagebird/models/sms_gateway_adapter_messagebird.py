from hashlib import sha256

from odoo import models

from odoo.addons.sms_gateway.engine.contract import (
    DeliveryReport,
    InboundText,
    SendRequest,
    SendResult,
    WebhookRefused,
)
from odoo.addons.sms_gateway.engine.json_web_token import read_jwt
from odoo.addons.sms_gateway.engine.proof import check_any, check_equal, require
from odoo.addons.sms_gateway.engine.reading import (
    dig,
    digits,
    read_amount,
    read_count,
    read_number,
    read_state,
    read_text,
    read_time,
)
from odoo.addons.sms_gateway.engine.results import refuse, unknown

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
            return self._parse_refusal(request, response)
        return unknown(request, response)

    def _parse_refusal(self, request, response):
        error = dig(response.json(), "errors", 0)
        code = read_text(dig(error, "code")) or str(response.status)
        by_parameter = const.PARAMETERS.get(read_text(dig(error, "parameter")))
        failures = {code: by_parameter} if by_parameter else const.FAILURES
        return refuse(request, response, code, self._get_words(response), failures)

    def _get_words(self, response):
        told = dig(response.json(), "errors", 0, "description")
        return read_text(told) or super()._get_words(response)

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
        check_equal(read_text(claims.get("payload_hash", "none")), body)
        addresses = self._get_addresses(gateway, webhook)
        hashes = [sha256(address.encode()).hexdigest() for address in addresses]
        check_any([read_text(claims.get("url_hash"))], hashes)

    def _get_addresses(self, gateway, webhook):
        """The address that was called, and the one that was pasted, with the password in it.

        Which of them MessageBird signs is told nowhere.
        """
        called = gateway._get_webhook_url(webhook.kind)
        pasted = gateway._get_address_to_paste(webhook.kind)
        return webhook.url, webhook.url.replace(called, pasted, 1)

    def _extract_inbound(self, gateway, webhook):
        """A short number has names of its own for the same things."""
        params = webhook.params
        moment = params.get("receive_datetime")
        return [
            InboundText(
                number=self._format_number(gateway, params.get("originator")),
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
        state = read_state(const.REPORT_STATES, params.get("status"))
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

    def _prepare_balance_request(self, gateway):
        return SendRequest(
            (), "GET", f"{const.URL}/balance", headers=self._prepare_headers(gateway)
        )

    def _parse_balance(self, gateway, response):
        told = response.json()
        currency = const.CURRENCIES.get(read_text(dig(told, "type")))
        return read_amount(dig(told, "amount"), currency)

    def _get_test_advice(self):
        return self.env._("Check MessageBird access key.")

    def _get_features(self):
        return {**super()._get_features(), "balance": True, "cost": True, "signature": True}
