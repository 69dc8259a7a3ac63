"""What a provider's refusal means for the texts of a request."""

import time
from email.utils import parsedate_to_datetime

from .contract import SendResult
from .reading import read_number

#: Characters kept of the provider's own words.
MAX_REASON = 200
#: Failure types that pass by: the text was certainly not accepted, and is tried again.
TRANSIENT = {"sms_throttled", "sms_server"}
#: What a status says where the provider's own code is none that we know.
STATUSES = {
    401: "sms_configuration",
    402: "sms_configuration",
    403: "sms_configuration",
    404: "sms_configuration",
    429: "sms_throttled",
}


def refuse(request, response, code, words, failures):
    """The same refusal for all texts of a request, see :func:`refuse_one`.

    :param response: the :class:`Response` that refuses; its status stands for the code where the
        provider told none
    :return: list of :class:`SendResult`
    """
    status, pause = response.status, get_retry_after(response)
    return [
        refuse_one(uuid, code or str(status), words, failures, status, pause)
        for uuid in request.uuids
    ]


def retry(request, code, words, blamed=None):
    """Texts that were all refused, perhaps each for another: they are tried again.

    :param dict blamed: the refusal by uuid of those that the provider complains of
    :return: list of :class:`SendResult`
    """
    return [
        (blamed or {}).get(uuid) or refuse_one(uuid, code, words, {code: "sms_server"})
        for uuid in request.uuids
    ]


def refuse_one(uuid, code, reason, failures, status=None, retry_after=None):
    """What became of a text that the provider did not take.

    :param str code: the provider's own
    :param str reason: in the provider's words
    :param dict failures: failure type by code; one of :data:`TRANSIENT` is tried again
    :param int status: of HTTP; it decides where the code is unknown
    :param float retry_after: seconds until the provider takes texts again
    :return: :class:`SendResult`; ``unknown`` where neither code nor status proves that the text
        was not taken

    >>> refuse_one("u", "21211", "No number", {"21211": "sms_invalid_destination"}).outcome
    'failed'
    >>> refuse_one("u", "9", "Slower", {}, 429, 2.0).outcome, refuse_one("u", "9", "", {}).outcome
    ('retry', 'unknown')
    """
    kind = failures.get(code) or _get_kind(status)
    passing = kind in TRANSIENT
    return SendResult(
        uuid,
        "retry" if passing else "failed" if kind else "unknown",
        failure_type=kind,
        code=code,
        reason=(reason or "")[:MAX_REASON] or None,
        retry_after=retry_after if passing else None,
    )


def _get_kind(status):
    """The failure type that a status means, or None."""
    if status in STATUSES:
        return STATUSES[status]
    return "sms_rejected" if status and 300 <= status < 500 else None


def unknown(request, response):
    """An answer that nobody understands: the texts may have been taken.

    :return: list of :class:`SendResult`
    """
    return [
        SendResult(
            uuid, "unknown", code=str(response.status), reason=response.text.strip()[:MAX_REASON]
        )
        for uuid in request.uuids
    ]


def get_retry_after(response):
    """Seconds that the header ``Retry-After`` asks for (RFC 9110 §10.2.3), or None.

    >>> from .contract import Response
    >>> get_retry_after(Response(429, {"Retry-After": "120"}, b""))
    120.0
    >>> get_retry_after(Response(429, {"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"}, b""))
    0.0
    >>> get_retry_after(Response(429, {"Retry-After": "soon"}, b"")), get_retry_after(
    ...     Response(429, {}, b"")
    ... )
    (None, None)
    """
    told = response.headers.get("Retry-After") or ""
    seconds = read_number(told)
    if seconds is not None:
        return max(0.0, seconds)
    try:
        return max(0.0, parsedate_to_datetime(told).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None
