import json
from collections import Counter, defaultdict
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..const import ORIGINS

#: Which states a text may come from. What is not listed stays as it is: reports arrive late,
#: twice and in any order. A queued one may have been taken by the provider: its answer was lost,
#: and it knows a repeated request.
TRANSITIONS = {
    "queued": {"sending"},
    "sending": {"queued"},
    "sent": {"sending", "unknown"},
    "delivered": {"queued", "sending", "sent", "unknown"},
    "failed": {"queued", "sending", "sent", "unknown"},
    "unknown": {"sending"},
    "cancelled": {"queued"},
}
#: The state of core's ``sms.sms`` and ``sms.tracker`` that says the same.
CORE_STATES = {
    "queued": "outgoing",
    "sending": "process",
    "sent": "pending",
    "delivered": "sent",
    "failed": "error",
    "unknown": "error",
    "cancelled": "canceled",
}
#: Texts that nobody watches leaving one by one.
UNWATCHED_ORIGINS = {"mailing", "campaign"}
#: What a person may send again.
RESENDABLE_STATES = {"failed", "unknown"}
#: Texts forgotten at a time.
GC_LIMIT = 10_000
#: The provider says that the customer has opted out with it.
OPTOUT_FAILURES = {"sms_blacklist", "sms_optout"}


