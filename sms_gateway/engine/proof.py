"""Proves that a call comes from the provider.

Every function raises :class:`WebhookRefused` with a reason for the counter of refusals: ``secret``
(ours is not set), ``unsigned``, ``signature`` (wrong) or ``stale``. Tokens are read in
``json_web_token.py``.
"""

import hmac
import time
from base64 import b64decode

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

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
    check_any([given], [expected])


def check_any(given, expected):
    """Compare several signatures in constant time: one that came must be one of the right ones.

    :param given: those that came, str; None or empty is none
    :param expected: the right ones, str or bytes
    """
    given = [signature for signature in given if signature]
    if not given:
        raise WebhookRefused("unsigned")
    pairs = ((_to_bytes(came), _to_bytes(right)) for came in given for right in expected)
    if not any(hmac.compare_digest(*pair) for pair in pairs):
        raise WebhookRefused("signature")


def check_ed25519(signature, data, key):
    """Check a signature that was made with the provider's own key.

    :param signature: in base 64, str as it came, None or empty where there was none
    :param bytes data: what is signed
    :param str key: the provider's public key, in base 64
    """
    if not signature:
        raise WebhookRefused("unsigned")
    try:
        public_key = Ed25519PublicKey.from_public_bytes(b64decode(key))
        public_key.verify(b64decode(signature), data)
    except (InvalidSignature, ValueError) as error:
        raise WebhookRefused("signature") from error


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
