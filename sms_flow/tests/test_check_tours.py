from odoo.tests import HttpCase, new_test_user, tagged

from .common import SmsFlowCase

#: Who writes templates with fields is a template editor of Odoo, too.
MANAGER_GROUPS = (
    "base.group_user,sms_gateway.group_sms_manager,sales_team.group_sale_salesman_all_leads,"
    "mail.group_mail_template_editor"
)


class CheckToursCase(SmsFlowCase, HttpCase):
    """A manager of texts, and a customer who was asked."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.boss = new_test_user(cls.env, "sms_boss", groups=MANAGER_GROUPS)
        cls.create_reminder(delay=2)
        cls.lead = cls.create_team_lead()

    def start(self, path, tour):
        self.start_tour(path, tour, login="sms_boss")


@tagged("post_install", "-at_install")
class TestCheckTours(CheckToursCase):
    """Check, report and unmatched answers in a real browser."""

    def test_findings_are_looked_at_and_put_right(self):
        self.create_customers(2, contact_name=False, name="Nameless")
        self.flow.flow_enabled = False
        self.start(f"/odoo/sms.flow/{self.flow.id}", "sms_flow_check")
        self.assertTrue(self.flow.is_running)

    def test_errors_keep_the_flow_off(self):
        self.flow.flow_enabled = False
        self.no.keywords = "nei, ja"
        self.start(f"/odoo/sms.flow/{self.flow.id}", "sms_flow_check_error")
        self.assertFalse(self.flow.flow_enabled)

    def test_an_unmatched_text_becomes_an_answer(self):
        self.set_stage(self.lead, self.sale)
        self.reply("Jepp!")
        self.start("/odoo/action-sms_flow.sms_flow_unmatched_action", "sms_flow_unmatched")
        self.assertEqual(self.lead.stage_id, self.confirmed)

    def test_the_numbers_are_looked_at(self):
        self.set_stage(self.lead, self.sale)
        self.reply("Ja takk")
        self.start("/odoo/action-sms_flow.sms_flow_report_action", "sms_flow_report")


@tagged("post_install", "-at_install")
class TestCheckPhoneTours(CheckToursCase):
    """The same on a telephone."""

    browser_size = "390x844"
    touch_enabled = True

    def test_an_unmatched_text_is_added_on_a_telephone(self):
        self.set_stage(self.lead, self.sale)
        self.reply("Jepp!")
        self.start("/odoo/action-sms_flow.sms_flow_unmatched_action", "sms_flow_unmatched_phone")
