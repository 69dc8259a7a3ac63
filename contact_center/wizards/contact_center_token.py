import base64

from odoo import api, fields, models


class ContactCenterToken(models.TransientModel):
    """Shows a new token, once: neither the connector nor this keeps it."""

    _name = "contact.center.token"
    _description = "Contact Center Token"

    connector_id = fields.Many2one("contact.center.connector", required=True, readonly=True)
    api_url = fields.Char(related="connector_id.api_url")
    token = fields.Char(store=False, readonly=True)
    bearer = fields.Char("As a header", compute="_compute_lines")
    basic = fields.Char("As user name and password", compute="_compute_lines")
    basic_header = fields.Char("The same as a header", compute="_compute_lines")

    @api.depends("token", "connector_id")
    def _compute_lines(self):
        for wizard in self:
            pair = f"{wizard.connector_id.code}:{wizard.token or ''}"
            encoded = base64.b64encode(pair.encode()).decode()
            wizard.bearer = f"Authorization: Bearer {wizard.token or ''}"
            wizard.basic = pair
            wizard.basic_header = f"Authorization: Basic {encoded}"
