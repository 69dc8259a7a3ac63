from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..engine.answers import find_answer, find_shared_words


class SurveyQuestion(models.Model):
    _inherit = "survey.question"

    survey_type = fields.Selection(related="survey_id.survey_type")

    @api.constrains("suggested_answer_ids")
    def _check_sms_answers(self):
        self._check_sms_words()

    def _check_sms_words(self):
        """No word can be two answers to a question (R104)."""
        for question in self.filtered(lambda q: q.survey_type == "sms"):
            if shared := find_shared_words(question._get_sms_choices()):
                raise ValidationError(
                    self.env._(
                        "Question %(question)s: “%(word)s” is a word of more than one answer. "
                        "Take it out of all but one.",
                        question=question.title,
                        word=shared[0],
                    )
                )

    def _get_sms_choices(self):
        """Words of each answer, in the order of the answers.

        :return: dict of lists of str by id of the answer
        """
        return {answer.id: answer._get_sms_words() for answer in self.suggested_answer_ids}

    def _find_sms_answer(self, text):
        """The answer that a text is, may be empty.

        :return: ``survey.question.answer``
        """
        first_word = self.survey_id.sms_first_word
        found = find_answer(text, self._get_sms_choices(), first_word)
        return self.suggested_answer_ids.browse(found)

    def _get_sms_text(self):
        """The question and its answers as one text."""
        values = self.suggested_answer_ids.mapped("value")
        if any(value.strip().isdecimal() for value in values):
            return f"{self.title}\n{', '.join(values)}"
        lines = [f"{place} {value}" for place, value in enumerate(values, start=1)]
        return "\n".join([self.title, *lines])
