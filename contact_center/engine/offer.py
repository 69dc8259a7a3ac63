"""May a callback be offered? The exchange is told all that speaks against it."""

from dataclasses import dataclass
from datetime import datetime, timedelta  # noqa: F401 - the examples need both


@dataclass(frozen=True, slots=True)
class Rules:
    """Of a service; 0 minutes: the rule is off."""

    closing_minutes: int = 0
    min_wait_minutes: int = 0
    offer_unknown: bool = True


def get_reasons(rules, now, is_open, closes_at, wait, is_endless=False):
    """Why no callback is offered; empty where it is.

    Exactly ``closing_minutes`` before closing it still is. A wait of exactly ``min_wait_minutes``
    is not long enough.

    :param datetime closes_at: None where it never closes
    :param int wait: seconds, None where it is not known
    :param bool is_endless: nobody is at work, so any wait is long enough

    >>> rules = Rules(closing_minutes=30, min_wait_minutes=5)
    >>> closing = datetime(2026, 11, 27, 17, 0)
    >>> get_reasons(rules, datetime(2026, 11, 27, 16, 30), True, closing, 301)
    []
    >>> get_reasons(rules, datetime(2026, 11, 27, 16, 30, 1), True, closing, 300)
    ['closing_soon', 'wait_too_short']
    >>> get_reasons(rules, datetime(2026, 11, 27, 7, 0), False, None, 301)
    ['closed']
    """
    reasons = []
    if not is_open:
        reasons.append("closed")
    elif _closes_within(rules.closing_minutes, now, closes_at):
        reasons.append("closing_soon")
    if rules.min_wait_minutes and not is_endless:
        if wait is None:
            reasons += [] if rules.offer_unknown else ["wait_unknown"]
        elif wait <= rules.min_wait_minutes * 60:
            reasons.append("wait_too_short")
    return reasons


def _closes_within(minutes, now, closes_at):
    return bool(minutes and closes_at) and closes_at - now < timedelta(minutes=minutes)
