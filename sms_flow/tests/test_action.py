from odoo.tests import tagged

from odoo.addons.base.models.ir_actions import ServerActionWithWarningsError

from .common import SmsFlowCase


@tagged("post_install", "-at_install")
class TestAction(SmsFlowCase):
    """Steps run server actions, and server actions set steps."""

    def act(self, step, *actions):
        step.sudo().action_ids = [(4, action.id) for action in actions]

    # === ACTIONS OF A STEP === #

    def test_r064_a_step_makes_a_call_activity(self):
        """R064: Odoo's own "Create activity", for each record."""
        call = self.env.ref("mail.mail_activity_data_call")
        self.act(
            self.sale_step,
            self.create_action(
                state="next_activity",
                activity_type_id=call.id,
                activity_summary="Call the customer",
                activity_user_type="specific",
                activity_user_id=self.ola.id,
            ),
        )
        leads = self.create_customers(3)
        self.set_stage(leads, self.sale)
        self.assertEqual(len(leads.activity_ids), 3)
        self.assertEqual(leads.activity_ids.activity_type_id, call)
        self.assertEqual(leads.activity_ids.user_id, self.ola)

    def test_r064_after_an_answer_too(self):
        self.act(self.confirmed_step, self.create_action("records.write({'priority': '3'})"))
        lead = self.create_team_lead()
        self.set_stage(lead, self.sale)
        self.assertEqual(lead.priority, "0")
        self.reply("ja")
        self.assertEqual(lead.priority, "3")

    def test_p10_an_action_that_fails_stands_on_the_record(self):
        """P10: stage and text go on; what the action had done is undone."""
        self.act(
            self.sale_step,
            self.create_action("record.write({'priority': '3'})\nraise UserError('No such luck')"),
        )
        lead = self.create_team_lead()
        self.set_stage(lead, self.sale)
        self.assertEqual((lead.stage_id, lead.priority), (self.sale, "0"))
        self.assertRegex(self.get_run(lead).attention, "action “Action” failed: .*No such luck")
        self.assertEqual(len(self.send()), 1)

    def test_p10_an_action_that_fails_for_one_does_its_work_for_the_others(self):
        code = """for lead in records:
            if lead.priority == '1':
                raise UserError('Not this one')
            lead.write({'priority': '3'})"""
        self.act(self.sale_step, self.create_action(code))
        leads = self.create_customers(3)
        leads[1].priority = "1"
        self.set_stage(leads, self.sale)
        self.assertEqual(leads.mapped("priority"), ["3", "1", "3"])
        self.assertEqual(
            [bool(self.get_run(lead).attention) for lead in leads], [False, True, False]
        )

    def test_p10_the_next_action_runs_nonetheless(self):
        self.act(
            self.sale_step,
            self.create_action("raise UserError('No such luck')", sequence=1),
            self.create_action("records.write({'priority': '3'})", sequence=2),
        )
        lead = self.create_team_lead()
        self.set_stage(lead, self.sale)
        self.assertEqual(lead.priority, "3")

    def test_a_stage_that_an_action_sets_is_followed(self):
        """Its step sends its text, though it was a rule that brought the record here."""
        self.act(
            self.sale_step, self.create_action(f"record.write({{'stage_id': {self.confirmed.id}}})")
        )
        lead = self.create_team_lead()
        self.set_stage(lead, self.sale)
        run = self.get_run(lead)
        self.assertEqual((lead.stage_id, run.step_id), (self.confirmed, self.confirmed_step))
        self.assertEqual((run.state, run.cause), ("done", "action"))
        self.assertEqual(len(self.send()), 2)

    def test_r063_actions_that_move_back_and_forth_end(self):
        """R063: two steps that send the record to each other."""
        self.rejected_step.write({"is_final": False, "body": "Back!"})
        for step, target in (
            (self.sale_step, self.rejected),
            (self.rejected_step, self.sale),
        ):
            self.act(step, self.create_action(f"record.write({{'stage_id': {target.id}}})"))
        lead = self.create_team_lead()
        self.set_stage(lead, self.sale)
        run = self.get_run(lead)
        self.assertEqual((run.state, run.end_reason), ("stopped", "circle"))
        self.assertIn("again and again", run.attention)
        self.assertLessEqual(len(self.get_texts(lead)), 12)

    def test_r063_steps_of_contacts_that_set_each_other_end(self):
        first, second = self.questions[:2]
        for step, target in ((first, second), (second, first)):
            self.act(
                step,
                self.create_action(
                    model="res.partner", state="sms_flow_step", sms_flow_step_id=target.id
                ),
            )
        self.enter(self.partner, first)
        run = self.get_run(self.partner)
        self.assertEqual((run.state, run.end_reason), ("stopped", "circle"))
        self.assertLessEqual(len(self.get_texts(self.partner)), 12)

    def test_who_may_not_run_actions_causes_them_nonetheless(self):
        """They are the flow's, chosen by an administrator."""
        self.act(self.sale_step, self.create_action("records.write({'priority': '3'})"))
        lead = self.create_team_lead(user_id=self.ola.id)
        self.set_stage(lead.with_user(self.ola), self.sale)
        self.assertEqual(lead.priority, "3")

    # === ACTIONS THAT SET A STEP === #

    def create_step_action(self, step, model="crm.lead"):
        return self.create_action(model=model, state="sms_flow_step", sms_flow_step_id=step.id)

    def run_action(self, action, records):
        action.with_context(
            active_model=records._name, active_ids=records.ids, active_id=records[:1].id
        ).run()
        self.commit()

    def test_an_action_brings_contacts_to_a_step(self):
        action = self.create_step_action(self.questions[0], "res.partner")
        self.assertEqual(action._generate_action_name(), "Set SMS flow step: Q1")
        self.assertFalse(action.warning)
        self.run_action(action, self.partner)
        run = self.get_run(self.partner)
        self.assertEqual((run.step_id, run.cause), (self.questions[0], "action"))
        self.assertEqual(self.send(), ["Question 1?"])

    def test_an_action_brings_a_lead_to_a_step_and_so_to_its_stage(self):
        lead = self.create_team_lead()
        self.run_action(self.create_step_action(self.sale_step), lead)
        self.assertEqual(lead.stage_id, self.sale)
        self.assertEqual(len(self.get_texts(lead)), 1)

    def test_an_action_moves_no_lead_that_is_not_the_flows(self):
        """Of another team, of another company, archived: each says why; the others are moved."""
        team = self.env["crm.team"].create({"name": "Others"})
        company = self.env["res.company"].create({"name": "Second"})
        ours, other_team, other_company, archived = leads = self.create_customers(4)
        other_team.team_id = team
        self.team.company_id = False
        other_company.company_id = company
        archived.active = False
        self.commit()
        self.run_action(self.create_step_action(self.sale_step), leads)
        self.assertEqual(ours.stage_id, self.sale)
        self.assertEqual(leads.filtered(lambda lead: lead.stage_id == self.sale), ours)
        self.assertEqual(self.get_texts(leads).mapped("res_id"), ours.ids)
        for lead, words in (
            (other_team, "belongs to Others"),
            (other_company, "belongs to Second"),
            (archived, "is archived"),
        ):
            with self.subTest(words):
                note = self.get_notes(lead)[0]
                self.assertIn("It was not put into Sale of Heat pumps.", note)
                self.assertIn(words, note)
                self.assertFalse(self.get_run(lead))

    def test_an_action_of_a_flow_that_is_off_says_nothing_of_strangers(self):
        lead = self.create_team_lead(team_id=self.env["crm.team"].create({"name": "Others"}).id)
        self.flow.flow_enabled = False
        notes = self.get_notes(lead)
        self.run_action(self.create_step_action(self.sale_step), lead)
        self.assertEqual(self.get_notes(lead), notes)

    def test_asked_twice_in_one_transaction_it_goes_there_once(self):
        action = self.create_step_action(self.questions[0], "res.partner")
        context = {"active_model": "res.partner", "active_ids": self.partner.ids}
        for _time in range(2):
            action.with_context(**context, active_id=self.partner.id).run()
        self.commit()
        self.assertEqual(len(self.get_texts(self.partner)), 1)

    def test_an_action_of_the_stage_and_the_stage_itself_send_one_text(self):
        """A rule of somebody's sets the very step that the stage has."""
        self.create_rule(
            self.sale,
            "",
            action_server_ids=[
                (
                    0,
                    0,
                    {
                        "name": "Sale",
                        "model_id": self.env["ir.model"]._get_id("crm.lead"),
                        "state": "sms_flow_step",
                        "sms_flow_step_id": self.sale_step.id,
                    },
                )
            ],
        )
        lead = self.create_team_lead()
        self.set_stage(lead, self.sale)
        self.assertEqual(len(self.get_texts(lead)), 1)
        self.set_stage(lead, self.talk)
        self.enter(lead, self.sale_step)
        self.assertEqual(len(self.get_texts(lead)), 2)

    def test_without_a_step_it_is_that_of_the_stage(self):
        action = self.env.ref("sms_flow.ir_actions_server_follow_stage")
        lead = self.create_team_lead()
        lead.with_context(sms_flow_entering=False).write({"stage_id": self.talk.id})
        self.run_action(action, lead)
        self.assertFalse(self.get_run(lead))

    def test_contacts_have_no_stage_to_follow(self):
        action = self.create_action(model="res.partner", state="sms_flow_step")
        self.assertIn("Choose the step", action.warning)
        with self.assertRaises(ServerActionWithWarningsError):
            self.run_action(action, self.partner)
        self.assertFalse(self.get_run(self.partner))

    def test_other_records_are_in_no_flow(self):
        action = self.create_action(model="res.users", state="sms_flow_step")
        self.assertIn("Only leads and contacts", action.warning)
        with self.assertRaises(ServerActionWithWarningsError):
            self.run_action(action, self.ola)

    def test_p10_it_stops_no_business(self):
        """P10: whatever goes wrong in the flow, what the action belongs to is done."""
        self.patch(type(self.env["sms.flow.run"]), "_find_or_create", lambda *args: 1 / 0)
        action = self.create_step_action(self.questions[0], "res.partner")
        self.partner.comment = "Written along"
        with self.assertLogs("odoo.addons.sms_flow.models.sms_flow_transition", "ERROR"):
            self.run_action(action, self.partner)
        self.env.invalidate_all()
        self.assertIn("Written along", self.partner.comment)
