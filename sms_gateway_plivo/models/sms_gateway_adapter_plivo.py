import re
from base64 import b64encode
from urllib.parse import urlencode

from odoo import models

from odoo.addons.sms_gateway.engine.contract import (
    DeliveryReport,
    InboundText,
    SendRequest,
    SendResult,
)
from odoo.addons.sms_gateway.engine.proof import check_any, require, sign
from odoo.addons.sms_gateway.engine.reading import (
    dig,
    dig_list,
    digits,
    read_amount,
    read_number,
    read_state,
    read_text,
)
from odoo.addons.sms_gateway.engine.results import refuse, refuse_one, retry, unknown

from .. import const


class SmsGatewayAdapterPlivo(models.AbstractModel):
    """Plivo: equal texts leave together, calls come as signed forms.

    The answer to several texts does not say which reference is whose. So the address for their
    reports names the text of each number, and the reference comes with the report.
    """

    _name = "sms.gateway.adapter.plivo"
    _inherit = ["sms.gateway.adapter"]
    _description = "SMS gateway adapter: Plivo"

    # === SENDING === #

    def _get_batch_size(self):
        return const.BATCH

    def _get_batch_key(self, message):
        return message.sender_id, message.body

    def _get_alone(self, messages):
        """Those that were refused with a wrong number of their request."""
        return messages._get_tried()

    def _prepare_request(self, gateway, messages):
        """One request for equal texts to several numbers.

        Plivo drops repeated numbers. There are none: of two texts to one number, a lane claims
        the second when the first is gone.
        """
        uuids = {digits(message.number): message.uuid for message in messages}
        return SendRequest(
            uuids=tuple(messages.mapped("uuid")),
            method="POST",
            url=f"{const.API}/{gateway.plivo_auth_id}/Message/",
            json={
                "src": digits(messages.sender_id.address),
                "dst": "<".join(uuids),
                "text": messages[0].body,
                "type": "sms",
                "url": f"{gateway.status_url}?{urlencode(uuids)}",
                "method": "POST",
            },
            auth=(gateway.plivo_auth_id, gateway.plivo_auth_token),
        )

    def _parse_response(self, gateway, request, response):
        if 300 <= response.status < 500:
            return self._refuse(request, response)
        answer = response.json()
        if response.status in (200, 202) and isinstance(dig(answer, "message_uuid"), list):
            return self._parse_taken(request, response, answer)
        return unknown(request, response)

    def _refuse(self, request, response):
        """A refusal of all texts; where it is for one number, the others are tried again."""
        code, words = str(response.status), self._get_words(response)
        if blamed := self._blame(request, re.findall("[0-9]+", words), code, words):
            return retry(request, code, words, blamed)
        return refuse(request, response, code, words, {})

    def _blame(self, request, named, code, words=None):
        """The refusal by uuid of the texts to numbers that Plivo names."""
        uuids = dict(zip(request.json["dst"].split("<"), request.uuids, strict=True))
        kinds = {code: "sms_invalid_destination"}
        return {
            uuids[number]: refuse_one(uuids[number], code, words, kinds)
            for number in named
            if number in uuids
        }

    def _get_words(self, response):
        return read_text(dig(response.json(), "error")) or super()._get_words(response)

    def _parse_taken(self, request, response, answer):
        """The texts of an answer that took all numbers, or all but those it names."""
        uuids, references = request.uuids, answer["message_uuid"]
        named = [digits(read_text(told) or "") for told in dig_list(answer, "invalid_number")]
        blamed = self._blame(request, named, "invalid_number")
        if len(references) < len(uuids) - len(blamed):
            return unknown(request, response)
        reference = read_text(references[0]) if len(uuids) == len(references) == 1 else None
        return [
            blamed.get(uuid) or SendResult(uuid, "sent", provider_ref=reference) for uuid in uuids
        ]

    def _check_sender(self, gateway, sender):
        if sender.kind == "dedicated":
            return self.env._(
                "Plivo wants the whole number: choose the kind Mobile number and write “%s” with "
                "plus sign and country code.",
                sender.address,
            )
        if sender.kind == "text" and " " in sender.address:
            return self.env._(
                "Plivo takes the blanks out of a name: write “%s” without.", sender.address
            )
        return super()._check_sender(gateway, sender)

    # === WEBHOOKS === #

    def _verify_webhook(self, gateway, webhook):
        """Plivo signs the address and what it says (V3), or the address alone (V2).

        For texts it documents V2. Then the secret in the address is what keeps others from
        saying something else with a signature they have seen.
        """
        require(gateway.plivo_auth_token)
        version = "v3" if "x-plivo-signature-v3" in webhook.headers else "v2"
        nonce = webhook.headers.get(f"x-plivo-signature-{version}-nonce", "")
        signed = self._get_signed(webhook, version) + nonce
        expected = b64encode(sign(gateway.plivo_auth_token, signed)).decode()
        check_any(self._get_signatures(webhook, version), [expected])

    def _get_signatures(self, webhook, version):
        """By the token of the number's account, and by that of the main account."""
        names = (f"x-plivo-signature-{version}", f"x-plivo-signature-ma-{version}")
        return ",".join(webhook.headers.get(name, "") for name in names).split(",")

    def _get_signed(self, webhook, version):
        """What Plivo signs, without its nonce; as its own library puts V3 together."""
        address = webhook.url.partition("?")[0]
        if version == "v2":
            return address
        query = "&".join(f"{name}={value}" for name, value in sorted(webhook.query))
        form = "".join(name + value for name, value in sorted(webhook.form))
        mark = "?" if query or webhook.form else ""
        dot = "." if query and webhook.form else ""
        return f"{address}{mark}{query}{dot}{form}."

    def _extract_inbound(self, gateway, webhook):
        params = webhook.params
        return [
            InboundText(
                number=self._format_number(gateway, params.get("From")),
                address=params.get("To", ""),
                body=params.get("Text", ""),
                provider_ref=params.get("MessageUUID"),
            )
        ]

    def _extract_reports(self, gateway, webhook):
        params = webhook.params
        state = read_state(const.REPORT_STATES, params.get("Status"))
        return [
            DeliveryReport(
                state,
                uuid=dict(webhook.query).get(digits(params.get("To", ""))),
                provider_ref=params.get("ParentMessageUUID") or params.get("MessageUUID"),
                cost=read_number(params.get("TotalAmount")),
                currency=const.CURRENCY,
                **self._read_failure(params) if state == "failed" else {},
            )
        ]

    def _read_failure(self, params):
        code = params.get("ErrorCode")
        return {
            "failure_type": const.REPORT_FAILURES.get(code, "sms_not_delivered"),
            "code": code,
            "reason": params["Status"],
        }

    # === ACCOUNT === #

    def _prepare_balance_request(self, gateway):
        """The account itself."""
        return SendRequest(
            (),
            "GET",
            f"{const.API}/{gateway.plivo_auth_id}/",
            auth=(gateway.plivo_auth_id, gateway.plivo_auth_token),
        )

    def _parse_balance(self, gateway, response):
        return read_amount(dig(response.json(), "cash_credits"), const.CURRENCY)

    def _is_account(self, gateway, response):
        return dig(response.json(), "auth_id") == gateway.plivo_auth_id

    def _get_test_advice(self):
        return self.env._("Check Plivo auth ID and Plivo auth token.")

    def _get_features(self):
        return {**super()._get_features(), "balance": True, "cost": True, "signature": True}
