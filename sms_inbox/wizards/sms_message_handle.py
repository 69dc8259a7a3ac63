from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command, Domain

from ..models.sms_conversation_mixin import SEARCHED_DIGITS

#: Models whose records are searched, and where.
SEARCHED = {
    "crm.lead": ("name", "contact_name", "partner_name", "email_from"),
    "res.partner": ("display_name", "parent_id.name"),
}
#: Records shown of each model.
FOUND_PER_MODEL = 8


class SmsMessageHandle(models.TransientModel):
    """Find a text of the inbox its record, or decide that it has none.

    Nothing here answers a question that is out, but *Apply as answer* (R046).
    """

    _name = "sms.message.handle"
    _description = "Handle Received SMS"

    # === FIELDS === #

    message_id = fields.Many2one("sms.message", required=True, readonly=True, ondelete="cascade")
    message_ids = fields.Many2many(
        "sms.message", string="Selected", readonly=True, help="What was selected to be handled."
    )
    together_ids = fields.Many2many(
        "sms.message", string="Handled together", compute="_compute_together_ids"
    )
    together_count = fields.Integer(compute="_compute_together_ids")
    body = fields.Text("Text", related="message_id.body")
    number = fields.Char(related="message_id.number")
    sender_id = fields.Many2one(related="message_id.sender_id", string="Received on")
    address = fields.Char(related="message_id.address")
    age = fields.Char(related="message_id.age")
    inbox_reason = fields.Selection(related="message_id.inbox_reason")
    record_name = fields.Char(related="message_id.record_name")
    search_text = fields.Char("Search", help="A name, a company, an e-mail address or a number.")
    line_ids = fields.Many2many(
        "sms.message.handle.line",
        string="Records",
        compute="_compute_line_ids",
        compute_sudo=False,
        store=True,
    )
    has_lead = fields.Boolean(compute="_compute_has_lead")
    stage_id = fields.Many2one(
        "crm.stage",
        "Next outcome",
        help="The stage that the chosen opportunity gets. It is yours to decide: texts handled by "
        "hand move nothing by themselves.",
    )
    prompt_id = fields.Many2one("sms.prompt", compute="_compute_prompt", compute_sudo=True)
    prompt_body = fields.Text("Question", compute="_compute_prompt", compute_sudo=True)
    prompt_is_open = fields.Boolean(compute="_compute_prompt", compute_sudo=True)

    # === COMPUTE METHODS === #

    @api.depends("message_id", "message_ids")
    def _compute_together_ids(self):
        """The selected texts of one customer are handled at once."""
        for wizard in self:
            wizard.together_ids = wizard.message_id | wizard.message_ids.filtered(
                wizard._is_of_same_customer
            )
            wizard.together_count = len(wizard.together_ids)

    def _is_of_same_customer(self, text):
        return text.inbox_state == "todo" and (text.number, text.company_id) == (
            self.message_id.number,
            self.message_id.company_id,
        )

    @api.depends("message_id", "search_text")
    def _compute_line_ids(self):
        for wizard in self:
            values = wizard._search_records() if wizard.search_text else wizard._get_guesses()
            lines = self.env["sms.message.handle.line"].create(
                [{**vals, "wizard_id": wizard._origin.id} for vals in values]
            )
            wizard.line_ids = [Command.set(lines.ids)]

    @api.depends("line_ids")
    def _compute_has_lead(self):
        for wizard in self:
            wizard.has_lead = "crm.lead" in wizard.line_ids.mapped("res_model")

    @api.depends("message_id")
    def _compute_prompt(self):
        for wizard in self:
            prompt = wizard.message_id._get_open_prompt()
            wizard.prompt_id = prompt
            wizard.prompt_body = prompt.message_id.body
            wizard.prompt_is_open = prompt.state == "open"

    # === ACTION METHODS === #

    @api.model
    def _open(self, messages):
        """Open the wizard for texts, one customer after another.

        :param messages: ``sms.message``
        :return: the action
        """
        messages.check_access("read")
        messages = messages.sorted("id")
        wizard = self.create(
            {"message_id": messages[:1].id, "message_ids": [Command.set(messages.ids)]}
        )
        return wizard._get_form_action()

    def _get_form_action(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Handle SMS"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
        }

    def action_search(self):
        """Show what the search finds; saving the wizard has searched."""
        return self._get_form_action()

    def action_select(self):
        """Put the texts on the first record shown, and open it."""
        return self._get_first_line().action_select()

    def action_select_next(self):
        """Put the texts on the first record shown, and go on."""
        return self._get_first_line().action_select_next()

    def action_create_lead(self):
        """Make a lead of the customer and open it."""
        return self._get_texts().action_create_lead()

    def action_not_for_us(self):
        """Take the texts out of the inbox and go on."""
        self._get_texts().action_not_for_us()
        return self._get_next_action()

    def action_opt_out(self):
        """The customer gets no more texts; go on."""
        self._get_texts().action_opt_out()
        return self._get_next_action()

    def action_reply(self):
        """Open the conversation; the text waits until it is handled."""
        return self.message_id.action_open_conversation()

    def action_skip(self):
        """Leave the texts in the inbox and go on."""
        return self._get_next_action(skipped=True)

    def action_apply_answer(self):
        """Hand the text to whoever asked, as the answer; a person says that it is one."""
        text = self._get_texts() & self.message_id
        if not self.prompt_id.sudo()._answer(text.sudo()):
            raise UserError(
                self.env._(
                    "The text is none of the answers that are waited for. Put it on a record."
                )
            )
        text.sudo()._set_inbox_handled()
        return self._get_next_action()

    # === BUSINESS METHODS === #

    def _select(self, record):
        """Put the texts on the record, and the record on the stage that was chosen."""
        self.ensure_one()
        record.check_access("read")
        texts = self._get_texts()
        if self.stage_id:
            self._set_stage(record)
        texts.sudo()._put_by_hand(record.sudo())

    def _set_stage(self, record):
        """The next outcome, with the rights of the user (R047)."""
        if record._name != "crm.lead":
            raise UserError(
                self.env._(
                    "%s is a contact and has no stage. Choose an opportunity, or empty “Next "
                    "outcome”.",
                    record.display_name,
                )
            )
        record.stage_id = self.stage_id

    def _get_texts(self):
        """The texts that are handled now; the user may read them."""
        self.ensure_one()
        self.together_ids.check_access("read")
        return self.together_ids

    def _get_remaining(self):
        """The selected texts of other customers that are still to be handled."""
        left = self.message_ids - self.together_ids
        return left.filtered(lambda text: text.inbox_state == "todo").sorted("id")

    def _get_first_line(self):
        if not self.line_ids:
            raise UserError(self.env._("There is no record to choose. Search for one first."))
        return self.line_ids.sorted("sequence")[:1]

    def _get_next_action(self, skipped=False):
        """The next of the selected texts, else of the inbox; the end says so.

        After the last comes the oldest: what was skipped.
        """
        Message = self.env["sms.message"]
        texts = self._get_remaining() or Message._find_next_to_handle(self.message_id)
        texts = texts or (not skipped and Message._find_next_to_handle())
        if texts:
            return self._open(texts)
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._("That was the last one."),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    # === BUSINESS METHODS: RECORDS === #

    def _get_guesses(self):
        """Records that hold the number, the best first, with the reason.

        :return: list of values of lines
        """
        text = self.message_id._origin.sudo()  # all are ranked, those one may read are shown
        guesses = []
        for ranked in text._rank_candidates()[text] if text else []:
            record = self.env[ranked.candidate.model].browse(ranked.candidate.id)
            if record.has_access("read"):
                place = len(guesses)
                reason = self._get_reason(ranked.rule, place)
                guesses.append(self._prepare_line_values(record, place, reason))
        return guesses

    def _get_reason(self, rule, place):
        field = self.env["sms.message.candidate"]._fields["rule"]
        words = dict(field._description_selection(self.env)).get(rule)
        if not words:
            return self.env._("The only record with the number")
        return self.env._("Less likely: %s", words) if place else words

    def _search_records(self):
        """Records that the user may read and that the search finds.

        :return: list of values of lines
        """
        found = [
            record
            for model in SEARCHED
            for record in self.env[model].search(
                self._get_search_domain(model), limit=FOUND_PER_MODEL
            )
        ]
        return [self._prepare_line_values(record, place) for place, record in enumerate(found)]

    def _get_search_domain(self, model):
        """Which records of a model the search finds.

        Hook: ``sms_flow`` adds those in a flow of the name searched (R041).
        """
        domain = Domain.OR([(name, "ilike", self.search_text)] for name in SEARCHED[model])
        digits = [character for character in self.search_text if character.isdigit()]
        if len(digits) >= SEARCHED_DIGITS:
            domain |= Domain("phone_mobile_search", "ilike", self.search_text)
        return domain

    @api.model
    def _prepare_line_values(self, record, place, reason=False):
        return {
            "sequence": place,
            "res_model": record._name,
            "res_id": record.id,
            "reason": reason,
        }
