from psycopg2 import IntegrityError

from odoo.exceptions import UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .common import SmsFlowCase


@tagged("post_install", "-at_install")
class TestSwitches(SmsFlowCase):
    """The switches of a flow build on one another, and all of them are off at first."""

    def create_bare_flow(self, **values):
        return self.env["sms.flow"].create({"name": "New", "model": "res.partner", **values})

    # === THE ORDER === #

    def test_r008_a_new_flow_has_no_sms(self):
        """R008, R053, R010: nothing is on that was not switched on."""
        flow = self.create_bare_flow()
        self.assertFalse(flow.sms_enabled)
        self.assertFalse(flow.flow_enabled)
        self.assertFalse(flow.inbound_enabled)
        self.assertFalse(flow.is_running)

    def test_r009_before_sms_nothing_else_can_be_set(self):
        """R009."""
        flow = self.create_bare_flow()
        for values in (
            {"sender_id": self.sender.id},
            {"inbound_enabled": True},
            {"flow_enabled": True},
            {"step_ids": [(0, 0, {"name": "Step"})]},
            {"template_ids": [(0, 0, {"name": "T", "body": "Hi"})]},
        ):
            with self.subTest(values=values):
                with self.refused("switch SMS on before you change"):
                    flow.write(values)
                with self.refused("switch SMS on before you change"):
                    self.create_bare_flow(**values)

    def test_r009_what_is_no_sms_setting_can(self):
        flow = self.create_bare_flow()
        flow.write({"name": "Other", "tz": "Europe/Oslo", "color": 3})
        flow.write({"sms_enabled": True, "sender_id": self.sender.id, "inbound_enabled": True})
        self.assertTrue(flow.inbound_enabled, "and together with the switch all can")

    def test_r007_the_flow_needs_sms(self):
        """R007."""
        flow = self.create_bare_flow()
        with self.refused("switch SMS on before you change Flow"):
            flow.flow_enabled = True
        flow.write({"sms_enabled": True, "sender_id": self.sender.id, "flow_enabled": True})
        self.assertTrue(flow.is_running)

    def test_r076_sms_of_the_flow_needs_that_of_the_company(self):
        """R076."""
        self.company.sms_enabled = False
        with self.refused("SMS is switched off"):
            self.create_bare_flow(sms_enabled=True)

    def test_r076_flow_and_answers_need_a_sender(self):
        flow = self.create_bare_flow(sms_enabled=True)
        for switch in ("flow_enabled", "inbound_enabled"):
            with self.subTest(switch=switch):
                with self.refused("choose a sender"):
                    flow[switch] = True

    def test_r076_answers_need_a_number_that_receives(self):
        """R011: in either order."""
        flow = self.create_bare_flow(sms_enabled=True, sender_id=self.text_sender.id)
        with self.refused("cannot receive answers"):
            flow.inbound_enabled = True
        deaf = self._create_sender("Deaf", "dedicated", "59445010")
        flow.sender_id = deaf
        with self.refused("does not receive answers"):
            flow.inbound_enabled = True
        flow.write({"sender_id": self.sender.id, "inbound_enabled": True})
        with self.refused("cannot receive answers"):
            flow.sender_id = self.text_sender

    def test_r012_a_sender_that_may_not_be_used(self):
        """R012: not approved, or of another company."""
        draft = self._create_sender("Draft", "dedicated", "59445011", state="draft")
        flow = self.create_bare_flow(sms_enabled=True)
        with self.refused("not approved"):
            flow.sender_id = draft
        company = self.env["res.company"].create({"name": "Second", "sms_enabled": True})
        with self.assertRaises(UserError):
            self.create_bare_flow(sms_enabled=True, company_id=company.id, sender_id=self.sender.id)

    def test_r010_a_flow_may_only_send(self):
        """R010: with a name as its sender; nobody is asked anything."""
        self.flow.inbound_enabled = False
        self.flow.sender_id = self.text_sender
        lead = self.create_team_lead()
        self.set_stage(lead, self.sale)
        self.assertEqual(len(self.send()), 1)
        self.assertFalse(self.get_run(lead)._find_open_questions())

    # === OFF === #

    def test_r076_sms_off_switches_off_what_builds_on_it(self):
        """R076: what was set up stays."""
        self.flow.sms_enabled = False
        self.assertFalse(self.flow.flow_enabled)
        self.assertFalse(self.flow.inbound_enabled)
        self.assertEqual(self.flow.sender_id, self.team_sender)
        self.assertEqual(len(self.flow.step_ids), 3)

    def test_r077_without_its_sender_a_flow_is_off(self):
        """R077: the number is free then."""
        self.flow.sender_id = False
        self.assertFalse(self.flow.flow_enabled)
        self.assertFalse(self.flow.inbound_enabled)
        self.assertFalse(self.team_sender.flow_ids)

    def assert_sends_nothing(self):
        lead = self.create_team_lead()
        self.set_stage(lead, self.sale)
        self.assertEqual(lead.stage_id, self.sale)
        self.assertFalse(self.get_texts(lead))
        self.assertFalse(self.get_run(lead))
        self.assertFalse(self.send())

    def test_r053_a_stage_sends_nothing_until_the_flow_is_on(self):
        """R053."""
        self.flow.flow_enabled = False
        self.assert_sends_nothing()
        self.flow.flow_enabled = True
        lead = self.create_team_lead()
        self.set_stage(lead, self.sale)
        self.assertEqual(len(self.send()), 1)

    def test_r076_nor_while_sms_is_off(self):
        self.flow.sms_enabled = False
        self.assert_sends_nothing()

    def test_r076_nor_while_sms_of_the_company_is_off(self):
        self.company.sms_enabled = False
        self.assertFalse(self.flow.is_running)
        self.assert_sends_nothing()

    def test_r076_nor_once_the_flow_is_archived(self):
        self.flow.active = False
        self.assert_sends_nothing()

    def test_off_it_takes_no_new_text_and_none_that_waits(self):
        """Texts of steps that wait for the end of the quiet hours do not go either."""
        self.company.write({"sms_quiet_hours": True, "sms_quiet_start": 20, "sms_quiet_end": 8})
        lead = self.create_team_lead()
        with self.at("2040-01-10 22:00:00"):
            self.set_stage(lead, self.sale)
            self.assertEqual(self.send(), [])
            self.flow.action_switch_off()
        self.company.sms_quiet_hours = False
        self.assertEqual(self.send(), [])

    def test_the_rule_of_stages_is_off_by_hand_it_goes(self):
        """Decision of the administrator, in Automation Rules: stages send nothing any more."""
        self.env.ref("sms_flow.base_automation_follow_stage").active = False
        lead = self.create_team_lead()
        self.set_stage(lead, self.sale)
        self.assertFalse(self.get_run(lead))
        self.enter(lead, self.sale_step)
        self.assertEqual(len(self.send()), 1)
        self.reply("ja")
        self.assertEqual(lead.stage_id, self.confirmed, "and answers still move it")

    # === WHAT IS SET UP === #

    def test_r009_before_sms_no_step_is_set_up_one_by_one_either(self):
        """R009: neither a step, nor an answer, nor a reminder."""
        reminder = self.create_reminder()
        self.flow.sms_enabled = False
        self.env.flush_all()
        env = self.env(user=self.create_manager())
        step, answer = self.sale_step.with_env(env), self.yes.with_env(env)
        values = {"step_id": step.id, "keywords": "si", "target_step_id": self.confirmed_step.id}
        for what, attempt in {
            "a new step": lambda: env["sms.flow.step"].create(
                {"flow_id": self.flow.id, "stage_id": self.talk.id}
            ),
            "a step": lambda: step.write({"body": "Hi"}),
            "a new answer": lambda: env["sms.flow.reply"].create(values),
            "an answer": lambda: answer.write({"keywords": "si"}),
            "a new reminder": lambda: env["sms.flow.reminder"].create({"step_id": step.id}),
            "a reminder": lambda: reminder.with_env(env).write({"delay": 3}),
        }.items():
            with self.subTest(what), self.refused("Heat pumps: switch SMS on before you change"):
                attempt()

    def test_r009_with_the_switch_steps_can_be_set_up(self):
        self.flow.sms_enabled = False
        flow = self.flow.with_user(self.create_manager())
        flow.write({"sms_enabled": True, "step_ids": [(0, 0, {"stage_id": self.talk.id})]})
        self.assertIn(self.talk, self.flow.step_ids.stage_id)
        flow.step_ids[:1].reminder_ids = [(0, 0, {"delay": 3})]

    def create_manager(self):
        return new_test_user(
            self.env,
            "setting_up",
            groups="sms_gateway.group_sms_manager,sales_team.group_sale_manager",
        )

    def test_what_a_flow_is_for_stays_while_records_are_in_it(self):
        team = self.env["crm.team"].create({"name": "Others"})
        company = self.env["res.company"].create({"name": "Second"})
        (self.sale + self.confirmed + self.rejected).team_ids += team
        lead = self.create_team_lead()
        self.enter(lead, self.sale_step)
        for values, label in (
            ({"team_id": team.id}, "Sales team"),
            ({"company_id": company.id}, "Company"),
            ({"model": "res.partner", "team_id": False}, "For, Sales team"),
        ):
            with self.subTest(label), self.refused(f"Heat pumps: .*{label} cannot.*Stop them"):
                self.flow.write(values)
        self.flow.write({"team_id": self.team.id, "company_id": self.company.id, "name": "Pumps"})
        self.get_run(lead).action_stop()
        self.flow.team_id = team
        self.assertEqual(self.flow.team_id, team)

    def test_r051_steps_stay_in_the_pipeline_of_the_team(self):
        """R051: the flow goes to another team with its steps, or not at all."""
        team = self.env["crm.team"].create({"name": "Others"})
        with self.refused("Sale is no stage of Heat pumps"):
            self.flow.team_id = team
        with self.refused("choose a stage"):
            self.survey.write({"model": "crm.lead", "team_id": team.id})

    def test_a_team_with_a_flow_is_not_deleted(self):
        team = self.env["crm.team"].create({"name": "Others"})
        flow = self.create_flow("Others", team_id=team.id, sender_id=self.ola_sender.id)
        self.env.flush_all()
        with (
            self.assertRaises(IntegrityError),
            mute_logger("odoo.sql_db"),
            self.env.cr.savepoint(),
        ):
            team.unlink()
        flow.unlink()
        team.unlink()
        self.assertFalse(team.exists())

    # === THE NUMBER === #

    def test_r077_a_flow_sends_with_a_number_that_is_assigned(self):
        """R077: what waits in an old number's name is refused."""
        text = self.create_text(sender_id=self.sender.id, origin="flow", lane="normal")
        self.assertEqual((text.state, text.failure_type), ("error", "sms_sender"))
        self.assertIn("assigned to no SMS flow", text.message_id.failure_reason)
        self.assertEqual(self.create_text(sender_id=self.sender.id).state, "outgoing")

    def test_one_flow_for_a_team(self):
        with self.assertRaisesRegex(Exception, "sms_flow_team_uniq"):
            self.create_flow("Again", team_id=self.team.id)

    def test_r006_the_teams_form_leads_to_its_flow(self):
        """R006."""
        action = self.team.action_view_sms_flow()
        self.assertEqual(action["res_id"], self.flow.id)
        team = self.env["crm.team"].create({"name": "Others"})
        action = team.action_view_sms_flow()
        self.assertFalse(action["res_id"])
        self.assertEqual(action["context"]["default_team_id"], team.id)

    # === WHO MAY === #

    def test_r005_only_managers_set_a_flow_up(self):
        """R005: everybody reads it, sellers do not change it."""
        flow = self.flow.with_user(self.ola)
        self.assertEqual(flow.name, "Heat pumps")
        with self.assertRaises(UserError):
            flow.flow_enabled = False
        manager = new_test_user(
            self.env,
            "flow_manager",
            groups="sms_gateway.group_sms_manager,sales_team.group_sale_manager",
        )
        self.flow.with_user(manager).flow_enabled = False
        self.assertFalse(self.flow.is_running)

    def test_a_record_is_moved_by_who_may_change_it(self):
        lead = self.create_team_lead(user_id=self.kari.id)
        self.set_stage(lead, self.sale)
        run = self.get_run(lead)
        with self.assertRaises(UserError):
            run.with_user(self.outsider).action_stop()
        self.assertEqual(run.state, "active")
        run.with_user(self.kari).action_stop()
        self.assertEqual(run.state, "stopped")
