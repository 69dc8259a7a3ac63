"""Keep the secret of our addresses out of the server's access log."""

import logging
import re

#: The token of ``/sms/gateway/<token>/inbound`` and ``/status``.
_TOKEN = re.compile(r"(/sms/gateway/)[^/\s]+(/(?:inbound|status))")


def hide_tokens(text):
    """
    >>> hide_tokens("GET /sms/gateway/s3cr3t/inbound?from=1 HTTP/1.1")
    'GET /sms/gateway/***/inbound?from=1 HTTP/1.1'
    """
    return _TOKEN.sub(r"\1***\2", text)


class HideTokens(logging.Filter):
    """Masks the token in what the HTTP server logs of a call."""

    def filter(self, record):
        if isinstance(record.msg, str):
            record.msg = hide_tokens(record.msg)
        if isinstance(record.args, tuple):
            record.args = tuple(
                hide_tokens(arg) if isinstance(arg, str) else arg for arg in record.args
            )
        return True


_FILTER = HideTokens()


def install():
    """Mask the tokens in the access log of this process; once, however often it is called."""
    logging.getLogger("werkzeug").addFilter(_FILTER)
