from werkzeug.exceptions import MethodNotAllowed

from odoo import http
from odoo.http import request

from ..const import MAX_WEBHOOK_SIZE
from ..engine import log_filter
from ..engine.contract import Webhook, parse_pairs

log_filter.install()

METHODS = ("GET", "POST")


class SmsGatewayController(http.Controller):
    """Where providers call: incoming texts and delivery reports."""

    _webhook_url = "/sms/gateway/<string:token>/<any(inbound,status):kind>"

    @http.route(
        _webhook_url,
        type="http",
        auth="public",
        methods=METHODS,
        csrf=False,
        save_session=False,
        max_content_length=MAX_WEBHOOK_SIZE,
        sms_raw_body=True,
    )
    def webhook(self, token, kind, **_params):
        """Store a call of the provider; it is worked off after the answer.

        An unknown token is 404, a call without proof 403, and neither says more.
        """
        if request.httprequest.method not in METHODS:  # with them come HEAD and OPTIONS
            raise MethodNotAllowed(METHODS)
        gateway = request.env["sms.gateway"]._find_by_token(token)
        if not gateway:
            return request.make_response("", status=404)
        status, headers, body = gateway._receive_call(self._get_webhook(gateway, kind))
        return request.make_response(body, headers=list(headers.items()), status=status)

    def _get_webhook(self, gateway, kind):
        """The call as the adapter sees it."""
        call = request.httprequest
        query = call.query_string.decode("latin-1")
        return Webhook(
            kind=kind,
            method=call.method,
            url=gateway._get_webhook_url(kind) + (f"?{query}" if query else ""),
            query=tuple(parse_pairs(query)),
            form=tuple(self._get_form(call)),
            headers={name.lower(): value for name, value in call.headers.items()},
            body=call.get_data(cache=True, parse_form_data=False),
            remote_addr=call.remote_addr or "",
        )

    def _get_form(self, call):
        """Names and values of a form; werkzeug would give the repetitions of a name together."""
        if call.mimetype == "application/x-www-form-urlencoded":
            return parse_pairs(
                call.get_data(cache=True, parse_form_data=False).decode("utf-8", "replace")
            )
        return call.form.items(multi=True)
