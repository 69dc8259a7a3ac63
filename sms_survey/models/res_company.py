from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    sms_survey_min_answers = fields.Integer(
        "Answers before an agent is named",
        default=1,
        help="In the report of SMS surveys; with fewer answers to a survey an agent is not.",
    )

    _sms_survey_min_answers_positive = models.Constraint(
        "CHECK(sms_survey_min_answers >= 0)",
        "The number of answers before an agent is named cannot be negative.",
    )
