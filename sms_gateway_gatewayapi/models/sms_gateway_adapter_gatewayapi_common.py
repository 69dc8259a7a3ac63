import phonenumbers

from odoo import models

from odoo.addons.sms_gateway.engine.contract import DeliveryReport, SendRequest, SendResult
from odoo.addons.sms_gateway.engine.json_web_token import read_jwt
from odoo.addons.sms_gateway.engine.proof import check_equal, require, sign
from odoo.addons.sms_gateway.engine.reading import dig, read_amount, read_state, read_text
from odoo.addons.sms_gateway.engine.results import refuse, refuse_one, retry, unknown

from .. import const


class SmsGatewayAdapterGatewayapiCommon(models.AbstractModel):
    """What GatewayAPI's two APIs have in common.

    Both take many texts in one request, each with our uuid, and refuse all of them for one. The
    adapter of each writes the request, and reads what only its API says.
    """

    _name = "sms.gateway.adapter.gatewayapi.common"
    _inherit = ["sms.gateway.adapter"]
    _description = "SMS gateway adapter: both APIs of GatewayAPI"

    # === SENDING === #

    def _get_batch_size(self):
        return const.BATCH_SIZE

    def _get_batch_key(self, message):
        """A country that the account may not send to is refused with all texts of its request."""
        try:
            return phonenumbers.region_code_for_number(phonenumbers.parse(message.number))
        except phonenumbers.NumberParseException:
            return None

    def _get_alone(self, messages):
        """Those that were tried before: an answer may name only one of several wrong texts."""
        return messages._get_tried()

    def _parse_response(self, gateway, request, response):
        if 300 <= response.status < 500:
            return self._parse_refusal(request, response)
        accepted = self._read_accepted(request, response.json())
        if response.status >= 500 or not accepted:
            return unknown(request, response)
        return [
            SendResult(uuid, "sent", **accepted[uuid])
            if uuid in accepted
            else SendResult(uuid, "unknown", reason="not in the answer")
            for uuid in request.uuids
        ]

    def _read_accepted(self, request, answer):
        """The texts that the answer takes. Override in both adapters.

        :param answer: JSON of any type
        :return: dict of values of :class:`SendResult` by our uuid
        """
        raise NotImplementedError

    # === REFUSALS === #

    def _parse_refusal(self, request, response):
        """Refused together; where the answer names the texts meant, the others may go again."""
        answer, status = response.json(), response.status
        code = (self._read_code(answer) or str(status)).lower()
        words = self._get_words(response)
        if named := self._find_named(request, answer):
            failures = {u: refuse_one(u, code, words, const.FAILURES, status) for u in named}
            return retry(request, code, words, failures)
        if len(request.uuids) > 1 and self._is_of_one(code, status):
            return retry(request, code, words)
        return refuse(request, response, code, words, const.FAILURES)

    def _is_of_one(self, code, status):
        """Whether a refusal is meant for one of several texts, or nobody knows for how many."""
        return code in const.OF_ONE or (status in (400, 422) and code not in const.FAILURES)

    def _read_code(self, answer):
        return read_text(dig(answer, "code"))

    def _get_words(self, response):
        return read_text(dig(response.json(), "message")) or super()._get_words(response)

    def _find_named(self, request, answer):
        """Our uuids of the texts that a refusal names. Override in both adapters."""
        raise NotImplementedError

    # === WEBHOOKS === #

    def _verify_webhook(self, gateway, webhook):
        """The legacy API sends a token that repeats the call, the messaging API signs the body.

        Either is proof for both adapters: a call of the other API is not refused but parked, with
        the reason, and can be replayed.
        """
        require(gateway.gatewayapi_secret)
        if token := webhook.headers.get(const.TOKEN_HEADER):
            read_jwt(token, gateway.gatewayapi_secret)
        else:
            signature = f"v1={sign(gateway.gatewayapi_secret, webhook.body).hex()}"
            check_equal(webhook.headers.get("signature"), signature)

    def _make_report(self, told, uuid, reference, code, words):
        """A report of either API.

        :param told: GatewayAPI's word for the state
        :param code: why it failed, None where that is not told; ``words`` likewise
        :return: :class:`DeliveryReport`
        """
        state = read_state(const.REPORT_STATES, told)
        failure = self._get_failure(told, code, words) if state == "failed" else {}
        return DeliveryReport(state, uuid, reference, **failure)

    def _get_failure(self, told, code, words):
        kind = const.STATE_FAILURES.get(told, "sms_not_delivered")
        return {
            "failure_type": const.REPORT_FAILURES.get((code or "").lower(), kind),
            "code": code,
            "reason": words or told,
        }

    # === ACCOUNT === #

    def _prepare_rest_request(self, gateway, method, path, uuids=(), json=None):
        """A request to the REST API, which knows the account whichever API sends."""
        return SendRequest(
            tuple(uuids),
            method,
            f"https://gatewayapi.{gateway.gatewayapi_region}/rest/{path}",
            auth=(gateway.gatewayapi_token or "", ""),
            json=json,
        )

    def _prepare_balance_request(self, gateway):
        return self._prepare_rest_request(gateway, "GET", "me")

    def _parse_balance(self, gateway, response):
        account = response.json()
        return read_amount(dig(account, "credit"), dig(account, "currency"))

    def _get_test_advice(self):
        return self.env._("Check GatewayAPI token and GatewayAPI region.")

    def _get_features(self):
        return {**super()._get_features(), "balance": True, "signature": True}
