import json
import time

from odoo import http
from odoo.http import request

from odoo.addons.sms_gateway.engine.contract import WebhookRefused

from ..const import ACCOUNT_HEADER, ACCOUNT_PATH, SEND_PATH
from ..engine import signature

#: A larger request is refused, in bytes.
MAX_SIZE = 256 * 1024


class DemoCarrier(http.Controller):
    """The carrier's own interface, as a real provider publishes it for its customers."""

    @http.route(
        SEND_PATH,
        type="http",
        auth="public",
        methods=["POST"],
        csrf=False,
        save_session=False,
        max_content_length=MAX_SIZE,
    )
    def send(self):
        """Take texts: ``{"texts": [{"uuid", "from", "to", "body"}, ...]}``."""
        try:
            carrier = self._get_carrier()
        except WebhookRefused as refusal:
            return self._refuse(refusal)
        try:
            texts = json.loads(request.httprequest.get_data())["texts"]
        except (KeyError, TypeError, ValueError):
            return request.make_json_response({"error": "no list of texts"}, status=400)
        status, answer = carrier._serve_texts(texts)
        return request.make_json_response(answer, status=status)

    @http.route(
        ACCOUNT_PATH, type="http", auth="public", methods=["GET"], csrf=False, save_session=False
    )
    def account(self):
        """Tell the balance."""
        try:
            carrier = self._get_carrier()
        except WebhookRefused as refusal:
            return self._refuse(refusal)
        return request.make_json_response({"balance": carrier.balance})

    def _get_carrier(self):
        """The account that signed the request.

        :raise WebhookRefused: where nobody did
        """
        headers = request.httprequest.headers
        account = headers.get(ACCOUNT_HEADER, "")
        carrier_sudo = request.env["sms.demo.carrier"].sudo()._find_account(account)
        signature.check(
            carrier_sudo.gateway_id.demo_secret,
            headers.get(signature.HEADER),
            request.httprequest.get_data(),
            time.time(),
        )
        return carrier_sudo

    def _refuse(self, refusal):
        return request.make_json_response({"error": f"refused: {refusal.reason}"}, status=401)
