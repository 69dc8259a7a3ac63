"""P3, P8: a call takes effect once, whatever is killed; a bad one never, however many there are."""

import contextlib
import hashlib
import hmac
import http.client
import json
import os
import random
import runpy
import socket
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from gateways import Gateway, kannel_stub, make_gateway, wake
from harness import OdooServer, odoo_script, psql, wait_for

from devtools.cache import ROOT

CLIENTS = 8

# P3: each call once -----------------------------------------------------------------------

#: Texts of so many customers, and reports on so many texts; how often each of them is called.
CUSTOMERS, TEXTS_EACH, REPORTS, REPEATS = 100, 25, 2500, 3
CALLS = (CUSTOMERS * TEXTS_EACH + REPORTS) * REPEATS
#: Customers who are contacts: their texts are posted in a chatter.
CONTACTS = 20
#: Servers killed, and the calls answered before the next one is, at most.
KILLS, LIFE = 10, 1000


def test_p3_each_call_takes_effect_once_whatever_is_killed(database):
    """Power cuts where calls are received and where they are worked off, each made three times."""
    chance = random.Random(story_seed())
    texts = {f"+4793{n:06d}": [f"{n}-{k}" for k in range(TEXTS_EACH)] for n in range(CUSTOMERS)}
    known = [*texts][:CONTACTS]
    receiver, worker = OdooServer(database), OdooServer(database, max_cron_threads=1)
    with kannel_stub() as provider, receiver, worker:
        gateway = make_gateway(database, provider.url, max_per_second=100_000, max_in_flight=50)
        contacts = create_contacts(receiver, known)
        customers = [text_calls(gateway, number, bodies) for number, bodies in texts.items()]
        calls = deal(chance, customers, report_calls(gateway, provider))
        with Providers(receiver.port, calls) as calling:
            for _kill in range(KILLS):
                calling.wait_until(calling.answered + chance.randrange(LIFE))
                server = chance.choice((receiver, worker))
                server.kill()
                server.start()
            calling.wait_until(CALLS)
        wait_until_worked_off(gateway)
        for server in (receiver, worker):
            assert "Traceback" not in server.log_text(), server.log
    assert count_events(gateway) == {"done": CUSTOMERS * TEXTS_EACH + REPORTS}
    assert gateway.count_states() == {"delivered": REPORTS, "received": CUSTOMERS * TEXTS_EACH}
    assert received_texts(gateway) == texts
    assert posted_texts(database, contacts) == [texts[number] for number in known]


def story_seed():
    """Return what the story's chances follow from, and show it when the story fails."""
    seed = int(os.environ.get("STORY_SEED") or random.randrange(10**6))
    print(f"STORY_SEED={seed}")  # noqa: T201
    return seed


def create_contacts(server, numbers):
    """Create a contact for each number; return their ids."""
    values = [{"name": number, "phone": number} for number in numbers]
    return server.jsonrpc("res.partner", "create", [values])


def text_calls(gateway, number, bodies):
    """Return the calls by which Kannel brings the texts of one customer."""
    return [
        f"{gateway.path('inbound')}?"
        + urlencode({"from": number, "to": gateway.address, "text": body, "id": f"id-{body}"})
        for body in bodies
    ]


def report_calls(gateway, provider):
    """Send texts; return the calls by which Kannel reports that they have arrived."""
    gateway.create_texts(REPORTS)
    assert gateway.wait_until_drained() == {"sent": REPORTS}
    return [fill_in(request.headers["x-kannel-dlr-url"]) for request in provider.requests]


def fill_in(address):
    """Return what Kannel calls where it was given an address to report to: it has arrived."""
    url = urlsplit(address)
    return f"{url.path}?{url.query}".replace("%d", "1").replace("%A", "").replace("%F", "")


def deal(chance, customers, reports):
    """Return for each client the calls it makes, every one several times, in random order.

    Those of a customer are made by one client, which keeps their order; those of a report come
    from any, maybe at the same time.
    """
    reports = reports * REPEATS
    chance.shuffle(reports)
    rows = [
        [
            *(repeat(chance, calls) for calls in customers[client::CLIENTS]),
            *([report] for report in reports[client::CLIENTS]),
        ]
        for client in range(CLIENTS)
    ]
    return [mix(chance, own) for own in rows]


