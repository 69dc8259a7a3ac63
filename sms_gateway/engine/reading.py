"""Reads what providers write: none of it can be trusted to be there, or of its type."""

import re
from contextlib import suppress
from datetime import UTC, datetime

from .contract import WebhookMalformed

#: Seconds since the epoch until the year 5138; what has more digits counts milliseconds.
EPOCH = re.compile(r"[0-9]{1,11}")


def read_time(value, form=None):
    """A moment as naive UTC, or None: no text is lost for its moment.

    :param value: seconds since the epoch, or ISO 8601 with or without offset (none is UTC)
    :param str form: of ``strptime``, where the provider writes it in neither way

    >>> read_time("1795312000"), read_time(0)
    (datetime.datetime(2026, 11, 22, 1, 46, 40), datetime.datetime(1970, 1, 1, 0, 0))
    >>> read_time("2016-10-06T09:28:39.220+0200"), read_time("2018-07-13 13:57:23")
    (datetime.datetime(2016, 10, 6, 7, 28, 39), datetime.datetime(2018, 7, 13, 13, 57, 23))
    >>> read_time("20261122", "%Y%m%d"), read_time("%T"), read_time(None), read_time("9" * 12)
    (datetime.datetime(2026, 11, 22, 0, 0), None, None, None)
    """
    words = read_text(value) or ""
    with suppress(ValueError, OverflowError):
        if form:
            moment = datetime.strptime(words, form)
        elif EPOCH.fullmatch(words):
            moment = datetime.fromtimestamp(int(words), UTC)
        else:
            moment = datetime.fromisoformat(words)
        return _to_naive_utc(moment)


def _to_naive_utc(moment):
    if moment.tzinfo:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return moment.replace(microsecond=0)


def read_text(value):
    """Words, or a whole number as words; None for anything else.

    >>> read_text(45), read_text(" a"), read_text(None), read_text(["a"]), read_text(True)
    ('45', ' a', None, None, None)
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else None


def read_number(value):
    """A finite number, or None.

    >>> read_number("0.05"), read_number(3), read_number("NaN"), read_number(""), read_number([1])
    (0.05, 3.0, None, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    with suppress(ValueError, OverflowError):
        number = float(value)
        return number if abs(number) < float("inf") else None


def read_count(value):
    """A positive whole number, or None.

    >>> read_count("2"), read_count(0), read_count("1.5"), read_count(1e300), read_count("x")
    (2, None, None, None, None)
    """
    number = read_number(value)
    if number and number.is_integer() and 0 < number < 10_000:
        return int(number)


def dig(value, *path):
    """What stands at a path in JSON, or None where the path leads nowhere.

    >>> dig({"to": [{"status": "sent"}]}, "to", 0, "status")
    'sent'
    >>> dig({"to": []}, "to", 0, "status"), dig("x", 0), dig(None, "a")
    (None, None, None)
    """
    for key in path:
        kind = list if isinstance(key, int) else dict
        if not isinstance(value, kind):
            return None
        try:
            value = value[key]
        except LookupError:
            return None
    return value


def dig_list(value, *path):
    """The list at a path in JSON, or an empty one.

    >>> dig_list({"ids": [1, 2]}, "ids"), dig_list({"ids": 1}, "ids"), dig_list(None)
    ([1, 2], [], [])
    """
    found = dig(value, *path)
    return found if isinstance(found, list) else []


def read_list(value):
    """The objects of a JSON list.

    :raise WebhookMalformed: where it is no list of objects
    """
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise WebhookMalformed("not a list of objects")
    return value


def read_state(states, told):
    """The state of a text by the provider's word for it.

    :raise WebhookMalformed: where the word is none of the provider's

    >>> read_state({"OK": "delivered"}, "OK")
    'delivered'
    """
    if told not in states:
        raise WebhookMalformed(f"no state of a text: {told!r:.100}")
    return states[told]


def read_amount(amount, currency=None):
    """An amount of money and its currency, or None where the amount is no number.

    >>> read_amount("9.2", "EUR"), read_amount(3), read_amount(None, "EUR")
    ((9.2, 'EUR'), (3.0, None), None)
    """
    number = read_number(amount)
    return None if number is None else (number, read_text(currency))


def digits(number):
    """A number in E.164 without its plus sign.

    >>> digits("+4791234567"), digits("26456")
    ('4791234567', '26456')
    """
    return number.lstrip("+")
