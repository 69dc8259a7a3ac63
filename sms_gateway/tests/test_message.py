import base64
import csv
import io
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from odoo.addons.mail.tools.discuss import Store
from odoo.addons.sms_gateway.engine.contract import InboundText, Webhook

from .common import CUSTOMER, SmsGatewayCase

SECOND = "+4790000001"
#: Where a text may go from each state: P5 and P2, written down once more.
ALLOWED = {
    "queued": {"delivered", "failed", "cancelled"},
    "sending": {"queued", "sent", "delivered", "failed", "unknown"},
    "sent": {"delivered", "failed"},
    "unknown": {"sent", "delivered", "failed"},
    "delivered": set(),
    "failed": set(),
    "cancelled": set(),
}
#: What core says of a text in each state: outbox, notification.
SHOWN = {
    "queued": ("outgoing", "ready"),
    "sent": ("pending", "pending"),
    "delivered": ("sent", "sent"),
    "failed": ("error", "exception"),
    "unknown": ("error", "exception"),
    "cancelled": ("canceled", "canceled"),
}


class MessageCase(SmsGatewayCase):
    def put(self, message, state):
        """Have the text in a state, whatever it was."""
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE sms_message SET state = %s, failure_type = NULL WHERE id = %s",
            [state, message.id],
        )
        message.invalidate_recordset()

    def move(self, message, state):
        arguments = {"failed": ["sms_rejected"]}.get(state, [])
        return getattr(message, f"_set_{state}")(*arguments)

    def receive(self, body="Yes", number=CUSTOMER):
        text = InboundText(number, self.sender.address, body, self.env["sms.sms"]._new_uuid())
        return self.env["sms.message"]._receive(self.gateway, [text])


@tagged("post_install", "-at_install")
class TestStates(MessageCase):
    """P5: the ledger's states, each change in the table and no other."""

    def test_p5_every_change_of_state(self):
        """P5: a final state stays; what is under way is neither cancelled nor sent twice."""
        message = self.create_text().message_id
        for start, allowed in ALLOWED.items():
            for end in ("queued", "sent", "delivered", "failed", "unknown", "cancelled"):
                with self.subTest(f"{start} → {end}"):
                    self.put(message, start)
                    moved = self.move(message, end)
                    self.assertEqual(bool(moved), end in allowed)
                    self.assertEqual(message.state, end if end in allowed else start)

    def test_a_received_text_has_one_state(self):
        message = self.receive()
        for state in ("queued", "sent", "delivered", "failed", "unknown", "cancelled"):
            self.assertFalse(self.move(message, state))
        self.assertEqual(message.state, "received")

    def test_r146_outbox_and_notification_go_with_the_ledger(self):
        """R146: whichever state is asked, it is the same."""
        for state, (outbox_state, status) in SHOWN.items():
            with self.subTest(state):
                posted = self.send_from_record()
                message = self.env["sms.message"].search([("mail_message_id", "=", posted.id)])
                outbox = self.env["sms.sms"].search([("message_id", "=", message.id)])
                if state not in ("queued", "cancelled"):
                    self.put(message, "sending")
                self.move(message, state)
                self.assertEqual(message.state, state)
                self.assertEqual(outbox.state, outbox_state)
                self.assertEqual(posted.notification_ids.notification_status, status)
                self.assertEqual(outbox.to_delete, state in ("sent", "delivered"))

    def test_times_are_kept(self):
        message = self.create_text().message_id
        self.put(message, "sending")
        self.assertFalse(message.sent_at)
        message._set_sent()
        self.assertTrue(message.sent_at)
        self.assertFalse(message.delivered_at)
        message._set_delivered()
        self.assertTrue(message.delivered_at)

    def test_a_text_that_arrived_after_all_has_no_failure_left(self):
        message = self.create_text().message_id
        self.put(message, "sending")
        message._set_unknown("ReadTimeout")
        self.assertEqual(
            (message.failure_type, message.failure_reason), ("sms_no_answer", "ReadTimeout")
        )
        message._set_delivered()
        self.assertFalse(message.failure_type or message.failure_reason or message.failure_code)

    def test_many_texts_move_together_each_as_it_may(self):
        first, second = (
            self.create_text(number=number).message_id for number in (CUSTOMER, SECOND)
        )
        self.put(first, "sending")
        self.put(second, "delivered")
        moved = (first | second)._set_failed("sms_rejected")
        self.assertEqual(moved, first)
        self.assertEqual(second.state, "delivered")

    def test_who_looks_at_the_record_is_told(self):
        """But not of each text of a mailing."""
        told = []
        self.patch(
            type(self.env["bus.bus"]), "_sendone", lambda bus, channel, *args: told.append(channel)
        )
        channel = f"sms_gateway.record/res.partner/{self.partner.id}"
        for origin, heard in (("composer", True), ("mailing", False), ("campaign", False)):
            text = self.create_text(
                origin=origin, res_model="res.partner", res_id=self.partner.id
            ).message_id
            told.clear()
            text._set_cancelled()
            self.assertEqual(channel in told, heard, origin)


