from odoo import models


class BaseAutomation(models.Model):
    _inherit = "base.automation"  # pylint: disable=consider-merging-classes-inherited

    def _get_actions(self, records, triggers):
        """Override of `base_automation`: without a flow nothing follows the stages (P12).

        The rule is in every database; it would cost each change of a stage a dozen queries.
        """
        rules = super()._get_actions(records, triggers)
        if records._name != "crm.lead" or self.env["sms.flow"]._is_any():
            return rules
        follow_id = self.env["ir.model.data"]._xmlid_to_res_id(
            "sms_flow.base_automation_follow_stage"
        )
        return rules.filtered(lambda rule: rule.id != follow_id)
