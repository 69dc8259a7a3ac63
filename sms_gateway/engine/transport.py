"""The network edge: performs requests, many at a time, without a cursor.

On the standard library's HTTP client. What richer ones add (redirects, cookies, proxies, netrc,
decoding) is not wanted here, and would cost more time than all the rest of sending a text.
"""

import json
import logging
import select
import ssl
import time
from base64 import b64encode
from collections import Counter, defaultdict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cached_property
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from queue import Empty, SimpleQueue
from urllib.parse import quote, unquote, urlencode, urlsplit

from requests.certs import where

from .contract import Response

_logger = logging.getLogger(__name__)

#: Seconds to connect, and between two bytes of the answer.
TIMEOUT = (5, 20)
#: Requests of one run at a time, over all gateways.
MAX_THREADS = 200
#: Seconds after which an idle connection is not used again. Providers close theirs after five or
#: more, and of a text that crosses the closing nobody knows whether it went.
MAX_IDLE = 3
#: Bytes of an answer; a longer one is none.
MAX_ANSWER = 4 * 1024 * 1024
#: Characters that stay as they are in path and query of an address.
TARGET_SAFE = "!#$%&'()*+,/:;=?@[]~"


class NotSent(Exception):
    """The request certainly did not reach the provider: it may be repeated."""


class NoAnswer(Exception):
    """The request left, the answer was lost: the provider may have acted on it."""


class Transport:
    """One session per gateway, and the requests in flight through them.

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

    def collect(self, timeout):
        """Wait for at least one request to end, but no longer than ``timeout`` seconds.

        :return: list of (key, request, :class:`Response` or :class:`NotSent` or
            :class:`NoAnswer`)
        """
        outcomes = []
        with suppress(Empty):
            if self.in_flight:
                outcomes.append(self._done.get(timeout=timeout))
            while True:
                outcomes.append(self._done.get_nowait())
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
        return NoAnswer(_describe(error))


def make_session(size):
    """A :class:`Session` that keeps ``size`` connections to each host."""
    return Session(size)


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
        origin, target, body, headers = _encode(request)
        connection = session.take(origin)
    except TimeoutError as error:
        raise NotSent("no connection within the time limit") from error
    except (OSError, ValueError) as error:
        raise NotSent(_describe(error)) from error
    try:
        connection.request(request.method, target, body, headers)
        answer = connection.getresponse()
        content = _read(answer)
    except BaseException as error:
        connection.close()
        raise _translate(error) from error
    session.give_back(origin, connection)
    return Response(answer.status, answer.headers, content)


def _translate(error):
    """What an error means for a text whose connection was open."""
    if isinstance(error, TimeoutError):
        return NoAnswer("no answer within the time limit")
    if isinstance(error, ValueError):  # a header that cannot be written: nothing has left yet
        return NotSent(_describe(error))
    if isinstance(error, OSError | HTTPException):
        return NoAnswer(_describe(error))
    return error


def _describe(error):
    """The kind of error only: its words may hold the address, and that a password."""
    return type(error).__name__


def _read(answer):
    """The whole body of an answer."""
    content = answer.read(MAX_ANSWER + 1)
    if answer.length or len(content) > MAX_ANSWER:
        raise HTTPException("cut off, or endless")
    return content


class Session:
    """Connections kept between the requests of many threads."""

    def __init__(self, size):
        self._size = size
        self._idle = defaultdict(list)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        """Close what is idle."""
        for idle in self._idle.values():
            while idle:
                idle.pop()[0].close()

    def take(self, origin):
        """An open connection to (scheme, host, port), kept or new."""
        idle = self._idle[origin]
        with suppress(IndexError):
            while True:
                connection, since = idle.pop()
                if time.monotonic() - since < MAX_IDLE and not _is_closing(connection.sock):
                    return connection
                connection.close()
        return self._connect(*origin)

    def give_back(self, origin, connection):
        """Keep a connection for the next request, unless the provider wants it closed."""
        idle = self._idle[origin]
        if connection.sock and len(idle) < self._size:
            idle.append((connection, time.monotonic()))
        else:
            connection.close()

    def _connect(self, scheme, host, port):
        seconds_to_connect, seconds_to_answer = TIMEOUT
        if scheme == "https":
            connection = HTTPSConnection(host, port, timeout=seconds_to_connect, context=self._tls)
        else:
            connection = HTTPConnection(host, port, timeout=seconds_to_connect)
        connection.auto_open = False
        connection.connect()
        connection.sock.settimeout(seconds_to_answer)
        return connection

    @cached_property
    def _tls(self):
        return ssl.create_default_context(cafile=where())


def _is_closing(sock):
    """Whether the provider has closed an idle connection, or says what nobody asked."""
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))


# On the wire ------------------------------------------------------------------------------


def _encode(request):
    """Origin, target, body and headers of a request, as they go over the wire.

    >>> from odoo.addons.sms_gateway.engine.contract import SendRequest
    >>> origin, target, body, headers = _encode(
    ...     SendRequest((), "POST", "https://a.test/å?b=1", params={"c": "d e"}, data={"f": "ö"})
    ... )
    >>> origin, target, body
    (('https', 'a.test', 443), '/%C3%A5?b=1&c=d+e', b'f=%C3%B6')
    >>> headers["Content-Type"]
    'application/x-www-form-urlencoded'
    """
    url = urlsplit(request.url)
    if url.scheme not in ("http", "https") or not url.hostname:
        raise ValueError("not an address")
    origin = (url.scheme, url.hostname, url.port or (443 if url.scheme == "https" else 80))
    query = "&".join(filter(None, [url.query, _encode_pairs(request.params or {})]))
    target = quote(f"{url.path or '/'}{query and f'?{query}'}", safe=TARGET_SAFE)
    body, content_type = _encode_body(request)
    return origin, target, body, _prepare_headers(request, content_type, _get_auth(request, url))


def _encode_pairs(values):
    return urlencode({k: v for k, v in values.items() if v is not None}, doseq=True)


def _encode_body(request):
    """The body and its content type, which is None where the adapter names it."""
    if request.json is not None:
        return json.dumps(request.json).encode(), "application/json"
    if isinstance(request.data, Mapping):
        return _encode_pairs(request.data).encode(), "application/x-www-form-urlencoded"
    return request.data, None


def _get_auth(request, url):
    """User and password: the adapter's, else those written into the address."""
    if request.auth or not url.username:
        return request.auth
    return unquote(url.username), unquote(url.password or "")


def _prepare_headers(request, content_type, auth):
    """The adapter's headers, completed."""
    headers = {"User-Agent": "Odoo", "Accept": "*/*"}
    if content_type:
        headers["Content-Type"] = content_type
    if auth:
        headers["Authorization"] = f"Basic {b64encode(':'.join(auth).encode()).decode()}"
    own = {name.lower() for name in request.headers}
    return {k: v for k, v in headers.items() if k.lower() not in own} | dict(request.headers)
