from odoo import api, fields, models

#: Questions closed in one transaction.
GC_LIMIT = 10_000


class SmsPrompt(models.Model):
    """A question that is out and may be answered.

    The owner, any record, asks it with a text and implements ``_handle_sms_reply(prompt,
    message)``, which returns whether the text was an answer. The owner closes what it no longer
    waits for: ``_set_late`` (it has moved on) or ``_set_cancelled``. A reply to a closed question
    triggers nothing and waits in the inbox with the reason.
    """

    _name = "sms.prompt"
    _description = "SMS Question"
    _order = "id DESC"
    _rec_name = "number"

    message_id = fields.Many2one(
        "sms.message",
        "Asked with",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        help="The latest text that asks; a reminder takes the place of the first.",
    )
    sender_id = fields.Many2one("sms.sender", required=True, readonly=True, ondelete="cascade")
    number = fields.Char(readonly=True, help="E.164")
    res_model = fields.Char("Owner model", required=True, readonly=True)
    res_id = fields.Many2oneReference(
        "Owner", model_field="res_model", required=True, readonly=True
    )
    company_id = fields.Many2one(related="sender_id.company_id")
    state = fields.Selection(
        [
            ("open", "Open"),
            ("answered", "Answered"),
            ("late", "No longer asked"),
            ("expired", "Expired"),
            ("cancelled", "Cancelled"),
        ],
        required=True,
        readonly=True,
        default="open",
    )
    expires_at = fields.Datetime(readonly=True)
    answer_id = fields.Many2one(
        "sms.message", "Answer", readonly=True, index="btree_not_null", ondelete="set null"
    )

    _pair_idx = models.Index("(number, sender_id, id)")
    _owner_idx = models.Index("(res_model, res_id)")
    _expiry_idx = models.Index("(expires_at) WHERE state = 'open' AND expires_at IS NOT NULL")

    # === STATE METHODS === #

    def _set_late(self):
        """The owner has moved on: what comes now is late."""
        self._close("late")

    def _set_cancelled(self):
        """The owner asks no more."""
        self._close("cancelled")

    def _set_expired(self):
        """Nobody answered in time."""
        self._close("expired")

    def _set_answered(self, message):
        """The text was the answer; also to a question that was closed, if a person says so."""
        self.write({"state": "answered", "answer_id": message.id})

    def _close(self, state):
        self.filtered(lambda prompt: prompt.state == "open").state = state

    # === BUSINESS METHODS === #

    @api.model
    def _ask(self, owner, message, expires_at=False):
        """Wait for the answer to a text.

        :param owner: record that implements ``_handle_sms_reply(prompt, message) -> bool``
        :param message: ``sms.message`` sent that asks
        :param datetime expires_at: until when, in UTC; False for ever
        """
        return self._ask_many({owner: message}, expires_at)

    @api.model
    def _ask_many(self, messages, expires_at=False):
        """Wait for the answers to texts.

        :param dict messages: ``sms.message`` sent that asks, by owner
        """
        return self.sudo().create(
            [
                {
                    "message_id": message.id,
                    "sender_id": message.sender_id.id,
                    "number": message.number,
                    "res_model": owner._name,
                    "res_id": owner.id,
                    "expires_at": expires_at,
                }
                for owner, message in messages.items()
            ]
        )

    @api.model
    def _find_by_pair(self, messages):
        """The questions that received texts may answer, the latest first, by text.

        Only senders that can receive ask questions; those that have expired are marked.
        """
        prompts = self.sudo().search(
            [
                ("number", "in", messages.mapped("number")),
                ("sender_id", "in", messages.sender_id.ids),
            ]
        )
        now = self.env.cr.now()
        prompts.filtered(lambda p: p.expires_at and p.expires_at < now)._set_expired()
        by_pair = prompts.grouped(lambda prompt: (prompt.sender_id, prompt.number))
        return {
            message: by_pair.get((message.sender_id, message.number), self.sudo().browse())
            for message in messages
            if message.sender_id.can_receive
        }

    def _choose(self):
        """The one open question that a text can be tied to for certain; empty where there is none.

        Of several questions of one owner it is the latest. Those of several owners are ambiguous.
        """
        opened = self.filtered(lambda prompt: prompt.state == "open")
        certain = len(set(opened.mapped(lambda p: (p.res_model, p.res_id)))) == 1
        latest = opened[:1].with_prefetch(self._prefetch_ids)
        return latest if certain and latest._is_certain() else self.browse()

    def _is_certain(self):
        """Whether an answer can be tied to this question, though it may not be the only one.

        Override where it cannot, e.g. because other owners use the same number.
        """
        return True

    def _get_doubt(self):
        """Why none of these open questions is certain to be answered; one of ``inbox_reason``.

        Override where there is a reason of its own, as in ``_is_certain``.
        """
        return "ambiguous"

    def _answer(self, message, owner=None):
        """Hand a text to the owner as the answer.

        :param owner: of the question, where it has been looked up
        :return: whether the owner took it for one
        """
        self.ensure_one()
        owner = self._get_owners().get(self) if owner is None else owner
        handled = owner is not None and owner._handle_sms_reply(self, message)
        if handled:
            self._set_answered(message)
        return bool(handled)

    def _get_owners(self):
        """The owners that exist, by question."""
        owners = {}
        for model, prompts in self.grouped("res_model").items():
            if model in self.env:
                existing = self.env[model].browse(prompts.mapped("res_id")).exists()
                by_id = {owner.id: owner for owner in existing}
                owners |= {p: by_id[p.res_id] for p in prompts if p.res_id in by_id}
        return owners

    # === RETENTION === #

    @api.autovacuum
    def _gc_expired(self):
        """So that lists tell the truth; a text that comes in looks at the time itself.

        :return: how many, and whether there may be more
        """
        expired = self.sudo().search(
            [("state", "=", "open"), ("expires_at", "<", self.env.cr.now())], limit=GC_LIMIT
        )
        expired._set_expired()
        return len(expired), len(expired) == GC_LIMIT
