from collections import defaultdict

from odoo import api, models
from odoo.tools import SQL

from ..engine.routing import COMPANY, LEAD, OPPORTUNITY, OTHER, PERSON, Candidate, rank

#: Texts that may be answered: the customer can have read them.
ANSWERABLE_STATES = ("sending", "sent", "delivered", "unknown", "received")
#: Texts looked at, newest first, for one whose record still exists.
ANSWERED_CANDIDATES = 10
#: Candidates kept with a text, the best ones.
CANDIDATES_KEPT = 10
#: How a reply that triggers nothing relates to the question that was out last.
CLOSED_PROMPT_REASONS = {"late": "late", "expired": "expired", "cancelled": "late"}


class SmsRouting(models.AbstractModel):
    """Which record a received text belongs to; a part of ``sms.message``.

    Texts are routed together, each of another number: what is asked of the database is asked once
    for all of them. First the question that a text answers (``sms.prompt``), then the six rules of
    ``engine/routing.py``, then the policy for unknown numbers.
    """

    _name = "sms.routing"
    _description = "SMS Routing"

    # === RECORDS === #

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

    # === CANDIDATES === #

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
            if channel := channels.get((message.sender_id.id, message.number)):
                message.conversation_id = channel

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

    # === LEADS === #

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

    # === QUESTIONS === #

    def _answer_prompts(self):
        """Hand texts to the owners of the questions they answer.

        :return: the texts that are on the record of a question now, taken for an answer or not
        """
        asking = self.filtered(lambda message: not message.keyword)
        prompts = self.env["sms.prompt"]._find_by_pair(asking)
        prompts = {message: found for message, found in prompts.items() if found}
        chosen = {message: found._choose() for message, found in prompts.items()}
        known = self.env["sms.prompt"].concat(*prompts.values())
        records = known.message_id._get_records()
        owners = known.browse([prompt.id for prompt in chosen.values() if prompt])._get_owners()
        asked = self.browse()
        for message, found in prompts.items():
            asked += message._answer_prompt(found, chosen[message], owners, records)
        return asked

    def _answer_prompt(self, prompts, chosen, owners, records):
        """Answer the one question that is certain; tell in the inbox why where there is none.

        :param owners: of the questions, by question
        :param records: that the questions were asked from, by text that asked
        """
        opened = prompts.filtered(lambda prompt: prompt.state == "open")
        latest = prompts[:1]
        if chosen:
            self._set_record_of_prompt(chosen, records)
            if not chosen._answer(self, owners.get(chosen)):
                self._set_inbox_todo("no_match")
        elif opened:
            self._set_inbox_todo(opened._get_doubt())
        elif self._is_reply_to(latest):
            self._set_record_of_prompt(latest, records)
            self._set_inbox_todo(CLOSED_PROMPT_REASONS[latest.state])
        return self if self.routing_rule == "prompt" else self.browse()

    def _is_reply_to(self, prompt):
        """Whether a question that is closed was the last thing the customer read of the pair."""
        latest = self._find_latest_sent(self.number, self.sender_id, ANSWERABLE_STATES)
        return prompt.state in CLOSED_PROMPT_REASONS and latest == prompt.message_id

    @api.model
    def _find_latest_sent(self, number, sender, states=()):
        """The last text that a customer was sent from one of our numbers, may be empty.

        :param states: of the texts that count; of all where none are given
        """
        domain = [
            ("number", "=", number),
            ("sender_id", "=", sender.id),
            ("direction", "=", "out"),
            *([("state", "in", states)] if states else []),
        ]
        return self.search(domain, order="id desc", limit=1)

    def _set_record_of_prompt(self, prompt, records):
        """The record the question was asked from, where there is one."""
        record = records.get(prompt.message_id)
        if self._can_hold(record):
            self.write({"res_model": record._name, "res_id": record.id, "routing_rule": "prompt"})

    def _get_open_prompt(self):
        """The question that a person may say this text answers: an open one, else the latest."""
        prompts = self.env["sms.prompt"]._find_by_pair(self).get(self)
        if not prompts:
            return self.env["sms.prompt"]
        return prompts._choose() or prompts.filtered(lambda p: p.state != "answered")[:1]
