"""Proves that a call comes from the provider.

Every function raises :class:`WebhookRefused` with a reason for the counter of refusals: ``secret``
(ours is not set), ``unsigned``, ``signature`` (wrong) or ``stale``. Tokens are read in
``json_web_token.py``.
"""

import hmac
import time

from .contract import WebhookRefused
from .reading import read_number

#: Seconds by which a signed moment may be off.
MAX_AGE = 300


def require(*secrets):
    """A gateway without its secret believes nobody."""
    if not all(secrets):
        raise WebhookRefused("secret")


def sign(secret, data, digest="sha256"):
    """The HMAC of the data.

    :param secret: str or bytes
    :param data: str or bytes
    :return: bytes

    >>> sign("key", "data").hex()[:16]
    '5031fe3d989c6d15'
    """
    return hmac.digest(_to_bytes(secret), _to_bytes(data), digest)


def check_equal(given, expected):
    """Compare a signature in constant time.

    :param given: str as it came, None or empty where there was none
    :param str expected:
    """
    if not given:
        raise WebhookRefused("unsigned")
    if not hmac.compare_digest(_to_bytes(given), _to_bytes(expected)):
        raise WebhookRefused("signature")


def check_age(timestamp, seconds=MAX_AGE):
    """Refuse a call that was signed too long ago, or too far ahead.

    :param timestamp: seconds since the epoch, str or number
    """
    moment = read_number(timestamp)
    if moment is None:
        raise WebhookRefused("unsigned")
    if abs(time.time() - moment) > seconds:
        raise WebhookRefused("stale")


def _to_bytes(value):
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
