"""Reads JSON Web Tokens with PyJWT.

Not a requirement of this addon: an adapter that imports this names PyJWT in its own manifest.
"""

import jwt

from .contract import WebhookRefused
from .proof import MAX_AGE, require

#: Of a token that is signed with a shared secret; any other proves nothing.
ALGORITHMS = ["HS256", "HS384", "HS512"]


def read_jwt(token, secret):
    """The claims of a JSON Web Token (RFC 7519) signed with a shared secret.

    :param str token: as it came, empty where there was none
    :raise WebhookRefused: unsigned, wrongly signed, too old or not yet valid
    """
    require(secret)
    if not token:
        raise WebhookRefused("unsigned")
    try:
        return jwt.decode(
            token,
            secret,
            algorithms=ALGORITHMS,
            options={"verify_aud": False},
            leeway=MAX_AGE,
        )
    except (jwt.ExpiredSignatureError, jwt.ImmatureSignatureError) as error:
        raise WebhookRefused("stale") from error
    except jwt.PyJWTError as error:
        raise WebhookRefused("signature") from error
