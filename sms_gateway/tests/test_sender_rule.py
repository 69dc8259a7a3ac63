from psycopg2 import IntegrityError

from odoo.exceptions import ValidationError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from .common import SmsGatewayCase


@tagged("post_install", "-at_install")
class TestSenderRule(SmsGatewayCase):
    """Which sender is the default for the numbers of a country."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.sms_default_sender_id = cls.sender
        cls.swede = cls._create_sender("Sweden", "mobile", "+46700000009")
        cls.rule = cls.make_rule("+46", cls.swede)

    @classmethod
    def make_rule(cls, prefix, sender):
        return cls.env["sms.sender.rule"].create({"prefix": prefix, "sender_id": sender.id})

    def sender_of(self, number, **context):
        texts = self.env["sms.sms"].with_context(**context)
        return texts.create({"number": number, "body": "Hello"}).sender_id

    def test_the_longest_beginning_decides(self):
        """Nobody chose a sender: the number's country does, and a part of it before that."""
        self.make_rule("+4670", self.text_sender)
        self.assertEqual(self.sender_of("+46721234567"), self.swede)
        self.assertEqual(self.sender_of("+46701234567"), self.text_sender)
        self.assertEqual(self.sender_of("+4791234567"), self.sender)

    def test_many_at_once_have_each_their_own(self):
        numbers = ("+46721234567", "+4791234567", "+46721234568")
        texts = self.env["sms.sms"].create([{"number": n, "body": "Hello"} for n in numbers])
        senders = [text.sender_id for text in texts]
        self.assertEqual(senders, [self.swede, self.sender, self.swede])

    def test_who_chose_a_sender_gets_it(self):
        self.assertEqual(self.sender_of("+46721234567", sms_sender_id=self.sender.id), self.sender)

    def test_ones_own_number_comes_first(self):
        self.sender.user_ids = self.salesman
        default = (
            self.env["sms.sender"]
            .with_user(self.salesman)
            ._get_default_sender(self.salesman, self.company, "+46721234567")
        )
        self.assertEqual(default, self.sender)

    def test_the_composer_shows_it(self):
        """And everybody may send with it, as with the company's default."""
        self.swede.user_ids = self.env.ref("base.user_admin")
        self.partner.phone = "+46721234567"
        composer = (
            self.env["sms.composer"]
            .with_user(self.salesman)
            .with_context(
                default_res_model="res.partner",
                default_res_id=self.partner.id,
                default_composition_mode="comment",
            )
        )
        form = Form(composer)
        self.assertEqual(form.sender_id, self.swede)
        form.body = "Hello"
        form.save().action_send_sms()
        text = self.env["sms.message"].search([("number", "=", "+46721234567")], limit=1)
        self.assertEqual((text.sender_id, text.state), (self.swede, "queued"))

    def open_for_many(self, mode="mass"):
        """The composer for a Norwegian and a Swede, as a salesman opens it from the list."""
        swede = self.env["res.partner"].create({"name": "Åsa", "phone": "+46721234567"})
        self.many = self.partner | swede
        return Form(
            self.env["sms.composer"]
            .with_user(self.salesman)
            .with_context(
                default_res_model="res.partner",
                default_res_ids=repr(self.many.ids),
                default_composition_mode=mode,
                default_body="Hello",
            )
        )

    def senders_of(self, form):
        form.save().action_send_sms()
        texts = self.env["sms.message"].search([("res_id", "in", self.many.ids)])
        return {text.number[:3]: text.sender_id for text in texts}

    def test_of_many_each_number_gets_its_countrys(self):
        """A list of customers of two countries: no Swede gets a text he cannot answer."""
        for mode in ("mass", "comment"):
            with self.subTest(mode=mode):
                form = self.open_for_many(mode)
                self.assertTrue(form.sender_by_number)
                senders = {"+47": self.sender, "+46": self.swede}
                self.assertEqual(self.senders_of(form), senders)

    def test_of_many_the_sender_chosen_is_for_all(self):
        """Unless who chose it has the rules count too."""
        form = self.open_for_many()
        form.sender_id = self.text_sender
        self.assertFalse(form.sender_by_number)
        self.assertEqual(self.senders_of(form), {"+47": self.text_sender, "+46": self.text_sender})
        form = self.open_for_many()
        form.sender_id = self.text_sender
        form.sender_by_number = True
        self.assertEqual(self.senders_of(form), {"+47": self.text_sender, "+46": self.swede})

    def test_of_many_ones_own_number_is_for_all(self):
        self.sender.user_ids = self.salesman
        form = self.open_for_many()
        self.assertFalse(form.sender_by_number)
        self.assertEqual(self.senders_of(form), {"+47": self.sender, "+46": self.sender})

    def test_without_rules_the_composer_says_nothing_of_them(self):
        self.rule.unlink()
        form = self.open_for_many()
        self.assertFalse(form.has_sender_rules or form.sender_by_number)

    def test_a_rule_counts_while_its_sender_can_be_used(self):
        self.swede.state = "draft"
        self.assertEqual(self.sender_of("+46721234567"), self.sender)
        self.swede.state = "approved"
        self.assertEqual(self.sender_of("+46721234568"), self.swede)
        self.rule.unlink()
        self.assertEqual(self.sender_of("+46721234569"), self.sender)

    def test_another_companys_rules_are_its_own(self):
        company = self.env["res.company"].create({"name": "Other"})
        rules = self.env["sms.sender.rule"]
        self.assertFalse(rules._get_sender(company, "+46721234567"))

    def test_what_begins_no_number_is_refused(self):
        for prefix in ("46", "+0", "+", "+46 70", "+47x"):
            with self.assertRaisesRegex(ValidationError, "begins no number"):
                self.make_rule(prefix, self.swede)
        with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"):
            self.make_rule("+46", self.sender)
