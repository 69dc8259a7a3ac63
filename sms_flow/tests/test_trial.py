from odoo.exceptions import AccessError, UserError
from odoo.tests import HttpCase, tagged
from odoo.tools import SQL

from odoo.addons.sms_gateway.tests.common import CUSTOMER

from .test_picture import SmsFlowPictureCase

#: A morning on the customer's clock, in UTC: half past ten in Oslo.
MORNING = "2026-01-12 09:30:00"
#: What a trial may not leave anything in.
TABLES = [
    "bus_bus",
    "crm_lead",
    "discuss_channel",
    "ir_cron_trigger",
    "mail_mail",
    "mail_message",
    "mail_notification",
    "mail_tracking_value",
    "phone_blacklist",
    "res_partner",
    "sms_flow_entry",
    "sms_flow_run",
    "sms_message",
    "sms_prompt",
    "sms_sms",
]
#: Forms as small as the tours need, whatever the forms of the addon look like.
FORMS = {
    "sms.flow": """
        <form>
            <header><button name="action_try" type="object" string="Try" /></header>
            <sheet><field name="name" /><widget name="sms_flow_picture" /></sheet>
        </form>
    """,
    "sms.flow.run": """
        <form>
            <sheet><field name="flow_id" /><widget name="sms_flow_picture" /></sheet>
        </form>
    """,
    "sms.flow.step": "<form><field name='name' /><field name='body' /></form>",
}
START = {"type": "start", "step_id": False}


class SmsFlowTrialCase(SmsFlowPictureCase):
    def try_flow(self, *script, user=None, record=None, flow=None, started_at=MORNING):
        """Play a script, as the screen has it played; what it left is gone."""
        self.env.flush_all()
        flow = (flow or self.flow).with_user(user or self.manager)
        with self.enter_registry_test_mode():
            return flow.get_trial(list(script), record and record.id, started_at)

    def says(self, trial):
        """The transcript as (kind, step, body or words)."""
        return [
            (line["kind"], line.get("step"), line.get("body") or line["words"])
            for line in trial["transcript"]
        ]


