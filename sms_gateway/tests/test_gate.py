from contextlib import contextmanager
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.service.model import call_kw
from odoo.tests import new_test_user, tagged
from odoo.tests.common import RecordCapturer

from odoo.addons.sms_gateway.engine.contract import InboundText

from .common import CUSTOMER, SmsGatewayCase

SECOND = "+4790000001"


class GateCase(SmsGatewayCase):
    """Ways on which a text can be sent, and who watches that none leaves."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.template = cls.env["sms.template"].create(
            {
                "name": "Appointment",
                "model_id": cls.env["ir.model"]._get_id("res.partner"),
                "body": "Hello {{ object.name }}",
            }
        )
        cls.salesman.phone = "+4790000009"

    @contextmanager
    def iap(self):
        """Odoo's own service, played; yields the numbers it was asked to text."""
        numbers = []

        def send_batch(api, messages, delivery_reports_url=False):
            told = [number for message in messages for number in message["numbers"]]
            numbers.extend(number["number"] for number in told)
            return [{"uuid": number["uuid"], "state": "success"} for number in told]

        with patch("odoo.addons.sms.tools.sms_api.SmsApi._send_sms_batch", send_batch):
            yield numbers

    @contextmanager
    def assert_nothing_leaves(self):
        with self.iap() as core_numbers, self.provider() as provider:
            yield
            self.run_lanes()
        self.assertFalse(core_numbers)
        self.assertFalse(provider.sent)

    def compose(self, user=None, records=None, sender=None, **values):
        """The composer as a user opens it on records, with a sender chosen."""
        records = self.partner if records is None else records
        mass = len(records) > 1
        return (
            self.env["sms.composer"]
            .with_user(user or self.salesman)
            .create(
                {
                    "composition_mode": "mass" if mass else "comment",
                    "res_model": records._name,
                    "res_ids": repr(records.ids) if mass else False,
                    "res_id": False if mass else records.id,
                    "body": "Hello",
                    "sender_id": (self.sender if sender is None else sender).id,
                    **values,
                }
            )
        )

    def run_server_action(self, method="comment", records=None, user=None, template=None):
        """Odoo's server action *Send SMS*, as an automation runs it on a stage change."""
        records = self.partner if records is None else records
        action = self.env["ir.actions.server"].create(
            {
                "name": "Text the customer",
                "model_id": self.env["ir.model"]._get_id(records._name),
                "state": "sms",
                "sms_template_id": (template or self.template).id,
                "sms_method": method,
            }
        )
        action.with_user(user or self.salesman).sudo().with_context(
            active_model=records._name, active_ids=records.ids, active_id=records[:1].id
        ).run()

    def ledger(self, **domain):
        return self.env["sms.message"].search([(name, "=", domain[name]) for name in domain])

    def sms_notifications(self, record=None):
        messages = (record or self.partner).message_ids
        return messages.notification_ids.filtered(lambda n: n.notification_type == "sms")


