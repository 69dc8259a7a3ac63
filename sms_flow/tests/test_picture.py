from odoo.exceptions import AccessError, UserError

from odoo.addons.sms_inbox.tests.common import SELLER_GROUPS, SmsInboxCase


class SmsFlowPictureCase(SmsInboxCase):
    """A flow of leads: a sale that is confirmed, refused, asked about again, or given up."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        names = ["Sale", "Confirmed", "Which day", "Lost", "Paper"]
        cls.stages = cls.env["crm.stage"].create(
            [
                {"name": name, "sequence": n, "team_ids": [(6, 0, cls.team.ids)]}
                for n, name in enumerate(names)
            ]
        )
        cls.flow = cls.env["sms.flow"].create(
            {
                "name": "Heat pumps",
                "team_id": cls.team.id,
                "sms_enabled": True,
                "sender_id": cls.team_sender.id,
                "inbound_enabled": True,
                "step_ids": [
                    (0, 0, {"stage_id": stage.id, "sequence": n, "body": f"Text of {stage.name}"})
                    for n, stage in enumerate(cls.stages)
                ],
            }
        )
        cls.sale, cls.confirmed, cls.day, cls.lost, cls.paper = cls.flow.step_ids
        cls.sale.body = "Hi {{ object.contact_name }}, do you want it?"
        cls.sale.write({"expires_after": 3, "expires_step_id": cls.lost.id})
        cls.sale.reminder_ids = [(0, 0, {"delay": 2, "delay_unit": "hours"})]
        cls.confirmed.is_final = cls.lost.is_final = True
        cls.yes, cls.ask, cls.again = cls.env["sms.flow.reply"].create(
            [
                {"step_id": step.id, "keywords": words, "target_step_id": target.id}
                for step, words, target in [
                    (cls.sale, "JA, ja takk", cls.confirmed),
                    (cls.sale, "when", cls.day),
                    (cls.day, "back", cls.sale),
                ]
            ]
        )
        cls.flow.flow_enabled = True
        cls.manager = cls.create_seller(
            "sms_flow_manager",
            groups="base.group_user,sales_team.group_sale_manager,sms_gateway.group_sms_manager,"
            "mail.group_mail_template_editor",
        )
        cls.env.flush_all()

    def start(self, step, **values):
        """A new lead comes to a step."""
        lead = self.create_lead(
            team_id=self.team.id, type="opportunity", contact_name="Anna", **values
        )
        self.env["sms.flow.transition"]._enter(lead, step, "hand")
        return lead

    def get_picture(self, user=None, run=None):
        """The picture, its steps by name and its arrows by words."""
        flow = self.flow.with_user(user or self.manager)
        picture = flow.get_picture(run and run.id)
        picture["steps"] = {step["name"]: step for step in picture["steps"]}
        picture["arrows"] = {arrow["words"]: arrow for arrow in picture["arrows"]}
        return picture


class TestPicture(SmsFlowPictureCase):
    def test_boxes_show_the_step(self):
        sale = self.get_picture()["steps"]["Sale"]
        self.assertEqual(sale["text"], "Hi …, do you want it?")
        self.assertEqual(sale["reminders"], ["2 hours"])
        self.assertEqual(sale["expires"], "3 days")
        self.sale.expires_after = 1
        self.assertEqual(self.get_picture()["steps"]["Sale"]["expires"], "1 day")
        self.assertFalse(sale["is_final"])
        self.assertFalse(sale["stage"], "it has the same name")

    def test_long_texts_are_cut_between_words(self):
        self.sale.body = "word " * 60
        text = self.get_picture()["steps"]["Sale"]["text"]
        self.assertLessEqual(len(text), 90)
        self.assertTrue(text.endswith("word …"))

    def test_arrows_are_answers_and_the_end_of_patience(self):
        arrows = self.get_picture()["arrows"]
        self.assertEqual(
            {words: (a["kind"], a["source"], a["target"]) for words, a in arrows.items()},
            {
                "JA, ja takk": ("reply", self.sale.id, self.confirmed.id),
                "when": ("reply", self.sale.id, self.day.id),
                "back": ("reply", self.day.id, self.sale.id),
                "3 days": ("expiry", self.sale.id, self.lost.id),
            },
        )

    def test_an_action_that_moves_on_is_an_arrow(self):
        action = self.env["ir.actions.server"].create(
            {
                "name": "On",
                "model_id": self.env["ir.model"]._get_id("crm.lead"),
                "state": "sms_flow_step",
                "sms_flow_step_id": self.confirmed.id,
            }
        )
        self.paper.action_ids = action
        (arrow,) = [a for a in self.get_picture()["arrows"].values() if a["kind"] == "action"]
        self.assertEqual((arrow["source"], arrow["target"]), (self.paper.id, self.confirmed.id))
        self.assertFalse(self.get_picture()["steps"]["Paper"]["is_dead_end"])

    def test_dead_ends_loops_and_steps_that_nothing_leads_to_are_marked(self):
        steps = self.get_picture()["steps"]
        marks = {
            mark: {name for name, step in steps.items() if step[mark]}
            for mark in ("is_dead_end", "is_in_loop", "is_unreachable")
        }
        self.assertEqual(
            marks,
            {
                "is_dead_end": {"Paper"},
                "is_in_loop": {"Sale", "Which day"},
                "is_unreachable": {"Paper"},
            },
        )

    def test_counts_are_of_records_that_stand_there(self):
        self.start(self.sale)
        self.start(self.sale, phone=False)
        self.start(self.lost)
        steps = self.get_picture()["steps"]
        self.assertEqual((steps["Sale"]["count"], steps["Sale"]["attention"]), (2, 1))
        self.assertEqual(steps["Lost"]["count"], 0, "who is through is counted no more")

    def test_counts_are_of_records_that_the_user_may_read(self):
        seller = self.create_seller(
            "sms_own_leads",
            groups="base.group_user,sales_team.group_sale_salesman,sms_gateway.group_sms_user",
        )
        self.start(self.sale, user_id=self.manager.id)
        self.assertEqual(self.get_picture(seller)["steps"]["Sale"]["count"], 0)
        self.assertEqual(self.get_picture()["steps"]["Sale"]["count"], 1)

    def test_only_who_may_change_the_flow_edits(self):
        self.assertTrue(self.get_picture()["can_edit"])
        self.assertFalse(self.get_picture(self.ola)["can_edit"])

    def test_flows_of_other_companies_are_not_shown(self):
        company = self.env["res.company"].create({"name": "Elsewhere"})
        stranger = self.create_seller(
            "sms_stranger",
            groups=SELLER_GROUPS,
            company_id=company.id,
            company_ids=[(6, 0, company.ids)],
        )
        with self.assertRaises(AccessError):
            self.get_picture(stranger)


class TestPath(SmsFlowPictureCase):
    def test_the_path_is_where_the_record_has_been(self):
        run = self.start(self.sale).sms_flow_run_ids
        self.receive("when", sender=self.team_sender)
        self.env.cr.flush()
        path = self.get_picture(run=run)["path"]
        self.assertEqual(path["current"], self.day.id)
        self.assertEqual({*path["steps"]}, {self.sale.id, self.day.id})
        self.assertEqual({*path["arrows"]}, {f"reply-{self.ask.id}"})

    def test_the_end_of_patience_is_on_the_path(self):
        run = self.start(self.sale).sms_flow_run_ids
        run._give_up(self.sale)
        self.assertEqual({*self.get_picture(run=run)["path"]["arrows"]}, {f"expiry-{self.sale.id}"})

    def test_a_move_by_hand_is_an_arrow_of_its_own(self):
        lead = self.start(self.sale)
        self.env["sms.flow.transition"]._enter(lead, self.paper, "hand")
        picture = self.get_picture(run=lead.sms_flow_run_ids)
        jump = picture["arrows"]["By hand"]
        self.assertEqual((jump["source"], jump["target"]), (self.sale.id, self.paper.id))
        self.assertEqual({*picture["path"]["arrows"]}, {jump["id"]})
        self.assertTrue(picture["steps"]["Paper"]["is_unreachable"], "the flow is the same")

    def test_the_path_of_a_record_of_another_flow_is_refused(self):
        run = self.start(self.sale).sms_flow_run_ids
        other = self.env["sms.flow"].create({"name": "Others", "model": "res.partner"})
        with self.assertRaises(UserError):
            other.get_picture(run.id)

    def test_the_path_is_shown_to_who_may_read_the_record(self):
        run = self.start(self.sale, user_id=self.manager.id).sms_flow_run_ids
        with self.assertRaises(AccessError):
            self.get_picture(self.outsider, run)
