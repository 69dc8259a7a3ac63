from odoo import fields, models


class SmsGateway(models.Model):
    _inherit = "sms.gateway"

    # === FIELDS === #

    code = fields.Selection(
        selection_add=[("linkmobility", "LINK Mobility")],
        ondelete={"linkmobility": "set default"},
    )
    linkmobility_url = fields.Char(
        "LINK Mobility address",
        copy=False,
        groups="base.group_system",
        help="Where LINK takes your texts, from its letter of welcome, e.g. "
        "https://n-eu.linkmobility.io",
    )
    linkmobility_username = fields.Char(
        "LINK Mobility user",
        copy=False,
        groups="base.group_system",
        help="From LINK's letter of welcome.",
    )
    linkmobility_password = fields.Char(
        "LINK Mobility password", copy=False, groups="base.group_system"
    )
    linkmobility_platform = fields.Char(
        "LINK Mobility platform",
        copy=False,
        groups="base.group_system",
        help="The platformId, from LINK's letter of welcome, e.g. COMMON_API.",
    )
    linkmobility_partner = fields.Char(
        "LINK Mobility partner",
        copy=False,
        groups="base.group_system",
        help="The platformPartnerId, a number from LINK's letter of welcome.",
    )
    linkmobility_gate = fields.Char(
        "LINK Mobility gate",
        copy=False,
        groups="base.group_system",
        help="The ID of the gate through which LINK sends delivery reports to the address on the "
        "page Incoming. LINK's support makes it. Empty: the gate that LINK has set for you.",
    )
