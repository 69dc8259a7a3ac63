"""What the stories in this folder and the scripts in ``bench/`` are told with.

A story starts real Odoo servers and real processes on a database of its own, and looks at
them from outside: through HTTP, SQL and the carrier it plays. Example::

    def test_p1_rollback_sends_nothing(database):
        with StubProvider() as provider, OdooServer(database) as server:
            odoo_script(database, CREATE_AND_FAIL.format(url=provider.url))
            assert provider.count == 0

Nothing here waits blindly: use `wait_for`. Nothing outlives the test run: every process has
a life span after which the kernel ends it, whatever became of the story.
"""

import asyncio
import contextlib
import functools
import json
import os
import signal
import subprocess
import threading
import time
import urllib.parse
from collections import Counter
from dataclasses import dataclass

import requests

from devtools import addons, odoo
from devtools import database as databases
from devtools.cache import cached
from devtools.postgres import cluster
from devtools.server import wait_until_healthy

SECONDS_TO_START = 120
SECONDS_TO_STOP = 15


# Databases --------------------------------------------------------------------------------


@contextlib.contextmanager
def make_database(label="story"):
    """Yield the name of a fresh copy of the template database, dropped at the end.

    It holds every addon of the repository with demo data. ``label`` shows in the name.
    """
    with databases.temporary_copy(_template(), label) as name:
        yield name


@functools.cache
def _template():
    """Return the one template of this run, also if the addons are edited meanwhile."""
    return databases.template(addons.closure([]))


def psql(database, statement, *values):
    """Run one SQL statement in its own transaction; return its rows as a list of tuples.

    ``values`` replace ``%s`` in the statement.
    """
    connection = cluster().connect(database)
    with contextlib.closing(connection), connection.cursor() as cursor:
        cursor.execute(statement, values or None)
        return cursor.fetchall() if cursor.description else []


# Waiting ----------------------------------------------------------------------------------


def wait_for(fact, timeout=30, message="", interval=0.05):
    """Call ``fact`` until it returns something true and return that.

    Raises `AssertionError` with ``message`` (a text, or a function that makes one) when
    ``timeout`` seconds have passed.
    """
    deadline = time.monotonic() + timeout
    while True:
        if value := fact():
            return value
        if time.monotonic() > deadline:
            text = message() if callable(message) else message
            raise AssertionError(f"Not within {timeout} s: {text or fact}")
        time.sleep(interval)


# Odoo -------------------------------------------------------------------------------------


def _spawn_odoo(command, life, **streams):
    """Start a process group that the kernel ends after ``life`` seconds."""
    return subprocess.Popen(
        command,
        cwd=odoo.data_dir(),
        env=odoo.environment(),
        start_new_session=True,
        preexec_fn=lambda: signal.alarm(life),  # noqa: PLW1509 - survives exec, needs no thread
        **streams,
    )


def _kill_group(process):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


