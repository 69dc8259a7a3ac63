from datetime import datetime, timedelta
from unittest.mock import patch

from odoo import fields
from odoo.tests import tagged

from odoo.addons.contact_center.tests.common import create_calendar

from .common import CALLER, CallbackCase


@tagged("post_install", "-at_install")
class TestOffer(CallbackCase):
    """When a callback may be offered; moments are UTC, Oslo is an hour ahead."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.service.calendar_id = create_calendar(cls.env, cls.service.company_id)

    def get_reasons(self, moment=datetime(2026, 11, 25, 9), wait=None, number=CALLER):
        if wait is not None:
            self.service.write({"exchange_wait_seconds": wait, "exchange_wait_at": moment})
        with patch.object(fields.Datetime, "now", lambda *args: moment):
            offer = self.service._get_offer(number)
        self.assertEqual(offer["offer"], not offer["reasons"])
        return offer["reasons"]

    def test_the_exchange_is_told_why_not(self):
        """R098: all that speaks against it."""
        self.service.write({"callback_enabled": False, "offer_min_wait_minutes": 5})
        self.assertEqual(
            self.get_reasons(datetime(2026, 11, 25, 6), wait=10, number=None),
            ["disabled", "closed", "wait_too_short", "bad_number"],
        )

    def test_until_minutes_before_closing(self):
        """R099, decision 7: exactly 30 minutes left it is offered, a second later it is not."""
        self.service.offer_closing_minutes = 30
        half_past_four = datetime(2026, 11, 25, 15, 30)
        self.assertEqual(self.get_reasons(half_past_four), [])
        self.assertEqual(self.get_reasons(half_past_four + timedelta(seconds=1)), ["closing_soon"])
        self.assertEqual(self.get_reasons(half_past_four + timedelta(minutes=30)), ["closed"])

    def test_a_break_is_no_closing(self):
        """R099: split shifts."""
        self.service.offer_closing_minutes = 30
        self.assertEqual(self.get_reasons(datetime(2026, 11, 25, 10, 59, 59)), [])
        self.assertEqual(self.get_reasons(datetime(2026, 11, 25, 11)), ["closed"])

    def test_closing_on_both_sides_of_the_nights_on_which_clocks_change(self):
        """R099: half past four by the clock on the wall."""
        self.service.offer_closing_minutes = 30
        for moment in (
            datetime(2026, 3, 27, 15, 30),
            datetime(2026, 3, 30, 14, 30),
            datetime(2026, 10, 23, 14, 30),
            datetime(2026, 10, 26, 15, 30),
        ):
            self.assertEqual(self.get_reasons(moment), [])
            self.assertEqual(self.get_reasons(moment + timedelta(seconds=1)), ["closing_soon"])

    def test_a_day_off_is_closed(self):
        """R099."""
        self.env["resource.calendar.leaves"].create(
            {
                "name": "Off",
                "calendar_id": self.service.calendar_id.id,
                "date_from": datetime(2026, 11, 24, 23),
                "date_to": datetime(2026, 11, 25, 22, 59, 59),
            }
        )
        self.assertEqual(self.get_reasons(), ["closed"])

    def test_only_where_the_wait_is_long(self):
        """R100, decision 7: longer than five minutes; five minutes are not."""
        self.service.offer_min_wait_minutes = 5
        self.assertEqual(self.get_reasons(wait=300), ["wait_too_short"])
        self.assertEqual(self.get_reasons(wait=301), [])

    def test_a_wait_that_is_not_known(self):
        """R100: as the service wants it."""
        self.service.offer_min_wait_minutes = 5
        self.assertEqual(self.get_reasons(), [])
        self.service.offer_unknown = False
        self.assertEqual(self.get_reasons(), ["wait_unknown"])

    def test_both_rules_and_none(self):
        """R101."""
        self.assertEqual(self.get_reasons(datetime(2026, 11, 25, 15, 59), wait=0), [])
        self.service.write({"offer_closing_minutes": 30, "offer_min_wait_minutes": 5})
        late = datetime(2026, 11, 25, 15, 59)
        self.assertEqual(self.get_reasons(late, wait=0), ["closing_soon", "wait_too_short"])
        self.assertEqual(self.get_reasons(late, wait=600), ["closing_soon"])

    def test_who_has_asked_already(self):
        self.ask()
        self.assertEqual(self.get_reasons(), ["already_requested"])

    def test_the_call_tells_the_number(self):
        """R098: where the exchange names the call alone."""
        call = self.queue()
        with patch.object(fields.Datetime, "now", lambda *args: datetime(2026, 11, 25, 9)):
            self.assertEqual(self.service._get_offer(None, call)["reasons"], [])
            call.number = False
            self.assertEqual(self.service._get_offer(None, call)["reasons"], ["bad_number"])
