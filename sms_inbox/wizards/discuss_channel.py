from odoo import api, fields, models

from .sms_message import format_age


class DiscussChannel(models.Model):
    _inherit = "discuss.channel"

    sms_waiting_time = fields.Char("Waiting", compute="_compute_sms_waiting_time")

    @api.depends("sms_waiting_since")
    @api.depends_context("lang")
    def _compute_sms_waiting_time(self):
        for channel in self:
            channel.sms_waiting_time = format_age(self.env, channel.sms_waiting_since)
