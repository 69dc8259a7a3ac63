from odoo import api, fields, models
from odoo.exceptions import ValidationError


class SurveySurvey(models.Model):
    _inherit = "survey.survey"

    survey_type = fields.Selection(
        selection_add=[("sms", "SMS"), ("custom",)], ondelete={"sms": "set default"}
    )
    sms_sender_id = fields.Many2one(
        "sms.sender",
        "Sender",
        index="btree_not_null",
        ondelete="restrict",
        copy=True,
        help="A number of ours that receives answers.",
    )
    company_id = fields.Many2one(related="sms_sender_id.company_id", store=True, index=True)
    sms_delay_minutes = fields.Integer("Ask after", help="Minutes from the end of the call.")
    sms_expiry_hours = fields.Integer(
        "Answers count for", default=48, help="Hours. What comes later is kept, and marked as late."
    )
    sms_quarantine_days = fields.Integer(
        "Ask a number once in",
        default=7,
        help="Days, by any survey of the company. 0: after every call.",
    )
    sms_all_questions = fields.Boolean(
        "Ask all questions", help="One after another. Otherwise the first one only."
    )
    sms_first_word = fields.Boolean(
        "More may follow the answer", help="“5 thanks a lot” is the answer 5, then."
    )
    sms_thank_you = fields.Char(
        "Thank-you text", translate=True, help="After the last answer. Empty: none is sent."
    )
    sms_not_understood = fields.Char(
        "Not-understood text",
        translate=True,
        help="Once, after a text that is no answer. Empty: none is sent.",
    )
    sms_service_ids = fields.One2many("contact.center.service", "survey_id", "Services")

    _sms_numbers_positive = models.Constraint(
        "CHECK(sms_delay_minutes >= 0 AND sms_expiry_hours >= 1 AND sms_quarantine_days >= 0)",
        "SMS: enter 0 or more in “Ask after” and “Ask a number once in”, and 1 or more in “Answers "
        "count for”.",
    )

    # === COMPUTE METHODS === #

    def _compute_allowed_survey_types(self):
        """Override of `survey`: texts, too; they are all that a supervisor sets up."""
        res = super()._compute_allowed_survey_types()
        for survey in self:
            if survey.allowed_survey_types:
                survey.allowed_survey_types = [*survey.allowed_survey_types, "sms"]
        return res

    def _compute_survey_statistic(self):
        """Override of `survey`: who was asked counts, not who was passed over."""
        res = super()._compute_survey_statistic()
        ours = self.filtered(lambda survey: survey.survey_type == "sms")
        rows = self.env["survey.user_input"]._read_group(
            [("survey_id", "in", ours.ids), ("asked_at", "!=", False)],
            ["survey_id"],
            ["__count", "scoring_percentage:sum"],
        )
        asked = {survey: (count, total) for survey, count, total in rows}
        for survey in ours:
            count, total = asked.get(survey._origin, (0, 0.0))
            survey.answer_count = count
            survey.answer_score_avg = total / (survey.answer_done_count or 1)
            survey.success_ratio = 100 * survey.success_count / (survey.answer_done_count or 1)
        return res

    @api.onchange("survey_type")
    def _onchange_survey_type(self):
        """Override of `survey`: answers by text are scored, and nobody takes part by the web."""
        res = super()._onchange_survey_type()
        if self.survey_type == "sms":
            self.update(
                {
                    "access_mode": "token",
                    "certification": False,
                    "is_time_limited": False,
                    "questions_selection": "all",
                    "scoring_type": "scoring_without_answers",
                    "users_login_required": False,
                }
            )
        return res

    # === CONSTRAINT METHODS === #

    @api.constrains("survey_type", "sms_sender_id")
    def _check_sms_sender(self):
        for survey in self.filtered(lambda survey: survey.survey_type == "sms"):
            sender = survey.sms_sender_id.sudo()
            if sender and not sender.can_receive:
                raise ValidationError(
                    self.env._(
                        "Survey %(survey)s: nobody can answer to %(sender)s. Choose a sender that "
                        "receives answers.",
                        survey=survey.title,
                        sender=sender.display_name,
                    )
                )
            survey.sms_service_ids.sudo()._check_survey()

    @api.constrains("survey_type")
    def _check_sms_questions(self):
        self.question_ids._check_sms_words()

    # === ACTION METHODS === #

    def action_survey_user_input(self):
        """Override of `survey`: those of texts have their own list."""
        if self.survey_type != "sms":
            return super().action_survey_user_input()
        return self._open_sms_inputs({})

    def action_survey_user_input_completed(self):
        """Override of `survey`: likewise, of those who have answered."""
        if self.survey_type != "sms":
            return super().action_survey_user_input_completed()
        return self._open_sms_inputs({"search_default_answered": 1})

    def _open_sms_inputs(self, context):
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "sms_survey.survey_user_input_action"
        )
        return {**action, "context": {**context, "search_default_survey_id": self.id}}

    # === BUSINESS METHODS === #

    def _prepare_user_input_predefined_questions(self):
        """Override of `survey`: by text it is the first question, unless all are wanted (R102)."""
        if self.survey_type != "sms":
            return super()._prepare_user_input_predefined_questions()
        questions = self.question_ids.filtered(lambda q: q.question_type == "simple_choice")
        return questions if self.sms_all_questions else questions[:1]

    def _can_ask(self):
        """Whether there is something to ask, and a number to ask from."""
        return bool(
            self.active
            and self.survey_type == "sms"
            and self.sms_sender_id
            and self._prepare_user_input_predefined_questions()
        )