@tagged("post_install", "-at_install")
class TestGateSender(GateCase):
    """Which sender a text gets, and whose it may not get."""

    def test_without_a_sender_odoos_own_way_is_left_alone(self):
        """Neither ledger nor lane: as if the addon were not there."""
        with self.iap() as numbers, self.provider() as provider:
            message = self.partner.with_user(self.salesman)._message_sms("Hello")
            self.run_lanes()
        self.assertEqual(numbers, [CUSTOMER])
        self.assertFalse(provider.sent)
        self.assertFalse(self.ledger(number=CUSTOMER))
        self.assertEqual(message.notification_ids.notification_status, "pending")

    def test_r164_the_order_of_senders(self):
        """R164: named by the code, chosen by the user, his own, the company's default."""
        Text = self.env["sms.sms"].with_user(self.salesman).sudo()
        values = {"number": CUSTOMER, "body": "Hello"}
        self.assertFalse(Text.create(values).sender_id)
        self.company.sms_default_sender_id = self.sender
        self.assertEqual(Text.create(values).sender_id, self.sender)
        own = self._create_sender("Mine", "dedicated", "59445077", user_ids=self.salesman.ids)
        self.assertEqual(Text.create(values).sender_id, own)
        chosen = Text.with_context(sms_sender_id=self.text_sender.id)
        self.assertEqual(chosen.create(values).sender_id, self.text_sender)
        named = chosen.create({**values, "sender_id": self.sender.id})
        self.assertEqual(named.sender_id, self.sender)
        none = Text.with_context(sms_sender_id=False).create(values)
        self.assertFalse(none.sender_id, "Odoo's own service, chosen in the composer")
        gone = self._create_sender("Gone", "dedicated", "59445078")
        chosen = Text.with_context(sms_sender_id=gone.id)
        gone.unlink()
        with self.assertRaisesRegex(UserError, "Choose another sender"):
            chosen.create(values)

    def test_the_default_sender_is_that_of_the_records_company(self):
        other = self.env["res.company"].create({"name": "Other"})
        gateway = self._create_gateway(name="Other's", company_id=other.id)
        sender = self._create_sender(
            "Other's", "dedicated", "59445088", gateway_id=gateway.id, company_id=other.id
        )
        other.sms_default_sender_id = sender
        self.company.sms_default_sender_id = self.sender
        record = self.env["res.partner"].create(
            {"name": "Bo", "phone": SECOND, "company_id": other.id}
        )
        message = record._message_sms("Hello")
        text = self.ledger(mail_message_id=message.id)
        self.assertEqual((text.sender_id, text.company_id), (sender, other))

    def forbidden_senders(self):
        colleague = new_test_user(self.env, "sms_colleague", groups="base.group_user")
        other = self.env["res.company"].create({"name": "Other", "sms_bulk_enabled": True})
        gateway = self._create_gateway(name="Other's", company_id=other.id)
        return {
            "a colleague's": self._create_sender(
                "Hers", "dedicated", "59445066", user_ids=colleague.ids
            ),
            "another company's": self._create_sender(
                "Other's", "dedicated", "59445088", gateway_id=gateway.id, company_id=other.id
            ),
            "a draft": self._create_sender("Draft", "text", "Nordlys", state="draft"),
            "an archived one": self._create_sender("Old", "text", "Nordlys 2", active=False),
        }

    def test_r012_the_composer_refuses_a_sender_that_is_not_the_users(self):
        """R012, R165: whatever the browser says; on one record, on many, to numbers."""
        second = self.env["res.partner"].create({"name": "Bo", "phone": SECOND})
        for kind, sender in self.forbidden_senders().items():
            with self.subTest(kind), self.assert_nothing_leaves():
                with self.assertRaises(UserError):
                    self.compose(sender=sender).action_send_sms()
                numbers = {"res_model": False, "res_id": False, "numbers": CUSTOMER}
                with self.assertRaises(UserError):
                    self.compose(
                        sender=sender, composition_mode="numbers", **numbers
                    ).action_send_sms()
                self.compose(records=self.partner | second, sender=sender).action_send_sms()
                texts = self.ledger(sender_id=sender.id)
                self.assertEqual(texts.mapped("failure_type"), ["sms_sender"] * 2)

    def test_r012_a_crafted_call_gets_no_sender_that_is_not_the_users(self):
        """R012: neither by our context key nor by a default."""
        partner = self.partner.with_user(self.salesman)
        for kind, sender in self.forbidden_senders().items():
            for key in ("sms_sender_id", "default_sender_id"):
                with self.subTest(kind, key=key), self.assert_nothing_leaves():
                    call_kw(
                        partner,
                        "message_post",
                        [partner.ids],
                        {
                            "body": "Hello",
                            "message_type": "sms",
                            "sms_numbers": [CUSTOMER],
                            "put_in_queue": True,
                            "context": {key: sender.id},
                        },
                    )
                    self.assertFalse(self.ledger(sender_id=sender.id, state="queued"))
                    self.env["sms.sms"].search([("state", "=", "outgoing")]).unlink()

    def test_r012_an_administrator_of_one_company_does_not_send_for_another(self):
        admin = new_test_user(self.env, "sms_admin", groups="base.group_system")
        foreign = self.forbidden_senders()["another company's"]
        text = (
            self.env["sms.sms"]
            .with_user(admin)
            .create({"number": CUSTOMER, "body": "Hello", "sender_id": foreign.id})
        )
        self.assertEqual((text.state, text.failure_type), ("error", "sms_sender"))

    def test_the_ledger_takes_nothing_from_the_context_of_a_call(self):
        """A default that a browser sends along is no reference, no cost, no exemption."""
        composer = self.compose(sender=self.sender, composition_mode="numbers", numbers=CUSTOMER)
        composer.with_context(
            default_provider_ref="stolen",
            default_cost=99.0,
            default_keyword="optout",
            default_is_optout_confirmation=True,
            default_message_id=self.create_text().message_id.id,
            default_attempts=5,
            default_send_after="2099-01-01",
            default_mail_message_id=self.partner.message_ids[:1].id,
        ).action_send_sms()
        message = self.ledger(number=CUSTOMER)[0]
        self.assertEqual(message.user_id, self.salesman)
        self.assertFalse(message.provider_ref or message.cost or message.keyword)
        text = self.env["sms.sms"].search([("message_id", "=", message.id)])
        self.assertFalse(text.is_optout_confirmation or text.attempts or text.send_after)

    def test_the_same_values_twice_are_two_texts(self):
        values = {"number": CUSTOMER, "body": "Hello", "sender_id": self.sender.id}
        texts = self.env["sms.sms"].create([values] * 2)
        self.assertEqual(len(set(texts.mapped("uuid"))), 2)

    def test_a_text_that_comes_in_a_later_state_is_kept_as_it_is(self):
        """E.g. imported from elsewhere: it is neither sent nor refused."""
        for state, kept in (
            ("pending", "sent"),
            ("sent", "delivered"),
            ("error", "failed"),
            ("canceled", "cancelled"),
        ):
            self.assertEqual(self.create_text(state=state).message_id.state, kept)

    def test_a_gateway_in_test_sends_to_our_own_people_only(self):
        self.gateway.state = "test"
        self.assertEqual(self.create_text().failure_type, "sms_sender")
        self.assertEqual(self.create_text(number=self.salesman.phone).state, "outgoing")

    def test_a_disabled_gateway_sends_nothing(self):
        self.gateway.state = "disabled"
        text = self.create_text()
        self.assertEqual((text.state, text.failure_type), ("error", "sms_sender"))
        self.assertIn("disabled", text.message_id.failure_reason)


