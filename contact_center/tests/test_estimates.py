from datetime import timedelta

from odoo.tests import tagged

from .common import ContactCenterCase


@tagged("post_install", "-at_install")
class TestEstimates(ContactCenterCase):
    """How long a caller will wait: each method, with its inputs."""

    def estimate(self):
        estimated = self.service._estimate_wait()
        return estimated.seconds, estimated.method

    def tell_stats(self, **figures):
        self.tell("queue.stats", moment=self.env.cr.now(), service="support", **figures)

    def talk(self, count, wait=30, talk=100, wrap_up=20):
        """Calls that were answered lately."""
        now = self.env.cr.now()
        for number in range(count):
            self.env["contact.center.call"].create(
                {
                    "connector_id": self.connector.id,
                    "external_id": f"t{number}",
                    "service_id": self.service.id,
                    "state": "ended",
                    "answered_at": now - timedelta(minutes=number),
                    "wait_seconds": wait,
                    "talk_seconds": talk,
                    "wrap_up_seconds": wrap_up,
                }
            )
        self.service._measure()

    def test_the_exchange_is_believed_while_its_word_is_fresh(self):
        self.tell_stats(ewt_seconds=240, agents_staffed=2, waiting=9)
        self.assertEqual(self.estimate(), (240, "exchange"))
        self.service.exchange_wait_at -= timedelta(seconds=121)
        self.assertEqual(self.estimate(), (900, "formula"))

    def test_calls_ahead_and_agents_at_work(self):
        self.tell_stats(agents_staffed=3, agents_available=0, waiting=4)
        self.assertEqual(self.estimate(), (300, "formula"))

    def test_a_caller_does_not_wait_for_himself(self):
        """R098: who asks is in the line already; those behind him are not before him."""
        calls = [
            {"call_id": f"w{place}", "position": place, "caller": f"+479061234{place}"}
            for place in (1, 2, 3)
        ]
        self.tell_stats(agents_staffed=1, agents_available=0)
        snapshot = {"service": "support", "calls": calls, "agents_staffed": 1}
        self.tell("queue.snapshot", moment=self.env.cr.now(), **snapshot)
        waiting = self.env["contact.center.call"].search(
            [("service_id", "=", self.service.id)], order="position"
        )
        waits = [self.service._get_offer(call=call)["estimated_wait_seconds"] for call in waiting]
        self.assertEqual(waits, [180, 360, 540])
        self.assertEqual(self.estimate(), (720, "formula"))
        self.service.waiting_count = 1  # the others have left; the position is as it was told
        offer = self.service._get_offer(call=waiting[-1])
        self.assertEqual(offer["estimated_wait_seconds"], 180)

    def test_callbacks_are_ahead_too(self):
        self.tell_stats(agents_staffed=3, agents_available=0, waiting=3)
        self.create_callback()
        self.assertEqual(self.estimate(), (300, "formula"))

    def test_a_free_agent_answers_at_once(self):
        self.tell_stats(agents_staffed=3, agents_available=1, waiting=0)
        self.assertEqual(self.estimate(), (0, "formula"))

    def test_enough_calls_tell_the_handling_time(self):
        self.tell_stats(agents_staffed=1, agents_available=0, waiting=1, aht_seconds=60)
        self.talk(9)
        self.assertEqual(self.estimate(), (120, "formula"), "too few: as the exchange says")
        self.env["contact.center.call"].search([]).unlink()
        self.talk(10)
        self.assertEqual(self.estimate(), (240, "formula"))

    def test_the_mean_wait_of_the_last_ten(self):
        """Where nobody tells how many agents are at work."""
        self.talk(12, wait=40)
        self.assertEqual(self.estimate(), (40, "history"))

    def test_calls_without_after_call_work(self):
        """Not every exchange tells how long that takes."""
        self.tell_stats(agents_staffed=1, agents_available=0, waiting=1)
        self.talk(10, wrap_up=None)
        self.assertEqual(self.estimate(), (200, "formula"))

    def test_old_calls_tell_nothing(self):
        self.talk(12)
        self.service.measured_at -= timedelta(minutes=61)
        self.assertEqual(self.estimate(), (None, "unknown"))

    def test_nobody_at_work(self):
        self.tell_stats(agents_staffed=0, waiting=1)
        self.assertEqual(self.estimate(), (None, "unstaffed"))

    def test_the_end_of_a_call_is_measured(self):
        now = self.env.cr.now()
        told = {"call_id": "c1", "service": "support", "agent": "SIP/1"}
        self.tell("call.answered", moment=now - timedelta(minutes=2), wait_seconds=7, **told)
        self.assertFalse(self.service.measured_count)
        self.tell("call.ended", moment=now, talk_seconds=60, wrap_up_seconds=5, **told)
        self.assertEqual(self.service.measured_count, 1)
        self.assertEqual(self.service.measured_aht_seconds, 65)
        self.assertEqual(self.estimate(), (7, "history"))
