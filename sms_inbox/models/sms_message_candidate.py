from odoo import api, fields, models


class SmsMessageCandidate(models.Model):
    """A record that a received text might have belonged to, and why it does or does not."""

    _name = "sms.message.candidate"
    _description = "SMS Candidate"
    _order = "message_id, rank"
    _log_access = False

    message_id = fields.Many2one(
        "sms.message", required=True, readonly=True, index=True, ondelete="cascade"
    )
    res_model = fields.Char("Record model", required=True, readonly=True)
    res_id = fields.Many2oneReference(
        "Record", model_field="res_model", required=True, readonly=True
    )
    record_name = fields.Char("Name", compute="_compute_record_name")
    rank = fields.Integer(readonly=True)
    rule = fields.Selection(
        [
            ("conversation", "Latest conversation"),
            ("seller", "Owned by the seller of the number"),
            ("team", "Owned by a seller of the number's team"),
            ("kind", "Contact before company, opportunity and lead"),
            ("active", "In use before archived"),
            ("updated", "Changed last"),
            ("newest", "Equal in all: created last"),
        ],
        readonly=True,
        help="The rule that put it in its place.",
    )

    @api.depends("res_model", "res_id")
    @api.depends_context("uid", "allowed_company_ids")
    def _compute_record_name(self):
        for candidate in self:
            candidate.record_name = candidate._get_record_name()

    def _get_record_name(self):
        """The name, where the user may read the record."""
        if self.res_model not in self.env:
            return False
        record = self.env[self.res_model].browse(self.res_id).exists()
        if not record or not record.has_access("read"):
            return self.env._("A record you may not see")
        return record.display_name

    def action_open_record(self):
        """Open the record."""
        self.ensure_one()
        record = self.env[self.res_model].browse(self.res_id)
        record.check_access("read")
        return record.get_formview_action()
