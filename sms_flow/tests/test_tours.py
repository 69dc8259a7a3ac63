from contextlib import nullcontext
from unittest.mock import patch

from odoo.tests import HttpCase, new_test_user, tagged

from ..wizards import sms_flow_start
from .common import SmsFlowCase


class ToursCase(SmsFlowCase, HttpCase):
    """A lead of the team, and who works with it."""

    def setUp(self):
        super().setUp()
        self.lead = self.create_team_lead()
        self.lead_url = f"/odoo/crm.lead/{self.lead.id}"
        self.manager = new_test_user(
            self.env,
            "sms_boss",
            groups="sms_gateway.group_sms_manager,sales_team.group_sale_manager,"
            "mail.group_mail_template_editor",
        )

    def create_solar_flow(self, **values):
        """Another team with stages and a number of its own."""
        team = self.env["crm.team"].create({"name": "Solar team"})
        self.env["crm.stage"].search([("team_ids", "=", False)]).team_ids = self.team
        self.env["crm.stage"].create(
            [{"name": name, "team_ids": team.ids} for name in ("Offer", "Order", "Sale")]
        )
        sender = self._create_sender("Solar number", "dedicated", "59445008", inbound_enabled=True)
        return team, sender


@tagged("post_install", "-at_install")
class TestTours(ToursCase):
    """What a person sees and does, in a real browser."""

    def test_r009_r023_r067_r069_a_manager_sets_up_a_flow(self):
        self.create_solar_flow()
        self.start_tour("/odoo", "sms_flow_set_up", login="sms_boss")
        flow = self.env["sms.flow"].search([("name", "=", "Solar panels")])
        self.assertEqual(flow.step_ids.mapped("name"), ["Offer", "Order", "Sale"])
        offer = flow.step_ids[0]
        self.assertEqual(offer.body, "Shall we come on Friday?")
        self.assertEqual(offer.reply_ids.target_step_id.name, "Order")
        self.assertEqual((offer.reminder_ids.delay, offer.reminder_ids.delay_unit), (2, "hours"))

    def test_r054_a_manager_copies_a_set_up(self):
        team, sender = self.create_solar_flow()
        flow = self.create_flow("Solar", team_id=team.id, sender_id=sender.id)
        self.start_tour(f"/odoo/sms-flows/{flow.id}", "sms_flow_copy", login="sms_boss")
        self.assertEqual(flow.step_ids.mapped("name"), ["Sale"])

    def test_a_seller_puts_a_lead_into_a_step_and_stops_it(self):
        self.start_tour(self.lead_url, "sms_flow_lead", login="sms_ola")
        self.assertEqual(self.lead.stage_id, self.sale)
        self.assertEqual(self.get_run(self.lead).end_reason, "hand")

    def test_a_seller_finds_the_leads_of_a_flow(self):
        self.lead.user_id = self.ola
        self.enter(self.lead, self.sale_step)
        self.start_tour("/odoo/crm", "sms_flow_leads", login="sms_ola")
        self.assertEqual(self.lead.stage_id, self.confirmed)

    def test_a_contact_is_put_into_a_step(self):
        url = f"/odoo/res.partner/{self.partner.id}"
        self.start_tour(url, "sms_flow_contact", login="sms_salesman")
        self.assertEqual(self.partner.sms_flow_step_id, self.questions[0])

    def test_what_needs_attention_is_seen_to(self):
        self.lead.phone = False
        self.enter(self.lead, self.sale_step)
        self.start_tour(self.lead_url, "sms_flow_attention", login="sms_ola")
        self.assertEqual(len(self.get_texts(self.lead, ["queued"])), 1)

    def test_what_needs_attention_is_listed(self):
        self.env["sms.flow.run"].search([]).attention = False
        self.lead.phone = False
        self.enter(self.lead, self.sale_step)
        url = "/odoo/action-sms_flow.sms_flow_run_action_attention"
        self.start_tour(url, "sms_flow_attention_list", login="sms_boss")
        self.assertFalse(self.get_run(self.lead).attention)

    def test_r006_r029_the_flow_is_found_at_its_team_and_its_number(self):
        self.enter(self.lead, self.sale_step)
        url = f"/odoo/crm.team/{self.team.id}"
        self.start_tour(url, "sms_flow_team", login="sms_boss")


@tagged("post_install", "-at_install")
class TestBatchTour(ToursCase):
    """Many leads are put into a step, while one looks on."""

    def setUp(self):
        super().setUp()
        self.env["crm.lead"].search([("id", "!=", self.lead.id)]).active = False
        self.startPatcher(patch.object(sms_flow_start, "AT_ONCE", 2))
        (self.lead + self.create_customers(4)).type = "lead"
        self.lead.write({"name": "Mute", "phone": False})

    def test_how_far_it_is_shows_by_itself(self):
        """The scheduled action runs between two looks of the page after *Go on*."""
        states = []
        Batch = self.registry["sms.flow.batch"]
        web_read = Batch.web_read

        def read(batch, *args, **kwargs):
            states.append(batch.state)
            if "paused" in states and states[-2:] == ["waiting", "waiting"]:
                batch.with_env(batch.env(su=True, context={}))._run()
            return web_read(batch, *args, **kwargs)

        lock = patch.object(self.registry["sms.lane"], "_lock", lambda *args: nullcontext(True))
        with lock, patch.object(Batch, "web_read", read):
            url = "/odoo/action-crm.crm_lead_all_leads"
            self.start_tour(url, "sms_flow_batch", login="sms_boss")
        batch = self.env["sms.flow.batch"].search([("flow_id", "=", self.flow.id)])
        self.assertEqual((batch.done_count, batch.failed_count), (4, 1))
