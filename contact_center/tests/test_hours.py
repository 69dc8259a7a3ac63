from datetime import datetime, timedelta

from odoo.fields import Command
from odoo.tests import tagged

from .common import ContactCenterCase, create_calendar


@tagged("post_install", "-at_install")
class TestHours(ContactCenterCase):
    """When a service is open, and until when; all moments here are UTC."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.calendar = create_calendar(cls.env, cls.company)
        cls.service.calendar_id = cls.calendar

    def get(self, *moment):
        return self.service._get_hours(datetime(*moment))

    def test_the_day_closes_once(self):
        """A break at noon is no closing."""
        closing = datetime(2026, 11, 25, 16)
        self.assertEqual(self.get(2026, 11, 25, 10, 59, 59), (True, closing))
        self.assertEqual(self.get(2026, 11, 25, 11), (False, False))
        self.assertEqual(self.get(2026, 11, 25, 12), (True, closing))
        self.assertEqual(self.get(2026, 11, 25, 15, 59, 59), (True, closing))
        self.assertEqual(self.get(2026, 11, 25, 16), (False, False))
        self.assertEqual(self.get(2026, 11, 25, 6, 59, 59), (False, False))
        self.assertEqual(self.get(2026, 11, 25, 7), (True, closing))

    def test_a_day_off_is_closed(self):
        self.env["resource.calendar.leaves"].create(
            {
                "name": "Christmas",
                "calendar_id": self.calendar.id,
                "date_from": datetime(2026, 12, 23, 23),
                "date_to": datetime(2026, 12, 24, 22, 59, 59),
            }
        )
        self.assertEqual(self.get(2026, 12, 24, 9), (False, False))
        self.assertTrue(self.get(2026, 12, 23, 9)[0])

    def test_the_nights_on_which_clocks_change(self):
        """Friday and Monday around both: five o'clock is another moment."""
        self.assertEqual(self.get(2026, 3, 27, 12)[1], datetime(2026, 3, 27, 16))
        self.assertEqual(self.get(2026, 3, 30, 12)[1], datetime(2026, 3, 30, 15))
        self.assertEqual(self.get(2026, 10, 23, 12)[1], datetime(2026, 10, 23, 15))
        self.assertEqual(self.get(2026, 10, 26, 12)[1], datetime(2026, 10, 26, 16))

    def test_a_night_is_open_through(self):
        self.calendar.attendance_ids.unlink()
        self.calendar.attendance_ids = [
            (
                0,
                0,
                {
                    "name": "Evening",
                    "dayofweek": "2",
                    "hour_from": 20,
                    "hour_to": 24,
                    "day_period": "afternoon",
                },
            ),
            (
                0,
                0,
                {
                    "name": "Night",
                    "dayofweek": "3",
                    "hour_from": 0,
                    "hour_to": 6,
                    "day_period": "morning",
                },
            ),
        ]
        self.assertEqual(self.get(2026, 11, 25, 21), (True, datetime(2026, 11, 26, 5)))
        self.assertEqual(self.get(2026, 11, 26, 3), (True, datetime(2026, 11, 26, 5)))

    def test_it_is_open_through_the_nights_themselves(self):
        """Six in the morning is five hours after midnight in March, seven in October."""
        self.calendar.attendance_ids.unlink()
        self.calendar.attendance_ids = [
            Command.create(
                {
                    "name": f"Night {day}",
                    "dayofweek": day,
                    "hour_from": start,
                    "hour_to": end,
                    "day_period": "morning",
                }
            )
            for day, start, end in (("5", 20, 24), ("6", 0, 6))
        ]
        for midnight, closing in (
            (datetime(2026, 3, 28, 23), datetime(2026, 3, 29, 4)),
            (datetime(2026, 10, 24, 22), datetime(2026, 10, 25, 5)),
        ):
            second = timedelta(seconds=1)
            self.assertEqual(self.service._get_hours(midnight - second), (True, closing))
            self.assertEqual(self.service._get_hours(midnight), (True, closing))
            self.assertEqual(self.service._get_hours(closing - second), (True, closing))
            self.assertEqual(self.service._get_hours(closing), (False, False))

    def test_who_never_closes(self):
        self.calendar.attendance_ids.unlink()
        self.calendar.attendance_ids = [
            (
                0,
                0,
                {
                    "name": str(day),
                    "dayofweek": str(day),
                    "hour_from": 0,
                    "hour_to": 24,
                    "day_period": "morning",
                },
            )
            for day in range(7)
        ]
        self.assertEqual(self.get(2026, 11, 25, 21), (True, False))
        self.service.calendar_id = False
        self.assertEqual(self.get(2026, 11, 25, 21), (True, False))
