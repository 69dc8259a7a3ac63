"""The exchange's events per second, and how long it waits for the answer it needs in a call.

Accepted
    One event a call, beside a bare Odoo route that inserts one row: without scheduled actions, and
    with the worker that works the events off at the same time. And many events a call.
Worked off
    Stored events of whole calls, from the queue to their end, until none is new.
Offer
    May a callback be offered? Asked with a hundred calls waiting, and with ten thousand.
"""

import contextlib
import itertools
import json
import statistics
import threading
import time
from dataclasses import dataclass
from http.client import HTTPConnection

from harness import odoo_script, psql, wait_for

from bench.webhook import bare_addon, server_options

ROUNDS, CALLS, CLIENTS = 5, 400, 8
ARRAY = 100
#: Calls that are worked off, four events each.
TALKS = 1000
FEW, MANY, QUESTIONS = 100, 10_000, 200
CREATE = """
import json
connector = env["contact.center.connector"].create(
    {"name": "Bench", "code": "bench", "country_id": env.ref("base.no").id}
)
service = env["contact.center.service"].create({"name": "Bench", "code": "bench"})
token = connector._renew_token()
env.cr.commit()
print(json.dumps([connector.id, service.id, token]))
"""
#: Calls that wait, and a callback for every tenth of them.
FILL = """
INSERT INTO contact_center_call (connector_id, external_id, service_id, company_id, state, number,
       queued_at, priority, create_date, write_date)
SELECT %(connector_id)s, 'open-' || n, service.id, company_id, 'queued',
       '+4793' || lpad(n::text, 6, '0'), now() at time zone 'utc', 0, now(), now()
  FROM generate_series((SELECT count(*) + 1 FROM contact_center_call
                         WHERE external_id LIKE 'open-%%'), %(count)s) n,
       contact_center_service service WHERE service.id = %(service_id)s;
INSERT INTO contact_center_callback (service_id, company_id, connector_id, number, state, queued_at,
       requested_at, expires_at, position, priority, create_date, write_date)
SELECT service.id, company_id, %(connector_id)s, '+4794' || lpad(n::text, 6, '0'), 'waiting',
       now() at time zone 'utc', now() at time zone 'utc', now() + interval '3 days', n, 0, now(),
       now()
  FROM generate_series((SELECT count(*) + 1 FROM contact_center_callback
                         WHERE service_id = %(service_id)s), %(count)s / 10) n,
       contact_center_service service WHERE service.id = %(service_id)s;
UPDATE contact_center_service SET waiting_count = %(count)s, agents_staffed = 50,
       stats_at = now() at time zone 'utc' + interval '1 hour' WHERE id = %(service_id)s;
"""


@dataclass(frozen=True)
class Exchange:
    """The connector in the database, and its service."""

    database: str
    connector_id: int
    service_id: int
    token: str

    @property
    def headers(self):
        return {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}


def main(harness):
    """Yield all the figures."""
    with harness.make_database("bench") as database, bare_addon() as folder:
        exchange = Exchange(database, *odoo_script(database, CREATE))
        psql(database, "CREATE TABLE bench_bare (id serial, reference text, body text)")
        options = server_options(folder)
        for worker in (0, 1):
            with harness.OdooServer(database, max_cron_threads=worker, extra=options) as server:
                yield from measure_accepted(server, exchange, worker)
                if worker:
                    wait_until_worked_off(exchange)
                assert "Traceback" not in server.log_text(), server.log
        with harness.OdooServer(database) as server:
            tell_talks(server, exchange)
        with harness.OdooServer(database, max_cron_threads=1):
            yield measure_worked_off(exchange)
        with harness.OdooServer(database) as server:
            yield from measure_offer(server, exchange)


# Accepted ---------------------------------------------------------------------------------


