import random
from datetime import timedelta

from odoo.tests import tagged

from .common import NOON, ContactCenterCase

SEEDS = range(12)
EVENTS = 60


@tagged("post_install", "-at_install")
class TestWorker(ContactCenterCase):
    """The events of many calls, worked off as the scheduled action does."""

    def store(self, event_id, event_type, at=0, **data):
        self.env["contact.center.event"]._store(
            self.connector, event_id, event_type, NOON + timedelta(seconds=at), data, str(data)
        )

    def run_worker(self):
        self.env.flush_all()
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            self.env(cr=cr)["contact.center.event"]._run()
        self.env.invalidate_all()

    def get_states(self):
        events = self.env["contact.center.event"].search(
            [("connector_id", "=", self.connector.id)], order="id"
        )
        return [(event.event_id, event.state) for event in events]

    def test_one_that_cannot_be_worked_off_holds_up_no_other(self):
        """It is parked with the reason, and can be worked off again once that is mended."""
        self.store("a", "call.queued", service="support", call_id="a")
        self.store("b", "call.queued", service="gone", call_id="b")
        self.store("c", "call.queued", service="support", call_id="c")
        with self.assertLogs("odoo.addons.contact_center", "ERROR"):
            self.run_worker()
        self.assertEqual(self.get_states(), [("a", "done"), ("b", "failed"), ("c", "done")])
        self.assertEqual(self.service.waiting_count, 2)
        parked = self.env["contact.center.event"].search([("event_id", "=", "b")])
        self.assertEqual(parked.error, "There is no service gone.")
        self.create_service("Gone", "gone")
        parked.action_replay()
        self.run_worker()
        self.assertEqual((parked.state, self.find_call("b").state), ("done", "queued"))

    def test_when_the_exchange_last_told_something(self):
        self.store("a", "call.missed", call_id="a")
        self.run_worker()
        self.assertTrue(self.connector.last_event_at)

    def test_random_days_keep_the_books(self):
        """Whatever is told, in whatever order: who waits is counted, and the line is in order."""
        for seed in SEEDS:
            with self.subTest(seed=seed):
                self.play(random.Random(seed), seed)  # noqa: S311
                self.check_books()

    def play(self, chance, seed):
        told = [self.make_up(chance, seed, number) for number in range(EVENTS)]
        for number, (event_type, at, data) in enumerate(told):
            self.store(f"{seed}-{number}", event_type, at, **data)
        self.run_worker()
        unfinished = [state for _id, state in self.get_states() if state in ("new", "failed")]
        self.assertFalse(unfinished)

    def make_up(self, chance, seed, number):
        """An event that an exchange might tell at that moment, or twice, or too late."""
        call = chance.randrange(8)
        at = number * 10 + chance.choice([0, 0, -35, 5])
        call_id, phone = f"{seed}-{call}", f"+47906{seed:02d}{call:03d}"
        kinds = {
            "call.queued": {"service": "support", "caller": phone, "priority": call % 2},
            "call.left_queue": {"reason": chance.choice(["unknown", "abandoned", "callback"])},
            "call.answered": {"agent": f"SIP/{call % 3}"},
            "call.ended": {"reason": "caller", "talk_seconds": 30},
        }
        event_type = chance.choice([*kinds, "callback.requested"])
        if event_type == "callback.requested":
            return event_type, at, {"service": "support", "phone": phone, "call_id": call_id}
        return event_type, at, {"call_id": call_id, **kinds[event_type]}

    def check_books(self):
        calls = self.env["contact.center.call"].search(
            [("service_id", "=", self.service.id), ("state", "=", "queued")]
        )
        self.assertEqual(self.service.waiting_count, len(calls))
        callbacks = self.env["contact.center.callback"].search(
            [("service_id", "=", self.service.id), ("state", "=", "waiting")]
        )
        line = sorted(
            [*calls, *callbacks],
            key=lambda record: (
                -record.priority,
                record.queued_at,
                record._name == "contact.center.callback",
                record.id,
            ),
        )
        expected = {
            record: place
            for place, record in enumerate(line, start=1)
            if record._name == "contact.center.callback"
        }
        self.assertEqual({callback: callback.position for callback in callbacks}, expected)
