from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    sms_survey_min_answers = fields.Integer(
        related="company_id.sms_survey_min_answers", readonly=False
    )