@tagged("post_install", "-at_install")
class TestFailures(MessageCase):
    """R146 to R148: what people read of a text that did not arrive."""

    def refuse(self, *arguments):
        posted = self.send_from_record()
        message = self.env["sms.message"].search([("mail_message_id", "=", posted.id)])
        self.put(message, "sending")
        message._set_failed(*arguments)
        return posted.notification_ids

    def test_r148_the_providers_words_stand_beside_ours(self):
        """R148: its code too, so that its support can be asked."""
        for arguments, words in (
            (
                ("sms_invalid_destination", "InvalidSendingParameters", "21211"),
                "InvalidSendingParameters (21211)",
            ),
            (("sms_rejected", "No", None), "No"),
            (("sms_rejected", None, "30007"), "(30007)"),
            (("sms_rejected", None, None), False),
            (("sms_rejected", "with a \x00 in \udcff it", "\x00"), "with a  in ? it"),
        ):
            with self.subTest(arguments):
                notification = self.refuse(*arguments)
                self.assertEqual(notification.failure_reason, words)
                self.assertEqual(notification.failure_type, arguments[0])

    def test_a_failure_without_a_kind_is_an_unknown_one(self):
        self.assertEqual(self.refuse(None).failure_type, "unknown")

    def test_every_kind_of_failure_has_words_everywhere(self):
        """R147: on the text, on the notification, and translatable."""
        kinds = dict(self.env["sms.sms"]._fields["failure_type"]._description_selection(self.env))
        on_notifications = dict(
            self.env["mail.notification"]._fields["failure_type"]._description_selection(self.env)
        )
        self.assertLessEqual(set(kinds), set(on_notifications))
        self.assertTrue(all(kinds.values()))
        for kind in kinds:
            with self.subTest(kind):
                self.assertEqual(self.refuse(kind).failure_type, kind)
                self.env["phone.blacklist"]._remove([CUSTOMER])
        ledger = self.env["sms.message"]._fields["failure_type"]._description_selection(self.env)
        self.assertEqual(dict(ledger), kinds)

    def test_r147_the_reason_goes_to_our_own_people_only(self):
        """R147: hovering over the mark shows it; a customer in the portal reads no such thing."""
        notification = self.refuse("sms_rejected", "Spam filter", "30007")

        def shown_to(user):
            store = Store(bus_channel=user)
            store.add(notification.sudo())
            return str(store.get_result())

        portal = new_test_user(self.env, "sms_portal", groups="base.group_portal")
        self.assertIn("Spam filter (30007)", shown_to(self.salesman))
        self.assertNotIn("Spam filter", shown_to(portal))
        self.assertNotIn(CUSTOMER, shown_to(portal))


