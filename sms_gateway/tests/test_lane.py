import re
import threading
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.tests import tagged
from odoo.tools import SQL, mute_logger

from odoo.addons.sms_gateway.const import RETRY_DELAYS
from odoo.addons.sms_gateway.engine import transport
from odoo.addons.sms_gateway.engine.contract import DeliveryReport, SendResult
from odoo.addons.sms_gateway.engine.transport import NoAnswer, NotSent

from .common import CUSTOMER, SmsGatewayCase


@tagged("post_install", "-at_install")
class TestLane(SmsGatewayCase):
    def leave_claimed(self, text):
        """The state in which a killed run leaves a text: claimed, its answer not recorded."""
        self.env.flush_all()
        self.env.cr.execute("UPDATE sms_sms SET state = 'process' WHERE id = %s", [text.id])
        self.env.cr.execute(
            "UPDATE sms_message SET state = 'sending' WHERE id = %s", [text.message_id.id]
        )
        self.env.invalidate_all()

    def test_a_text_leaves_after_the_commit_and_its_state_shows_everywhere(self):
        """R146: the state stands under the message; ledger, tracker, notification agree."""
        message = self.send_from_record("Hello Anna")
        text = self.env["sms.message"].search([("mail_message_id", "=", message.id)])
        self.assertEqual((text.state, text.number, text.body), ("queued", CUSTOMER, "Hello Anna"))
        self.assertEqual(message.notification_ids.notification_status, "ready")
        with self.provider() as provider:
            self.run_lanes()
        self.assertEqual(
            provider.sent, [{"number": CUSTOMER, "body": "Hello Anna", "from": "59445012"}]
        )
        self.assertEqual((text.state, text.provider_ref), ("sent", f"ref-{text.uuid}"))
        self.assertEqual(message.notification_ids.notification_status, "pending")
        text._set_delivered()
        self.assertEqual(message.notification_ids.notification_status, "sent")

    def test_a_text_is_sent_once(self):
        """P2: another run of the lane finds nothing to send."""
        self.create_text()
        with self.provider() as provider:
            self.run_lanes()
            self.run_lanes()
        self.assertEqual(len(provider.sent), 1)

    def test_refused_for_good_shows_the_providers_words(self):
        """R147, R148: the failure has our words, the provider's words and its code."""
        message = self.send_from_record()
        with self.provider() as provider:
            provider.answers[CUSTOMER] = {
                "outcome": "failed",
                "failure_type": "sms_invalid_destination",
                "code": "21211",
                "reason": "InvalidSendingParameters",
            }
            self.run_lanes()
        notification = message.notification_ids
        self.assertEqual(notification.notification_status, "exception")
        self.assertEqual(notification.failure_type, "sms_invalid_destination")
        self.assertEqual(notification.failure_reason, "InvalidSendingParameters (21211)")

    def test_a_lost_answer_is_unknown_and_never_sent_again(self):
        """P2: what may or may not have gone is shown as unknown."""
        text = self.create_text()
        with self.provider() as provider:
            provider.answers[CUSTOMER] = NoAnswer("ReadTimeout")
            self.run_lanes()
            provider.answers.clear()
            self.run_lanes()
        self.assertEqual(len(provider.sent), 1)
        self.assertEqual(text.message_id.state, "unknown")
        self.assertEqual(text.message_id.failure_type, "sms_no_answer")

    def test_a_delivery_report_settles_an_unknown_text(self):
        text = self.create_text()
        with self.provider() as provider:
            provider.answers[CUSTOMER] = NoAnswer("ReadTimeout")
            self.run_lanes()
        text.message_id._set_delivered()
        self.assertEqual(text.message_id.state, "delivered")

    def test_what_did_not_leave_is_tried_again_later_and_later(self):
        text = self.create_text()
        with self.provider() as provider:
            provider.answers[CUSTOMER] = NotSent("NewConnectionError")
            self.run_lanes()
            self.assertEqual((text.message_id.state, text.attempts), ("queued", 1))
            self.assertGreater(text.send_after, fields.Datetime.now())
            self.run_lanes()
            self.assertEqual(text.attempts, 1, "not before its time")
            provider.answers.clear()
            text.send_after = fields.Datetime.now() - timedelta(hours=1)
            self.run_lanes()
        self.assertEqual(text.message_id.state, "sent")

    def test_after_the_last_try_the_text_has_failed(self):
        text = self.create_text()
        text.attempts = len(RETRY_DELAYS)
        with self.provider() as provider:
            provider.answers[CUSTOMER] = NotSent("NewConnectionError")
            self.run_lanes()
        self.assertEqual(text.message_id.state, "failed")
        self.assertEqual(text.message_id.failure_type, "sms_server")

    def test_retry_after_pauses_the_whole_gateway(self):
        first, second = self.create_text(), self.create_text(number="+4790000001")
        self.gateway.max_in_flight = 1
        with self.provider() as provider:
            provider.answers[CUSTOMER] = {"outcome": "retry", "retry_after": 30}
            self.run_lanes()
        self.assertEqual(provider.numbers, [CUSTOMER])
        self.assertEqual((first.state, second.state), ("outgoing", "outgoing"))

    def test_texts_to_one_customer_leave_in_order_over_lanes(self):
        """P4: an earlier text in a slower lane is hurried, never overtaken."""
        self.create_text(body="1", lane="bulk")
        self.create_text(body="other", number="+4790000001", lane="bulk")
        self.create_text(body="2", lane="chat")
        with self.provider() as provider:
            self.run_lanes("chat")
            self.assertEqual(provider.bodies, ["1", "2"])

    def test_a_text_waits_for_the_earlier_one_that_is_tried_again(self):
        """P4: no overtaking while the first waits for its next try."""
        first = self.create_text(body="1")
        with self.provider() as provider:
            provider.answers[CUSTOMER] = NotSent("NewConnectionError")
            self.run_lanes()
            provider.answers.clear()
            self.create_text(body="2")
            self.run_lanes()
            self.assertEqual(provider.bodies, [])
            first.send_after = False
            self.run_lanes()
        self.assertEqual(provider.bodies, ["1", "2"])

    def test_a_claimed_text_of_a_dead_run_is_unknown(self):
        """P2: the process was killed between claim and record."""
        text = self.create_text()
        self.leave_claimed(text)
        with self.provider() as provider:
            self.run_lanes()
        self.assertFalse(provider.sent)
        self.assertEqual(text.message_id.state, "unknown")

    def test_where_the_provider_recognises_repetitions_a_dead_runs_text_is_sent(self):
        text = self.create_text()
        self.leave_claimed(text)
        adapter = type(self.env["sms.gateway.adapter.none"])
        features = self.env["sms.gateway.adapter.none"]._get_features()
        with (
            patch.object(adapter, "_get_features", lambda self: {**features, "idempotency": True}),
            self.provider() as provider,
        ):
            self.run_lanes()
        self.assertEqual(len(provider.sent), 1)
        self.assertEqual(text.message_id.state, "sent")

    def test_a_report_settles_a_text_that_is_to_be_repeated(self):
        """P5: the lost answer was a yes; the report comes before the next try, which is spared."""
        text = self.create_text()
        self.leave_claimed(text)
        features = {**self.gateway._get_adapter()._get_features(), "idempotency": True}
        adapter = type(self.env["sms.gateway.adapter.none"])
        with (
            patch.object(adapter, "_get_features", lambda self: features),
            self.provider() as provider,
        ):
            text.message_id._set_queued()
            self.env["sms.message"]._apply_reports(
                self.gateway, [DeliveryReport("delivered", uuid=text.uuid)]
            )
            self.run_lanes()
        self.assertFalse(provider.sent)
        self.assertEqual(text.message_id.state, "delivered")

    def test_lost_answers_end_as_unknown(self):
        """P2: nobody is told that a text has failed which the provider may have."""
        text = self.create_text()
        self.leave_claimed(text)
        text.attempts = len(RETRY_DELAYS)
        result = SendResult(text.uuid, "retry", failure_type="sms_server", reason="lost")
        features = {**self.gateway._get_adapter()._get_features(), "idempotency": True}
        adapter = type(self.env["sms.gateway.adapter.none"])
        with patch.object(adapter, "_get_features", lambda self: features):
            self.gateway.invalidate_recordset(["support_idempotency"])
            text.message_id._record_results([result])
        self.assertEqual(text.message_id.state, "unknown")

    def test_opted_out_between_writing_and_sending(self):
        """P6: the list is asked again at the last moment."""
        text = self.create_text()
        self.env["phone.blacklist"]._add([CUSTOMER])
        with self.provider() as provider:
            self.run_lanes()
        self.assertFalse(provider.sent)
        self.assertEqual(
            (text.message_id.state, text.message_id.failure_type), ("cancelled", "sms_blacklist")
        )

    def test_switched_off_between_writing_and_sending(self):
        """R003: what waits in the queue does not go either."""
        text = self.create_text()
        self.company.sms_enabled = False
        with self.provider() as provider:
            self.run_lanes()
        self.assertFalse(provider.sent)
        self.assertEqual(text.message_id.failure_type, "sms_disabled")

    def test_an_unreadable_answer_is_unknown(self):
        text = self.create_text()
        adapter = type(self.env["sms.gateway.adapter.none"])

        def explode(*args):
            raise ValueError("garbage")

        with (
            self.provider(),
            patch.object(adapter, "_parse_response", explode),
            self.assertLogs("odoo.addons.sms_gateway.models.sms_lane", "ERROR"),
        ):
            self.run_lanes()
        self.assertEqual(text.message_id.state, "unknown")

    @mute_logger("odoo.sql_db", "odoo.addons.sms_gateway.models.sms_lane")
    def test_what_cannot_be_written_down_takes_no_other_with_it(self):
        """P7: a provider's nonsense costs its own text the result, and nobody else."""
        texts = [self.create_text(number=number) for number in (CUSTOMER, "+4790000001")]
        with self.provider() as provider:
            provider.answers[CUSTOMER] = {"outcome": "sent", "segments": 2**40}
            self.run_lanes()
        self.assertEqual([text.message_id.state for text in texts], ["unknown", "sent"])

    def test_texts_that_wait_leave_by_the_senders_new_gateway(self):
        """The old one may be closed for good; the report is looked for at the new one."""
        text = self.create_text()
        gateway = self._create_gateway(name="New")
        self.sender.gateway_id = gateway
        self.gateway.state = "disabled"
        with self.provider() as provider:
            self.run_lanes()
        self.assertEqual(provider.numbers, [CUSTOMER])
        self.assertEqual((text.message_id.state, text.message_id.gateway_id), ("sent", gateway))

    def test_the_pace_of_the_gateway_holds(self):
        """At two texts a second the third is not claimed at once."""
        self.gateway.max_per_second = 2
        texts = [self.create_text(number=f"+479000000{n}") for n in range(3)]
        Lane = self.env["sms.lane"]
        claimed, wait = Lane._claim(self.gateway, "normal", 100)
        self.assertEqual(claimed, texts[0].message_id)
        claimed, wait = Lane._claim(self.gateway, "normal", 100)
        self.assertFalse(claimed)
        self.assertAlmostEqual(wait, 0.5, delta=0.1)

    def test_an_answer_under_way_holds_no_text_up_that_may_leave(self):
        """Each is answered when the next has come: nobody waits for two answers together."""
        self.gateway.max_per_second = 10
        arrived = {f"+479000000{n}": threading.Event() for n in range(3)}
        for number in arrived:
            self.create_text(number=number)
        following = dict(zip(arrived, [*arrived.values()][1:], strict=False))
        held_up = []
        with self.provider() as provider:

            def perform(session, request):
                number = request.json["number"]
                arrived[number].set()
                if number in following and not following[number].wait(10):
                    held_up.append(number)
                return provider.perform(session, request)

            with (
                patch.object(transport, "perform", perform),
                patch.object(transport, "LINGER", 60),
            ):
                self.run_lanes("normal")
        self.assertFalse(held_up)

    def test_texts_under_way_are_limited_over_all_lanes(self):
        self.gateway.max_in_flight = 2
        for n in range(3):
            self.create_text(number=f"+479000000{n}", lane="normal")
        self.create_text(number="+4790000009", lane="chat")
        Lane = self.env["sms.lane"]
        claimed, _wait = Lane._claim(self.gateway, "normal", 100)
        self.assertEqual(len(claimed), 2)
        self.env.cr.execute("UPDATE sms_gateway_throttle SET next_send_at = 0")
        claimed, _wait = Lane._claim(self.gateway, "chat", 100)
        self.assertFalse(claimed)

    def insert_texts(self, state, count):
        self.message = self.create_text().message_id
        self.env.cr.execute(
            """
            INSERT INTO sms_sms (uuid, number, state, sender_id, gateway_id, lane, message_id)
            SELECT %s || n, '+479' || n, %s, %s, %s, 'chat', %s FROM generate_series(1, %s) n
            """,
            [state, state, self.sender.id, self.gateway.id, self.message.id, count],
        )

    def plan_of(self, method, *args):
        """Run a method; return the plan, with figures, of the last statement it made."""
        statements = []
        execute = type(self.env.cr).execute

        def record(cr, query, *args, **kwargs):
            statements.append(query)
            return execute(cr, query, *args, **kwargs)

        with patch.object(type(self.env.cr), "execute", record):
            method(*args)
        self.env.cr.execute(SQL("EXPLAIN ANALYZE %s", statements[-1]))
        return "\n".join(row[0] for row in self.env.cr.fetchall())

    def test_an_idle_tick_reads_an_index(self):
        """P12: nothing waits, nothing is scanned, however many texts are kept."""
        self.insert_texts("error", 5000)
        self.env.cr.execute("ANALYZE sms_sms")
        plan = self.plan_of(self.env["sms.lane"]._get_waiting_gateways, "chat")
        self.assertNotIn("Seq Scan on sms_sms", plan)

    def test_a_claim_looks_at_no_more_texts_than_it_takes(self):
        """P12: also while the statistics are of a time when nothing waited."""
        self.insert_texts("error", 5000)
        self.env.cr.execute("ANALYZE sms_sms")
        self.insert_texts("outgoing", 2000)
        lane = self.env["sms.lane"]
        for method, args in (
            (lane._get_waiting_gateways, ["chat"]),
            (lane._claim_rows, [self.gateway, "chat", 10]),
        ):
            plan = self.plan_of(method, *args)
            looked_at = [int(loops) for loops in re.findall(r"loops=(\d+)", plan)]
            self.assertLess(max(looked_at), 50, plan)
            self.assertNotIn("Anti Join", plan)


