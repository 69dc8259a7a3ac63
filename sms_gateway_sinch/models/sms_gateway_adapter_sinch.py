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
from odoo.addons.sms_gateway.engine.reading import dig, digits, read_list, read_text, read_time
from odoo.addons.sms_gateway.engine.results import get_retry_after, refuse

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

    def _prepare_requests(self, gateway, messages):
        alone = self._get_alone(messages)
        batches = [*self._split_by_text(messages - alone, const.MAX_RECIPIENTS), *alone]
        return [self._prepare_request(gateway, batch) for batch in batches]

    def _get_alone(self, messages):
        """Those that were tried before, perhaps in vain for another of their batch; and those to a
        number that has another text here.
        """
        first = messages.browse(group.ids[0] for group in messages.grouped("number").values())
        return (messages - first) | first._get_tried()

    def _prepare_request(self, gateway, messages):
        """One batch, of texts of one sender and one body."""
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
        code = read_text(dig(answer, "code")) or str(response.status)
        words = read_text(dig(answer, "text")) or response.text.strip()
        if response.status == 400 and len(request.uuids) > 1:
            return [SendResult(uuid, "retry", code=code, reason=words) for uuid in request.uuids]
        wait = get_retry_after(response)
        return refuse(request, code, words, const.ERRORS, response.status, wait)

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
        if dig(text, "type") != "mo_text":
            raise WebhookMalformed(f"not a text but {dig(text, 'type')!r}"[:200])
        return [
            InboundText(
                number=self._format_number(gateway, read_text(text.get("from")) or ""),
                address=read_text(text.get("to")),
                body=text.get("body"),
                provider_ref=read_text(text.get("id")),
                sent_at=read_time(text.get("received_at")),
            )
        ]

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
        state, number = const.STATES.get(status), read_text(number)
        if not (state and number):
            raise WebhookMalformed(f"no recipient, or no status of a text: {status[:100]!r}")
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

    def _parse_test_response(self, gateway, response):
        if response.status == 200 and isinstance(dig(response.json(), "batches"), list):
            return True, self.env._("Connected.")
        words = read_text(dig(response.json(), "text")) or response.text.strip()[:200]
        return False, self.env._(
            "Sinch answered %(status)s: %(words)s. Check Sinch region, Sinch service plan and "
            "Sinch API token.",
            status=response.status,
            words=words,
        )
