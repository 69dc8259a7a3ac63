from odoo import api, fields, models

from .sms_flow_entry import CAUSES  # noqa: F401


class SmsFlowBatch(models.Model):
    """Many records that are put into a step, a part of them at a time."""

    _name = "sms.flow.batch"
    _description = "SMS Flow Batch"
    _order = "id DESC"

    @api.model
    def _run(self):
        """Go on with what is to be done; the scheduled action."""


class SmsFlowBatchLine(models.Model):
    _name = "sms.flow.batch.line"
    _description = "SMS Flow Batch Record"

    batch_id = fields.Many2one("sms.flow.batch", required=True, index=True, ondelete="cascade")
