from collections import defaultdict

from babel.dates import format_timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL
from odoo.tools.mail import email_normalize, formataddr
from odoo.tools.misc import babel_locale_parse, get_lang

from odoo.addons.sms.tools.sms_tools import sms_content_to_rendered_html

from ..engine.routing import COMPANY, LEAD, OPPORTUNITY, OTHER, PERSON, Candidate, rank

#: Texts that may be answered: the customer can have read them.
ANSWERABLE_STATES = ("sending", "sent", "delivered", "unknown", "received")
#: Texts looked at, newest first, for one whose record still exists.
ANSWERED_CANDIDATES = 10
#: Candidates kept with a text, the best ones.
CANDIDATES_KEPT = 10
#: How a reply that triggers nothing relates to the question that was out last.
CLOSED_PROMPT_REASONS = {"late": "late", "expired": "expired", "cancelled": "late"}


class SmsMessage(models.Model):
    _inherit = "sms.message"

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
                "Not %(record)s: %(rule)s",
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
        for message in waiting:
            message.possible_names = ", ".join(message._get_possible_names()) or False

    def _get_possible_names(self):
        """What the text might belong to, by name, as far as the user may know.

        Hook: ``sms_flow`` adds the flows that use the receiving number (R038).

        :return: list of str
        """
        records = [self.env[c.model].browse(c.id) for c in self._find_candidates()]
        return [record.display_name for record in records if record.has_access("read")]

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

    # === ROUTING === #

    def _route_inbound(self):
        """Override of `sms_gateway`: to the question the text answers, else to a record.

        What cannot be handled is put into the inbox; nothing is dropped (R034).
        """
        res = super()._route_inbound()
        asked = self._answer_prompts()
        (self - asked)._route_to_records()
        self._file()
        return res

    def _route_to_records(self):
        """Find the records of texts by the six rules (R118 to R123), or make a lead (R125)."""
        found = self._rank_candidates()
        unknown = self.filtered(lambda message: not found[message])
        for message in self - unknown:
            message._set_record(found[message])
        unknown._route_unknown()
        self._keep_candidates(found)

    def _set_record(self, ranked):
        best = ranked[0]
        self.write(
            {
                "res_model": best.candidate.model,
                "res_id": best.candidate.id,
                "routing_rule": self._get_routing_rule(best),
            }
        )

    def _get_routing_rule(self, best):
        """The rule that decided; a person's correction goes before the rules (R133)."""
        channel = self.conversation_id
        if channel.sms_move_id and (channel.sms_res_model, channel.sms_res_id) == (
            best.candidate.key
        ):
            return "moved"
        return best.rule or "only"

    def _route_unknown(self):
        """No record has the number: a lead, where the number's policy is so, else the inbox."""
        asking = self.filtered(lambda message: not message.keyword)
        asking.filtered(lambda m: not m.sender_id)._set_inbox_todo("no_sender")
        known_sender = asking.filtered("sender_id")
        leads = known_sender.filtered(
            lambda m: m.sender_id.can_receive and m.sender_id.inbound_policy == "record"
        )
        (known_sender - leads)._set_inbox_todo("no_record")
        leads._create_leads()

    # === ROUTING: CANDIDATES === #

    def _find_candidates(self):
        """Records the text may belong to, the best first.

        :return: list of :class:`Candidate`
        """
        return [ranked.candidate for ranked in self.sudo()._rank_candidates()[self]]

    def _rank_candidates(self):
        """Candidates of each text in their order, as ``engine.routing.rank`` returns them.

        :return: dict of lists by text
        """
        self._find_conversations()
        holders = self._fetch_holders()
        conversations = self._fetch_conversation_keys()
        self._add_candidates_in_conversation(holders, conversations)
        return {
            message: rank(
                holders[message],
                conversations=conversations[message],
                sellers=frozenset(message.sender_id.user_ids.ids),
                team=frozenset(message.sender_id._get_team_users().ids),
            )
            for message in self
        }

    def _find_conversations(self):
        """Tie texts to the conversations of their pairs that exist."""
        open_pairs = self.filtered(lambda message: not message.conversation_id)
        channels = self.env["discuss.channel"].sudo()._sms_find(open_pairs)
        for message in open_pairs:
            message.conversation_id = channels.get((message.sender_id.id, message.number))

    def _fetch_holders(self):
        """Records of the texts' companies that hold the customers' numbers, archived ones too.

        One pass over the indexes of the numbers.

        :return: dict of lists of :class:`Candidate` by text
        """
        self.env["res.partner"].flush_model()
        self.env["crm.lead"].flush_model()
        rows = self.env.execute_query(self._get_holders_query(self.mapped("number")))
        by_number = defaultdict(list)
        for number, company_id, *values in rows:
            by_number[number].append((company_id, Candidate(*values)))
        return {
            message: [
                candidate
                for company_id, candidate in by_number[message.number]
                if company_id in (None, message.company_id.id)
            ]
            for message in self
        }

    @api.model
    def _get_holders_query(self, numbers):
        """SQL of (number, company_id, values of :class:`Candidate`...)."""
        return SQL(
            """
            SELECT phone_sanitized, company_id, 'res.partner', id,
                   CASE WHEN is_company THEN %(company)s ELSE %(person)s END,
                   user_id, active, write_date
              FROM res_partner WHERE phone_sanitized = ANY(%(numbers)s)
             UNION ALL
            SELECT phone_sanitized, company_id, 'crm.lead', id,
                   CASE WHEN type = 'lead' THEN %(lead)s ELSE %(opportunity)s END,
                   user_id, active, write_date
              FROM crm_lead WHERE phone_sanitized = ANY(%(numbers)s)
            """,
            numbers=numbers,
            person=PERSON,
            company=COMPANY,
            opportunity=OPPORTUNITY,
            lead=LEAD,
        )

    def _fetch_conversation_keys(self):
        """Records in conversation with each customer, latest first, the receiving number before.

        :return: dict of lists of (model, id) by text
        """
        keys = {message: message._get_conversation_key() for message in self}
        moved = self.env["discuss.channel"].sudo()._sms_find_moved(self.mapped("number"))
        self.flush_model()
        rows = self.env.execute_query(self._get_conversation_query())
        for id_, sender_id, number, model, res_id in rows:
            key = moved.get((sender_id, number), (model, res_id))
            keys[self.browse(id_)].append(key)
        return keys

    def _get_conversation_key(self):
        channel = self.conversation_id
        return [(channel.sms_res_model, channel.sms_res_id)] if channel.sms_res_id else []

    def _get_conversation_query(self):
        """SQL of the latest texts of each pair, then of each number, that are on a record."""
        latest = SQL(
            """
            SELECT id, sender_id, number, res_model, res_id FROM sms_message
             WHERE number = incoming.number AND id < incoming.id AND res_id IS NOT NULL
               AND company_id = incoming.company_id AND state = ANY(%s)
            """,
            list(ANSWERABLE_STATES),
        )
        return SQL(
            """
            SELECT incoming.id, text.sender_id, text.number, text.res_model, text.res_id
              FROM sms_message incoming
              CROSS JOIN LATERAL (
                   (SELECT 0 AS place, pair.* FROM (%(latest)s) pair
                     WHERE pair.sender_id = incoming.sender_id ORDER BY id DESC LIMIT %(limit)s)
                    UNION ALL
                   (SELECT 1 AS place, other.* FROM (%(latest)s) other
                     ORDER BY id DESC LIMIT %(limit)s)) text
             WHERE incoming.id = ANY(%(ids)s)
             ORDER BY incoming.id, text.place, text.id DESC
            """,
            latest=latest,
            limit=ANSWERED_CANDIDATES,
            ids=self.ids,
        )

    def _add_candidates_in_conversation(self, holders, conversations):
        """Records that were texted count though they do not (any more) hold the number (R032)."""
        missing = defaultdict(set)
        for message in self:
            held = {candidate.key for candidate in holders[message]}
            for model, id_ in set(conversations[message]) - held:
                missing[model].add(id_)
        extra = self._make_candidates(missing)
        for message in self:
            held = {candidate.key for candidate in holders[message]}
            holders[message] += [
                extra[key]
                for key in dict.fromkeys(conversations[message])
                if key not in held and message._can_be_on(extra.get(key))
            ]

    def _can_be_on(self, candidate):
        if candidate is None:
            return False
        record = self.env[candidate.model].browse(candidate.id).sudo()
        company = "company_id" in record and record.company_id
        return not company or company == self.company_id

    @api.model
    def _make_candidates(self, ids_by_model):
        """Candidates of records that exist and can hold a text."""
        records = [
            record
            for model, ids in ids_by_model.items()
            if model in self.env
            for record in self.env[model].sudo().browse(ids).exists()
            if self._can_hold(record)
        ]
        candidates = [self._make_candidate(record) for record in records]
        return {candidate.key: candidate for candidate in candidates}

    @api.model
    def _make_candidate(self, record):
        return Candidate(
            record._name,
            record.id,
            kind=self._get_kind(record),
            owner_id=("user_id" in record and record.user_id.id) or None,
            active="active" not in record or record.active,
            updated_at=record.write_date,
        )

    @api.model
    def _get_kind(self, record):
        if record._name == "res.partner":
            return COMPANY if record.is_company else PERSON
        if record._name == "crm.lead":
            return LEAD if record.type == "lead" else OPPORTUNITY
        return OTHER

    @api.model
    def _can_hold(self, record):
        """Whether a text can be posted on the record."""
        return record is not None and isinstance(record, self.pool["mail.thread"])

    def _keep_candidates(self, found):
        """Keep what was considered, where there was a choice."""
        self.env["sms.message.candidate"].sudo().create(
            [
                {
                    "message_id": message.id,
                    "res_model": ranked.candidate.model,
                    "res_id": ranked.candidate.id,
                    "rank": place,
                    "rule": ranked.rule,
                }
                for message in self
                if len(found[message]) > 1
                for place, ranked in enumerate(found[message][:CANDIDATES_KEPT], start=1)
            ]
        )

    # === ROUTING: LEADS === #

    def _create_leads(self):
        """One lead for each unknown number; later texts find it by the number (R125)."""
        common = {
            sender: messages._prepare_common_lead_values(sender)
            for sender, messages in self.grouped("sender_id").items()
        }
        Lead = self.env["crm.lead"].sudo()
        leads = Lead.with_context(mail_create_nosubscribe=True, mail_create_nolog=True).create(
            [{**common[m.sender_id], **m._prepare_lead_values()} for m in self]
        )
        for message, lead in zip(self, leads, strict=True):
            message.write({"res_model": "crm.lead", "res_id": lead.id, "routing_rule": "lead"})
        return leads

    def _prepare_common_lead_values(self, sender):
        """What the leads of all unknown numbers that write to one of ours have in common."""
        owner = sender.user_ids if len(sender.user_ids) == 1 else sender.user_ids.browse()
        company = self.company_id
        team = sender.team_id or self.env["crm.team"].sudo()._get_default_team_id(
            user_id=owner.id or None, domain=[("company_id", "in", [False, company.id])]
        )
        return {
            "type": "lead" if team.use_leads else "opportunity",
            "user_id": owner.filtered("active").id,
            "team_id": team.id,
            "company_id": company.id,
            "medium_id": self.env["utm.mixin"]._find_or_create_record("utm.medium", "SMS").id,
        }

    def _prepare_lead_values(self):
        """Override to fill more of the lead that an unknown number becomes."""
        env = self.with_context(lang=self.company_id.partner_id.lang).env
        return {
            "name": env._("SMS from %s", self.number),
            "phone": self.number,
            "country_id": self.env["phone.blacklist"]._get_country_of(self.number).id,
        }

    # === ROUTING: QUESTIONS === #

    def _has_open_question(self):
        """Override of `sms_gateway`: whether a prompt of this pair is open."""
        prompts = self.env["sms.prompt"]._find_by_pair(self)
        return super()._has_open_question() or "open" in prompts.get(self, prompts).mapped("state")

    def _answer_prompts(self):
        """Hand texts to the owners of the questions they answer.

        :return: the texts that are on the record of a question now, taken for an answer or not
        """
        asking = self.filtered(lambda message: not message.keyword)
        prompts = self.env["sms.prompt"]._find_by_pair(asking)
        asked = self.browse()
        for message in asking:
            if prompts.get(message):
                asked += message._answer_prompt(prompts[message])
        return asked

    def _answer_prompt(self, prompts):
        """Answer the one question that is certain; tell in the inbox why where there is none."""
        opened = prompts.filtered(lambda prompt: prompt.state == "open")
        prompt = prompts._choose()
        if prompt:
            self._set_record_of_prompt(prompt)
            if not prompt._answer(self):
                self._set_inbox_todo("no_match")
        elif opened:
            self._set_inbox_todo("ambiguous")
        elif self._is_reply_to(prompts[:1]):
            self._set_record_of_prompt(prompts[:1])
            self._set_inbox_todo(CLOSED_PROMPT_REASONS[prompts[:1].state])
        return self if self.routing_rule == "prompt" else self.browse()

    def _is_reply_to(self, prompt):
        """Whether a question that is closed was the last thing the customer read of the pair."""
        latest = self.search(
            [
                ("number", "=", self.number),
                ("sender_id", "=", self.sender_id.id),
                ("direction", "=", "out"),
                ("state", "in", ANSWERABLE_STATES),
            ],
            order="id desc",
            limit=1,
        )
        return prompt.state in CLOSED_PROMPT_REASONS and latest == prompt.message_id

    def _set_record_of_prompt(self, prompt):
        """The record the question was asked from, where there is one."""
        record = prompt.message_id._get_record()
        if self._can_hold(record):
            self.write(
                {"res_model": record._name, "res_id": record.id, "routing_rule": "prompt"}
            )

    def _get_open_prompt(self):
        """The question that a person may say this text answers: an open one, else the latest."""
        prompts = self.env["sms.prompt"]._find_by_pair(self).get(self)
        if not prompts:
            return self.env["sms.prompt"]
        return prompts._choose() or prompts.filtered(lambda p: p.state != "answered")[:1]

    # === FILING === #

    def _file(self):
        """Show texts where they belong: on the record and in the conversation."""
        self.filtered(
            lambda m: m.sender_id and not m.sender_id.can_receive and not m.keyword
        )._set_inbox_todo("one_way")
        records = self._get_records()
        customers = self._find_customers(records)
        self._join_conversations(records, customers)
        self._post_on_records(records, customers)
        texts = self.filtered("conversation_id")
        texts._post_in_conversations(customers)
        texts.conversation_id.sudo()._sms_show(texts)

    def _get_records(self):
        """The records of texts, by text; only those that exist."""
        ids = defaultdict(set)
        for message in self.filtered("res_id"):
            ids[message.res_model].add(message.res_id)
        existing = {
            (model, record.id): record
            for model, model_ids in ids.items()
            for record in self.env[model].sudo().browse(model_ids).exists()
        }
        found = {m: existing.get((m.res_model, m.res_id)) for m in self}
        return {message: record for message, record in found.items() if record}

    def _find_customers(self, records):
        """Who wrote: the record's contact that holds the number, may be empty; by text."""
        partners = {}
        for model, group in self.browse([m.id for m in records]).grouped("res_model").items():
            found = self.env[model].sudo().browse(group.mapped("res_id"))._mail_get_partners()
            partners |= {(model, id_): contacts for id_, contacts in found.items()}
        nobody = self.env["res.partner"].sudo()
        return {
            message: partners.get((message.res_model, message.res_id), nobody).filtered(
                lambda partner, number=message.number: partner.phone_sanitized == number
            )[:1]
            for message in self
        }

    def _join_conversations(self, records, customers):
        """Tie texts to their conversations, new ones where there are none, with who must know."""
        texts = self.filtered("sender_id")
        texts._find_conversations()
        channels = self.env["discuss.channel"].sudo()
        channels._sms_start_for(
            texts.filtered(lambda m: not m.conversation_id and m.sender_id.can_receive),
            records,
            customers,
        )
        shown = texts.filtered("conversation_id")
        reasons = channels._sms_follow({m.conversation_id: records.get(m) for m in shown})
        for message in shown.filtered(lambda m: not m.inbox_state and not m.keyword):
            if reason := reasons[message.conversation_id]:
                message._set_inbox_todo(reason)

    def _post_on_records(self, records, customers):
        """The texts in the chatters of their records; whoever follows one is told.

        Nobody who is told by the conversation is told twice.
        """
        texts = self.browse([message.id for message in records])
        posts = self.env["mail.message"].sudo().create(
            [
                message._prepare_post_values(records[message], customers[message])
                for message in texts
            ]
        )
        for message, post in zip(texts, posts, strict=True):
            message.write({"mail_message_id": post.id, "partner_id": customers[message].id})
            message._ping_record()
        texts._notify_followers(records)

    def _prepare_post_values(self, record, customer):
        name = customer.name or ("contact_name" in record and record.contact_name)
        return {
            "model": record._name,
            "res_id": record.id,
            "body": sms_content_to_rendered_html(self.body or ""),
            "message_type": "sms",
            "subtype_id": self.env["ir.model.data"]._xmlid_to_res_id("sms_inbox.mt_sms_in"),
            "author_id": customer.id or False,
            "email_from": customer.email_formatted or self._get_author_address(name),
            "reply_to": self.company_id.email_formatted,
            "record_company_id": self.company_id.id,
        }

    def _get_author_address(self, name):
        """A customer without an e-mail address: his name and number, and an address of ours.

        It is the sender of the e-mails that tell the record's followers, so it must be a valid one.
        """
        return self._with_our_address(f"{name} ({self.number})" if name else self.number)

    def _with_our_address(self, name):
        ours = email_normalize(self.company_id.email_formatted)
        return formataddr((name, ours)) if ours else name

    def _notify_followers(self, records):
        """Tell followers who are not in the conversation, each as he prefers (R113)."""
        audible = self.filtered("company_id.sms_notify_in_app")
        subtype = self.env["ir.model.data"]._xmlid_to_res_id("sms_inbox.mt_sms_in")
        for model, messages in audible.grouped("res_model").items():
            followed = self.env[model].sudo().browse(messages.mapped("res_id"))
            found = self.env["mail.followers"]._get_recipient_data(
                followed, "sms", subtype, pids=[]
            )
            for message in messages:
                told = message.conversation_id.channel_member_ids.partner_id
                if set(found.get(message.res_id, ())) - {*told.ids, message.partner_id.id}:
                    message._notify_followers_of(records[message], told)

    def _notify_followers_of(self, record, told):
        post = self.mail_message_id.sudo()
        recipients = [
            recipient
            for recipient in record._notify_get_recipients(post)
            if recipient["id"] not in told.ids and recipient["notif"] != "sms"
        ]
        if recipients:
            record._notify_thread_by_inbox(post, recipients)
            record._notify_thread_by_email(post, recipients)
            record._notify_thread_by_web_push(post, recipients)

    def _post_in_conversations(self, customers=None):
        """The texts in their conversations.

        :param dict customers: ``res.partner`` by text, where they are known
        :return: the messages, in the order of the texts
        """
        customers = customers or {}
        posts = (
            self.env["mail.message"]
            .sudo()
            .create(
                [
                    message.conversation_id._sms_prepare_post_values(
                        message, customers.get(message)
                    )
                    for message in self
                ]
            )
        )
        for message, post in zip(self, posts, strict=True):
            message.conversation_message_id = post
        return posts

    def _show_in_conversations(self):
        """Texts sent from elsewhere stand in the conversations of their pairs, where there are."""
        self._find_conversations()
        texts = self.filtered("conversation_id")
        if texts:
            texts.conversation_id.sudo()._sms_mirror(texts)

    def _pick_store_data(self, data):
        """What of the data of many messages is about this one: nobody learns of others' texts."""
        author = self.conversation_message_id.author_id.id
        wanted = {
            "mail.message": {self.conversation_message_id.id},
            "discuss.channel": {self.conversation_id.id},
            "mail.thread": {self.conversation_id.id},
            "res.partner": {author},
            "res.users": {self.conversation_message_id.author_id.main_user_id.id},
        }
        return {
            model: [row for row in rows if row["id"] in wanted[model]]
            for model, rows in data.items()
            if model in wanted
        }

    def _link_to_record(self, record, rule="manual"):
        """Put received texts on a record by hand: in its chatter and its conversation (R042).

        Never an answer to a question (R046).
        """
        for message in self:
            message.write({"res_model": record._name, "res_id": record.id, "routing_rule": rule})
        records = dict.fromkeys(self, record)
        customers = self._find_customers(records)
        unposted = self.filtered(lambda message: not message.mail_message_id)
        unposted._post_on_records(
            {m: record for m in unposted}, {m: customers[m] for m in unposted}
        )
        self.conversation_id.sudo()._sms_set_record(record)
        self._set_inbox_handled()

    def _create_lead(self):
        """A lead of the number, with all the texts that wait of it.

        :return: ``crm.lead``
        """
        lead = self[:1]._create_leads()
        self._link_to_record(lead, "lead")
        return lead

    # === RETENTION === #

    def _erase(self):
        """Override of `sms_gateway`: conversation, question and author are forgotten too."""
        for text in self.filtered(lambda text: text.direction == "in" and text.number):
            message = text.mail_message_id.sudo()
            if text.number in (message.email_from or ""):
                message.email_from = text._with_our_address(self.env._("[erased]"))
        numbers = list(filter(None, self.mapped("number")))
        channels = self.env["discuss.channel"].sudo()
        channels.search([("channel_type", "=", "sms"), ("sms_number", "in", numbers)]).unlink()
        self.env["sms.prompt"].sudo().search([("number", "in", numbers)]).unlink()
        return super()._erase()

    def _tell_watchers(self):
        """Override of `sms_gateway`: the state stands in the conversation too, for its members."""
        res = super()._tell_watchers()
        self.conversation_message_id.sudo()._sms_show_state()
        return res


def format_age(env, moment):
    """How long ago a moment was, in the user's language: "3 hours ago"; False where there is none.

    :param datetime moment: UTC, or False
    """
    if not moment:
        return False
    locale = babel_locale_parse(get_lang(env).code)
    return format_timedelta(moment - fields.Datetime.now(), add_direction=True, locale=locale)
