from datetime import timedelta

from psycopg2.errors import UniqueViolation

from odoo import api, fields, models
from odoo.exceptions import AccessError, ConcurrencyError, UserError
from odoo.fields import Domain
from odoo.tools.misc import clean_context

from ..engine.numbers import to_e164

#: States of a callback that is still to be made, and of one that waits in line.
OPEN = ("waiting", "notified", "in_progress")
IN_LINE = ("waiting", "notified")
#: What people enter when they ask for one, and what they may change later; all else follows from
#: what is done.
ENTERED = {"service_id", "number", "name", "partner_id", "note"}
EDITED = {"name", "partner_id", "note"}
#: Nobody talks longer; whoever took it has forgotten to say how it went.
LONGEST_CALL = timedelta(hours=12)
#: Callbacks that expire in one transaction.
EXPIRE_LIMIT = 1000


class CallbackRefused(Exception):
    """What is asked of a callback cannot be done any more.

    :param str code: ``callback_closed`` or ``already_claimed``
    """

    def __init__(self, code):
        super().__init__(code)
        self.code = code


class ContactCenterCallback(models.Model):
    """A customer who wants to be called back, and keeps his place in the queue."""

    _name = "contact.center.callback"
    _description = "Contact Center Callback"
    _inherit = ["mail.thread", "mail.activity.mixin", "contact.center.line"]
    _order = "position, priority desc, queued_at, id"

    # === FIELDS === #

    service_id = fields.Many2one(
        "contact.center.service", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="service_id.company_id", store=True, index=True)
    connector_id = fields.Many2one(
        "contact.center.connector",
        help="The exchange that makes the call; where there is none, an agent does by hand.",
    )
    external_id = fields.Char("Callback at the exchange", readonly=True)
    call_id = fields.Many2one("contact.center.call", readonly=True, index="btree_not_null")
    number = fields.Char("Telephone", required=True, index=True, help="In international form.")
    name = fields.Char("Caller")
    partner_id = fields.Many2one("res.partner", "Contact", index="btree_not_null")
    queued_at = fields.Datetime(
        "In line since",
        required=True,
        readonly=True,
        default=lambda self: fields.Datetime.now(),
        help="When the call joined the queue: that place is kept.",
    )
    requested_at = fields.Datetime(
        "Asked for", required=True, readonly=True, default=lambda self: fields.Datetime.now()
    )
    expires_at = fields.Datetime(readonly=True)
    priority = fields.Integer()
    state = fields.Selection(
        [
            ("waiting", "Waiting"),
            ("notified", "Soon his turn"),
            ("in_progress", "Being called"),
            ("completed", "Done"),
            ("cancelled", "Cancelled"),
            ("failed", "Not reached"),
            ("expired", "Expired"),
        ],
        required=True,
        readonly=True,
        default="waiting",
        tracking=True,
    )
    position = fields.Integer(readonly=True, aggregator=None)
    attempts = fields.Integer(readonly=True)
    next_attempt_at = fields.Datetime("Not before", readonly=True)
    agent_id = fields.Many2one("contact.center.agent", readonly=True, index="btree_not_null")
    user_id = fields.Many2one("res.users", "Called by", readonly=True, index="btree_not_null")
    started_at = fields.Datetime(readonly=True)
    close_reason = fields.Selection(
        [
            ("agent", "Called back"),
            ("sms_reply", "Answer by SMS"),
            ("auto_agent", "Auto Agent"),
            ("caller", "Caller"),
            ("by_agent", "Agent"),
            ("supervisor", "Supervisor"),
            ("exchange", "Exchange"),
            ("no_answer", "Not reached"),
            ("expired", "Expired"),
        ],
        "Closed by",
        readonly=True,
    )
    closed_at = fields.Datetime(readonly=True)
    wait_seconds = fields.Integer(
        "Waited (s)", readonly=True, aggregator="avg", help="From asking until it was closed."
    )
    talk_seconds = fields.Integer("Talk (s)", readonly=True, aggregator="avg")
    note = fields.Text()
    last_event_at = fields.Datetime(readonly=True)

    _open_uniq = models.UniqueIndex(
        "(service_id, number) WHERE state IN ('waiting', 'notified', 'in_progress')",
        "Telephone: this number waits for a callback of the service already. Search it among "
        "the open ones, and add your note there.",
    )
    _external_uniq = models.UniqueIndex("(connector_id, external_id) WHERE external_id IS NOT NULL")
    _line_idx = models.Index("(service_id) WHERE state IN ('waiting', 'notified')")
    _expiry_idx = models.Index("(expires_at) WHERE state IN ('waiting', 'notified', 'in_progress')")
    _report_idx = models.Index("(company_id, requested_at)")

    # === COMPUTE METHODS === #

    @api.depends("name", "number")
    def _compute_display_name(self):
        for callback in self:
            callback.display_name = callback.name or callback.number

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """Override to take the number in any form, and to find the contact."""
        self._check_entered(vals_list, ENTERED)
        undefaulted = self.with_env(self.env(context=clean_context(self.env.context)))
        callbacks = super(ContactCenterCallback, undefaulted).create(
            [self._complete_values(vals) for vals in vals_list]
        )
        self._join_line(callbacks.service_id)
        made_here = [
            callback.id
            for callback, vals in zip(callbacks, vals_list, strict=True)
            if not vals.get("connector_id")
        ]
        # who may ask for a callback need not see the exchange
        callbacks.browse(made_here).sudo()._tell("callback.created")
        return callbacks.with_env(self.env)

    def write(self, vals):
        """Override to keep people from changing what only an action may."""
        self._check_entered([vals], EDITED)
        return super().write(vals)

    @api.model
    def _check_entered(self, vals_list, names):
        """Refuse values of people in other fields than these.

        :raises AccessError: naming the field
        """
        if self.env.su:
            return
        for name in {name for vals in vals_list for name in vals} - names:
            raise AccessError(
                self.env._(
                    "%s of a callback cannot be entered: take it, finish it or cancel it instead.",
                    self._fields[name].get_description(self.env, ["string"])["string"]
                    if name in self._fields
                    else name,
                )
            )

    @api.model
    def _complete_values(self, vals):
        service = self.env["contact.center.service"].browse(vals.get("service_id"))
        company = service.company_id
        number = to_e164(vals.get("number"), company.country_id.code)
        if not number:
            raise UserError(
                self.env._(
                    "Telephone: “%s” is no telephone number. Enter it with its country code, "
                    "e.g. +47 906 12 345.",
                    vals.get("number") or "",
                )
            )
        partner_id = vals.get("partner_id")
        if not partner_id:
            calls = self.env["contact.center.call"].sudo()
            partner_id = calls._find_partner(number, company).id
        partner = self.env["res.partner"].sudo().browse(partner_id)
        asked = fields.Datetime.to_datetime(vals.get("requested_at")) or fields.Datetime.now()
        expiry = asked + timedelta(hours=service.expiry_hours)
        return {
            **vals,
            "connector_id": vals.get("connector_id") or self._find_connector(service).id,
            "requested_at": asked,
            "number": number,
            "partner_id": partner_id,
            "name": vals.get("name") or partner.name,
            "expires_at": vals.get("expires_at") or expiry,
        }

    @api.model
    def _find_connector(self, service):
        """The exchange that is to know of a callback made in Odoo; may be empty.

        The company's only one, else the one that told the service's latest call.
        """
        connectors = self.env["contact.center.connector"].sudo()
        connectors = connectors.search([("company_id", "=", service.company_id.id)], limit=2)
        if len(connectors) == 1:
            return connectors
        calls = self.env["contact.center.call"].sudo()
        return calls.search([("service_id", "=", service.id)], limit=1).connector_id

    # === BUSINESS METHODS: ASKING === #

    @api.model
    def _find_open(self, service, number):
        """The callback that a number waits for already, may be empty."""
        return self.sudo().search(
            [("service_id", "=", service.id), ("number", "=", number), ("state", "in", OPEN)]
        )

    @api.model
    def _request(self, values):
        """Ask for a callback; whoever asks twice has the one.

        :param dict values: of fields; ``service_id`` and ``number`` (E.164) at least
        :return: (callback, whether it was there before); no callback where its id is another
            one's, or where it is asked for at this moment, which this transaction cannot see
        """
        service = self.env["contact.center.service"].browse(values["service_id"])
        if found := self._find_open(service, values["number"]):
            return found, True
        try:
            with self.env.cr.savepoint():
                return self.sudo().create(values), False
        except UniqueViolation:
            return self._find_open(service, values["number"]), True

    # === BUSINESS METHODS: LINE === #

    @api.model
    def _join_line(self, services):
        """Give those who wait their positions, with somebody new among them.

        Of two who join at once the later is tried again: it cannot see the other, and both would
        have the same position.
        """
        self.env.cr.execute(
            "UPDATE contact_center_service SET id = id WHERE id = ANY(%s)", [services.ids]
        )
        self._move_up(services)

    @api.model
    def _move_up(self, services):
        """Give those who wait in these services their positions, and tell who has moved."""
        services.invalidate_recordset(["callback_count"])
        if waiting := services.filtered("callback_count"):
            self._recompute_positions(waiting)._on_moved()

    # === HOOKS === #

    def _on_moved(self):
        """Hook: these callbacks have another position, in their order.

        Override to tell who will be called soon.
        """

    def _on_closed(self):
        """Hook: this callback is open no more; see ``state`` and ``close_reason``."""

    # === BUSINESS METHODS: STATES === #

    def _lock(self):
        """Wait for whoever changes the callback just now; its state is the true one then."""
        self.ensure_one()
        self.flush_recordset()
        # Odoo's `lock_for_update` does not wait; where it has changed since, all is done again
        self.env.cr.execute(
            "SELECT FROM contact_center_callback WHERE id = %s FOR NO KEY UPDATE", [self.id]
        )
        self.invalidate_recordset()

    def _claim(self, agent=None, user=None):
        """Begin to call: from now on nobody else does, and "no" comes too late (R087).

        :raises CallbackRefused: where it is closed, or somebody else calls already
        """
        self._lock()
        if self.state not in OPEN:
            raise CallbackRefused("callback_closed")
        if self.state == "in_progress":
            raise CallbackRefused("already_claimed")
        self.write(
            {
                "state": "in_progress",
                "started_at": self.env.cr.now(),
                "attempts": self.attempts + 1,
                "agent_id": agent.id if agent else False,
                "user_id": (user or (agent.user_id if agent else None) or self.user_id).id,
                "position": 0,
            }
        )
        self._move_up(self.service_id)

    def _fail_attempt(self, retry_at=None):
        """Nobody answered: to the end of the queue for the next attempt, or closed."""
        if self.attempts >= self.service_id.max_attempts:
            return self._close("failed", "no_answer")
        now = self.env.cr.now()
        retry_at = retry_at or now + timedelta(minutes=self.service_id.retry_minutes)
        self.write(
            {"state": "waiting", "next_attempt_at": retry_at, "queued_at": max(retry_at, now)}
        )
        self._join_line(self.service_id)
        return True

    def _complete(self, **values):
        """The customer was called back."""
        return self._close("completed", "agent", **values)

    def _cancel(self, reason, states=OPEN):
        """Take it out of the queue; the exchange is told.

        :param str reason: of ``close_reason``
        :param states: in which it still can be
        :return: whether it was
        """
        self._lock()
        if self.state not in states:
            return False
        self._close("cancelled", reason)
        if reason != "exchange":
            self._tell("callback.cancelled", reason=reason)
        return True

    def _close(self, state, reason, **values):
        now = self.env.cr.now()
        self.write(
            {
                **values,
                "state": state,
                "close_reason": reason,
                "closed_at": now,
                "wait_seconds": int((now - self.requested_at).total_seconds()),
                "position": 0,
            }
        )
        self._on_closed()
        self._move_up(self.service_id)
        return True

    def _tell(self, event_type, **data):
        """Tell the exchange about it."""
        for callback in self:
            callback.connector_id._tell(event_type, {**callback._get_identity(), **data})

    def _get_identity(self):
        """What the exchange knows the callback by."""
        return {
            "callback_id": self._get_public_id(),
            "service": self.service_id.code,
            "phone": self.number,
            "name": self.name or "",
            "position": self.position,
        }

    def _get_langs(self):
        """Codes of the languages the customer may speak, the likeliest first; some may be empty."""
        return [self.call_id.lang, self.partner_id.lang]

    def _get_public_id(self):
        """Its id at the exchange, else ours."""
        return self.external_id or str(self.id)

    @api.model
    def _find_by_public_id(self, connector, public_id):
        """The callback of the connector's company with that id, may be empty."""
        callbacks = self.sudo()
        found = callbacks.search(
            [("connector_id", "=", connector.id), ("external_id", "=", public_id)]
        )
        if found or not public_id.isdecimal() or len(public_id) > 9:
            return found
        return callbacks.search(
            [
                ("id", "=", int(public_id)),
                ("external_id", "=", False),
                ("company_id", "=", connector.company_id.id),
            ]
        )

    # === ACTION METHODS === #

    def action_claim(self):
        """An agent takes it, to call by hand."""
        self._check_may_work()
        try:
            self.sudo()._claim(user=self.env.user)
        except CallbackRefused as refusal:
            words = {
                "callback_closed": self._explain_closed(),
                "already_claimed": self.env._(
                    "%(name)s is being called by %(user)s.",
                    name=self.display_name,
                    user=self.user_id.name or self.agent_id.name or self.env._("the exchange"),
                ),
            }
            raise UserError(words[refusal.code]) from refusal

    def action_done(self):
        """The customer was reached."""
        self._check_may_work()
        self._check_claimed()
        self.sudo()._complete()

    def action_not_reached(self):
        """Nobody answered."""
        self._check_may_work()
        self._check_claimed()
        self.sudo()._fail_attempt()

    def action_cancel(self):
        """Take callbacks out of the queue."""
        self._check_may_work()
        leads = self.env.user.has_group("contact_center.group_supervisor")
        for callback in self.sudo():
            callback._cancel("supervisor" if leads else "by_agent")

    def _check_may_work(self):
        self.check_access("read")
        self.env["contact.center.callback"].check_access("write")

    def _check_claimed(self):
        for callback in self.filtered(lambda callback: callback.state != "in_progress"):
            raise UserError(
                self.env._("Take %s first, so that nobody else calls.", callback.display_name)
                if callback.state in OPEN
                else callback._explain_closed()
            )

    def _explain_closed(self):
        return self.env._(
            "The callback of %(name)s is closed: %(reason)s.",
            name=self.display_name,
            reason=dict(self._fields["close_reason"]._description_selection(self.env)).get(
                self.close_reason
            ),
        )

    # === EXPIRY === #

    @api.model
    def _run_due(self):
        """Close what nobody got to; the scheduled action."""
        self.env["contact.center.call"]._end_forgotten()
        now = fields.Datetime.now()
        idle = Domain("state", "in", IN_LINE) | (
            Domain("state", "=", "in_progress") & Domain("started_at", "<", now - LONGEST_CALL)
        )
        for callback in self.search(Domain("expires_at", "<=", now) & idle, limit=EXPIRE_LIMIT):
            callback._close("expired", "expired")
            callback._tell("callback.cancelled", reason="expired")

    # === EVENTS === #

    def _event_callback_requested(self, event, data):
        """callback.requested: the caller keeps the place of his call."""
        connector, service = event.connector_id, event._get_service(data)
        number = to_e164(data["phone"], connector.country_id.code)
        if not number:
            return event._fail(self.env._("%s is no telephone number.", data["phone"]))
        call = self.env["contact.center.call"]._find(connector, data.get("call_id") or "")
        callback, existing = self._request(
            self._prepare_requested(event, data, service, number, call)
        )
        if not callback:
            return self._explain_conflict(event, data)
        return "stale" if existing else "done"

    @api.model
    def _explain_conflict(self, event, data):
        public_id = data.get("callback_id") or ""
        if self._find_by_public_id(event.connector_id, public_id):
            return event._fail(self.env._("Another callback has the id %s.", public_id))
        raise ConcurrencyError(public_id)

    @api.model
    def _prepare_requested(self, event, data, service, number, call):
        queued_at = event._read_time(data.get("queued_at"))
        return {
            "service_id": service.id,
            "connector_id": event.connector_id.id,
            "external_id": data.get("callback_id"),
            "call_id": call.id,
            "number": number,
            "name": data.get("name") or call.name,
            "partner_id": call.partner_id.id,
            "priority": data.get("priority") or call.priority,
            "requested_at": event.occurred_at,
            "queued_at": queued_at or call.queued_at or event.occurred_at,
        }

    def _event_callback_position_changed(self, event, data):
        """callback.position_changed: the exchange knows better, until the line moves again."""
        callback = self._find_for(event, data)
        if not callback:
            return event._fail(self.env._("There is no callback %s.", data["callback_id"]))
        if callback.state not in IN_LINE or callback._is_behind(event):
            return "stale"
        callback.write({"position": data["position"], "last_event_at": event.occurred_at})
        callback._on_moved()
        return "done"

    @api.model
    def _find_for(self, event, data):
        return self._find_by_public_id(event.connector_id, data["callback_id"])

    def _is_behind(self, event):
        return bool(self.last_event_at) and event.occurred_at < self.last_event_at

    def _take_event(self, event, data, states, method):
        """Apply an event to its callback, where it is in one of the states."""
        callback = self._find_for(event, data)
        if not callback:
            return event._fail(self.env._("There is no callback %s.", data["callback_id"]))
        callback._lock()
        if callback.state not in states or callback._is_behind(event):
            return "stale"
        callback.last_event_at = event.occurred_at
        method(callback)
        return "done"

    def _event_callback_started(self, event, data):
        """callback.started: it is being dialled."""
        agent = self.env["contact.center.agent"]._find_or_create(
            event.connector_id, data.get("agent")
        )
        return self._take_event(event, data, IN_LINE, lambda callback: callback._claim(agent))

    def _event_callback_attempt_failed(self, event, data):
        """callback.attempt_failed: nobody answered."""
        retry_at = event._read_time(data.get("retry_at"))
        return self._take_event(
            event, data, ("in_progress",), lambda callback: callback._fail_attempt(retry_at)
        )

    def _event_callback_completed(self, event, data):
        """callback.completed: also of one whose start was not told."""
        agent = self.env["contact.center.agent"]._find_or_create(
            event.connector_id, data.get("agent")
        )

        def complete(callback):
            agent_id = (agent or callback.agent_id).id
            callback._complete(agent_id=agent_id, talk_seconds=data.get("talk_seconds") or 0)

        return self._take_event(event, data, OPEN, complete)

    def _event_callback_cancelled(self, event, data):
        """callback.cancelled: at the exchange."""
        reason = {"caller": "caller", "expired": "expired"}.get(data["reason"], "exchange")
        state = "expired" if reason == "expired" else "cancelled"
        return self._take_event(event, data, OPEN, lambda callback: callback._close(state, reason))

    def _event_auto_agent_result(self, event, data):
        """auto_agent.result: the customer has pressed a key; only one of them takes him out."""
        if data["result"] != "cancel":
            return self._take_event(
                event, data, OPEN, lambda callback: callback._note_auto_agent(data["result"])
            )
        return self._take_event(
            event, data, IN_LINE, lambda callback: callback._close("cancelled", "auto_agent")
        )

    def _note_auto_agent(self, result):
        """Hook: what the Auto Agent has heard, ``keep``, ``no_answer`` or ``failed``."""
