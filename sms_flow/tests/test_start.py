import json
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user, tagged

from ..wizards import sms_flow_start
from .common import SmsFlowCase


class StartCase(SmsFlowCase):
    def open_wizard(self, records, user=None, **context):
        """The wizard as it opens from a list."""
        Wizard = self.env["sms.flow.start"].with_user(user or self.ola)
        return Form(
            Wizard.with_context(active_model=records._name, active_ids=records.ids, **context)
        )

    def start(self, records, step, user=None, **context):
        """Put records into a step as a person does; returns the action that follows."""
        with self.open_wizard(records, user, **context) as form:
            form.flow_id = step.flow_id
            form.step_id = step
        action = form.record.action_start()
        self.commit()
        return action


@tagged("post_install", "-at_install")
class TestStart(StartCase):
    """Setting the step by hand, of one and of some."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.lead = cls.create_team_lead()

    def test_a_lead_is_put_into_a_step(self):
        """It gets the text and the stage, and the history knows who did it."""
        action = self.start(self.lead, self.sale_step)
        run = self.get_run(self.lead)
        self.assertEqual((run.step_id, run.cause), (self.sale_step, "hand"))
        self.assertEqual(run.entry_id.user_id, self.ola)
        self.assertEqual(self.lead.stage_id, self.sale)
        self.assertEqual(self.get_bodies(self.lead), ["Hi Anna, shall we install it?"])
        self.assertEqual(action["params"]["type"], "success")

    def test_contacts_are_put_into_a_step(self):
        """The flow of contacts is chosen by itself, being the only one."""
        form = self.open_wizard(self.partner, self.salesman)
        self.assertEqual(form.flow_id, self.survey)
        self.start(self.partner, self.questions[0], self.salesman)
        self.assertEqual(self.partner.sms_flow_step_id, self.questions[0])
        self.assertEqual(self.get_bodies(self.partner), ["Question 1?"])

    def test_of_runs_in_two_flows_the_contact_is_meant_once(self):
        other = self.create_flow("Club", model="res.partner", sender_id=self.ola_sender.id)
        member = self.create_step(other, name="Member", body="Welcome!")
        other.flow_enabled = True
        self.enter(self.partner, self.questions[0])
        self.enter(self.partner, member)
        runs = self.get_run(self.partner) + self.get_run(self.partner, other)
        action = self.start(runs, self.questions[1], self.salesman)
        self.assertIn("1 put into Q2", action["params"]["message"])
        self.assertEqual(self.get_bodies(self.partner).count("Question 2?"), 1)

    def test_records_named_twice_are_texted_once(self):
        wizard = self.env["sms.flow.start"].create(
            {
                "res_model": "res.partner",
                "res_ids": json.dumps(self.partner.ids * 2),
                "flow_id": self.survey.id,
                "step_id": self.questions[0].id,
            }
        )
        wizard.action_start()
        self.assertEqual(self.get_bodies(self.partner), ["Question 1?"])

    def test_a_flow_takes_no_records_of_another_kind(self):
        """Whatever a caller says, at once and as a batch."""
        values = {"flow_id": self.flow.id, "step_id": self.sale_step.id}
        wizard = self.env["sms.flow.start"].create(
            {**values, "res_model": "res.partner", "res_ids": json.dumps(self.partner.ids)}
        )
        with self.assertRaisesRegex(UserError, "Heat pumps is for another kind of record"):
            wizard.action_start()
        with self.assertRaisesRegex(UserError, "Heat pumps is for another kind of record"):
            self.env["sms.flow.batch"]._start(self.sale_step, self.env["res.partner"], [])
        self.assertFalse(self.get_texts(self.partner))

    def test_a_run_is_moved_to_another_step(self):
        self.start(self.lead, self.sale_step)
        run = self.get_run(self.lead)
        with self.open_wizard(run) as form:
            self.assertEqual(form.flow_id, self.flow)
            form.step_id = self.confirmed_step
        form.record.action_start()
        self.commit()
        self.assertEqual((run.step_id, run.state), (self.confirmed_step, "done"))
        self.assertEqual(self.lead.stage_id, self.confirmed)

    def test_the_person_sees_beforehand_what_happens(self):
        with self.open_wizard(self.lead) as form:
            self.assertEqual(form.flow_id, self.flow)
            form.step_id = self.sale_step
            self.assertEqual(form.record_names, "Roof")
            self.assertEqual(form.preview, "Hi Anna, shall we install it?")
            self.assertEqual(form.stage_id, self.sale)
            self.assertFalse(form.warning)
        self.start(self.lead, self.sale_step)
        with self.open_wizard(self.lead) as form:
            form.step_id = self.sale_step
            self.assertIn("1 of them stand in this step already", form.warning)

    def test_p10_a_text_that_cannot_go_is_told_at_once(self):
        """The move stands, for so it does where the stage is set; the text is seen to later."""
        self.lead.phone = False
        other = self.create_team_lead(name="Cabin", phone="+4798765432")
        action = self.start(self.lead + other, self.sale_step)
        self.assertEqual(action["params"]["type"], "danger")
        self.assertTrue(action["params"]["sticky"])
        self.assertIn("Roof: There is no number to send to", action["params"]["message"])
        self.assertNotIn("Cabin", action["params"]["message"])
        self.assertEqual(self.get_run(self.lead).step_id, self.sale_step)
        self.assertTrue(self.get_run(self.lead).attention)
        self.assertEqual(len(self.get_texts(other, ["queued"])), 1)

    def test_a_lead_of_another_team_is_refused_with_the_remedy(self):
        elsewhere = self.env["crm.team"].create({"name": "Solar panels"})
        stranger = self.create_lead("Cabin", team_id=elsewhere.id, type="opportunity")
        words = "Cabin belongs to Solar panels. Give it to Heat pumps first"
        with self.assertRaisesRegex(UserError, words):
            self.start(self.lead + stranger, self.sale_step)
        homeless = self.create_lead("Boat", type="opportunity")
        with self.assertRaisesRegex(UserError, "Boat has no sales team. Give it to Heat pumps"):
            self.start(homeless, self.sale_step)
        self.assertFalse(self.get_run(self.lead))

    def test_an_archived_record_is_refused(self):
        self.partner.active = False
        with self.assertRaisesRegex(UserError, "Anna Hansen is archived"):
            self.start(self.partner, self.questions[0], self.salesman)

    def test_a_record_of_another_company_is_refused(self):
        other = self.env["res.company"].create({"name": "Fjord AB"})
        self.salesman.company_ids += other
        self.partner.company_id = other
        with self.assertRaisesRegex(UserError, "Anna Hansen belongs to Fjord AB"):
            self.start(
                self.partner,
                self.questions[0],
                self.salesman,
                allowed_company_ids=[self.company.id, other.id],
            )

    def test_who_may_not_change_a_record_cannot_put_it_into_a_step(self):
        reader = new_test_user(
            self.env, "sms_reader", groups="base.group_user,sms_gateway.group_sms_user"
        )
        with self.assertRaisesRegex(UserError, "You may not change this record"):
            self.start(self.partner, self.questions[0], reader)
        self.assertFalse(self.get_texts(self.partner))

    def test_a_flow_that_is_off_is_refused(self):
        self.flow.flow_enabled = False
        with self.open_wizard(self.lead) as form:
            form.step_id = self.sale_step
            self.assertIn("Heat pumps is switched off", form.problem)
        with self.assertRaisesRegex(UserError, "Heat pumps is switched off"):
            form.record.action_start()

    def test_the_step_must_be_of_the_flow(self):
        wizard = self.env["sms.flow.start"].create(
            {
                "res_model": "crm.lead",
                "res_ids": json.dumps(self.lead.ids),
                "flow_id": self.flow.id,
                "step_id": self.done.id,
            }
        )
        with self.assertRaisesRegex(UserError, "Choose a step of Heat pumps"):
            wizard.action_start()

    def test_nothing_chosen_is_told(self):
        with self.assertRaisesRegex(UserError, "Choose the leads or contacts first"):
            self.open_wizard(self.env["crm.lead"])
        self.start(self.lead, self.sale_step)
        self.start(self.partner, self.questions[0], self.salesman)
        runs = self.get_run(self.lead) + self.get_run(self.partner)
        with self.assertRaisesRegex(UserError, "either leads or contacts"):
            self.open_wizard(runs, self.env.user)

    def test_only_who_texts_has_the_action(self):
        """In lists, boards and forms of leads and contacts."""
        plain = new_test_user(
            self.env, "sms_plain", groups="base.group_user,sales_team.group_sale_salesman"
        )
        for model in ("crm.lead", "res.partner"):
            for user, expected in ((self.ola, True), (plain, False)):
                bindings = self.env["ir.actions.actions"].with_user(user).get_bindings(model)
                found = [
                    action["binding_view_types"]
                    for action in bindings["action"]
                    if action["name"] == "Set SMS step"
                ]
                self.assertEqual(found, ["list,kanban,form"] if expected else [])
        with self.assertRaises(AccessError):
            self.open_wizard(self.lead, plain)


@tagged("post_install", "-at_install")
class TestStartMany(StartCase):
    """More than can be done while a person waits."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.startClassPatcher(patch.object(sms_flow_start, "AT_ONCE", 2))

    def test_more_than_some_become_a_batch(self):
        leads = self.create_customers(3)
        action = self.start(leads, self.sale_step)
        batch = self.env["sms.flow.batch"].browse(action["res_id"])
        self.assertEqual(action["res_model"], "sms.flow.batch")
        self.assertEqual((batch.total, batch.state, batch.user_id), (3, "waiting", self.ola))
        self.assertEqual(batch.line_ids.mapped("res_id"), leads.sorted("id").ids)
        self.assertFalse(self.get_texts(leads), "nothing is sent while the person waits")

    def test_bulk_that_is_not_activated_is_told_before_anything_starts(self):
        self.company.sms_bulk_enabled = False
        leads = self.create_customers(3)
        with self.assertRaisesRegex(UserError, "Bulk SMS is not activated"):
            self.start(leads, self.sale_step)
        self.assertFalse(self.env["sms.flow.batch"].search([("flow_id", "=", self.flow.id)]))
        self.start(leads, self.rejected_step)
        self.assertTrue(
            self.env["sms.flow.batch"].search([("flow_id", "=", self.flow.id)]),
            "a step without a text needs no bulk",
        )

    def test_leads_of_other_teams_are_told_beforehand(self):
        leads = self.create_customers(3)
        leads[0].team_id = False
        with self.open_wizard(leads) as form:
            form.flow_id = self.flow
            form.step_id = self.sale_step
            self.assertIn("1 of them belong to other sales teams", form.warning)
            self.assertFalse(form.problem)

    def test_all_of_a_long_list_are_taken(self):
        """The web client passes on 20,000 ids at most, and the domain."""
        leads = self.create_customers(4)
        self.env["ir.config_parameter"].set_param("web.active_ids_limit", "3")
        domain = [["team_id", "=", self.team.id]]
        with self.open_wizard(leads[:3], active_domain=domain) as form:
            form.flow_id = self.flow
            form.step_id = self.sale_step
            self.assertEqual(form.record_count, 4)
        batch = self.env["sms.flow.batch"].browse(form.record.action_start()["res_id"])
        self.assertEqual(batch.line_ids.mapped("res_id"), leads.sorted("id").ids)

    def test_some_of_a_list_are_not_taken_for_all(self):
        leads = self.create_customers(4)
        domain = [["team_id", "=", self.team.id]]
        with self.open_wizard(leads[:3], active_domain=domain) as form:
            form.flow_id = self.flow
            form.step_id = self.sale_step
            self.assertEqual(form.record_count, 3)

    def test_only_records_that_one_may_read_are_taken(self):
        """A domain that was made up reaches no further than the user does."""
        leads = self.create_customers(4)
        leads[3].user_id = self.kari
        self.env["ir.config_parameter"].set_param("web.active_ids_limit", "3")
        domain = [["team_id", "=", self.team.id]]
        with self.open_wizard(leads[:3], active_domain=domain) as form:
            form.flow_id = self.flow
            form.step_id = self.sale_step
        batch = self.env["sms.flow.batch"].browse(form.record.action_start()["res_id"])
        self.assertEqual(batch.line_ids.mapped("res_id"), leads[:3].sorted("id").ids)
