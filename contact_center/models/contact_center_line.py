from odoo import api, models
from odoo.tools import SQL


class ContactCenterLine(models.AbstractModel):
    """The line of a service: waiting calls and callbacks, in the order they are answered.

    Whoever asked for a callback keeps his place: the moment his call joined counts.
    """

    _name = "contact.center.line"
    _description = "Contact Center Line"

    @api.model
    def _recompute_positions(self, services):
        """Give the callbacks that wait in these services their positions.

        :return: those whose position is another one now
        """
        self.env["contact.center.call"].flush_model()
        Callback = self.env["contact.center.callback"].sudo()
        Callback.flush_model()
        rows = self.env.execute_query(self._get_positions_query(services))
        moved = Callback.browse([id_ for id_, _position in rows])
        for callback, (_id, position) in zip(moved, rows, strict=True):
            callback.position = position
        return moved

    @api.model
    def _get_positions_query(self, services):
        """SQL of (id, position) of the callbacks whose position changes."""
        return SQL(
            """
            WITH waiting AS (
                 SELECT service_id, NULL::integer AS id, NULL::integer AS position,
                        coalesce(priority, 0) AS priority, queued_at, id AS tie
                   FROM contact_center_call WHERE service_id = ANY(%(ids)s) AND state = 'queued'
                  UNION ALL
                 SELECT service_id, id, position, coalesce(priority, 0), queued_at, id
                   FROM contact_center_callback
                  WHERE service_id = ANY(%(ids)s) AND state IN ('waiting', 'notified')),
            line AS (
                 SELECT id, position AS before, row_number() OVER (
                        PARTITION BY service_id
                        ORDER BY priority DESC, queued_at, id NULLS FIRST, tie) AS position
                   FROM waiting)
            SELECT id, position FROM line
             WHERE id IS NOT NULL AND before IS DISTINCT FROM position
             ORDER BY position, id
            """,
            ids=services.ids,
        )
