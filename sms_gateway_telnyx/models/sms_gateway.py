from odoo import fields, models


class SmsGateway(models.Model):
    _inherit = "sms.gateway"

    # === FIELDS === #

    code = fields.Selection(
        selection_add=[("telnyx", "Telnyx")], ondelete={"telnyx": "set default"}
    )
    telnyx_api_key = fields.Char(
        "Telnyx API key",
        copy=False,
        groups="base.group_system",
        help="In the Telnyx portal: Account settings › Keys & Credentials › API Keys. Begins with "
        "KEY.",
    )
    telnyx_public_key = fields.Char(
        "Telnyx public key",
        copy=False,
        groups="base.group_system",
        help="In the Telnyx portal: Account settings › Keys & Credentials › Public Key. Proves "
        "that a call comes from Telnyx; without it none is accepted.",
    )
    telnyx_profile = fields.Char(
        "Telnyx messaging profile",
        copy=False,
        groups="base.group_system",
        help="The ID of the messaging profile, in the Telnyx portal: Messaging › Programmable "
        "Messaging. Needed only where the sender is a name.",
    )
