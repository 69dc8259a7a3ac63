"""When a text that nobody waits for may reach a customer's telephone."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import phonenumbers
from phonenumbers.timezone import time_zones_for_number


def next_allowed(moment, zone, start, end):
    """The first moment, from ``moment`` on, outside the quiet hours.

    Right across both nights on which clocks change: hours are those on the customer's wall.

    :param datetime moment: naive UTC
    :param str zone: IANA name of the customer's time zone
    :param float start: hour of the day at which quiet begins, e.g. 20.5
    :param float end: hour of the day at which it ends; may be smaller than ``start``
    :return: naive UTC

    >>> next_allowed(datetime(2026, 1, 10, 21, 0), "Europe/Oslo", 20, 9)
    datetime.datetime(2026, 1, 11, 8, 0)
    >>> next_allowed(datetime(2026, 1, 10, 12, 0), "Europe/Oslo", 20, 9)
    datetime.datetime(2026, 1, 10, 12, 0)
    >>> next_allowed(datetime(2026, 3, 28, 23, 0), "Europe/Oslo", 20, 9)  # clocks go forward
    datetime.datetime(2026, 3, 29, 7, 0)
    >>> next_allowed(datetime(2026, 10, 24, 23, 0), "Europe/Oslo", 20, 9)  # and back
    datetime.datetime(2026, 10, 25, 8, 0)
    >>> next_allowed(datetime(2026, 1, 10, 12, 30), "Europe/Oslo", 13, 15)
    datetime.datetime(2026, 1, 10, 14, 0)
    """
    local = moment.replace(tzinfo=UTC).astimezone(ZoneInfo(zone))
    hour = local.hour + local.minute / 60 + local.second / 3600
    is_quiet = start <= hour < end if start <= end else hour >= start or hour < end
    if not is_quiet:
        return moment
    day = local.date() + timedelta(days=1 if hour >= end else 0)
    opening = datetime.combine(day, _to_time(end), tzinfo=local.tzinfo)
    return opening.astimezone(UTC).replace(tzinfo=None)


def _to_time(hour):
    """
    >>> _to_time(9.5)
    datetime.time(9, 30)
    """
    return time(int(hour), round(hour % 1 * 60))


def zone_of_number(number):
    """The IANA time zone that a number tells, or None where its country has several clocks.

    >>> zone_of_number("+46701740605"), zone_of_number("+358401234567")
    ('Europe/Stockholm', 'Europe/Helsinki')
    >>> zone_of_number("+4791234567")
    'Europe/Oslo'
    >>> zone_of_number("+34612345678") is None  # Madrid, or the Canary Islands
    True
    >>> zone_of_number("2242") is None
    True
    """
    try:
        zones = time_zones_for_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return None
    known = sorted(
        set(zones) - {"Etc/Unknown"}, key=lambda zone: (zone.startswith("Arctic/"), zone)
    )
    clocks = {_clock(zone) for zone in known}
    # the Arctic last: Norway, not Svalbard
    first = min(known, key=lambda zone: (zone.startswith("Arctic/"), zone), default=None)
    return first if len(clocks) == 1 else None


def _clock(zone):
    """What clocks of a zone show, in winter and in summer.

    >>> _clock("Europe/Oslo") == _clock("Arctic/Longyearbyen") != _clock("Europe/Helsinki")
    True
    """
    return tuple(datetime(2026, month, 1, tzinfo=ZoneInfo(zone)).utcoffset() for month in (1, 7))
