from unittest.mock import patch

from odoo.exceptions import ValidationError
from odoo.tests import tagged

from .common import CALLER, FIXED, OTHER, CallbackCase


@tagged("post_install", "-at_install")
class TestNotify(CallbackCase):
    """Who waits to be called back is told when his turn comes near, and may say no."""

    def test_who_comes_near_is_told_once(self):
        """R086, R088, R090: with his name and place; nobody is told twice."""
        self.queue("c1", caller=OTHER)
        callback = self.ask(at=5, name="Anna")
        self.assertFalse(self.get_bodies(), "number two")
        self.tell("call.answered", 10, call_id="c1", agent="1")
        self.assertEqual(self.get_bodies(), ["Anna, number 1"])
        self.assertEqual((callback.state, callback.notify_state), ("notified", "sms"))
        self.tell("callback.position_changed", 20, callback_id=callback.external_id, position=2)
        self.tell("callback.position_changed", 30, callback_id=callback.external_id, position=1)
        self.assertEqual(len(self.get_bodies()), 1)

    def test_who_is_near_already_is_told_at_once(self):
        """R090."""
        self.assertEqual(self.ask().state, "notified")

    def test_who_was_not_reached_is_not_told_again(self):
        """R090: though his turn comes once more; a "no" still takes him out."""
        self.service.max_attempts = 2
        callback = self.ask()
        self.tell("callback.started", 10, callback_id=callback.external_id)
        self.tell("callback.attempt_failed", 20, callback_id=callback.external_id)
        self.assertEqual((callback.state, callback.position), ("waiting", 1))
        self.assertEqual(len(self.get_bodies()), 1)
        self.answer("Nej")
        self.assertEqual(callback.close_reason, "sms_reply")

    def test_the_exchange_says_how_near(self):
        """R090."""
        self.service.notify_position = 3
        self.queue("c1", caller=OTHER)
        for number in range(3):
            self.queue(f"d{number}", at=1, caller=f"+479061240{number}")
        callback = self.ask(at=5)
        self.assertFalse(self.get_bodies())
        self.tell("callback.position_changed", 20, callback_id=callback.external_id, position=3)
        self.assertEqual(len(self.get_bodies()), 1)

    def test_no_takes_him_out_of_the_queue(self):
        """R087, R092: others move up, the exchange is told, and it is counted."""
        first, second = self.ask(), self.ask(OTHER, at=5)
        with patch.object(type(self.connector), "_tell") as told:
            text = self.answer("Nej!")
        self.assertEqual((first.state, first.close_reason), ("cancelled", "sms_reply"))
        self.assertEqual((first.reply_body, text.inbox_state), ("Nej!", False))
        self.assertEqual(told.call_args.args[0], "callback.cancelled")
        self.assertEqual((second.position, second.state), (1, "notified"))
        counts = self.env["contact.center.callback"]._read_group(
            [("close_reason", "=", "sms_reply")], ["service_id"], ["__count"]
        )
        self.assertIn((self.service, 1), counts)

    def test_the_words_for_no(self):
        """R087: in any case, with what stands around them; a part of a longer text is none."""
        for body in ("NEI", "nie.", " no 👎", "Ei!"):
            self.assertTrue(self.service._is_decline(body), body)
        for body in ("no way", "yes", "", "nøy"):
            self.assertFalse(self.service._is_decline(body), body)

    def test_anything_else_waits_in_the_inbox(self):
        """R087: he keeps his place."""
        callback = self.ask()
        text = self.answer("When do you call?")
        self.assertEqual((callback.state, callback.position), ("notified", 1))
        self.assertEqual((text.inbox_state, text.inbox_reason), ("todo", "no_match"))

    def test_no_comes_too_late_when_he_is_being_called(self):
        """R087, decision 9: nothing is counted, and somebody reads it."""
        callback = self.ask()
        self.tell("callback.started", 10, callback_id=callback.external_id, agent="1")
        text = self.answer("Nej")
        self.assertEqual((callback.state, text.inbox_state), ("in_progress", "todo"))
        self.assertFalse(callback.reply_body)

    def test_no_after_the_call_is_late(self):
        callback = self.ask()
        self.tell("callback.completed", 10, callback_id=callback.external_id, agent="1")
        text = self.answer("Nej")
        self.assertEqual((callback.close_reason, text.inbox_reason), ("agent", "late"))

    def test_one_way_no_changes_nothing(self):
        """R093: the reply goes to the inbox."""
        self.service.notify_mode = "one_way"
        callback = self.ask()
        text = self.answer("Nej")
        self.assertEqual(callback.state, "notified")
        self.assertEqual((text.inbox_state, text.inbox_reason), ("todo", "one_way"))

    def test_one_way_from_a_name(self):
        """R089, R093: the service's own choice."""
        self.service.write({"notify_mode": "one_way", "notify_sender_id": self.name_sender.id})
        self.assertEqual(self.ask().notify_message_id.sender_id, self.name_sender)
        with self.assertRaisesRegex(ValidationError, "takes no answers"):
            self.service.notify_mode = "two_way"

    def test_switched_off_nobody_is_told(self):
        """R089."""
        self.service.notify_enabled = False
        self.assertEqual(self.ask().state, "waiting")

    def test_the_channel_fits_the_number(self):
        """R097: all three choices, for both kinds of numbers."""
        expected = {
            ("sms", CALLER): "sms",
            ("sms", FIXED): "skipped",
            ("auto_agent", CALLER): "auto_agent",
            ("auto_agent", FIXED): "auto_agent",
            ("both", CALLER): "sms",
            ("both", FIXED): "auto_agent",
        }
        for (channel, number), told in expected.items():
            self.service.notify_channel = channel
            callback = self.ask(number)
            self.assertEqual(callback.notify_state, told, (channel, number))
            callback._cancel("supervisor")
            callback.external_id = False

    def test_a_number_that_may_be_mobile_is_as_the_service_says(self):
        """R097: in some countries a number does not tell."""
        self.service.notify_position = 2
        for number, counts, told in (
            ("+12015550123", True, "sms"),
            ("+12015550124", False, "skipped"),
        ):
            self.service.ambiguous_is_mobile = counts
            self.assertEqual(self.ask(number).notify_state, told)

    def test_who_has_no_mobile_telephone_keeps_his_place(self):
        """R097, R108: with the reason."""
        callback = self.ask(FIXED)
        self.assertEqual((callback.state, callback.position), ("waiting", 1))
        self.assertIn("no mobile telephone", callback.notify_reason)

    def test_the_auto_agent_is_ordered(self):
        """R094: the call itself is the exchange's."""
        self.service.write({"notify_channel": "auto_agent", "auto_agent_body": "Soon!"})
        with patch.object(type(self.connector), "_tell") as told:
            callback = self.ask()
        event_type, data = told.call_args.args
        self.assertEqual(event_type, "auto_agent.requested")
        self.assertEqual((data["text"], data["phone"]), ("Soon!", CALLER))
        self.assertEqual((data["keep_key"], data["cancel_key"]), ("1", "2"))
        self.assertEqual(callback.state, "notified")

    def test_keys_of_the_auto_agent(self):
        """R095, R096: one keeps his place, the other takes him out, and that is counted."""
        self.service.notify_channel = "auto_agent"
        first, second = self.ask(), self.ask(OTHER, at=5)
        self.tell("auto_agent.result", 9, callback_id=first.external_id, result="keep")
        self.assertEqual((first.state, first.auto_agent_result), ("notified", "keep"))
        self.tell("auto_agent.result", 10, callback_id=first.external_id, result="cancel")
        self.assertEqual((first.state, first.close_reason), ("cancelled", "auto_agent"))
        self.assertEqual(second.position, 1)

    def test_without_an_exchange_nobody_is_called(self):
        self.connector.outbound_url = False
        self.service.notify_channel = "auto_agent"
        callback = self.ask()
        self.assertEqual((callback.state, callback.notify_state), ("waiting", "failed"))
        self.assertIn("in the connector Exchange", callback.notify_reason)

    def test_a_text_that_cannot_go_leaves_him_in_the_queue(self):
        """P10."""
        self.service.notify_body = "Hi {{ object.partner_id.name }}"
        callback = self.ask()
        self.assertEqual((callback.state, callback.notify_state), ("waiting", "failed"))
        self.assertIn("partner_id.name", callback.notify_reason)

    def test_how_each_was_closed_is_one_field(self):
        """R109: what the reports group by."""
        cancelled = self.ask()
        self.answer("nej")
        called = self.ask(OTHER)
        self.tell("callback.completed", 10, callback_id=called.external_id, agent="1")
        self.assertEqual((cancelled + called).mapped("close_reason"), ["sms_reply", "agent"])

    def test_set_up_is_checked(self):
        cases = {
            "must be 1 or more": {"notify_position": 0},
            "choose the sender": {"notify_sender_id": False},
            "list the words for no": {"decline_words": " , "},
            "write what the Auto Agent says": {
                "notify_channel": "both",
                "auto_agent_body": False,
            },
            "two different keys": {"notify_channel": "auto_agent", "cancel_key": "1"},
            "keys of a telephone": {"notify_channel": "both", "keep_key": "A"},
        }
        for words, values in cases.items():
            with self.assertRaisesRegex(ValidationError, words), self.cr.savepoint():
                self.service.write(values)
            self.service.invalidate_recordset()
