from odoo import http
from odoo.http import request

from ..const import ACCOUNT_PATH, SEND_PATH

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
        return self._serve(SEND_PATH)

    @http.route(
        ACCOUNT_PATH, type="http", auth="public", methods=["GET"], csrf=False, save_session=False
    )
    def account(self):
        """Tell the balance."""
        return self._serve(ACCOUNT_PATH)

    def _serve(self, path):
        call = request.httprequest
        # sudo - sms.demo.carrier: it answers only who has signed with the account's secret
        carriers_sudo = request.env["sms.demo.carrier"].sudo()
        status, answer = carriers_sudo._serve(path, call.headers, call.get_data())
        return request.make_json_response(answer, status=status)
