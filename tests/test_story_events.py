"""What a telephone exchange tells: twenty thousand bad calls change nothing, and none is a 5xx."""

import contextlib
import json
import random
import socket
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from harness import OdooServer, odoo_script, psql, start_odoo_script, wait_for
from test_story_webhook import request_bytes, story_seed

from devtools.postgres import cluster

#: Bad events: those of an array are many, those that come alone are the rest.
BAD_EVENTS, IN_ARRAYS, ARRAY, CLIENTS = 20_000, 16_000, 100, 8
API = "/cc/api/v1"
CREATE = """
import json
connectors = env["contact.center.connector"]
tokens = {}
for code, values in {
    "open": {}, "signed": {"signing_secret": "whsec_c2VjcmV0"}, "archived": {"active": False}
}.items():
    connector = connectors.create(
        {"name": code, "code": code, "country_id": env.ref("base.no").id, **values}
    )
    tokens[code] = connector._renew_token()
service = env["contact.center.service"].create({"name": "Support", "code": "story"})
callback = env["contact.center.callback"].create(
    {"service_id": service.id, "number": "+4790612345"}
)
callback._claim()
env.cr.commit()
print(json.dumps({**tokens, "callback": callback.id}))
"""
#: How each kind of bad call is answered, and how often it is made beside the others.
ANSWERS = {
    "no_token": ({401}, 3),
    "wrong_token": ({401}, 3),
    "archived": ({403}, 2),
    "unsigned": ({401}, 2),
    "unknown_address": ({404}, 2),
    "wrong_method": ({405}, 2),
    "too_large": ({413}, 1),
    "too_large_in_chunks": ({413}, 1),
    "wrong_type": ({415}, 1),
    "no_body": ({400, 422}, 2),
    "nested": ({400}, 1),
    "broken_form": ({400, 422}, 2),
    "senseless": ({404, 422}, 3),
    "unknown_callback": ({404}, 2),
    "claimed": ({409}, 1),
    "wrong_question": ({404, 422}, 2),
    "wrong_length": ({400, 422}, 1),
}
TABLES = ("event", "call", "callback", "agent", "delivery")
CREATE_WAITING = """
import json
connector = env["contact.center.connector"].create(
    {"name": "Exchange", "code": "claims", "country_id": env.ref("base.no").id}
)
service = env["contact.center.service"].create(
    {"name": "Support", "code": "claims", "max_attempts": 2}
)
callback = env["contact.center.callback"].create(
    {"service_id": service.id, "number": "+4790612345", "connector_id": connector.id}
)
token = connector._renew_token()
env.cr.commit()
ids = {"connector_id": connector.id, "service_id": service.id, "callback_id": callback.id}
print(json.dumps({**ids, "token": token}))
"""
#: What another call of the exchange is about to commit.
NEW_AGENT = """
INSERT INTO contact_center_agent (name, external_id, connector_id, company_id, state, active)
SELECT 'SIP/7', 'SIP/7', id, company_id, 'offline', true
  FROM contact_center_connector WHERE id = %s
"""
#: Somebody joins the line, and it is committed once another waits for that, if one does.
JOIN = """
import time
callbacks = env["contact.center.callback"]
%(how)s
env.flush_all()
print("joined", flush=True)
deadline = time.monotonic() + 20
while time.monotonic() < deadline:
    env.cr.execute("SELECT pg_stat_clear_snapshot()")
    env.cr.execute(
        "SELECT FROM pg_stat_activity WHERE datname = current_database()"
        " AND wait_event_type = 'Lock'"
    )
    if env.cr.rowcount:
        break
    time.sleep(0.05)
env.cr.commit()
"""
OTHER = 'callbacks.create({"service_id": %(service_id)s, "number": "+4790612346"})'
#: How the other joins: for the first time, or again, for a quarter of an hour later.
ANEW = OTHER
AGAIN = f"callback = {OTHER}; callback._claim(); env.cr.commit(); callback._fail_attempt()"
WAITS_FOR_THE_OTHER = """
SELECT pid FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'
"""


