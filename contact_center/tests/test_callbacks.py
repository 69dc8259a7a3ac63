from datetime import timedelta
from unittest.mock import patch

from psycopg2 import IntegrityError

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..models.contact_center_callback import CallbackRefused
from .common import CALLER, NOON, ContactCenterCase

OTHER = "+4790612346"
THIRD = "+4790612347"


@tagged("post_install", "-at_install")
class TestCallbacks(ContactCenterCase):
    """The line of callbacks, and who may take one."""

    def test_whoever_asks_keeps_his_place(self):
        """Waiting calls and callbacks stand in one line, by the moment they joined."""
        self.queue("c1", at=0)
        self.queue("c2", at=5, caller=OTHER)
        self.queue("c3", at=9, caller=THIRD)
        self.tell("call.left_queue", 20, call_id="c2", reason="callback")
        self.tell(
            "callback.requested", 21, service="support", phone=OTHER, call_id="c2", callback_id="k"
        )
        self.assertEqual(self.get_line(), [(2, OTHER)])
        self.tell("call.answered", 30, call_id="c1", agent="SIP/1")
        self.assertEqual(self.get_line(), [(1, OTHER)])

    def test_priority_goes_first(self):
        self.create_callback(OTHER, at=0)
        self.create_callback(THIRD, at=9, priority=5)
        self.assertEqual(self.get_line(), [(1, THIRD), (2, OTHER)])

    def test_others_move_up_when_one_is_cancelled(self):
        """R087: and the exchange is told."""
        first, _second = self.create_callback(OTHER), self.create_callback(THIRD, at=5)
        with patch.object(type(self.connector), "_tell") as told:
            self.assertTrue(first._cancel("sms_reply"))
        self.assertEqual(self.get_line(), [(1, THIRD)])
        self.assertEqual(told.call_args.args[0], "callback.cancelled")
        self.assertEqual(told.call_args.args[1]["reason"], "sms_reply")
        self.assertEqual((first.state, first.close_reason), ("cancelled", "sms_reply"))

    def test_the_exchange_is_told_of_one_made_by_hand(self):
        """R086: it may call the customer back, and it can take the callback for itself."""
        values = {"service_id": self.service.id, "number": OTHER}
        with patch.object(type(self.connector), "_tell") as told:
            callback = self.env["contact.center.callback"].create(values)
        self.assertEqual(callback.connector_id, self.connector)
        self.assertEqual(told.call_args.args[0], "callback.created")
        self.assertEqual(told.call_args.args[1]["phone"], OTHER)
        with patch.object(type(self.connector), "_tell") as told:
            self.tell("callback.requested", service="support", phone=THIRD, callback_id="k")
        self.assertFalse(told.called, "What the exchange has told is not told to it.")

    def test_of_several_exchanges_that_of_the_service_is_told(self):
        other = self.connector.copy({"code": "other"})
        self.tell("call.queued", call_id="c1", service="support", caller=THIRD)
        values = {"service_id": self.service.id, "number": OTHER}
        callback = self.env["contact.center.callback"].create(values)
        self.assertEqual(callback.connector_id, self.connector)
        self.assertNotEqual(callback.connector_id, other)

    def test_the_exchange_may_know_better(self):
        """Until the line moves again."""
        self.create_callback(OTHER, external_id="k")
        self.tell("callback.position_changed", 5, callback_id="k", position=4)
        self.assertEqual(self.get_line(), [(4, OTHER)])
        self.create_callback(THIRD, at=9)
        self.assertEqual(self.get_line(), [(1, OTHER), (2, THIRD)])

    def test_one_of_two_claims_wins(self):
        callback = self.create_callback()
        callback._claim()
        with self.assertRaises(CallbackRefused) as refused:
            callback._claim()
        self.assertEqual(refused.exception.code, "already_claimed")
        callback._complete()
        with self.assertRaises(CallbackRefused) as refused:
            callback._claim()
        self.assertEqual(refused.exception.code, "callback_closed")
        self.assertEqual(callback.close_reason, "agent")

    def test_no_comes_too_late_once_it_is_being_dialled(self):
        """Decision 9."""
        callback = self.create_callback()
        callback._claim()
        self.assertFalse(callback._cancel("sms_reply", states=("waiting", "notified")))
        self.assertEqual(callback.state, "in_progress")

    def test_who_asks_twice_has_one(self):
        values = {"service_id": self.service.id, "number": CALLER}
        first, existed = self.env["contact.center.callback"]._request(values)
        again, exists = self.env["contact.center.callback"]._request(values)
        self.assertEqual((first, existed, exists), (again, False, True))

    def test_an_attempt_that_failed_goes_to_the_end_of_the_queue(self):
        self.service.write({"max_attempts": 2, "retry_minutes": 10})
        callback = self.create_callback(OTHER, external_id="k")
        self.create_callback(THIRD, at=5)
        self.tell("callback.started", 10, callback_id="k", agent="SIP/1")
        self.assertEqual((callback.state, self.get_line()), ("in_progress", [(1, THIRD)]))
        retry_at = (NOON + timedelta(hours=1)).isoformat() + "Z"
        self.tell("callback.attempt_failed", 30, callback_id="k", reason="busy", retry_at=retry_at)
        self.assertEqual(self.get_line(), [(1, THIRD), (2, OTHER)])
        self.assertEqual(callback.next_attempt_at, NOON + timedelta(hours=1))
        self.tell("callback.started", 4000, callback_id="k")
        self.tell("callback.attempt_failed", 4030, callback_id="k", reason="no_answer")
        self.assertEqual((callback.state, callback.close_reason), ("failed", "no_answer"))

    def test_a_retry_that_is_due_already_goes_to_the_end_too(self):
        """Whatever moment the exchange tells, nobody is overtaken by who was not reached."""
        self.service.max_attempts = 2
        self.create_callback(OTHER, external_id="k")
        self.create_callback(THIRD, at=5)
        self.tell("callback.started", 10, callback_id="k")
        self.tell("callback.attempt_failed", 30, callback_id="k", retry_at=f"{NOON.isoformat()}Z")
        self.assertEqual(self.get_line(), [(1, THIRD), (2, OTHER)])

    def test_how_each_was_closed(self):
        """R109: by the agent, the caller, the exchange, the Auto Agent, or nobody in time."""
        cases = {
            "agent": ("callback.completed", {"agent": "SIP/1", "talk_seconds": 60}),
            "caller": ("callback.cancelled", {"reason": "caller"}),
            "exchange": ("callback.cancelled", {"reason": "system"}),
            "expired": ("callback.cancelled", {"reason": "expired"}),
            "auto_agent": ("auto_agent.result", {"result": "cancel"}),
        }
        for reason, (event_type, data) in cases.items():
            callback = self.create_callback(external_id=reason)
            self.tell(event_type, 10, callback_id=reason, **data)
            self.assertEqual(callback.close_reason, reason)
        reported = self.env["contact.center.callback"]._read_group(
            [("service_id", "=", self.service.id)], ["close_reason"], ["__count"]
        )
        self.assertEqual(dict(reported), dict.fromkeys(cases, 1))

    def test_a_key_of_the_auto_agent_takes_nobody_out_who_is_being_called(self):
        callback = self.create_callback(external_id="k")
        callback._claim()
        event = self.tell("auto_agent.result", 10, callback_id="k", result="cancel")
        self.assertEqual((event.state, callback.state), ("stale", "in_progress"))

    def test_an_event_that_was_overtaken_changes_nothing(self):
        callback = self.create_callback(external_id="k")
        self.tell("callback.completed", 60, callback_id="k", agent="SIP/1")
        event = self.tell("callback.started", 50, callback_id="k")
        self.assertEqual((event.state, callback.state), ("stale", "completed"))

    def test_an_unknown_callback_is_told(self):
        event = self.tell("callback.started", 0, callback_id="nope")
        self.assertEqual(event.state, "failed")
        self.assertIn("no callback nope", event.error)

    def test_an_id_that_another_callback_has(self):
        """What cannot be taken in is parked with the reason."""
        self.create_callback(OTHER, external_id="k")
        with mute_logger("odoo.sql_db"):
            event = self.tell("callback.requested", service="support", phone=THIRD, callback_id="k")
        self.assertEqual(event.state, "failed")
        self.assertIn("has the id k", event.error)

    def test_nobody_waits_for_ever(self):
        callback = self.create_callback()
        self.assertEqual(callback.expires_at - callback.requested_at, timedelta(hours=72))
        callback.expires_at = self.env.cr.now() - timedelta(seconds=1)
        self.env["contact.center.callback"]._run_due()
        self.assertEqual((callback.state, callback.close_reason), ("expired", "expired"))

    def test_who_is_being_called_does_not_expire(self):
        """But where somebody took it, and never said how it went."""
        callback = self.create_callback()
        callback._claim()
        callback.expires_at = self.env.cr.now() - timedelta(seconds=1)
        self.env["contact.center.callback"]._run_due()
        self.assertEqual(callback.state, "in_progress")
        callback.started_at = self.env.cr.now() - timedelta(hours=13)
        self.env["contact.center.callback"]._run_due()
        self.assertEqual(callback.state, "expired")

    def test_a_wrong_number_is_told_with_the_remedy(self):
        with self.assertRaisesRegex(UserError, "Telephone: “12” is no telephone number. Enter it"):
            self.create_callback("12")

    def test_in_a_company_without_a_country_numbers_have_their_own(self):
        self.company.country_id = False
        self.assertEqual(self.create_callback("+47 906 12 345").number, CALLER)
        with self.assertRaisesRegex(UserError, "with its country code"):
            self.create_callback("906 12 346")

    def test_a_service_is_needed(self):
        """Odoo's own words, as for any field."""
        callbacks = self.env["contact.center.callback"]
        with self.assertRaisesRegex(IntegrityError, "service_id"), mute_logger("odoo.sql_db"):
            callbacks.create({"number": CALLER})

    def test_one_is_found_by_its_id_at_the_exchange_or_ours(self):
        ours, theirs = self.create_callback(OTHER), self.create_callback(external_id="k-1")
        find = self.env["contact.center.callback"]._find_by_public_id
        self.assertEqual(find(self.connector, str(ours.id)), ours)
        self.assertEqual(find(self.connector, "k-1"), theirs)
        self.assertFalse(find(self.connector, str(theirs.id)), "it has a name of its own there")
        self.assertFalse(find(self.connector, "9" * 30))
        other = self.connector.copy({"code": "x", "company_id": self.env.company.id})
        self.assertFalse(find(other, str(ours.id)))

    def test_work_by_hand(self):
        callback = self.create_callback()
        with self.assertRaisesRegex(UserError, "Take .* first"):
            callback.action_done()
        callback.action_claim()
        self.assertEqual(callback.user_id, self.env.user)
        with self.assertRaisesRegex(UserError, "is being called by"):
            callback.action_claim()
        callback.action_done()
        self.assertEqual((callback.state, callback.attempts), ("completed", 1))
