"""Signatures as https://www.standardwebhooks.com has them: HMAC-SHA256 of id, time and body."""

import base64
import binascii
import hashlib
import hmac
from contextlib import suppress

#: Before a secret that is written in base64.
PREFIX = "whsec_"
VERSION = "v1"
#: Seconds by which the clocks may differ.
TOLERANCE = 300
ID, TIMESTAMP, SIGNATURE = HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")


def sign(secret, message_id, timestamp, body):
    """The signature of a message.

    :param str secret: base64 after the prefix; without it, it is taken as it is
    :param str timestamp: seconds since 1970
    :param bytes body:

    The example of the specification:

    >>> sign("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek",
    ...      "1614265330", b'{"test": 2432232314}')
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
    """
    content = b".".join((message_id.encode(), timestamp.encode(), body))
    digest = hmac.new(_get_key(secret), content, hashlib.sha256).digest()
    return f"{VERSION},{base64.b64encode(digest).decode()}"


def get_headers(secret, message_id, timestamp, body):
    """The headers that go with a message; without a secret it goes unsigned."""
    headers = {ID: message_id, TIMESTAMP: timestamp}
    if secret:
        headers[SIGNATURE] = sign(secret, message_id, timestamp, body)
    return headers


def find_fault(secret, headers, body, now):
    """What is wrong with the signature of a message; None where nothing is.

    :param headers: mapping of names of :data:`HEADERS`
    :param float now: seconds since 1970

    >>> headers = get_headers("s", "m1", "1000", b"{}")
    >>> find_fault("s", headers, b"{}", 1300.0), find_fault("s", headers, b"{ }", 1000.0)
    (None, 'webhook-signature')
    >>> find_fault("s", headers, b"{}", 1300.1), find_fault("s", {}, b"{}", 1000.0)
    ('webhook-timestamp', 'webhook-id')
    """
    message_id, timestamp, signatures = (headers.get(name) or "" for name in HEADERS)
    if not message_id:
        return ID
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 12):
        return TIMESTAMP
    if abs(now - int(timestamp)) > TOLERANCE:
        return TIMESTAMP
    right = sign(secret, message_id, timestamp, body).encode()
    given = [signature.encode("utf-8", "replace") for signature in signatures.split(" ")]
    matches = [hmac.compare_digest(right, signature) for signature in given]
    return None if any(matches) else SIGNATURE


def _get_key(secret):
    """
    >>> _get_key("whsec_YWJj"), _get_key("whsec_!"), _get_key("abc")
    (b'abc', b'whsec_!', b'abc')
    """
    with suppress(binascii.Error):
        if secret.startswith(PREFIX):
            return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    return secret.encode()
