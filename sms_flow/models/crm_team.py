from odoo import fields, models


class CrmTeam(models.Model):
    _inherit = "crm.team"

    sms_flow_ids = fields.One2many(
        "sms.flow", "team_id", "SMS flows", groups="sms_gateway.group_sms_user"
    )

    def action_view_sms_flow(self):
        """Open the team's SMS flow; where there is none, the form of a new one."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("sms_flow.sms_flow_action")
        flow = self.sms_flow_ids.filtered(lambda f: f.company_id == self.env.company)[:1]
        context = {"default_team_id": self.id, "default_name": self.name}
        return {
            **action,
            "res_id": flow.id,
            "views": [(False, "form")],
            "view_mode": "form",
            "context": context,
        }
