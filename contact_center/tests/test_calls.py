from datetime import timedelta
from itertools import permutations
from pathlib import Path

from odoo.modules.module import get_module_path
from odoo.tests import tagged

from .common import CALLER, NOON, ContactCenterCase


@tagged("post_install", "-at_install")
class TestCalls(ContactCenterCase):
    """What the exchange tells of calls, in whatever order it comes."""

    def test_a_call_waits_is_answered_and_ends(self):
        call = self.queue(at=0, position=1, waiting=1)
        self.assertEqual((call.state, call.number, call.position), ("queued", CALLER, 1))
        self.assertEqual(self.service.waiting_count, 1)
        self.tell("call.left_queue", 10, call_id="c1", reason="unknown")
        self.tell("call.answered", 11, call_id="c1", agent="SIP/1", agent_name="Ola")
        self.assertEqual((call.state, call.agent_id.name), ("answered", "Ola"))
        self.assertEqual(self.service.waiting_count, 0)
        self.tell("call.ended", 71, call_id="c1", reason="caller")
        self.assertEqual((call.state, call.wait_seconds, call.talk_seconds), ("ended", 11, 60))

    def test_every_order_of_events_ends_the_same(self):
        """Out of order, repeated: the facts are the same in the end."""
        told = [
            ("call.queued", 0, {"service": "support", "caller": CALLER}),
            ("call.left_queue", 9, {"reason": "answered"}),
            ("call.answered", 10, {"agent": "SIP/1"}),
            ("call.ended", 70, {"reason": "agent", "talk_seconds": 60, "wrap_up_seconds": 5}),
        ]
        for number, order in enumerate(permutations(told)):
            for event_type, at, data in order:
                self.tell(event_type, at, call_id=f"p{number}", **data)
            call = self.find_call(f"p{number}")
            with self.subTest(order=[event_type for event_type, *_ in order]):
                self.assertEqual(call.state, "ended")
                self.assertEqual(call.service_id, self.service)
                self.assertEqual(call.agent_id.external_id, "SIP/1")
                self.assertEqual((call.talk_seconds, call.wrap_up_seconds), (60, 5))
                self.assertEqual(call.queued_at, NOON)
        self.assertEqual(self.service.waiting_count, 0)

    def test_the_end_may_be_told_first(self):
        """Though the exchange says of it neither who answered nor for how long."""
        self.tell("call.ended", 70, call_id="e", reason="caller")
        call = self.find_call("e")
        self.assertEqual(call.state, "missed")
        self.tell("call.answered", 10, call_id="e", agent="SIP/1", service="support")
        self.assertEqual((call.state, call.talk_seconds), ("ended", 60))

    def test_an_answer_after_the_end_is_another_talk(self):
        """A call that comes back is not over before it ends again."""
        call = self.queue(at=0)
        self.tell("call.answered", 10, call_id="c1", agent="SIP/1")
        self.tell("call.ended", 70, call_id="c1", reason="transfer")
        self.queue(at=80)
        self.tell("call.answered", 90, call_id="c1", agent="SIP/2")
        self.assertEqual((call.state, call.agent_id.external_id), ("answered", "SIP/2"))

    def test_hanging_up_is_told_before_leaving(self):
        """As Asterisk does: Abandon, then Leave of the same moment."""
        call = self.queue()
        self.tell("call.left_queue", 5, call_id="c1", reason="abandoned", wait_seconds=5)
        event = self.tell("call.left_queue", 4, call_id="c1", reason="unknown")
        self.assertEqual(event.state, "stale")
        self.assertEqual((call.state, call.leave_reason), ("abandoned", "abandoned"))

    def test_a_call_that_comes_back_waits_again(self):
        call = self.queue(at=0)
        self.tell("call.answered", 10, call_id="c1", agent="SIP/1")
        self.queue(at=60)
        self.assertEqual((call.state, self.service.waiting_count), ("queued", 1))
        self.assertEqual(call.queued_at, NOON, "the place it had")

    def test_an_exchange_that_is_attached_late(self):
        """The end of a call that nobody told of makes it known."""
        self.tell("call.ended", 5, call_id="new", caller=CALLER, agent="SIP/1", service="support")
        call = self.find_call("new")
        self.assertEqual((call.state, call.number), ("ended", CALLER))
        self.assertEqual(self.service.waiting_count, 0)

    def test_the_last_agent_and_service_are_the_calls(self):
        """R110: of a call that was transferred."""
        sales = self.create_service("Sales", "sales")
        call = self.queue()
        self.tell("call.answered", 10, call_id="c1", agent="SIP/1")
        self.tell("call.transferred", 20, call_id="c1", to_service="sales", to_agent="SIP/2")
        self.tell("call.ended", 60, call_id="c1", reason="caller")
        self.assertEqual((call.service_id, call.agent_id.external_id), (sales, "SIP/2"))

    def test_a_transfer_told_after_the_end_names_the_last_agent(self):
        """R110: events overtake each other; who talked last is who the survey asks about."""
        sales = self.create_service("Sales", "sales")
        call = self.queue()
        self.tell("call.answered", 10, call_id="c1", agent="SIP/1")
        self.tell("call.ended", 60, call_id="c1", reason="caller")
        late = self.tell("call.transferred", 20, call_id="c1", to_agent="SIP/2")
        self.assertEqual((late.state, call.state), ("stale", "ended"))
        self.assertEqual((call.service_id, call.agent_id.external_id), (self.service, "SIP/2"))
        self.tell("call.transferred", 60, call_id="c1", to_service="sales", to_agent="SIP/3")
        self.assertEqual((call.service_id, call.agent_id.external_id), (sales, "SIP/3"))
        self.tell("call.transferred", 30, call_id="c1", to_service="support", to_agent="SIP/4")
        self.assertEqual((call.service_id, call.agent_id.external_id), (sales, "SIP/3"))
        self.assertEqual(call.state, "ended")

    def test_a_snapshot_makes_up_for_what_was_not_told(self):
        self.queue("c1", at=0)
        self.queue("c2", at=1, caller="+4790612346")
        calls = [
            {"call_id": "c2", "position": 1, "caller": "+4790612346", "wait_seconds": 99},
            {"call_id": "c3", "position": 2, "caller": "+4790612347", "wait_seconds": 40},
        ]
        self.tell("queue.snapshot", 100, service="support", calls=calls, agents_staffed=2)
        self.assertEqual(self.find_call("c1").state, "left")
        self.assertEqual(self.find_call("c3").queued_at, NOON + timedelta(seconds=60))
        self.assertEqual((self.service.waiting_count, self.service.agents_staffed), (2, 2))

    def test_a_number_that_is_withheld_is_none(self):
        call = self.queue(caller="anonymous")
        self.assertFalse(call.number)
        self.assertEqual(call.caller_raw, "anonymous")

    def test_the_contact_with_the_number_is_known(self):
        partner = self.env["res.partner"].create({"name": "Anna", "phone": CALLER})
        self.assertEqual(self.queue().partner_id, partner)

    def test_the_contact_of_another_company_is_not(self):
        other = self.env["res.company"].create({"name": "Other"})
        self.env["res.partner"].create({"name": "Anna", "phone": CALLER, "company_id": other.id})
        self.assertFalse(self.queue().partner_id)

    def test_calls_that_were_forgotten_wait_no_more(self):
        call = self.queue()
        call.queued_at = self.env.cr.now() - timedelta(hours=13)
        self.env["contact.center.callback"]._run_due()
        self.assertEqual((call.state, call.leave_reason), ("left", "unknown"))
        self.assertEqual(self.service.waiting_count, 0)

    def test_talks_that_were_forgotten_are_over(self):
        """The exchange was restarted in the middle of a call, and tells no end of it."""
        call = self.queue()
        self.tell("call.answered", 10, call_id="c1", agent="SIP/1")
        call.answered_at = self.env.cr.now() - timedelta(hours=13)
        self.env["contact.center.callback"]._run_due()
        self.tell("call.transferred", 20, call_id="c1", to_agent="SIP/2")
        self.assertEqual((call.state, call.ended_at, call.talk_seconds), ("ended", False, 0))

    def test_an_end_with_a_talk_tells_of_the_answer_that_was_missed(self):
        """Its event is lost: the call was answered all the same, and counts so."""
        call = self.queue()
        self.tell("call.ended", 100, call_id="c1", reason="caller", talk_seconds=70)
        self.assertEqual(call.answered_at, NOON + timedelta(seconds=30))
        self.assertEqual((call.state, call.answered_rate), ("ended", 1))

    def test_an_agents_name_may_be_told_late(self):
        """First he is known by his telephone, by which nobody knows him."""
        agents = self.env["contact.center.agent"]
        self.tell("agent.state_changed", 0, agent="SIP/9", state="available")
        agent = agents.search([("external_id", "=", "SIP/9")])
        self.assertEqual(agent.name, "SIP/9")
        self.tell("agent.state_changed", 1, agent="SIP/9", agent_name="Kari", state="busy")
        self.assertEqual(agent.name, "Kari")
        self.tell("agent.state_changed", 2, agent="SIP/9", agent_name="Kari N.", state="busy")
        self.assertEqual(agent.name, "Kari", "a name may have been corrected in Odoo")

    def test_an_exchange_that_tells_figures_and_no_calls_is_believed(self):
        """As long as it goes on telling them."""
        self.tell("queue.stats", moment=self.env.cr.now(), service="support", waiting=7)
        self.env["contact.center.call"]._recount()
        self.assertEqual(self.service.waiting_count, 7)
        self.service.waiting_told_at -= timedelta(minutes=11)
        staffed = {"service": "support", "agents_staffed": 2}
        self.tell("queue.stats", moment=self.env.cr.now(), **staffed)
        self.env["contact.center.call"]._recount()
        self.assertEqual(self.service.waiting_count, 0, "of those who wait it tells no more")

    def test_an_event_of_an_unknown_kind_is_ignored(self):
        self.assertEqual(self.tell("moon.full").state, "ignored")

    def test_an_event_whose_name_only_looks_like_a_known_one_is_ignored(self):
        """Nothing of it was checked."""
        call = self.queue()
        event = self.tell("call.left.queue", 5, call_id="c1", reason="abandoned")
        self.assertEqual((event.state, call.state), ("ignored", "queued"))

    def test_a_call_that_comes_back_without_its_priority(self):
        """Nought is told, and holds, as any other number."""
        call = self.queue(priority=5)
        self.queue(at=60, priority=0)
        self.assertEqual(call.priority, 0)

    def test_a_repetition_is_no_event(self):
        events = self.env["contact.center.event"]
        args = (self.connector, "same", "call.missed", NOON, {"call_id": "m"})
        self.assertEqual(events._store(*args, "hash"), "accepted")
        self.assertEqual(events._store(*args, "hash"), "duplicate")
        self.assertEqual(events._store(*args, "other"), "conflict")

    def test_states_of_agents(self):
        self.tell("agent.state_changed", 10, agent="SIP/1", state="break", break_type="lunch")
        event = self.tell("agent.state_changed", 5, agent="SIP/1", state="available")
        agent = self.env["contact.center.agent"].search([("external_id", "=", "SIP/1")])
        self.assertEqual((event.state, agent.state, agent.break_type), ("stale", "break", "lunch"))

    def test_p9_a_neutralised_copy_is_no_exchanges(self):
        """P9: no token opens it, and it tells nobody."""
        token = self.connector._renew_token()
        self.connector.write({"outbound_url": "https://pbx.example.com", "outbound_secret": "s"})
        self.connector._tell("callback.created", {})
        self.env.flush_all()
        path = Path(get_module_path("contact_center"), "data", "neutralize.sql")
        self.cr.execute(path.read_text())
        self.env.invalidate_all()
        self.assertFalse(self.connector._find_by_token(token))
        self.assertFalse(self.connector.outbound_url or self.connector.outbound_secret)
        self.assertFalse(self.env["contact.center.delivery"].search([("state", "=", "waiting")]))
