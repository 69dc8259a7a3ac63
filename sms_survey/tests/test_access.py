from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from .common import SmsSurveyCase

MODELS = (
    "survey.survey",
    "survey.question",
    "survey.question.answer",
    "survey.user_input",
    "survey.user_input.line",
    "sms.survey.report",
)


@tagged("post_install", "-at_install")
class TestAccess(SmsSurveyCase):
    """Who sees results, and whose."""

    def setUp(self):
        super().setUp()
        self.row = self.call()
        self.ask()
        self.answer("5")
        web = self.env["survey.survey"].create({"title": "Staff"})
        self.env["survey.user_input"].create({"survey_id": web.id})

    def count(self, user, model):
        return self.env[model].with_user(user).search_count([])

    def test_an_agent_sees_nothing(self):
        agent = new_test_user(self.env, "cc_agent", groups="contact_center.group_agent")
        for model in MODELS:
            with self.subTest(model), self.assertRaises(AccessError):
                self.count(agent, model)

    def test_a_supervisor_sees_surveys_by_sms_only(self):
        boss = new_test_user(self.env, "cc_boss", groups="contact_center.group_supervisor")
        rows = self.env["survey.user_input"].with_user(boss).search([])
        self.assertIn(self.row, rows)
        self.assertEqual(set(rows.survey_id.mapped("survey_type")), {"sms"})
        for model in MODELS:
            with self.subTest(model):
                self.assertTrue(self.count(boss, model))
        with self.assertRaises(AccessError):
            self.row.with_user(boss).number = False

    def test_a_supervisor_of_another_company_sees_none_of_ours(self):
        other = self.env["res.company"].create({"name": "Other AS"})
        boss = new_test_user(
            self.env,
            "other_boss",
            groups="contact_center.group_supervisor",
            company_id=other.id,
            company_ids=[(6, 0, other.ids)],
        )
        ours = {
            "survey.survey": self.survey,
            "survey.question": self.survey.question_ids,
            "survey.question.answer": self.survey.question_ids.suggested_answer_ids,
            "survey.user_input": self.row,
            "survey.user_input.line": self.row.user_input_line_ids,
            "sms.survey.report": self.env["sms.survey.report"].search(
                [("survey_id", "=", self.survey.id)]
            ),
        }
        for model, records in ours.items():
            with self.subTest(model):
                domain = [("id", "in", records.ids)]
                self.assertEqual(self.env[model].search_count(domain), len(records))
                self.assertFalse(self.env[model].with_user(boss).search(domain))

    def test_a_survey_user_sees_all_he_may(self):
        user = new_test_user(self.env, "survey_reader", groups="survey.group_survey_user")
        self.assertIn(self.row, self.env["survey.user_input"].with_user(user).search([]))
        self.survey.restrict_user_ids = self.env.user
        self.env.invalidate_all()
        self.assertNotIn(self.row, self.env["survey.user_input"].with_user(user).search([]))
        report = self.env["sms.survey.report"].with_user(user)
        self.assertFalse(report.search([("survey_id", "=", self.survey.id)]))

    def test_the_agent_of_one_answer_is_not_shown_to_a_supervisor(self):
        boss = new_test_user(self.env, "cc_boss", groups="contact_center.group_supervisor")
        with self.assertRaises(AccessError):
            self.row.with_user(boss).read(["agent_id"])
