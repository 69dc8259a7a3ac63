from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.sms_gateway.engine.transport import NoAnswer
from odoo.addons.sms_gateway.tests.common import CUSTOMER

from ..const import RETRY_DELAYS
from ..models import sms_demo_call
from .common import DemoCarrierCase, Loopback


@tagged("post_install", "-at_install")
class TestCarrier(DemoCarrierCase):
    def send(self, body="Hello", **values):
        """Send a text to the customer; returns its row in the ledger."""
        message = self.create_text(body=body, **values).message_id
        self.exchange()
        return message

    def get_text(self):
        """The last text on the customer's telephone."""
        return self.phone._get_texts(1)

    # === DELIVERY === #

    def test_a_text_reaches_its_telephone_and_the_report_reaches_odoo(self):
        message = self.send("Hello Anna")
        text = self.get_text()
        self.assertEqual(
            (text.body, text.address, text.state), ("Hello Anna", "59445012", "delivered")
        )
        self.assertEqual((message.state, message.provider_ref), ("delivered", text.reference))
        self.assertEqual((message.cost, message.currency_id.name), (0.05, "EUR"))

    def test_an_answer_reaches_odoo(self):
        self.send()
        answer = self.phone._answer("Yes 😀\nplease")
        self.assertEqual(answer.state, "waiting")
        self.exchange()
        received = self.get_received()
        self.assertEqual((received.body, received.number), ("Yes 😀\nplease", CUSTOMER))
        self.assertEqual((received.sender_id, answer.state), (self.sender, "delivered"))

    def test_an_answer_goes_to_the_number_that_wrote_last(self):
        other = self._create_sender("Other", "dedicated", "59445013", inbound_enabled=True)
        self.send(sender_id=other.id)
        self.assertEqual(self.phone._answer("Yes").address, "59445013")
        self.assertEqual(self.phone._answer("Yes", "59445012").address, "59445012")

    def test_nobody_answers_a_text_sender(self):
        self.send(sender_id=self.text_sender.id)
        self.sender.inbound_enabled = False
        with self.assertRaises(UserError):
            self.phone._answer("Yes", "Fjord AS")

    def test_an_unknown_number_gets_a_telephone_with_its_owners_name(self):
        self.partner.phone = "+4741000001"
        self.send(number="+4741000001")
        self.send(number="+4790000001")
        phones = self.env["sms.demo.phone"].search([("number", "!=", CUSTOMER)])
        owners = {phone.number: (phone.name, phone.partner_id) for phone in phones}
        self.assertEqual(owners["+4741000001"], ("Anna Hansen", self.partner))
        self.assertEqual(owners["+4790000001"][0], "+47 90 00 00 01")

    def test_many_texts_to_many_telephones(self):
        numbers = [f"+479000{index:04}" for index in range(60)]
        texts = self.env["sms.sms"].create(
            [{"number": n, "body": "Hi", "sender_id": self.sender.id} for n in numbers]
        )
        messages = texts.message_id
        self.exchange()
        self.assertEqual(set(messages.mapped("state")), {"delivered"})
        phones = self.env["sms.demo.phone"].search([("number", "in", numbers)])
        self.assertEqual([len(phone.text_ids) for phone in phones], [1] * 60)

    # === KEYS === #

    def test_by_hand_a_text_waits_for_a_key(self):
        self.carrier.delivery = "manual"
        message = self.send()
        self.assertEqual((self.get_text().state, message.state), ("waiting", "sent"))
        self.get_text()._deliver()
        self.exchange()
        self.assertEqual((self.get_text().state, message.state), ("delivered", "delivered"))

    def test_waiting_texts_go_on_when_the_carrier_delivers_by_itself_again(self):
        self.carrier.delivery = "manual"
        message = self.send()
        self.carrier.delivery = "auto"
        self.exchange()
        self.assertEqual(message.state, "delivered")

    def test_a_failed_text_says_why(self):
        self.carrier.delivery = "manual"
        message = self.send()
        self.get_text()._fail("blocked")
        self.exchange()
        self.assertEqual((message.state, message.failure_type), ("failed", "sms_not_allowed"))
        self.assertEqual(message.failure_reason, "The customer has blocked this sender")

    def test_a_failed_text_says_what_was_typed(self):
        self.carrier.delivery = "manual"
        message = self.send()
        self.get_text().action_fail("other", "Eaten by the dog")
        self.exchange()
        self.assertEqual(message.failure_reason, "Eaten by the dog")

    def test_a_delayed_text_arrives_later(self):
        self.carrier.delivery = "manual"
        message = self.send()
        self.get_text()._delay(3600)
        self.exchange()
        self.assertEqual((self.get_text().state, message.state), ("waiting", "sent"))
        self.get_text().due_at = fields.Datetime.now() - timedelta(seconds=1)
        self.exchange()
        self.assertEqual((self.get_text().state, message.state), ("delivered", "delivered"))

    def test_a_report_told_twice_counts_once(self):
        self.carrier.delivery = "manual"
        message = self.send()
        self.get_text()._duplicate()
        self.exchange()
        self.assertEqual(len(self.get_text().call_ids), 2)
        self.assertEqual(message.state, "delivered")

    def test_reports_in_the_wrong_order_change_nothing(self):
        self.carrier.delivery = "manual"
        message = self.send()
        self.get_text()._reorder()
        self.exchange()
        told = self.get_text().call_ids.sorted("id").mapped("payload")
        self.assertIn("delivered", told[0])
        self.assertIn("on_the_way", told[1])
        self.assertEqual(message.state, "delivered")

    def test_delivered_and_then_failed_stays_delivered(self):
        message = self.send()
        self.get_text()._fail("network")
        self.exchange()
        self.assertEqual((self.get_text().state, message.state), ("failed", "delivered"))

    def test_of_a_lost_text_odoo_never_hears(self):
        self.carrier.delivery = "manual"
        message = self.send()
        self.get_text()._lose()
        self.exchange()
        self.assertEqual((self.get_text().state, message.state), ("lost", "sent"))
        self.assertFalse(self.get_text().call_ids)

    def test_an_answer_told_twice_is_one_text(self):
        self.phone._answer("Yes")._duplicate()
        self.exchange()
        self.assertEqual(self.get_received().mapped("body"), ["Yes"])

    def test_answers_overtake_each_other(self):
        self.phone._answer("first")._reorder()
        self.phone._answer("second")
        self.exchange()
        self.assertEqual(self.get_received().mapped("body"), ["second", "first"])

    def test_a_lost_answer_never_arrives(self):
        answer = self.phone._answer("Yes")
        answer._lose()
        self.exchange()
        self.assertFalse(self.get_received())
        self.assertEqual(answer.state, "lost")

    def test_answers_cannot_be_delivered_by_hand(self):
        with self.assertRaises(UserError):
            self.phone._answer("Yes")._deliver()

    # === TELEPHONES === #

    def test_texts_wait_while_the_telephone_is_switched_off(self):
        self.phone.mode = "off"
        message = self.send()
        self.assertEqual((self.get_text().state, message.state), ("waiting", "sent"))
        self.phone.mode = "on"
        self.exchange()
        self.assertEqual((self.get_text().state, message.state), ("delivered", "delivered"))

    def test_texts_to_a_telephone_out_of_service_fail(self):
        self.phone.mode = "gone"
        message = self.send()
        self.assertEqual(
            (message.state, message.failure_type), ("failed", "sms_invalid_destination")
        )

    def test_numbers_are_understood_as_people_write_them(self):
        self.phone.number = "90 12 34 56"
        self.assertEqual(self.phone.number, "+4790123456")
        with self.assertRaises(UserError):
            self.phone.number = "one two three"

    # === MISCHIEF === #

    def test_everything_told_twice_counts_once(self):
        self.carrier.duplicate_rate = 100
        message = self.send()
        self.phone._answer("Yes")
        self.exchange()
        self.assertEqual(message.state, "delivered")
        self.assertEqual(self.get_received().mapped("body"), ["Yes"])

    def test_a_mean_carrier_fails_or_loses_texts(self):
        self.carrier.fail_rate = 100
        self.assertEqual(self.send().state, "failed")
        self.carrier.write({"fail_rate": 0, "lose_rate": 100})
        self.assertEqual(self.send().state, "sent")

    def test_disorder_puts_off_what_odoo_is_told(self):
        self.carrier.disorder_rate = 100
        call = self.phone._answer("Yes").call_ids
        self.assertGreater(call.due_at, self.env.cr.now())
        self.exchange()
        self.assertEqual(self.get_received().mapped("body"), ["Yes"])

    def test_a_busy_carrier_takes_the_text_later(self):
        self.carrier.busy_rate = 100
        message = self.create_text().message_id
        with self.loopback():
            self.run_lanes()
        self.assertEqual(message.state, "queued")
        self.assertFalse(self.get_text())

    def test_a_silent_carrier_leaves_the_text_unknown_until_it_reports(self):
        self.carrier.write({"silent_rate": 100, "delivery": "manual"})
        message = self.send()
        self.assertEqual(message.state, "unknown")
        self.get_text()._deliver()
        self.exchange()
        self.assertEqual(message.state, "delivered")

    def test_the_same_text_sent_twice_is_one_text(self):
        """The gateway may repeat a request whose answer was lost."""
        self.carrier.delivery = "manual"
        message = self.send()
        request = self.gateway._get_adapter()._prepare_requests(self.gateway, message)[0]
        answers = [Loopback(self.env, self.log)._perform(request).body for _time in range(2)]
        self.assertEqual(answers[0], answers[1])
        self.assertEqual(len(self.phone.text_ids), 1)

    def test_behave_undoes_all_mischief(self):
        self.carrier.write({"fail_rate": 50, "silent_rate": 50, "delivery": "manual"})
        self.carrier.action_behave()
        self.assertEqual((self.carrier.fail_rate, self.carrier.silent_rate), (0, 0))
        self.assertEqual(self.carrier.delivery, "auto")

    # === ACCOUNT === #

    def test_the_balance_counts_the_parts_of_texts(self):
        self.carrier.prepaid = 10
        self.send("x" * 161)
        with self.loopback():
            adapter = self.gateway._get_adapter()
            request = adapter._prepare_balance_request(self.gateway)
            response = Loopback(self.env, self.log)._perform(request)
        self.assertEqual(adapter._parse_balance(self.gateway, response), (8, None))

    def test_deleting_texts_gives_no_texts_back(self):
        self.carrier.prepaid = 10
        self.send()
        self.phone.action_clear()
        self.assertEqual(self.carrier.balance, 9)

    def test_without_a_balance_texts_are_refused(self):
        self.carrier.prepaid = 0
        message = self.send()
        self.assertEqual((message.state, message.failure_type), ("failed", "sms_credit"))

    def test_a_renewed_secret_serves_both_sides(self):
        old = self.gateway.demo_secret
        self.gateway.action_renew_demo_secret()
        self.assertNotEqual(self.gateway.demo_secret, old)
        self.assertEqual(self.send().state, "delivered")

    def test_without_a_secret_nobody_believes_anybody(self):
        self.gateway.demo_secret = False
        message = self.send()
        self.assertEqual((message.state, message.failure_type), ("failed", "sms_configuration"))
        self.phone._answer("Yes")
        with self.loopback(), patch.object(sms_demo_call, "LINGER_SECONDS", 0):
            self.run_carrier()
        self.assertFalse(self.get_received())

    # === WORKER === #

    def test_what_odoo_does_not_take_is_told_again(self):
        call = self.phone._answer("Yes").call_ids
        self.gateway.state = "disabled"
        with self.loopback(), patch.object(sms_demo_call, "LINGER_SECONDS", 0):
            self.run_carrier()
        self.assertEqual((call.state, call.attempts, call.answer), ("waiting", 1, "403"))
        self.gateway.state = "enabled"
        self.exchange()
        self.assertEqual((call.state, call.attempts, call.answer), ("done", 2, "200"))
        self.assertEqual(self.get_received().mapped("body"), ["Yes"])

    def test_the_carrier_gives_up_in_the_end(self):
        call = self.phone._answer("Yes").call_ids
        call.attempts = len(RETRY_DELAYS) + 1
        call._record(NoAnswer("ReadTimeout"))
        self.assertEqual((call.state, call.answer), ("failed", "ReadTimeout"))

    def test_a_call_whose_worker_was_killed_is_made_again(self):
        call = self.phone._answer("Yes").call_ids
        call.state = "calling"
        self.exchange()
        self.assertEqual(call.state, "done")
        self.assertEqual(self.get_received().mapped("body"), ["Yes"])

    def test_calls_of_one_telephone_are_made_one_after_another(self):
        first, second = (self.phone._answer(body).call_ids for body in ("first", "second"))
        other = self.env["sms.demo.phone"].create({"name": "Other", "number": "+4790000002"})
        third = other._answer("third").call_ids
        claimed = self.env["sms.demo.call"]._claim(10)
        self.assertEqual(claimed, first | third)
        self.assertEqual(second.state, "waiting")

    def test_old_calls_are_forgotten(self):
        done, waiting = (self.phone._answer(body).call_ids for body in ("first", "second"))
        done.state = "done"
        (done | waiting).write({"due_at": fields.Datetime.now() - timedelta(days=31)})
        self.env["sms.demo.call"]._gc_calls()
        self.assertFalse(done.exists())
        self.assertTrue(waiting.exists())

    # === SCREEN === #

    def test_the_screen_tells_all_it_shows(self):
        self.send("Hello Anna")
        self.phone._answer("Yes")
        screen = self.env["sms.demo.phone"].get_screen("anna")
        self.assertEqual(screen["count"], 1)
        phone = screen["phones"][0]
        self.assertEqual((phone["name"], phone["number"]), ("Anna Hansen", "+47 91 23 45 67"))
        self.assertEqual([text["body"] for text in phone["texts"]], ["Hello Anna", "Yes"])
        self.assertIn({"address": "59445012", "name": "Sales"}, screen["addresses"])
        names = [carrier["name"] for carrier in screen["carriers"]]
        self.assertIn("Test provider", names)

    def test_the_screen_finds_numbers_as_people_write_them(self):
        found = self.env["sms.demo.phone"].get_screen("91 23 45")
        self.assertIn("Anna Hansen", [phone["name"] for phone in found["phones"]])

    def test_the_screen_tells_of_trouble(self):
        answer = self.phone._answer("Yes")
        answer.call_ids._record(NoAnswer("ReadTimeout"))
        self.assertEqual(answer._format_for_screen()["trouble"], "ReadTimeout")
