from odoo import fields, models
from odoo.tools import SQL

from .sms_flow_entry import CAUSES


class SmsFlowReport(models.Model):
    """Each stay of a record in a step, with what it took and what came of it.

    Rates are averages of 0 and 1; a stay that they are not about has neither, e.g. one in a step
    that asks nothing is no stay without an answer.
    """

    _name = "sms.flow.report"
    _description = "SMS Flow Analysis"
    _auto = False
    _order = "date DESC, id DESC"
    _rec_name = "step_name"
    _depends = {
        "sms.flow": ["team_id", "company_id"],
        "sms.flow.entry": [
            "run_id",
            "flow_id",
            "step_id",
            "step_name",
            "cause",
            "entered_at",
            "left_at",
            "left_by",
            "message_id",
            "replied_at",
            "reply_id",
            "reminders_sent",
        ],
        "sms.flow.reply": ["step_id"],
        "sms.flow.run": ["state"],
        "sms.message": ["flow_entry_id", "origin", "state", "segments", "cost", "currency_id"],
        "res.company": ["currency_id"],
    }

    run_id = fields.Many2one("sms.flow.run", "Record", readonly=True)
    flow_id = fields.Many2one("sms.flow", "Flow", readonly=True)
    step_id = fields.Many2one("sms.flow.step", "Step", readonly=True)
    step_name = fields.Char("Name of the step", readonly=True)
    team_id = fields.Many2one("crm.team", "Sales team", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    date = fields.Datetime("Came at", readonly=True)
    cause = fields.Selection(CAUSES, "Came by", readonly=True)
    left_by = fields.Selection([*CAUSES, ("stopped", "Flow stopped")], "Left by", readonly=True)
    entry_count = fields.Integer("Came here", readonly=True)
    duration_hours = fields.Float(
        "Hours in the step",
        readonly=True,
        aggregator="avg",
        help="Until it was left, or until now. Last steps have none.",
    )
    asked = fields.Integer(readonly=True, help="By a text, in a step that has answers.")
    replied = fields.Float(
        "Reply rate",
        readonly=True,
        aggregator="avg",
        help="Of those who were asked: who answered, whatever he wrote.",
    )
    reply_hours = fields.Float(
        "Hours to reply",
        readonly=True,
        aggregator="avg",
        help="From when the text of the step left.",
    )
    matched = fields.Float(
        "Understood",
        readonly=True,
        aggregator="avg",
        help="Of the first replies: those that were one of the answers.",
    )
    reminders = fields.Integer(readonly=True)
    answered_after_reminder = fields.Float(
        "Reply rate after a reminder",
        readonly=True,
        aggregator="avg",
        help="Of those who got a reminder: who answered then.",
    )
    texts = fields.Integer(readonly=True, help="That left, reminders too.")
    segments = fields.Integer("SMS", readonly=True, help="What the texts count as.")
    cost = fields.Monetary(readonly=True, help="As told by the provider.")
    currency_id = fields.Many2one("res.currency", readonly=True)

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT entry.id, entry.run_id, entry.flow_id, entry.step_id, entry.step_name,
                   flow.team_id, flow.company_id, entry.entered_at AS date, entry.cause,
                   entry.left_by, 1 AS entry_count,
                   extract(epoch FROM coalesce(
                       entry.left_at, CASE WHEN run.state = 'active' THEN %(now)s END
                   ) - entry.entered_at) / 3600.0 AS duration_hours,
                   asked.yes::integer AS asked,
                   CASE WHEN asked.yes THEN %(replied)s::integer END::float AS replied,
                   CASE WHEN asked.yes AND %(replied)s THEN greatest(0, extract(epoch FROM
                       entry.replied_at - coalesce(first_text.sent_at, entry.entered_at)
                   ) / 3600.0) END AS reply_hours,
                   CASE WHEN asked.yes AND %(replied)s
                        THEN (entry.reply_id IS NOT NULL
                              OR coalesce(entry.left_by = 'reply', false))::integer
                        END::float AS matched,
                   reminded.count AS reminders,
                   CASE WHEN asked.yes AND reminded.count > 0
                        THEN %(replied)s::integer END::float AS answered_after_reminder,
                   ledger.texts, ledger.segments, ledger.cost,
                   coalesce(ledger.currency_id, company.currency_id) AS currency_id
              FROM sms_flow_entry entry
              JOIN sms_flow flow ON flow.id = entry.flow_id
              JOIN res_company company ON company.id = flow.company_id
              JOIN sms_flow_run run ON run.id = entry.run_id
              LEFT JOIN sms_message first_text ON first_text.id = entry.message_id
              CROSS JOIN LATERAL (%(ledger)s) ledger
              CROSS JOIN LATERAL (
                   SELECT coalesce(entry.reminders_sent, 0) - ledger.reminders_recalled AS count
                   ) reminded
              CROSS JOIN LATERAL (%(asked)s) asked
            """,
            now=self.env.cr.now(),
            replied=SQL("(entry.replied_at IS NOT NULL)"),
            ledger=self._get_ledger_query(),
            asked=self._get_asked_query(),
        )

    def _get_ledger_query(self):
        """SQL of what the ledger holds of a stay; a text that never left costs nothing."""
        return SQL(
            """
            SELECT count(*) FILTER (WHERE has_left) AS texts,
                   coalesce(sum(segments) FILTER (WHERE has_left), 0) AS segments,
                   coalesce(sum(cost), 0) AS cost,
                   min(currency_id) AS currency_id,
                   count(*) FILTER (
                       WHERE origin = 'reminder' AND state = 'cancelled') AS reminders_recalled
              FROM (SELECT text.*, text.sent_at IS NOT NULL
                           OR text.state IN ('sent', 'delivered', 'unknown') AS has_left
                      FROM sms_message text WHERE text.flow_entry_id = entry.id) text
            """
        )

    def _get_asked_query(self):
        """SQL of whether an answer was asked for: by a text, in a step that has answers."""
        return SQL(
            """
            SELECT (entry.message_id IS NOT NULL OR entry.replied_at IS NOT NULL)
                   AND EXISTS (SELECT FROM sms_flow_reply reply
                                WHERE reply.step_id = entry.step_id) AS yes
            """
        )
