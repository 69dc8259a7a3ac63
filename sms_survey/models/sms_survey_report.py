from odoo import fields, models
from odoo.tools import SQL


class SmsSurveyReport(models.Model):
    """Each question that was asked by text, with its answer if there is one.

    Rates are averages of 0 and 1. An agent is named from so many answers on as the company wants;
    the rows of the others have none.
    """

    _name = "sms.survey.report"
    _description = "SMS Survey Analysis"
    _auto = False
    _order = "date DESC, id DESC"
    _rec_name = "survey_id"
    _depends = {
        "survey.user_input": [
            "survey_id",
            "service_id",
            "agent_id",
            "question_id",
            "company_id",
            "sms_state",
            "asked_at",
            "replied_at",
        ],
        "survey.user_input.line": [
            "user_input_id",
            "question_id",
            "suggested_answer_id",
            "answer_score",
        ],
        "res.company": ["sms_survey_min_answers"],
    }

    survey_id = fields.Many2one("survey.survey", "Survey", readonly=True)
    question_id = fields.Many2one("survey.question", "Question", readonly=True)
    answer_id = fields.Many2one("survey.question.answer", "Answer", readonly=True)
    service_id = fields.Many2one("contact.center.service", "Service", readonly=True)
    agent_id = fields.Many2one("contact.center.agent", "Agent", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    date = fields.Datetime("Asked at", readonly=True)
    asked = fields.Integer(readonly=True)
    answered = fields.Integer(readonly=True)
    response_rate = fields.Float(readonly=True, aggregator="avg")
    score = fields.Float("Average score", readonly=True, aggregator="avg")
    reply_minutes = fields.Float("Minutes to answer", readonly=True, aggregator="avg")

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT row.id, row.survey_id, row.question_id, row.answer_id, row.service_id,
                   row.company_id, row.date, 1 AS asked, row.answered,
                   row.answered::float AS response_rate, row.score, row.reply_minutes,
                   CASE WHEN sum(row.answered) OVER (PARTITION BY row.survey_id, row.agent_id)
                             >= coalesce(company.sms_survey_min_answers, 0)
                        THEN row.agent_id END AS agent_id
              FROM (%(answers)s UNION ALL %(open)s) row
              LEFT JOIN res_company company ON company.id = row.company_id
            """,
            answers=self._get_answers_query(),
            open=self._get_open_query(),
        )

    def _get_answers_query(self):
        """SQL of the questions that were answered."""
        return SQL(
            """
            SELECT 2 * line.id AS id, input.survey_id, line.question_id, input.service_id,
                   input.agent_id, input.company_id, input.asked_at AS date,
                   line.suggested_answer_id AS answer_id, 1 AS answered,
                   line.answer_score AS score,
                   extract(epoch FROM line.create_date - input.asked_at) / 60.0 AS reply_minutes
              FROM survey_user_input_line line
              JOIN survey_user_input input ON input.id = line.user_input_id
             WHERE input.asked_at IS NOT NULL AND line.suggested_answer_id IS NOT NULL
            """
        )

    def _get_open_query(self):
        """SQL of the questions that are out, or were not answered."""
        return SQL(
            """
            SELECT 2 * input.id + 1, input.survey_id, input.question_id, input.service_id,
                   input.agent_id, input.company_id, input.asked_at, NULL::integer, 0,
                   NULL::float, NULL::float
              FROM survey_user_input input
             WHERE input.asked_at IS NOT NULL
               AND input.sms_state IN ('sent', 'invalid', 'expired')
            """
        )
