import re

from odoo import models

from odoo.addons.sms_gateway.engine.contract import (
    DeliveryReport,
    InboundText,
    SendRequest,
    SendResult,
)
from odoo.addons.sms_gateway.engine.reading import (
    dig,
    dig_list,
    digits,
    read_amount,
    read_count,
    read_list,
    read_number,
    read_state,
    read_text,
    read_time,
)
from odoo.addons.sms_gateway.engine.results import refuse, refuse_one, retry

from .. import const


class SmsGatewayAdapterInfobip(models.AbstractModel):
    """Infobip: many texts in one request, each with our uuid as its ``messageId``."""

    _name = "sms.gateway.adapter.infobip"
    _inherit = ["sms.gateway.adapter"]
    _description = "SMS gateway adapter: Infobip"

    # === SENDING === #

    def _get_batch_size(self):
        return const.MAX_MESSAGES

    def _prepare_request(self, gateway, messages):
        texts = [self._prepare_text(gateway, message) for message in messages]
        content = {"messages": texts, "options": {"includeSmsCountInResponse": True}}
        return self._make_request(
            gateway, "POST", "sms/3/messages", messages.mapped("uuid"), json=content
        )

    def _prepare_text(self, gateway, message):
        report = {"url": gateway.status_url, "intermediateReport": True}
        return {
            "sender": digits(message.sender_id.address),
            "destinations": [{"to": digits(message.number), "messageId": message.uuid}],
            "content": {"text": message.body},
            "webhooks": {"delivery": report, "contentType": "application/json"},
        }

    def _make_request(self, gateway, method, path, uuids=(), **content):
        return SendRequest(
            tuple(uuids),
            method,
            f"{(gateway.infobip_url or '').rstrip('/')}/{path}",
            headers={"Authorization": f"App {gateway.infobip_key}", "Accept": "application/json"},
            **content,
        )

    def _parse_response(self, gateway, request, response):
        answer = response.json()
        texts = dig(answer, "messages")
        if response.status == 200 and isinstance(texts, list):
            told = {read_text(dig(text, "messageId")): text for text in texts}
            return [self._parse_text(uuid, told.get(uuid)) for uuid in request.uuids]
        if response.status == 400 and (blamed := self._read_blamed(request, answer)):
            return retry(request, None, None, blamed)
        return refuse(request, response, self._read_code(answer), self._get_words(response), {})

    def _parse_text(self, uuid, text):
        """The status of one text; where there is none that we know, its fate is unknown."""
        state = const.STATES.get(self._read_status_group(dig(text, "status")))
        if state in ("sent", "delivered"):
            segments = read_count(dig(text, "details", "messageCount"))
            return SendResult(uuid, "sent", provider_ref=uuid, segments=segments)
        code = read_text(dig(text, "status", "id"))
        proof = const.REFUSED if state and code != const.DUPLICATE else None
        return refuse_one(uuid, code, self._read_words(text, "status"), const.FAILURES, proof)

    def _read_code(self, answer):
        """The code of a refusal; Infobip has a new and an old form of it."""
        old = dig(answer, "requestError", "serviceException", "messageId")
        return read_text(dig(answer, "errorCode")) or read_text(old)

    def _get_words(self, response):
        answer = response.json()
        old = dig(answer, "requestError", "serviceException", "text")
        words = read_text(dig(answer, "description")) or read_text(old)
        return words or super()._get_words(response)

    def _read_blamed(self, request, answer):
        """The refusal by uuid of the texts that are wrong, where Infobip says which."""
        blamed = {}
        for violation in dig_list(answer, "violations"):
            place = read_text(dig(violation, "property")) or ""
            index = re.match(r"messages\[([0-9]{1,4})\]", place)
            if index and int(index[1]) < len(request.uuids):
                uuid, code = request.uuids[int(index[1])], place.rpartition(".")[2]
                words = f"{place}: {read_text(dig(violation, 'violation')) or ''}"
                blamed[uuid] = refuse_one(uuid, code, words, const.VIOLATIONS, const.REFUSED)
        return blamed

    # === WEBHOOKS === #

    def _verify_webhook(self, gateway, webhook):
        """Infobip signs nothing: the secret in the address has proved the call."""

    def _extract_inbound(self, gateway, webhook):
        results = read_list(dig(webhook.json(), "results"))
        return [self._read_inbound(gateway, result) for result in results]

    def _read_inbound(self, gateway, result):
        return InboundText(
            number=self._format_number(gateway, result.get("from")),
            address=read_text(result.get("to")),
            body=result.get("text"),
            provider_ref=read_text(result.get("messageId")),
            sent_at=read_time(result.get("receivedAt")),
        )

    def _extract_reports(self, gateway, webhook):
        """Up to a hundred in one call."""
        return [self._read_report(report) for report in read_list(dig(webhook.json(), "results"))]

    def _read_report(self, report):
        state = read_state(const.STATES, self._read_status_group(report.get("status")))
        count = read_count(report.get("messageCount")) or 1
        price = read_number(dig(report, "price", "pricePerMessage"))
        return DeliveryReport(
            state,
            uuid=read_text(report.get("messageId")),
            cost=None if price is None else price * count,
            currency=read_text(dig(report, "price", "currency")),
            **(self._read_failure(report) if state == "failed" else {}),
        )

    def _read_status_group(self, status):
        """The group of a status; a text that is at the operator only is not delivered."""
        at_operator = read_text(dig(status, "id")) == const.AT_OPERATOR
        return "PENDING" if at_operator else read_text(dig(status, "groupName"))

    def _read_failure(self, report):
        """Why a text failed: the error says more than the status, unless Infobip refused it."""
        status, error = (read_text(dig(report, part, "id")) for part in ("status", "error"))
        kind = const.FAILURES.get(status) or const.ERRORS.get(error)
        told = "error" if error not in (None, "0") else "status"
        return {
            "failure_type": kind or const.GROUPS[report["status"]["groupName"]],
            "code": read_text(dig(report, told, "id")),
            "reason": self._read_words(report, told),
        }

    def _read_words(self, text, part):
        """Infobip's description of a status or error, else its name."""
        words = (read_text(dig(text, part, name)) for name in ("description", "name"))
        return next(filter(None, words), None)

    # === ACCOUNT === #

    def _prepare_balance_request(self, gateway):
        return self._make_request(gateway, "GET", "account/1/balance")

    def _parse_balance(self, gateway, response):
        account = response.json()
        return read_amount(dig(account, "balance"), dig(account, "currency"))

    def _get_test_advice(self):
        return self.env._(
            "Check Infobip base URL and Infobip API key, and in Infobip's portal the scopes of the "
            "key and the addresses it allows."
        )

    def _get_features(self):
        return {**super()._get_features(), "balance": True, "cost": True}
