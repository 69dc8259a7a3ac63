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
            request.httprequest.max_content_length = rule.endpoint.routing["max_content_length"]
            request.httprequest.get_data(cache=True, parse_form_data=False)
        return super()._pre_dispatch(rule, args)
