from odoo.tests import tagged

from .common import OTHER_CUSTOMER, SmsFlowCase


@tagged("post_install", "-at_install")
class TestContact(SmsFlowCase):
    """Contacts go through flows with steps of their own; also through several at once."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other_sender = cls._create_sender("Club", "dedicated", "59445004", inbound_enabled=True)
        cls.club = cls.create_flow("Club", model="res.partner", sender_id=cls.other_sender.id)
        cls.invitation = cls.create_step(cls.club, name="Invitation", body="Will you join?")
        cls.member = cls.create_step(cls.club, name="Member", body="Welcome!", is_final=True)
        cls.create_reply(cls.invitation, "yes", cls.member)
        cls.club.flow_enabled = True
        cls.stranger = cls.env["res.partner"].create({"name": "Per", "phone": OTHER_CUSTOMER})

    def test_a_contact_comes_to_a_step(self):
        """R049: by hand, with its text."""
        self.enter(self.partner, self.questions[0])
        self.assertEqual(self.send(), ["Question 1?"])
        run = self.get_run(self.partner)
        self.assertEqual((run.state, run.cause), ("active", "hand"))
        self.assertEqual(self.partner.sms_flow_step_id, self.questions[0])
        self.assertEqual(self.get_texts(self.partner).partner_id, self.partner)

    def test_r060_the_chatter_says_what_moved_it(self):
        """R060."""
        self.enter(self.partner, self.questions[0])
        self.reply("1", sender=self.survey_sender)
        self.assertIn("Survey: Q2. Set by SMS reply: “1”", self.get_notes(self.partner))

    def test_many_come_to_a_step_together(self):
        self.enter(self.partner | self.stranger, self.questions[0])
        self.assertEqual(self.send(), ["Question 1?"] * 2)
        self.reply("1", number=OTHER_CUSTOMER, sender=self.survey_sender)
        self.assertEqual(self.get_run(self.stranger).step_id, self.questions[1])
        self.assertEqual(self.get_run(self.partner).step_id, self.questions[0])

    def test_two_flows_at_once_each_with_its_number(self):
        self.enter(self.partner, self.questions[0])
        self.enter(self.partner, self.invitation)
        self.assertEqual(len(self.partner.sms_flow_run_ids), 2)
        self.reply("yes", sender=self.other_sender)
        self.assertEqual(self.get_run(self.partner, self.club).step_id, self.member)
        self.assertEqual(self.get_run(self.partner).step_id, self.questions[0])
        self.reply("1", sender=self.survey_sender)
        self.assertEqual(self.get_run(self.partner).step_id, self.questions[1])

    def test_two_flows_at_once_of_which_the_later_ends(self):
        """The step of the other one shows again."""
        self.enter(self.partner, self.questions[0])
        self.enter(self.partner, self.invitation)
        self.assertEqual(self.partner.sms_flow_step_id, self.invitation)
        self.get_run(self.partner, self.club).action_stop()
        self.assertEqual(self.partner.sms_flow_step_id, self.questions[0])
        self.get_run(self.partner).action_stop()
        self.assertFalse(self.partner.sms_flow_step_id)

    def test_two_flows_at_once_and_an_opt_out(self):
        """P6: of both."""
        self.enter(self.partner, self.questions[0])
        self.enter(self.partner, self.invitation)
        self.reply("STOP", sender=self.other_sender)
        self.assertEqual(self.partner.sms_flow_run_ids.mapped("end_reason"), ["opt_out", "opt_out"])

    def test_a_flow_that_is_off_takes_nobody(self):
        """R053."""
        self.survey.flow_enabled = False
        self.enter(self.partner, self.questions[0])
        self.assertFalse(self.get_run(self.partner))
        self.assertFalse(self.send())

    def test_started_anew_after_the_end(self):
        self.enter(self.partner, self.done)
        self.assertEqual(self.get_run(self.partner).state, "done")
        self.enter(self.partner, self.questions[0])
        run = self.get_run(self.partner)
        self.assertEqual((len(run), run.state, len(run.entry_ids)), (1, "active", 2))
        self.assertFalse(run.ended_at)

    def test_a_number_that_two_contacts_share_is_ambiguous(self):
        """Both were asked: nobody knows who answers."""
        twin = self.env["res.partner"].create({"name": "Twin", "phone": self.partner.phone})
        self.enter(self.partner | twin, self.questions[0])
        message = self.reply("1", sender=self.survey_sender)
        self.assertEqual((message.inbox_state, message.inbox_reason), ("todo", "ambiguous"))
        self.assertEqual(self.get_run(twin).step_id, self.questions[0])

    def test_contacts_have_no_stages(self):
        with self.refused("for contacts"):
            self.survey.team_id = self.env["crm.team"].create({"name": "Others"})

    def merge(self, *partners):
        """As the wizard does; the last one stays."""
        ids = [partner.id for partner in partners]
        self.env["base.partner.merge.automatic.wizard"]._merge(ids, partners[-1])
        self.commit()
        self.env.invalidate_all()

    def test_merged_contacts_are_in_the_flow_once(self):
        self.create_reminder(self.questions[0], delay=2)
        twin = self.env["res.partner"].create({"name": "Twin", "phone": self.partner.phone})
        with self.at("2040-01-10 11:00:00"):
            self.enter(self.partner | twin, self.questions[0])
            self.send()
        self.merge(twin, self.partner)
        self.assertEqual(self.tick("2040-01-10 16:00:00"), ["Reminder: Question 1?"])
        with self.at("2040-01-10 17:00:00"):
            self.reply("1", sender=self.survey_sender)
        self.assertEqual(self.get_run(self.partner).step_id, self.questions[1])

    def test_a_run_comes_along_with_the_contact_that_is_merged(self):
        twin = self.env["res.partner"].create({"name": "Twin", "phone": self.partner.phone})
        self.enter(twin, self.questions[0])
        run = self.get_run(twin)
        self.merge(twin, self.partner)
        self.assertEqual((run.res_id, run.state), (self.partner.id, "active"))
        self.assertEqual(self.partner.sms_flow_step_id, self.questions[0])
        self.reply("1", sender=self.survey_sender)
        self.assertEqual(run.step_id, self.questions[1])

    def test_a_run_that_goes_on_comes_before_one_that_is_over(self):
        """Whoever stays after a merge: what the customer was asked last is still waited for."""
        twin = self.env["res.partner"].create({"name": "Twin", "phone": self.partner.phone})
        self.enter(self.partner, self.done)
        self.enter(twin, self.questions[0])
        over, run = self.get_run(self.partner), self.get_run(twin)
        self.assertEqual(over.state, "done")
        self.merge(twin, self.partner)
        self.assertFalse(over.exists())
        self.assertEqual((run.res_id, run.state), (self.partner.id, "active"))
        self.assertEqual(run.entry_ids.step_id, self.questions[0])
        self.assertEqual(self.partner.sms_flow_step_id, self.questions[0])
        self.reply("1", sender=self.survey_sender)
        self.assertEqual(run.step_id, self.questions[1])

    def test_a_run_that_is_over_does_not_replace_one_that_goes_on(self):
        twin = self.env["res.partner"].create({"name": "Twin", "phone": self.partner.phone})
        self.enter(twin, self.done)
        self.enter(self.partner, self.questions[0])
        run = self.get_run(self.partner)
        self.merge(twin, self.partner)
        self.assertEqual((run.res_id, run.state), (self.partner.id, "active"))
        self.assertEqual(self.get_run(self.partner), run)

    def test_a_contact_that_goes_to_another_company_leaves_the_flow(self):
        self.enter(self.stranger, self.questions[0])
        self.stranger.company_id = self.company
        self.assertEqual(self.get_run(self.stranger).state, "active")
        self.stranger.company_id = self.env["res.company"].create({"name": "Second"})
        run = self.get_run(self.stranger)
        self.assertEqual((run.state, run.end_reason), ("stopped", "moved"))
        self.assertFalse(self.stranger.sms_flow_step_id)
        self.assertFalse(self.send())

    def test_a_deleted_contact_is_in_no_flow(self):
        self.enter(self.stranger, self.questions[0])
        run = self.get_run(self.stranger)
        self.stranger.unlink()
        self.assertFalse(run.exists())
        self.assertFalse(self.send())

    def test_lead_and_contact_of_one_customer_do_not_mix(self):
        """R037: each flow has its number, so each answer is certain."""
        lead = self.create_team_lead(partner_id=self.partner.id)
        self.set_stage(lead, self.sale)
        self.enter(self.partner, self.questions[0])
        self.reply("ja")
        self.assertEqual(lead.stage_id, self.confirmed)
        self.assertEqual(self.get_run(self.partner).step_id, self.questions[0])