@tagged("post_install", "-at_install")
class TestCoreQueue(SmsGatewayCase):
    """Core's queue, repaired: mixed companies and providers never stop it."""

    def test_two_companies_in_cores_queue(self):
        other = self.env["res.company"].create({"name": "Other"})
        texts = self.env["sms.sms"]
        for company in (self.company, other):
            texts += (
                self.env["sms.sms"]
                .with_company(company)
                .create({"number": CUSTOMER, "body": "core", "sender_id": False})
            )
        sent = []

        def send_batch(api, messages, delivery_reports_url=False):
            numbers = [number for message in messages for number in message["numbers"]]
            sent.extend(numbers)
            return [{"uuid": number["uuid"], "state": "success"} for number in numbers]

        with (
            patch("odoo.addons.sms.tools.sms_api.SmsApi._send_sms_batch", send_batch),
            self.own_cursor() as env,
        ):
            env["sms.sms"]._process_queue()
        self.assertEqual({number["uuid"] for number in sent}, set(texts.mapped("uuid")))

    def test_a_failing_company_does_not_stop_the_others(self):
        other = self.env["res.company"].create({"name": "Other"})
        broken = self.env["sms.sms"].create(
            {"number": CUSTOMER, "body": "broken", "sender_id": False}
        )
        fine = (
            self.env["sms.sms"]
            .with_company(other)
            .create({"number": CUSTOMER, "body": "fine", "sender_id": False})
        )
        self.env.flush_all()
        Sms = type(self.env["sms.sms"])
        send = Sms.send

        def fail_for_one(texts, **kwargs):
            if broken in texts:
                raise ValueError("no account")
            return send(texts, **kwargs)

        bodies = []
        with (
            patch.object(
                Sms, "_get_sms_company", lambda sms: other if sms == fine else self.company
            ),
            patch.object(Sms, "send", fail_for_one),
            patch(
                "odoo.addons.sms.tools.sms_api.SmsApi._send_sms_batch",
                lambda api, messages, **kw: [
                    bodies.append(m["content"]) or {"uuid": n["uuid"], "state": "success"}
                    for m in messages
                    for n in m["numbers"]
                ],
            ),
            self.assertLogs("odoo.addons.sms_gateway.models.sms_sms", "ERROR"),
            self.own_cursor() as env,
        ):
            env["sms.sms"]._process_queue()
        self.assertIn("fine", bodies)
