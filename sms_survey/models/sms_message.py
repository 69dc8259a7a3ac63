from odoo import api, fields, models


class SmsMessage(models.Model):
    _inherit = "sms.message"

    survey_input_id = fields.Many2one(
        "survey.user_input",
        "Survey participation",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
    )

    # === STATES === #

    def _set_failed(self, failure_type, reason=None, code=None):
        """Override of `sms_gateway`: who got no question is not waited for."""
        changed = super()._set_failed(failure_type, reason=reason, code=code)
        changed._tell_surveys()
        return changed

    def _set_cancelled(self, failure_type=False, reason=None):
        """Override of `sms_gateway`: likewise, where it never left."""
        changed = super()._set_cancelled(failure_type=failure_type, reason=reason)
        changed._tell_surveys()
        return changed

    def _tell_surveys(self):
        for message in self.filtered("survey_input_id"):
            if message.survey_input_id.question_message_id == message:
                message.survey_input_id._note_failed(message)

    def _resend(self):
        """Override of `sms_gateway`: what is sent again asks like the first."""
        fresh = self.filtered(lambda m: m.survey_input_id and not m.resent_as_id)
        res = super()._resend()
        for message in fresh:
            message.survey_input_id._note_resent(message, message.resent_as_id)
        return res

    # === RECEIVING === #

    def _answer_prompt(self, prompts, chosen, owners, records):
        """Override of `sms_inbox`: an answer to a question that is closed is kept with it.

        It changes nothing: the text goes to the record or the inbox as it would.
        """
        res = super()._answer_prompt(prompts, chosen, owners, records)
        latest = prompts[:1]
        is_ours = latest.res_model == "survey.user_input"
        if not chosen and is_ours and (row := latest._get_owners().get(latest)):
            row._note_extra(self)
        return res

    @api.model
    def _make_candidates(self, ids_by_model):
        """Override of `sms_inbox`: what has nothing to do with a survey is not put on it."""
        others = {name: ids for name, ids in ids_by_model.items() if name != "survey.user_input"}
        return super()._make_candidates(others)

    # === RETENTION === #

    def _erase(self):
        """Override of `sms_gateway`: the number in the survey is forgotten, too."""
        self.survey_input_id.sudo().write({"number": False})
        return super()._erase()
