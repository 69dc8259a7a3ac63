"""What does not happen while a flow is tried, though the real engine is at work.

Whether it is a trial stands at its cursor (``TRIAL``): no caller can pretend one, and none of what
is called can forget it.
"""

from odoo import models
from odoo.tools import SQL

from .sms_flow_trial import TRIAL


class BaseAutomation(models.Model):
    _inherit = "base.automation"

    def _get_actions(self, records, triggers):
        """Override of `base_automation`: no rule is run, for it might send something."""
        if TRIAL in self.env.cr.cache:
            return self.browse()
        return super()._get_actions(records, triggers)


class CrmLead(models.Model):
    _inherit = "crm.lead"

    def _sms_flow_set_step(self, step, notes):
        """Override: only the stage is another, for the texts that tell it; nobody is told."""
        if TRIAL not in self.env.cr.cache:
            return super()._sms_flow_set_step(step, notes)
        self._sms_flow_write_step(step.id)
        self.flush_recordset(["stage_id"])
        self.env.execute_query(
            SQL(
                "UPDATE crm_lead SET stage_id = %s WHERE id = ANY(%s) RETURNING id",
                step.stage_id.id,
                self.ids,
            )
        )
        self.invalidate_recordset(["stage_id"], flush=False)


class SmsFlowRun(models.Model):
    _inherit = "sms.flow.run"

    def _run_actions(self, step):
        """Override: the actions are named instead."""
        if TRIAL not in self.env.cr.cache:
            return super()._run_actions(step)
        self.env.cr.cache[TRIAL] += [
            self.env._("Would run: %s", action.name) for action in step.sudo().action_ids
        ]


class SmsMessage(models.Model):
    _inherit = "sms.message"

    def _route_to_records(self):
        """Override of `sms_inbox`: whose it is was chosen, no lead is made."""
        if TRIAL not in self.env.cr.cache:
            return super()._route_to_records()

    def _file(self):
        """Override of `sms_inbox`: nobody is shown the text, in the chatter, a conversation or on
        his telephone."""
        if TRIAL not in self.env.cr.cache:
            return super()._file()