class TestTrial(SmsFlowTrialCase):
    def test_a_sample_customer_gets_the_text_and_answers(self):
        trial = self.try_flow(START, {"type": "reply", "text": "Ja takk!"})
        self.assertEqual(
            self.says(trial),
            [
                ("move", "Sale", "By hand"),
                ("text", "Sale", "Hi Anna Hansen, do you want it?"),
                ("answer", None, "Ja takk!"),
                ("move", "Confirmed", "SMS reply"),
                ("text", "Confirmed", "Text of Confirmed"),
                ("end", None, "Came to the last step"),
            ],
        )
        self.assertEqual(trial["state"], "done")
        self.assertEqual(trial["step"]["id"], self.confirmed.id)
        self.assertIn(f"reply-{self.yes.id}", trial["picture"]["path"]["arrows"])

    def test_the_clock_moves_to_the_reminder_and_to_the_end_of_patience(self):
        trial = self.try_flow(START)
        self.assertEqual(trial["clock"], "2026-01-12 10:30:00")
        self.assertEqual(trial["next"], {"at": "2026-01-12 12:30:00", "kind": "reminder"})
        trial = self.try_flow(START, {"type": "until_due"})
        reminder = trial["transcript"][-1]
        self.assertEqual(
            (reminder["at"], reminder["kind"], reminder["body"]),
            ("2026-01-12 12:30:00", "reminder", "Reminder: Hi Anna Hansen, do you want it?"),
        )
        self.assertEqual(trial["next"], {"at": "2026-01-15 10:30:00", "kind": "expiry"})
        trial = self.try_flow(START, {"type": "until_due"}, {"type": "until_due"})
        self.assertEqual(trial["step"]["id"], self.lost.id)
        self.assertFalse(trial["next"])

    def test_what_falls_due_while_time_goes_by_happens_when_it_does(self):
        trial = self.try_flow(START, {"type": "wait", "minutes": 4 * 24 * 60})
        self.assertEqual(
            [(line["at"], line["kind"]) for line in trial["transcript"][2:4]],
            [("2026-01-12 12:30:00", "reminder"), ("2026-01-15 10:30:00", "move")],
        )
        self.assertEqual(trial["clock"], "2026-01-16 10:30:00")

    def test_a_reminder_waits_for_its_window(self):
        """R072: at 20:59 with two hours, it comes at nine the next morning."""
        trial = self.try_flow(START, {"type": "until_due"}, started_at="2026-01-12 19:59:00")
        self.assertEqual(trial["transcript"][-1]["at"], "2026-01-13 09:00:00")

    def test_a_text_in_the_quiet_hours_says_when_it_leaves(self):
        self.company.write({"sms_quiet_hours": True, "sms_quiet_start": 20, "sms_quiet_end": 8})
        trial = self.try_flow(START, started_at="2026-01-12 20:00:00")
        self.assertIn("08:00", trial["transcript"][-1]["words"])

    def test_an_answer_that_is_none_waits_in_the_inbox(self):
        """R035: and stops the reminders."""
        trial = self.try_flow(START, {"type": "reply", "text": "Okei"})
        answer = trial["transcript"][-1]
        self.assertEqual(answer["kind"], "answer")
        self.assertIn("No answer to the question", answer["words"])
        self.assertFalse(trial["next"])

    def test_an_answer_to_a_step_that_takes_none_waits_in_the_inbox(self):
        """R062"""
        script = [{"type": "start", "step_id": self.paper.id}, {"type": "reply", "text": "ja"}]
        self.assertIn("takes none", self.try_flow(*script)["transcript"][-1]["words"])

    def test_an_opt_out_stops_the_flow(self):
        trial = self.try_flow(START, {"type": "reply", "text": "STOP"})
        self.assertEqual(
            [line["kind"] for line in trial["transcript"][2:]], ["answer", "text", "end"]
        )
        self.assertEqual(trial["transcript"][-1]["words"], "The customer opted out")

    def test_a_text_with_an_empty_field_is_refused(self):
        self.sale.body = "Hi {{ object.referred }}"
        trial = self.try_flow(START)
        self.assertEqual(trial["transcript"][-1]["kind"], "refused")
        self.assertIn("Referred By", trial["transcript"][-1]["words"])

    def test_the_words_that_are_listened_to_are_offered(self):
        answers = self.try_flow(START)["answers"]
        self.assertEqual(
            [(a["words"], a["target"]) for a in answers],
            [("JA", "Confirmed"), ("ja takk", "Confirmed"), ("when", "Which day")],
        )

    def test_a_real_record_goes_on_from_where_it_stands(self):
        lead = self.start(self.sale, name="Roof")
        trial = self.try_flow({"type": "reply", "text": "when"}, record=lead)
        self.assertEqual(trial["customer"], {"name": "Roof", "number": CUSTOMER})
        self.assertEqual(trial["step"]["id"], self.day.id)
        self.assertEqual(lead.sms_flow_step_id, self.sale)
        self.assertEqual(lead.stage_id, self.sale.stage_id)

    def test_a_flow_of_contacts_is_tried_as_well(self):
        flow = self.env["sms.flow"].create(
            {
                "name": "Contacts",
                "model": "res.partner",
                "sms_enabled": True,
                "sender_id": self.ola_sender.id,
                "step_ids": [(0, 0, {"name": "Hello", "body": "Hi {{ object.name }}"})],
            }
        )
        trial = self.try_flow(START, flow=flow)
        self.assertEqual(trial["transcript"][-1]["body"], "Hi Anna Hansen")