def repeat(chance, calls):
    """Return each call several times in random order, their first times in the order given."""
    places = [*range(len(calls))] * REPEATS
    chance.shuffle(places)
    ranks = {}
    return [calls[ranks.setdefault(place, len(ranks))] for place in places]


def mix(chance, rows):
    """Return everything of all rows in random order, but what is of one row in its order."""
    turns = [turn for row in rows for turn in [iter(row)] * len(row)]
    chance.shuffle(turns)
    return [next(turn) for turn in turns]


class Providers:
    """Clients that make calls, one after another, each again until it is answered.

    :param calls: for each client the addresses it calls
    """

    def __init__(self, port, calls):
        self._port = port
        self._calls = calls
        self._answered = []
        self._stopped = False

    def __enter__(self):
        self._pool = ThreadPoolExecutor(len(self._calls))
        self._clients = [self._pool.submit(self._call_all, own) for own in self._calls]
        return self

    def __exit__(self, *_):
        self._stopped = True
        self._pool.shutdown()

    @property
    def answered(self):
        """How many calls have been answered."""
        return len(self._answered)

    def wait_until(self, count):
        """Wait until so many calls are answered, or all; a client that fails ends the story."""

        def reached():
            for client in self._clients:
                if client.done():
                    client.result()
            return self.answered >= min(count, sum(map(len, self._calls)))

        wait_for(reached, 150, lambda: f"{self.answered} of {count}", interval=0.005)

    def _call_all(self, calls):
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        for call in calls:
            if self._stopped:
                return
            wait_for(lambda call=call: is_answered(connection, call), 60, f"an answer to {call}")
            self._answered.append(call)


def is_answered(connection, call):
    """Make a call; tell whether it was answered. Whoever lives must say that he has taken it."""
    try:
        connection.request("GET", call)
        with connection.getresponse() as answer:
            answer.read()
    except (OSError, http.client.HTTPException):
        connection.close()
        return False
    assert answer.status == 200, (answer.status, call)
    return True


def wait_until_worked_off(*gateways):
    """Wait until no call waits for the worker."""

    def worked_off():
        wake(gateways[0].database)  # who has just started may not have heard the last one
        return not any("new" in count_events(gateway) for gateway in gateways)

    wait_for(worked_off, 120, lambda: f"no new call: {[*map(count_events, gateways)]}", interval=1)


def count_events(gateway):
    """Return how many calls are in each state."""
    rows = psql(
        gateway.database,
        "SELECT state, count(*) FROM sms_gateway_event WHERE gateway_id = %s GROUP BY state",
        gateway.id,
    )
    return dict(rows)


def received_texts(gateway):
    """Return the texts of each customer, in the order in which they were taken in."""
    rows = psql(
        gateway.database,
        "SELECT number, array_agg(body ORDER BY id) FROM sms_message"
        " WHERE gateway_id = %s AND direction = 'in' GROUP BY number",
        gateway.id,
    )
    return dict(rows)


def posted_texts(database, contacts):
    """Return the texts in the chatter of each contact, in their order."""
    rows = psql(
        database,
        "SELECT array_agg(regexp_replace(body, '<[^>]*>', '', 'g') ORDER BY id) FROM mail_message"
        " WHERE model = 'res.partner' AND message_type = 'sms' AND res_id = ANY(%s)"
        " GROUP BY res_id ORDER BY res_id",
        contacts,
    )
    return [bodies for (bodies,) in rows]


# P8: no bad call at all -------------------------------------------------------------------

BAD_CALLS = 20_000
MAX_SIZE = runpy.run_path(str(ROOT / "sms_gateway" / "const.py"))["MAX_WEBHOOK_SIZE"]
NUMBER, KANNELS_ADDRESS, NOWHERE = "+4791234567", "192.0.2.7", "http://127.0.0.1:9"
FORM, JSON, MULTIPART = (
    "application/x-www-form-urlencoded",
    "application/json",
    "multipart/form-data; boundary=x",
)
#: How each kind of bad call is answered, and how often it is made beside the others.
ANSWERS = {
    "unknown_address": ({404}, 3),
    "wrong_method": ({405}, 2),
    "too_large": ({413}, 1),
    "too_large_in_chunks": ({413}, 1),
    "broken_chunks": ({400}, 1),
    "wrong_length": ({400, 403, 413}, 1),
    "from_elsewhere": ({403}, 3),
    "unsigned": ({403}, 2),
    "wrongly_signed": ({403}, 3),
    "stale": ({403}, 3),
    "no_json": ({200}, 1),
    "nested": ({200}, 1),
    "senseless": ({200}, 1),
    "incomplete": ({200}, 1),
    "repeated_parameters": ({200}, 1),
    "broken_encoding": ({200}, 1),
    "nul_bytes": ({200}, 1),
    "broken_form": ({200, 413}, 1),
}


