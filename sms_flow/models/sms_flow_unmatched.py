from odoo import fields, models
from odoo.tools import SQL

from odoo.addons.sms_gateway.engine.words import normalize_word

#: Why texts wait in the inbox that were no answer to what a step asked.
REASONS = ("no_match", "no_rule")
#: What is taken off both ends of a text; ``normalize_word`` knows more, but no SQL.
EDGES = " .,!?;:-_()\"'"


class SmsFlowUnmatched(models.Model):
    """What customers answered that no answer of the step is: by step and text, to learn from.

    A text is gone from here once it is one of the step's words. The row's id is that of the
    first such text.
    """

    _name = "sms.flow.unmatched"
    _description = "Unmatched SMS Answers"
    _auto = False
    _order = "text_count DESC, latest_at DESC, id"
    _rec_name = "body"
    _depends = {
        "sms.flow": ["company_id"],
        "sms.flow.entry": ["flow_id", "step_id", "reply_message_id"],
        "sms.flow.reply": ["step_id", "keywords"],
        "sms.message": [
            "number",
            "sender_id",
            "direction",
            "body",
            "inbox_state",
            "inbox_reason",
            "flow_entry_id",
        ],
    }

    flow_id = fields.Many2one("sms.flow", "Flow", readonly=True)
    step_id = fields.Many2one("sms.flow.step", "Answer to", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    word = fields.Char(readonly=True)
    body = fields.Text("Text", readonly=True)
    text_count = fields.Integer("Times", readonly=True)
    waiting_count = fields.Integer("Still in the inbox", readonly=True)
    latest_at = fields.Datetime("Latest", readonly=True)
    message_id = fields.Many2one("sms.message", "Latest text", readonly=True)

    # === ACTION METHODS === #

    def action_add(self):
        """Open the wizard that makes the text an answer of its step."""
        self.ensure_one()
        return self.env["sms.flow.unmatched.add"]._open(self)

    def action_view_texts(self):
        """The texts themselves."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("sms_gateway.sms_message_action")
        return {
            **action,
            "name": self.body,
            "domain": [("id", "in", self._get_texts().ids)],
            "context": {},
        }

    # === BUSINESS METHODS === #

    def _get_texts(self):
        """The texts of a row, those the user may read.

        :return: ``sms.message``
        """
        self.ensure_one()
        rows = self.env.execute_query(
            SQL(
                "SELECT id FROM (%s) text WHERE step_id = %s AND word = %s",
                self._get_texts_query(),
                self.step_id.id,
                self.word,
            )
        )
        return self.env["sms.message"].search([("id", "in", [row[0] for row in rows])])

    def _get_word(self):
        """The text as it is compared with the words of answers."""
        self.ensure_one()
        return normalize_word(self.body)

    # === QUERY === #

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT min(text.id) AS id, max(text.id) AS message_id, text.step_id, text.flow_id,
                   text.company_id, text.word, count(*) AS text_count,
                   (array_agg(text.body ORDER BY text.id))[1] AS body,
                   count(*) FILTER (WHERE text.inbox_state = 'todo') AS waiting_count,
                   max(text.create_date) AS latest_at
              FROM (%(texts)s) text
             WHERE NOT EXISTS (%(known)s)
             GROUP BY text.step_id, text.flow_id, text.company_id, text.word
            """,
            texts=self._get_texts_query(),
            known=self._get_known_query(),
        )

    def _get_texts_query(self):
        """SQL of the texts that were no answer, each with the step that had asked.

        That is the step whose first reply it is, else the one of the latest text before it.
        """
        return SQL(
            """
            SELECT text.id, text.body, text.create_date, text.inbox_state, entry.step_id,
                   entry.flow_id, flow.company_id, %(word)s AS word
              FROM sms_message text
              JOIN LATERAL (
                   SELECT coalesce(
                       (SELECT answered.id FROM sms_flow_entry answered
                         WHERE answered.reply_message_id = text.id LIMIT 1),
                       (SELECT asked.flow_entry_id FROM sms_message asked
                         WHERE asked.number = text.number AND asked.sender_id = text.sender_id
                           AND asked.id < text.id AND asked.direction = 'out'
                           AND asked.flow_entry_id IS NOT NULL
                         ORDER BY asked.id DESC LIMIT 1)) AS id) asker ON asker.id IS NOT NULL
              JOIN sms_flow_entry entry ON entry.id = asker.id
              JOIN sms_flow flow ON flow.id = entry.flow_id
             WHERE text.inbox_state IS NOT NULL AND text.inbox_reason = ANY(%(reasons)s)
               AND entry.step_id IS NOT NULL AND btrim(text.body) != ''
            """,
            word=_get_word_query(SQL("text.body")),
            reasons=list(REASONS),
        )

    def _get_known_query(self):
        """SQL of the answers of the text's step that list its words."""
        return SQL(
            """
            SELECT FROM sms_flow_reply reply
              CROSS JOIN LATERAL regexp_split_to_table(reply.keywords, '[,;\n]') AS listed (word)
             WHERE reply.step_id = text.step_id AND %s = text.word
            """,
            _get_word_query(SQL("listed.word")),
        )


def _get_word_query(text):
    """SQL of a text as it is compared, as far as SQL can."""
    return SQL(
        r"lower(btrim(regexp_replace(normalize(coalesce(%s, ''), NFKC), '\s+', ' ', 'g'), %s))",
        text,
        EDGES,
    )
