from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from ..engine.replies import matches, split_words


class SmsFlowUnmatchedAdd(models.TransientModel):
    """Make what customers wrote one of the answers of the step that had asked."""

    _name = "sms.flow.unmatched.add"
    _description = "Add SMS Flow Answer"

    step_id = fields.Many2one("sms.flow.step", required=True, readonly=True, ondelete="cascade")
    flow_id = fields.Many2one(related="step_id.flow_id")
    body = fields.Text("Text", readonly=True)
    word = fields.Char(
        required=True,
        help="What is added to the words of the answer. Case and punctuation make no difference.",
    )
    reply_id = fields.Many2one(
        "sms.flow.reply", "Add to", domain="[('step_id', '=', step_id)]", ondelete="cascade"
    )
    match = fields.Selection(
        lambda self: self.env["sms.flow.reply"]._fields["match"]._description_selection(self.env),
        "The text",
        required=True,
        default="exact",
    )
    target_step_id = fields.Many2one(
        "sms.flow.step",
        "Go to",
        compute="_compute_target_step_id",
        store=True,
        readonly=False,
        domain="[('flow_id', '=', flow_id)]",
        ondelete="cascade",
    )
    message_ids = fields.Many2many("sms.message", string="Texts", readonly=True)
    waiting_ids = fields.Many2many(
        "sms.message", string="Waiting texts", compute="_compute_waiting_ids"
    )
    waiting_count = fields.Integer(compute="_compute_waiting_ids")
    is_applied = fields.Boolean(
        "Apply it to the texts that wait",
        default=True,
        help="They count as answers now, and leave the inbox.",
    )
    note = fields.Char(compute="_compute_note")

    # === COMPUTE METHODS === #

    @api.depends("reply_id")
    def _compute_target_step_id(self):
        for wizard in self:
            wizard.target_step_id = wizard.reply_id.target_step_id or wizard.target_step_id

    @api.depends("message_ids")
    def _compute_waiting_ids(self):
        for wizard in self:
            wizard.waiting_ids = wizard.message_ids.filtered(wizard._get_open_question)
            wizard.waiting_count = len(wizard.waiting_ids)

    @api.depends("word", "step_id")
    def _compute_note(self):
        """What else the word means in the company."""
        for wizard in self:
            kinds = wizard._get_keyword_kinds().keys() - {"hard_words"}
            check = self.env["sms.flow.check"]
            words = [check._get_keyword_words(kind, wizard.word) for kind in sorted(kinds)]
            wizard.note = " ".join(words) or False

    # === ACTION METHODS === #

    @api.model
    def _open(self, unmatched):
        """Open the wizard for a text.

        :param unmatched: ``sms.flow.unmatched``
        :return: the action
        """
        wizard = self.create(
            {
                "step_id": unmatched.step_id.id,
                "body": unmatched.body,
                "word": unmatched._get_word(),
                "message_ids": [Command.set(unmatched._get_texts().ids)],
            }
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Add as answer"),
            "res_model": self._name,
            "res_id": wizard.id,
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
        }

    def action_add(self):
        """Add the word, and hand over the texts that wait for it."""
        self.ensure_one()
        self._check_word()
        self._add_word()
        applied = self._apply() if self.is_applied else 0
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self._get_done_words(applied),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    # === BUSINESS METHODS: THE WORD === #

    def _check_word(self):
        """The word must be one, mean nothing else, and take the text for an answer."""
        words = split_words(self.word)
        match = self.reply_id.match or self.match
        if "hard_words" in self._get_keyword_kinds():
            raise UserError(self.env["sms.flow.check"]._get_keyword_words("hard_words", self.word))
        if len(words) != 1 or not matches(self.body, words, match == "word"):
            raise UserError(
                self.env._(
                    "With the word “%(word)s” the text “%(text)s” would still be no answer. Enter "
                    "one word or phrase without commas that it is or, with an answer whose texts "
                    "contain one of the words, that it contains.",
                    word=self.word,
                    text=self.body,
                )
            )
        other = (self.step_id.reply_ids - self.reply_id)._find_match(words[0])
        if other and other.target_step_id != self.target_step_id:
            raise UserError(
                self.env._(
                    "“%(word)s” already is an answer of %(step)s, to %(target)s. Take it out "
                    "there first.",
                    word=self.word,
                    step=self.step_id.name,
                    target=other.target_step_id.name,
                )
            )

    def _get_keyword_kinds(self):
        """What the word means to the company, by kind."""
        rows = self.env["sms.keyword"]._find_rows(self.step_id.flow_id.company_id.id)
        return rows.get("".join(split_words(self.word)[:1]), {})

    def _add_word(self):
        """To the chosen answer, if it is not there; else a new answer."""
        (word,) = split_words(self.word)
        if not self.reply_id:
            self._create_reply(word)
        elif word not in self.reply_id._get_words():
            self.reply_id.keywords = f"{self.reply_id.keywords}, {word}"

    def _create_reply(self, word):
        if not self.target_step_id:
            raise UserError(
                self.env._("Choose the answer to add the word to, or the step a new one goes to.")
            )
        self.reply_id = self.env["sms.flow.reply"].create(
            {
                "step_id": self.step_id.id,
                "keywords": word,
                "match": self.match,
                "target_step_id": self.target_step_id.id,
            }
        )

    # === BUSINESS METHODS: WAITING TEXTS === #

    def _get_open_question(self, text):
        """The question of our step that a text of the inbox may still answer, may be empty.

        The customer must stand where he was asked: elsewhere the same word means something else.
        """
        prompt = text.sudo()._get_open_prompt() if text.inbox_state == "todo" else None
        if not prompt or prompt.res_model != "sms.flow.run":
            return False
        run = prompt._get_owners().get(prompt)
        entry = prompt.message_id.flow_entry_id
        is_here = run and run.state == "active" and run.entry_id == entry
        was_asked = entry.step_id == self.step_id and entry.message_id.id < text.id
        return is_here and was_asked and prompt

    def _apply(self):
        """Hand the texts to who asked, the oldest first; how many were answers."""
        applied = 0
        for text in self.waiting_ids.sorted("id"):
            prompt = self._get_open_question(text)
            if prompt and prompt._answer(text.sudo()):
                text.sudo()._set_inbox_handled()
                applied += 1
        return applied

    def _get_done_words(self, applied):
        if not applied:
            return self.env._("“%s” is an answer from now on.", self.word)
        return self.env._(
            "“%(word)s” is an answer from now on. Texts that waited and count now: %(count)s.",
            word=self.word,
            count=applied,
        )
