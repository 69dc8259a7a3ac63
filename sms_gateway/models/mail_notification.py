from odoo import fields, models

from ..const import CORE_GATE_FAILURE_TYPES, FAILURE_TYPES


class MailNotification(models.Model):
    _inherit = "mail.notification"

    failure_type = fields.Selection(selection_add=[*FAILURE_TYPES, *CORE_GATE_FAILURE_TYPES])

    sms_without_report = fields.Boolean(
        help="The provider sends no delivery reports: nothing is known once it has the text."
    )

    def _to_store_defaults(self, target):
        """Override of `mail`: our people see why a text failed, and the number it went to."""
        res = super()._to_store_defaults(target)
        if target.is_internal(self.env):
            res = [*res, "failure_reason", "sms_number", "sms_without_report"]
        return res
