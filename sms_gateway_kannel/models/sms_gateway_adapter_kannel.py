import re
from urllib.parse import parse_qsl, urlsplit

from odoo import models

from odoo.addons.sms_gateway.engine.contract import (
    DeliveryReport,
    InboundText,
    SendRequest,
    SendResult,
    WebhookMalformed,
)
from odoo.addons.sms_gateway.engine.reading import read_state, read_time
from odoo.addons.sms_gateway.engine.results import refuse, unknown

from .. import const


class SmsGatewayAdapterKannel(models.AbstractModel):
    """Kannel: texts leave through its ``sendsms``, and come back through ``get-url``.

    Kannel's answer names no message. Our uuid travels in the ``dlr-url`` of each text instead
    and returns with every report.
    """

    _name = "sms.gateway.adapter.kannel"
    _inherit = ["sms.gateway.adapter"]
    _description = "SMS gateway adapter: Kannel"

    # === SENDING === #

    def _prepare_request(self, gateway, message):
        """One request for one text.

        Posted, for then password and text are not in the address, which proxies and debug logs
        write down.
        """
        options = {
            "From": message.sender_id.address,
            "To": message.number,
            "Coding": "2" if message.encoding == "ucs2" else "0",
            "SMSC": gateway.kannel_smsc,
            "DLR-Mask": const.DLR_MASK,
            "DLR-Url": self._get_report_url(gateway, message),
        }
        return SendRequest(
            uuids=(message.uuid,),
            method="POST",
            url=gateway.kannel_url,
            headers=self._prepare_headers(gateway, options),
            data=message.body.encode(),
        )

    def _get_report_url(self, gateway, message, **query):
        """Where Kannel reports on this text; a percent sign of our own is doubled."""
        address = super()._get_report_url(gateway, message, **query).replace("%", "%%")
        return f"{address}&{const.DLR_QUERY}"

    def _prepare_headers(self, gateway, options):
        """Kannel's headers; its configuration, and so what it compares with, is UTF-8."""
        options = {
            "Username": gateway.kannel_username,
            "Password": gateway.kannel_password,
            **options,
        }
        headers = {
            f"X-Kannel-{name}": value.encode().decode("latin-1")  # which HTTP encodes back
            for name, value in options.items()
            if isinstance(value, str)
        }
        return {"Content-Type": "text/plain; charset=UTF-8", **headers}

    def _parse_response(self, gateway, request, response):
        words = self._get_words(response)
        if response.status == 202 and re.match(const.ACCEPTED, words):
            return [SendResult(request.uuids[0], "sent")]
        if response.status == 503:
            return refuse(request, response, "503", words, {"503": "sms_throttled"})
        if 300 <= response.status < 500:
            return self._parse_refusal(request, response, words)
        return unknown(request, response)

    def _parse_refusal(self, request, response, words):
        """A refusal in Kannel's words; other words, or a redirection, are not from Kannel."""
        known = (kind for start, kind in const.REFUSALS.items() if words.startswith(start))
        code = str(response.status)
        return refuse(request, response, code, words, {code: next(known, "sms_configuration")})

    # === WEBHOOKS === #

    def _verify_webhook(self, gateway, webhook):
        """Kannel signs nothing: the secret in the address has proved the call."""

    def _extract_inbound(self, gateway, webhook):
        params = webhook.params
        if missing := [name for name in ("from", "to", "id") if not params.get(name)]:
            raise WebhookMalformed(f"get-url lacks {', '.join(missing)}")
        return [
            InboundText(
                number=self._format_number(gateway, params["from"]),
                address=params["to"],
                body=self._read_text(webhook),
                provider_ref=params["id"],
                sent_at=read_time(params.get("time")),
            )
        ]

    def _read_text(self, webhook):
        """The text; without ``mo-recode`` it is not UTF-8 but in the charset that is told."""
        charset = webhook.params.get("charset") or "UTF-8"
        query = parse_qsl(urlsplit(webhook.url).query, encoding="latin-1")
        try:
            return dict(query).get("text", "").encode("latin-1").decode(charset, "replace")
        except (LookupError, ValueError) as error:
            raise WebhookMalformed(f"no such charset: {charset!r}") from error

    def _extract_reports(self, gateway, webhook):
        params = webhook.params
        state = read_state(const.REPORT_STATES, params.get("type"))
        failure = self._read_failure(params) if state == "failed" else {}
        return [
            DeliveryReport(
                state, uuid=params.get("uuid"), provider_ref=params.get("ref") or None, **failure
            )
        ]

    def _read_failure(self, params):
        """Why a text failed: the carrier's SMPP status, its receipt, or its own words."""
        answer = params.get("answer", "").removeprefix("NACK/")
        if status := re.match("0x([0-9a-fA-F]{1,8})/(.*)", answer):
            kind = const.SMPP_STATUSES.get(int(status[1], 16), "sms_rejected")
            return {"failure_type": kind, "code": f"0x{status[1]}", "reason": status[2]}
        receipt = re.search(r"stat:(\w+)(?: err:(\w+))?", answer)
        reason, code = receipt.groups() if receipt else (answer, None)
        kind = const.RECEIPT_STATES.get(reason, const.REPORT_FAILURES[params["type"]])
        return {"failure_type": kind, "code": code, "reason": reason or None}

    def _webhook_reply(self, gateway, webhook):
        """Nothing at all: Kannel sends what we answer to the customer as a text.

        Any status but 200 and 202 it takes for a failure, also 204.
        """
        return 200, {"Content-Type": "text/plain"}, b""

    def _get_dedup_key(self, gateway, webhook):
        """Of a text the id that Kannel gave it, the same in each try."""
        if webhook.kind == "inbound" and webhook.params.get("id"):
            return f"inbound:{webhook.params['id']}"
        return super()._get_dedup_key(gateway, webhook)

    # === ACCOUNT === #

    def _prepare_test_request(self, gateway):
        """A text without receiver: Kannel checks the password first, and then refuses it."""
        return SendRequest(
            (), "POST", gateway.kannel_url, headers=self._prepare_headers(gateway, {"To": ""})
        )

    def _is_account(self, gateway, response):
        return self._get_words(response).startswith(const.NO_RECEIVER)

    def _get_test_advice(self):
        return self.env._(
            "Check that the address is Kannel's sendsms, user and password, and whether Kannel "
            "lets this machine in."
        )
