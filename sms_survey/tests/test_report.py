from odoo.tests import tagged
from odoo.tools.safe_eval import safe_eval

from .common import SmsSurveyCase


@tagged("post_install", "-at_install")
class TestReport(SmsSurveyCase):
    """Results by agent and service."""

    def talk(self, number, agent, answer):
        """A call of somebody else, and what he answered; None for nothing."""
        caller = f"+479061111{number}"
        row = self.call(f"r{number}", caller=caller, agent=agent)
        self.ask()
        if answer:
            self.answer(answer, caller)
        return row

    def group(self, *groupby):
        self.env.flush_all()
        report = self.env["sms.survey.report"]
        return report._read_group(
            [("survey_id", "=", self.survey.id)],
            groupby,
            ["asked:sum", "answered:sum", "response_rate:avg", "score:avg"],
        )

    def test_r106_counts_and_average_by_agent_and_by_service(self):
        for number, (agent, answer) in enumerate(
            (("Ada", "5"), ("Ada", "2"), ("Eve", "1"), ("Eve", None))
        ):
            self.talk(number, agent, answer)
        by_agent = {agent.name: figures for agent, *figures in self.group("agent_id")}
        self.assertEqual(by_agent, {"Ada": [2, 2, 1.0, 3.5], "Eve": [2, 1, 0.5, 1.0]})
        [(service, asked, answered, rate, score)] = self.group("service_id")
        self.assertEqual((service, asked, answered, rate), (self.service, 4, 3, 0.75))
        self.assertAlmostEqual(score, 8 / 3)

    def test_r106_counts_for_each_answer_and_by_week(self):
        self.talk(1, "Ada", "5")
        self.talk(2, "Ada", "5")
        self.talk(3, "Ada", "what?")
        counts = {answer.value: count for answer, _asked, count, *_ in self.group("answer_id")}
        self.assertEqual(counts, {"5": 2, False: 0})
        self.assertEqual(len(self.group("date:week")), 1)

    def test_r106_answers_are_named_without_their_question(self):
        """As the report's menu opens it; a legend has room for no more."""
        answer = self.survey.question_ids.suggested_answer_ids[0]
        self.assertIn("How did we do?", answer.display_name)
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "sms_survey.sms_survey_report_action"
        )
        context = safe_eval(action["context"])
        self.assertEqual(answer.with_context(**context).display_name, "1")

    def test_r104_what_is_no_answer_is_not_counted_as_one(self):
        self.talk(1, "Ada", "what?")
        [(asked, answered, _rate, score)] = self.group()
        self.assertEqual((asked, answered, score), (1, 0, False))

    def test_agents_with_too_few_answers_are_not_named(self):
        self.company.sms_survey_min_answers = 2
        for number, (agent, answer) in enumerate(
            (("Ada", "5"), ("Ada", "2"), ("Eve", "1"), ("Eve", None))
        ):
            self.talk(number, agent, answer)
        by_agent = {agent.name: figures[1] for agent, *figures in self.group("agent_id")}
        self.assertEqual(by_agent, {"Ada": 2, False: 1})

    def test_answers_to_another_survey_do_not_name_an_agent(self):
        """R106: one answer to each is one, not two."""
        self.company.sms_survey_min_answers = 2
        self.talk(1, "Ada", "5")
        self.service.survey_id = self.create_survey("And now?", "12345")
        self.talk(2, "Ada", "5")
        self.assertEqual([agent.name for agent, *_figures in self.group("agent_id")], [False])

    def test_who_was_passed_over_was_not_asked(self):
        self.survey.sms_quarantine_days = 7
        self.talk(1, "Ada", "5")
        self.talk(1, "Ada", None)
        self.assertEqual([row[0] for row in self.group()], [1])

    def test_several_questions_are_counted_each(self):
        self.create_question(self.survey, "Again?", ["Yes", "No"])
        self.survey.sms_all_questions = True
        self.talk(1, "Ada", "5")
        counts = {
            question.title: (asked, answered)
            for question, asked, answered, *_ in self.group("question_id")
        }
        self.assertEqual(counts, {"How did we do?": (1, 1), "Again?": (1, 0)})

    def test_r105_the_survey_app_s_own_result(self):
        self.talk(1, "Ada", "5")
        self.talk(2, "Ada", "5")
        self.talk(3, "Ada", None)
        lines = self.survey.user_input_ids.user_input_line_ids
        [data] = self.survey.question_ids._prepare_statistics(lines)
        counts = {row["value"]: row["count"] for row in data["table_data"]}
        self.assertEqual((counts["5"], counts["4"]), (2, 0))
