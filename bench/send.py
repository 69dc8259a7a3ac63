"""Texts per second, from ``sms.sms.create`` to the recorded result, beside Odoo's own sms_twilio.

Ours, as in production: one process creates the texts (in transactions of 500), the scheduled
action of the lane in a real Odoo server sends them; the clock stops when the ledger holds the
result of the last one. Theirs: ``sms.sms.create`` and ``send``, the faster of the two roads core
has, in a database without our addons. Both talk HTTP to the same stub, in turns, so that what
else the machine does hits both.
"""

import statistics
import time

from gateways import kannel_stub, make_gateway

from devtools import database as databases

ROUNDS = 3
OURS, THEIRS = 3000, 100
LATENCIES = (0.05, 0)
TWILIO = {"body": {"sid": "SM0"}, "status": 201}

CREATE = """
import json, sys, time
sys.stdin = None
batch = [
    {{"number": f"+4790{{n:06d}}", "body": f"Your parcel {{n}} is here.", "sender_id": {sender_id}}}
    for n in range({first}, {last})
]
env.company.ids
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
        kannel_stub() as kannel,
        harness.StubProvider(harness.Answer(**TWILIO)) as stub,
    ):
        gateway = make_gateway(ours, kannel.url, max_per_second=100_000, max_in_flight=200)
        with harness.OdooServer(ours, max_cron_threads=2) as server:
            our_run = OurRun(harness, ours, gateway)
            our_run.measure(100)
            for latency in LATENCIES:
                kannel.latency = stub.latency = latency
                rates = [
                    (our_run.measure(OURS), measure_theirs(harness, theirs, stub))
                    for _ in range(ROUNDS)
                ]
                yield from figures(rates, round(latency * 1000))
        assert not kannel.repeated, kannel.repeated
        assert " ERROR " not in server.log_text(), server.log


def figures(rates, latency_ms):
    """Yield the measurements of one latency."""
    ours, theirs = (statistics.median(side) for side in zip(*rates, strict=True))
    common = {"peer": "sms_twilio", "latency_ms": latency_ms}
    yield {"metric": "texts_per_second", "value": round(ours), "latency_ms": latency_ms}
    yield {"metric": "peer_texts_per_second", "value": round(theirs, 1), **common}
    yield {"metric": "ratio", "value": round(ours / theirs, 2), **common}


class OurRun:
    """Sends through our gateway, again and again, to numbers never used before."""

    def __init__(self, harness, database, gateway):
        self.harness, self.database, self.gateway = harness, database, gateway
        self.first = 0

    def measure(self, count):
        """Return the texts per second of ``count`` texts."""
        self.first, first = self.first + count, self.first
        values = {"sender_id": self.gateway.sender_id, "first": first, "last": first + count}
        started, _created = self.harness.odoo_script(self.database, CREATE.format(**values))
        self.harness.wait_for(self.is_recorded, 120, "every result recorded", interval=0.1)
        return count / (time.time() - started)

    def is_recorded(self):
        """Tell whether no text is on its way; all must have been sent."""
        count = "SELECT state, count(*) FROM sms_message WHERE gateway_id = %s GROUP BY state"
        states = dict(self.harness.psql(self.database, count, self.gateway.id))
        assert set(states) <= {"queued", "sending", "sent"}, states
        return set(states) == {"sent"}


def measure_theirs(harness, database, stub):
    """Return sms_twilio's texts per second."""
    code = TWILIO_SEND.format(url=stub.url, count=THEIRS)
    return THEIRS / harness.odoo_script(database, code)
