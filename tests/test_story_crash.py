"""P1, P2: a text goes out once, whatever is killed, rolled back, repeated or running twice."""

import contextlib
import os
import random
import threading
import time

from gateways import kannel_stub, make_gateway, wake
from harness import OdooServer, psql, wait_for

from devtools.postgres import cluster

TEXTS, KILLS, LATENCY, IN_FLIGHT = 2000, 20, 0.02, 20
#: Requests in the life of a server, at most, before it is killed.
LIFE = 120


def test_p2_killed_twenty_times_nothing_goes_out_twice(database):
    """Power cuts at random moments of sending: each text went once, or nobody knows."""
    seed = int(os.environ.get("STORY_SEED") or random.randrange(10**6))
    chance = random.Random(seed)
    print(f"STORY_SEED={seed}")  # noqa: T201 - shown when the story fails
    with kannel_stub(latency=LATENCY) as provider:
        gateway = make_gateway(
            database, provider.url, max_per_second=100_000, max_in_flight=IN_FLIGHT
        )
        gateway.create_texts(TEXTS)
        server = OdooServer(database, max_cron_threads=2)
        for _kill in range(KILLS):
            with killed_at_the_end(server):
                live_until(provider, provider.count + chance.randrange(LIFE), database)
                time.sleep(chance.random() * LATENCY * 2)  # within a request, a claim, a commit
        assert gateway.count_states().get("queued"), "killed while there was something to send"
        with server.start():
            wake(database)
            counts = gateway.wait_until_drained()
        assert provider.repeated == {}
        assert counts.keys() <= {"sent", "unknown"}
        assert counts.get("unknown", 0) <= KILLS * IN_FLIGHT
        states = gateway.states()
        assert len(states) == TEXTS
        sent = {uuid for uuid, state in states.items() if state == "sent"}
        assert sent <= set(provider.counts) <= set(states)
        assert psql(database, "SELECT count(*) FROM sms_sms WHERE state = 'process'") == [(0,)]
        assert "Traceback" not in server.log_text(), server.log


@contextlib.contextmanager
def killed_at_the_end(server):
    """Start a server and cut its power when the block is done, or fails."""
    server.start()
    try:
        yield
    finally:
        server.kill()


def live_until(provider, count, database):
    """Wait until the provider has received so many requests."""

    def received():
        if provider.count == before:  # a server that has just started may not be listening yet
            wake(database)
        return provider.count >= count

    before = provider.count
    wait_for(received, 90, lambda: f"{provider.count} of {count}", interval=0.005)


def test_p1_a_transaction_that_rolls_back_sends_nothing(database):
    """Nothing leaves before the commit, and nothing after a rollback."""
    with kannel_stub() as provider:
        gateway = make_gateway(database, provider.url)
        with OdooServer(database, max_cron_threads=2):
            gateway.create_texts(20, end="rollback")
            wake(database)
            gateway.create_texts(1)
            assert gateway.wait_until_drained() == {"sent": 1}
        assert provider.count == 1


SEND_AND_CONFLICT = """
env.cr.execute("SELECT nextval('story_tries')")
env["sms.sms"].create({{"number": "+4790000001", "body": "Once", "sender_id": {sender_id}}})
env.cr.execute("UPDATE res_partner SET comment = 'told' WHERE id = 1")
"""


def test_p1_a_transaction_that_is_repeated_sends_once(database):
    """Odoo repeats a call that meets a serialization failure; its text goes out once."""
    with kannel_stub() as provider, OdooServer(database, max_cron_threads=2) as server:
        gateway = make_gateway(database, provider.url)
        psql(database, "CREATE SEQUENCE story_tries")
        action = create_action(server, SEND_AND_CONFLICT.format(sender_id=gateway.sender_id))
        caller = threading.Thread(
            target=server.jsonrpc, args=("ir.actions.server", "run", [[action]]), daemon=True
        )
        with somebody_edits(database):
            caller.start()
            wait_for(lambda: is_blocked(database), message="the call meets the other's edit")
        caller.join(60)
        assert psql(database, "SELECT last_value FROM story_tries") == [(2,)]
        assert gateway.wait_until_drained() == {"sent": 1}
        assert provider.count == 1


def create_action(server, code):
    """Create a server action that runs Python code; return its id."""
    ((model_id,),) = psql(server.database, "SELECT id FROM ir_model WHERE model = 'sms.sms'")
    values = {"name": "Story", "model_id": model_id, "state": "code", "code": code}
    return server.jsonrpc("ir.actions.server", "create", [values])


@contextlib.contextmanager
def somebody_edits(database):
    """A transaction that holds the row which the server action writes, and commits at the end."""
    connection = cluster().connect(database)
    connection.autocommit = False
    with contextlib.closing(connection), connection, connection.cursor() as cursor:
        cursor.execute("UPDATE res_partner SET comment = 'edited' WHERE id = 1")
        yield


def is_blocked(database):
    """Tell whether somebody waits for a lock in the database."""
    waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'"
    return psql(database, waiting, database)


def test_two_servers_send_once_and_keep_the_pace(database):
    """Two nodes, three lanes: each text once, and never more a second than the gateway takes."""
    count, pace = 600, 50
    with kannel_stub(latency=LATENCY) as provider:
        gateway = make_gateway(database, provider.url, max_per_second=pace, max_in_flight=100)
        options = {"max_cron_threads": 3}
        with OdooServer(database, **options), OdooServer(database, **options):
            gateway.create_texts(count, lanes=("chat", "normal", "bulk"))
            assert gateway.wait_until_drained() == {"sent": count}
        assert len(provider.counts) == provider.count == count
        assert busiest(provider, seconds=5) <= 5 * pace
        # Requests that a busy machine held up arrive closer together than they were claimed.
        assert busiest(provider, seconds=1) <= pace * 1.2


def busiest(provider, seconds):
    """Return the most requests that came within any so many seconds."""
    moments = sorted(request.received_at for request in provider.requests)
    first = most = 0
    for last, moment in enumerate(moments):
        while moments[first] <= moment - seconds:
            first += 1
        most = max(most, last - first + 1)
    return most
