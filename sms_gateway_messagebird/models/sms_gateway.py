from odoo import api, fields, models


class SmsGateway(models.Model):
    _inherit = "sms.gateway"

    # === FIELDS === #

    code = fields.Selection(
        selection_add=[("messagebird", "MessageBird"), ("bird", "Bird")],
        ondelete={"messagebird": "set default", "bird": "set default"},
    )
    messagebird_access_key = fields.Char(
        "MessageBird access key",
        copy=False,
        groups="base.group_system",
        help="In the MessageBird dashboard: Developers › API access › Live key.",
    )
    messagebird_signing_key = fields.Char(
        "MessageBird signing key",
        copy=False,
        groups="base.group_system",
        help="In the MessageBird dashboard: Developers › API settings › Signing key. Proves that a "
        "call comes from MessageBird; without it none is accepted.",
    )
    messagebird_unsigned_reports = fields.Boolean(
        "MessageBird reports unsigned",
        groups="base.group_system",
        help="Accept delivery reports that are not signed; the secret in the address proves them. "
        "For accounts whose reports are refused as unsigned.",
    )
    bird_api_key = fields.Char(
        "Bird API key",
        copy=False,
        groups="base.group_system",
        help="In the Bird dashboard: Developers › API keys. Begins with bk_ and the region.",
    )
    bird_webhook_secret = fields.Char(
        "Bird webhook secrets",
        copy=False,
        groups="base.group_system",
        help="In the Bird dashboard: Developers › Webhooks, the signing secret of each of the two "
        "endpoints, with a blank between them. Each begins with whsec_. Without them no call is "
        "accepted.",
    )

    # === COMPUTE METHODS === #

    @api.depends("messagebird_unsigned_reports")
    def _compute_features(self):
        """Override of `sms_gateway`: where reports are not signed, a password can prove them."""
        res = super()._compute_features()
        for gateway in self.filtered(lambda g: g.code == "messagebird"):
            gateway.support_signature = not gateway.sudo().messagebird_unsigned_reports
        return res
