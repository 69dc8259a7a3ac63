"""The network edge: performs requests, many at a time, without a cursor."""

import contextlib
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

import requests
from requests.adapters import HTTPAdapter

from .contract import Response

#: Seconds to connect, and between two bytes of the answer.
TIMEOUT = (5, 20)
#: Requests of one run at a time, over all gateways.
MAX_THREADS = 200


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
        self._futures = {}

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self._pool.shutdown(wait=True)
        for session in self._sessions.values():
            session.close()

    @property
    def in_flight(self):
        """Number of requests submitted and not yet collected."""
        return len(self._futures)

    def count(self, key):
        """Number of requests in flight through one session."""
        return sum(1 for other, _request in self._futures.values() if other == key)

    def submit(self, key, size, request):
        """Start a request.

        :param key: of the session to use, handed back with the outcome
        :param int size: connections the session keeps
        """
        session = self._sessions.get(key)
        if not session:
            session = self._sessions[key] = make_session(size)
        self._futures[self._pool.submit(perform, session, request)] = (key, request)

    def collect(self, timeout):
        """Wait for at least one request to end, but no longer than ``timeout`` seconds.

        :return: list of (key, request, :class:`Response` or :class:`NotSent` or
            :class:`NoAnswer`)
        """
        if not self._futures:
            return []
        done, _pending = wait(self._futures, timeout=timeout, return_when=FIRST_COMPLETED)
        return [(*self._futures.pop(future), _outcome(future)) for future in done]


def _outcome(future):
    """The future's response, or the exception that says what became of the request."""
    error = future.exception()
    if error is None:
        return future.result()
    return error if isinstance(error, NotSent) else NoAnswer(str(error))


def make_session(size):
    """A session that keeps ``size`` connections and ignores the process's proxies and netrc."""
    session = requests.Session()
    session.trust_env = False
    adapter = HTTPAdapter(pool_connections=4, pool_maxsize=size, max_retries=0)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


def perform(session, request):
    """Perform one request.

    A kept connection that the provider closed while it was idle shows as a lost answer, and so
    it is taken: whether the provider read the request cannot be told from here.

    :param session: from :func:`make_session`
    :param request: :class:`SendRequest`
    :return: :class:`Response`
    :raise NotSent: the connection could not be made
    :raise NoAnswer: anything that happened after that
    """
    with _network_errors():
        answer = session.request(
            request.method,
            request.url,
            params=request.params,
            data=request.data,
            json=request.json,
            headers=dict(request.headers),
            auth=request.auth,
            timeout=TIMEOUT,
            allow_redirects=False,
        )
    return Response(answer.status_code, answer.headers, answer.content)


@contextlib.contextmanager
def _network_errors():
    """Translate what requests raises into what it means for the text."""
    try:
        yield
    except requests.exceptions.ConnectTimeout as error:
        raise NotSent("no connection within the time limit") from error
    except requests.exceptions.ConnectionError as error:
        raise (NotSent if _never_connected(error) else NoAnswer)(_describe(error)) from error
    except requests.exceptions.Timeout as error:
        raise NoAnswer("no answer within the time limit") from error
    except requests.exceptions.RequestException as error:
        invalid = isinstance(error, ValueError)  # an address or header that cannot be sent
        raise (NotSent if invalid else NoAnswer)(_describe(error)) from error


def _root_cause(error):
    """What urllib3 complained of, without the layers around it."""
    cause = error.args[0] if error.args else error
    return getattr(cause, "reason", cause)


def _never_connected(error):
    """Whether the connection could not be opened (refused, unknown host, TLS)."""
    return type(_root_cause(error)).__name__ in NOT_CONNECTED


def _describe(error):
    """The kind of error only: its words hold the address, and that may hold a password."""
    return type(_root_cause(error)).__name__


#: urllib3 errors raised before a byte of the request left.
NOT_CONNECTED = {"NewConnectionError", "NameResolutionError", "SSLError", "ConnectTimeoutError"}