@tagged("post_install", "-at_install")
class TestRecord(MessageCase):
    def test_the_record_of_a_text_is_named_to_who_may_read_it(self):
        secret = self.env["res.partner"].create({"name": "Secret"})
        message = self.create_text(res_model="res.partner", res_id=secret.id).message_id
        self.assertEqual(message.record_name, "Secret")
        other = self.env["res.company"].create({"name": "Other"})
        secret.company_id = other
        Rule = self.env["ir.rule"]
        Rule.create(
            {
                "name": "Nobody",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "groups": [(4, self.env.ref("sms_gateway.group_sms_user").id)],
                "domain_force": f"[('id', '!=', {secret.id})]",
            }
        )
        manager = new_test_user(
            self.env, "sms_manager", groups="base.group_user,sms_gateway.group_sms_manager"
        )
        seen = message.with_user(manager)
        self.assertFalse(seen.record_name)
        with self.assertRaises(AccessError):
            seen.action_open_record()

    def test_a_text_outlives_its_record(self):
        record = self.env["res.partner"].create({"name": "Gone", "phone": SECOND})
        message = self.create_text(res_model="res.partner", res_id=record.id).message_id
        record.unlink()
        self.assertFalse(message.record_name)
        self.assertFalse(message.action_open_record())
        message.res_model = "model.that.was.uninstalled"
        message.invalidate_recordset()
        self.assertFalse(message.record_name)

    def test_sending_again_is_for_who_may_use_the_sender(self):
        colleague = new_test_user(
            self.env, "sms_colleague", groups="base.group_user,sms_gateway.group_sms_user"
        )
        own = self._create_sender("Mine", "dedicated", "59445077", user_ids=self.salesman.ids)
        message = (
            self.env["sms.sms"]
            .with_user(colleague)
            .sudo()
            .create({"number": CUSTOMER, "body": "Hello", "sender_id": own.id})
            .message_id
        )
        message._set_failed("sms_server")
        with self.assertRaisesRegex(UserError, "may not send with"):
            message.with_user(colleague).sudo(False).action_resend()

    def test_p2_sending_again_is_done_once(self):
        """P2: pressed twice, on one text; what failed anew is sent again from there."""
        message = self.create_text().message_id
        message._set_failed("sms_server")
        message.action_resend()
        message.action_resend()
        with self.provider() as provider:
            self.run_lanes()
        self.assertEqual(provider.numbers, [CUSTOMER])
        message.resent_as_id._set_failed("sms_not_delivered")
        message.resent_as_id.action_resend()
        self.assertTrue(message.resent_as_id.resent_as_id)

    def test_p2_what_was_sent_again_odoos_own_retry_leaves_alone(self):
        """P2: the outbox still shows the text as failed."""
        for method in ("action_set_outgoing", "resend_failed"):
            text = self.create_text()
            text.message_id._set_failed("sms_server")
            text.message_id.action_resend()
            getattr(text, method)()
            getattr(text, method)()
            with self.provider() as provider:
                self.run_lanes()
            self.assertEqual(provider.numbers, [CUSTOMER], method)

    def test_only_what_failed_or_is_unknown_is_sent_again(self):
        """P2: the others are on their way, or there."""
        for state in ("queued", "sending", "sent", "delivered", "cancelled"):
            message = self.create_text().message_id
            self.put(message, state)
            count = self.env["sms.message"].search_count([])
            message.action_resend()
            self.assertEqual(self.env["sms.message"].search_count([]), count, state)

    def test_p2_odoos_own_retry_sends_once_what_failed_and_nothing_else(self):
        """P2: pressed twice, on a list in which unknown and failed texts look the same."""
        texts = {
            state: self.create_text(number=f"+479000000{n}")
            for n, state in enumerate(("queued", "unknown", "failed", "delivered"))
        }
        for state, text in texts.items():
            if state != "queued":
                self.put(text.message_id, "sending")
                self.move(text.message_id, state)
        every = self.env["sms.sms"].concat(*texts.values())
        every.resend_failed()
        every.resend_failed()
        (texts["queued"] | texts["delivered"]).action_set_outgoing()
        with self.provider() as provider:
            self.run_lanes()
        self.assertEqual(provider.numbers, ["+4790000002", "+4790000000"])

    def test_p2_a_text_forgotten_by_the_ledger_is_none_of_the_outbox(self):
        """P2: retried there, it would stop its lane, being on no list of what was sent."""
        text = self.create_text()
        text.message_id._set_failed("sms_server")
        text.message_id.unlink()
        text.exists().action_set_outgoing()
        self.create_text(number=SECOND)
        with self.provider() as provider:
            self.run_lanes()
        self.assertEqual(provider.numbers, [SECOND])
        self.assertFalse(text.exists(), "its number and words are forgotten too")

    def test_what_is_refused_again_is_said_at_once(self):
        message = self.create_text().message_id
        message._set_failed("sms_server")
        self.env["phone.blacklist"]._add([CUSTOMER])
        with self.assertRaisesRegex(UserError, "opted out"):
            message.action_resend()