class TestTrialIsSafe(SmsFlowTrialCase):
    def count_rows(self):
        self.env.flush_all()
        counts = {}
        for table in TABLES:
            query = SQL("SELECT count(*) FROM %s", SQL.identifier(table))
            counts[table] = self.env.execute_query(query)[0][0]
        return counts

    def test_it_leaves_no_trace(self):
        lead = self.start(self.sale)
        before = self.count_rows()
        script = [START, {"type": "until_due"}, {"type": "reply", "text": "when"}]
        script += [{"type": "reply", "text": "hm"}, {"type": "reply", "text": "STOP"}]
        with self.provider() as provider:
            for record in (None, lead):
                self.assertGreater(len(self.try_flow(*script, record=record)["transcript"]), 5)
            self.assertEqual(self.count_rows(), before)
            self.assertFalse(provider.sent)

    def test_a_flow_that_is_off_is_tried_and_stays_off(self):
        """R053: before it is switched on."""
        self.flow.flow_enabled = False
        self.company.sms_enabled = False
        self.gateway.state = "disabled"
        self.assertEqual(self.try_flow(START)["transcript"][-1]["kind"], "text")
        self.env.invalidate_all()
        self.assertFalse(self.flow.flow_enabled or self.company.sms_enabled)
        self.assertEqual(self.gateway.state, "disabled")

    def test_actions_are_named_and_not_run(self):
        self.sale.action_ids = self.env["ir.actions.server"].create(
            {
                "name": "Call them",
                "model_id": self.env["ir.model"]._get_id("crm.lead"),
                "state": "code",
                "code": "raise UserError('it was run')",
            }
        )
        trial = self.try_flow(START)
        self.assertIn(("action", None, "Would run: Call them"), self.says(trial))
        self.assertNotIn("attention", [line["kind"] for line in trial["transcript"]])

    def test_no_rule_of_others_is_run(self):
        action = self.env["ir.actions.server"].create(
            {
                "name": "Tell the world",
                "model_id": self.env["ir.model"]._get_id("crm.lead"),
                "usage": "base_automation",
                "state": "code",
                "code": "raise UserError('it was run')",
            }
        )
        self.env["base.automation"].create(
            {
                "name": "World",
                "model_id": action.model_id.id,
                "trigger": "on_create_or_write",
                "action_server_ids": [(6, 0, action.ids)],
            }
        )
        with self.assertRaisesRegex(UserError, "it was run"), self.env.cr.savepoint():
            self.create_lead()
        trial = self.try_flow(START, {"type": "reply", "text": "ja"})
        self.assertEqual(trial["state"], "done")

    def test_nothing_of_it_can_be_committed(self):
        self.env.flush_all()
        with (
            self.enter_registry_test_mode(),
            self.assertRaisesRegex(RuntimeError, "only tried"),
            self.flow._open_trial() as flow,
        ):
            flow.env.cr.commit()

    def test_only_who_looks_after_sms_may_try(self):
        self.assertTrue(self.try_flow(START, user=self.manager)["transcript"])
        for try_it in (
            lambda: self.try_flow(START, user=self.ola),
            lambda: self.flow.with_user(self.ola).action_try(),
        ):
            with self.assertRaises(AccessError):
                try_it()

    def test_only_records_that_one_may_read_are_tried(self):
        manager = self.create_seller(
            "sms_own_manager",
            groups="base.group_user,sales_team.group_sale_salesman,sms_gateway.group_sms_manager",
        )
        lead = self.create_lead(team_id=self.team.id, user_id=self.manager.id)
        with self.assertRaises(AccessError):
            self.try_flow(START, user=manager, record=lead)

    def test_a_flow_without_a_sender_says_so(self):
        flow = self.env["sms.flow"].create({"name": "New", "model": "res.partner"})
        with self.assertRaisesRegex(UserError, "choose a sender"):
            self.try_flow(START, flow=flow)


@tagged("post_install", "-at_install")
class TestPictureTours(SmsFlowPictureCase, HttpCase):
    """What a person sees and does, in a real browser."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["ir.ui.view"].create(
            [
                {"name": "picture", "model": model, "type": "form", "priority": 0, "arch": arch}
                for model, arch in FORMS.items()
            ]
        )

    def test_the_picture_is_edited_and_the_flow_is_tried(self):
        self.start(self.sale, name="Roof")
        before = self.env["sms.message"].search_count([])
        self.start_tour(
            f"/odoo/sms.flow/{self.flow.id}", "sms_flow_picture", login="sms_flow_manager"
        )
        self.assertEqual(self.confirmed.body, "Thank you for your order")
        self.assertEqual(self.env["sms.message"].search_count([]), before)

    def test_the_path_of_a_customer_is_seen(self):
        run = self.start(self.sale).sms_flow_run_ids
        self.receive("when", sender=self.team_sender)
        self.env.cr.flush()
        self.start_tour(f"/odoo/sms.flow.run/{run.id}", "sms_flow_path", login="sms_flow_manager")
