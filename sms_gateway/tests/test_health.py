from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import format_datetime

from .common import SmsGatewayCase


@tagged("post_install", "-at_install")
class TestHealth(SmsGatewayCase):
    """How a gateway fares, and who is told."""

    def make_texts(self, state, count):
        texts = self.env["sms.sms"].create(
            [
                {"number": f"+4791{n:06}", "body": "Hello", "sender_id": self.sender.id}
                for n in range(count)
            ]
        )
        texts.message_id.write({"state": state, "failure_code": state == "failed" and "30003"})
        texts.state = "sent"
        self.env.flush_all()
        self.env.invalidate_all()
        return texts.message_id

    def check(self):
        """Let the scheduled action come; return the activity that is open."""
        with self.own_cursor() as env:
            env["sms.gateway"]._cron_check_health()
        return self.gateway.activity_ids

    def wait(self, text, minutes):
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE sms_sms SET create_date = create_date - %s WHERE id = %s",
            [timedelta(minutes=minutes), text.id],
        )
        self.env.invalidate_all()

    def test_a_gateway_at_work_is_well(self):
        self.make_texts("delivered", 30)
        self.create_text()
        self.assertEqual((self.gateway.health, self.gateway.health_reason), ("ok", ""))
        self.assertFalse(self.check())

    def test_texts_that_do_not_leave(self):
        """The first sign of a provider that is down, or of scheduled actions that are."""
        text = self.create_text()
        self.wait(text, minutes=14)
        self.assertEqual(self.gateway.health, "ok")
        self.wait(text, minutes=2)
        self.assertEqual(self.gateway.health, "critical")
        self.assertIn("waiting since", self.gateway.health_reason)

    def test_texts_for_tomorrow_do_not_wait(self):
        """The end of the quiet hours is no trouble; what was tried and failed is."""
        text = self.create_text()
        self.wait(text, minutes=60)
        text.send_after = fields.Datetime.now() + timedelta(hours=8)
        self.assertFalse(self.gateway.oldest_queued_at)
        text.attempts = 1
        self.gateway.invalidate_recordset()
        self.assertTrue(self.gateway.oldest_queued_at)

    def test_failures_are_a_part_of_enough_texts(self):
        """One failed text of two says nothing of the provider."""
        self.make_texts("failed", 1)
        self.make_texts("delivered", 1)
        self.assertEqual((self.gateway.failure_rate, self.gateway.health), (0, "ok"))
        self.make_texts("failed", 9)
        self.make_texts("sent", 29)
        self.assertEqual((self.gateway.failure_rate, self.gateway.health), (0.25, "critical"))
        self.gateway.alert_failure_rate = 0.3
        self.assertEqual(self.gateway.health, "ok")

    def test_what_we_refuse_ourselves_is_no_failure_of_the_provider(self):
        """A mailing to a list with bad numbers calls nobody out of bed."""
        self.make_texts("delivered", 20)
        texts = [{"number": "12", "body": "Hello", "sender_id": self.sender.id}] * 20
        self.assertEqual(set(self.env["sms.sms"].create(texts).mapped("state")), {"error"})
        self.assertEqual((self.gateway.failure_rate, self.gateway.health), (0, "ok"))

    def test_yesterdays_texts_do_not_count(self):
        failed = self.make_texts("failed", 40)
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE sms_message SET create_date = create_date - interval '25 hours'"
            " WHERE id = ANY(%s)",
            [failed.ids],
        )
        self.env.invalidate_all()
        self.assertEqual((self.gateway.failure_rate, self.gateway.health), (0, "ok"))
        domain = self.gateway.action_view_failed()["domain"]
        self.assertFalse(self.env["sms.message"].search(domain) & failed)

    def test_what_should_be_looked_at(self):
        """Unknown texts, refused calls, a provider that has fallen silent."""
        self.make_texts("unknown", 2)
        self.assertIn("gone: 2", self.gateway.health_reason)
        with self.own_cursor() as env:
            for _call in range(20):
                env["sms.gateway.event"]._count_refusal(self.gateway, "inbound", "signature")
        self.assertIn("hours: 20", self.gateway.health_reason)
        self.gateway.alert_silence_hours = 6
        self.assertIn("not called for 6 h", self.gateway.health_reason)
        self.gateway.last_status_at = fields.Datetime.now()
        self.assertNotIn("not called", self.gateway.health_reason)
        self.assertEqual(self.gateway.health, "warning")
        self.assertFalse(self.check(), "Nobody is called for that.")

    def test_the_administrator_is_told_once_and_told_the_end(self):
        """An activity with the reason and the remedy; closed when the trouble has passed."""
        self.gateway.alert_user_id = self.salesman
        text = self.create_text()
        self.wait(text, minutes=60)
        activity = self.check()
        self.assertEqual((len(activity), activity.user_id), (1, self.salesman))
        self.assertIn("waiting since", activity.note)
        self.assertEqual(self.check(), activity)
        text.message_id._set_cancelled()
        self.assertFalse(self.check())
        self.assertIn("It works again", str(self.gateway.message_ids.mapped("body")))
        self.gateway.alert_user_id = False
        self.wait(self.create_text(), minutes=60)
        self.assertFalse(self.check())

    def test_who_is_told_reads_the_time_of_his_own_clock(self):
        """The scheduled action has none; a time that is hours off sends him looking elsewhere."""
        self.salesman.tz = "Asia/Tokyo"
        self.gateway.alert_user_id = self.salesman
        self.wait(self.create_text(), minutes=60)
        since = self.gateway.oldest_queued_at
        told = format_datetime(self.env, since, tz="Asia/Tokyo", dt_format="short")
        self.assertIn(told, self.check().note)

    def test_the_balance_is_asked_for_and_watched(self):
        """Top up before the account is empty, not after."""
        self.gateway.alert_balance = 10
        self.assertEqual(self.gateway.health, "ok")
        model = type(self.gateway)
        told = {"balance": "9.5 EUR", "balance_amount": 9.5}
        told["balance_at"] = fields.Datetime.now()
        features = {**self.gateway._get_adapter()._get_features(), "balance": True}
        adapter = type(self.env["sms.gateway.adapter.none"])
        with (
            patch.object(adapter, "_get_features", lambda self: features),
            patch.object(model, "_refresh_balance", autospec=True) as refresh,
        ):
            refresh.side_effect = UserError("does not answer")
            self.assertFalse(self.check(), "A provider that does not tell is no trouble.")
            refresh.side_effect = lambda gateway: gateway.write(told)  # demo data has others
            self.assertIn("The balance is 9.5 EUR", self.check().note)
            self.check()
        asked = [call for call in refresh.call_args_list if call.args[0].id == self.gateway.id]
        self.assertEqual(len(asked), 2, "Asked once an hour.")

    def test_a_closed_gateway_is_no_trouble(self):
        self.wait(self.create_text(), minutes=60)
        self.gateway.state = "disabled"
        self.assertEqual(self.gateway.health, "ok")