@tagged("post_install", "-at_install")
class TestGateSwitch(GateCase):
    """SMS switched off, bulk not activated, the customer opted out."""

    def test_r003_switched_off_nothing_goes_on_any_path(self):
        """R003: composer, chatter, batch, numbers, automation, test text, our senders or Odoo's."""
        self.company.sms_enabled = False
        self.second = self.env["res.partner"].create({"name": "Bo", "phone": SECOND})
        for sender in (self.sender, self.env["sms.sender"]):
            self.company.sms_default_sender_id = sender
            for path, send in self.paths_of_a_person(sender).items():
                with self.subTest(path, sender=sender.name), self.assert_nothing_leaves():
                    with self.assertRaisesRegex(UserError, "(?i)contact an administrator"):
                        send()
            for path, send in self.paths_of_a_program().items():
                with self.subTest(path, sender=sender.name), self.assert_nothing_leaves():
                    send()
        texts = self.env["sms.sms"].search([])
        self.assertFalse(texts.filtered(lambda text: text.state == "outgoing"))

    def paths_of_a_person(self, sender):
        """Ways on which somebody presses *Send*."""
        preview = (
            self.env["sms.template.preview"]
            .with_user(self.salesman)
            .create({"sms_template_id": self.template.id, "body": "Hello"})
        )
        both = self.partner | self.second
        return {
            "composer": lambda: self.compose(sender=sender).action_send_sms(),
            "batch": lambda: self.compose(sender=sender, records=both).action_send_sms(),
            "numbers": lambda: self.compose(
                sender=sender, composition_mode="numbers", numbers=CUSTOMER
            ).action_send_sms(),
            "test text": preview.action_send_test,
        }

    def paths_of_a_program(self):
        """Ways on which nobody does."""
        both = self.partner | self.second
        return {
            "chatter": lambda: self.partner._message_sms("Hello"),
            "queue": lambda: both._message_sms_schedule_mass(body="Hello"),
            "automation": self.run_server_action,
            "automation on many": lambda: self.run_server_action("sms", records=both),
            "code": lambda: self.env["sms.sms"]
            .create({"number": CUSTOMER, "body": "Hello"})
            .send(),
        }

    def test_r003_switched_off_while_odoos_own_queue_waits(self):
        """R003: what was queued for Odoo's own service before stays here."""
        self.partner._message_sms("Hello", put_in_queue=True)
        self.company.sms_enabled = False
        with self.iap() as numbers, self.own_cursor() as env:
            env["sms.sms"]._process_queue()
        self.assertFalse(numbers)

    def test_r003_the_switch_is_that_of_the_records_company(self):
        """R003: with Odoo's own service too."""
        other = self.env["res.company"].create({"name": "Other", "sms_enabled": False})
        record = self.env["res.partner"].create(
            {"name": "Bo", "phone": SECOND, "company_id": other.id}
        )
        with self.assert_nothing_leaves():
            record._message_sms("Hello")
        self.assertEqual(self.sms_notifications(record).failure_type, "sms_disabled")

    def test_r004_only_an_administrator_flips_the_switches(self):
        """R004: not who manages texts, not even who manages access rights."""
        for login, groups, may in (
            ("sms_m", "base.group_user,sms_gateway.group_sms_manager", False),
            ("sms_e", "base.group_erp_manager,sms_gateway.group_sms_manager", False),
            ("sms_a", "base.group_system", True),
        ):
            company = self.company.with_user(new_test_user(self.env, login, groups=groups))
            for field in ("sms_enabled", "sms_bulk_enabled", "sms_balance", "sms_balance_enabled"):
                with self.subTest(login, field=field):
                    if may:
                        company[field] = company[field]
                    else:
                        with self.assertRaises(AccessError):
                            company.write({field: False})

    def test_r154_bulk_is_off_until_activated(self):
        """R154: who presses Send is told, what runs by itself stands as failed."""
        new = self.env["res.company"].create({"name": "New"})
        self.assertFalse(new.sms_bulk_enabled)
        self.company.sms_bulk_enabled = False
        second = self.env["res.partner"].create({"name": "Bo", "phone": SECOND})
        both = self.partner | second
        with self.assert_nothing_leaves():
            with self.assertRaisesRegex(UserError, "Bulk SMS is not activated.*administrator"):
                self.compose(records=both).action_send_sms()
            self.company.sms_default_sender_id = self.sender
            self.run_server_action("sms", records=both)
        self.assertEqual(set(self.ledger().mapped("failure_type")), {"sms_bulk_disabled"})
        self.company.sms_bulk_enabled = True
        with self.provider() as provider:
            self.compose(records=both).action_send_sms()
            self.run_lanes()
        self.assertEqual(sorted(provider.numbers), [SECOND, CUSTOMER])

    def test_r154_many_texts_are_bulk_also_with_a_note_on_each_record(self):
        """R154: an action on a selection of records, and a composer made to post on each."""
        self.company.sms_bulk_enabled = False
        second = self.env["res.partner"].create({"name": "Bo", "phone": SECOND})
        both = self.partner | second
        self.company.sms_default_sender_id = self.sender
        with self.assert_nothing_leaves():
            self.run_server_action("comment", records=both)
            with self.assertRaisesRegex(UserError, "Bulk SMS is not activated"):
                self.compose(records=both, composition_mode="comment").action_send_sms()

    def test_an_automation_on_one_record_is_no_bulk(self):
        self.company.sms_bulk_enabled = False
        self.company.sms_default_sender_id = self.sender
        with self.provider() as provider:
            for method in ("comment", "sms", "note"):
                self.run_server_action(method)
            self.run_lanes()
        self.assertEqual(len(provider.sent), 3)

    def test_p6_a_blacklisted_number_gets_nothing_on_any_path(self):
        """P6: one by one and in batch, with our senders and with Odoo's own service."""
        self.env["phone.blacklist"]._add([CUSTOMER])
        self.second = self.env["res.partner"].create({"name": "Twin", "phone": CUSTOMER})
        both = self.partner | self.second
        for sender in (self.sender, self.env["sms.sender"]):
            self.company.sms_default_sender_id = sender
            by_a_person = self.paths_of_a_person(sender)
            for path in ("composer", "numbers"):
                with self.subTest(path, sender=sender.name), self.assert_nothing_leaves():
                    with self.assertRaisesRegex(UserError, "opted out"):
                        by_a_person[path]()
            for path, send in {
                "batch": by_a_person["batch"],
                "batch, list off": self.compose(
                    sender=sender, records=both, use_exclusion_list=False
                ).action_send_sms,
                **self.paths_of_a_program(),
            }.items():
                with self.subTest(path, sender=sender.name), self.assert_nothing_leaves():
                    send()
        self.assertEqual(set(self.ledger().mapped("state")), {"cancelled"})

    def test_no_default_of_the_context_stands_in_for_what_the_gate_sets(self):
        admin = new_test_user(self.env, "sms_admin", groups="base.group_system")
        foreign = self.create_text(number="+4790000009").message_id
        defaults = {
            "is_optout_confirmation": True,
            "attempts": 3,
            "claimed_at": "2026-01-01 00:00:00",
            "send_after": "2099-01-01 00:00:00",
            "message_id": foreign.id,
        }
        context = {f"default_{name}": value for name, value in defaults.items()}
        Text = self.env["sms.sms"].with_user(admin).with_context(**context)
        text = Text.create({"number": CUSTOMER, "body": "Hello", "sender_id": False}).sudo()
        self.assertFalse([name for name in defaults if text[name]])

    def test_p6_nobody_passes_as_the_confirmation_of_an_opt_out(self):
        """P6: the one exemption is the system's own; no context and no administrator's call."""
        self.env["phone.blacklist"]._add([CUSTOMER])
        admin = new_test_user(self.env, "sms_admin", groups="base.group_system")
        Text = self.env["sms.sms"]
        values = {"number": CUSTOMER, "body": "Hello", "sender_id": self.sender.id}
        with self.assert_nothing_leaves():
            Text.with_context(default_is_optout_confirmation=True).create(values)
            Text.with_user(admin).create({**values, "is_optout_confirmation": True})
            self.partner.with_context(
                default_is_optout_confirmation=True, sms_sender_id=self.sender.id
            )._message_sms("Hello")


