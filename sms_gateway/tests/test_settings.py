from odoo.exceptions import AccessError
from odoo.tests import Form, new_test_user, tagged

from .common import SmsGatewayCase


@tagged("post_install", "-at_install")
class TestSettings(SmsGatewayCase):
    def test_a_new_company_can_text_but_not_in_bulk(self):
        """R154: what costs most is switched on by somebody who means it."""
        company = self.env["res.company"].create({"name": "New"})
        self.assertTrue(company.sms_enabled)
        self.assertFalse(company.sms_bulk_enabled)
        self.assertFalse(company.sms_balance_enabled)
        self.assertFalse(company.sms_default_sender_id)
        self.assertEqual((company.sms_max_segments, company.sms_retention_months), (0, 0))

    def test_r003_the_switches_stand_in_the_settings_for_each_company(self):
        """R003, R154: switching one company off leaves the other alone."""
        other = self.env["res.company"].create({"name": "Other"})
        with Form(self.env["res.config.settings"]) as form:
            form.sms_enabled = False
            form.sms_bulk_enabled = True
            form.sms_max_segments = 3
            form.sms_default_sender_id = self.sender
        form.record.execute()
        self.assertFalse(self.company.sms_enabled)
        self.assertTrue(self.company.sms_bulk_enabled)
        self.assertEqual(self.company.sms_max_segments, 3)
        self.assertEqual(self.company.sms_default_sender_id, self.sender)
        self.assertTrue(other.sms_enabled)
        self.assertFalse(other.sms_bulk_enabled)

    def test_r004_only_administrators_open_the_settings(self):
        """R004: the block, the menu and the model are theirs."""
        manager = new_test_user(
            self.env, "sms_manager", groups="base.group_user,sms_gateway.group_sms_manager"
        )
        with self.assertRaises(AccessError):
            self.env["res.config.settings"].with_user(manager).create({})
        menu = self.env.ref("sms_gateway.menu_settings")
        self.assertEqual(menu.group_ids, self.env.ref("base.group_system"))
        visible = self.env["ir.ui.menu"].with_user(manager)._visible_menu_ids()
        self.assertNotIn(menu.id, visible)
        self.assertIn(self.env.ref("sms_gateway.menu_senders").id, visible)

    def test_others_work_without_reading_the_settings(self):
        """The gate, the composer and the sender's form read what they need themselves."""
        self.company.sms_default_sender_id = self.sender
        with self.assertRaises(AccessError):
            self.company.with_user(self.salesman).read(["sms_balance"])
        composer = (
            self.env["sms.composer"]
            .with_user(self.salesman)
            .create(
                {
                    "res_model": "res.partner",
                    "res_id": self.partner.id,
                    "composition_mode": "comment",
                    "body": "Hello",
                }
            )
        )
        self.assertEqual(composer.sender_id, self.sender)
        composer.action_send_sms()
        self.company.sms_request_number_url = "https://numbers.example.com"
        sender = self.sender.with_user(self.salesman)
        self.assertEqual(sender.request_number_url, "https://numbers.example.com")
