from odoo import fields, models


class ContactCenterConnector(models.Model):
    _inherit = "contact.center.connector"

    kind = fields.Selection(
        selection_add=[("demo", "Demo: the telephones of the demo carrier")],
        ondelete={"demo": "set default"},
    )

    def _tell(self, event_type, data):
        """Override of `contact_center`: the demo exchange calls a telephone of the demo carrier."""
        if event_type == "auto_agent.requested":
            for connector in self.filtered(lambda connector: connector.kind == "demo"):
                self.env["sms.demo.voice"].sudo()._call(connector, data)
        return super()._tell(event_type, data)

    def _can_make_calls(self):
        """Override of `contact_center`: the demo exchange needs no address."""
        return super()._can_make_calls() or self.kind == "demo"
