from odoo import models

from odoo.addons.sms_gateway.engine.contract import (
    DeliveryReport,
    InboundText,
    SendRequest,
    SendResult,
)
from odoo.addons.sms_gateway.engine.reading import (
    dig,
    read_amount,
    read_count,
    read_number,
    read_state,
    read_text,
    read_time,
)
from odoo.addons.sms_gateway.engine.results import refuse, unknown

from .. import const


class SmsGatewayAdapterElks(models.AbstractModel):
    """46elks: one form per text, calls as forms that nobody signs."""

    _name = "sms.gateway.adapter.elks"
    _inherit = ["sms.gateway.adapter"]
    _description = "SMS gateway adapter: 46elks"

    # === SENDING === #

    def _prepare_request(self, gateway, message):
        """One request for one text, which is reported to an address of its own."""
        return SendRequest(
            uuids=(message.uuid,),
            method="POST",
            url=f"{const.API}/sms",
            data={
                "from": message.sender_id.address,
                "to": message.number,
                "message": message.body,
                "whendelivered": self._get_report_url(gateway, message),
            },
            auth=(gateway.elks_username, gateway.elks_password),
        )

    def _parse_response(self, gateway, request, response):
        if 300 <= response.status < 500:
            return self._refuse(request, response)
        answer = response.json()
        reference = read_text(dig(answer, "id"))
        if response.status == 200 and reference:
            return [self._parse_taken(request.uuids[0], reference, answer)]
        return unknown(request, response)

    def _refuse(self, request, response):
        """A refusal; 46elks has no codes but those of HTTP, the rest is in words."""
        words = self._get_words(response)
        code = str(response.status)
        kind = next((kind for start, kind in const.REFUSALS.items() if start in words), None)
        return refuse(request, response, code, words, {code: kind})

    def _get_words(self, response):
        """Plain text, or in JSON."""
        return read_text(dig(response.json(), "error")) or super()._get_words(response)

    def _parse_taken(self, uuid, reference, answer):
        """A text that 46elks took; it may have failed at once."""
        failed = dig(answer, "status") == "failed"
        return SendResult(
            uuid,
            "failed" if failed else "sent",
            provider_ref=reference,
            failure_type="sms_not_delivered" if failed else None,
            code="failed" if failed else None,
            segments=read_count(dig(answer, "parts")),
            cost=self._read_money(dig(answer, "cost")),
        )

    def _read_money(self, value):
        amount = read_number(value)
        return None if amount is None else amount / const.MONEY

    def _check_sender(self, gateway, sender):
        if sender.kind in ("dedicated", "short"):
            return self.env._(
                "46elks sends as a name or as a number with plus sign and country code: choose the "
                "kind Name or Mobile number instead of “%s”.",
                sender.address,
            )
        return super()._check_sender(gateway, sender)

    # === WEBHOOKS === #

    def _verify_webhook(self, gateway, webhook):
        """46elks signs nothing: the secret in the address has proved the call."""

    def _extract_inbound(self, gateway, webhook):
        params = webhook.params
        return [
            InboundText(
                number=self._format_number(gateway, params.get("from")),
                address=params.get("to", ""),
                body=params.get("message", ""),
                provider_ref=params.get("id"),
                sent_at=read_time(params.get("created")),
            )
        ]

    def _extract_reports(self, gateway, webhook):
        params = webhook.params
        state = read_state(const.STATES, params.get("status"))
        return [
            DeliveryReport(
                state,
                uuid=params.get("uuid"),
                provider_ref=params.get("id"),
                failure_type="sms_not_delivered" if state == "failed" else None,
                code="failed" if state == "failed" else None,
            )
        ]

    def _webhook_reply(self, gateway, webhook):
        """No content: words would be a text to the customer."""
        return 204, {}, b""

    # === ACCOUNT === #

    def _prepare_balance_request(self, gateway):
        """The account itself."""
        return SendRequest(
            (), "GET", f"{const.API}/me", auth=(gateway.elks_username, gateway.elks_password)
        )

    def _parse_balance(self, gateway, response):
        account = response.json()
        return read_amount(self._read_money(dig(account, "balance")), dig(account, "currency"))

    def _get_test_advice(self):
        return self.env._("Check 46elks API username and 46elks API password.")

    def _get_features(self):
        return {**super()._get_features(), "balance": True, "cost": True}
