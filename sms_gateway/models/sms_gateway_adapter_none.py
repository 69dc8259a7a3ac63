from odoo import models


class SmsGatewayAdapterNone(models.AbstractModel):
    """The gateway of which no provider was chosen: nothing leaves, nothing is believed."""

    _name = "sms.gateway.adapter.none"
    _inherit = ["sms.gateway.adapter"]
    _description = "SMS gateway adapter: no provider"

    def _prepare_requests(self, gateway, messages):
        return []

    def _parse_response(self, gateway, request, response):
        return []

    def _get_features(self):
        return dict.fromkeys(super()._get_features(), False)
