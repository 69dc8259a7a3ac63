from odoo import api, fields, models
from odoo.exceptions import ValidationError


class SmsTemplate(models.Model):
    _inherit = "sms.template"

    flow_id = fields.Many2one(
        "sms.flow",
        "SMS flow",
        index="btree_not_null",
        ondelete="cascade",
        domain="[('model', '=', model)]",
        help="Offered to those who text a record of this flow. Empty: on all records.",
    )

    @api.constrains("flow_id", "model_id")
    def _check_flow(self):
        """Templates come after SMS and a sender (R018)."""
        for template in self.filtered("flow_id"):
            flow = template.flow_id
            if not flow.sms_enabled or not flow.sender_id:
                raise ValidationError(
                    self.env._(
                        "%s: switch SMS on and choose a sender before you make templates.",
                        flow.name,
                    )
                )
            if template.model != flow.model:
                raise ValidationError(
                    self.env._(
                        "The template “%(template)s” is for another kind of record than the flow "
                        "%(flow)s.",
                        template=template.name,
                        flow=flow.name,
                    )
                )

    def write(self, vals):
        """Override of `base`: rights are checked before a change; it may not go to others (P11)."""
        res = super().write(vals)
        if "flow_id" in vals:
            self.check_access("write")
        return res

    @api.model
    def _get_offered_domain(self, record):
        """Templates for a record: those of its flows, and those of none (R019)."""
        flows = record._sms_flow_find() if hasattr(record, "_sms_flow_find") else self.flow_id
        return [
            ("model", "=", record._name),
            ("flow_id", "in", [False, *flows.ids]),
        ]