def test_twenty_thousand_bad_events_change_nothing(database):
    """P8: refused with a problem of RFC 9457, each by itself; nothing is kept of any."""
    seed = story_seed()
    targets = odoo_script(database, CREATE)
    before = all_effects(database)
    with OdooServer(database, max_cron_threads=1) as server:
        in_arrays = count_in_arrays(server.port, targets, seed)
        answers = call_badly(server.port, targets, seed)
        assert "Traceback" not in server.log_text(), server.log
        for secret in targets.values():
            assert len(str(secret)) < 20 or secret not in server.log_text()
    assert all_effects(database) == before, f"STORY_SEED={seed}"
    assert sum(in_arrays.values()) + answers.total() == BAD_EVENTS
    assert in_arrays.keys() <= {400, 404, 413, 422}, in_arrays
    for kind, (statuses, _weight) in ANSWERS.items():
        given = {status for (told, status) in answers if told == kind}
        assert given, f"{kind} was never tried"
        assert given <= statuses, (kind, given, f"STORY_SEED={seed}")


def test_an_agent_whom_two_calls_name_first_is_one(database):
    """R087: an agent's first two claims at once are both answered; he is made by one of them."""
    made = odoo_script(database, CREATE_WAITING)
    other = cluster().connect(database)
    with OdooServer(database) as server, contextlib.closing(other), ThreadPoolExecutor(1) as pool:
        other.autocommit = False
        other.cursor().execute(NEW_AGENT, [made["connector_id"]])
        claim = pool.submit(
            requests.post,
            f"{server.url}{API}/callbacks/{made['callback_id']}/claim",
            json={"agent": "SIP/7"},
            headers={"Authorization": f"Bearer {made['token']}"},
            timeout=60,
        )
        wait_for(lambda: psql("postgres", WAITS_FOR_THE_OTHER, database), message="the claim")
        other.commit()
        answer = claim.result()
    assert (answer.status_code, answer.json().get("agent")) == (200, "SIP/7"), answer.text
    query = "SELECT count(*) FROM contact_center_agent WHERE connector_id = %s"
    assert psql(database, query, made["connector_id"]) == [(1,)]


@pytest.mark.parametrize(("how", "place", "order"), [(ANEW, 3, "567"), (AGAIN, 2, "576")])
def test_two_who_join_the_line_at_once_have_each_their_place(database, how, place, order):
    """R086: one in Odoo and one at the exchange; nobody is told of a place that is another's."""
    made = odoo_script(database, CREATE_WAITING)
    with OdooServer(database) as server:
        other = start_odoo_script(database, JOIN % {"how": how % made})
        assert other.stdout.readline() == "joined\n"
        answer = requests.post(
            f"{server.url}{API}/callbacks",
            json={"service": "claims", "phone": "+4790612347"},
            headers={"Authorization": f"Bearer {made['token']}"},
            timeout=60,
        )
        assert not other.wait(), other.stderr.read()
    assert (answer.status_code, answer.json().get("position")) == (201, place), answer.text
    query = "SELECT number, position FROM contact_center_callback WHERE service_id = %s ORDER BY 2"
    line = [(f"+479061234{digit}", place) for place, digit in enumerate(order, 1)]
    assert psql(database, query, made["service_id"]) == line


def all_effects(database):
    """Return a digest of all that an event may change."""
    digest = "SELECT count(*), md5(string_agg(entry::text, '' ORDER BY id)) FROM {} entry"
    return {name: psql(database, digest.format(f"contact_center_{name}")) for name in TABLES}