def measure_accepted(server, exchange, worker):
    """Yield the speed of both routes in turns, and their ratio."""
    ids = itertools.count(time.time_ns())
    routes = {
        "ours": lambda: post_event(server.port, exchange, ids),
        "bare": lambda: ask(server.port, f"/bench_bare?id={next(ids)}&text=See+you+at+ten"),
    }
    rates = {name: [] for name in routes}
    for route in routes.values():
        measure_rate(route, CALLS // 4)
    for _round in range(ROUNDS):
        for name, route in routes.items():
            rates[name].append(measure_rate(route, CALLS))
    ours, bare = (statistics.median(rates[name]) for name in ("ours", "bare"))
    common = {"worker": "on" if worker else "off"}
    yield {"metric": "events_per_second", "value": round(ours), **common}
    yield {"metric": "peer_calls_per_second", "peer": "bare_route", "value": round(bare), **common}
    yield {"metric": "ratio", "peer": "bare_route", "value": round(ours / bare, 2), **common}
    many = measure_rate(lambda: post_events(server.port, exchange, ids), 24) * ARRAY
    yield {"metric": "events_per_second_in_arrays", "value": round(many), **common}


def measure_rate(call, count):
    """Return the calls per second of several clients that make ``count`` altogether."""

    def call_all():
        for _call in range(count // CLIENTS):
            call()

    started = time.monotonic()
    clients = [threading.Thread(target=call_all) for _client in range(CLIENTS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    return count / (time.monotonic() - started)


def make_event(event_id, event_type="agent.state_changed", **data):
    """Return an event; an agent's state unless said otherwise."""
    data = data or {"agent": f"SIP/{event_id % 50}", "state": "available"}
    return {"id": str(event_id), "type": event_type, "data": data}


def post_event(port, exchange, ids):
    body = json.dumps(make_event(next(ids)))
    ask(port, "/cc/api/v1/events", body, exchange.headers, 202)


def post_events(port, exchange, ids):
    body = json.dumps([make_event(next(ids)) for _n in range(ARRAY)])
    ask(port, "/cc/api/v1/events", body, exchange.headers)


def ask(port, path, body=None, headers=None, status=200):
    """Make one call over a connection of its own; return the body of the answer."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    with contextlib.closing(connection):
        connection.request("POST" if body else "GET", path, body, headers or {})
        answer = connection.getresponse()
        content = answer.read()
        assert answer.status == status, (answer.status, content)
        return content


# Worked off -------------------------------------------------------------------------------


def tell_talks(server, exchange):
    """Store the events of whole calls."""
    events = [event for talk in range(TALKS) for event in get_talk(talk)]
    for first in range(0, len(events), ARRAY):
        body = json.dumps(events[first : first + ARRAY])
        ask(server.port, "/cc/api/v1/events", body, exchange.headers)


def measure_worked_off(exchange):
    """Return the events per second from the first one worked off to the last."""
    before = count_new(exchange)
    wait_for(lambda: count_new(exchange) < before, 120, "the worker", interval=0.005)
    started, first = time.monotonic(), count_new(exchange)
    wait_until_worked_off(exchange)
    rate = first / (time.monotonic() - started)
    query = """
        SELECT state, count(*) FROM contact_center_call WHERE connector_id = %s GROUP BY state
    """
    assert psql(exchange.database, query, exchange.connector_id) == [("ended", TALKS)]
    return {"metric": "events_worked_off_per_second", "value": round(rate), "goal": 200}


def get_talk(talk):
    """Return what is told of one call, from the queue to its end."""
    call = {"call_id": f"talk-{talk}"}
    caller = f"+4792{talk:06d}"
    told = {
        "call.queued": {**call, "service": "bench", "caller": caller},
        "call.left_queue": {**call, "reason": "answered", "wait_seconds": 20},
        "call.answered": {**call, "agent": f"SIP/{talk % 50}", "wait_seconds": 20},
        "call.ended": {**call, "reason": "caller", "talk_seconds": 100},
    }
    return [make_event(f"{talk}-{name}", name, **data) for name, data in told.items()]


def wait_until_worked_off(exchange):
    wait_for(lambda: not count_new(exchange), 300, "no new event", interval=0.02)


def count_new(exchange):
    """Return how many events wait for the worker."""
    query = "SELECT count(*) FROM contact_center_event WHERE state = 'new'"
    ((count,),) = psql(exchange.database, query)
    return count


# Offer ------------------------------------------------------------------------------------


def measure_offer(server, exchange):
    """Yield the time within which nearly all questions are answered, by the calls waiting."""
    slowest = {}
    for count in (FEW, MANY):
        fill(exchange, count)
        measure_answers(server, exchange)
        slowest[count] = statistics.median(measure_answers(server, exchange) for _n in range(3))
        yield {"metric": "offer_p95_ms", "value": round(slowest[count], 1), "waiting": count}
    ratio = slowest[MANY] / slowest[FEW]
    yield {"metric": "offer_ratio", "value": round(ratio, 2), "goal": 1.5}


def fill(exchange, count):
    """Have so many calls wait, and every tenth as many callbacks."""
    values = {
        "connector_id": exchange.connector_id,
        "service_id": exchange.service_id,
        "count": count,
    }
    odoo_script(exchange.database, f"env.cr.execute({FILL!r}, {values!r}); env.cr.commit()")
    for table in ("call", "callback"):
        psql(exchange.database, f"ANALYZE contact_center_{table}")


def measure_answers(server, exchange):
    """Return the milliseconds within which 95 of 100 questions are answered."""
    seconds = []
    for n in range(QUESTIONS):
        path = f"/cc/api/v1/callback-offer?service=bench&caller=%2B4795{n:06d}"
        started = time.monotonic()
        answer = json.loads(ask(server.port, path, headers=exchange.headers))
        seconds.append(time.monotonic() - started)
        assert answer["estimated_wait_seconds"], answer
    return statistics.quantiles(seconds, n=20)[-1] * 1000