@tagged("post_install", "-at_install")
class TestGateText(GateCase):
    """Number, length and body."""

    def test_r149_a_number_is_sent_in_e164_or_not_at_all(self):
        """R149: the words say what to check."""
        for number in ("91234567", "004791234567", "4791234567", "+0791234567", "+47 91234567", ""):
            with self.subTest(number):
                text = self.create_text(number=number)
                missing = "sms_number_format" if number else "sms_number_missing"
                self.assertEqual((text.state, text.failure_type), ("error", missing))
        with self.assertRaisesRegex(UserError, r"international form \(E.164\).*country code"):
            self.env["sms.sms"].with_context(sms_raise_refusal=True).create(
                {"number": "91234567", "body": "Hello", "sender_id": self.sender.id}
            )

    def test_r169_a_national_number_needs_a_country(self):
        """R169: 0401234567 is refused without one; with Finland it is +358401234567."""
        self.company.country_id = False
        self.env.user.partner_id.country_id = False
        customer = self.env["res.partner"].create({"name": "Aino", "phone": "0401234567"})
        with self.assert_nothing_leaves():
            with self.assertRaises(UserError):
                self.compose(records=customer).action_send_sms()
            customer.with_context(sms_sender_id=self.sender.id)._message_sms("Hello")
        self.assertEqual(self.sms_notifications(customer).failure_type, "sms_number_format")
        customer.country_id = self.env.ref("base.fi")
        with self.provider() as provider:
            self.compose(records=customer).action_send_sms()
            self.run_lanes()
        self.assertEqual(provider.numbers, ["+358401234567"])
        customer.country_id = False
        self.company.country_id = self.env.ref("base.fi")
        with self.provider() as provider:
            self.compose(records=customer).action_send_sms()
            self.run_lanes()
        self.assertEqual(provider.numbers, ["+358401234567"], "the company's country is a default")

    def test_a_longer_text_than_allowed_is_refused(self):
        self.assertEqual(self.create_text(body="a" * 1000).state, "outgoing", "off by default")
        self.company.sms_max_segments = 2
        self.assertEqual(self.create_text(body="a" * 306).state, "outgoing")
        text = self.create_text(body="a" * 307)
        self.assertEqual((text.state, text.failure_type), ("error", "sms_too_long"))
        self.assertRegex(text.message_id.failure_reason, "3 SMS, 2 are allowed")
        self.assertEqual(self.create_text(body="ж" * 135).failure_type, "sms_too_long")

    def test_an_empty_text_is_refused(self):
        for body in ("", False, " \n"):
            self.assertEqual(self.create_text(body=body).failure_type, "sms_merge_field")

    def test_what_is_wrong_first_is_told_first(self):
        """Opted out outweighs everything; a text gets one reason."""
        self.env["phone.blacklist"]._add([CUSTOMER])
        self.company.sms_enabled = False
        self.assertEqual(self.create_text(body="").failure_type, "sms_blacklist")
        self.assertEqual(self.create_text(number="1").failure_type, "sms_disabled")

    def test_the_segments_of_each_text_are_kept(self):
        """R002: what was sent is counted in segments, by encoding, in the reports."""
        for body, encoding, segments in (
            ("Hello", "gsm7", 1),
            ("a" * 161, "gsm7", 2),
            ("Привет", "ucs2", 1),
            ("ж" * 71, "ucs2", 2),
        ):
            message = self.create_text(body=body).message_id
            self.assertEqual((message.encoding, message.segments), (encoding, segments))
        total = self.env["sms.message"]._read_group(
            [("sender_id", "=", self.sender.id)], [], ["segments:sum"]
        )
        self.assertEqual(total, [(6,)])


