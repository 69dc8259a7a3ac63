from odoo import models

from odoo.addons.sms_gateway.engine.contract import (
    DeliveryReport,
    InboundText,
    SendRequest,
    SendResult,
    WebhookMalformed,
)
from odoo.addons.sms_gateway.engine.reading import dig, read_count, read_text, read_time
from odoo.addons.sms_gateway.engine.results import refuse, refuse_one

from .. import const


class SmsGatewayAdapterLinkmobility(models.AbstractModel):
    """LINK Mobility: many texts in one request, each with our uuid as its ``refId``."""

    _name = "sms.gateway.adapter.linkmobility"
    _inherit = ["sms.gateway.adapter"]
    _description = "SMS gateway adapter: LINK Mobility"

    # === SENDING === #

    def _get_batch_size(self):
        return const.MAX_MESSAGES

    def _check_sender(self, gateway, sender):
        if sender.kind == "text" and not sender.address[:1].isalpha():
            return self.env._(
                "LINK Mobility takes only names that begin with a letter: change the address “%s”.",
                sender.address,
            )
        return super()._check_sender(gateway, sender)

    def _explain_not_carried(self, body):
        """Why LINK cannot carry a text, or None."""
        wrong = "".join(dict.fromkeys(const.NOT_CARRIED.findall(body or "")))
        if not wrong:
            return None
        return self.env._(
            "LINK Mobility cannot send %s. Take it out of the text, or choose another sender.",
            wrong,
        )

    def _prepare_request(self, gateway, messages):
        """One request for any number of texts, also for none."""
        texts = [self._prepare_text(gateway, message) for message in messages]
        return SendRequest(
            tuple(messages.mapped("uuid")),
            "POST",
            f"{(gateway.linkmobility_url or '').rstrip('/')}/sms/sendbatch",
            json={"sendRequestMessages": texts},
            auth=(gateway.linkmobility_username or "", gateway.linkmobility_password or ""),
        )

    def _prepare_text(self, gateway, message):
        text = {
            "source": message.sender_id.address,
            "sourceTON": const.SOURCE_KINDS[message.sender_id.kind],
            "destination": message.number,
            "userData": message.body,
            "dcs": "UCS2" if message.encoding == "ucs2" else "TEXT",
            "platformId": gateway.linkmobility_platform,
            "platformPartnerId": gateway.linkmobility_partner,
            "refId": message.uuid,
            "useDeliveryReport": True,
            "ignoreResponse": False,  # else LINK answers nothing, and no id is known
        }
        if gateway.linkmobility_gate:
            text["deliveryReportGates"] = [gateway.linkmobility_gate]
        return text

    def _parse_response(self, gateway, request, response):
        answer = response.json()
        if response.status == 200 and isinstance(answer, list):
            told = {read_text(dig(text, "refId")): text for text in answer}
            return [self._parse_text(uuid, told.get(uuid)) for uuid in request.uuids]
        code = read_text(dig(answer, "resultCode"))
        return refuse(request, response, code, self._get_words(response), const.FAILURES)

    def _get_words(self, response):
        return read_text(dig(response.json(), "description")) or super()._get_words(response)

    def _parse_text(self, uuid, text):
        """The answer to one text; where its code is none that we know, its fate is unknown."""
        code = read_text(dig(text, "resultCode"))
        if code != const.QUEUED:
            return refuse_one(uuid, code, read_text(dig(text, "message")), const.FAILURES)
        return SendResult(
            uuid,
            "sent",
            provider_ref=read_text(dig(text, "messageId")),
            segments=read_count(dig(text, "smsCount")),
        )

    # === WEBHOOKS === #

    def _verify_webhook(self, gateway, webhook):
        """LINK signs nothing: the secret in the address has proved the call."""

    def _extract_inbound(self, gateway, webhook):
        """A text; ours may be a short number with its country, as NO-2333."""
        text = webhook.json()
        if dig(text, "content", "encoding") == "BINARY":
            raise WebhookMalformed("a binary text")
        return [
            InboundText(
                number=self._format_number(gateway, dig(text, "source")),
                address=read_text(dig(text, "destination")),
                body=dig(text, "content", "userData"),
                provider_ref=read_text(dig(text, "messageId")),
                sent_at=read_time(dig(text, "timestamp")),
            )
        ]

    def _extract_reports(self, gateway, webhook):
        report = webhook.json()
        code = read_text(dig(report, "resultCode"))
        state = self._get_state(code)
        return [
            DeliveryReport(
                state,
                uuid=read_text(dig(report, "refId")) or None,
                provider_ref=read_text(dig(report, "id")) or None,
                **(self._read_failure(report, code) if state == "failed" else {}),
            )
        ]

    def _get_state(self, code):
        if code == const.DELIVERED:
            return "delivered"
        if code in const.TRANSIENT:
            return "sent"
        if code in const.FAILURES or code in const.UNEXPLAINED:
            return "failed"
        raise WebhookMalformed(f"no result of a text: {code!r}"[:200])

    def _read_failure(self, report, code):
        """LINK tells no words, but the operator and its own code."""
        told = (read_text(report.get(name)) for name in ("operator", "operatorResultCode"))
        return {
            "failure_type": const.FAILURES.get(code, "sms_not_delivered"),
            "code": code,
            "reason": ": ".join(filter(None, told)) or None,
        }

    # === ACCOUNT === #

    def _prepare_test_request(self, gateway):
        """A request with no text in it: LINK checks the password, and there is nothing to send."""
        return self._prepare_request(gateway, self.env["sms.message"])

    def _is_account(self, gateway, response):
        """It complains of anything but the account; platform, partner and gate it has not seen."""
        answer = response.json()
        code = read_text(dig(answer, "resultCode"))
        known = isinstance(answer, list) or code
        return response.status in (200, 400) and known and code not in const.ACCOUNT

    def _get_test_advice(self):
        return self.env._(
            "Check LINK Mobility address, user and password, and whether LINK lets your address in."
        )
