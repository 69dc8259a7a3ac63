from psycopg2 import IntegrityError

from odoo.exceptions import UserError, ValidationError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import mute_logger

from .common import SmsGatewayCase


@tagged("post_install", "-at_install")
class TestSenderAddress(SmsGatewayCase):
    """What may stand as the sender of a text."""

    def make(self, kind, address, **values):
        return self._create_sender(f"{kind} {address}", kind, address, **values)

    def assert_refused(self, kind, *addresses):
        for address in addresses:
            with self.subTest(kind=kind, address=address), self.assertRaises(ValidationError):
                self.make(kind, address)

    def assert_accepted(self, kind, *addresses):
        for address in addresses:
            with self.subTest(kind=kind, address=address):
                self.assertEqual(self.make(kind, address).address, address)

    def test_r013_a_text_has_3_to_11_characters_spaces_included(self):
        self.assert_refused("text", "AB", "A B C D E F G", "ABCDEFGHIJKL")
        self.assert_accepted("text", "ABC", "A B", "ABCDEFGHIJK", "A B C D E F")

    def test_r014_a_text_has_only_letters_digits_and_spaces(self):
        """R014: no Æ Ø Å, no accents, dots or hyphens; and the error says what is allowed."""
        self.assert_refused("text", "Bjørn", "A-B", "Café", "A.B", "Åse", "My\nShop", "Shop\n")
        self.assert_accepted("text", "My Shop 1")
        with self.assertRaisesRegex(ValidationError, r"“Bjørn”.*3 to 11 characters"):
            self.make("text", "Bjørn")

    def test_a_text_of_digits_only_would_pass_for_a_number(self):
        self.assert_refused("text", "12345678", "   ")

    def test_r027_a_dedicated_number_has_exactly_8_or_14_digits(self):
        """R027: and is never put through the rules for telephone numbers."""
        self.assert_refused("dedicated", *("5" * length for length in (7, 9, 12, 13, 15)))
        self.assert_refused("dedicated", "+4759445", "5944 5013", "٥٩٤٤٥٠١٢")
        self.assert_accepted("dedicated", "00000000", "59445013", "59000000000013")

    def test_r015_a_mobile_number_is_a_sender_in_international_form(self):
        self.assert_refused("mobile", "91234567", "4791234567", "+0791234567", "+47 912 34 567")
        self.assert_accepted("mobile", "+4791234567")

    def test_r015_a_mobile_number_receives_only_where_it_is_registered_as_receiving(self):
        """R015: it is a sender as it is; answers come only when that is switched on."""
        mobile = self.make("mobile", "+4791234567")
        self.assertFalse(mobile.can_receive)
        mobile.inbound_enabled = True
        self.assertTrue(mobile.can_receive)

    def test_a_short_number_has_3_to_6_digits(self):
        self.assert_refused("short", "12", "1234567", "12a4")
        self.assert_accepted("short", "123", "123456")

    def test_a_changed_address_is_checked_too(self):
        with self.assertRaises(ValidationError):
            self.sender.address = "123"
        with self.assertRaises(ValidationError):
            self.text_sender.kind = "dedicated"

    def test_r011_a_text_cannot_receive_answers(self):
        """R011: refused in whichever order the two are set."""
        number = self.make("dedicated", "59445013", inbound_enabled=True)
        for change in (
            lambda: self.make("text", "Answer me", inbound_enabled=True),
            lambda: self.text_sender.write({"inbound_enabled": True}),
            lambda: number.write({"kind": "text", "address": "Fjord"}),
        ):
            with (
                self.assertRaises(IntegrityError) as refusal,
                mute_logger("odoo.sql_db"),
                self.cr.savepoint(),
            ):
                change()
                self.env.flush_all()
            words = (
                self.env["sms.sender"]
                ._table_objects[refusal.exception.diag.constraint_name]
                .get_error_message(self.env["sms.sender"], refusal.exception.diag)
            )
            self.assertIn("A name cannot receive answers", words)
            self.env.invalidate_all()
        self.assertFalse(self.text_sender.can_receive)

    def test_a_text_needs_a_provider_that_takes_one(self):
        adapter = self.env["sms.gateway.adapter.none"]
        features = adapter._get_features()
        self.patch(
            type(adapter),
            "_get_features",
            lambda adapter: {**features, "text_sender": False},
        )
        self.env.invalidate_all()
        with self.assertRaisesRegex(ValidationError, "does not accept a name"):
            self.make("text", "Hello")

    def test_one_gateway_has_an_address_once(self):
        """But the address of an archived sender is free again."""
        with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"), self.cr.savepoint():
            self.make("dedicated", self.sender.address)
        self.sender.active = False
        self.env.flush_all()
        self.assertTrue(self.make("dedicated", self.sender.address))

    def test_the_sender_and_its_gateway_are_of_one_company(self):
        other = self.env["res.company"].create({"name": "Other"})
        with self.assertRaises(UserError):
            self.make("dedicated", "59445013", company_id=other.id)

    def test_r016_an_ordinary_mobile_comes_with_advice(self):
        """R016: the form says when it helps; a number may belong to one person."""
        form = Form(self.env["sms.sender"])
        form.kind = "mobile"
        self.assertTrue(form.is_ordinary_mobile)
        form.inbound_enabled = True
        self.assertFalse(form.is_ordinary_mobile)
        arch = self.env["sms.sender"].get_view(view_type="form")["arch"]
        self.assertIn('invisible="not is_ordinary_mobile"', arch)
        self.assertIn("where you also call from it", " ".join(arch.split()))
        personal = self.make("mobile", "+4791234567", user_ids=self.salesman.ids)
        self.assertEqual(
            self.env["sms.sender"]._get_default_sender(self.salesman, self.company), personal
        )

    def test_a_sender_is_found_however_the_provider_writes_it(self):
        find = self.env["sms.sender"]._find_by_address
        mobile = self.make("mobile", "+4791234567")
        for address in ("+4791234567", "4791234567", "+47 912 34 567"):
            self.assertEqual(find(self.gateway, address), mobile)
        self.assertEqual(find(self.gateway, "59445012"), self.sender)
        self.assertEqual(find(self.gateway, "Fjord AS"), self.text_sender)
        for address in ("", None, "+", "59445099"):
            self.assertFalse(find(self.gateway, address))
        other = self._create_gateway(name="Another account")
        self.assertFalse(find(other, "59445012"))

    def test_an_archived_sender_still_gets_its_answers(self):
        """But an active one of the same address goes first."""
        find = self.env["sms.sender"]._find_by_address
        self.sender.active = False
        self.env.flush_all()
        self.assertEqual(find(self.gateway, "59445012"), self.sender)
        successor = self.make("dedicated", "59445012")
        self.assertEqual(find(self.gateway, "59445012"), successor)


