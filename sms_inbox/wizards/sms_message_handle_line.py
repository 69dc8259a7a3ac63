from odoo import api, fields, models

from ..engine.routing import COMPANY, LEAD, OPPORTUNITY, OTHER, PERSON


class SmsMessageHandleLine(models.TransientModel):
    """A record that a text can be put on."""

    _name = "sms.message.handle.line"
    _description = "Record for a Received SMS"
    _order = "sequence, id"

    # === FIELDS === #

    wizard_id = fields.Many2one("sms.message.handle", readonly=True, index=True, ondelete="cascade")
    sequence = fields.Integer(readonly=True)
    res_model = fields.Char(required=True, readonly=True)
    res_id = fields.Many2oneReference(model_field="res_model", required=True, readonly=True)
    reason = fields.Char("Why", readonly=True)
    name = fields.Char(compute="_compute_details")
    kind = fields.Char("Type", compute="_compute_details")
    number = fields.Char(compute="_compute_details")
    user_id = fields.Many2one("res.users", "Salesperson", compute="_compute_details")

    # === COMPUTE METHODS === #

    @api.depends("res_model", "res_id")
    def _compute_details(self):
        for line in self:
            record = line._get_record()
            line.name = record.display_name
            line.kind = line._get_kind(record)
            line.number = record.phone if "phone" in record else False
            line.user_id = record.user_id if "user_id" in record else False

    def _get_kind(self, record):
        words = {
            PERSON: self.env._("Contact"),
            COMPANY: self.env._("Company"),
            OPPORTUNITY: self.env._("Opportunity"),
            LEAD: self.env._("Lead"),
            OTHER: record._description,
        }
        kind = words[self.env["sms.message"]._get_kind(record)]
        archived = "active" in record and not record.active
        return self.env._("%s (archived)", kind) if archived else kind

    # === ACTION METHODS === #

    def action_select(self):
        """Put the texts on this record, and open it (R042, R043)."""
        record = self._get_record()
        self.wizard_id._select(record)
        return record.get_formview_action()

    def action_select_next(self):
        """Put the texts on this record, and go on with the next."""
        self.wizard_id._select(self._get_record())
        return self.wizard_id._get_next_action()

    def _get_record(self):
        self.ensure_one()
        return self.env[self.res_model].browse(self.res_id)
