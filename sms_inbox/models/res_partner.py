from odoo import fields, models


class ResPartner(models.Model):
    _inherit = "res.partner"

    # Received texts are looked up by it; core has the index on leads only.
    phone_sanitized = fields.Char(index="btree_not_null")
