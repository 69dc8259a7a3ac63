from werkzeug.exceptions import RequestEntityTooLarge

from odoo import models
from odoo.http import request


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    @classmethod
    def _pre_dispatch(cls, rule, args):
        """Override of `base`: keep the raw body of a form where a signature is over it.

        Reading the form consumes the body; a route with ``sms_raw_body=True`` has it read before.
        """
        if rule.endpoint.routing.get("sms_raw_body"):
            cls._sms_read_body(rule.endpoint.routing["max_content_length"])
        return super()._pre_dispatch(rule, args)

    @classmethod
    def _sms_read_body(cls, limit):
        """Read the body; one sent in chunks would be cut at the limit, and not refused."""
        call = request.httprequest
        call.max_content_length = limit
        body = call.get_data(cache=True, parse_form_data=False)
        if call.content_length is None and len(body) >= limit:
            raise RequestEntityTooLarge
