"""The harness itself: a story that cannot trust its tools proves nothing."""

import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from harness import (
    Answer,
    OdooServer,
    StubProvider,
    odoo_script,
    psql,
    start_odoo_script,
    wait_for,
)


@pytest.mark.parametrize("workers", [0, 2])
def test_server_answers_and_dies_when_killed(database, workers):
    """A server serves its own database, and SIGKILL leaves nothing behind."""
    with OdooServer(database, workers=workers) as server:
        assert server.jsonrpc("res.users", "search_count", [[("login", "=", "admin")]]) == 1
        server.kill()
        with pytest.raises(requests.ConnectionError):
            requests.get(server.url, timeout=5)
        server.start()
        assert requests.get(f"{server.url}/web/health", timeout=5).ok
        assert database in server.log_text()


def test_script_commits_only_what_it_commits(database):
    """A script returns what it printed as JSON; without commit nothing stays."""
    code = "import json\nenv['res.partner'].create({'name': 'Gone'})\nprint(json.dumps([1]))"
    assert odoo_script(database, code) == [1]
    assert psql(database, "SELECT 1 FROM res_partner WHERE name = %s", "Gone") == []
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        odoo_script(database, "1 / 0")


def test_script_can_be_killed_at_an_exact_place(database):
    """A story waits for a line of the script, then kills it."""
    code = "import time\nprint('here', flush=True)\ntime.sleep(600)"
    process = start_odoo_script(database, code)
    assert process.stdout.readline() == "here\n"
    process.kill()
    assert process.wait() == -signal.SIGKILL


def test_stub_provider_counts_under_load():
    """Thousands of requests a second over kept connections, each counted once."""
    with StubProvider(reference=lambda request: request.values["id"]) as provider:

        def send(batch):
            with requests.Session() as session:
                for number in range(100):
                    session.post(provider.url, json={"id": f"{batch}-{number}"}, timeout=5)

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(send, range(4)))
        assert provider.count == 400
        assert provider.repeated == {}
        requests.get(f"{provider.url}/?id=0-0", timeout=5)
        assert provider.repeated == {"0-0": 2}


def test_stub_provider_hangs_up_and_is_slow():
    """Latency and a connection closed without answer, as told."""
    answers = {"/slow": Answer(latency=0.3), "/dead": Answer(hang_up=True)}
    with StubProvider(answer=lambda request: answers[request.path]) as provider:
        started = time.monotonic()
        assert requests.get(f"{provider.url}/slow", timeout=5).status_code == 200
        assert time.monotonic() - started >= 0.3
        with pytest.raises(requests.ConnectionError):
            requests.get(f"{provider.url}/dead", timeout=5)


def test_wait_for_says_what_it_waited_for():
    """The message of a fact that did not come names it."""
    assert wait_for(lambda: 7) == 7
    with pytest.raises(AssertionError, match="the bus"):
        wait_for(lambda: False, timeout=0.1, message="the bus")
