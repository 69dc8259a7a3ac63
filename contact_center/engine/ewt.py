"""How long will a caller wait? The estimate, and how it was made.

The methods in their order (``guides`` of the field: Genesys Stat Server, Cisco, Google CCAI):

``exchange``
    What the exchange says, while it is fresh.
``formula``
    Little's law, W = L / throughput: those ahead and the caller, times the average handling time,
    divided by the agents at work.
``history``
    The mean wait of the calls answered last.
``unstaffed``
    Nobody is at work: the wait has no end.
``unknown``
    Nothing is known.
"""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figures:
    """What is known of a service. Seconds and numbers of people; None where it is not known."""

    waiting: int = 0
    exchange_wait: int | None = None
    staffed: int | None = None
    available: int | None = None
    handling_time: float | None = None
    recent_wait: float | None = None


@dataclass(frozen=True, slots=True)
class Estimate:
    """Seconds that a caller who joins now will wait; None where no number can be told."""

    seconds: int | None
    method: str


def estimate(figures):
    """The wait of somebody who joins the queue now.

    >>> estimate(Figures(waiting=4, exchange_wait=120, staffed=3))
    Estimate(seconds=120, method='exchange')

    Four in front, nobody free, three at work, three minutes a call:

    >>> estimate(Figures(waiting=4, staffed=3, available=0, handling_time=180))
    Estimate(seconds=300, method='formula')
    >>> estimate(Figures(waiting=1, staffed=3, available=2, handling_time=180))
    Estimate(seconds=0, method='formula')
    >>> estimate(Figures(waiting=4, staffed=0))
    Estimate(seconds=None, method='unstaffed')
    >>> estimate(Figures(recent_wait=41.2))
    Estimate(seconds=42, method='history')
    >>> estimate(Figures())
    Estimate(seconds=None, method='unknown')
    """
    if figures.exchange_wait is not None:
        return Estimate(figures.exchange_wait, "exchange")
    if figures.staffed == 0:
        return Estimate(None, "unstaffed")
    if figures.staffed and figures.handling_time is not None:
        return Estimate(_calculate(figures), "formula")
    if figures.recent_wait is not None:
        return Estimate(math.ceil(figures.recent_wait), "history")
    return Estimate(None, "unknown")


def _calculate(figures):
    free = figures.available or 0
    if free > figures.waiting:
        return 0
    turns = figures.waiting + 1 - free
    return math.ceil(turns * figures.handling_time / figures.staffed)
