"""Accepted webhook calls per second, beside a bare Odoo route that inserts one row.

Both routes are called in turns on the same threaded server, each call with an id of its own: once
without scheduled actions, so that nothing but acceptance is measured, and once with the worker
that turns the events into texts on records at the same time.
"""

import contextlib
import itertools
import statistics
import tempfile
import threading
import time
from http.client import HTTPConnection
from pathlib import Path

from gateways import kannel_stub, make_gateway

from devtools.cache import ROOT
from devtools.odoo import installation

ROUNDS, CALLS, CLIENTS = 7, 400, 8

BARE = {
    "__init__.py": "from . import controllers",
    "__manifest__.py": "{'name': 'Bare', 'license': 'LGPL-3', 'depends': ['web']}",
    "controllers.py": """
from odoo import http
from odoo.http import request

class Bare(http.Controller):
    @http.route("/bench_bare", type="http", auth="public", csrf=False, save_session=False)
    def bare(self, **params):
        request.env.cr.execute(
            "INSERT INTO bench_bare (reference, body) VALUES (%s, %s)",
            [params["id"], params["text"]],
        )
        return request.make_response("")
""",
}


def main(harness):
    """Yield the speed of both routes and their ratio, without and with the worker."""
    with (
        harness.make_database("bench") as database,
        kannel_stub() as kannel,
        bare_addon() as folder,
    ):
        gateway = make_gateway(database, kannel.url)
        harness.psql(database, "CREATE TABLE bench_bare (id serial, reference text, body text)")
        for worker in (0, 1):
            with harness.OdooServer(
                database, max_cron_threads=worker, extra=server_options(folder)
            ) as server:
                yield from measure(harness, server, gateway, worker)


@contextlib.contextmanager
def bare_addon():
    """Yield a folder with the addon of the bare route."""
    with tempfile.TemporaryDirectory() as folder:
        addon = Path(folder, "bench_bare")
        addon.mkdir()
        for name, content in BARE.items():
            (addon / name).write_text(content)
        yield folder


def server_options(folder):
    """Return the options with which Odoo serves the bare route without installing it."""
    paths = ",".join(map(str, [*installation().addons_paths, ROOT, folder]))
    return [f"--addons-path={paths}", "--load=base,rpc,web,bench_bare"]


def measure(harness, server, gateway, worker):
    """Yield the figures of one server."""
    ids = itertools.count()
    paths = {"ours": gateway.path("inbound"), "bare": "/bench_bare"}
    rates = {name: [] for name in paths}
    for path in paths.values():
        call_many(server.port, path, ids, CALLS // 4)
    for _round in range(ROUNDS):
        for name, path in paths.items():
            rates[name].append(call_many(server.port, path, ids, CALLS))
    ours, bare = (statistics.median(rates[name]) for name in ("ours", "bare"))
    common = {"peer": "bare_route", "worker": "on" if worker else "off"}
    yield {"metric": "calls_per_second", "value": round(ours), "worker": common["worker"]}
    yield {"metric": "peer_calls_per_second", "value": round(bare), **common}
    yield {"metric": "ratio", "value": round(ours / bare, 2), **common}
    count = "SELECT count(*) FROM sms_gateway_event WHERE gateway_id = %s"
    ((stored,),) = harness.psql(gateway.database, count, gateway.id)
    assert stored >= ROUNDS * CALLS, stored
    assert "Traceback" not in server.log_text(), server.log


def call_many(port, path, ids, count):
    """Return the calls per second of several clients that make ``count`` calls altogether."""
    started = time.monotonic()
    clients = [
        threading.Thread(target=call_all, args=(port, path, ids, count // CLIENTS))
        for _client in range(CLIENTS)
    ]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    return count / (time.monotonic() - started)


def call_all(port, path, ids, count):
    """Call as Kannel does, once for each text."""
    for _call in range(count):
        number = f"4793{next(ids) % 200:06d}"
        reference = f"{time.time_ns()}-{threading.get_ident()}"
        query = f"from=%2B{number}&to=26456&text=See+you+at+ten&id={reference}&coding=0"
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        with contextlib.closing(connection):
            connection.request("GET", f"{path}?{query}")
            assert connection.getresponse().status == 200
