import itertools
import json
from datetime import timedelta
from unittest.mock import patch

from psycopg2.errors import SerializationFailure, UniqueViolation

from odoo import fields
from odoo.tests import tagged
from odoo.tests.common import RecordCapturer
from odoo.tools import mute_logger

from odoo.addons.sms_gateway.const import EVENT_RETENTION_DAYS, UNKNOWN_REFERENCE_TRIES
from odoo.addons.sms_gateway.engine.contract import Webhook, WebhookMalformed
from odoo.addons.sms_gateway.models.sms_gateway_event import WAKE_EVERY

from .common import CUSTOMER, SmsGatewayCase

EVENT_LOG = "odoo.addons.sms_gateway.models.sms_gateway_event"


class EventCase(SmsGatewayCase):
    """Calls of the provider, stored and not yet worked off."""

    def store(self, content, kind="inbound"):
        """Store a call, as the controller does after the proof."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        webhook = Webhook(kind=kind, method="POST", url="https://odoo.test/x", body=body)
        key = f"{kind} {self.env['sms.sms']._new_uuid()}"
        self.env["sms.gateway.event"]._store(self.gateway, webhook, key)
        return self.env["sms.gateway.event"].search([("dedup_key", "=", key)])

    def store_text(self, body="Yes", ref=None, **values):
        ref = ref or self.env["sms.sms"]._new_uuid()
        return self.store([{"number": CUSTOMER, "body": body, "provider_ref": ref, **values}])

    def store_report(self, message, state, **values):
        return self.store([{"uuid": message.uuid, "state": state, **values}], "status")

    def work_off(self):
        with self.webhooks():
            self.run_events()

    def received(self):
        return self.env["sms.message"].search([("direction", "=", "in")], order="id")


@tagged("post_install", "-at_install")
class TestEventWorker(EventCase):
    def test_texts_are_taken_in_in_the_order_they_came(self):
        """P4: over several calls, and within one."""
        self.store_text("1")
        self.store_text("2")
        self.store(
            [{"number": CUSTOMER, "body": body, "provider_ref": body} for body in ("3", "4", "5")]
        )
        self.store_text("6")
        self.work_off()
        self.assertEqual(self.received().mapped("body"), ["1", "2", "3", "4", "5", "6"])

    def test_p3_one_text_of_one_reference(self):
        """P3: whatever call it comes in, and however often."""
        text = {"number": CUSTOMER, "body": "Yes", "provider_ref": "ref-1"}
        events = self.store([text, text]) | self.store([text])
        self.work_off()
        self.assertEqual(self.received().mapped("provider_ref"), ["ref-1"])
        self.assertEqual(set(events.mapped("state")), {"done"})
        other = self._create_gateway(name="Another account")
        self.assertTrue(
            self.env["sms.message"]._receive(other, [self.webhook_text(text)]),
            "references are each provider's own",
        )

    def webhook_text(self, text):
        with self.webhooks() as webhooks:
            webhook = Webhook("inbound", "POST", "x", body=json.dumps([text]).encode())
            return webhooks.extract_inbound(None, self.gateway, webhook)[0]

    def test_p7_what_cannot_be_understood_is_parked_and_the_others_go_on(self):
        """P7: visibly, with the reason; replayed after the repair it takes effect once."""
        first, bad, last = self.store_text("1"), self.store(b"no JSON"), self.store_text("2")
        self.work_off()
        self.assertEqual(self.received().mapped("body"), ["1", "2"])
        self.assertEqual((first.state, bad.state, last.state), ("done", "failed", "done"))
        self.assertIn("not JSON", bad.error)
        self.assertEqual(bad.attempts, 1)
        repaired = self.store_text("3")
        bad.payload, repaired.state = repaired.payload, "ignored"
        (bad | first).action_replay()
        self.assertEqual((bad.state, bad.error, bad.attempts), ("new", False, 0))
        self.work_off()
        self.assertEqual(self.received().mapped("body"), ["1", "2", "3"])
        self.assertEqual((bad.state, first.state), ("done", "done"))

    def test_p7_a_fault_of_ours_is_parked_too_and_leaves_nothing_behind(self):
        """P3, P7: effects and *done* are one transaction."""
        event, other = self.store_text("1"), self.store_text("2")
        Message = self.registry["sms.message"]
        route = Message._route_inbound

        def route_inbound(message):
            if message.body == "1":
                raise ZeroDivisionError("fault")
            return route(message)

        with (
            patch.object(Message, "_route_inbound", route_inbound),
            self.assertLogs(EVENT_LOG, "ERROR"),
        ):
            self.work_off()
        self.assertEqual((event.state, event.error, other.state), ("failed", "fault", "done"))
        self.assertEqual(self.received().mapped("body"), ["2"])
        event.action_replay()
        self.work_off()
        self.assertEqual(self.received().mapped("body"), ["2", "1"])

    def test_a_reason_that_cannot_be_stored_does_not_stop_the_queue(self):
        """Some adapters repeat what they got: NUL, half a surrogate, pages of it."""
        for reason in ("\x00", "half \udcff", "long " * 1000, ""):
            with self.subTest(reason[:6]):
                event, other = self.store_text("1"), self.store_text("2")
                with self.webhooks() as webhooks:
                    extract = webhooks.extract_inbound

                    def extract_inbound(adapter, gateway, webhook, reason=reason, extract=extract):
                        texts = extract(adapter, gateway, webhook)
                        if texts[0].body == "1":
                            raise WebhookMalformed(reason)
                        return texts

                    webhooks.extract_inbound = extract_inbound
                    self.run_events()
                self.assertEqual((event.state, other.state), ("failed", "done"))
                self.assertTrue(event.error)

    def test_p4_what_comes_again_does_not_change_the_order(self):
        first, second = ({"number": CUSTOMER, "body": b, "provider_ref": b} for b in ("1", "2"))
        self.store([first, second, first])
        self.work_off()
        self.assertEqual(self.received().mapped("body"), ["1", "2"])

    def test_a_conflict_with_what_somebody_does_is_tried_again(self):
        """He edits what the text changes, or begins the conversation that it begins."""
        for conflict in (SerializationFailure, UniqueViolation):
            event = self.store_text(conflict.__name__)
            with self.failing([conflict("at the same time")] * 2):
                self.work_off()
            self.assertEqual(event.state, "done")
        self.assertEqual(
            self.received().mapped("body"), ["SerializationFailure", "UniqueViolation"]
        )

        event = self.store_text()
        with self.failing(itertools.repeat(SerializationFailure("could not serialize access"))):
            self.work_off()
        self.assertEqual((event.state, event.error), ("failed", "could not serialize access"))

    def failing(self, errors):
        """Have the worker fail with each of the errors, one a try."""
        Event = self.registry["sms.gateway.event"]
        process, errors = Event._process_inbound, iter(errors)

        def process_or_fail(events):
            for error in errors:
                raise error
            return process(events)

        return patch.object(Event, "_process_inbound", process_or_fail)

    def test_a_call_with_nothing_in_it_is_ignored(self):
        for kind in ("inbound", "status"):
            event = self.store([], kind)
            self.work_off()
            self.assertEqual((event.state, event.error), ("ignored", "Nothing in it."))

    def test_a_text_is_kept_as_far_as_it_can_be_stored(self):
        """A NUL in the middle costs the NUL, not the text."""
        self.store_text("Yes\x00 please 🙂 \ud83d")
        self.work_off()
        self.assertEqual(self.received().body, "Yes please 🙂 ?")

    def test_a_replay_does_not_turn_the_clock_back(self):
        """R112: the last text received stays the last."""
        old, new = self.store_text("1"), self.store_text("2")
        old.received_at = "2026-01-01"
        self.work_off()
        latest = self.gateway.last_inbound_at
        self.assertEqual(latest, new.received_at)
        old.action_replay()
        self.work_off()
        self.assertEqual(self.gateway.last_inbound_at, latest)

    def test_a_refused_call_can_never_take_effect(self):
        """P8: there is nothing in it to replay."""
        with self.enter_registry_test_mode():
            self.env["sms.gateway.event"]._count_refusal(self.gateway, "inbound", "signature")
        refused = self.env["sms.gateway.event"].search([("state", "=", "refused")])
        refused.action_replay()
        self.work_off()
        self.assertEqual(refused.state, "refused")

    def test_events_are_kept_for_a_while(self):
        """But what waits is never thrown away."""
        done, waiting, failed = (self.store_text(str(n)) for n in range(3))
        recent = self.store_text("recent")
        done.state, failed.state, recent.state = "done", "failed", "done"
        old = fields.Datetime.now() - timedelta(days=EVENT_RETENTION_DAYS + 1)
        (done | waiting | failed).received_at = old
        self.env.flush_all()
        self.env["sms.gateway.event"]._gc_old()
        self.assertEqual((done | waiting | failed | recent).exists(), waiting | recent)

    def test_a_new_call_wakes_the_worker_and_a_repeated_one_does_not(self):
        self.assertEqual([self.count_wakings("key"), self.count_wakings("key")], [1, 0])

    def test_a_worker_with_work_before_it_is_woken_now_and_then_only(self):
        """It looks for more by itself, unless it was killed."""
        self.count_wakings("first")
        wakings = [self.count_wakings(f"key{n}") for n in range(WAKE_EVERY)]
        self.assertEqual(sorted(wakings), [0] * (WAKE_EVERY - 1) + [1])

    def test_an_event_that_waits_for_its_next_try_keeps_nobody_awake(self):
        self.count_wakings("first")
        self.env["sms.gateway.event"].search([]).retry_at = fields.Datetime.now()
        self.env.flush_all()
        self.assertEqual(self.count_wakings("second"), 1)

    def count_wakings(self, key):
        """Take in a call; return how often the worker was woken after the commit."""
        webhook = Webhook(kind="inbound", method="POST", url="x", body=b"[]")
        cron = self.env.ref("sms_gateway.ir_cron_events")
        with RecordCapturer(self.env["ir.cron.trigger"].sudo()) as triggers:
            with self.enter_registry_test_mode():
                self.env["sms.gateway.event"]._store(self.gateway, webhook, key)
                self.env.cr.postcommit.run()
        return len(triggers.records.filtered(lambda trigger: trigger.cron_id == cron))

    def test_an_idle_tick_reads_an_index(self):
        """P12: however many calls are kept."""
        self.env.cr.execute(
            """
            INSERT INTO sms_gateway_event (gateway_id, kind, dedup_key, state, received_at)
            SELECT %s, 'status', 'idle' || n, 'done', now() FROM generate_series(1, 5000) n
            """,
            [self.gateway.id],
        )
        self.env.cr.execute("ANALYZE sms_gateway_event")
        statements = []
        execute = type(self.env.cr).execute

        def record(cr, query, *args, **kwargs):
            statements.append(query)
            return execute(cr, query, *args, **kwargs)

        with patch.object(type(self.env.cr), "execute", record):
            self.assertFalse(self.env["sms.gateway.event"]._get_due())
        self.env.cr.execute(b"EXPLAIN " + self.env.cr._obj.query)
        plan = "\n".join(row[0] for row in self.env.cr.fetchall())
        self.assertEqual(len(statements), 1)
        self.assertNotIn("Seq Scan on sms_gateway_event", plan)


@tagged("post_install", "-at_install")
class TestDeliveryReports(EventCase):
    def sent(self, **values):
        with self.provider():
            text = self.create_text(**values)
            self.run_lanes()
        self.assertEqual(text.message_id.state, "sent")
        return text.message_id

    def test_a_report_settles_its_text(self):
        """R146, R147: by our own id or by the provider's; with its reason and its price."""
        delivered, failed = self.sent(), self.sent(number="+4790000001")
        self.store_report(delivered, "delivered", cost=0.05, currency="EUR")
        self.store(
            [
                {
                    "provider_ref": failed.provider_ref,
                    "state": "failed",
                    "failure_type": "sms_invalid_destination",
                    "code": "27",
                    "reason": "Absent subscriber",
                }
            ],
            "status",
        )
        self.work_off()
        self.assertEqual((delivered.state, delivered.cost), ("delivered", 0.05))
        self.assertEqual(delivered.currency_id.name, "EUR")
        self.assertTrue(delivered.delivered_at)
        self.assertEqual(failed.state, "failed")
        self.assertEqual(failed._get_failure_words(), "Absent subscriber (27)")
        self.assertTrue(self.gateway.last_status_at)
        self.assertFalse(self.gateway.last_inbound_at)

    def test_p5_reports_in_any_order_and_any_number(self):
        """P5, P3: the first final state stays; on its way never replaces arrived."""
        for states in itertools.chain(
            itertools.permutations(("sent", "delivered")),
            itertools.permutations(("sent", "sent", "failed")),
            itertools.permutations(("sent", "delivered", "failed")),
            [("delivered", "delivered"), ("failed", "failed", "sent", "delivered")],
        ):
            final = next(state for state in states if state != "sent")
            for together in (True, False):
                with self.subTest(states, together=together):
                    message = self.sent()
                    events = self.env["sms.gateway.event"]
                    for state in states:
                        events |= self.store_report(message, state)
                        if not together:
                            self.work_off()
                    self.work_off()
                    self.assertEqual(message.state, final)
                    self.assertEqual(set(events.mapped("state")), {"done"})

    def test_p5_a_report_that_overtakes_the_providers_answer(self):
        """P5: the answer to our request is read later and says less."""
        text = self.create_text().message_id
        with self.provider() as provider:
            parse = provider.parse_response

            def report_first(*args):
                self.env.invalidate_all()
                text._set_delivered()
                self.env.flush_all()
                return parse(*args)

            provider.parse_response = report_first
            self.run_lanes()
        self.assertEqual((text.state, text.provider_ref), ("delivered", f"ref-{text.uuid}"))

    def test_one_report_that_cannot_be_understood_does_not_stop_the_others(self):
        """A batch of calls falls apart into its calls, each with its own fate."""
        first, second = self.sent(), self.sent(number="+4790000001")
        good, bad, last = (
            self.store_report(first, "delivered"),
            self.store([{"state": "delivered"}], "status"),
            self.store_report(second, "failed"),
        )
        self.work_off()
        self.assertEqual((first.state, second.state), ("delivered", "failed"))
        self.assertEqual((good.state, bad.state, last.state), ("done", "failed", "done"))
        self.assertIn("without a reference", bad.error)

    @mute_logger(EVENT_LOG, "odoo.sql_db")
    def test_a_report_that_breaks_the_database_does_not_stop_the_others(self):
        message, expensive = self.sent(), self.sent(number="+4790000001")
        bad = self.store_report(expensive, "delivered", cost=1, currency="x\x00")
        good = self.store_report(message, "delivered")
        self.work_off()
        self.assertEqual((bad.state, good.state, message.state), ("failed", "done", "delivered"))
        self.assertEqual(expensive.state, "sent")

    def test_many_reports_in_one_call(self):
        messages = [self.sent(number=f"+479000000{n}") for n in range(3)]
        reports = [{"uuid": message.uuid, "state": "delivered"} for message in messages]
        event = self.store(reports, "status")
        self.work_off()
        self.assertEqual({message.state for message in messages}, {"delivered"})
        self.assertEqual(event.state, "done")

    def test_a_report_of_an_unknown_text_waits_for_it(self):
        """The provider is faster than our own commit; those known take effect at once."""
        message = self.sent()
        reports = [
            {"uuid": message.uuid, "state": "delivered"},
            {"provider_ref": "soon", "state": "delivered"},
        ]
        event = self.store(reports, "status")
        self.work_off()
        self.assertEqual(message.state, "delivered")
        self.assertEqual((event.state, event.attempts), ("new", 1))
        self.assertGreater(event.retry_at, fields.Datetime.now())
        self.work_off()
        self.assertEqual(event.attempts, 1, "not before its time")
        late = self.sent(number="+4790000001")
        late.provider_ref = "soon"
        event.retry_at = fields.Datetime.now()
        self.work_off()
        self.assertEqual((event.state, late.state), ("done", "delivered"))

    def test_a_report_of_nobodys_text_is_ignored_in_the_end(self):
        """And says which; it can be replayed."""
        event = self.store([{"provider_ref": "nobody", "state": "delivered"}], "status")
        for attempt in range(1, UNKNOWN_REFERENCE_TRIES):
            self.work_off()
            self.assertEqual((event.state, event.attempts), ("new", attempt))
            event.retry_at = fields.Datetime.now()
        self.work_off()
        self.assertEqual(event.state, "ignored")
        self.assertIn("nobody", event.error)
        event.action_replay()
        self.assertEqual((event.state, event.attempts), ("new", 0))

    def test_a_report_settles_no_text_of_another_account(self):
        """Nor one that we received."""
        message = self.sent()
        other = self._create_gateway(name="Another account")
        with self.webhooks() as webhooks:
            body = json.dumps(
                [
                    {"uuid": message.uuid, "state": "failed"},
                    {"provider_ref": message.provider_ref, "state": "failed"},
                ]
            ).encode()
            webhook = Webhook("status", "POST", "x", body=body)
            reports = webhooks.extract_reports(None, other, webhook)
        unknown = self.env["sms.message"]._apply_reports(other, reports)
        self.assertEqual((len(unknown), message.state), (2, "sent"))
        self.store_text(ref="in-1")
        self.work_off()
        self.store([{"provider_ref": "in-1", "state": "failed"}], "status")
        self.work_off()
        self.assertEqual(self.received().state, "received")

    def test_the_price_told_later_is_kept(self):
        message = self.sent()
        message._set_delivered()
        self.store_report(message, "sent", cost=0.07)
        self.work_off()
        self.assertEqual((message.state, message.cost), ("delivered", 0.07))
        self.assertEqual(message.currency_id, self.company.currency_id)
