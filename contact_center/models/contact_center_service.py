from datetime import datetime, time, timedelta

import pytz

from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError
from odoo.tools import SQL, format_list, format_time

from ..engine.ewt import Figures, estimate
from ..engine.offer import Rules, get_reasons

#: So far ahead closing time is looked for; who is open longer never closes.
CLOSING_HORIZON = timedelta(days=8)
#: Odoo's opening hours end a moment before midnight where they go on the day after.
SEAM = timedelta(seconds=1)
#: Answered calls that the mean wait is taken of.
RECENT_CALLS = 10
#: The least that may be entered in fields of numbers.
LEAST = {
    "offer_closing_minutes": 0,
    "offer_min_wait_minutes": 0,
    "max_attempts": 1,
    "retry_minutes": 0,
    "expiry_hours": 1,
    "default_aht_seconds": 1,
    "aht_window_minutes": 1,
    "min_samples": 1,
    "max_stats_age_seconds": 0,
}
#: Figures that follow from what the exchange tells; people do not enter them.
KEPT = {
    "waiting_count",
    "agents_staffed",
    "agents_available",
    "stats_at",
    "waiting_told_at",
    "exchange_wait_seconds",
    "exchange_wait_at",
    "exchange_aht_seconds",
    "measured_aht_seconds",
    "measured_wait_seconds",
    "measured_count",
    "measured_at",
}