class OdooServer:
    """A real Odoo server on a free loopback port; use it as a context manager.

    :param str database: name of the database it serves
    :param int workers: 0 for threads, else the number of worker processes
    :param int max_cron_threads: threads (or workers) for scheduled actions
    :param extra: further options of Odoo's command line
    :param int life: seconds after which the server is ended whatever happens
    """

    def __init__(self, database, workers=0, max_cron_threads=0, extra=(), life=600):
        self.database = database
        self.port = odoo.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = cached("logs", f"{database}-{self.port}.log")
        self._options = [
            f"--workers={workers}",
            f"--max-cron-threads={max_cron_threads}",
            f"--http-port={self.port}",
            f"--gevent-port={odoo.free_port()}",
            *extra,
        ]
        self._life = life
        self._process = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    @property
    def pid(self):
        """The main process; with workers it is their parent."""
        return self._process.pid

    def start(self):
        """Start, and return when the server answers; also after `kill` or `stop`."""
        command = odoo.command("server", self.database, *self._options)
        with open(self.log, "a") as log:
            self._process = _spawn_odoo(
                command, self._life, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        wait_until_healthy(self.url, self._process, SECONDS_TO_START, self.log)
        return self

    def kill(self):
        """Kill the server and all its workers at once, as a power cut would (SIGKILL)."""
        _kill_group(self._process)

    def stop(self):
        """Stop the server in order; kill what does not listen."""
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(SECONDS_TO_STOP)
        _kill_group(self._process)

    def log_text(self):
        """Return everything the server has logged so far, over all its starts."""
        return self.log.read_text(errors="replace")

    def jsonrpc(self, model, method, args=(), kwargs=None, login="admin", password="admin"):
        """Call a public method as a user, like an outside program; return its result."""
        parameters = [self.database, self._uid(login, password), password, model, method]
        return self._call("object", "execute_kw", *parameters, list(args), kwargs or {})

    def _uid(self, login, password):
        uid = self._call("common", "login", self.database, login, password)
        if not uid:
            raise AssertionError(f"{login} cannot log in")
        return uid

    def _call(self, service, method, *args):
        parameters = {"service": service, "method": method, "args": args}
        answer = requests.post(
            f"{self.url}/jsonrpc",
            json={"jsonrpc": "2.0", "method": "call", "params": parameters},
            timeout=120,
        ).json()
        if "error" in answer:
            raise AssertionError(answer["error"]["data"]["debug"])
        return answer.get("result")


def start_odoo_script(database, code, life=300):
    """Start Python code with ``env`` in a process of its own; return the `subprocess.Popen`.

    It leads its own process group: ``process.kill()`` ends it as a power cut would. Its
    standard output is a pipe; ``process.stdout.readline()`` waits for a line it prints (with
    ``flush=True``), which is how a story kills it at an exact place.
    """
    process = _spawn_odoo(
        odoo.command("shell", database, "--no-http", "--log-level=warn"),
        life,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    process.stdin.write(code)
    process.stdin.close()
    return process


def odoo_script(database, code, timeout=300):
    """Run Python code with ``env`` in a process of its own and return what it printed last.

    The last line of its output is read as JSON; ``None`` if it printed nothing. What the
    code wrote is lost unless it calls ``env.cr.commit()``. Raises `AssertionError` with the
    log if it fails.
    """
    process = start_odoo_script(database, code, life=timeout)
    process.stdin = None
    output, log = process.communicate()
    if process.returncode:
        raise AssertionError(f"The script ended with {process.returncode}:\n{log[-6000:]}")
    lines = output.strip().splitlines()
    return json.loads(lines[-1]) if lines else None


# The carrier ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Request:
    """One request a `StubProvider` received."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    received_at: float

    @property
    def values(self):
        """The fields of the body, JSON or form, over those of the query."""
        if "json" in self.headers.get("content-type", ""):
            return {**self.query, **json.loads(self.body or b"{}")}
        return {**self.query, **dict(urllib.parse.parse_qsl(self.body.decode()))}


@dataclass(frozen=True)
class Answer:
    """What a `StubProvider` answers; a dictionary becomes JSON.

    ``latency`` in seconds passes before; ``hang_up`` closes the connection without answer.
    """

    status: int = 200
    body: dict | str | bytes = b""
    latency: float = 0
    hang_up: bool = False
    content_type: str = "application/json"

    def encode(self):
        """Return the bytes of the HTTP answer."""
        body = json.dumps(self.body) if isinstance(self.body, dict | list) else self.body
        body = body.encode() if isinstance(body, str) else body
        head = (
            f"HTTP/1.1 {self.status} {'OK' if self.status < 300 else 'Error'}\r\n"
            f"Content-Type: {self.content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


class StubProvider:
    """An SMS provider on loopback that answers as told and remembers what it was asked.

    Fast enough to measure others with: some thousand requests a second, HTTP/1.1 keep-alive.

    :param answer: function of a `Request` returning an `Answer`, called in the server's
        thread; or one `Answer` for all
    :param reference: function of a `Request` returning what identifies the text, for `counts`
    """

    def __init__(self, answer=Answer(body={"ok": True}), reference=None, latency=0):
        self.answer = answer if callable(answer) else lambda request: answer
        self.reference = reference or (lambda request: request.path)
        self.latency = latency
        self.requests = []
        self.counts = Counter()
        self._lock = threading.Lock()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self):
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    @property
    def count(self):
        """How many requests have come."""
        return len(self.requests)

    @property
    def repeated(self):
        """The references that came more than once, with how often."""
        with self._lock:
            return {key: count for key, count in self.counts.items() if count > 1}

    def record(self, request):
        """Remember a request; return what to answer and after how many seconds."""
        with self._lock:
            self.requests.append(request)
            self.counts[self.reference(request)] += 1
        answer = self.answer(request)
        return answer, answer.latency or self.latency

    def _serve(self):
        asyncio.set_event_loop(self._loop)
        factory = self._loop.create_server(lambda: _Connection(self), "127.0.0.1", 0, backlog=1024)
        server = self._loop.run_until_complete(factory)
        self.port = server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._ready.set()
        self._loop.run_forever()
        server.close()


class _Connection(asyncio.Protocol):
    """Reads requests off one keep-alive connection; answers each after its latency."""

    def __init__(self, provider):
        self.provider = provider
        self.buffer = b""
        self.transport = None

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.buffer += data
        while request := self._take_request():
            answer, latency = self.provider.record(request)
            if latency:
                asyncio.get_running_loop().call_later(latency, self._send, answer)
            else:
                self._send(answer)

    def _send(self, answer):
        if answer.hang_up:
            self.transport.abort()
        elif not self.transport.is_closing():
            self.transport.write(answer.encode())

    def _take_request(self):
        """Take one whole request off the buffer, if there is one."""
        head, found, rest = self.buffer.partition(b"\r\n\r\n")
        if not found:
            return None
        first, *lines = head.decode("latin-1").split("\r\n")
        pairs = (line.split(":", 1) for line in lines)
        headers = {name.strip().lower(): value.strip() for name, value in pairs}
        length = int(headers.get("content-length", 0))
        if len(rest) < length:
            return None
        self.buffer = rest[length:]
        return self._request(first, headers, rest[:length])

    def _request(self, first, headers, body):
        method, target, _ = first.split(" ")
        url = urllib.parse.urlsplit(target)
        query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        return Request(method, url.path, query, headers, body, time.time())
