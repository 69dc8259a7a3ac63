"""The network edge: performs requests, many at a time, without a cursor."""

import logging
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from queue import Empty, SimpleQueue

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, LocationValueError, ReadTimeoutError

from .contract import Response

_logger = logging.getLogger(__name__)

#: Seconds to connect, and between two bytes of the answer.
TIMEOUT = (5, 20)
#: Requests of one run at a time, over all gateways.
MAX_THREADS = 200
#: Bytes of an answer; a longer one is none.
MAX_ANSWER = 4 * 1024 * 1024
#: Bytes of an answer read at a time.
CHUNK = 64 * 1024
#: Seconds that ended requests wait to be handed over together with others.
LINGER = 0.05
#: Hosts to which a session keeps connections.
HOSTS = 4
#: urllib3's errors before a byte of the request has left.
NOT_CONNECTED = {
    "ConnectTimeoutError",
    "NameResolutionError",
    "NewConnectionError",
    "SSLError",
}


class NotSent(Exception):
    """The request certainly did not reach the provider: it may be repeated."""


class NoAnswer(Exception):
    """The request left, the answer was lost: the provider may have acted on it."""


class Transport:
    """One pooled session per gateway, and the requests in flight through them.

    >>> with Transport() as transport:
    ...     transport.in_flight, transport.collect(timeout=0)
    (0, [])
    """

    def __init__(self):
        self._pool = ThreadPoolExecutor(MAX_THREADS, thread_name_prefix="sms_gateway")
        self._sessions = {}
        self._counts = Counter()
        self._done = SimpleQueue()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self._pool.shutdown(wait=True)
        for session in self._sessions.values():
            session.close()

    @property
    def in_flight(self):
        """Number of requests submitted and not yet collected."""
        return self._counts.total()

    def count(self, key):
        """Number of requests in flight through one session."""
        return self._counts[key]

    def submit(self, key, size, request):
        """Start a request.

        :param key: of the session to use, handed back with the outcome
        :param int size: connections the session keeps
        """
        session = self._sessions.get(key)
        if not session:
            session = self._sessions[key] = make_session(size)
        self._counts[key] += 1
        self._pool.submit(self._perform, key, session, request)

    def _perform(self, key, session, request):
        self._done.put((key, request, _get_outcome(session, request)))

    def collect(self, timeout, linger=False):
        """Wait for at least one request to end, but no longer than ``timeout`` seconds.

        :param bool linger: then wait for those that end soon after too: to record many at a time
            is far cheaper than each. Who has texts to send meanwhile would fall behind his pace
        :return: list of (key, request, :class:`Response` or :class:`NotSent` or
            :class:`NoAnswer`)
        """
        outcomes = []
        with suppress(Empty):
            if self.in_flight:
                outcomes.append(self._done.get(timeout=timeout))
            end = time.monotonic() + (LINGER if linger else 0)
            while len(outcomes) < self.in_flight:
                outcomes.append(self._done.get(timeout=max(0, end - time.monotonic())))
        self._counts.subtract(key for key, _request, _outcome in outcomes)
        return outcomes


def _get_outcome(session, request):
    """The request's response, or the exception that says what became of the request."""
    try:
        return perform(session, request)
    except (NotSent, NoAnswer) as error:
        return error
    except Exception as error:
        _logger.exception("An SMS request ended in an unforeseen way")
        return NoAnswer(type(error).__name__)


def make_session(size):
    """A session that keeps ``size`` connections to each host.

    It ignores the process's proxies and netrc: who configures a gateway means its address.
    """
    session = requests.Session()
    session.trust_env = False
    adapter = HTTPAdapter(pool_connections=HOSTS, pool_maxsize=size, max_retries=0)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


def perform(session, request):
    """Perform one request.

    A kept connection that the provider closed in the moment of sending shows as a lost answer,
    and so it is taken: whether the provider read the request cannot be told from here.

    :param session: from :func:`make_session`
    :param request: :class:`SendRequest`
    :return: :class:`Response`
    :raise NotSent: the connection could not be made, or the request not be written down
    :raise NoAnswer: anything that happened after that
    """
    try:
        answer = session.send(
            _prepare(request), timeout=TIMEOUT, allow_redirects=False, stream=True
        )
        content = _read(answer)
    except (requests.RequestException, HTTPError, OSError, ValueError) as error:
        raise _translate(error) from None  # its words may hold the address, and that a password
    return Response(answer.status_code, answer.headers, content)


def _prepare(request):
    """The request as it goes over the wire; cheaper than by the session, which adds nothing."""
    return requests.Request(
        request.method,
        request.url,
        headers=dict(request.headers),
        params=request.params,
        data=request.data,
        json=request.json,
        auth=request.auth,
    ).prepare()


def _read(answer):
    """The whole body of an answer; read to its end, the connection can be kept."""
    content = bytearray()
    for chunk in answer.raw.stream(CHUNK, decode_content=True):
        content += chunk
        if len(content) > MAX_ANSWER:
            answer.close()
            raise HTTPError("endless")
    return bytes(content)


def _translate(error):
    """What an error means for the text."""
    cause = _find_cause(error)
    name = type(cause).__name__
    if name in NOT_CONNECTED or _was_not_written(error):
        return NotSent(name)
    if isinstance(cause, ReadTimeoutError) or isinstance(error, requests.ReadTimeout):
        return NoAnswer("no answer within the time limit")
    return NoAnswer(name)


def _was_not_written(error):
    """An address, method or header that cannot be sent is found out before anything leaves."""
    return isinstance(error, ValueError) and not (
        isinstance(error, HTTPError) and not isinstance(error, LocationValueError)
    )


def _find_cause(error):
    """What urllib3 complained of, without the layers around it.

    Only its kind is ever told: its words may hold the address, and that a password.
    """
    cause = error.args[0] if error.args and isinstance(error.args[0], Exception) else error
    reason = getattr(cause, "reason", None)
    return reason if isinstance(reason, Exception) else cause
