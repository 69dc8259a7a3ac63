from psycopg2.errors import UniqueViolation

from odoo import api, fields, models
from odoo.exceptions import ConcurrencyError


class ContactCenterAgent(models.Model):
    """Somebody who answers calls, as the exchange knows him."""

    _name = "contact.center.agent"
    _description = "Contact Center Agent"
    _order = "name, id"

    name = fields.Char(required=True)
    external_id = fields.Char(
        "Name at the exchange", required=True, help="E.g. the interface or member name."
    )
    connector_id = fields.Many2one(
        "contact.center.connector", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="connector_id.company_id", store=True, index=True)
    user_id = fields.Many2one("res.users", index="btree_not_null")
    active = fields.Boolean(default=True)
    service_ids = fields.Many2many("contact.center.service", string="Services")
    state = fields.Selection(
        [
            ("available", "Available"),
            ("busy", "In a call"),
            ("wrap_up", "After a call"),
            ("break", "Break"),
            ("offline", "Logged out"),
        ],
        required=True,
        readonly=True,
        default="offline",
    )
    break_type = fields.Char(readonly=True)
    state_since = fields.Datetime(readonly=True)

    _external_uniq = models.UniqueIndex(
        "(connector_id, external_id)",
        "Name at the exchange: another agent of the connector, perhaps an archived one, has it "
        "already. Change that one instead.",
    )

    @api.model
    def _find_or_create(self, connector, external_id, name=None):
        """The agent of that name at the exchange; a new one is made of what it says.

        :raises ConcurrencyError: where another transaction makes it just now; to be tried again
        """
        if not external_id:
            return self.browse()
        agent = self.with_context(active_test=False).search(
            [("connector_id", "=", connector.id), ("external_id", "=", external_id)]
        )
        if name and agent.name == external_id:  # it was not told before
            agent.name = name
        return agent or self._create_told(connector, external_id, name)

    @api.model
    def _create_told(self, connector, external_id, name):
        try:
            with self.env.cr.savepoint():
                return self.create(
                    {
                        "connector_id": connector.id,
                        "external_id": external_id,
                        "name": name or external_id,
                    }
                )
        except UniqueViolation as error:
            raise ConcurrencyError from error

    # === EVENTS === #

    def _event_agent_state_changed(self, event, data):
        """agent.state_changed: the latest counts."""
        agent = self._find_or_create(event.connector_id, data["agent"], data.get("agent_name"))
        if agent.state_since and event.occurred_at < agent.state_since:
            return "stale"
        agent.write(
            {
                "state": data["state"],
                "break_type": data.get("break_type") or False,
                "state_since": event.occurred_at,
            }
        )
        return "done"
