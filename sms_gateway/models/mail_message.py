import json

from markupsafe import escape

from odoo import models
from odoo.tools import SQL


class MailMessage(models.Model):
    _inherit = "mail.message"

    def _clone_for(self, records, bodies):
        """Rows like this one for other records of its model.

        :param dict bodies: ``Markup``, or text to be escaped, by record id
        :return: the messages, in the order of the records
        """
        self.ensure_one()
        self.flush_recordset()
        rows = [
            {"res_id": id_, "body": self._sanitize_body(bodies.get(id_, ""))} for id_ in records.ids
        ]
        columns = SQL(", ").join(SQL.identifier(name) for name in self._get_cloned_columns())
        ids = self.env.execute_query(
            SQL(
                """
                INSERT INTO mail_message (res_id, body, %(columns)s)
                SELECT clone.res_id, clone.body, original.*
                  FROM (SELECT %(columns)s FROM mail_message WHERE id = %(id)s) original,
                       ROWS FROM (json_to_recordset(%(rows)s) AS (res_id integer, body text))
                       WITH ORDINALITY clone
                 ORDER BY clone.ordinality
                RETURNING id
                """,
                columns=columns,
                id=self.id,
                rows=json.dumps(rows),
            )
        )
        records.invalidate_recordset(["message_ids"])
        return self.browse(sorted(row[0] for row in ids))

    def _get_cloned_columns(self):
        return [
            name
            for name, field in self._fields.items()
            if field.store and field.column_type and name not in ("id", "res_id", "body")
        ]

    def _sanitize_body(self, body):
        """Text and line breaks alone need none of the sanitizing, which is slow; all else does."""
        body = str(escape(body)).replace("<br/>", "<br>")
        if "<" in body.replace("<br>", ""):
            return self._fields["body"].convert_to_column_insert(body, self)
        return f"<p>{body}</p>"
