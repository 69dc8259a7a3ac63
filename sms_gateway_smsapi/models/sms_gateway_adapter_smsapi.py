import hashlib

from odoo import models

from odoo.addons.sms_gateway.engine.contract import (
    DeliveryReport,
    InboundText,
    SendRequest,
    SendResult,
    WebhookMalformed,
)
from odoo.addons.sms_gateway.engine.reading import (
    dig,
    dig_list,
    digits,
    read_amount,
    read_count,
    read_state,
    read_text,
    read_time,
)
from odoo.addons.sms_gateway.engine.results import get_retry_after, refuse, refuse_one, retry

from .. import const


class SmsGatewayAdapterSmsapi(models.AbstractModel):
    """SMSAPI: one request for all recipients of a text, each with our uuid as its ``idx``.

    With ``check_idx`` SMSAPI refuses an ``idx`` it knows, so a text whose answer was lost is safely
    sent again. Such a refusal does not say which of several it means: what is tried again goes
    alone.
    """

    _name = "sms.gateway.adapter.smsapi"
    _inherit = ["sms.gateway.adapter"]
    _description = "SMS gateway adapter: SMSAPI"

    # === SENDING === #

    def _get_batch_size(self):
        return const.MAX_RECIPIENTS

    def _get_batch_key(self, message):
        return message.sender_id, message.body

    def _get_alone(self, messages):
        return messages._get_tried()

    def _prepare_request(self, gateway, messages):
        data = {
            "to": ",".join(digits(message.number) for message in messages),
            "from": digits(messages.sender_id.address),
            "message": messages[0].body,
            "idx": "|".join(messages.mapped("uuid")),
            "check_idx": "1",
            "allow_duplicates": "1",  # a number may stand in the list twice
            "encoding": "utf-8",
            "format": "json",
            "details": "1",
        }
        return self._make_request(
            gateway, "POST", "sms.do", messages.mapped("uuid"), data=data, idempotent=True
        )

    def _make_request(self, gateway, method, path, uuids=(), **content):
        return SendRequest(
            tuple(uuids),
            method,
            f"https://api.{gateway.smsapi_service}/{path}",
            headers={"Authorization": f"Bearer {gateway.smsapi_token}"},
            **content,
        )

    def _parse_response(self, gateway, request, response):
        answer = response.json()
        if code := self._read_error(answer):
            return self._parse_error(request, code, response)
        if response.status == 200 and isinstance(dig(answer, "list"), list):
            return self._parse_list(request, answer)
        return refuse(request, response, None, self._get_words(response), {})

    def _read_error(self, told):
        """The code of an error, or None."""
        code = read_text(dig(told, "error"))
        return None if code == const.NO_ERROR else code

    def _get_words(self, response):
        return read_text(dig(response.json(), "message")) or super()._get_words(response)

    def _parse_error(self, request, code, response):
        """An error, which SMSAPI tells with HTTP 200 too: nothing of the request was sent now."""
        words, wait = self._get_words(response), get_retry_after(response)
        if code in const.OF_ONE and len(request.uuids) > 1:
            return retry(request, code, words)
        if code == const.DUPLICATE:
            return [SendResult(request.uuids[0], "sent")]  # by the try whose answer was lost
        return [
            refuse_one(uuid, code, words, const.FAILURES, const.REFUSED, wait)
            for uuid in request.uuids
        ]

    def _parse_list(self, request, answer):
        """One entry for each number taken; those that are none stand in a list of their own."""
        taken = self._index(answer, "list", "idx")
        invalid = self._index(answer, "invalid_numbers", "submitted_number")
        results = []
        for uuid, number in zip(request.uuids, request.data["to"].split(","), strict=True):
            if uuid in taken:
                results.append(self._parse_entry(uuid, taken[uuid], answer))
            else:
                words = read_text(dig(invalid.get(number), "message"))
                code = const.NO_NUMBER if number in invalid else None
                results.append(refuse_one(uuid, code, words, const.FAILURES))
        return results

    def _index(self, answer, name, key):
        """The entries of a list by one of their fields."""
        return {read_text(dig(entry, key)): entry for entry in dig_list(answer, name)}

    def _parse_entry(self, uuid, entry, answer):
        if code := self._read_error(entry):
            words = read_text(dig(entry, "status"))
            return refuse_one(uuid, code, words, const.FAILURES, const.REFUSED)
        return SendResult(
            uuid,
            "sent",
            provider_ref=read_text(dig(entry, "id")),
            segments=read_count(answer.get("parts")),
        )

    # === WEBHOOKS === #

    def _verify_webhook(self, gateway, webhook):
        """SMSAPI signs nothing: the secret in the address has proved the call."""

    def _extract_inbound(self, gateway, webhook):
        params = webhook.params
        if missing := [name for name in ("sms_from", "sms_to") if not params.get(name)]:
            raise WebhookMalformed(f"a text without {', '.join(missing)}")
        return [
            InboundText(
                number=self._format_number(gateway, params["sms_from"]),
                address=params["sms_to"],
                body=params.get("sms_text", ""),
                provider_ref=params.get("MsgId") or self._make_reference(params),
                sent_at=read_time(params.get("sms_date")),
            )
        ]

    def _make_reference(self, params):
        """What is the same in every repetition of a text that has no id."""
        words = [params.get(name) for name in ("sms_from", "sms_to", "sms_date", "sms_text")]
        return hashlib.sha256(repr(words).encode("utf-8", "surrogateescape")).hexdigest()

    def _extract_reports(self, gateway, webhook):
        """Several reports come in one call, each parameter with its values joined by commas."""
        params = webhook.params
        names = ("MsgId", "idx", "status", "status_name")
        columns = [params.get(name, "").split(",") for name in names]
        count = len(columns[2])
        columns = [column if column != [""] else [""] * count for column in columns]
        if any(len(column) != count for column in columns):
            raise WebhookMalformed("not as many ids as statuses")
        return [self._read_report(*row) for row in zip(*columns, strict=True)]

    def _read_report(self, reference, uuid, status, words):
        state = read_state(const.REPORT_STATES, status)
        failure = {
            "failure_type": const.REPORT_FAILURES.get(status),
            "code": status,
            "reason": words or None,
        }
        return DeliveryReport(
            state,
            uuid=uuid or None,
            provider_ref=reference or None,
            **(failure if state == "failed" else {}),
        )

    def _webhook_reply(self, gateway, webhook):
        """These two letters; for anything else SMSAPI calls again."""
        return 200, {"Content-Type": "text/plain"}, b"OK"

    # === ACCOUNT === #

    def _prepare_balance_request(self, gateway):
        return self._make_request(
            gateway, "GET", "user.do", params={"credits": "1", "details": "1", "format": "json"}
        )

    def _parse_balance(self, gateway, response):
        """In points: what one is worth is agreed with each customer."""
        return read_amount(dig(response.json(), "points"))

    def _get_test_advice(self):
        return self.env._(
            "Check SMSAPI token and SMSAPI service, and in SMSAPI's panel the permissions of the "
            "token and the IP filter."
        )

    def _get_features(self):
        return {**super()._get_features(), "idempotency": True, "balance": True}
