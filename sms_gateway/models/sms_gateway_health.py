import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import format_datetime, plaintext2html

_logger = logging.getLogger(__name__)

#: What of the past counts.
WINDOW = timedelta(hours=24)
#: Fewer texts than these say nothing of the provider.
ENOUGH_TEXTS = 20
#: States of texts whose fate is known; of those that failed, the part is the failure rate.
SETTLED = ("sent", "delivered", "failed")
#: How often the scheduled action asks the provider for the balance.
BALANCE_EVERY = timedelta(hours=1)
ACTIVITY_TYPE = "sms_gateway.mail_activity_type_gateway"


class SmsGatewayHealth(models.AbstractModel):
    """How a gateway fares, and who is told when it fares badly; a part of ``sms.gateway``."""

    _name = "sms.gateway.health"
    _description = "SMS Gateway Health"

    # === FIELDS === #

    failure_rate = fields.Float(
        "Failed",
        compute="_compute_texts_of_the_day",
        aggregator="avg",
        groups="sms_gateway.group_sms_manager",
        help="Of the texts of the last 24 hours whose fate is known.",
    )
    unknown_count = fields.Integer(
        "Unknown",
        compute="_compute_texts_of_the_day",
        groups="sms_gateway.group_sms_manager",
        help="Texts of the last 24 hours that may or may not have gone.",
    )
    oldest_queued_at = fields.Datetime(
        "Waits since",
        compute="_compute_oldest_queued_at",
        groups="sms_gateway.group_sms_manager",
        help="When the oldest text was written that should have left and has not.",
    )
    refused_today_count = fields.Integer(
        "Refused calls, 24 hours",
        compute="_compute_refused_today_count",
        groups="sms_gateway.group_sms_manager",
    )
    health = fields.Selection(
        [("ok", "Works"), ("warning", "Look at it"), ("critical", "Trouble")],
        compute="_compute_health",
        groups="sms_gateway.group_sms_manager",
    )
    health_reason = fields.Text(
        "What is wrong", compute="_compute_health", groups="sms_gateway.group_sms_manager"
    )

    alert_user_id = fields.Many2one(
        "res.users",
        "Tell",
        default=lambda self: self._default_alert_user_id(),
        domain=[("share", "=", False)],
        help="Gets an activity when the gateway is in trouble. Empty: nobody.",
    )
    alert_failure_rate = fields.Float(
        "Failed texts",
        default=0.2,
        help="Trouble when more than this part of the day's texts has failed. 0: never.",
    )
    alert_queue_minutes = fields.Integer(
        "Texts that wait",
        default=15,
        help="Trouble when a text waits longer to leave, in minutes. 0: never.",
    )
    alert_refused_count = fields.Integer(
        "Refused calls a day",
        default=20,
        help="To be looked at when so many calls were refused in 24 hours. 0: never.",
    )
    alert_silence_hours = fields.Integer(
        "Silence",
        default=0,
        help="To be looked at when the provider has not called for so many hours. 0: never.",
    )
    alert_balance = fields.Float(
        "Balance below", default=0, help="Trouble when the account has less. 0: never."
    )

    @api.model
    def _default_alert_user_id(self):
        user = self.env.user
        return self.env.ref("base.user_admin", False) if user._is_superuser() else user

    # === COMPUTE METHODS === #

    def _compute_texts_of_the_day(self):
        counts = {gateway: {} for gateway in self}
        for gateway, state, count in (
            self.env["sms.message"]
            .sudo()
            ._read_group(
                [
                    ("company_id", "in", self.company_id.ids),
                    *self._get_day_domain(),
                    ("gateway_id", "in", self.ids),
                    ("state", "in", [*SETTLED, "unknown"]),
                    # what we refused ourselves says nothing of the provider
                    "|",
                    "|",
                    ("state", "!=", "failed"),
                    ("failure_code", "!=", False),
                    ("sent_at", "!=", False),
                ],
                ["gateway_id", "state"],
                ["__count"],
            )
        ):
            counts[self.browse(gateway.id)][state] = count
        for gateway, by_state in counts.items():
            settled = sum(by_state.get(state, 0) for state in SETTLED)
            enough = settled >= ENOUGH_TEXTS
            gateway.failure_rate = by_state.get("failed", 0) / settled if enough else 0
            gateway.unknown_count = by_state.get("unknown", 0)

    def _compute_oldest_queued_at(self):
        oldest = dict(
            self.env["sms.sms"]
            .sudo()
            ._read_group(
                [
                    ("gateway_id", "in", self.ids),
                    ("state", "=", "outgoing"),
                    "|",
                    ("attempts", ">", 0),
                    "|",
                    ("send_after", "=", False),
                    ("send_after", "<=", fields.Datetime.now()),
                ],
                ["gateway_id"],
                ["create_date:min"],
            )
        )
        for gateway in self:
            gateway.oldest_queued_at = oldest.get(gateway, False)

    def _compute_refused_today_count(self):
        since = [("received_at", ">=", fields.Datetime.now() - WINDOW)]
        counts = self._count_refused(since)
        for gateway in self:
            gateway.refused_today_count = counts.get(gateway, 0)

    @api.depends(
        "state",
        "failure_rate",
        "unknown_count",
        "oldest_queued_at",
        "refused_today_count",
        "balance_amount",
        "last_inbound_at",
        "last_status_at",
        "alert_failure_rate",
        "alert_queue_minutes",
        "alert_refused_count",
        "alert_silence_hours",
        "alert_balance",
    )
    def _compute_health(self):
        for gateway in self:
            troubles, warnings = gateway._get_troubles(), gateway._get_warnings()
            gateway.health = "critical" if troubles else "warning" if warnings else "ok"
            gateway.health_reason = "\n".join([*troubles, *warnings])

    def _get_troubles(self):
        """What stops or loses texts now, in sentences; nothing of a gateway that is closed.

        Override to add the reasons of a provider.
        """
        self.ensure_one()
        if self.state == "disabled":
            return []
        return list(
            filter(None, [self._check_queue(), self._check_failures(), self._check_balance()])
        )

    def _get_warnings(self):
        """What an administrator should look at, in sentences."""
        self.ensure_one()
        if self.state == "disabled":
            return []
        return list(
            filter(None, [self._check_unknown(), self._check_refused(), self._check_silence()])
        )

    def _check_queue(self):
        minutes, since = self.alert_queue_minutes, self.oldest_queued_at
        if not minutes or not since:
            return None
        if since > fields.Datetime.now() - timedelta(minutes=minutes):
            return None
        return self.env._(
            "A text has been waiting since %s. Test the connection, and look whether Odoo's "
            "scheduled actions run.",
            format_datetime(self.env, since, tz=self.env.context.get("tz"), dt_format="short"),
        )

    def _check_failures(self):
        if not self.alert_failure_rate or self.failure_rate <= self.alert_failure_rate:
            return None
        return self.env._(
            "%s%% of the texts of the last 24 hours have failed. Look at their reasons under "
            "Texts.",
            round(self.failure_rate * 100),
        )

    def _check_balance(self):
        told = self.alert_balance and self.balance_at
        if not told or self.balance_amount >= self.alert_balance:
            return None
        return self.env._("The balance is %s. Top up the account.", self.balance)

    def _check_unknown(self):
        if not self.unknown_count:
            return None
        return self.env._(
            "Texts of which nobody knows whether they have gone: %s. The provider's answer was "
            "lost; a delivery report settles them, or you do under Texts.",
            self.unknown_count,
        )

    def _check_refused(self):
        if not self.alert_refused_count or self.refused_today_count < self.alert_refused_count:
            return None
        return self.env._(
            "Calls refused in the last 24 hours: %s. “Refused calls” on the gateway says why.",
            self.refused_today_count,
        )

    def _check_silence(self):
        hours = self.alert_silence_hours
        last = max(filter(None, [self.last_inbound_at, self.last_status_at]), default=None)
        if not hours or (last and last > fields.Datetime.now() - timedelta(hours=hours)):
            return None
        return self.env._(
            "The provider has not called for %s h. Look whether it has our addresses.", hours
        )

    # === ACTION METHODS === #

    def action_view_waiting(self):
        """The texts that wait to leave by this gateway."""
        return self._view_texts([("state", "=", "queued")])

    def action_view_unknown(self):
        """The texts of the day of which nobody knows whether they have gone."""
        return self._view_texts([("state", "=", "unknown"), *self._get_day_domain()])

    def action_view_failed(self):
        """The texts of the day that have failed."""
        return self._view_texts([("state", "=", "failed"), *self._get_day_domain()])

    def _get_day_domain(self):
        return [("create_date", ">=", fields.Datetime.now() - WINDOW)]

    def _view_texts(self, domain):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("sms_gateway.sms_message_action")
        return {**action, "domain": [("gateway_id", "=", self.id), *domain], "context": {}}

    # === SCHEDULED === #

    @api.model
    def _cron_check_health(self):
        """Tell people of gateways that got into trouble; the scheduled action of the health."""
        gateways = self.search([("state", "!=", "disabled")])
        self.env["ir.cron"]._commit_progress(remaining=len(gateways))
        for gateway in gateways:
            gateway._check_health()
            if not self.env["ir.cron"]._commit_progress(1):
                break

    def _check_health(self):
        """Ask for the balance from time to time; open or close the activity."""
        if self.support_balance and self._is_balance_old():
            self._try_refresh_balance()
        if self.health == "critical":
            self._open_activity()
        else:
            self._close_activity()

    def _is_balance_old(self):
        return not self.balance_at or self.balance_at < fields.Datetime.now() - BALANCE_EVERY

    def _try_refresh_balance(self):
        """A provider that does not tell its balance now has been asked, and is asked again."""
        try:
            self._refresh_balance()
        except Exception:
            _logger.warning("SMS gateway %s: no balance", self.name, exc_info=True)

    def _open_activity(self):
        """One for each trouble, however long it lasts; in the words of the person it is for."""
        person = self.alert_user_id
        if person and not self._get_activities():
            gateway = self.with_context(lang=person.lang, tz=person.tz)
            gateway.activity_schedule(
                ACTIVITY_TYPE,
                user_id=person.id,
                summary=gateway.env._("SMS gateway in trouble: %s", self.name),
                note=plaintext2html("\n".join(gateway._get_troubles())),
            )

    def _close_activity(self):
        self._get_activities().action_feedback(self.env._("It works again."))

    def _get_activities(self):
        return self.activity_search([ACTIVITY_TYPE])
