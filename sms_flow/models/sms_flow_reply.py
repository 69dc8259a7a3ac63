from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..engine.replies import matches, split_words


class SmsFlowReply(models.Model):
    """An accepted answer: any of its words moves the customer to the target step."""

    _name = "sms.flow.reply"
    _description = "SMS Flow Answer"
    _order = "step_id, sequence, id"
    _rec_name = "keywords"

    step_id = fields.Many2one("sms.flow.step", required=True, index=True, ondelete="cascade")
    flow_id = fields.Many2one(related="step_id.flow_id")
    sequence = fields.Integer(default=10)
    keywords = fields.Char(
        "Words",
        required=True,
        help="Separated by commas. Case, accents written in two ways, punctuation and emoji around "
        "a word make no difference.",
    )
    match = fields.Selection(
        [("exact", "is one of the words"), ("word", "contains one of the words")],
        "The text",
        required=True,
        default="exact",
    )
    target_step_id = fields.Many2one(
        "sms.flow.step",
        "Go to",
        required=True,
        domain="[('flow_id', '=', flow_id)]",
        index=True,
        ondelete="cascade",
    )

    @api.constrains("keywords")
    def _check_keywords(self):
        for reply in self:
            if not reply._get_words():
                raise ValidationError(
                    self.env._("Step %s: an answer needs at least one word.", reply.step_id.name)
                )

    @api.constrains("target_step_id", "step_id")
    def _check_target(self):
        for reply in self:
            if reply.target_step_id.flow_id != reply.step_id.flow_id:
                raise ValidationError(
                    self.env._(
                        "Step %(step)s: the answer “%(words)s” must go to a step of the same flow.",
                        step=reply.step_id.name,
                        words=reply.keywords,
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        replies = super().create(vals_list)
        replies.flow_id._refuse_while_off()
        return replies

    def write(self, vals):
        """Override of `base`: rights are checked before a change; it may not go to others (P11)."""
        res = super().write(vals)
        if "step_id" in vals:
            self.check_access("write")
        self.flow_id._refuse_while_off()
        return res

    def _get_words(self):
        """The words as they are compared."""
        return split_words(self.keywords)

    def _find_match(self, text):
        """The answer that a text is: those listed exactly before those contained, else empty."""
        for match in ("exact", "word"):
            for reply in self.filtered(lambda r, match=match: r.match == match):
                if matches(text, reply._get_words(), anywhere=match == "word"):
                    return reply
        return self.browse()
