from odoo import fields, models


class SmsTool(models.Model):
    """A text that an administrator puts on any model."""

    _name = "sms.tool"
    _description = "SMS Tool"

    name = fields.Char(required=True)