@tagged("post_install", "-at_install")
class TestSenderChoice(SmsGatewayCase):
    """Whose sender it is, and which is taken where none is chosen."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.colleague = new_test_user(
            cls.env, "sms_colleague", groups="base.group_user,sms_gateway.group_sms_user"
        )
        cls.manager = new_test_user(
            cls.env, "sms_manager", groups="base.group_user,sms_gateway.group_sms_manager"
        )
        cls.own = cls._create_sender("Mine", "dedicated", "59445077", user_ids=cls.salesman.ids)
        cls.other_company = cls.env["res.company"].create({"name": "Other"})
        cls.foreign_gateway = cls.gateway.copy(
            {"name": "Foreign", "company_id": cls.other_company.id, "state": "enabled"}
        )
        cls.foreign = cls._create_sender(
            "Foreign",
            "dedicated",
            "59445088",
            gateway_id=cls.foreign_gateway.id,
            company_id=cls.other_company.id,
        )

    def usable(self, user, company=None):
        Sender = self.env["sms.sender"]
        return Sender.search(Sender._get_usable_domain(user, company or self.company))

    def test_r012_who_may_choose_which(self):
        """R012: everybody's and one's own; a manager all of the company, nobody another's."""
        everybodys = self.sender | self.text_sender
        self.assertEqual(self.usable(self.salesman), everybodys | self.own)
        self.assertEqual(self.usable(self.colleague), everybodys)
        self.assertEqual(self.usable(self.manager), everybodys | self.own)
        for user in (self.salesman, self.colleague, self.manager):
            self.assertFalse(self.foreign._may_be_used_by(user), user.login)
        self.assertFalse(self.own._may_be_used_by(self.colleague))
        self.assertTrue(self.own._may_be_used_by(self.salesman))

    def test_r012_a_user_of_both_companies_may_use_both(self):
        self.salesman.company_ids |= self.other_company
        self.assertTrue(self.foreign._may_be_used_by(self.salesman))
        self.assertNotIn(self.foreign, self.usable(self.salesman), "not in this company's list")
        self.assertEqual(self.usable(self.salesman, self.other_company), self.foreign)

    def test_r165_only_an_approved_sender_can_be_chosen(self):
        """R165: the company's name is selectable only after its separate activation."""
        name = self._create_sender("Name", "text", "Nordlys", state="draft")
        self.assertNotIn(name, self.usable(self.manager))
        name.state = "approved"
        self.assertIn(name, self.usable(self.manager))

    def test_a_new_sender_and_a_copy_are_drafts(self):
        values = {"name": "New", "kind": "text", "address": "Brand", "gateway_id": self.gateway.id}
        sender = self.env["sms.sender"].create(values)
        self.assertEqual(sender.state, "draft")
        sender.state = "approved"
        self.assertEqual(sender.copy({"address": "Brand 2"}).state, "draft")

    def test_a_sender_of_a_disabled_gateway_cannot_be_chosen(self):
        self.gateway.state = "disabled"
        self.assertFalse(self.usable(self.manager))

    def test_a_sender_of_an_archived_gateway_cannot_be_chosen(self):
        """It was never disabled, and every text with it would fail."""
        self.gateway.active = False
        self.assertFalse(self.usable(self.manager))

    def test_r164_who_chooses_none_sends_with_the_companys_default(self):
        """R164: the user's own number first, else the operator's number set for the company."""
        choose = self.env["sms.sender"]._get_default_sender
        self.assertFalse(choose(self.colleague, self.company), "none set: Odoo's own way")
        self.company.sms_default_sender_id = self.sender
        self.assertEqual(choose(self.colleague, self.company), self.sender)
        self.assertEqual(choose(self.salesman, self.company), self.own)
        self.assertEqual(choose(self.env.ref("base.user_root"), self.company), self.sender)

    def test_the_default_of_the_company_serves_who_has_none_of_his_own(self):
        """Also where it is otherwise somebody's own number: that is what a default is."""
        self.company.sms_default_sender_id = self.own
        self.assertEqual(
            self.env["sms.sender"]._get_default_sender(self.colleague, self.company), self.own
        )
        self.assertTrue(self.own._may_be_used_by(self.colleague))

    def test_r012_the_default_of_a_company_is_an_approved_sender_of_it(self):
        """R012: another company's sender is not writable, by whatever way."""
        draft = self._create_sender("Draft", "text", "Nordlys", state="draft")
        for sender in (self.foreign, draft):
            with self.assertRaises(ValidationError):
                self.company.sms_default_sender_id = sender