class SmsMessage(models.Model):
    """The ledger: every text, both ways, kept.

    ``sms.sms`` is core's outbox and is emptied; this is the memory. Its state is changed by the
    ``_set_*`` methods only, which keep the outbox, core's tracker and the notification under the
    message in step.
    """

    _name = "sms.message"
    _description = "SMS"
    _order = "id DESC"
    _rec_name = "number"

    # === FIELDS === #

    uuid = fields.Char("UUID", required=True, readonly=True, copy=False)
    direction = fields.Selection(
        [("out", "Sent"), ("in", "Received")], required=True, readonly=True
    )
    state = fields.Selection(
        [
            ("queued", "Queued"),
            ("sending", "Sending"),
            ("sent", "Sent"),
            ("delivered", "Delivered"),
            ("failed", "Failed"),
            ("unknown", "Unknown"),
            ("cancelled", "Cancelled"),
            ("received", "Received"),
        ],
        required=True,
        readonly=True,
        help="Unknown: the provider's answer was lost. The text may have gone; it is never sent "
        "again by itself.",
    )
    gateway_id = fields.Many2one(
        "sms.gateway", readonly=True, ondelete="restrict", index="btree_not_null"
    )
    sender_id = fields.Many2one(
        "sms.sender", readonly=True, ondelete="restrict", index="btree_not_null"
    )
    intended_sender_id = fields.Many2one(
        "sms.sender",
        "Instead of",
        readonly=True,
        ondelete="restrict",
        index="btree_not_null",
        help="The sender it was written for: its gateway was disabled or could not be reached.",
    )
    address = fields.Char("Our address", readonly=True)
    number = fields.Char("Customer number", readonly=True, help="E.164")
    body = fields.Text(readonly=True)
    encoding = fields.Selection([("gsm7", "GSM-7"), ("ucs2", "UCS-2")], readonly=True)
    segments = fields.Integer(readonly=True, aggregator="sum")
    prepaid_segments = fields.Integer(
        readonly=True, copy=False, help="Taken from the prepaid balance of the company."
    )
    cost = fields.Float(readonly=True, digits=(16, 4), help="As told by the provider.")
    currency_id = fields.Many2one("res.currency", readonly=True)
    origin = fields.Selection(ORIGINS, readonly=True)
    keyword = fields.Selection(
        [("optout", "Opt-out"), ("optin", "Opt-in"), ("help", "Help")],
        readonly=True,
        help="The received text was one of the company's words.",
    )
    failure_type = fields.Selection(selection="_selection_failure_type", readonly=True)
    failure_code = fields.Char("Provider's code", readonly=True)
    failure_reason = fields.Char("Reason", readonly=True)
    provider_ref = fields.Char("Provider's reference", readonly=True)
    res_model = fields.Char("Record model", readonly=True)
    res_id = fields.Many2oneReference("Record", model_field="res_model", readonly=True)
    record_name = fields.Char("On record", compute="_compute_record_name")
    partner_id = fields.Many2one("res.partner", readonly=True, index="btree_not_null")
    user_id = fields.Many2one("res.users", "Sent by", readonly=True, index="btree_not_null")
    mail_message_id = fields.Many2one(
        "mail.message", "In the chatter", readonly=True, index="btree_not_null", ondelete="set null"
    )
    resent_as_id = fields.Many2one(
        "sms.message", "Sent again as", readonly=True, copy=False, index="btree_not_null"
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True)
    send_after = fields.Datetime(
        "Waits until",
        compute="_compute_send_after",
        help="The end of the quiet hours, or the next try after one that did not reach the "
        "provider.",
    )
    sent_at = fields.Datetime(readonly=True)
    delivered_at = fields.Datetime(readonly=True)

    _uuid_uniq = models.UniqueIndex("(uuid)")
    _inbound_once = models.UniqueIndex("(gateway_id, provider_ref) WHERE direction = 'in'")
    _provider_ref_idx = models.Index(
        "(gateway_id, provider_ref) WHERE direction = 'out' AND provider_ref IS NOT NULL"
    )
    _pair_idx = models.Index("(number, sender_id, id)")
    _record_idx = models.Index("(res_model, res_id) WHERE res_id IS NOT NULL")
    _create_date_idx = models.Index("(company_id, create_date)")

    # === COMPUTE METHODS === #

    @api.depends("state")
    def _compute_send_after(self):
        outbox = self.env["sms.sms"].sudo()
        waiting = outbox.search([("message_id", "in", self.ids), ("state", "=", "outgoing")])
        moments = {text.message_id.id: text.send_after for text in waiting}
        for message in self:
            message.send_after = moments.get(message.id)

    def _selection_failure_type(self):
        return self.env["sms.sms"]._fields["failure_type"]._description_selection(self.env)

    @api.depends("res_model", "res_id")
    def _compute_record_name(self):
        for message in self:
            record = message._get_record()
            readable = record and record.has_access("read")
            message.record_name = record.display_name if readable else False

    # === CRUD METHODS === #

    @api.ondelete(at_uninstall=False)
    def _unlink_cancels_queued(self):
        """Deleting a queued text takes it out of the queue; one under way must be awaited."""
        if "sending" in self.mapped("state"):
            raise UserError(self.env._("A text is being sent. Wait for its state, then delete it."))
        self._set_cancelled()

    # === ACTION METHODS === #

    def action_open_record(self):
        """Open the record the text belongs to."""
        self.ensure_one()
        record = self._get_record()
        if not record:
            return False
        record.check_access("read")
        return record.get_formview_action()

    def action_resend(self):
        """Send failed and unknown texts again, as new ones and once; what a person decides."""
        self.check_access("read")
        resendable = self.filtered(lambda m: m.state in RESENDABLE_STATES)
        resendable._check_may_use_senders()
        resendable.sudo().with_context(sms_raise_refusal=True)._resend()

    def action_cancel(self):
        """Take texts that wait out of the queue; what has left stays as it is."""
        self.check_access("read")
        self._check_may_use_senders()
        self.sudo().filtered(lambda m: m.state == "queued")._set_cancelled()

    def _check_may_use_senders(self):
        for sender in self.sender_id:
            if not sender._may_be_used_by(self.env.user):
                raise UserError(
                    self.env._(
                        "You may not send with %s. Ask an administrator.", sender.display_name
                    )
                )

    # === STATE METHODS === #

    def _resend(self):
        """Write the texts anew, once; the notification under the message follows the new one."""
        for message in self.filtered(lambda m: not m.resent_as_id):
            text = self.env["sms.sms"].sudo().create(message._prepare_resend_values())
            message.resent_as_id = text.message_id
            tracker = self.env["sms.tracker"].sudo().search([("sms_uuid", "=", message.uuid)])
            if tracker:
                tracker.mail_notification_id.sms_id_int = text.id
                tracker.copy({"sms_uuid": text.uuid})._action_update_from_sms_state(
                    text.state,
                    failure_type=text.failure_type,
                    failure_reason=text.message_id.failure_reason,
                )

    def _prepare_resend_values(self):
        return {
            "number": self.number,
            "body": self.body,
            "sender_id": self.sender_id.id,
            "partner_id": self.partner_id.id,
            "mail_message_id": self.mail_message_id.id,
            "origin": self.origin,
            "res_model": self.res_model,
            "res_id": self.res_id,
            "lane": "chat",
        }

    def _set_queued(self):
        """Back to the queue: the provider certainly did not take the text."""
        return self._transition("queued")

    def _set_sent(self, references=None):
        """The provider accepted the texts.

        :param dict references: provider's reference by message id
        """
        for message in self:
            if reference := (references or {}).get(message.id):
                message.provider_ref = storable(reference)
        return self._transition("sent", sent_at=self.env.cr.now())

    def _set_delivered(self):
        """The customer's telephone has the texts; final."""
        now = self.env.cr.now()
        delivered = self._transition("delivered", delivered_at=now)
        delivered.filtered(lambda m: not m.sent_at).sent_at = now  # the report came first
        return delivered

    def _set_failed(self, failure_type, reason=None, code=None):
        """The texts did not and will not arrive; final.

        :param str failure_type: one of the failure types of ``sms.sms``
        :param str reason: the provider's words
        :param str code: the provider's code
        """
        changed = self._transition(
            "failed",
            failure_type=failure_type or "unknown",
            failure_reason=storable(reason) or False,
            failure_code=storable(code) or False,
        )
        changed._refund()
        if failure_type in OPTOUT_FAILURES:
            changed._blacklist_as_provider()
        return changed

    def _set_unknown(self, reason=None):
        """The answer was lost: the texts may have gone. Never sent again by itself."""
        return self._transition("unknown", failure_type="sms_no_answer", failure_reason=reason)

    def _set_cancelled(self, failure_type=False, reason=None):
        """Taken out of the queue before it was sent; final."""
        changed = self._transition("cancelled", failure_type=failure_type, failure_reason=reason)
        changed._refund()
        return changed

    def _transition(self, state, **values):
        """Move those texts that may go to the state, and what core shows of them.

        :return: the texts that moved
        """
        changed = self.filtered(lambda m: m.direction == "out" and m.state in TRANSITIONS[state])
        if changed:
            values = {
                "failure_type": False,
                "failure_reason": False,
                "failure_code": False,
            } | values
            changed.write({"state": state, **values})
            changed._update_core_state(state)
        return changed

    def _update_core_state(self, state):
        """Bring outbox, tracker and notification in step, and tell who is looking."""
        Tracker = self.env["sms.tracker"].sudo().with_context(sms_skip_msg_notification=True)
        for (failure_type, words), messages in self.grouped(
            lambda m: (m.failure_type, m._get_failure_words())
        ).items():
            messages._update_outbox(state, failure_type)
            Tracker.search(
                [("sms_uuid", "in", messages.mapped("uuid"))]
            )._action_update_from_sms_state(
                CORE_STATES[state], failure_type=failure_type, failure_reason=words
            )
        self._tell_watchers()

    def _update_outbox(self, state, failure_type):
        """A text that has left is core's to clean up, and touched no more."""
        outbox = self.env["sms.sms"].sudo()
        outbox.search([("message_id", "in", self.ids), ("to_delete", "!=", True)]).write(
            {
                "state": CORE_STATES[state],
                "failure_type": failure_type,
                "to_delete": state in ("sent", "delivered"),
            }
        )

    def _divert(self, sender):
        """Texts that have not left are to leave by another sender.

        Override to take along what waits for their answers.
        """
        for message in self:
            message.write(
                {
                    "intended_sender_id": message.sender_id.id,
                    "sender_id": sender.id,
                    "gateway_id": sender.gateway_id.id,
                    "address": sender.address,
                }
            )

    def _get_tried(self):
        """Those of the texts that were with the provider before, and not accepted for certain.

        For adapters whose provider refuses many texts for one: what is tried again goes alone.
        """
        tried = [("message_id", "in", self.ids), ("attempts", ">", 0)]
        return self.env["sms.sms"].sudo().search(tried).message_id

    def _note_leaving(self):
        """Texts have been claimed and leave when the claim is committed; none may be left.

        Hook: for what a mailing would otherwise do to thousands of records in one transaction.
        """

    def _tell_watchers(self):
        """Live: the author's notification, and whoever has the record open."""
        watched = self.filtered(lambda m: m.origin not in UNWATCHED_ORIGINS)
        watched.mail_message_id.sudo()._notify_message_notification_update()
        for message in watched.filtered("res_id"):
            message._ping_record()

    def _ping_record(self):
        """Tell open forms of the record that a text changed; they fetch what they may read."""
        self.env["bus.bus"]._sendone(
            f"sms_gateway.record/{self.res_model}/{self.res_id}",
            "sms_gateway/record",
            {"model": self.res_model, "id": self.res_id},
        )

    def _prepare_notification_details(self):
        """What our notification of a text knows and core's does not."""
        return {
            "failure_reason": self._get_failure_words(),
            "sms_without_report": not self.gateway_id.support_status,
        }

    def _get_failure_words(self):
        """The provider's words with its code, as shown on hover."""
        words = [self.failure_reason, self.failure_code and f"({self.failure_code})"]
        return " ".join(filter(None, words)) or False

    def _refund(self):
        """Give the prepaid balance back for texts that did not go."""
        prepaid = self.filtered("prepaid_segments")
        for company, messages in prepaid.grouped("company_id").items():
            company._add_sms_balance(sum(messages.mapped("prepaid_segments")))
        prepaid.prepaid_segments = 0

    def _blacklist_as_provider(self):
        """The provider refuses these numbers because they opted out with it: keep in step."""
        for message in self:
            self.env["phone.blacklist"].sudo()._sms_opt_out(
                message.number,
                sender=message.sender_id,
                text=message._get_failure_words() or "",
                reason=self.env._("Opted out at the provider."),
            )

    # === SENDING === #

    @api.model
    def _insert_outgoing(self, vals_list):
        """Rows for texts that are on their way, much faster than by ``create``.

        A default, a stored computed field or an override of ``create`` takes no part: who adds a
        field that every text needs adds it to ``_prepare_message_values``.

        :param list vals_list: values by name of stored fields, the same names in each
        :return: the rows, in that order
        """
        if not vals_list:
            return self.sudo()
        now = str(self.env.cr.now())
        log = dict.fromkeys(("create_uid", "write_uid"), self.env.uid)
        log |= dict.fromkeys(("create_date", "write_date"), now)
        rows = [
            {name: None if value is False else value for name, value in (vals | log).items()}
            for vals in vals_list
        ]
        columns = SQL(", ").join(SQL.identifier(name) for name in rows[0])
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO sms_message (%s)
                SELECT %s FROM json_populate_recordset(NULL::sms_message, %s) RETURNING id
                """,
                columns,
                columns,
                json.dumps(rows),
            )
        )
        return self.sudo().browse([row[0] for row in self.env.cr.fetchall()])

    # === SENDING: RESULTS === #

    def _record_results(self, results):
        """Record what became of texts at the provider.

        :param list results: of :class:`SendResult`
        """
        messages_by_uuid = self.grouped("uuid")
        by_outcome = defaultdict(list)
        for result in results:
            messages_by_uuid[result.uuid]._record_figures(result)
            by_outcome[result.outcome].append(result)
        for outcome, group in by_outcome.items():
            getattr(self, f"_record_{outcome}")(messages_by_uuid, group)

    def _record_figures(self, result):
        """Segments and cost as told by the provider; ours stand where it tells nothing."""
        if result.segments:
            self.segments = result.segments
        if result.cost is not None:
            self.cost = result.cost
            self.currency_id = self._find_currency(result.currency)

    def _find_currency(self, code):
        """The currency of an ISO code; the company's where the provider names none."""
        Currency = self.env["res.currency"].with_context(active_test=False)
        return (
            Currency.search([("name", "=", code)], limit=1) if code else self.company_id.currency_id
        )

    def _record_sent(self, messages_by_uuid, results):
        references = {messages_by_uuid[r.uuid].id: r.provider_ref for r in results}
        self.browse(references)._set_sent(references)

    def _record_failed(self, messages_by_uuid, results):
        for result in results:
            messages_by_uuid[result.uuid]._set_failed(
                result.failure_type, result.reason, result.code
            )

    def _record_unknown(self, messages_by_uuid, results):
        for result in results:
            messages_by_uuid[result.uuid]._set_unknown(result.reason)

    def _record_retry(self, messages_by_uuid, results):
        for result in results:
            message = messages_by_uuid[result.uuid]
            self.env["sms.sms"].sudo().search([("message_id", "=", message.id)])._retry_later(
                result
            )

    # === RECEIVING: REPORTS === #

    @api.model
    def _apply_reports(self, gateway, reports):
        """Apply delivery reports, in order of arrival.

        The first final state of a text stays; of transient ones the order does not matter.

        :return: the reports whose text is not known (yet)
        """
        messages = self._find_reported(gateway, reports)
        fates = {}
        for report, message in messages.items():
            if message not in fates or fates[message].state == "sent":
                fates[message] = report
        for message, report in fates.items():
            message._apply_report(report)
        return [report for report in reports if report not in messages]

    @api.model
    def _find_reported(self, gateway, reports):
        """The texts of reports: by our own id, else by the provider's.

        :return: text by report, of those that are known, in the order of the reports
        """
        ours = [("direction", "=", "out"), ("gateway_id", "=", gateway.id)]
        uuids = [report.uuid for report in reports if report.uuid]
        references = [report.provider_ref for report in reports if not report.uuid]
        by_uuid = self.search([*ours, ("uuid", "in", uuids)]).grouped("uuid")
        newest = dict(
            self._read_group(
                [*ours, ("provider_ref", "in", references)], ["provider_ref"], ["id:max"]
            )
        )
        found = {
            report: by_uuid.get(report.uuid)
            if report.uuid
            else self.browse(newest.get(report.provider_ref, ()))
            for report in reports
        }
        return {report: message for report, message in found.items() if message}

    def _apply_report(self, report):
        self._record_figures_of_report(report)
        if report.state == "failed":
            self._set_failed(report.failure_type or "sms_not_delivered", report.reason, report.code)
        elif report.state == "delivered":
            self._set_delivered()
        else:
            self._set_sent()

    def _record_figures_of_report(self, report):
        if report.provider_ref and not self.provider_ref:
            self.provider_ref = report.provider_ref
        if report.cost is not None:
            self.cost = report.cost
            self.currency_id = self._find_currency(report.currency)

    # === RECEIVING: TEXTS === #

    @api.model
    def _receive(self, gateway, texts):
        """Take in texts from customers, each once, in the order given.

        :param gateway: ``sms.gateway``
        :param list texts: of :class:`InboundText`
        :return: the ledger rows of those that were not known
        """
        messages = self.create(self._prepare_inbound_values(gateway, texts))
        messages._process_inbound()
        return messages

    @api.model
    def _prepare_inbound_values(self, gateway, texts):
        fresh = {}
        for text in texts:
            fresh.setdefault(text.provider_ref, text)
        known = self.search(
            [
                ("gateway_id", "=", gateway.id),
                ("provider_ref", "in", list(fresh)),
                ("direction", "=", "in"),
            ]
        )
        for message in known:
            del fresh[message.provider_ref]
        senders = {
            address: self.env["sms.sender"]._find_by_address(gateway, address)
            for address in {text.address for text in fresh.values()}
        }
        return [
            self._prepare_inbound_text_values(gateway, senders[text.address], text)
            for text in fresh.values()
        ]

    @api.model
    def _prepare_inbound_text_values(self, gateway, sender, text):
        return {
            "uuid": self.env["sms.sms"]._new_uuid(),
            "direction": "in",
            "state": "received",
            "gateway_id": gateway.id,
            "sender_id": sender.id,
            "address": text.address,
            "number": text.number,
            "body": storable(text.body),
            "provider_ref": text.provider_ref,
            "company_id": (sender.company_id or gateway.company_id).id,
            **self.env["sms.sms"]._measure_values(text.body),
        }

    def _process_inbound(self):
        """What received texts set in motion: the company's words first, then their home."""
        switched_on = self.filtered("company_id.sms_enabled")
        (self - switched_on)._process_inbound_disabled()
        for turn in switched_on._split_by_turn():
            turn._process_inbound_turn()

    def _process_inbound_turn(self):
        """A text that is one of the words is shown before what is answered to it."""
        Keyword = self.env["sms.keyword"]
        recognized = {message: Keyword._recognize(message) for message in self}
        for message, (meaning, _rows) in recognized.items():
            message.keyword = meaning
        self._route_inbound()
        for message, (meaning, rows) in recognized.items():
            if meaning:
                Keyword._obey(message, meaning, rows)

    def _split_by_turn(self):
        """Each part holds one text of each number: its first, its second, and so on.

        So texts are handled together, and those of one customer one after another (P4).
        """
        turns = defaultdict(list)
        seen = Counter()
        for message in self:
            turns[seen[message.number]].append(message.id)
            seen[message.number] += 1
        return [self.browse(ids) for ids in turns.values()]

    def _process_inbound_disabled(self):
        """SMS is switched off: the text is kept and triggers nothing, but a stop is a stop."""
        self.failure_type = "sms_disabled"
        for message in self:
            meaning, rows = self.env["sms.keyword"]._recognize(message)
            if meaning == "optout":
                message.keyword = meaning
                self.env["sms.keyword"]._obey(message, meaning, rows, with_reply=False)

    def _route_inbound(self):
        """Give received texts a home; each is of another number.

        Hook: ``sms_inbox`` puts them on the records they answer. A text with a ``keyword`` has
        done its work and must trigger nothing more, but is shown all the same.
        """

    def _has_open_question(self):
        """Whether the received text may be the answer to a question that is out.

        Hook: ``sms_inbox`` looks at the open prompts. While one is open, soft opt-out words
        ("cancel", "end") are an answer and no opt-out.
        """
        return False

    def _get_record(self):
        """The record the text belongs to, or None; access is not checked."""
        self.ensure_one()
        if not self.res_id or self.res_model not in self.env:
            return None
        return self.env[self.res_model].browse(self.res_id).exists() or None

    # === RETENTION === #

    def _erase(self):
        """Forget who and what; that there was a text, its state and its cost stay."""
        self._set_cancelled()
        numbers = set(self.mapped("number"))
        events = self.env["sms.gateway.event"].sudo()
        for number in filter(None, numbers):
            events._erase(number)
        parts = self.env["sms.gateway.part"].sudo()
        parts.search([("number", "in", list(numbers))]).unlink()
        self.env["sms.sms"].sudo().search([("message_id", "in", self.ids)]).unlink()
        self.mail_message_id.sudo().write({"body": self.env._("[erased]")})
        self.mail_message_id.sudo().notification_ids.filtered(
            lambda n: n.sms_number in numbers
        ).sms_number = False
        self.write({"number": False, "body": False, "partner_id": False, "failure_reason": False})

    @api.autovacuum
    def _gc_expired(self):
        """Forget texts older than their company keeps them.

        :return: how many, and whether there may be more; then Odoo calls again
        """
        done, remaining = 0, False
        for company in self.env["res.company"].sudo().search([("sms_retention_months", ">", 0)]):
            before = self.env.cr.now() - timedelta(days=30 * company.sms_retention_months)
            expired = self.sudo().search(
                [
                    ("company_id", "=", company.id),
                    ("create_date", "<", before),
                    ("state", "not in", ("queued", "sending")),
                ],
                order="create_date",
                limit=GC_LIMIT,
            )
            done += len(expired)
            remaining |= len(expired) == GC_LIMIT
            expired.unlink()
        return done, remaining


def storable(text):
    """Text as PostgreSQL takes it: no NUL, no lone surrogate."""
    return (text or "").replace("\x00", "").encode("utf-8", "replace").decode()
