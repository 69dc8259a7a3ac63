from odoo.tests import HttpCase, new_test_user, tagged

from .common import SmsSurveyCase


@tagged("post_install", "-at_install")
class TestTours(SmsSurveyCase, HttpCase):
    """What a supervisor sees and does, in a real browser."""

    def setUp(self):
        super().setUp()
        self.boss = new_test_user(self.env, "survey_boss", groups="contact_center.group_supervisor")

    def test_r103_r104_a_supervisor_sets_up_a_survey(self):
        self.start_tour(
            "/odoo/action-sms_survey.survey_survey_action", "sms_survey_set_up", login="survey_boss"
        )
        survey = self.env["survey.survey"].search([("title", "=", "After the call")])
        self.assertEqual((survey.survey_type, survey.sms_sender_id), ("sms", self.survey_sender))
        question = survey.question_ids
        self.assertEqual(question._find_sms_answer("Japp!").value, "Yes")

    def test_r105_r107_results_are_in_the_contact_center_s_reporting(self):
        for number, answer in enumerate("545"):
            caller = f"+479061111{number}"
            self.call(f"r{number}", caller=caller)
            self.ask()
            self.answer(answer, caller)
        url = "/odoo/action-contact_center.contact_center_service_action_board"
        self.start_tour(url, "sms_survey_report", login="survey_boss")