@tagged("post_install", "-at_install")
class TestGateBalance(GateCase):
    """R155: a prepaid counter per company."""

    def setUp(self):
        super().setUp()
        self.company.write({"sms_balance_enabled": True, "sms_balance": 3})

    def test_r155_each_segment_takes_one(self):
        """R155: off by default; a text of two segments takes two."""
        self.assertFalse(self.env["res.company"].create({"name": "New"}).sms_balance_enabled)
        self.create_text()
        self.assertEqual(self.company.sms_balance, 2)
        self.create_text(body="a" * 161)
        self.assertEqual(self.company.sms_balance, 0)

    def test_r155_less_than_needed_is_refused(self):
        """R155: nothing is sent, nothing taken, and the words say who fills it up."""
        self.company.sms_balance = 1
        text = self.create_text(body="a" * 161)
        self.assertEqual((text.state, text.failure_type), ("error", "sms_credit"))
        self.assertEqual(self.company.sms_balance, 1)
        with self.assertRaisesRegex(UserError, "holds 1 SMS, the text needs 2.*administrator"):
            self.compose(body="a" * 161).action_send_sms()
        self.assertEqual(self.create_text().state, "outgoing", "a shorter one still goes")
        self.assertEqual(self.create_text().failure_type, "sms_credit", "at 0 nothing goes")

    def test_r155_a_batch_goes_as_far_as_it_goes(self):
        values = {"body": "Hello", "sender_id": self.sender.id}
        texts = self.env["sms.sms"].create(
            [{**values, "number": f"+479000000{n}"} for n in range(5)]
        )
        self.assertEqual(texts.mapped("state"), ["outgoing"] * 3 + ["error"] * 2)
        self.assertEqual(self.company.sms_balance, 0)

    def test_r155_what_is_refused_takes_nothing(self):
        self.env["phone.blacklist"]._add([CUSTOMER])
        self.create_text()
        self.create_text(number="123")
        self.assertEqual(self.company.sms_balance, 3)

    def test_r155_what_did_not_go_is_given_back(self):
        """R155: exactly what was taken, once, whatever the provider counted."""
        failed, cancelled, sent = (self.create_text(number=f"+479000000{n}") for n in range(3))
        self.assertEqual(self.company.sms_balance, 0)
        with self.provider() as provider:
            provider.answers["+4790000000"] = {"outcome": "failed", "segments": 7}
            cancelled.unlink()
            self.run_lanes()
        self.assertEqual(sent.message_id.state, "sent")
        self.assertEqual(failed.message_id.state, "failed")
        self.assertEqual(self.company.sms_balance, 2)
        failed.message_id._set_failed("unknown")
        self.assertEqual(self.company.sms_balance, 2)

    def test_r155_nothing_is_given_back_that_was_not_taken(self):
        self.company.sms_balance_enabled = False
        text = self.create_text()
        self.company.sms_balance_enabled = True
        text.message_id._set_cancelled()
        self.assertEqual(self.company.sms_balance, 3)

    def test_r155_each_company_has_its_own(self):
        other = self.env["res.company"].create(
            {"name": "Other", "sms_balance_enabled": True, "sms_balance": 5}
        )
        gateway = self._create_gateway(name="Other's", company_id=other.id)
        sender = self._create_sender(
            "Other's", "dedicated", "59445088", gateway_id=gateway.id, company_id=other.id
        )
        self.create_text(sender_id=sender.id)
        self.assertEqual((self.company.sms_balance, other.sms_balance), (3, 4))

    def test_r155_saving_other_settings_does_not_turn_the_counter_back(self):
        """R155: the form was opened before texts went out."""
        settings = self.env["res.config.settings"].create({})
        values = {
            name: settings[name]
            for name in ("sms_balance", "sms_balance_enabled", "sms_max_segments")
        }
        self.create_text()
        self.env["res.config.settings"].create({**values, "sms_max_segments": 4}).execute()
        self.assertEqual((self.company.sms_max_segments, self.company.sms_balance), (4, 2))

    def test_r155_an_administrator_fills_it_up(self):
        self.env["res.config.settings"].create({"sms_balance_added": 100}).execute()
        self.assertEqual(self.company.sms_balance, 103)


