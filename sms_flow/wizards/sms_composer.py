from odoo import api, fields, models


class SmsComposer(models.TransientModel):
    _inherit = "sms.composer"

    template_id = fields.Many2one(domain="[('id', 'in', available_template_ids)]")
    available_template_ids = fields.Many2many(
        "sms.template", compute="_compute_available_template_ids"
    )

    @api.depends("res_model", "res_id", "res_ids")
    def _compute_available_template_ids(self):
        """Those of the record's flow, and those of none (R019, R024)."""
        Template = self.env["sms.template"]
        for composer in self:
            records = composer._get_records()
            domain = (
                Template._get_offered_domain(records)
                if records is not None
                else [("model", "=", composer.res_model or False), ("flow_id", "=", False)]
            )
            composer.available_template_ids = Template.search(domain)

    @api.depends("res_model", "res_id")
    def _compute_sender_id(self):
        """Override of `sms_gateway`: texts from a record of a flow come from the flow's sender."""
        res = super()._compute_sender_id()
        for composer in self.filtered("res_id"):
            records = composer._get_records()
            flows = records._sms_flow_find() if hasattr(records, "_sms_flow_find") else ()
            for flow in flows:
                if flow.sender_id._may_be_used_by(self.env.user):
                    composer.sender_id = flow.sender_id
                    break
        return res
