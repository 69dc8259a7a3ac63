from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from odoo import fields
from odoo.tests import tagged

from .common import CUSTOMER, SmsGatewayCase


@tagged("post_install", "-at_install")
class TestQuietHours(SmsGatewayCase):
    """Nobody's night is disturbed by a text that could wait; a conversation goes on."""

    def be_quiet(self, from_hours, to_hours):
        """Quiet hours from and to so many hours from now, on the customer's clock."""
        hour = datetime.now(UTC).astimezone(ZoneInfo("Europe/Oslo")).hour
        self.company.write(
            {
                "sms_quiet_hours": True,
                "sms_quiet_start": (hour + from_hours) % 24,
                "sms_quiet_end": (hour + to_hours) % 24,
            }
        )

    def test_an_automatic_text_waits_for_the_end_of_the_quiet_hours(self):
        self.be_quiet(-2, 3)
        text = self.create_text(lane="normal")
        with self.provider() as provider:
            self.run_lanes()
        self.assertFalse(provider.sent)
        self.assertEqual(text.message_id.state, "queued")
        wait = text.send_after - fields.Datetime.now()
        self.assertTrue(timedelta(hours=2) <= wait <= timedelta(hours=3), wait)

    def test_who_looks_at_a_waiting_text_sees_until_when_and_can_cancel_it(self):
        self.be_quiet(-2, 3)
        values = {"number": CUSTOMER, "body": "Hello", "sender_id": self.sender.id}
        text = self.env["sms.sms"].with_user(self.salesman).sudo().create(values)
        with self.provider() as provider:
            self.run_lanes()
            message = text.message_id
            self.assertTrue(message.send_after)
            self.assertEqual(message.send_after, text.send_after)
            message.sudo(False).action_cancel()
            self.assertEqual(message.state, "cancelled")
            self.assertFalse(message.send_after)
            text.send_after = False
            self.run_lanes()
        self.assertFalse(provider.sent)

    def test_other_quiet_hours_are_others_for_what_waits(self):
        self.be_quiet(-2, 3)
        self.create_text(lane="normal")
        with self.provider() as provider:
            self.run_lanes()
            self.company.sms_quiet_hours = False
            self.run_lanes()
        self.assertEqual(provider.numbers, [CUSTOMER])

    def test_what_a_person_writes_goes_at_once(self):
        """And is not held up by the text that waits for the morning."""
        self.be_quiet(-2, 3)
        self.create_text(body="reminder", lane="normal")
        with self.provider() as provider:
            self.run_lanes()
            self.create_text(body="answer", lane="chat")
            self.run_lanes()
        self.assertEqual(provider.bodies, ["answer"])

    def test_by_day_everything_goes(self):
        self.be_quiet(5, 9)
        self.create_text(lane="bulk")
        with self.provider() as provider:
            self.run_lanes()
        self.assertEqual(provider.numbers, [CUSTOMER])
