from collections import defaultdict

from odoo import api, fields, models
from odoo.fields import Domain

from ..age import format_age


class SmsMessage(models.Model):
    _name = "sms.message"
    _inherit = ["sms.message", "sms.routing", "sms.filing"]

    # === FIELDS === #

    conversation_id = fields.Many2one(
        "discuss.channel", readonly=True, index="btree_not_null", ondelete="set null"
    )
    conversation_message_id = fields.Many2one(
        "mail.message",
        "In the conversation",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
    )
    inbox_state = fields.Selection(
        [("todo", "To handle"), ("handled", "Handled")], readonly=True, index="btree_not_null"
    )
    inbox_reason = fields.Selection(
        [
            ("no_record", "Unknown number"),
            ("no_sender", "Sent to a number that is none of ours"),
            ("one_way", "Reply to a sender that takes no answers"),
            ("ambiguous", "Several questions are open"),
            ("no_match", "No answer to the question that is open"),
            ("late", "Late: the question is no longer asked"),
            ("expired", "Late: the time to answer is over"),
            ("away", "Whoever looks after it is away"),
            ("no_right", "Whoever looks after it may not receive texts"),
            ("nobody", "Nobody looks after it"),
        ],
        "Why it is here",
        readonly=True,
    )
    handled_at = fields.Datetime(readonly=True)
    handled_by_id = fields.Many2one("res.users", readonly=True)
    age = fields.Char("Received", compute="_compute_age")
    possible_names = fields.Char("Possible records", compute="_compute_possible_names")
    routing_rule = fields.Selection(
        selection="_selection_routing_rule", string="Why on this record", readonly=True
    )
    routing_why = fields.Text("Why here?", compute="_compute_routing_why")
    candidate_ids = fields.One2many("sms.message.candidate", "message_id", "Candidates")
    is_readable = fields.Boolean(compute="_compute_is_readable", search="_search_is_readable")

    _number_idx = models.Index("(number, id) WHERE res_id IS NOT NULL")

    # === COMPUTE METHODS === #

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_is_readable(self):
        """For the rules of what belongs to a text: they are evaluated as superuser."""
        readable = self.sudo(False)._filtered_access("read")
        for message in self:
            message.is_readable = message.id in readable._ids

    @api.model
    def _search_is_readable(self, operator, value):
        if operator != "in":
            return NotImplemented
        return [("id", "in", self.sudo(False)._search([]))]

    def _selection_routing_rule(self):
        return [
            *self.env["sms.message.candidate"]._fields["rule"]._description_selection(self.env),
            ("prompt", self.env._("Answer to a question")),
            ("moved", self.env._("Moved here before")),
            ("only", self.env._("The only record with the number")),
            ("lead", self.env._("Unknown number: new lead")),
            ("manual", self.env._("Put there by hand")),
        ]

    @api.depends("routing_rule", "candidate_ids", "conversation_id.sms_move_id")
    @api.depends_context("uid", "lang")
    def _compute_routing_why(self):
        for message in self:
            message.routing_why = message._explain_routing()

    def _explain_routing(self):
        """In words: the rule that decided, and each record that was passed over with the reason."""
        if not self.routing_rule:
            return False
        words = {
            "prompt": self.env._("It answers a question that was asked from this record."),
            "moved": self._explain_move(),
            "only": self.env._("No other record has the number %s.", self.number),
            "lead": self.env._(
                "No record had the number %s, so a lead was made of it.", self.number
            ),
            "manual": self.env._("It was put there by hand."),
            "conversation": self.env._("The latest conversation with the customer is there."),
            "seller": self.env._(
                "It belongs to the seller of %s, to whom the text was sent.", self.address
            ),
            "team": self.env._("It belongs to a seller of the team of %s.", self.address),
            "kind": self.env._(
                "A person goes before a company, an opportunity and a lead, in this order."
            ),
            "active": self.env._("It is in use, others are archived."),
            "updated": self.env._("It was changed last."),
            "newest": self.env._("Others are its equal; it was created last."),
        }
        return "\n".join([words[self.routing_rule], *self._explain_candidates()])

    def _explain_candidates(self):
        labels = dict(
            self.env["sms.message.candidate"]._fields["rule"]._description_selection(self.env)
        )
        return [
            self.env._(
                "Passed over: %(record)s (%(rule)s)",
                record=candidate.record_name,
                rule=labels.get(candidate.rule, ""),
            )
            for candidate in self.candidate_ids[1:]
        ]

    def _explain_move(self):
        move = self.conversation_id.sms_move_id
        if not move:
            return self.env._("The conversation was moved there.")
        return self.env._(
            "%(user)s moved the conversation there on %(date)s.",
            user=move.user_id.name,
            date=fields.Date.to_string(move.create_date.date()),
        )

    @api.depends("number", "inbox_state")
    @api.depends_context("uid")
    def _compute_possible_names(self):
        waiting = self.filtered(lambda message: message.inbox_state == "todo")
        (self - waiting).possible_names = False
        for message, names in waiting._get_possible_names().items():
            message.possible_names = ", ".join(names) or False

    def _get_possible_names(self):
        """What texts might belong to, by name, as far as the user may know.

        Hook: ``sms_flow`` adds the flows that use the receiving number (R038).

        :return: dict of lists of str by text
        """
        ranked = self.sudo()._rank_candidates()  # all are ranked, those one may read are named
        keys = {message: [r.candidate.key for r in ranked[message]] for message in self}
        names = self._get_readable_names({key for group in keys.values() for key in group})
        return {
            message: [names[key] for key in group if key in names]
            for message, group in keys.items()
        }

    @api.model
    def _get_readable_names(self, keys):
        """Names of those records that the user may read, by (model, id)."""
        ids = defaultdict(list)
        for model, id_ in keys:
            ids[model].append(id_)
        return {
            (model, record.id): record.display_name
            for model, model_ids in ids.items()
            for record in self.env[model].browse(model_ids)._filtered_access("read")
        }

    @api.depends("create_date")
    @api.depends_context("lang")
    def _compute_age(self):
        for message in self:
            message.age = format_age(self.env, message.create_date)

    # === CRUD METHODS === #

    def unlink(self):
        """Override of `base`: what the ledger forgets stands in no conversation either."""
        shown = self.conversation_message_id
        res = super().unlink()
        shown.sudo().unlink()
        return res

    # === ACTION METHODS === #

    def action_set_handled(self):
        """Take texts off the list; who and when are kept."""
        self.check_access("read")
        self.sudo()._set_inbox_handled()

    def action_open_conversation(self):
        """Open the conversation the text is in; one is begun where there is none."""
        self.ensure_one()
        self.check_access("read")
        if self.conversation_id:
            return self.conversation_id.action_sms_open()
        channel = self.env["discuss.channel"]._sms_open(
            self.number, self._get_record(), self.sender_id
        )
        return channel.action_sms_open()

    def _set_inbox_handled(self):
        self.filtered(lambda m: m.inbox_state == "todo").write(
            {
                "inbox_state": "handled",
                "handled_at": self.env.cr.now(),
                "handled_by_id": self.env.uid,
            }
        )

    def _set_inbox_todo(self, reason):
        """Put texts where somebody looks.

        :param str reason: of ``inbox_reason``
        """
        self.write({"inbox_state": "todo", "inbox_reason": reason})

    # === ACTION METHODS: INBOX === #

    def action_handle(self):
        """Open the wizard that finds texts their record (R040), the oldest first."""
        return self.env["sms.message.handle"]._open(self)

    def action_not_for_us(self):
        """Take texts out of the inbox; nothing else happens to them."""
        self.action_set_handled()

    def action_opt_out(self):
        """The customers want no more texts, though they did not use one of the words."""
        self.check_access("read")
        Blacklist = self.env["phone.blacklist"].sudo()  # every user may stop texts to a customer
        reason = self.env._("Opted out by %s, from the SMS inbox.", self.env.user.name)
        for text in self.sudo().filtered("number"):
            Blacklist._sms_opt_out(text.number, text.sender_id, text.body, reason)
        self.sudo()._set_inbox_handled()

    def action_create_lead(self):
        """One new lead for each customer, with his texts; opened where it is one."""
        self.check_access("read")
        self.env["crm.lead"].check_access("create")
        leads = self.env["crm.lead"]
        for texts in self.sudo().grouped(lambda text: (text.number, text.company_id)).values():
            leads |= texts._create_lead()
        if len(leads) == 1:
            return leads.sudo(False).get_formview_action()
        action = self.env["ir.actions.act_window"]._for_xml_id("crm.crm_lead_all_leads")
        domain = [("id", "in", leads.ids)]
        return {**action, "domain": domain, "context": {}, "name": self.env._("New leads")}

    def action_move(self):
        """Open the wizard that moves texts to another record."""
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "sms_inbox.sms_conversation_move_action"
        )
        return {**action, "context": {"default_message_ids": self.ids}}

    # === BUSINESS METHODS: INBOX === #

    def _put_by_hand(self, record):
        """Put texts on the record a person chose; those shown on another one leave it."""
        elsewhere = self.filtered(
            lambda text: text.mail_message_id and text._get_record() != record
        )
        self.env["sms.conversation.move.log"]._move_messages(elsewhere, record)
        self._link_to_record(record)

    def _find_next_to_handle(self, after=False):
        """The oldest text of the inbox that the user may read.

        :param after: ``sms.message`` that it comes after
        """
        todo = Domain("inbox_state", "=", "todo")
        later = todo & Domain("id", ">", after.id) if after else todo
        return self.search(later, order="id", limit=1)

    # === RECEIVING === #

    def _route_inbound(self):
        """Override of `sms_gateway`: to the question the text answers, else to a record.

        What cannot be handled is put into the inbox; nothing is dropped (R034).
        """
        res = super()._route_inbound()
        asked = self._answer_prompts()
        (self - asked)._route_to_records()
        self._file()
        return res

    def _has_open_question(self):
        """Override of `sms_gateway`: whether a prompt of this pair is open."""
        prompts = self.env["sms.prompt"]._find_by_pair(self).get(self, ())
        return super()._has_open_question() or any(p.state == "open" for p in prompts)

    # === SENDING === #

    def _note_leaving(self):
        """Override of `sms_gateway`: what goes to many shows in conversations when it leaves.

        Writing it would hold those of all its customers until the commit. Meanwhile they could
        not write, and where one had, it would all be to do again.
        """
        res = super()._note_leaving()
        self.filtered(lambda text: not text.conversation_id)._show_in_conversations()
        return res

    # === RETENTION === #

    def _divert(self, sender):
        """Override of `sms_gateway`: the answer comes to the sender that asks."""
        questions = self.env["sms.prompt"].sudo().search([("message_id", "in", self.ids)])
        questions.sender_id = sender
        return super()._divert(sender)

    def _erase(self):
        """Override of `sms_gateway`: conversation, question and author are forgotten too."""
        for text in self.filtered(lambda text: text.direction == "in" and text.number):
            message = text.mail_message_id.sudo()
            if text.number in (message.email_from or ""):
                message.email_from = text._with_our_address(self.env._("[erased]"))
        numbers = list(filter(None, self.mapped("number")))
        ours = Domain("sender_id.company_id", "in", self.company_id.ids)
        self.env["sms.prompt"].sudo().search(ours & Domain("number", "in", numbers)).unlink()
        senders = self.env["sms.sender"].sudo().search([("company_id", "in", self.company_id.ids)])
        channels = self.env["discuss.channel"].sudo()
        channels.search(channels._sms_get_pair_domain(senders, numbers)).unlink()
        return super()._erase()

    def _tell_watchers(self):
        """Override of `sms_gateway`: the state stands in the conversation too, for its members."""
        res = super()._tell_watchers()
        self.conversation_message_id.sudo()._sms_show_state()
        return res