def count_in_arrays(port, targets, seed):
    """Send bad events, many a call; return how many were answered with each status."""
    caller = BadCaller(port, targets, f"{seed}-arrays")
    tally = Counter()
    for _call in range(IN_ARRAYS // ARRAY):
        events = [caller.bad_event() for _n in range(ARRAY)]
        answers = caller.ask(json.dumps(events).encode())
        assert len(answers) == ARRAY
        for event, answer in zip(events, answers, strict=True):
            assert answer["http_status"] == answer.get("status"), (event, answer)
            assert answer["code"] and answer["detail"] and answer["title"]
            tally[answer["http_status"]] += 1
    return tally


def call_badly(port, targets, seed):
    """Return how often each kind of call was answered with each status."""
    callers = [BadCaller(port, targets, f"{seed}-{n}") for n in range(CLIENTS)]
    count = (BAD_EVENTS - IN_ARRAYS) // CLIENTS
    with ThreadPoolExecutor(CLIENTS) as pool:
        return sum(pool.map(lambda caller: caller.call(count), callers), Counter())


def send(port, request):
    """Send a call over a connection of its own; return status, headers and body of the answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        with contextlib.suppress(ConnectionError):  # it need not read to the end
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split(b" ", 2)[1]), head, body


class BadCaller:
    """Calls as no exchange should: a method for each kind, which returns the bytes.

    But for what is bad about it, each call would be taken.
    """

    def __init__(self, port, targets, seed):
        self.port = port
        self.targets = targets
        self.chance = random.Random(seed)

    def call(self, count):
        """Make so many calls; return how often each kind was answered with each status."""
        weights = [weight for _statuses, weight in ANSWERS.values()]
        kinds = self.chance.choices([*ANSWERS], weights, k=count)
        return Counter((kind, self.look(getattr(self, kind)())) for kind in kinds)

    def look(self, request):
        """Send a call; return the status, and see that it is a problem."""
        status, head, body = send(self.port, request)
        assert b"application/problem+json" in head, (head, body, request[:500])
        problem = json.loads(body) if not request.startswith(b"HEAD") else {"status": status}
        assert problem["status"] == status
        return status

    def ask(self, body):
        """Send events that are taken as a whole; return the answers."""
        _status, _head, content = send(self.port, self.post(body))
        return json.loads(content)

    def post(self, body, path="/events", token=None, content_type="application/json", **options):
        token = self.targets["open"] if token is None else token
        headers = {"Authorization": f"Bearer {token}", "Content-Type": content_type}
        method = options.pop("method", "POST")
        headers |= options.pop("headers", {})
        return request_bytes(method, f"{API}{path}", body, headers, **options)

    def event(self, **changes):
        data = {"service": "story", "call_id": self.nonce(), "caller": "+4790612345"}
        return {"id": self.nonce(), "type": "call.queued", "data": {**data, **changes}}

    def genuine(self):
        return json.dumps(self.event()).encode()

    def nonce(self):
        return f"{self.chance.getrandbits(64):x}"

    # Strangers

    def no_token(self):
        wrong = ("", "Bearer", "Bearer  ", "Basic", "Basic !!", "Digest x", "\xff", "Basic =")
        return self.post(self.genuine(), headers={"Authorization": self.chance.choice(wrong)})

    def wrong_token(self):
        right = self.targets["open"]
        wrong = (right[:-1], f"{right}x", right.swapcase(), "None", "\xff\xfe", "a" * 8000, "0")
        return self.post(self.genuine(), token=self.chance.choice(wrong))

    def archived(self):
        return self.post(self.genuine(), token=self.targets["archived"])

    def unsigned(self):
        wrong = ({}, {"webhook-id": "m"}, {"webhook-id": "m", "webhook-timestamp": "1"})
        late = {"webhook-id": "\xff", "webhook-timestamp": "9" * 12, "webhook-signature": "v1,\xff"}
        headers = self.chance.choice((*wrong, late))
        return self.post(self.genuine(), token=self.targets["signed"], headers=headers)

    # What HTTP does not allow

    def unknown_address(self):
        paths = ("", "/", "/event", "/events/1", "/%00", "/%ff", "/services//ewt", "/callbacks/1/2")
        return self.post(self.genuine(), path=self.chance.choice(paths))

    def wrong_method(self):
        methods = ("GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE")
        return self.post(self.genuine(), method=self.chance.choice(methods))

    def too_large(self):
        path = self.chance.choice(("/events", "/callbacks"))
        body = self.genuine() + b" " * (65 * 1024 * (100 if path == "/events" else 1))
        if path == "/events" and self.chance.random() < 0.8:
            body = json.dumps(self.event(caller_name="x" * 65 * 1024)).encode()
        return self.post(body, path=path)

    def too_large_in_chunks(self):
        body = b" " * 66 * 1024
        headers = {"Transfer-Encoding": "chunked"}
        chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        return self.post(chunks, path="/callbacks", headers=headers, length=None)

    def wrong_type(self):
        types = ("text/xml", "multipart/form-data; boundary=x", "text/plain", "image/png", "\xff")
        return self.post(self.genuine(), content_type=self.chance.choice(types))

    def wrong_length(self):
        body = self.genuine()
        return self.post(body, length=self.chance.choice((len(body) - 1, len(body) // 2, 1)))

    # Exchanges out of order

    def no_body(self):
        body = self.genuine()
        bodies = (
            *(b"", b"null", b"1", b"NaN", b'"x"', b"[]", b"{}", b"1" * 5000, b"\xff", b"\0"),
            *(body[:-1], body + b"}", body.replace(b'"', b"'"), b"\0" + body, body[1:]),
            body.decode().encode("utf-16")[:-1],
        )
        return self.post(self.chance.choice(bodies))

    def nested(self):
        depth = self.chance.choice((5000, 30_000))
        return self.post(self.chance.choice((b"[" * depth, b'{"a":' * (depth // 3))))

    def broken_form(self):
        bodies = (b"id=1&type", b"=&=&=", b"&" * 900, b"a=1&" * 5000, b"id=%ff&type=%fe", b"id=%00")
        forms = ("application/x-www-form-urlencoded", "application/json", "")
        return self.post(self.chance.choice(bodies), content_type=self.chance.choice(forms))

    def senseless(self):
        return self.post(json.dumps(self.bad_event(small=True)).encode())

    def bad_event(self, small=False):
        """An event of which something is missing, or is what it cannot be."""
        value = self.chance.choice((True, [], {}, {"a": 1}, ["x"], "", None, "\0", "\ud800", 1.5))
        number = self.chance.choice((-1, 10**12, 1e300, "1e3", "x", "\0", True, [1], float("nan")))
        moment = self.chance.choice(("x", "9999-12-31", "0001-01-01T00:00:00+23:59", 7, ["x"]))
        event = self.event()
        name = self.chance.choice(("service", "call_id", "caller"))
        broken = [
            {**event, "id": value if value != 1.5 else None},
            {**event, "type": value},
            {**event, "time": moment},
            {**event, "data": self.chance.choice(([], "x", 7, True))},
            self.event(**{name: value}),
            self.event(position=number),
            self.event(service=self.nonce()),
            self.event(caller_name="x" * 256),
            {"id": self.nonce()},
        ]
        if not small:
            broken += [[], "x", None, 7, self.event(caller_name="x" * 66_000)]
        return self.chance.choice(broken)

    def unknown_callback(self):
        names = ("0", "-1", "9" * 30, "x", "%F0%9F%93%9E", "%00", "%ff", "1e3", self.nonce())
        path = f"/callbacks/{self.chance.choice(names)}"
        method = self.chance.choice(("GET", "DELETE"))
        return self.post(b"", path=path, method=method)

    def claimed(self):
        return self.post(b"", path=f"/callbacks/{self.targets['callback']}/claim")

    def wrong_question(self):
        paths = (
            *("/callback-offer", "/callback-offer?service=%00", "/callback-offer?service=x"),
            *("/services/x/ewt", "/services/%ff/ewt", "/callbacks?state=%ff", "/callbacks?limit=x"),
            *("/callbacks?offset=-1", "/callbacks?service=x", "/callback-offer?service=a&format=b"),
        )
        return self.post(b"", path=self.chance.choice(paths), method="GET")
