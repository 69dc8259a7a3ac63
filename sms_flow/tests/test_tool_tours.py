from odoo.tests import HttpCase, tagged

from .test_tool import SmsToolCase


@tagged("post_install", "-at_install")
class TestToolTours(SmsToolCase, HttpCase):
    """What people see and do, in a real browser."""

    def setUp(self):
        super().setUp()
        self.env["sms.tool"].search([]).active = False
        self.lead.user_id = self.ola
        self.url = f"/odoo/crm.lead/{self.lead.id}"

    def make_tool(self, **values):
        body = "Hi $contact-firstname$, our offer on $lead-name$ is on its way"
        return self.create_tool(**{"body": body, "icon": "fa-truck", **values})

    def test_r159_an_administrator_makes_a_tool_and_a_salesman_presses_it(self):
        """R159, R160, R171: from the empty form to the text in the chatter."""
        self.start_tour("/odoo", "sms_tool_make", login="admin")
        tool = self.env["sms.tool"].search([])
        self.assertEqual((tool.icon, tool.model), ("fa-truck", "crm.lead"))
        self.start_tour(self.url, "sms_tool_press", login="sms_ola")
        with self.provider() as provider:
            self.run_lanes("chat")
        self.assertEqual(provider.bodies, ["Hi Anna, our offer on Roof is on its way"])

    def test_r162_a_record_that_does_not_match_has_no_button(self):
        self.make_tool(visible_domain="[('expected_revenue', '>', 9000)]")
        self.start_tour(self.url, "sms_tool_none", login="sms_ola")

    def test_r160_from_the_list(self):
        self.make_tool()
        nobody = self.create_lead("Nobody", user_id=self.ola.id)
        others = self.env["crm.lead"].search([("id", "not in", [self.lead.id, nobody.id])])
        others.active = False
        (self.lead | nobody).type = "lead"
        self.start_tour("/odoo/action-crm.crm_lead_all_leads", "sms_tool_list", login="sms_ola")
        self.assertEqual(self.find_texts(self.lead | nobody).mapped("res_id"), self.lead.ids)

    def test_r158_an_automation_rule_with_the_tool(self):
        """R158: chosen in the rule's form; the rule then texts by itself."""
        tool = self.make_tool()
        rule = self.env["base.automation"].create(
            {
                "name": "Text on a change",
                "model_id": tool.model_id.id,
                "trigger": "on_create_or_write",
                "trigger_field_ids": [
                    (4, self.env["ir.model.fields"]._get("crm.lead", "expected_revenue").id)
                ],
            }
        )
        url = f"/odoo/base.automation/{rule.id}"
        self.start_tour(url, "sms_tool_automation", login="admin")
        self.assertEqual(rule.action_server_ids.sms_tool_id, tool)
        self.lead.with_user(self.ola).expected_revenue = 7000
        self.assertEqual(self.find_texts().body, "Hi Anna, our offer on Roof is on its way")
