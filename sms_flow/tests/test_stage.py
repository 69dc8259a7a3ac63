from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from odoo.addons.sms_gateway.tests.common import CUSTOMER

from .common import SmsFlowCase

ASK = "Hi Anna, shall we install it?"


@tagged("post_install", "-at_install")
class TestStage(SmsFlowCase):
    """Setting a stage sends its text: once, whoever sets it and however."""

    # === ONE TEXT === #

    def test_r050_setting_a_stage_sends_its_text_once(self):
        """R050, R055."""
        lead = self.create_team_lead()
        self.commit()
        self.assertFalse(self.get_texts(lead), "the stage it was created in has no step")
        self.set_stage(lead, self.sale)
        self.assertEqual(self.get_bodies(lead), [ASK])
        self.assertEqual(self.send(), [ASK])
        self.assertFalse(self.send())
        run = self.get_run(lead)
        self.assertEqual((run.state, run.step_id, run.cause), ("active", self.sale_step, "stage"))
        self.assertEqual(run.entry_id.message_id, self.get_texts(lead))
        self.assertEqual(lead.sms_flow_step_id, self.sale_step)

    def test_r050_the_text_stands_in_the_chatter_and_in_the_ledger(self):
        lead = self.create_team_lead()
        self.set_stage(lead, self.sale)
        text = self.get_texts(lead)
        self.assertEqual((text.origin, text.flow_id), ("flow", self.flow))
        self.assertEqual((text.sender_id, text.number), (self.team_sender, CUSTOMER))
        self.assertEqual(text.flow_step_id, self.sale_step)
        self.assertEqual(text.mail_message_id.res_id, lead.id)
        self.assertIn(ASK, self.get_notes(lead))

    def test_r050_saving_the_same_stage_again_sends_nothing(self):
        lead = self.create_team_lead()
        self.set_stage(lead, self.sale)
        entered = self.get_run(lead).entry_id
        self.set_stage(lead, self.sale)
        lead.write({"stage_id": self.sale.id, "name": "Another name"})
        self.commit()
        self.assertEqual(len(self.get_texts(lead)), 1)
        self.assertEqual(self.get_run(lead).entry_id, entered)

    def test_r050_saving_the_last_stage_again_sends_nothing(self):
        lead = self.create_team_lead()
        self.set_stage(lead, self.confirmed)
        self.set_stage(lead, self.confirmed)
        lead.stage_id = self.talk
        self.set_stage(lead, self.confirmed)  # there and back before anything was saved
        self.assertEqual(len(self.get_texts(lead)), 1)

    def test_r050_many_at_once_get_one_text_each(self):
        leads = self.create_customers(12)
        self.set_stage(leads, self.sale)
        self.assertEqual(len(self.send()), 12)
        self.assertEqual(len(set(self.get_texts(leads).mapped("number"))), 12)
        self.assertEqual(self.get_texts(leads).mapped("state"), ["sent"] * 12)

    def test_r050_many_at_once_of_whom_some_are_there_already(self):
        leads = self.create_customers(4)
        self.set_stage(leads[:2], self.sale)
        self.set_stage(leads, self.sale)
        self.assertEqual(len(self.get_texts(leads)), 4)

    def test_r050_one_by_one_in_a_loop(self):
        leads = self.create_customers(3)
        for lead in leads:
            lead.stage_id = self.sale
        self.commit()
        self.assertEqual(len(self.get_texts(leads)), 3)

    def test_r050_a_new_lead_in_the_stage(self):
        lead = self.create_team_lead(stage_id=self.sale.id)
        self.commit()
        self.assertEqual(self.get_bodies(lead), [ASK])

    def test_r050_an_imported_lead(self):
        columns = ["name", "type", "contact_name", "phone", "team_id/.id", "stage_id/.id"]
        rows = [
            [f"Import {n}", "opportunity", "Anna", f"+479130000{n}", str(self.team.id),
             str(self.sale.id)]
            for n in range(3)
        ]  # fmt: skip
        result = self.env["crm.lead"].load(columns, rows)
        self.commit()
        leads = self.env["crm.lead"].browse(result["ids"])
        self.assertEqual(self.get_bodies(leads), [ASK] * 3)
        self.assertEqual(len(self.send()), 3)

    def test_r050_an_import_that_sets_the_stage_and_one_that_repeats_it(self):
        lead = self.create_team_lead()
        for _time in range(2):
            result = self.env["crm.lead"].load(
                [".id", "stage_id/.id"], [[str(lead.id), str(self.sale.id)]]
            )
            self.assertEqual(result["ids"], lead.ids)
            self.commit()
        self.assertEqual(self.get_bodies(lead), [ASK])

    def test_r050_another_user_sets_it(self):
        """One without any right to texts."""
        seller = new_test_user(
            self.env, "flow_seller", groups="sales_team.group_sale_salesman_all_leads"
        )
        lead = self.create_team_lead()
        self.set_stage(lead.with_user(seller), self.sale)
        self.assertEqual(self.get_bodies(lead), [ASK])
        self.assertEqual(self.get_run(lead).entry_id.user_id, seller)
        self.assertEqual(self.get_texts(lead).user_id, seller)

    def test_r050_another_rule_sets_it(self):
        self.create_rule(self.talk, f"record.write({{'stage_id': {self.sale.id}}})")
        lead = self.create_team_lead()
        self.commit()
        self.assertEqual(lead.stage_id, self.sale)
        self.assertEqual(self.get_bodies(lead), [ASK])

    def test_r050_another_rule_sets_the_next_stage_after_an_answer(self):
        """What a rule makes of a stage that the flow itself set is followed, too."""
        self.create_rule(self.confirmed, f"record.write({{'stage_id': {self.rejected.id}}})")
        self.rejected_step.body = "A pity."
        lead = self.create_team_lead()
        self.set_stage(lead, self.sale)
        self.send()
        self.reply("ja")
        self.assertEqual(lead.stage_id, self.rejected)
        self.assertEqual(self.get_run(lead).step_id, self.rejected_step)
        self.assertEqual(self.get_bodies(lead)[-1], "A pity.")

    def test_there_and_back_in_one_transaction_is_where_it_was(self):
        lead = self.create_team_lead()
        self.set_stage(lead, self.sale)
        lead.stage_id = self.confirmed
        lead.stage_id = self.sale
        self.commit()
        self.assertEqual(len(self.get_texts(lead)), 1)

    def test_there_and_back_in_three_transactions_is_three_texts(self):
        lead = self.create_team_lead()
        for stage in (self.sale, self.confirmed, self.sale):
            self.set_stage(lead, stage)
        self.assertEqual(self.get_bodies(lead), [ASK, self.confirmed_step.body, ASK])

    def test_what_counts_is_the_last_stage_of_the_transaction(self):
        lead = self.create_team_lead()
        lead.stage_id = self.sale
        lead.stage_id = self.confirmed
        self.commit()
        self.assertEqual(self.get_bodies(lead), [self.confirmed_step.body])

    def test_a_stage_it_comes_back_to_sends_again(self):
        lead = self.create_team_lead()
        for stage in (self.confirmed, self.talk, self.confirmed):
            self.set_stage(lead, stage)
        self.assertEqual(self.get_bodies(lead), [self.confirmed_step.body] * 2)

    def test_p1_a_transaction_that_is_rolled_back_sends_nothing(self):
        """P1: nor does the next one send what was meant in it."""
        lead = self.create_team_lead()
        savepoint = self.env.cr.savepoint()
        lead.stage_id = self.sale
        savepoint.rollback()
        savepoint.close(rollback=False)
        self.commit()
        self.assertEqual(lead.stage_id, self.talk)
        self.assertFalse(self.get_texts(lead))
        self.assertFalse(self.send())

    def test_defaults_of_the_screen_are_none_of_the_flow(self):
        """A stage set from a screen whose defaults have the names of our fields."""
        lead = self.create_team_lead().with_context(
            default_state="done",
            default_number="+4790000000",
            default_cause="batch",
            default_user_id=self.ola.id,
            default_res_id=1,
            default_sender_id=self.text_sender.id,
        )
        self.set_stage(lead, self.sale)
        run = self.get_run(lead)
        self.assertEqual((run.state, run.number, run.cause), ("active", CUSTOMER, "stage"))
        self.assertEqual(self.get_texts(lead).sender_id, self.team_sender)
        prompt = self.env["sms.prompt"].search([("number", "=", CUSTOMER)])
        self.assertEqual((prompt.state, prompt.res_id), ("open", run.id))

    # === WHICH STAGES === #

    def test_r051_a_step_stands_for_a_stage_of_the_teams_pipeline(self):
        other_team = self.env["crm.team"].create({"name": "Others"})
        elsewhere = self.env["crm.stage"].create({"name": "X", "team_ids": other_team.ids})
        self.assertNotIn(elsewhere, self.sale_step.available_stage_ids)
        with self.refused("X is no stage of Heat pumps"):
            self.rejected_step.stage_id = elsewhere
        added = self.env["crm.stage"].create({"name": "New", "team_ids": self.team.ids})
        self.assertIn(added, self.create_step(stage_id=added.id).available_stage_ids)

    def test_r006_a_step_of_leads_needs_a_stage(self):
        """R006."""
        with self.refused("choose a stage"):
            self.create_step(name="Nowhere")

    def test_r006_each_missing_stage_becomes_a_step(self):
        self.flow.action_add_stages()
        self.assertIn(self.talk, self.flow.step_ids.stage_id)
        self.assertEqual(len(self.flow.step_ids.stage_id), len(self.flow.step_ids))
        self.assertFalse(self.flow.step_ids.filtered(lambda s: s.stage_id == self.talk).body)

    def test_r056_a_step_without_a_text_sends_none(self):
        lead = self.create_team_lead()
        self.set_stage(lead, self.rejected)
        self.assertFalse(self.get_texts(lead))
        self.assertEqual(self.get_run(lead).state, "done")

    def test_a_stage_without_a_step_ends_it(self):
        """R074."""
        lead = self.create_team_lead()
        self.set_stage(lead, self.sale)
        self.set_stage(lead, self.talk)
        run = self.get_run(lead)
        self.assertEqual((run.state, run.end_reason), ("stopped", "left"))
        self.assertFalse(lead.sms_flow_step_id)
        self.assertFalse(run._find_open_questions())

    def test_who_is_through_and_goes_elsewhere_stands_in_no_step(self):
        lead = self.create_team_lead()
        self.set_stage(lead, self.confirmed)
        self.assertEqual(lead.sms_flow_step_id, self.confirmed_step)
        self.set_stage(lead, self.talk)
        self.assertFalse(lead.sms_flow_step_id)
        self.assertEqual(self.get_run(lead).state, "done")

    def test_a_last_step_asks_nothing(self):
        self.create_reply(self.confirmed_step, "again", self.sale_step)
        lead = self.create_team_lead()
        self.set_stage(lead, self.confirmed)
        run = self.get_run(lead)
        self.assertEqual((run.state, run.end_reason), ("done", "done"))
        self.assertFalse(run._find_open_questions())
        self.assertFalse(run.next_reminder_at)

    # === TEAMS AND COMPANIES === #

    def test_a_lead_without_a_team_follows_nothing(self):
        lead = self.create_team_lead(team_id=False)
        self.set_stage(lead, self.sale)
        self.assertFalse(self.get_texts(lead))
        self.assertFalse(self.get_run(lead))

    def test_a_lead_of_a_team_without_a_flow(self):
        lead = self.create_team_lead(team_id=self.env["crm.team"].create({"name": "Others"}).id)
        self.set_stage(lead, self.sale)
        self.assertFalse(self.get_texts(lead))

    def test_a_lead_that_goes_to_another_team_leaves_the_flow(self):
        lead = self.create_team_lead()
        self.set_stage(lead, self.sale)
        lead.team_id = self.env["crm.team"].create({"name": "Others"})
        self.commit()
        run = self.get_run(lead)
        self.assertEqual((run.state, run.end_reason), ("stopped", "moved"))
        self.assertFalse(lead.sms_flow_step_id)

    def test_a_lead_whose_team_follows_from_its_new_seller_leaves_the_flow(self):
        """Odoo computes the team then: nobody writes it."""
        lead = self.create_team_lead()
        self.set_stage(lead, self.sale)
        others = self.env["crm.team"].create(
            {"name": "Others", "member_ids": self.outsider.ids, "sequence": -1}
        )
        self.sale.team_ids += others
        lead.user_id = self.outsider
        self.commit()
        self.assertEqual((lead.team_id, lead.stage_id), (others, self.sale))
        self.assertEqual(self.get_run(lead).end_reason, "moved")

    def test_a_lead_that_goes_to_another_company_leaves_the_flow(self):
        """Also where Odoo computes the company, from the new seller: nobody writes it."""
        company = self.env["res.company"].create({"name": "Second"})
        self.team.company_id = False
        seller = new_test_user(
            self.env,
            "second_seller",
            groups="sales_team.group_sale_salesman",
            company_id=company.id,
            company_ids=[Command.set(company.ids)],
        )
        self.team.member_ids += seller
        both = self.env(context={"allowed_company_ids": [self.company.id, company.id]})
        leads = self.create_customers(2, company_id=self.company.id).with_env(both)
        self.set_stage(leads, self.sale)
        leads[0].company_id = company
        leads[1].user_id = seller
        self.commit()
        self.assertEqual((leads[1].team_id, leads.company_id), (self.team, company))
        for lead in leads:
            self.assertEqual(self.get_run(lead).end_reason, "moved")
            self.assertFalse(lead.sms_flow_step_id)

    def test_r005_two_teams_have_flows_of_their_own(self):
        """R005: what is changed in one is not in the other; a stage of both sends each its own."""
        team = self.env["crm.team"].create({"name": "Others"})
        self.sale.team_ids += team
        other = self.create_flow("Others", team_id=team.id, sender_id=self.ola_sender.id)
        self.create_step(other, stage_id=self.sale.id, body="Another text")
        other.flow_enabled = True
        leads = self.create_customers(2)
        leads[1].team_id = team
        self.set_stage(leads, self.sale)
        self.assertEqual(self.get_bodies(leads[1]), ["Another text"])
        self.assertEqual(self.get_texts(leads[1]).sender_id, self.ola_sender)
        self.assertEqual(self.get_texts(leads[0]).sender_id, self.team_sender)
        other.sms_enabled = False
        self.assertTrue(self.flow.is_running)

    def test_two_companies_with_one_team(self):
        """A team of no company; the lead's company decides."""
        company = self.env["res.company"].create({"name": "Second", "sms_enabled": True})
        gateway = self.gateway.copy({"name": "Second", "company_id": company.id})
        gateway.state = "enabled"
        sender = self.env["sms.sender"].create(
            {
                "name": "Second",
                "kind": "dedicated",
                "address": "59445099",
                "gateway_id": gateway.id,
                "company_id": company.id,
                "state": "approved",
                "inbound_enabled": True,
            }
        )
        self.team.company_id = False
        other = self.create_flow(
            "Second", team_id=self.team.id, company_id=company.id, sender_id=sender.id
        )
        self.create_step(other, stage_id=self.sale.id, body="From the second company")
        other.flow_enabled = True
        ours, theirs = self.create_customers(2)
        theirs.company_id = company
        self.set_stage(ours + theirs, self.sale)
        self.assertEqual(self.get_bodies(theirs), ["From the second company"])
        self.assertEqual(self.get_texts(theirs).company_id, company)
        self.assertEqual(self.get_texts(ours).company_id, self.company)

    # === WHAT CANNOT BE SENT === #

    def assert_refused(self, lead, words):
        """The stage stands, the text does not go, and both are to be seen (P10)."""
        self.assertEqual(lead.stage_id, self.sale)
        run = self.get_run(lead)
        self.assertEqual(run.step_id, self.sale_step)
        self.assertRegex(run.attention or "", words)
        self.assertTrue(run.attention_at)
        self.assertEqual(lead.sms_flow_attention, run.attention)
        text = self.get_texts(lead)
        self.assertIn(text.state, ("failed", "cancelled"))
        self.assertIn(text.mail_message_id, lead.message_ids)
        self.assertFalse(run._find_open_questions(), "nothing was asked")
        self.assertFalse(run.next_reminder_at)
        self.assertFalse(self.send())

    def test_p10_a_missing_number_does_not_stop_the_stage(self):
        """P10."""
        self.create_reminder()
        lead = self.create_team_lead(phone=False)
        self.set_stage(lead, self.sale)
        self.assert_refused(lead, "no number")

    def test_p10_a_wrong_number_does_not_stop_the_stage(self):
        lead = self.create_team_lead(phone="12")
        self.set_stage(lead, self.sale)
        self.assert_refused(lead, "12")

    def test_r056_an_empty_merge_field_does_not_stop_the_stage(self):
        """R056, R025."""
        lead = self.create_team_lead(contact_name=False)
        self.set_stage(lead, self.sale)
        self.assert_refused(lead, "Contact Name")

    def test_p10_an_unknown_merge_field_does_not_stop_the_stage(self):
        self.sale_step.body = "Hi {{ object.no_such_field }}"
        lead = self.create_team_lead()
        self.set_stage(lead, self.sale)
        self.assert_refused(lead, "no_such_field")

    def test_p6_who_opted_out_gets_nothing(self):
        """P6."""
        self.env["phone.blacklist"]._add([CUSTOMER])
        lead = self.create_team_lead()
        self.set_stage(lead, self.sale)
        self.assert_refused(lead, "opted out")
        self.assertEqual(self.get_texts(lead).state, "cancelled")

    def test_p10_of_many_the_others_get_their_texts(self):
        leads = self.create_customers(4)
        leads[1].phone = False
        leads[2].contact_name = False
        self.set_stage(leads, self.sale)
        self.assertEqual(len(self.send()), 2)
        self.assertEqual([bool(self.get_run(lead).attention) for lead in leads],
                         [False, True, True, False])  # fmt: skip

    def test_p10_an_error_of_ours_does_not_stop_the_stage(self):
        """Whatever goes wrong: the stage is set, and the run says why it did not move."""
        leads = self.create_customers(3)
        Run = type(self.env["sms.flow.run"])
        original = Run._begin_stay

        def fail(runs, step, cause):
            if leads[1].id in runs.mapped("res_id"):
                raise ValueError("Out of order")
            return original(runs, step, cause)

        self.patch(Run, "_begin_stay", fail)
        with self.assertLogs("odoo.addons.sms_flow.models.sms_flow_transition", "WARNING"):
            self.set_stage(leads, self.sale)
        self.assertEqual(leads.stage_id, self.sale)
        self.assertEqual([len(self.get_texts(lead)) for lead in leads], [1, 0, 1])
        self.assertIn("Out of order", self.get_run(leads[1]).attention)
        self.assertEqual(self.get_run(leads[1]).state, "stopped")

    def test_what_was_seen_to_is_sent_again(self):
        lead = self.create_team_lead(phone=False)
        self.create_reminder()
        self.set_stage(lead, self.sale)
        run = self.get_run(lead)
        lead.phone = CUSTOMER
        run.action_retry()
        self.assertFalse(run.attention)
        self.assertEqual(self.send(), [ASK])
        self.assertTrue(run._find_open_questions())
        self.assertTrue(run.next_reminder_at)
        self.assertEqual(run.number, CUSTOMER)

    def test_the_text_of_a_last_step_is_sent_again(self):
        lead = self.create_team_lead(phone=False)
        self.set_stage(lead, self.confirmed)
        run = self.get_run(lead)
        self.assertTrue(run.attention)
        lead.phone = CUSTOMER
        run.action_retry()
        self.assertFalse(run.attention)
        self.assertEqual(self.send(), [self.confirmed_step.body])
        self.assertEqual(run.state, "done")

    def test_what_still_cannot_be_sent_still_needs_attention(self):
        lead = self.create_team_lead(phone=False)
        self.set_stage(lead, self.sale)
        run = self.get_run(lead)
        run.action_retry()
        self.assertTrue(run.attention)
        self.assertEqual(len(self.get_texts(lead)), 2, "each try stands in the ledger")

    def test_who_needs_no_attention_gets_no_second_text(self):
        lead = self.create_team_lead()
        self.set_stage(lead, self.sale)
        self.get_run(lead).action_retry()
        self.assertEqual(len(self.get_texts(lead)), 1)

    def test_what_the_provider_refuses_needs_attention_and_is_not_followed(self):
        self.create_reminder()
        lead = self.create_team_lead()
        self.set_stage(lead, self.sale)
        run = self.get_run(lead)
        self.assertTrue(run.next_reminder_at)
        with self.provider() as provider:
            provider.answers[CUSTOMER] = {"outcome": "failed", "reason": "No such subscriber"}
            self.run_lanes()
        self.assertIn("No such subscriber", run.attention)
        self.assertFalse(run.next_reminder_at)

    def test_dismissed_it_waits_on(self):
        """Somebody saw to it: what was planned for the step counts again."""
        self.create_reminder()
        self.sale_step.sudo().action_ids = self.create_action("raise UserError('Broken')")
        lead = self.create_team_lead()
        self.set_stage(lead, self.sale)
        run = self.get_run(lead)
        self.assertIn("Broken", run.attention)
        run.action_dismiss()
        self.assertFalse(run.attention)
        self.assertTrue(run.next_reminder_at)

    # === COST === #

    def test_p12_many_leads_cost_far_less_than_each_by_itself(self):
        """P12: 100 leads come to a step with far fewer queries than leads."""
        leads = self.create_customers(100)
        self.commit()
        self.env.invalidate_all()
        leads.write({"stage_id": self.sale.id})
        with self.assertQueryCount(default=400):
            self.commit()
        self.assertEqual(len(self.get_texts(leads)), 100)

    def test_p12_without_flows_a_stage_costs_nothing(self):
        """P12: the rule is in every database, and asks nothing of one that has no flow."""
        self.env["sms.flow"].search([]).unlink()
        leads = self.create_customers(2)
        self.commit()
        rule = self.env.ref("sms_flow.base_automation_follow_stage")
        counts = []
        for lead, active in zip(leads, (False, True), strict=True):
            rule.active = active
            self.commit()
            counts.append(self.count_queries(lead))
        self.assertLessEqual(counts[1], counts[0] + 2)

    def count_queries(self, lead):
        """Queries of a stage that is set, after one that has filled the caches."""
        self.set_stage(lead, self.talk)
        self.env.invalidate_all()
        before = self.cr.sql_log_count
        self.set_stage(lead, self.sale)
        return self.cr.sql_log_count - before
