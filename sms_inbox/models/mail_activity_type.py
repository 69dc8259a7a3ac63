from odoo import fields, models


class MailActivityType(models.Model):
    _inherit = "mail.activity.type"

    # "Write SMS" on such an activity opens the conversation of its record.
    category = fields.Selection(selection_add=[("sms", "SMS")], ondelete={"sms": "set default"})