@tagged("post_install", "-at_install")
class TestErase(MessageCase):
    """Export and erase by number; retention."""

    def setUp(self):
        super().setUp()
        self.posted = self.send_from_record("Meet me at 7, Anna")
        self.message = self.env["sms.message"].search([("mail_message_id", "=", self.posted.id)])
        with self.provider():
            self.run_lanes()
        self.reply = self.receive("My address is Storgata 1")
        self.waiting = self.create_text(body="Anna, still there?").message_id
        self.others = self.create_text(number=SECOND, body="Not Anna").message_id
        webhook = Webhook("inbound", "GET", "x", query=(("from", CUSTOMER), ("text", "Storgata 1")))
        Event = self.env["sms.gateway.event"]
        for key, state in (("done", "done"), ("new", "new")):
            Event._store(self.gateway, webhook, key)
            Event.search([("dedup_key", "=", key)]).state = state

    def wizard(self, number="912 34 567"):
        return self.env["sms.message.erase"].create({"number": number})

    def test_erasing_a_short_number_leaves_the_calls_of_longer_ones(self):
        Event = self.env["sms.gateway.event"]
        payloads = (
            *("from=26456&", "from=%2B4726456", "ref=264561", '"number": "26456"'),
            *("from=%2026456", "from=%2226456%22", "from=%22004726456"),
        )
        for payload in payloads:
            Event.create(
                {
                    "gateway_id": self.gateway.id,
                    "kind": "inbound",
                    "dedup_key": payload,
                    "payload": payload,
                    "state": "done",
                }
            )
        Event._erase("26456")
        left = Event.search([("dedup_key", "in", payloads)])
        self.assertEqual(set(left.mapped("payload")), set(payloads[1:3] + payloads[-1:]))

    def test_the_texts_of_a_number_are_found_however_it_is_written(self):
        self.env.user.country_id = self.env.ref("base.us")  # the company's counts, not his
        for number in (CUSTOMER, "912 34 567", "0047 912 34 567", "+47 912 34 567"):
            self.assertEqual(self.wizard(number).message_count, 3, number)
        self.assertEqual(self.wizard("90 00 00 99").message_count, 0)
        for action in ("action_export", "action_erase"):
            with self.assertRaisesRegex(UserError, "There are no texts of"):
                getattr(self.wizard("90 00 00 99"), action)()

    def test_an_export_holds_all_that_is_the_persons(self):
        wizard = self.wizard()
        wizard.action_export()
        content = base64.b64decode(wizard.export_file).decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(content)))
        self.assertEqual(
            {row["body"] for row in rows},
            {"Meet me at 7, Anna", "My address is Storgata 1", "Anna, still there?"},
        )
        self.assertEqual({row["number"] for row in rows}, {CUSTOMER})
        self.assertEqual({row["direction"] for row in rows}, {"in", "out"})

    def test_a_text_is_no_formula_in_the_export(self):
        """Who opens the file in a spreadsheet reads what the customer wrote, and runs nothing."""
        self.receive('=HYPERLINK("http://evil.test")')
        wizard = self.wizard()
        wizard.action_export()
        content = base64.b64decode(wizard.export_file).decode("utf-8-sig")
        bodies = [row["body"] for row in csv.DictReader(io.StringIO(content))]
        self.assertFalse([body for body in bodies if body[:1] in "=+-@\t\r"])

    def test_erased_is_who_and_what_and_kept_is_that_there_was_a_text(self):
        self.message.cost = 0.5
        every = self.message | self.reply | self.waiting
        self.env["phone.blacklist"]._sms_opt_out(CUSTOMER, self.sender, "STOP", "by text")
        self.wizard().action_erase()
        self.assertFalse(any(every.mapped("number")) or any(every.mapped("body")))
        self.assertFalse(every.partner_id)
        self.assertEqual(every.mapped("state"), ["sent", "received", "cancelled"])
        self.assertEqual((self.message.cost, self.message.sender_id), (0.5, self.sender))
        self.assertNotIn("Anna", self.posted.body)
        self.assertFalse(any(self.posted.notification_ids.mapped("sms_number")))
        self.assertFalse(self.env["sms.sms"].search([("number", "=", CUSTOMER)]))
        self.assertEqual(self.others.body, "Not Anna")
        self.assertTrue(self.env["sms.sms"]._gate_get_blacklisted({CUSTOMER}))
        events = self.env["sms.gateway.event"].search([])
        self.assertEqual(events.mapped("dedup_key"), ["new"], "what waits takes effect first")
        with self.provider() as provider:
            self.run_lanes()
        self.assertEqual(provider.numbers, [SECOND])

    def test_the_wizard_is_the_administrators(self):
        for groups in ("base.group_user", "base.group_user,sms_gateway.group_sms_manager"):
            user = new_test_user(self.env, f"sms_{len(groups)}", groups=groups)
            with self.assertRaises(AccessError):
                self.env["sms.message.erase"].with_user(user).create({"number": CUSTOMER})

    def test_texts_are_forgotten_after_the_months_of_their_company(self):
        """What still waits is sent first; without a limit all are kept."""
        old = fields.Datetime.now() - timedelta(days=100)
        self.env.cr.execute("UPDATE sms_message SET create_date = %s", [old])
        self.env.invalidate_all()
        Message = self.env["sms.message"]
        Message._gc_expired()
        every = self.message | self.reply | self.waiting | self.others
        self.assertEqual(every.exists(), every, "kept for ever by default")
        self.company.sms_retention_months = 4
        Message._gc_expired()
        self.assertEqual(every.exists(), every, "not old enough")
        self.company.sms_retention_months = 3
        with patch("odoo.addons.sms_gateway.models.sms_message.GC_LIMIT", 1):
            self.assertEqual(Message._gc_expired(), (1, True), "there may be more")
        self.assertEqual(Message._gc_expired(), (1, False))
        self.assertEqual(every.exists(), self.waiting | self.others)
        with self.provider() as provider:
            self.run_lanes()
        self.assertEqual(len(provider.sent), 2)
