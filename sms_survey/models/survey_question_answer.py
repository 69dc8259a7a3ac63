from odoo import api, fields, models

from odoo.addons.sms_gateway.engine.words import normalize_word

from ..engine.answers import split_words


class SurveyQuestionAnswer(models.Model):
    _inherit = "survey.question.answer"

    sms_keywords = fields.Char(
        "Accepted words",
        translate=True,
        help="Separated by commas, besides the answer itself and, where no answer is a number, its "
        "place in the list. Capitals, punctuation and emoji around a word do not matter.",
    )

    @api.depends_context("sms_survey_answers_alone")
    def _compute_display_name(self):
        """Override of `survey`: in a report by answer the question before each says nothing."""
        res = super()._compute_display_name()
        if self.env.context.get("sms_survey_answers_alone"):
            for answer in self:
                answer.display_name = answer.value_label
        return res

    @api.constrains("sms_keywords", "value")
    def _check_sms_keywords(self):
        self.question_id._check_sms_words()

    def _get_sms_words(self):
        """What customers may write, normalized: in their language and in the original."""
        words = []
        for answer in (self, self.with_context(lang=None)):
            words += [normalize_word(answer.value), *split_words(answer.sms_keywords)]
        return list(dict.fromkeys(filter(None, words)))
