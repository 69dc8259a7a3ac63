from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from .common import DemoCarrierCase


@tagged("post_install", "-at_install")
class TestSecurity(DemoCarrierCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.outsider = new_test_user(cls.env, "outsider", groups="base.group_user")
        cls.other_company = cls.env["res.company"].create({"name": "Other company"})
        cls.other_user = new_test_user(
            cls.env,
            "other_company_user",
            groups="base.group_user,sms_gateway.group_sms_user",
            company_id=cls.other_company.id,
            company_ids=[cls.other_company.id],
        )

    def test_salesmen_use_the_telephones(self):
        self.carrier.delivery = "manual"
        self.create_text()
        self.exchange()
        phone = self.phone.with_user(self.salesman)
        phone.get_screen()
        phone._get_texts(1).action_deliver()
        phone.action_answer("Yes")
        phone.mode = "off"
        self.carrier.with_user(self.salesman).action_behave()
        self.exchange()
        self.assertEqual(self.get_received().mapped("body"), ["Yes"])

    def test_salesmen_do_not_see_the_secret(self):
        self.assertNotIn("demo_secret", self.gateway.with_user(self.salesman).fields_get())
        with self.assertRaises(AccessError):
            self.carrier.with_user(self.salesman).gateway_id.action_renew_demo_secret()

    def test_outsiders_use_nothing(self):
        phone = self.phone.with_user(self.outsider)
        text = self.phone._answer("Yes").with_user(self.outsider)
        for attempt in (
            phone.get_screen,
            lambda: phone.action_answer("Yes"),
            phone.action_clear,
            text.action_duplicate,
            text.action_lose,
            text.call_ids.action_repeat,
            self.carrier.with_user(self.outsider).action_behave,
        ):
            with self.assertRaises(AccessError):
                attempt()

    def test_another_companys_texts_are_not_on_the_screen(self):
        self.create_text()
        self.exchange()
        screen = self.env["sms.demo.phone"].with_user(self.other_user).get_screen("Anna Hansen")
        self.assertEqual(screen["phones"][0]["texts"], [])
        self.assertEqual(screen["carriers"], [])
        self.assertEqual(screen["addresses"], [])
