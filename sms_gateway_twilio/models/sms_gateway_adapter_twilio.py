import re
from base64 import b64encode
from urllib.parse import urlsplit

from odoo import models

from odoo.addons.sms_gateway.engine.contract import (
    DeliveryReport,
    InboundText,
    SendRequest,
    SendResult,
    WebhookRefused,
)
from odoo.addons.sms_gateway.engine.proof import check_any, require, sign
from odoo.addons.sms_gateway.engine.reading import (
    dig,
    read_amount,
    read_count,
    read_state,
    read_text,
)
from odoo.addons.sms_gateway.engine.results import refuse, unknown

from .. import const


class SmsGatewayAdapterTwilio(models.AbstractModel):
    """Twilio Programmable Messaging: one request per text, calls as signed forms."""

    _name = "sms.gateway.adapter.twilio"
    _inherit = ["sms.gateway.adapter"]
    _description = "SMS gateway adapter: Twilio"

    # === SENDING === #

    def _prepare_request(self, gateway, message):
        """One request for one text, which is reported to an address of its own."""
        data = {
            "To": message.number,
            "From": message.sender_id.address,
            "Body": message.body,
            "StatusCallback": self._get_report_url(gateway, message),
        }
        if gateway.twilio_service_sid:
            data["MessagingServiceSid"] = gateway.twilio_service_sid
        return SendRequest(
            uuids=(message.uuid,),
            method="POST",
            url=self._get_url(gateway, "Messages.json"),
            data=data,
            auth=self._get_login(gateway),
        )

    def _get_url(self, gateway, resource):
        return f"{const.API}/{gateway.twilio_account_sid}/{resource}"

    def _get_login(self, gateway):
        """User and password: of the API key, or the account's own."""
        if gateway.twilio_api_key_sid:
            return gateway.twilio_api_key_sid, gateway.twilio_api_key_secret
        return gateway.twilio_account_sid, gateway.twilio_auth_token

    def _parse_response(self, gateway, request, response):
        answer = response.json()
        code = read_text(dig(answer, "code")) or read_text(dig(answer, "error_code"))
        sid = read_text(dig(answer, "sid"))
        if sid and response.status in (200, 201):
            return [self._parse_taken(request, response, sid, code)]
        if code or 300 <= response.status < 500:
            return refuse(request, response, code, self._get_words(response), const.FAILURES)
        return unknown(request, response)

    def _parse_taken(self, request, response, sid, code):
        """A text that Twilio took; it may have failed at once, and is never tried again (P2)."""
        return SendResult(
            request.uuids[0],
            "failed" if code in const.FAILURES else "sent",
            provider_ref=sid,
            failure_type=const.FAILURES.get(code),
            code=code,
            reason=self._get_words(response) if code else None,
            segments=read_count(dig(response.json(), "num_segments")),
        )

    def _get_words(self, response):
        answer = response.json()
        told = read_text(dig(answer, "message")) or read_text(dig(answer, "error_message"))
        return told or super()._get_words(response)

    def _check_sender(self, gateway, sender):
        if sender.kind == "dedicated":
            return self.env._(
                "Twilio wants “%s” with plus sign and country code: choose the kind Mobile number.",
                sender.address,
            )
        return super()._check_sender(gateway, sender)

    # === WEBHOOKS === #

    def _verify_webhook(self, gateway, webhook):
        """Twilio signs the address and the form.

        It signs some addresses with their port and some without, whatever it was told.
        """
        expected = [
            self._get_signature(gateway, webhook, url) for url in self._get_addresses(webhook.url)
        ]
        check_any([webhook.headers.get("x-twilio-signature")], expected)

    def _get_addresses(self, url):
        """An address without its port, and with it."""
        parts = urlsplit(url)
        host = re.sub(":[0-9]+$", "", parts.netloc)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        return url.replace(parts.netloc, host, 1), url.replace(parts.netloc, f"{host}:{port}", 1)

    def _get_signature(self, gateway, webhook, url):
        secret, digest = self._get_signing(gateway, webhook)
        require(secret)
        fields = "".join(name + value for name, value in sorted(set(webhook.form)))
        return b64encode(sign(secret, url + fields, digest)).decode()

    def _get_signing(self, gateway, webhook):
        """Secret and digest: the auth token's, or those that the call names."""
        settings = webhook.headers.get(const.SETTINGS_HEADER)
        if not settings:
            return gateway.twilio_auth_token, "sha1"
        named = dict(part.strip().partition("=")[::2] for part in settings.split(","))
        digest = const.ALGORITHMS.get(named.get("algorithm", "HMAC_SHA1"))
        if not digest:
            raise WebhookRefused("signature")
        return gateway.twilio_shared_key, digest

    def _extract_inbound(self, gateway, webhook):
        params = webhook.params
        pictures = [value for name, value in params.items() if re.match("MediaUrl[0-9]", name)]
        return [
            InboundText(
                number=self._format_number(gateway, params.get("From")),
                address=params.get("To", ""),
                body="\n".join(filter(None, (params.get("Body"), *pictures))),
                provider_ref=params.get("MessageSid"),
            )
        ]

    def _extract_reports(self, gateway, webhook):
        params = webhook.params
        status = params.get("MessageStatus") or params.get("SmsStatus")
        state = read_state(const.REPORT_STATES, status)
        return [
            DeliveryReport(
                state,
                uuid=params.get("uuid"),
                provider_ref=params.get("MessageSid"),
                **self._read_failure(params, status) if state == "failed" else {},
            )
        ]

    def _read_failure(self, params, status):
        code = params.get("ErrorCode")
        return {
            "failure_type": const.FAILURES.get(code, "sms_not_delivered"),
            "code": code,
            "reason": params.get("ErrorMessage") or status,
        }

    def _webhook_reply(self, gateway, webhook):
        """TwiML that says nothing: words would be a text to the customer."""
        return 200, {"Content-Type": "text/xml"}, b"<Response/>"

    # === ACCOUNT === #

    def _prepare_account_request(self, gateway, resource):
        return SendRequest(
            (), "GET", self._get_url(gateway, resource), auth=self._get_login(gateway)
        )

    def _prepare_test_request(self, gateway):
        """The last text: a standard API key may read texts, but not the account."""
        return self._prepare_account_request(gateway, "Messages.json?PageSize=1")

    def _is_account(self, gateway, response):
        return isinstance(dig(response.json(), "messages"), list)

    def _get_test_advice(self):
        return self.env._("Check Twilio account SID and Twilio auth token, or the API key.")

    def _prepare_balance_request(self, gateway):
        return self._prepare_account_request(gateway, "Balance.json")

    def _parse_balance(self, gateway, response):
        account = response.json()
        return read_amount(dig(account, "balance"), dig(account, "currency"))

    def _get_features(self):
        return {**super()._get_features(), "balance": True, "signature": True}
