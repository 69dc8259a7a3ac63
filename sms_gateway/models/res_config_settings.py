from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    sms_enabled = fields.Boolean(related="company_id.sms_enabled", readonly=False)
    sms_bulk_enabled = fields.Boolean(related="company_id.sms_bulk_enabled", readonly=False)
    sms_default_sender_id = fields.Many2one(
        related="company_id.sms_default_sender_id", readonly=False
    )
    sms_max_segments = fields.Integer(related="company_id.sms_max_segments", readonly=False)
    sms_balance_enabled = fields.Boolean(related="company_id.sms_balance_enabled", readonly=False)
    sms_balance = fields.Integer(related="company_id.sms_balance")
    sms_balance_added = fields.Integer("Fill up by", help="SMS to add to what is left.")
    sms_quiet_hours = fields.Boolean(related="company_id.sms_quiet_hours", readonly=False)
    sms_quiet_start = fields.Float(related="company_id.sms_quiet_start", readonly=False)
    sms_quiet_end = fields.Float(related="company_id.sms_quiet_end", readonly=False)
    sms_retention_months = fields.Integer(related="company_id.sms_retention_months", readonly=False)
    sms_request_number_url = fields.Char(
        related="company_id.sms_request_number_url", readonly=False
    )

    def set_values(self):
        """Override of `base`: the balance is added to, for texts may have taken from it since."""
        res = super().set_values()
        self.company_id._add_sms_balance(self.sms_balance_added)
        return res