class ContactCenterService(models.Model):
    """What customers call: a queue of the exchange, with its hours and what is true of it now."""

    _name = "contact.center.service"
    _description = "Contact Center Service"
    _order = "sequence, name, id"

    # === FIELDS === #

    name = fields.Char(required=True, translate=True)
    code = fields.Char(required=True, help="The name of the queue at the exchange.")
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company, index=True
    )
    calendar_id = fields.Many2one(
        "resource.calendar",
        "Opening hours",
        check_company=True,
        help="With its days off. Empty: always open.",
    )
    agent_ids = fields.Many2many("contact.center.agent", string="Agents")
    ambiguous_is_mobile = fields.Boolean(
        "Numbers that may be mobile are",
        default=True,
        help="In some countries, such as the United States, a number does not tell.",
    )

    # callbacks
    callback_enabled = fields.Boolean("Offer callbacks", default=True)
    offer_closing_minutes = fields.Integer(
        "Not in the last", help="No callback is offered in the last minutes of a day."
    )
    offer_min_wait_minutes = fields.Integer(
        "Only if the wait is over", help="Minutes. A wait of exactly that long is not enough."
    )
    offer_unknown = fields.Boolean("Also if the wait is not known", default=True)
    max_attempts = fields.Integer("Attempts", default=1, required=True)
    retry_minutes = fields.Integer(
        "Again after",
        default=15,
        required=True,
        help="Until the next attempt, from the end of the queue.",
    )
    expiry_hours = fields.Integer("Expire after", default=72, required=True)

    # estimating the wait
    default_aht_seconds = fields.Integer(
        "Else a call is handled in", default=180, required=True, help="Where too few calls tell."
    )
    aht_window_minutes = fields.Integer("Measure calls of the last", default=60, required=True)
    min_samples = fields.Integer("If there are at least", default=10, required=True)
    max_stats_age_seconds = fields.Integer("Trust the exchange for", default=120, required=True)

    # kept figures: whoever asks is answered at once
    waiting_count = fields.Integer("Waiting", readonly=True, copy=False)
    agents_staffed = fields.Integer("Agents at work", readonly=True, copy=False)
    agents_available = fields.Integer("Agents free", readonly=True, copy=False)
    stats_at = fields.Datetime("As told at", readonly=True, copy=False)
    waiting_told_at = fields.Datetime(readonly=True, copy=False)
    exchange_wait_seconds = fields.Integer(readonly=True, copy=False)
    exchange_wait_at = fields.Datetime(readonly=True, copy=False)
    exchange_aht_seconds = fields.Integer(readonly=True, copy=False)
    measured_aht_seconds = fields.Float(readonly=True, copy=False)
    measured_wait_seconds = fields.Float(readonly=True, copy=False)
    measured_count = fields.Integer(readonly=True, copy=False)
    measured_at = fields.Datetime(readonly=True, copy=False)

    callback_count = fields.Integer("Callbacks", compute="_compute_callback_count")
    ewt_seconds = fields.Integer("Expected wait", compute="_compute_ewt")
    ewt_method = fields.Selection(
        [
            ("exchange", "As the exchange says"),
            ("formula", "Calls ahead, handling time and agents at work"),
            ("history", "Mean wait of the last calls"),
            ("unstaffed", "Nobody is at work"),
            ("unknown", "Not known"),
        ],
        "How it is estimated",
        compute="_compute_ewt",
    )
    is_open = fields.Boolean("Open", compute="_compute_hours")
    closes_at = fields.Datetime("Closes at", compute="_compute_hours")

    wait_text = fields.Char("Expected wait now", compute="_compute_words")
    wait_explained = fields.Char("Estimated of", compute="_compute_words")
    hours_text = fields.Char("Hours now", compute="_compute_words")
    offer_text = fields.Char("Offered now", compute="_compute_offer_text")

    _code_uniq = models.Constraint(
        "UNIQUE (company_id, code)",
        "Code: another service of the company, perhaps an archived one, has it already. Choose "
        "another.",
    )

    # === COMPUTE METHODS === #

    def _compute_callback_count(self):
        counts = dict(
            self.env["contact.center.callback"]
            .sudo()
            ._read_group(
                [("service_id", "in", self.ids), ("state", "in", ("waiting", "notified"))],
                ["service_id"],
                ["__count"],
            )
        )
        for service in self:
            service.callback_count = counts.get(service, 0)

    @api.depends("waiting_count", "agents_staffed", "agents_available", "stats_at")
    def _compute_ewt(self):
        for service in self:
            estimated = service._estimate_wait()
            service.ewt_seconds = estimated.seconds or 0
            service.ewt_method = estimated.method

    def _compute_hours(self):
        now = fields.Datetime.now()
        for service in self:
            service.is_open, service.closes_at = service._get_hours(now)

    @api.depends("ewt_seconds", "ewt_method", "is_open", "closes_at")
    def _compute_words(self):
        for service in self:
            service.wait_text = service._describe_wait()
            service.wait_explained = service._explain_wait()
            service.hours_text = service._describe_hours()

    @api.depends(
        "callback_enabled",
        "offer_closing_minutes",
        "offer_min_wait_minutes",
        "offer_unknown",
        "ewt_seconds",
        "closes_at",
    )
    def _compute_offer_text(self):
        for service in self:
            service.offer_text = service._describe_offer()

    # === CONSTRAINTS === #

    @api.constrains(*LEAST)
    def _check_numbers(self):
        for service in self:
            for name, least in LEAST.items():
                if service[name] < least:
                    raise ValidationError(
                        self.env._(
                            "Service %(service)s, “%(field)s”: enter %(least)s or more.",
                            service=service.name,
                            field=service._fields[name]._description_string(self.env),
                            least=least,
                        )
                    )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """Override to begin without figures."""
        defaults = {f"default_{name}" for name in KEPT}
        context = {key: value for key, value in self.env.context.items() if key not in defaults}
        self._check_kept(vals_list)
        undefaulted = self.with_env(self.env(context=context))
        services = super(ContactCenterService, undefaulted).create(vals_list)
        return services.with_env(self.env)

    def copy_data(self, default=None):
        """Override to give the copy a code of its own."""
        vals_list = super().copy_data(default)
        if "code" in (default or {}):
            return vals_list
        return [{**vals, "code": self.env._("%s (copy)", vals["code"])} for vals in vals_list]

    def write(self, vals):
        """Override to keep people from entering what the exchange tells."""
        self._check_kept([vals])
        return super().write(vals)

    @api.model
    def _check_kept(self, vals_list):
        """Refuse figures that people enter.

        :raises AccessError: naming the field
        """
        entered = {name for vals in vals_list for name in KEPT & vals.keys()}
        if entered and not self.env.su:
            raise AccessError(
                self.env._(
                    "%s of a service follows from what the exchange tells, and cannot be entered.",
                    self._fields[min(entered)].get_description(self.env, ["string"])["string"],
                )
            )

    # === BUSINESS METHODS: HOURS === #

    def _get_hours(self, now):
        """Whether the service is open, and when it closes for the day.

        A break at noon is no closing: the day's last hour counts, or that of the night it is open
        through.

        :param datetime now: naive UTC
        :return: (bool, naive UTC datetime or False where it is closed or never closes)
        """
        self.ensure_one()
        if not self.calendar_id:
            return True, False
        moment = pytz.utc.localize(now)
        intervals = self._get_intervals(moment)
        if not any(start <= moment < end for start, end in intervals):
            return False, False
        closing = self._find_closing(moment, intervals)
        if closing >= moment + CLOSING_HORIZON - timedelta(days=1):
            return True, False
        return True, closing.astimezone(pytz.utc).replace(tzinfo=None)

    def _get_intervals(self, moment):
        """Opening hours from the moment's midnight on, in the calendar's time zone."""
        zone = pytz.timezone(self.calendar_id.tz)
        midnight = datetime.combine(moment.astimezone(zone).date(), time.min)
        found = self.calendar_id._work_intervals_batch(
            zone.localize(midnight), moment + CLOSING_HORIZON
        )[False]
        return [(start, end) for start, end, _attendances in found]

    def _find_closing(self, moment, intervals):
        """End of the last hours of the day, or of those that go on from there past midnight."""
        zone = pytz.timezone(self.calendar_id.tz)
        today = moment.astimezone(zone).date()
        closing = None
        for start, end in intervals:
            same_day = start.astimezone(zone).date() == today
            if same_day or (closing and start - closing <= SEAM):
                closing = end
        return closing + SEAM if closing.microsecond else closing

    # === BUSINESS METHODS: ESTIMATES === #

    def _estimate_wait(self, call=None):
        """How long somebody who joins now will wait, or a call that waits already.

        Override to know better.

        :param call: ``contact.center.call``, may be empty or None
        :return: :class:`~..engine.ewt.Estimate`
        """
        self.ensure_one()
        return estimate(self._get_figures(call))

    def _get_figures(self, call=None):
        """What is known of the service now; old figures are not."""
        told = self._is_fresh(self.stats_at)
        return Figures(
            waiting=self._count_ahead(call) + self.callback_count,
            exchange_wait=self.exchange_wait_seconds
            if self._is_fresh(self.exchange_wait_at)
            else None,
            staffed=self.agents_staffed if told else None,
            available=self.agents_available if told else None,
            handling_time=self._get_handling_time(),
            recent_wait=self.measured_wait_seconds if self._is_measured() else None,
        )

    def _count_ahead(self, call=None):
        """Calls in front of one that waits, at most; else of somebody who joins now.

        Its position is of when it was told; the line may have become shorter since.
        """
        if not call or call.state != "queued" or call.service_id != self:
            return self.waiting_count
        told = [call.position - 1] if call.position else []
        return max(0, min([self.waiting_count - 1, *told]))

    def _is_fresh(self, moment):
        oldest = fields.Datetime.now() - timedelta(seconds=self.max_stats_age_seconds)
        return bool(moment) and moment >= oldest

    def _is_measured(self):
        oldest = fields.Datetime.now() - timedelta(minutes=self.aht_window_minutes)
        return bool(self.measured_at) and self.measured_at >= oldest

    def _get_handling_time(self):
        """Seconds from answering one call to being ready for the next."""
        if self._is_measured() and self.measured_count >= self.min_samples:
            return self.measured_aht_seconds
        return self.exchange_aht_seconds or self.default_aht_seconds

    def _measure(self):
        """Keep what the calls answered lately tell; when some of them have ended."""
        self.env["contact.center.call"].flush_model()
        for service in self:
            count, handling, wait = self.env.execute_query(service._get_measure_query())[0]
            service.write(
                {
                    "measured_count": count,
                    "measured_aht_seconds": handling or 0,
                    "measured_wait_seconds": wait or 0,
                    "measured_at": self.env.cr.now() if count else False,
                }
            )

    def _get_measure_query(self):
        """SQL of: number of calls, mean handling time, mean wait of the last of them."""
        return SQL(
            """
            SELECT count(*), avg(talk_seconds::bigint + coalesce(wrap_up_seconds, 0)),
                   avg(wait_seconds) FILTER (WHERE place <= %(recent)s)
              FROM (SELECT talk_seconds, wrap_up_seconds, wait_seconds,
                           row_number() OVER (ORDER BY answered_at DESC) AS place
                      FROM contact_center_call
                     WHERE service_id = %(service_id)s AND state = 'ended'
                       AND answered_at >= %(since)s) lately
            """,
            recent=RECENT_CALLS,
            service_id=self.id,
            since=self.env.cr.now() - timedelta(minutes=self.aht_window_minutes),
        )

    # === BUSINESS METHODS: OFFER === #

    def _get_offer(self, number=None, call=None):
        """Whether a callback may be offered, and what speaks against it.

        Hook: override to add reasons.

        :param str number: E.164 of the caller; None: that of the call
        :param call: ``contact.center.call`` that waits, may be empty or None
        :return: dict of ``offer``, ``reasons``, ``estimated_wait_seconds``, ``closes_at``
            (naive UTC or False) and ``minutes_to_closing``
        """
        now = fields.Datetime.now()
        is_open, closes_at = self._get_hours(now)
        wait = self._estimate_wait(call)
        rules = Rules(self.offer_closing_minutes, self.offer_min_wait_minutes, self.offer_unknown)
        reasons = [
            *([] if self.callback_enabled else ["disabled"]),
            *get_reasons(
                rules, now, is_open, closes_at or None, wait.seconds, wait.method == "unstaffed"
            ),
            *self._refuse_number(number or (call and call.number)),
        ]
        return {
            "offer": not reasons,
            "reasons": reasons,
            "estimated_wait_seconds": wait.seconds,
            "closes_at": closes_at,
            "minutes_to_closing": int((closes_at - now).total_seconds() // 60)
            if closes_at
            else None,
        }

    def _refuse_number(self, number):
        if not number:
            return ["bad_number"]
        opened = self.env["contact.center.callback"]._find_open(self, number)
        return ["already_requested"] if opened else []

    # === WORDS === #

    def _describe_wait(self):
        if self.ewt_method in ("unstaffed", "unknown"):
            return dict(self._fields["ewt_method"]._description_selection(self.env))[
                self.ewt_method
            ]
        if self.ewt_seconds < 60:
            return self.env._("less than a minute") if self.ewt_seconds else self.env._("none")
        return self.env._("about %s min", round(self.ewt_seconds / 60))

    def _explain_wait(self):
        """How the wait is estimated, and what of."""
        figures = self._get_figures()
        inputs = {
            "exchange": self.env._("the exchange says %s s", figures.exchange_wait),
            "formula": self.env._(
                "%(waiting)s ahead, %(handling)s s for each, %(staffed)s agents at work of whom "
                "%(free)s are free",
                waiting=figures.waiting,
                handling=round(figures.handling_time),
                staffed=figures.staffed,
                free=figures.available or 0,
            ),
            "history": self.env._("mean of the last calls: %s s", round(figures.recent_wait or 0)),
            "unstaffed": self.env._("the exchange says that nobody is at work"),
            "unknown": self.env._("no figures of the exchange, and no calls lately"),
        }
        return inputs[self.ewt_method]

    def _describe_offer(self):
        """Whether a caller is offered a callback now, whatever his number, and why not."""
        words = {
            "disabled": self.env._("they are switched off"),
            "closed": self.env._("it is closed"),
            "closing_soon": self.env._("it closes soon"),
            "wait_unknown": self.env._("the wait is not known"),
            "wait_too_short": self.env._("the wait is short"),
        }
        reasons = [
            words.get(reason, reason)
            for reason in self._get_offer()["reasons"]
            if reason != "bad_number"  # of nobody in particular
        ]
        if not reasons:
            return self.env._("Yes")
        return self.env._("No: %s", format_list(self.env, reasons))

    def _describe_hours(self):
        if not self.is_open:
            return self.env._("Closed")
        if not self.closes_at:
            return self.env._("Always open")
        closes_at = format_time(self.env, self.closes_at, time_format="short")
        return self.env._("Open until %s", closes_at)

    # === ACTION METHODS === #

    def action_view_calls(self):
        """The calls that wait in the service."""
        return self._view("contact_center.contact_center_call_action", "search_default_waiting")

    def action_view_callbacks(self):
        """The callbacks that are open in the service."""
        return self._view("contact_center.contact_center_callback_action", "search_default_open")

    def _view(self, action, default_filter):
        action = self.env["ir.actions.act_window"]._for_xml_id(action)
        return {
            **action,
            "domain": [("service_id", "=", self.id)],
            "context": {default_filter: 1, "default_service_id": self.id},
        }

    # === EVENTS === #

    def _event_queue_stats(self, event, data):
        """queue.stats: the exchange's own figures."""
        service = event._get_service(data)
        if service.stats_at and event.occurred_at < service.stats_at:
            return "stale"
        service._note_stats(event, data)
        return "done"

    def _note_stats(self, event, data):
        values = {"stats_at": event.occurred_at}
        names = {
            "waiting": "waiting_count",
            "agents_staffed": "agents_staffed",
            "agents_available": "agents_available",
            "aht_seconds": "exchange_aht_seconds",
        }
        values |= {field: data[name] for name, field in names.items() if data.get(name) is not None}
        if "waiting_count" in values:
            values["waiting_told_at"] = event.occurred_at
        if data.get("ewt_seconds") is not None:
            values["exchange_wait_seconds"] = data["ewt_seconds"]
            values["exchange_wait_at"] = event.occurred_at
        self.write(values)
