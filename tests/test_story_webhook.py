"""P3, P8: a call takes effect once, whatever is killed; a bad one has none, however many come."""

import contextlib
import http.client
import os
import random
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

from gateways import kannel_stub, make_gateway, wake
from harness import OdooServer, psql, wait_for

CLIENTS = 8
#: What is called in the first story: texts of so many customers, and as many reports.
CUSTOMERS, TEXTS_EACH, REPORTS = 100, 25, 2500
REPEATS, KILLS = 3, 10
#: Answered calls between two kills, at most.
LIFE = 1000


def test_p3_each_call_takes_effect_once_whatever_is_killed(database):
    """Power cuts where calls are received and where they are worked off, each call thrice."""
    chance = make_chance()
    texts = {f"+4793{n:06d}": [f"{n}-{k}" for k in range(TEXTS_EACH)] for n in range(CUSTOMERS)}
    receiver, worker = OdooServer(database), OdooServer(database, max_cron_threads=1)
    with kannel_stub() as provider, receiver, worker:
        gateway = make_gateway(database, provider.url, max_per_second=100_000, max_in_flight=50)
        gateway.create_texts(REPORTS)
        assert gateway.wait_until_drained() == {"sent": REPORTS}
        reports = [report_of(request) for request in provider.requests]
        answered = []
        with ThreadPoolExecutor(CLIENTS) as pool:
            clients = [
                pool.submit(call_until_answered, receiver.port, calls, answered)
                for calls in deal(chance, [text_calls(gateway, *item) for item in texts.items()], reports)
            ]
            for _kill in range(KILLS):
                live_until(answered, chance.randrange(LIFE), clients)
                import time
                server = chance.choice((receiver, worker))
                t=time.time()
                print(t, len(answered), server is worker, psql(database, "select state, count(*) from sms_gateway_event group by state"))
                server.kill()
                server.start()
                print("started", time.time()-t)
            for client in clients:
                client.result()
            print(time.time(), len(answered), psql(database, "select state, count(*) from sms_gateway_event group by state"))
        wait_for(lambda: is_worked_off(database), 120, "no new event", interval=1)
        print(time.time())


def make_chance():
    seed = int(os.environ.get("STORY_SEED") or random.randrange(10**6))
    print(f"STORY_SEED={seed}")  # noqa: T201 - shown when the story fails
    return random.Random(seed)


def report_of(request):
    url = urllib.parse.urlsplit(request.headers["x-kannel-dlr-url"])
    query = url.query.replace("%d", "1").replace("%A", "").replace("%F", "")
    return f"{url.path}?{query}"


def text_calls(gateway, number, bodies):
    return [
        f"{gateway.path('inbound')}?"
        + urllib.parse.urlencode({"from": number, "to": gateway.address, "text": body, "id": body})
        for body in bodies
    ]


def deal(chance, customers, reports):
    reports = reports * REPEATS
    chance.shuffle(reports)
    for client in range(CLIENTS):
        lanes = [repeat(chance, texts) for texts in customers[client::CLIENTS]]
        yield mix(chance, [*lanes, *([report] for report in reports[client::CLIENTS])])


def repeat(chance, texts):
    places = [*range(len(texts))] * REPEATS
    chance.shuffle(places)
    ranks = {}
    return [texts[ranks.setdefault(place, len(ranks))] for place in places]


def mix(chance, lanes):
    turns = [turn for lane in lanes for turn in [iter(lane)] * len(lane)]
    chance.shuffle(turns)
    return [next(turn) for turn in turns]


def call_until_answered(port, paths, answered):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for path in paths:
        wait_for(lambda: is_answered(connection, path), 60, f"a 2xx to {path}")
        answered.append(path)


def is_answered(connection, path):
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException):
        connection.close()
        return False
    if answer.status != 200:
        print(answer.status)
    return answer.status == 200


def live_until(answered, count, clients):
    goal = min(len(answered) + count, (CUSTOMERS * TEXTS_EACH + REPORTS) * REPEATS)
    wait_for(lambda: len(answered) >= goal, 90, lambda: f"{len(answered)} of {goal}", interval=0.005)


def is_worked_off(database):
    wake(database)
    return not psql(database, "SELECT FROM sms_gateway_event WHERE state = 'new' LIMIT 1")
