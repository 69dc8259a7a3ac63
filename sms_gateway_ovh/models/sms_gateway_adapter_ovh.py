import hashlib
import json
import time

from odoo import models

from odoo.addons.sms_gateway.engine.contract import (
    DeliveryReport,
    InboundText,
    SendRequest,
    SendResult,
    WebhookMalformed,
)
from odoo.addons.sms_gateway.engine.reading import dig, read_amount, read_text
from odoo.addons.sms_gateway.engine.results import refuse, refuse_one, unknown

from .. import const


class SmsGatewayAdapterOvh(models.AbstractModel):
    """OVHcloud: signed requests, calls that nobody signs.

    A request could carry several texts, but reports name a text by OVHcloud's id only, and the
    answer does not say which id is whose.
    """

    _name = "sms.gateway.adapter.ovh"
    _inherit = ["sms.gateway.adapter"]
    _description = "SMS gateway adapter: OVHcloud"

    # === SENDING === #

    def _prepare_request(self, gateway, message):
        job = self._prepare_job(gateway, message)
        return self._prepare_call(gateway, "POST", "/jobs", job, (message.uuid,))

    def _prepare_job(self, gateway, message):
        """One text; the tag brings the customer's answer back to its sender."""
        sender = message.sender_id
        advertisement = message.origin in const.ADVERTISEMENT
        job = {
            "message": message.body,
            "receivers": [message.number],
            "charset": "UTF-8",
            "coding": "8bit" if message.encoding == "ucs2" else "7bit",
            "noStopClause": not (gateway.ovh_stop_clause and advertisement),
            "tag": f"{const.TAG}{sender.address}",
        }
        if sender.kind == "short":
            return {**job, "senderForResponse": True}
        return {**job, "sender": sender.address}

    def _prepare_call(self, gateway, method, resource, values=None, uuids=()):
        """A call of OVHcloud's interface, signed with the moment: it is valid for a short time."""
        url = f"{const.API}/sms/{gateway.ovh_service_name}{resource}"
        body = "" if values is None else json.dumps(values, separators=(",", ":"))
        moment = str(int(time.time()))
        secrets = (gateway.ovh_application_secret or "", gateway.ovh_consumer_key or "")
        signed = "+".join((*secrets, method, url, body, moment))
        headers = {
            "Content-Type": "application/json",
            "X-Ovh-Application": gateway.ovh_application_key or "",
            "X-Ovh-Consumer": secrets[1],
            "X-Ovh-Timestamp": moment,
            "X-Ovh-Signature": f"$1${hashlib.sha1(signed.encode()).hexdigest()}",  # noqa: S324
        }
        return SendRequest(uuids, method, url, headers=headers, data=body.encode())

    def _parse_response(self, gateway, request, response):
        if 300 <= response.status < 500:
            return self._refuse(request, response)
        answer = response.json() if response.status == 200 else None
        if reference := read_text(dig(answer, "ids", 0)):
            return [SendResult(request.uuids[0], "sent", provider_ref=reference)]
        if dig(answer, "invalidReceivers", 0):
            kinds = {"invalidReceivers": "sms_invalid_destination"}
            return [refuse_one(request.uuids[0], "invalidReceivers", None, kinds)]
        return unknown(request, response)

    def _refuse(self, request, response):
        """A refusal by its code, else by what it speaks of."""
        words = self._get_words(response)
        code = read_text(dig(response.json(), "errorCode")) or str(response.status)
        spoken = (kind for word, kind in const.WORDS.items() if word in words.lower())
        kinds = {code: next(spoken, None)} if response.status == 400 else {}
        return refuse(request, response, code, words, {**kinds, **const.FAILURES})

    def _get_words(self, response):
        return read_text(dig(response.json(), "message")) or super()._get_words(response)

    def _check_sender(self, gateway, sender):
        if sender.kind == "dedicated":
            return self.env._(
                "OVHcloud has no number “%s”: choose the kind Mobile number for a virtual number, "
                "with plus sign and country code, or Short number.",
                sender.address,
            )
        return super()._check_sender(gateway, sender)

    # === WEBHOOKS === #

    def _verify_webhook(self, gateway, webhook):
        """OVHcloud signs nothing: the secret in the address has proved the call."""

    def _extract_inbound(self, gateway, webhook):
        params = webhook.params
        return [
            InboundText(
                number=self._format_number(gateway, params.get("senderid")),
                address=self._get_address(params),
                body=params.get("message", ""),
                provider_ref=params.get("id"),
            )
        ]

    def _get_address(self, params):
        """Our sender that the customer answers, by the tag; its short number is shared by many."""
        tag = params.get("tag", "")
        if tag.startswith(const.TAG):
            return tag.removeprefix(const.TAG)
        return params.get("shortcode", "")

    def _extract_reports(self, gateway, webhook):
        params = webhook.params
        ptt = params.get("ptt")
        state = const.PTT_STATES.get(ptt) or const.DLR_STATES.get(params.get("description"))
        if not state and ptt not in const.PTT_FAILURES:
            raise WebhookMalformed(f"no state of a text: {ptt}, {params.get('description')}")
        failure = self._read_failure(params) if state in (None, "failed") else {}
        return [DeliveryReport(state or "failed", provider_ref=params.get("id"), **failure)]

    def _read_failure(self, params):
        return {
            "failure_type": const.PTT_FAILURES.get(params.get("ptt"), "sms_not_delivered"),
            "code": params.get("ptt"),
            "reason": params.get("descriptionDlr"),
        }

    # === ACCOUNT === #

    def _prepare_balance_request(self, gateway):
        """The SMS account itself."""
        return self._prepare_call(gateway, "GET", "")

    def _parse_balance(self, gateway, response):
        """Credits: what a text costs in them depends on the country."""
        return read_amount(dig(response.json(), "creditsLeft"))

    def _get_test_advice(self):
        return self.env._("Check the keys, their rights, the SMS account and this server's clock.")

    def _get_features(self):
        return {**super()._get_features(), "balance": True}
