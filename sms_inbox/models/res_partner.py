from odoo import fields, models


class ResPartner(models.Model):
    _name = "res.partner"
    _inherit = ["res.partner", "sms.conversation.mixin"]

    # Received texts are looked up by it; core has the index on leads only.
    phone_sanitized = fields.Char(index="btree_not_null")
