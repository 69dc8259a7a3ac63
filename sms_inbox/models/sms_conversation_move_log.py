from odoo import api, fields, models
from odoo.exceptions import UserError

#: Where a message is that no record shows: nowhere, or in the conversation.
UNSHOWN = (False, "discuss.channel")


class SmsConversationMoveLog(models.Model):
    """What was moved from one record to another, by whom, and what it takes to undo it."""

    _name = "sms.conversation.move.log"
    _description = "Moved SMS Conversation"
    _order = "id DESC"

    # === FIELDS === #

    channel_id = fields.Many2one(
        "discuss.channel",
        "Conversation",
        readonly=True,
        index="btree_not_null",
        ondelete="cascade",
        help="Empty where single texts were moved.",
    )
    number = fields.Char("Customer number", readonly=True, help="E.164")
    from_model = fields.Char("Model it was on", readonly=True)
    from_id = fields.Many2oneReference("Was on", model_field="from_model", readonly=True)
    from_name = fields.Char("From", compute="_compute_names")
    to_model = fields.Char("Model it went to", required=True, readonly=True)
    to_id = fields.Many2oneReference("Went to", model_field="to_model", readonly=True)
    to_name = fields.Char("To", compute="_compute_names")
    user_id = fields.Many2one(
        "res.users", "Moved by", readonly=True, default=lambda self: self.env.user
    )
    company_id = fields.Many2one("res.company", readonly=True)
    moved_message_ids = fields.One2many(
        "sms.conversation.move.log.line", "log_id", "Texts", readonly=True
    )
    moved_message_count = fields.Integer("Number of texts", compute="_compute_moved_message_count")
    undone_at = fields.Datetime("Undone", readonly=True)
    undone_by_id = fields.Many2one("res.users", "Undone by", readonly=True)

    # === COMPUTE METHODS === #

    @api.depends("from_model", "from_id", "to_model", "to_id")
    @api.depends_context("uid", "allowed_company_ids")
    def _compute_names(self):
        for move in self:
            move.from_name = move._get_name(move._get_source())
            move.to_name = move._get_name(move._get_target())

    @api.depends("moved_message_ids")
    def _compute_moved_message_count(self):
        for move in self:
            move.moved_message_count = len(move.moved_message_ids)

    # === ACTION METHODS === #

    def action_undo(self):
        """Bring back what was moved, and say what that was."""
        self.ensure_one()
        self._check_may_undo()
        move = self.sudo()
        words = move._undo()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": words,
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    def _check_may_undo(self):
        """Both records and the conversation must be the user's to read, as for the move itself."""
        move = self.sudo()
        if move.undone_at:
            raise UserError(self.env._("This move has been undone already."))
        if move.channel_id and move.channel_id.sms_move_id != move:
            raise UserError(
                self.env._("The conversation has gone to another record since: it stays there.")
            )
        if move.from_id and not move._get_source():
            raise UserError(self.env._("The record it came from no longer exists."))
        move.channel_id.sudo(False).check_access("read")
        move.moved_message_ids.message_id.sudo(False).check_access("read")
        for record in filter(None, (move._get_source(), move._get_target())):
            record.sudo(False).check_access("read")

    # === BUSINESS METHODS === #

    @api.model
    def _move_conversation(self, channel, target, with_history):
        """Give a conversation to another record; what comes from now on follows.

        The user's rights have been checked by the caller.

        :param channel: ``discuss.channel`` of type SMS
        :param target: the record it belongs to from now on
        :param bool with_history: its earlier texts go along
        :return: the log
        """
        move = self.sudo().create(
            {
                **self._prepare_values(channel._sms_get_record(), target),
                "channel_id": channel.id,
                "number": channel.sms_number,
                "company_id": channel.sudo().sms_sender_id.company_id.id,
            }
        )
        if with_history:
            move._move_texts(move._find_history())
        channel.sudo()._sms_set_record(target)
        channel.sudo().sms_move_id = move
        move._note_move()
        return move

    @api.model
    def _move_messages(self, messages, target):
        """Give single texts to another record; their conversations stay where they are.

        :return: the logs, one for each record and customer that the texts come from
        """
        moves = self.sudo().browse()
        for (model, res_id, number), texts in messages.grouped(
            lambda text: (text.res_model, text.res_id, text.number)
        ).items():
            move = moves.create(
                {
                    **self._prepare_values(texts[0]._get_record(), target),
                    "from_model": model,
                    "from_id": res_id,
                    "number": number,
                    "company_id": texts[0].company_id.id,
                }
            )
            move._move_texts(texts)
            move._note_move()
            moves |= move
        return moves

    @api.model
    def _prepare_values(self, source, target):
        return {
            "from_model": source._name if source else False,
            "from_id": source.id if source else False,
            "to_model": target._name,
            "to_id": target.id,
        }

    def _find_history(self):
        """The texts of the conversation that are on the record it leaves."""
        return self.env["sms.message"].search(
            [
                ("conversation_id", "=", self.channel_id.id),
                ("res_model", "=", self.from_model),
                ("res_id", "=", self.from_id),
            ]
            if self.from_id
            else [("conversation_id", "=", self.channel_id.id), ("res_id", "=", False)]
        )

    def _move_texts(self, messages):
        """Remember where the texts are, then put them on the record the move goes to."""
        self.env["sms.conversation.move.log.line"].create(
            [
                {
                    "log_id": self.id,
                    "message_id": text.id,
                    "from_model": text.res_model,
                    "from_id": text.res_id,
                    "from_rule": text.routing_rule,
                }
                for text in messages
            ]
        )
        self._put(messages.sudo(), self._get_target(), "manual")

    def _put(self, messages, record, rule):
        """Ledger and chatter: the texts belong to the record; to none, they wait in the inbox.

        Those that no record has shown yet are shown on this one.
        """
        shown = messages.filtered(lambda text: text.mail_message_id.model not in UNSHOWN)
        if record is None:
            self._take_off(messages)
            return
        shown.mail_message_id.write({"model": record._name, "res_id": record.id})
        messages.write({"res_model": record._name, "res_id": record.id, "routing_rule": rule})
        self._show(messages - shown, record)

    def _show(self, messages, record):
        """Received texts that no record has shown; they have found their home."""
        received = messages.filtered(lambda text: text.direction == "in")
        records = dict.fromkeys(received, record)
        received._post_on_records(records, received._find_customers(records))
        received._set_inbox_handled()

    def _take_off(self, messages):
        """Back to where they were: on no record; what customers wrote waits in the inbox."""
        messages.mail_message_id.filtered(lambda post: post.model not in UNSHOWN).unlink()
        messages.write({"res_model": False, "res_id": False, "routing_rule": False})
        received = messages.filtered(lambda text: text.direction == "in" and not text.keyword)
        for reason, texts in received.grouped("inbox_reason").items():
            texts._set_inbox_todo(reason or "no_record")

    # === BUSINESS METHODS: UNDO === #

    def _undo(self):
        """Bring the texts and the conversation back.

        :return: what was undone, in words
        """
        self._bring_texts_back()
        if self.channel_id:
            self.channel_id._sms_set_record(self._get_source())
            self.channel_id.sms_move_id = self._find_previous_move()
        self.write({"undone_at": self.env.cr.now(), "undone_by_id": self.env.uid})
        self._note_undo()
        return self._get_words_of_undo()

    def _bring_texts_back(self):
        """Those that somebody has put elsewhere since stay there."""
        still_there = self.moved_message_ids.filtered(self._is_still_there)
        for (model, res_id, rule), lines in still_there.grouped(
            lambda line: (line.from_model, line.from_id, line.from_rule)
        ).items():
            self._put(lines.message_id, self._find(model, res_id), rule)

    def _is_still_there(self, line):
        text = line.message_id
        return (text.res_model, text.res_id) == (self.to_model, self.to_id)

    def _find_previous_move(self):
        return self.search(
            [
                ("channel_id", "=", self.channel_id.id),
                ("undone_at", "=", False),
                ("id", "<", self.id),
            ],
            limit=1,
        )

    # === WORDS === #

    def _note_move(self):
        """Both records tell that the conversation left, or came."""
        source, target = self._get_source(), self._get_target()
        what = self._get_subject()
        if source:
            source._message_log(
                body=self.env._("%(what)s moved to %(record)s.", what=what, record=_link(target))
            )
        target._message_log(
            body=self.env._("%(what)s moved here from %(record)s.", what=what, record=_link(source))
            if source
            else self.env._("%s moved here.", what)
        )

    def _note_undo(self):
        source, target = self._get_source(), self._get_target()
        what = self._get_subject()
        if source:
            source._message_log(
                body=self.env._(
                    "Move undone: %(what)s is back from %(record)s.",
                    what=what,
                    record=_link(target) or self.env._("a deleted record"),
                )
            )
        if target:
            target._message_log(
                body=self.env._(
                    "Move undone: %(what)s went back to %(record)s.",
                    what=what,
                    record=_link(source),
                )
                if source
                else self.env._("Move undone: %s went back to no record.", what)
            )

    def _get_words_of_undo(self):
        source = self._get_source()
        return self.env._(
            "Undone: %(what)s is on %(record)s again.",
            what=self._get_subject(),
            record=source.display_name if source else self.env._("no record"),
        )

    def _get_subject(self):
        """What was moved, in words."""
        count = len(self.moved_message_ids)
        if not self.channel_id:
            return (
                self.env._("%(count)s texts with %(number)s", count=count, number=self.number)
                if count != 1
                else self.env._("A text with %s", self.number)
            )
        if not count:
            return self.env._("The SMS conversation with %s", self.number)
        return self.env._(
            "The SMS conversation with %(number)s (texts: %(count)s)",
            number=self.number,
            count=count,
        )

    # === HELPERS === #

    def _get_source(self):
        return self._find(self.from_model, self.from_id)

    def _get_target(self):
        return self._find(self.to_model, self.to_id)

    def _find(self, model, res_id):
        """The record, or None where there is none (any more)."""
        if not res_id or model not in self.env:
            return None
        return self.env[model].browse(res_id).exists() or None

    def _get_name(self, record):
        if record is None:
            return False
        readable = record.sudo(False).has_access("read")
        return record.display_name if readable else self.env._("A record you may not see")


def _link(record):
    return record._get_html_link() if record else ""
