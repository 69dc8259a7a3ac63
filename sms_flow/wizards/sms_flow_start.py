from ast import literal_eval

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain


class SmsFlowStart(models.TransientModel):
    """Put records into a step of a flow: one at once, many as a job with progress."""

    _name = "sms.flow.start"
    _description = "Set SMS Flow Step"

    res_model = fields.Char(required=True, readonly=True)
    res_ids = fields.Char(readonly=True)
    record_count = fields.Integer("Records", readonly=True)
    flow_id = fields.Many2one("sms.flow", "SMS flow", required=True)
    step_id = fields.Many2one(
        "sms.flow.step", "Step", required=True, domain="[('flow_id', '=', flow_id)]"
    )
