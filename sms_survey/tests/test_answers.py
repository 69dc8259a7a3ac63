from odoo.exceptions import ValidationError
from odoo.tests import tagged

from .common import CUSTOMER, SmsSurveyCase


@tagged("post_install", "-at_install")
class TestAnswers(SmsSurveyCase):
    """What customers write, and what becomes of it."""

    def ask_with(self, values, words, **options):
        """A question of its own, out to the customer."""
        self.service.survey_id = self.create_survey("Well?", values, words, **options)
        row = self.call()
        self.ask()
        return row

    def test_r102_the_answer_is_the_survey_app_s(self):
        row = self.call()
        self.ask()
        message = self.answer("4")
        self.assertEqual(
            (row.sms_state, row.state, self.get_values(row)), ("answered", "done", ["4"])
        )
        self.assertEqual((row.scoring_total, row.scoring_percentage), (4, 80))
        self.assertEqual(message.survey_input_id, row)
        self.assertFalse(message.inbox_state)
        self.assertEqual((self.survey.answer_count, self.survey.answer_done_count), (1, 1))
        self.assertEqual(self.survey.answer_score_avg, 80)

    def test_r104_words_with_letters_of_the_north_and_emoji(self):
        values = ["Dårlig", "Väldigt bra", "Dobrze", "Hyvä"]
        words = ["nei", "toppen, 👍", "świetnie, łał", "yö"]
        row = self.ask_with(values, words)
        question = row.question_id
        for text, value in (
            (" DÅRLIG!! ", "Dårlig"),
            ("väldigt bra 🙏", "Väldigt bra"),
            ("👍🏽", "Väldigt bra"),
            ("ŁAŁ", "Dobrze"),
            ("HYVA\u0308", "Hyvä"),
            ("3", "Dobrze"),
        ):
            with self.subTest(text):
                self.assertEqual(question._find_sms_answer(text).value, value)
        for text in ("bra", "5", "0", "yo", "Hyvä on", ""):
            with self.subTest(text):
                self.assertFalse(question._find_sms_answer(text))

    def test_a_number_that_is_an_answer_is_not_a_place(self):
        """R104: from the best to the worst, 5 is the first answer."""
        row = self.ask_with(list("54321"), None)
        self.answer("5")
        self.assertEqual(self.get_values(row), ["5"])

    def test_more_behind_the_answer_only_where_that_is_allowed(self):
        row = self.call()
        self.ask()
        self.answer("5 takk")
        self.assertEqual(row.sms_state, "invalid")
        self.survey.sms_first_word = True
        self.answer("5 takk")
        self.assertEqual((row.sms_state, self.get_values(row)), ("answered", ["5"]))

    def test_r104_what_is_no_answer_waits_in_the_inbox_and_a_second_try_counts(self):
        row = self.call()
        self.ask()
        message = self.answer("Who are you?")
        self.assertEqual((message.inbox_state, message.inbox_reason), ("todo", "no_match"))
        self.assertEqual((row.sms_state, row.state), ("invalid", "in_progress"))
        self.assertEqual(self.ask(), [], "no second question")
        self.answer("2")
        self.assertEqual((row.sms_state, self.get_values(row)), ("answered", ["2"]))

    def test_r102_a_second_answer_changes_nothing_but_is_kept(self):
        row = self.call()
        self.ask()
        self.answer("4")
        second = self.answer("1")
        self.assertEqual(self.get_values(row), ["4"])
        self.assertFalse(row.is_late)
        self.assertIn(second, row.sms_message_ids)
        other = self.answer("When do you open on Monday?")
        self.assertNotIn(other, row.sms_message_ids)
        self.assertEqual((other.res_model, other.res_id), ("res.partner", self.partner.id))

    def test_a_late_answer_is_kept_and_marked(self):
        """R104: at the deadline it counts no more; nor before the scheduled action has seen it."""
        for seen in (False, True):
            with self.subTest(seen=seen):
                with self.after():
                    row = self.call(f"late-{seen}")
                    self.ask()
                with self.after(hours=48, seconds=1):
                    if seen:
                        self.run_due()
                        self.assertEqual(row.sms_state, "expired")
                    message = self.answer("5")
                self.assertEqual((self.get_values(row), row.is_late), ([], True))
                self.assertEqual(message.inbox_reason, "expired")
                self.assertEqual(message.survey_input_id, row)

    def test_a_late_answer_that_a_person_takes_for_one_counts(self):
        with self.after():
            row = self.call()
            self.ask()
        with self.after(hours=49):
            message = self.answer("5")
            message._get_open_prompt()._answer(message)
        self.assertEqual((row.sms_state, self.get_values(row)), ("answered", ["5"]))
        self.assertTrue(row.is_late)

    def test_in_time_to_the_last_second(self):
        with self.after():
            row = self.call()
            self.ask()
        with self.after(hours=48):
            self.answer("5")
        self.assertEqual(row.sms_state, "answered")

    def test_texts_after_the_answer_are_off_unless_written(self):
        """R102: one question, and nothing else."""
        self.call()
        self.assertEqual(len(self.ask()), 1)
        self.answer("what?")
        self.answer("5")
        self.assertEqual(self.ask(), [])

    def test_thanks_and_not_understood_once(self):
        self.survey.write({"sms_thank_you": "Thanks!", "sms_not_understood": "1 to 5, please."})
        self.call()
        self.ask()
        self.answer("what?")
        self.answer("what??")
        self.assertEqual(self.ask(), ["1 to 5, please."])
        self.answer("5")
        self.assertEqual(self.ask(), ["Thanks!"])

    def test_several_questions_one_after_another(self):
        self.create_question(self.survey, "Would you call again?", ["Yes", "No"], ["ja", "nei"])
        self.survey.sms_all_questions = True
        row = self.call()
        self.assertEqual(self.ask(), ["How did we do?\n1, 2, 3, 4, 5"])
        self.answer("3")
        self.assertEqual((row.sms_state, row.state), ("sent", "in_progress"))
        self.assertEqual(self.ask(), ["Would you call again?\n1 Yes\n2 No"])
        self.answer("Ja!")
        self.assertEqual((row.sms_state, self.get_values(row)), ("answered", ["3", "Yes"]))

    def test_r102_of_several_questions_one_is_asked_by_default(self):
        self.create_question(self.survey, "Would you call again?", ["Yes", "No"])
        row = self.call()
        self.ask()
        self.answer("3")
        self.assertEqual((row.state, self.ask()), ("done", []))

    def test_answers_in_the_customer_s_language(self):
        self.env["res.lang"]._activate_lang("sv_SE")
        survey = self.create_survey("Satisfied?", ["Yes", "No"])
        question = survey.question_ids
        question.with_context(lang="sv_SE").title = "Nöjd?"
        yes = question.suggested_answer_ids[0]
        yes.with_context(lang="sv_SE").write({"value": "Ja", "sms_keywords": "japp"})
        self.partner.lang = "sv_SE"
        self.service.survey_id = survey
        row = self.call()
        self.assertEqual(self.ask(), ["Nöjd?\n1 Ja\n2 No"])
        swedish = row._with_lang().question_id
        for text in ("ja", "Japp", "yes", "1"):
            self.assertEqual(swedish._find_sms_answer(text), yes)

    def test_the_language_that_the_exchange_tells_comes_first(self):
        self.env["res.lang"]._activate_lang("sv_SE")
        self.survey.question_ids.with_context(lang="sv_SE").title = "Hur var det?"
        self.tell("call.queued", service="help", call_id="s", caller=CUSTOMER, lang="sv_SE")
        self.tell("call.answered", 10, call_id="s", agent="Ada")
        self.tell("call.ended", 60, call_id="s", reason="caller")
        (body,) = self.ask()
        self.assertTrue(body.startswith("Hur var det?"), body)

    def test_a_word_of_two_answers_is_refused(self):
        """R104: naming the question and the word."""
        with self.assertRaisesRegex(ValidationError, "Question Fine.*“ok”"):
            self.create_survey("Fine?", ["Yes", "Well"], ["ok", "OK!"])
        answer = self.survey.question_ids.suggested_answer_ids[0]
        with self.assertRaisesRegex(ValidationError, "“5”"):
            answer.sms_keywords = "5"

    def test_an_opt_out_word_is_no_answer(self):
        row = self.call()
        self.ask()
        self.answer("STOP")
        self.assertEqual(row.sms_state, "sent")
        self.assertFalse(self.get_values(row))
        self.assertIn(CUSTOMER, self.env["sms.sms"]._gate_get_blacklisted({CUSTOMER}))
