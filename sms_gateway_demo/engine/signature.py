"""How the demo carrier and Odoo prove to each other who is calling.

One shared secret, both ways: an HMAC-SHA256 over the moment of signing and the raw body, as many
real providers do it.
"""

import hashlib
import hmac
import re

from odoo.addons.sms_gateway.engine.contract import WebhookRefused

HEADER = "X-Demo-Signature"
#: A signature older or newer than this is refused, in seconds.
TOLERANCE = 300

SHAPE = re.compile(r"t=(\d{1,12}),v1=([0-9a-f]{64})")


def sign(secret, body, now):
    """The value of the header for a body that leaves now.

    :param str secret: shared by both sides
    :param bytes body: raw, as it goes over the wire
    :param float now: seconds since the epoch

    >>> sign("secret", b"{}", 0)[:20]
    't=0,v1=4bbe8d39de1ff'
    """
    return f"t={int(now)},v1={_digest(secret, int(now), body)}"


def check(secret, header, body, now):
    """Prove that the header was made with the secret, for this body, just now.

    :raise WebhookRefused: with the reason ``secret`` (we have none), ``signature`` or
        ``timestamp``

    >>> check("secret", sign("secret", b"{}", 0), b"{}", now=TOLERANCE)
    >>> check("secret", sign("secret", b"{}", 0), b"{}", now=TOLERANCE + 1)
    Traceback (most recent call last):
    odoo.addons.sms_gateway.engine.contract.WebhookRefused: timestamp
    >>> check("secret", sign("secret", b"{}", 0), b"[]", now=0)
    Traceback (most recent call last):
    odoo.addons.sms_gateway.engine.contract.WebhookRefused: signature
    >>> check("", sign("", b"{}", 0), b"{}", now=0)
    Traceback (most recent call last):
    odoo.addons.sms_gateway.engine.contract.WebhookRefused: secret
    """
    if not secret:
        raise WebhookRefused("secret")
    shape = SHAPE.fullmatch(header or "")
    if not shape:
        raise WebhookRefused("signature")
    moment, digest = int(shape[1]), shape[2]
    if not hmac.compare_digest(digest, _digest(secret, moment, body)):
        raise WebhookRefused("signature")
    if abs(now - moment) > TOLERANCE:
        raise WebhookRefused("timestamp")


def _digest(secret, moment, body):
    return hmac.new(secret.encode(), b"%d." % moment + body, hashlib.sha256).hexdigest()
