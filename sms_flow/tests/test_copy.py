from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user, tagged

from .common import SmsFlowCase


@tagged("post_install", "-at_install")
class TestCopy(SmsFlowCase):
    """R054: the set-up of one flow is copied into another."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manager = new_test_user(
            cls.env,
            "sms_boss",
            groups="sms_gateway.group_sms_manager,sales_team.group_sale_manager",
        )
        cls.solar = cls.env["crm.team"].create({"name": "Solar panels"})
        cls.solar_sender = cls._create_sender(
            "Solar", "dedicated", "59445008", inbound_enabled=True
        )
        # a pipeline with stages of its own, one of which is called as in the other
        cls.solar_sale, cls.solar_no = cls.env["crm.stage"].create(
            [
                {"name": name, "team_ids": cls.solar.ids, "sequence": sequence}
                for sequence, name in enumerate((" sale", "No thanks"), 80)
            ]
        )
        cls.confirmed.team_ids += cls.solar
        cls.target = cls.create_flow("Solar", team_id=cls.solar.id, sender_id=cls.solar_sender.id)
        cls.create_reminder(delay=2, prefix="Once more:")

    def copy_setup(self, source=None, target=None, user=None):
        """Copy as a manager does; returns the wizard with the result."""
        Wizard = self.env["sms.flow.copy"].with_user(user or self.manager)
        target = target or self.target
        with Form(Wizard.with_context(default_flow_id=target.id)) as form:
            form.source_id = source or self.flow
        form.record.action_copy()
        self.assertTrue(form.record.is_done)
        return form.record

    def get_step(self, stage):
        return self.target.step_ids.filtered(lambda step: step.stage_id == stage)

    def test_r054_steps_answers_and_reminders_are_copied(self):
        """Stages are found by identity, else by name in the pipeline of the target."""
        wizard = self.copy_setup()
        self.assertEqual(self.target.step_ids.stage_id, self.solar_sale + self.confirmed)
        sale = self.get_step(self.solar_sale)
        self.assertEqual(sale.body, self.sale_step.body)
        self.assertEqual(sale.reply_ids.mapped("keywords"), ["ja, ja takk, ok, yes"])
        self.assertEqual(sale.reply_ids.target_step_id, self.get_step(self.confirmed))
        self.assertEqual(sale.reminder_ids.mapped("prefix"), ["Once more:"])
        self.assertEqual((sale.reminder_ids.delay, sale.reminder_ids.window_end), (2, 21))
        self.assertTrue(self.get_step(self.confirmed).is_final)
        self.assertIn("2 steps, 1 answers, 1 reminders", wizard.summary)
        self.assertEqual(len(self.flow.step_ids), 3, "the source stays as it is")

    def test_r054_missing_stages_are_reported(self):
        """And the answers that lead to them."""
        self.sale_step.expires_step_id = self.rejected_step
        wizard = self.copy_setup()
        self.assertIn("the pipeline of Solar has no stage Rejected", wizard.left_out)
        self.assertIn("the answer “nei”, for it goes to Rejected", wizard.left_out)
        self.assertIn("where it goes without an answer, Rejected", wizard.left_out)
        self.assertEqual(len(wizard.left_out.splitlines()), 3)

    def test_the_way_without_an_answer_is_copied(self):
        self.sale_step.write({"expires_after": 3, "expires_step_id": self.confirmed_step.id})
        self.copy_setup()
        sale = self.get_step(self.solar_sale)
        self.assertEqual(sale.expires_after, 3)
        self.assertEqual(sale.expires_step_id, self.get_step(self.confirmed))

    def test_r054_the_copy_of_a_flow_that_is_on_is_on(self):
        self.copy_setup()
        self.assertTrue(self.target.flow_enabled)

    def test_r054_the_copy_of_a_flow_that_is_off_is_off(self):
        self.flow.flow_enabled = False
        self.copy_setup()
        self.assertFalse(self.target.flow_enabled)

    def test_r054_a_flow_that_cannot_be_on_says_why(self):
        self.target.sender_id = False
        wizard = self.copy_setup()
        self.assertFalse(self.target.flow_enabled)
        self.assertIn("It stays off. Solar: choose a sender", wizard.left_out)
        self.assertEqual(len(self.target.step_ids), 2)

    def test_r009_sms_comes_first(self):
        self.target.sms_enabled = False
        with self.assertRaisesRegex(UserError, "Solar: switch SMS on before"):
            self.copy_setup()
        self.assertFalse(self.target.step_ids)

    def test_r054_templates_are_copied(self):
        values = {"model_id": self.env["ir.model"]._get_id("crm.lead"), "flow_id": self.flow.id}
        self.env["sms.template"].create([{**values, "name": n, "body": n} for n in ("A", "B")])
        self.env["sms.template"].create(
            {**values, "flow_id": self.target.id, "name": "a", "body": "Mine"}
        )
        wizard = self.copy_setup()
        self.assertEqual(self.target.template_ids.mapped("body"), ["Mine", "B"])
        self.assertIn("Template A: it is there already", wizard.left_out)
        self.assertEqual(len(self.flow.template_ids), 2)

    def test_templates_need_a_sender(self):
        """R018."""
        model = self.env["ir.model"]._get_id("crm.lead")
        self.env["sms.template"].create(
            {"name": "A", "body": "A", "model_id": model, "flow_id": self.flow.id}
        )
        self.target.sender_id = False
        wizard = self.copy_setup()
        self.assertFalse(self.target.template_ids)
        self.assertIn("Template A: choose a sender first", wizard.left_out)

    def test_what_is_there_stays(self):
        mine = self.create_step(self.target, stage_id=self.confirmed.id, body="Mine")
        wizard = self.copy_setup()
        self.assertEqual(self.get_step(self.confirmed), mine)
        self.assertEqual(mine.body, "Mine")
        self.assertEqual(self.get_step(self.solar_sale).reply_ids.target_step_id, mine)
        self.assertIn("Step Confirmed: it is there already", wizard.left_out)

    def test_texts_are_copied_in_all_languages(self):
        self.env["res.lang"]._activate_lang("nb_NO")
        self.sale_step.with_context(lang="nb_NO").body = "Hei {{ object.contact_name }}"
        self.sale_step.reminder_ids.with_context(lang="nb_NO").prefix = "Påminnelse:"
        self.copy_setup()
        sale = self.get_step(self.solar_sale)
        norwegian = sale.with_context(lang="nb_NO")
        self.assertEqual(norwegian.body, "Hei {{ object.contact_name }}")
        self.assertEqual(norwegian.reminder_ids.prefix, "Påminnelse:")
        self.assertEqual(sale.body, self.sale_step.body)

    def test_actions_are_copied_by_administrators_only(self):
        """They run code."""
        action = self.create_action("log('Called')")
        self.sale_step.action_ids = action
        wizard = self.copy_setup()
        self.assertFalse(self.get_step(self.solar_sale).sudo().action_ids)
        self.assertIn("The actions of step Sale", wizard.left_out)
        self.target.step_ids.unlink()
        self.copy_setup(user=self.env.ref("base.user_admin"))
        self.assertEqual(self.get_step(self.solar_sale).action_ids, action)

    def test_steps_of_contacts_are_copied_by_their_names(self):
        target = self.create_flow("Other survey", model="res.partner")
        self.create_step(target, name="done", body="Bye")
        self.copy_setup(self.survey, target)
        self.assertEqual(target.step_ids.mapped("name"), ["done", "Q1", "Q2", "Q3"])
        first = target.step_ids.filtered(lambda step: step.name == "Q1")
        self.assertEqual(first.reply_ids.target_step_id.name, "Q2")
        self.assertEqual(first.reply_ids.target_step_id.flow_id, target)

    def test_only_flows_for_the_same_records_are_copied(self):
        wizard = self.env["sms.flow.copy"].create(
            {"flow_id": self.target.id, "source_id": self.survey.id}
        )
        with self.assertRaisesRegex(UserError, "for the same kind of record"):
            wizard.action_copy()
        wizard.source_id = self.target
        with self.assertRaisesRegex(UserError, "Choose another flow"):
            wizard.action_copy()

    def test_only_managers_copy(self):
        with self.assertRaises(AccessError):
            self.copy_setup(user=self.ola)


class TestDuplicate(SmsFlowCase):
    def test_a_duplicate_leads_to_its_own_steps_and_waits_for_a_team(self):
        copied = self.flow.copy()
        self.assertFalse(copied.active)
        self.assertFalse(copied.flow_enabled, "R053")
        self.assertEqual(copied.step_ids.mapped("name"), self.flow.step_ids.mapped("name"))
        targets = copied.step_ids.reply_ids.target_step_id
        self.assertTrue(targets)
        self.assertLessEqual(targets, copied.step_ids)

    def test_a_duplicate_is_called_as_one_asks(self):
        copied = self.survey.copy({"name": "Second survey", "active": False})
        self.assertEqual((copied.name, copied.active), ("Second survey", False))
        self.assertEqual(self.survey.copy().name, "Survey (copy)")

    def test_r009_a_flow_whose_sms_is_off_is_duplicated_with_its_steps(self):
        """R009: only its sender is chosen anew; by whoever may set flows up."""
        self.create_reminder(self.questions[0], delay=2)
        action = self.create_action(model="res.partner")
        self.questions[0].action_ids = action
        self.survey.sms_enabled = False
        manager = new_test_user(self.env, "sms_boss", groups="sms_gateway.group_sms_manager")
        for user, actions in ((manager, action.browse()), (self.env.user, action)):
            with self.subTest(user=user.login):
                copied = self.survey.with_user(user).copy().sudo()
                self.assertFalse(copied.sms_enabled or copied.sender_id)
                steps = copied.step_ids
                self.assertEqual(steps.mapped("body"), self.survey.step_ids.mapped("body"))
                self.assertEqual(steps.reminder_ids.mapped("delay"), [2])
                self.assertEqual(len(steps.reply_ids), 3)
                self.assertEqual(steps.action_ids, actions)

    def test_nobody_gets_round_the_switch_by_pretending_to_copy(self):
        Flow = self.env["sms.flow"].with_context(sms_flow_copying=True)
        with self.refused("switch SMS on before you change Sender"):
            Flow.create({"name": "A", "model": "res.partner", "sender_id": self.team_sender.id})
