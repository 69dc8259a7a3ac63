from odoo.tests import Form, tagged

from .common import SmsFlowCase


@tagged("post_install", "-at_install")
class TestTemplate(SmsFlowCase):
    """Texts that a person sends: the templates of the record's flow, from the flow's number."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.general = cls.create_template("General", False)
        cls.ours = cls.create_template("Ours", cls.flow, body="Hi {{ object.contact_name }}!")
        other_team = cls.env["crm.team"].create({"name": "Others"})
        cls.other = cls.create_flow("Others", team_id=other_team.id, sender_id=cls.ola_sender.id)
        cls.theirs = cls.create_template("Theirs", cls.other)
        cls.of_contacts = cls.create_template("Survey", cls.survey, model="res.partner")

    @classmethod
    def create_template(cls, name, flow, model="crm.lead", body="Hello"):
        return cls.env["sms.template"].create(
            {
                "name": name,
                "body": body,
                "model_id": cls.env["ir.model"]._get_id(model),
                "flow_id": flow and flow.id,
            }
        )

    def open_composer(self, record, user=None):
        env = self.env(user=user or self.env.user)
        return Form(
            env["sms.composer"].with_context(
                active_model=record._name,
                active_id=record.id,
                default_res_model=record._name,
                default_res_id=record.id,
                default_composition_mode="comment",
            )
        )

    def get_offered(self, record, user=None):
        all_ours = self.general | self.ours | self.theirs | self.of_contacts
        return self.save(self.open_composer(record, user)).available_template_ids & all_ours

    def save(self, form):
        form.body = form.body or "Hello"
        return form.save()

    def test_r018_templates_come_after_sms_and_a_sender(self):
        """R018."""
        bare = self.env["sms.flow"].create({"name": "Bare", "model": "res.partner"})
        with self.refused("before you make templates"):
            self.create_template("Early", bare, model="res.partner")
        bare.sms_enabled = True
        with self.refused("choose a sender"):
            self.create_template("Early", bare, model="res.partner")
        bare.sender_id = self.sender
        self.assertTrue(self.create_template("In time", bare, model="res.partner"))

    def test_a_template_is_for_the_flows_kind_of_record(self):
        with self.refused("another kind of record"):
            self.create_template("Wrong", self.survey)

    def test_r019_a_lead_is_offered_the_templates_of_its_flow(self):
        """R019: and those of none; not those of another flow."""
        lead = self.create_team_lead()
        self.assertEqual(self.get_offered(lead), self.general | self.ours)
        self.assertEqual(self.get_offered(lead, self.ola), self.general | self.ours)

    def test_r019_a_lead_of_no_flow_is_offered_those_of_none(self):
        lead = self.create_team_lead(team_id=False)
        self.assertEqual(self.get_offered(lead), self.general)

    def test_r019_a_contact_is_offered_those_of_the_flows_it_is_in(self):
        self.assertFalse(self.get_offered(self.partner))
        self.enter(self.partner, self.questions[0])
        self.assertEqual(self.get_offered(self.partner), self.of_contacts)

    def test_r024_a_saved_template_is_offered_at_once(self):
        """R024."""
        lead = self.create_team_lead()
        self.get_offered(lead)
        new = self.create_template("New", self.flow)
        self.assertIn(new, self.save(self.open_composer(lead)).available_template_ids)

    def test_r020_what_is_edited_is_sent_and_the_template_stays(self):
        """R020."""
        lead = self.create_team_lead()
        form = self.open_composer(lead)
        form.template_id = self.ours
        self.assertEqual(form.body, "Hi Anna!")
        form.body = "Hi Anna, see you on Friday!"
        form.save().action_send_sms()
        self.assertEqual(self.send(), ["Hi Anna, see you on Friday!"])
        self.assertEqual(self.ours.body, "Hi {{ object.contact_name }}!")

    def test_r049_a_text_by_hand_changes_no_stage(self):
        """R049: at any time, whatever the stage; it starts nothing."""
        lead = self.create_team_lead()
        self.set_stage(lead, self.sale)
        entry = self.get_run(lead).entry_id
        form = self.open_composer(lead)
        form.template_id = self.ours
        form.save().action_send_sms()
        self.commit()
        self.assertEqual(lead.stage_id, self.sale)
        self.assertEqual(self.get_run(lead).entry_id, entry)
        self.assertEqual(len(self.get_texts(lead)), 2)

    def test_r049_in_a_stage_without_a_step(self):
        lead = self.create_team_lead()
        form = self.open_composer(lead)
        form.template_id = self.ours
        form.save().action_send_sms()
        self.commit()
        self.assertFalse(self.get_run(lead))
        self.assertEqual(self.send(), ["Hi Anna!"])

    def test_a_text_by_hand_comes_from_the_flows_number(self):
        """So that the answer finds its way; where the user may use it."""
        lead = self.create_team_lead()
        self.assertEqual(self.open_composer(lead, self.ola).sender_id, self.team_sender)
        form = self.open_composer(lead, self.ola)
        self.assertEqual(self.save(form).sender_id, self.team_sender)
        own = self.open_composer(self.partner, self.ola).sender_id
        self.assertNotEqual(own, self.team_sender, "a contact of no flow: as ever")
        self.enter(self.partner, self.questions[0])
        self.assertEqual(self.open_composer(self.partner, self.ola).sender_id, self.survey_sender)

    def test_a_number_that_is_not_the_users_is_not_chosen(self):
        self.team_sender.write({"team_id": False, "user_ids": self.kari.ids})
        lead = self.create_team_lead()
        self.assertNotEqual(self.open_composer(lead, self.ola).sender_id, self.team_sender)
        self.assertEqual(self.open_composer(lead, self.kari).sender_id, self.team_sender)