def test_p8_twenty_thousand_bad_calls_change_nothing(database):
    """Of strangers: refused and counted. Of a provider out of order: put aside, with the reason.

    On two servers, for each refused call is counted in a row that both of them write.
    """
    seed = story_seed()
    targets = make_targets(database)
    gateways = (targets.kannel, targets.guarded, targets.demo)
    before = all_effects(database)
    with OdooServer(database, max_cron_threads=1) as server, OdooServer(database) as other:
        answers = call_badly([server.port, other.port], targets, seed)
        wait_until_worked_off(*gateways)
        refused = {gateway: refused_count(server, gateway) for gateway in gateways}
        for node in (server, other):
            assert "Traceback" not in node.log_text(), node.log
    assert all_effects(database) == before, f"STORY_SEED={seed}"
    assert answers.total() == BAD_CALLS
    assert not [call for call in answers if call[2] not in ANSWERS[call[1]][0]], answers
    for gateway in gateways:
        assert refused[gateway] == count_answers(answers, gateway, 403)
        assert count_parked(gateway) == count_answers(answers, gateway, 200)
    assert refused[targets.guarded] and refused[targets.demo]


def call_badly(ports, targets, seed):
    """Return how often each gateway answered each kind of call with each status."""
    callers = [BadCaller(ports[n % len(ports)], targets, f"{seed}-{n}") for n in range(CLIENTS)]
    with ThreadPoolExecutor(CLIENTS) as pool:
        tallies = pool.map(lambda caller: caller.call(BAD_CALLS // CLIENTS), callers)
        return sum(tallies, Counter())


@dataclass(frozen=True)
class Targets:
    """The gateways that are called: two of Kannel, of which one knows where it calls from."""

    kannel: Gateway
    guarded: Gateway
    demo: Gateway
    demo_secret: str
    #: For each gateway a text that it has sent, and of which nobody has reported.
    sent: dict


CREATE_SENT = """
import json
messages = env["sms.message"].create([
    {{
        "uuid": env["sms.sms"]._new_uuid(), "direction": "out", "state": "sent",
        "gateway_id": gateway_id, "number": "+4791234567", "company_id": env.company.id,
    }}
    for gateway_id in {ids}
])
uuids = messages.mapped("uuid")
env.cr.commit()
print(json.dumps(uuids))
"""


def make_targets(database):
    """Make the gateways, each with a text of which nobody has reported."""
    kannel = make_gateway(database, NOWHERE)
    guarded = make_gateway(database, NOWHERE, allowed_ips=KANNELS_ADDRESS)
    demo, secret = find_demo_gateway(database)
    gateways = (kannel, guarded, demo)
    uuids = odoo_script(database, CREATE_SENT.format(ids=[gateway.id for gateway in gateways]))
    sent = {gateway.id: uuid for gateway, uuid in zip(gateways, uuids, strict=True)}
    return Targets(kannel, guarded, demo, secret, sent)


def find_demo_gateway(database):
    """Return the gateway of the demo data, and the secret with which its carrier signs."""
    ((*values, address, secret),) = psql(
        database,
        "SELECT gateway.id, sender.id, webhook_token, address, demo_secret"
        " FROM sms_gateway gateway JOIN sms_sender sender ON gateway_id = gateway.id"
        " WHERE code = 'demo' AND kind = 'dedicated' ORDER BY sender.id LIMIT 1",
    )
    return Gateway(database, *values, address), secret


def all_effects(database):
    """Return a digest of all that a call may change."""
    digest = "SELECT count(*), md5(string_agg(entry::text, '' ORDER BY id)) FROM {} entry"
    tables = ("sms_message", "sms_sms", "phone_blacklist")
    return {table: psql(database, digest.format(table)) for table in tables}


def refused_count(server, gateway):
    """Return how many refused calls the administrator is shown."""
    (row,) = server.jsonrpc("sms.gateway", "read", [[gateway.id], ["refused_count"]])
    return row["refused_count"]


def count_answers(answers, gateway, status):
    """Return how many calls of a gateway were answered so."""
    return sum(
        n for (id_, _kind, told), n in answers.items() if (id_, told) == (gateway.id, status)
    )


def count_parked(gateway):
    """Return how many calls were put aside; nothing else became of any, and each has a reason."""
    assert count_events(gateway).keys() <= {"failed", "ignored", "refused"}
    ((parked, reasons),) = psql(
        gateway.database,
        "SELECT count(*), count(nullif(error, '')) FROM sms_gateway_event"
        " WHERE gateway_id = %s AND state != 'refused'",
        gateway.id,
    )
    assert parked == reasons
    return parked


class BadCaller:
    """Calls as nobody should: a method for each kind, which returns the gateway and the bytes.

    But for what is bad about it, each call would take effect: a customer opts out, or a text has
    arrived. No two are the same.
    """

    def __init__(self, port, targets, seed):
        self.port = port
        self.targets = targets
        self.chance = random.Random(seed)

    def call(self, count):
        """Make so many calls; return how often each gateway gave each kind each answer."""
        weights = [weight for _statuses, weight in ANSWERS.values()]
        tally = Counter()
        for kind in self.chance.choices([*ANSWERS], weights, k=count):
            gateway, request = getattr(self, kind)()
            tally[gateway.id, kind, exchange(self.port, request)] += 1
        return tally

    # Strangers

    def unknown_address(self):
        gateway = self.targets.kannel
        tokens = (gateway.token[:-1], f"{gateway.token}x", gateway.token.swapcase(), self.nonce())
        token = self.chance.choice((*tokens, "%00", "\0", "%ff%fe", "\xff", "..%2f..", "a" * 4000))
        kind = self.kind()
        path = f"/sms/gateway/{token}/{kind}?{urlencode(self.kannel_fields(gateway, kind))}"
        return gateway, request_bytes(self.chance.choice(("GET", "POST")), path)

    def wrong_method(self):
        kind, gateway = self.kind(), self.targets.kannel
        method = self.chance.choice(("HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "G\xc5"))
        path = f"{gateway.path(kind)}?{urlencode(self.kannel_fields(gateway, kind))}"
        return gateway, request_bytes(method, path)

    def from_elsewhere(self):
        kind, gateway = self.kind(), self.targets.guarded
        name = self.chance.choice(("X-Forwarded-For", "X-Real-IP", "Forwarded", "Client-IP"))
        fields = self.kannel_fields(gateway, kind)
        return self.kannel_call(gateway, kind, fields, {name: KANNELS_ADDRESS})

    def unsigned(self):
        return self.demo_call(*self.genuine(), signature=None)

    def wrongly_signed(self):
        kind, body = self.genuine()
        secret = self.targets.demo_secret
        right = sign(secret, body)
        signatures = (
            *(sign(secret, other) for other in (body[:-1], body + b" ", b"")),
            *(sign(other, body) for other in ("", secret[:-1], self.targets.demo.token)),
            *(right.upper(), right[:-1], right + right, right.replace("t=", "t=1")),
            *("", "t=,v1=", "t=0,v1=" + "0" * 64, "\xff" * 76, "a" * 10_000),
        )
        return self.demo_call(kind, body, signature=self.chance.choice(signatures))

    def stale(self):
        """A call that was genuine once, or will be."""
        kind, body = self.genuine()
        away = self.chance.choice((-310, 400, -86400, 86400, 10**10))
        signature = sign(self.targets.demo_secret, body, time.time() + away)
        return self.demo_call(kind, body, signature=signature)

    # What HTTP does not allow

    def too_large(self):
        kind, body = self.genuine()
        target = self.chance.choice((self.targets.kannel, self.targets.guarded, self.targets.demo))
        content_type = self.chance.choice((FORM, JSON, MULTIPART))
        return self.signed(kind, self.enlarge(body), content_type, target)

    def too_large_in_chunks(self):
        kind, body = self.genuine()
        body = self.enlarge(body)
        return self.in_chunks(kind, body, b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))

    def broken_chunks(self):
        kind, body = self.genuine()
        broken = (b"zz\r\n", b"-5\r\n" + body, b"ffff\r\n" + body, b"\0" + body, b"")
        return self.in_chunks(kind, body, self.chance.choice(broken))

    def wrong_length(self):
        kind, body = self.genuine()
        right = len(body)
        lengths = (right - 1, right + 1, right + 10_000, 0, -1, 10**30, "abc", "1e3", "")
        return self.signed(kind, body, length=self.chance.choice(lengths))

    # Providers out of order

    def no_json(self):
        kind, body = self.genuine()
        bodies = (
            *(b"", b"null", b"1", b"NaN", b'"x"', b"[]", b"{}", b"1" * 5000),
            *(b"[null]", b'{"texts": {}, "reports": {}}', b'{"texts": [], "reports": []}'),
            *(body[:-1], body + b"}", body.replace(b'"', b"'"), b"\0" + body, b"\xff" + body),
            body.decode().encode("utf-16")[:-1],
        )
        return self.signed(kind, self.chance.choice(bodies))

    def nested(self):
        depth = self.chance.choice((100, 900, 5000, 80_000))
        lists, objects = b"[" * depth, b'{"a":' * (depth // 3)
        content = self.chance.choice(
            (lists, lists + b"]" * depth, objects, objects + b"1" + b"}" * (depth // 3))
        )
        kind = self.kind()
        name = b"reports" if kind == "status" else b"texts"
        return self.signed(kind, self.chance.choice((content, b'{"%s": %s}' % (name, content))))

    def senseless(self):
        """One field of a text or report holds what it cannot, or all of it is something else."""
        kind = self.kind()
        ((name, (item,)),) = self.demo_content(kind).items()
        value = self.chance.choice((7, -1, 1e300, True, ["x"], {"a": 1}, [[]]))
        words = self.chance.choice((value, None, "", "\0", "x\0y", "\ud800"))
        changes = {"inbound": [{"from": words}, {"id": words}, {"to": value}, {"body": value}]}
        changes["inbound"] += [{"sent_at": moment} for moment in ("x", ["x"], 1e300, -(10**18))]
        changes["status"] = [{"uuid": words}, {"status": value}, {"code": value}, {"reason": value}]
        item = self.chance.choice(([], "x", value, *({**item, **c} for c in changes[kind] * 3)))
        return self.signed(kind, json.dumps({name: [item]}).encode())

    def incomplete(self):
        kind, gateway, fields = self.kannel_text_or_report()
        del fields[self.needed(kind)]
        return self.kannel_call(gateway, kind, fields)

    def repeated_parameters(self):
        """The first counts; it is empty."""
        kind, gateway, fields = self.kannel_text_or_report()
        again = [pair for pair in fields.items() for _time in range(self.chance.randrange(1, 100))]
        return self.kannel_call(gateway, kind, [(self.needed(kind), ""), *again])

    def broken_encoding(self):
        kind, gateway, fields = self.kannel_text_or_report()
        fields[self.needed(kind)] = ""
        broken = ("%", "%zz=%", "a=%ff%fe", "%ff=\xff", "b=%ed%a0%80", "&&&===&", "charset=%ff")
        return self.kannel_call(gateway, kind, f"{urlencode(fields)}&{self.chance.choice(broken)}")

    def nul_bytes(self):
        kind, gateway, fields = self.kannel_text_or_report()
        fields[self.needed(kind)] = self.chance.choice(("\0", "x\0y", "\0" * 100)) + self.nonce()
        query = urlencode(fields)
        raw = query.replace("%00", "\0")
        return self.kannel_call(gateway, kind, self.chance.choice((query, raw)))

    def broken_form(self):
        kind, gateway, fields = self.kannel_text_or_report()
        del fields[self.needed(kind)]
        part = '--x\r\nContent-Disposition: form-data; name="{}"\r\n\r\n{}\r\n'
        parts = "".join(part.format(*pair) for pair in fields.items())
        content_type, body = self.chance.choice(
            (
                ("multipart/form-data", f"{parts}--x--"),
                ("multipart/form-data; boundary=", f"{parts}--x--"),
                ("multipart/form-data; boundary=\xff", parts),
                (MULTIPART, parts),
                (MULTIPART, f"{parts.replace('form-data', chr(0))}--x--"),
                (MULTIPART, f"{parts * 500}--x--"),
                (MULTIPART, "--x\r\n" + "a" * 100_000),
                (FORM, "a=1&" * 20_000),
                (FORM, "&" * 100_000),
                (f"{FORM}; charset=nonsense", urlencode(fields)),
                ("\xff;;;", urlencode(fields)),
            )
        )
        path = f"{gateway.path(kind)}?n={self.nonce()}"
        return gateway, request_bytes("POST", path, body.encode(), {"Content-Type": content_type})

    # What they are made of

    def nonce(self):
        return f"{self.chance.getrandbits(64):x}"

    def kind(self):
        return self.chance.choice(("inbound", "status"))

    def needed(self, kind):
        """The name of a parameter without which Kannel's call says nothing."""
        return self.chance.choice(("from", "to", "id") if kind == "inbound" else ("type", "uuid"))

    def enlarge(self, body):
        return body.ljust(MAX_SIZE + 1 + self.chance.randrange(1000))

    def kannel_text_or_report(self):
        kind, gateway = self.kind(), self.targets.kannel
        return kind, gateway, self.kannel_fields(gateway, kind)

    def kannel_fields(self, gateway, kind):
        if kind == "status":
            return {"uuid": self.targets.sent[gateway.id], "type": "1", "answer": ""}
        return {"from": NUMBER, "to": gateway.address, "text": "STOP", "id": self.nonce()}

    def kannel_call(self, gateway, kind, fields, headers=()):
        """Kannel's call, with its fields in the address or in a form."""
        words = fields if isinstance(fields, str) else urlencode(fields)
        path = f"{gateway.path(kind)}?n={self.nonce()}"
        if self.chance.random() < 0.5:
            return gateway, request_bytes("GET", f"{path}&{words}", headers=headers)
        headers = {"Content-Type": FORM, **dict(headers)}
        return gateway, request_bytes("POST", path, words.encode("latin-1"), headers)

    def demo_content(self, kind):
        demo = self.targets.demo
        if kind == "status":
            return {"reports": [{"uuid": self.targets.sent[demo.id], "status": "delivered"}]}
        text = {"from": NUMBER, "to": demo.address, "body": "STOP", "id": self.nonce()}
        return {"texts": [text]}

    def genuine(self):
        """Return the kind and the body of a call of the demo carrier."""
        kind = self.kind()
        return kind, json.dumps(self.demo_content(kind)).encode()

    def signed(self, kind, body, content_type=JSON, gateway=None, **options):
        signature = sign(self.targets.demo_secret, body)
        return self.demo_call(kind, body, signature, content_type, gateway, **options)

    def demo_call(self, kind, body, signature, content_type=JSON, gateway=None, **options):
        gateway = gateway or self.targets.demo
        headers = {"Content-Type": content_type}
        if signature is not None:
            headers["X-Demo-Signature"] = signature
        path = f"{gateway.path(kind)}?n={self.nonce()}"
        return gateway, request_bytes("POST", path, body, headers, **options)

    def in_chunks(self, kind, body, chunks):
        """The body is signed, the chunks are sent."""
        gateway = self.targets.demo
        headers = {
            "Content-Type": JSON,
            "X-Demo-Signature": sign(self.targets.demo_secret, body),
            "Transfer-Encoding": "chunked",
        }
        return gateway, request_bytes("POST", gateway.path(kind), chunks, headers, length=None)


def sign(secret, body, moment=None):
    """Return the demo carrier's signature of a body that leaves now, or at another moment."""
    moment = int(time.time() if moment is None else moment)
    digest = hmac.new(secret.encode(), b"%d." % moment + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"


def request_bytes(method, path, body=b"", headers=(), length=True):
    """Return a request as it goes over the wire, however wrong it is.

    :param length: what it says that its length is; ``None`` to say nothing
    """
    headers = {"Host": "odoo.example.com", **dict(headers)}
    if length is not None:
        headers["Content-Length"] = len(body) if length is True else length
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {headers[name]}" for name in headers)]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def exchange(port, request):
    """Send a request over a connection of its own, which the server closes; return the status."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        with contextlib.suppress(ConnectionError):  # it need not read to the end
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    return int(answer.split(b" ", 2)[1])
