from datetime import timedelta

from odoo import api, fields, models

from ..engine.numbers import to_e164

#: How far a call has come. Of two facts told for the same moment the further one holds.
PROGRESS = {"queued": 0, "left": 1, "abandoned": 1, "missed": 1, "answered": 2, "ended": 3}
#: States of a call that is over without an answer, as far as is known.
GONE = ("left", "abandoned", "missed")
#: Who answers it where, and since when: the last one holds, also if told after the call has ended.
PARTIES = {"service_id": "service_at", "agent_id": "agent_at"}
#: What a call is that left the queue, by the reason the exchange gives.
LEFT_STATES = {"abandoned": "abandoned"}
#: Nobody waits or talks longer; the exchange has forgotten to tell how it ended.
FORGOTTEN_AFTER = timedelta(hours=12)
#: So long the figures that the exchange tells itself stand.
STATS_LAST = timedelta(minutes=10)


class ContactCenterCall(models.Model):
    """One call to a service, from the queue to its end."""

    _name = "contact.center.call"
    _description = "Contact Center Call"
    _inherit = ["mail.thread", "contact.center.line"]
    _order = "id DESC"
    _rec_name = "number"

    # === FIELDS === #

    connector_id = fields.Many2one(
        "contact.center.connector", required=True, readonly=True, ondelete="cascade"
    )
    external_id = fields.Char("Call at the exchange", required=True, readonly=True)
    company_id = fields.Many2one(related="connector_id.company_id", store=True, index=True)
    service_id = fields.Many2one(
        "contact.center.service", readonly=True, index="btree_not_null", ondelete="set null"
    )
    number = fields.Char(readonly=True, index="btree_not_null", help="In international form.")
    caller_raw = fields.Char("Number as told", readonly=True)
    name = fields.Char("Caller", readonly=True)
    partner_id = fields.Many2one(
        "res.partner", "Contact", readonly=True, index="btree_not_null", ondelete="set null"
    )
    lang = fields.Char("Language", readonly=True)
    state = fields.Selection(
        [
            ("queued", "Waiting"),
            ("answered", "In the call"),
            ("ended", "Ended"),
            ("abandoned", "Hung up"),
            ("left", "Left the queue"),
            ("missed", "Missed"),
        ],
        required=True,
        readonly=True,
        default="queued",
    )
    leave_reason = fields.Selection(
        [
            ("answered", "Answered"),
            ("abandoned", "Hung up"),
            ("timeout", "Waited too long"),
            ("overflow", "Queue was full"),
            ("transferred", "Transferred"),
            ("callback", "Wants to be called back"),
            ("closed", "Closed"),
            ("unknown", "Not known"),
        ],
        readonly=True,
    )
    end_reason = fields.Selection(
        [
            ("caller", "Caller hung up"),
            ("agent", "Agent hung up"),
            ("transfer", "Transferred"),
            ("error", "Error"),
        ],
        readonly=True,
    )
    priority = fields.Integer(readonly=True)
    original_position = fields.Integer("First position", readonly=True, aggregator="avg")
    position = fields.Integer(readonly=True, aggregator=None)
    waiting_at_join = fields.Integer(
        "Waiting when it joined", readonly=True, aggregator="avg", help="With this call."
    )
    queued_at = fields.Datetime("Joined", readonly=True)
    left_at = fields.Datetime("Left the queue", readonly=True)
    answered_at = fields.Datetime("Answered", readonly=True)
    ended_at = fields.Datetime("Ended", readonly=True)
    wait_seconds = fields.Integer("Wait (s)", readonly=True, aggregator="avg")
    talk_seconds = fields.Integer("Talk (s)", readonly=True, aggregator="avg")
    wrap_up_seconds = fields.Integer("After-call work (s)", readonly=True, aggregator="avg")
    agent_id = fields.Many2one(
        "contact.center.agent", readonly=True, index="btree_not_null", ondelete="set null"
    )
    user_id = fields.Many2one(related="agent_id.user_id", store=True, index="btree_not_null")
    answered_rate = fields.Float(
        "Answered", compute="_compute_answered_rate", store=True, aggregator="avg"
    )
    last_event_at = fields.Datetime(readonly=True)
    service_at = fields.Datetime("Service as of", readonly=True)
    agent_at = fields.Datetime("Agent as of", readonly=True)

    _external_uniq = models.UniqueIndex("(connector_id, external_id)")
    _waiting_idx = models.Index("(service_id, queued_at) WHERE state = 'queued'")
    _answered_idx = models.Index("(service_id, answered_at) WHERE answered_at IS NOT NULL")
    _talking_idx = models.Index("(answered_at) WHERE state = 'answered'")
    _report_idx = models.Index("(company_id, queued_at)")

    # === COMPUTE METHODS === #

    @api.depends("answered_at")
    def _compute_answered_rate(self):
        """1 or 0: its mean is the share of the calls that were answered."""
        for call in self:
            call.answered_rate = bool(call.answered_at)

    # === BUSINESS METHODS === #

    @api.model
    def _find_or_create(self, event, data):
        """The call an event is about; one that is not known yet is made of what is told."""
        call = self._find(event.connector_id, data["call_id"])
        if call:
            return call
        connector = event.connector_id
        number = to_e164(data.get("caller"), connector.country_id.code)
        call = self.with_context(tracking_disable=True).create(  # a note says nothing new
            {
                "connector_id": connector.id,
                "external_id": data["call_id"],
                "state": "missed",  # nothing is known of it yet
                "caller_raw": data.get("caller"),
                "number": number,
                "name": data.get("caller_name"),
                "lang": data.get("lang"),
                "partner_id": self._find_partner(number, connector.company_id).id,
            }
        )
        return self.browse(call.id)

    @api.model
    def _find(self, connector, external_id):
        domain = [("connector_id", "=", connector.id), ("external_id", "=", external_id)]
        return self.search(domain)

    @api.model
    def _find_partner(self, number, company):
        """The contact with that number; a person before a company, then the newest."""
        if not number:
            return self.env["res.partner"]
        return self.env["res.partner"].search(
            [("phone_sanitized", "=", number), ("company_id", "in", (False, company.id))],
            order="is_company, id desc",
            limit=1,
        )

    def _apply(self, event, state, facts):
        """Note what an event tells of the call.

        What is told late fills in what is not known yet; it never takes the call back.

        :param str state: that the call has then
        :param dict facts: values of fields
        :return: the state of the event, ``done`` or ``stale``
        """
        facts = {
            name: value
            for name, value in facts.items()
            if value is not None and value is not False  # nought is told, too
        }
        line = self._get_line()
        is_behind = self._is_behind(event, state)
        if is_behind:
            facts = {name: facts[name] for name in facts if self._is_news(event, name)}
        else:
            facts |= {"state": state, "last_event_at": event.occurred_at}
        parties = {PARTIES[name]: event.occurred_at for name in PARTIES.keys() & facts.keys()}
        self.write({**facts, **parties})
        self._move_line(line)
        return "stale" if is_behind else "done"

    def _is_news(self, event, name):
        """Whether a fact told late was not known yet."""
        if not self[name]:
            return True
        known_at = name in PARTIES and self[PARTIES[name]]
        return bool(known_at) and event.occurred_at > known_at

    def _is_behind(self, event, state):
        if not self.last_event_at or event.occurred_at > self.last_event_at:
            return False
        same_moment = event.occurred_at == self.last_event_at
        return not same_moment or PROGRESS[state] < PROGRESS[self.state]

    def _get_line(self):
        """The service in whose line the call waits, may be empty."""
        return self.service_id if self.state == "queued" else self.service_id.browse()

    def _move_line(self, before):
        """Keep the number of those who wait."""
        after = self._get_line()
        if before != after:
            before.waiting_count = max(0, before.waiting_count - 1)
            after.waiting_count += 1
            self._note_line(before | after)

    def _note_line(self, services):
        """The line of these services has changed: whoever waits for a callback may move up."""
        self.env["contact.center.callback"]._move_up(services)

    def _get_langs(self):
        """Codes of the languages the caller may speak, the likeliest first; some may be empty."""
        return [self.lang, self.partner_id.lang]

    # === HOOKS === #

    def _on_queued(self):
        """Hook: the call waits in the queue. Called again where the exchange says so again."""

    def _on_talked(self):
        """Hook: the call was answered, and is over. May be called again with more of its facts."""

    # === EVENTS === #

    def _event_call_queued(self, event, data):
        """call.queued: waiting, in this service; again where it comes back."""
        call = self._find_or_create(event, data)
        service = event._get_service(data)
        state = call._apply(
            event,
            "queued",
            {
                "service_id": service.id,
                "priority": data.get("priority"),
                "position": data.get("position"),
                "queued_at": call.queued_at or event.occurred_at,
            },
        )
        if state == "done":
            waiting = data.get("waiting") or service.waiting_count
            call.write(
                {
                    "waiting_at_join": waiting,
                    "original_position": call.original_position or data.get("position") or waiting,
                    "position": data.get("position") or waiting,
                }
            )
            call._on_queued()
        return state

    def _event_call_left_queue(self, event, data):
        """call.left_queue: comes before the answer, or after the caller has hung up."""
        call = self._find_or_create(event, data)
        reason = data["reason"]
        state = "answered" if reason == "answered" else LEFT_STATES.get(reason, "left")
        return call._apply(
            event,
            state,
            {
                "leave_reason": reason,
                "left_at": event.occurred_at,
                "answered_at": event.occurred_at if reason == "answered" else None,
                "wait_seconds": data.get("wait_seconds"),
            },
        )

    def _event_call_answered(self, event, data):
        """call.answered: by an agent, the last one of whom counts."""
        call = self._find_or_create(event, data)
        state = call._apply(
            event,
            "answered",
            {
                **call._get_parties(event, data),
                "answered_at": call.answered_at or event.occurred_at,
                "leave_reason": "answered",
                "wait_seconds": data.get("wait_seconds") or call._count_wait(event.occurred_at),
            },
        )
        call._note_if_over()
        return state

    def _count_wait(self, moment):
        if not self.queued_at or self.wait_seconds:
            return None
        return max(0, int((moment - self.queued_at).total_seconds()))

    def _event_call_transferred(self, event, data):
        """call.transferred: the last service and agent are those of the call (R110)."""
        call = self._find_or_create(event, data)
        service = event._find_service(data.get("to_service"))
        agent = self.env["contact.center.agent"]._find_or_create(
            event.connector_id, data.get("to_agent")
        )
        state = call._apply(
            event,
            call.state if call.state in ("queued", "answered", "ended") else "answered",
            {"service_id": service.id, "agent_id": agent.id},
        )
        call._note_if_over()
        return state

    def _event_call_ended(self, event, data):
        """call.ended: the talk is over."""
        call = self._find_or_create(event, data)
        talked = call.answered_at or data.get("talk_seconds") or data.get("agent")
        state = call._apply(
            event,
            "ended" if talked else call._get_gone_state(),
            {
                **call._get_parties(event, data),
                "answered_at": call.answered_at or call._infer_answer(event, data),
                "end_reason": data.get("reason"),
                "ended_at": event.occurred_at,
                "talk_seconds": data.get("talk_seconds"),
                "wrap_up_seconds": data.get("wrap_up_seconds"),
            },
        )
        call._note_if_over()
        return state

    def _infer_answer(self, event, data):
        """When a call was answered of which only the end was told, or None."""
        seconds = data.get("talk_seconds")
        return event.occurred_at - timedelta(seconds=seconds) if seconds else None

    def _get_gone_state(self):
        """Of a call that is over, and of which nobody told yet that it was answered."""
        return self.state if self.state in GONE else "left"

    def _event_call_missed(self, event, data):
        """call.missed: nobody answered, and there was no queue."""
        call = self._find_or_create(event, data)
        service = event._find_service(data.get("service"))
        return call._apply(
            event, "missed", {"service_id": service.id, "ended_at": event.occurred_at}
        )

    def _get_parties(self, event, data):
        """Service and agent as an event tells them."""
        agent = self.env["contact.center.agent"]._find_or_create(
            event.connector_id, data.get("agent"), data.get("agent_name")
        )
        return {"agent_id": agent.id, "service_id": event._find_service(data.get("service")).id}

    def _note_if_over(self):
        """Whoever was answered and is gone has talked, whichever was told first."""
        if self.ended_at and self.answered_at and self.state in GONE:
            self.state = "ended"
        if self.state != "ended" or not self.ended_at:
            return
        if not self.talk_seconds and self.answered_at:
            self.talk_seconds = int((self.ended_at - self.answered_at).total_seconds())
        self.env["contact.center.event"]._note_measure(self.service_id)
        self._on_talked()

    def _event_queue_snapshot(self, event, data):
        """queue.snapshot: who waits now; what the exchange did not tell is made up for."""
        service = event._get_service(data)
        told = {entry["call_id"]: entry for entry in data["calls"]}
        gone = self.search(
            [
                ("service_id", "=", service.id),
                ("connector_id", "=", event.connector_id.id),
                ("state", "=", "queued"),
                ("external_id", "not in", list(told)),
            ]
        )
        for call in gone:
            call._apply(event, "left", {"leave_reason": "unknown", "left_at": event.occurred_at})
        for entry in told.values():
            self._take_over(event, service, entry)
        service._event_queue_stats(event, data)
        return "done"

    def _take_over(self, event, service, entry):
        """A call as a snapshot shows it; nobody is welcomed who has waited for long."""
        call = self._find_or_create(event, entry)
        joined = event.occurred_at - timedelta(seconds=entry.get("wait_seconds") or 0)
        call._apply(
            event,
            "queued",
            {
                "service_id": service.id,
                "queued_at": call.queued_at or joined,
                "position": entry.get("position"),
                "original_position": call.original_position or entry.get("position"),
            },
        )

    # === FORGOTTEN CALLS === #

    @api.model
    def _end_forgotten(self):
        """Calls of which the exchange never told how they ended wait or talk no more."""
        before = fields.Datetime.now() - FORGOTTEN_AFTER
        waiting = self.search([("state", "=", "queued"), ("queued_at", "<", before)])
        waiting.write({"state": "left", "leave_reason": "unknown"})
        talking = self.search([("state", "=", "answered"), ("answered_at", "<", before)])
        talking.state = "ended"  # when, nobody knows: nobody is asked how it was
        self._recount()

    @api.model
    def _recount(self):
        """Count anew who waits, wherever somebody does or is said to.

        Not where the exchange counts them itself: it may tell how many wait, and no calls.
        """
        counts = dict(self._read_group([("state", "=", "queued")], ["service_id"], ["__count"]))
        counted = self.env["contact.center.service"].search([("waiting_count", "!=", 0)])
        told = fields.Datetime.now() - STATS_LAST
        for service in counted.union(*counts).filtered(
            lambda s: not s.waiting_told_at or s.waiting_told_at < told
        ):
            if service.waiting_count != counts.get(service, 0):
                service.waiting_count = counts.get(service, 0)
                self._note_line(service)
