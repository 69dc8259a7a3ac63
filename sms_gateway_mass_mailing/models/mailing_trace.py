from odoo import fields, models

from odoo.addons.sms_gateway.const import FAILURE_TYPES


class MailingTrace(models.Model):
    _inherit = "mailing.trace"

    failure_type = fields.Selection(selection_add=FAILURE_TYPES)