@tagged("post_install", "-at_install")
class TestGateTransaction(GateCase):
    """P1, P10: what the gate does to the transaction around it."""

    def test_p1_what_is_rolled_back_sends_nothing(self):
        """P1: nor does it keep the balance, a ledger row or a wake-up call."""
        self.company.write({"sms_balance_enabled": True, "sms_balance": 3})
        with RecordCapturer(self.env["ir.cron.trigger"].sudo()) as triggers:
            with self.assertRaises(ZeroDivisionError), self.env.cr.savepoint():
                message = self.send_from_record()
                self.assertTrue(self.ledger(mail_message_id=message.id))
                self.env.flush_all()
                raise ZeroDivisionError
            self.env.invalidate_all()
            with self.provider() as provider:
                self.run_lanes()
        self.assertFalse(provider.sent)
        self.assertFalse(triggers.records)
        self.assertFalse(self.ledger(number=CUSTOMER))
        self.assertFalse(self.env["sms.sms"].search([("number", "=", CUSTOMER)]))
        self.assertEqual(self.company.sms_balance, 3)

    def test_p10_a_person_who_presses_send_gets_the_error_and_nothing_is_stored(self):
        before = self.partner.message_ids
        with self.assertRaisesRegex(UserError, "opted out"), self.env.cr.savepoint():
            self.env["phone.blacklist"]._add([CUSTOMER])
            self.compose().action_send_sms()
        self.env.invalidate_all()
        self.assertEqual(self.partner.message_ids, before)
        self.assertFalse(self.ledger(number=CUSTOMER))

    def obstacles(self):
        """What may stand in the way of an automatic text: name, how, failure type, words."""
        city = self.template.copy({"body": "Hello in {{ object.city }}"})
        return {
            "no number": (lambda: self.partner.write({"phone": False}), "sms_number_missing", None),
            "wrong number": (
                lambda: self.partner.write({"phone": "123"}),
                "sms_number_format",
                None,
            ),
            "empty merge field": (lambda: city, "sms_merge_field", "City"),
            "switched off": (
                lambda: self.company.write({"sms_enabled": False}),
                "sms_disabled",
                "administrator",
            ),
            "opted out": (
                lambda: self.env["phone.blacklist"]._add([CUSTOMER]) and None,
                "sms_blacklist",
                None,
            ),
            "gateway disabled": (
                lambda: self.gateway.write({"state": "disabled"}),
                "sms_sender",
                "disabled",
            ),
            "sender withdrawn": (
                lambda: self.sender.write({"state": "draft"}),
                "sms_sender",
                "not approved",
            ),
            "no balance": (
                lambda: self.company.write({"sms_balance_enabled": True, "sms_balance": 0}),
                "sms_credit",
                "holds 0 SMS",
            ),
            "too long": (
                lambda: self.template.copy({"body": "a" * 200}),
                "sms_too_long",
                "2 SMS, 1 are allowed",
            ),
        }

    def test_p10_an_automatic_text_never_blocks_what_caused_it(self):
        """P10: the write stands, and the failure with its reason under a note on the record."""
        self.company.write({"sms_default_sender_id": self.sender.id, "sms_max_segments": 1})
        for method in ("comment", "sms", "note"):
            for name, (obstruct, failure_type, words) in self.obstacles().items():
                savepoint = self.env.cr.savepoint()
                with self.subTest(name, method=method), self.assert_nothing_leaves():
                    template = obstruct()
                    template = template if template is not True else None
                    self.partner.function = "Director"
                    self.run_server_action(method, template=template)
                    self.assertEqual(self.partner.function, "Director")
                    notification = self.sms_notifications()
                    self.assertEqual(len(notification), 1)
                    self.assertEqual(notification.notification_status, "exception")
                    self.assertEqual(notification.failure_type, failure_type)
                    if words:
                        self.assertIn(words, notification.failure_reason)
                self.env.flush_all()
                savepoint.close(rollback=True)
                self.env.invalidate_all()

    def test_p10_an_automation_of_a_user_without_a_right_to_the_sender(self):
        """P10: the user who moves the stage is not the one who set the automation up."""
        self.company.sms_default_sender_id = self.sender
        self.sender.user_ids = [Command.link(self.env.ref("base.user_admin").id)]
        with self.provider() as provider:
            self.run_server_action()
            self.run_lanes()
        self.assertEqual(provider.numbers, [CUSTOMER])

    def test_what_is_wrong_on_one_record_does_not_stop_the_others(self):
        self.company.sms_default_sender_id = self.sender
        second = self.env["res.partner"].create({"name": "Bo", "phone": SECOND, "city": "Bergen"})
        template = self.template.copy({"body": "Hello in {{ object.city }}"})
        with self.provider() as provider:
            self.run_server_action("note", records=self.partner | second, template=template)
            self.run_lanes()
        self.assertEqual(provider.sent[0]["body"], "Hello in Bergen")
        self.assertEqual(provider.numbers, [SECOND])
        self.assertEqual(self.sms_notifications().failure_type, "sms_merge_field")

    def test_a_resent_text_that_is_refused_says_why(self):
        """The notification follows the new text, also where that does not pass the gate."""
        message = self.send_from_record()
        text = self.env["sms.sms"].search([("mail_message_id", "=", message.id)])
        text.message_id._set_failed("sms_server")
        self.env["phone.blacklist"]._add([CUSTOMER])
        text.resend_failed()
        notification = self.sms_notifications()
        self.assertEqual(notification.failure_type, "sms_blacklist")

    def test_a_received_text_wakes_no_lane(self):
        with RecordCapturer(self.env["ir.cron.trigger"].sudo()) as triggers:
            self.env["sms.message"]._receive(
                self.gateway, [InboundText(CUSTOMER, "59445012", "Yes", "ref-1")]
            )
        woken = triggers.records.cron_id.get_external_id().values()
        self.assertFalse([name for name in woken if "ir_cron_lane" in name])
