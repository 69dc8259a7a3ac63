from base64 import b64encode

from odoo import models

from odoo.addons.sms_gateway.engine.contract import (
    DeliveryReport,
    InboundText,
    SendRequest,
    SendResult,
    WebhookMalformed,
)
from odoo.addons.sms_gateway.engine.proof import check_age, check_equal, sign
from odoo.addons.sms_gateway.engine.reading import (
    dig,
    dig_list,
    digits,
    read_list,
    read_state,
    read_text,
    read_time,
)
from odoo.addons.sms_gateway.engine.results import refuse, retry

from .. import const


class SmsGatewayAdapterSinch(models.AbstractModel):
    """Sinch: one batch for all recipients of a text.

    A batch has one id. With the number behind it, it names a text; so no number may be twice in a
    batch. A text that goes alone has our uuid as its ``client_reference`` too: its report finds it
    even where Sinch's answer was lost.
    """

    _name = "sms.gateway.adapter.sinch"
    _inherit = ["sms.gateway.adapter"]
    _description = "SMS gateway adapter: Sinch"

    # === SENDING === #

    def _get_batch_size(self):
        return const.MAX_RECIPIENTS

    def _get_batch_key(self, message):
        return message.sender_id, message.body

    def _get_alone(self, messages):
        """Those that were tried before, perhaps in vain for another of their batch; and those to a
        number that has another text here.
        """
        first = messages.browse(group.ids[0] for group in messages.grouped("number").values())
        return (messages - first) | first._get_tried()

    def _prepare_request(self, gateway, messages):
        content = {
            "type": "mt_text",
            "from": digits(messages.sender_id.address),
            "to": [digits(message.number) for message in messages],
            "body": messages[0].body,
            "delivery_report": "per_recipient",
            "callback_url": gateway.status_url,
        }
        if len(messages) == 1:
            content["client_reference"] = messages.uuid
        return self._make_request(gateway, "POST", messages.mapped("uuid"), json=content)

    def _make_request(self, gateway, method, uuids=(), **content):
        return SendRequest(
            tuple(uuids),
            method,
            f"https://{gateway.sinch_region}.sms.api.sinch.com/xms/v1/{gateway.sinch_plan}/batches",
            headers={"Authorization": f"Bearer {gateway.sinch_token}"},
            **content,
        )

    def _parse_response(self, gateway, request, response):
        answer = response.json()
        batch = read_text(dig(answer, "id"))
        if batch and response.status in (200, 201):
            return [
                SendResult(uuid, "sent", provider_ref=f"{batch}/{number}")
                for uuid, number in zip(request.uuids, request.json["to"], strict=True)
            ]
        code, words = read_text(dig(answer, "code")), self._get_words(response)
        if response.status == 400 and len(request.uuids) > 1:
            return retry(request, code, words)
        return refuse(request, response, code, words, const.ERRORS)

    def _get_words(self, response):
        return read_text(dig(response.json(), "text")) or super()._get_words(response)

    # === WEBHOOKS === #

    def _verify_webhook(self, gateway, webhook):
        """A signature, if we have the secret: Sinch signs for some accounts only."""
        if not gateway.sinch_secret:
            return
        name = "x-sinch-webhook-signature"
        nonce, timestamp = (
            webhook.headers.get(f"{name}-{part}") for part in ("nonce", "timestamp")
        )
        signed = webhook.body + f".{nonce}.{timestamp}".encode()
        expected = b64encode(sign(gateway.sinch_secret, signed)).decode()
        check_equal(webhook.headers.get(name), expected)
        check_age(timestamp)

    def _extract_inbound(self, gateway, webhook):
        text = webhook.json()
        return [
            InboundText(
                number=self._format_number(gateway, dig(text, "from")),
                address=read_text(dig(text, "to")),
                body=self._read_body(text),
                provider_ref=read_text(dig(text, "id")),
                sent_at=read_time(dig(text, "received_at")),
            )
        ]

    def _read_body(self, text):
        """The text; of a picture message its subject, its text and the addresses of pictures."""
        kind, body = dig(text, "type"), dig(text, "body")
        if kind == "mo_text":
            return body
        if kind != "mo_media":
            raise WebhookMalformed(f"bytes for a program, not a text: {kind!r:.100}")
        words = [read_text(dig(body, name)) for name in ("subject", "message")]
        links = [read_text(dig(item, "url")) for item in dig_list(body, "media")]
        return "\n".join(filter(None, [*words, *links])) or self.env._("[picture without text]")

    def _extract_reports(self, gateway, webhook):
        """A report on one recipient; or one on a batch, by status."""
        report = webhook.json()
        kind = dig(report, "type")
        batch = read_text(dig(report, "batch_id"))
        if kind == "recipient_delivery_report_sms" and batch:
            uuid = read_text(report.get("client_reference"))
            return [self._read_report(report, batch, report.get("recipient"), uuid)]
        if kind == "delivery_report_sms" and batch:
            return [
                self._read_report(part, batch, number)
                for part in read_list(report.get("statuses"))
                for number in self._read_recipients(part)
            ]
        raise WebhookMalformed(f"not a delivery report but {kind!r}"[:200])

    def _read_recipients(self, part):
        """The numbers of a status; a report that only counts them has none."""
        numbers = part.get("recipients") or []
        if not isinstance(numbers, list):
            raise WebhookMalformed("recipients that are no list")
        return numbers

    def _read_report(self, report, batch, number, uuid=None):
        status = (read_text(report.get("status")) or "").upper()
        state, number = read_state(const.STATES, status), read_text(number)
        if not number:
            raise WebhookMalformed("a delivery report without its recipient")
        code = read_text(report.get("code"))
        kind = const.FAILURES.get(code) or const.STATUS_FAILURES.get(status, "sms_not_delivered")
        failure = {"failure_type": kind, "code": code, "reason": read_text(report["status"])}
        return DeliveryReport(
            state,
            uuid=uuid or None,
            provider_ref=f"{batch}/{digits(number)}",
            **(failure if state == "failed" else {}),
        )

    # === ACCOUNT === #

    def _prepare_test_request(self, gateway):
        """The list of batches, of which one is enough."""
        return self._make_request(gateway, "GET", params={"page_size": "1"})

    def _is_account(self, gateway, response):
        return isinstance(dig(response.json(), "batches"), list)

    def _get_test_advice(self):
        return self.env._("Check Sinch region, Sinch service plan and Sinch API token.")
