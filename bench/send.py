"""Texts per second, from ``sms.sms.create`` to the recorded result, beside Odoo's own sms_twilio.

Ours, as in production: one process creates the texts (in transactions of 500), the scheduled
action of the lane in a real Odoo server sends them; the clock stops when the ledger holds the
result of the last one. Theirs: ``sms.sms.create`` and ``send``, the faster of the two roads core
has, in a database without our addons. Both talk HTTP to the same stub, in turns, so that what
else the machine does hits both.

Ours is measured twice: with one text in a request, as Kannel and Twilio take them, and with fifty,
as the demo carrier and most providers do.
"""

import statistics
import time

from gateways import ACCEPTED, make_gateway, uuid_of
from harness import Answer

from devtools import database as databases

ROUNDS = 3
OURS, THEIRS = 3000, 100
LATENCIES = (0.05, 0)
LIMITS = {"max_per_second": 100_000, "max_in_flight": 200}
#: Texts in one request of the demo carrier's adapter.
BATCH_SIZE = 50
TWILIO = Answer(201, {"sid": "SM0"})

CREATE = """
import json, time
batch = [
    {{"number": f"+4790{{n:06d}}", "body": f"Your parcel {{n}} is here.", "sender_id": {sender_id}}}
    for n in range({first}, {last})
]
started = time.time()
while batch:
    env["sms.sms"].create(batch[:500])
    env.cr.commit()
    del batch[:500]
print(json.dumps([started, time.time()]))
"""

TWILIO_SEND = """
import json, time
from unittest.mock import patch
import requests

post = requests.Session.post

def post_to_stub(session, url, **options):
    return post(session, url.replace("https://api.twilio.com", {url!r}), **options)

company = env.company
if company.sms_provider != "twilio":
    number = {{"number": "+15005550006", "country_id": env.ref("base.us").id}}
    company.write({{
        "sms_provider": "twilio",
        "sms_twilio_account_sid": "AC" + "0" * 32,
        "sms_twilio_auth_token": "secret",
        "sms_twilio_number_ids": [(0, 0, number)],
    }})
    env.cr.commit()

def send(count):
    texts = env["sms.sms"].create([
        {{"number": f"+4790{{n:06d}}", "body": f"Your parcel {{n}} is here."}}
        for n in range(count)
    ])
    texts.send()
    env.cr.commit()
    states = set(texts.mapped("state"))
    assert states == {{"pending"}}, states

with patch.object(requests.Session, "post", post_to_stub):
    send(10)
    started = time.time()
    send({count})
    print(json.dumps(time.time() - started))
"""


def main(harness):
    """Yield the speed of each and their ratio, for each latency."""
    twilio = databases.template([], extra=["sms_twilio"], demo=False)
    with (
        databases.temporary_copy(twilio, "bench") as theirs,
        harness.make_database("bench") as ours,
        harness.StubProvider(answer) as stub,
    ):
        single = make_gateway(ours, stub.url, **LIMITS)
        batch = make_gateway(ours, stub.url, code="demo", demo_carrier_url=stub.url, **LIMITS)
        with harness.OdooServer(ours, max_cron_threads=2) as server:
            single, batch = (OurRun(harness, ours, gateway) for gateway in (single, batch))
            for latency in LATENCIES:
                stub.latency = latency
                rounds = [
                    (
                        single.measure(OURS),
                        batch.measure(OURS),
                        measure_theirs(harness, theirs, stub),
                    )
                    for _ in range(ROUNDS)
                ]
                yield from figures(rounds, round(latency * 1000))
        assert " ERROR " not in server.log_text(), server.log
        assert_sent_once(stub)


def answer(request):
    """Answer as Kannel, the demo carrier or Twilio, whoever was asked."""
    if "cgi-bin" in request.path:
        return ACCEPTED
    if "carrier" in request.path:
        texts = [
            {"uuid": text["uuid"], "id": text["uuid"], "status": "accepted"}
            for text in request.values["texts"]
        ]
        return Answer(body={"texts": texts})
    return TWILIO


def assert_sent_once(stub):
    """Fail if a text of ours was sent twice."""
    uuids = [uuid_of(r) for r in stub.requests if "cgi-bin" in r.path]
    batches = [r.values["texts"] for r in stub.requests if "carrier" in r.path]
    uuids += [text["uuid"] for texts in batches for text in texts]
    assert len(uuids) == len(set(uuids)) == 2 * OURS * ROUNDS * len(LATENCIES)


def figures(rounds, latency_ms):
    """Yield the measurements of one latency."""
    single, batch, theirs = (statistics.median(side) for side in zip(*rounds, strict=True))
    peer = {"peer": "sms_twilio", "latency_ms": latency_ms}
    yield {"metric": "peer_texts_per_second", "value": round(theirs, 1), **peer}
    for per_request, ours in ((1, single), (BATCH_SIZE, batch)):
        how = {"texts_per_request": per_request, "latency_ms": latency_ms}
        yield {"metric": "texts_per_second", "value": round(ours), **how}
        yield {"metric": "ratio", "value": round(ours / theirs, 2), **peer, **how}


class OurRun:
    """Sends through a gateway of ours, again and again, to numbers never used before."""

    def __init__(self, harness, database, gateway):
        self.harness, self.database, self.gateway = harness, database, gateway
        self.first = 0

    def measure(self, count):
        """Return the texts per second of ``count`` texts."""
        self.first, first = self.first + count, self.first
        values = {"sender_id": self.gateway.sender_id, "first": first, "last": first + count}
        started, _created = self.harness.odoo_script(self.database, CREATE.format(**values))
        self.harness.wait_for(self.is_recorded, 120, "every result recorded", interval=0.05)
        return count / (time.time() - started)

    def is_recorded(self):
        """Tell whether no text is on its way; all must have been sent."""
        states = self.gateway.count_states()
        assert set(states) <= {"queued", "sending", "sent"}, states
        return set(states) == {"sent"}


def measure_theirs(harness, database, stub):
    """Return sms_twilio's texts per second."""
    code = TWILIO_SEND.format(url=stub.url, count=THEIRS)
    return THEIRS / harness.odoo_script(database, code)
