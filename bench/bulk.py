"""A text to 20,000 recipients from a list view, until it is queued, beside core's composer.

Ours with a sender, in a database with all our addons: each text passes the gate, has its row in
the ledger and a notification that shows its state. Theirs in a database with the same apps of
Odoo and none of our addons: neither. Both write the same note on each record. Memory is what the
process needs more for four times the recipients.
"""

from gateways import make_gateway

from devtools import addons
from devtools import database as databases

MANY, FEW = 20_000, 5_000

SEND = """
import json, os, resource, time

# Odoo reads the ids of the list from a text, by default of 100 KB at most
os.environ["ODOO_LIMIT_LITEVAL_BUFFER"] = "1000000"

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

env.cr.execute(
    "INSERT INTO res_partner (name, complete_name, phone, phone_sanitized, active, type)"
    " SELECT 'Customer ' || n, 'Customer ' || n, '+4790' || n, '+4790' || n, true, 'contact'"
    " FROM generate_series(%s, %s) n RETURNING id",
    [{first}, {first} + {count} - 1],
)
ids = [row[0] for row in env.cr.fetchall()]
env.cr.execute("UPDATE res_partner SET commercial_partner_id = id WHERE id = ANY(%s)", [ids])
env.cr.commit()
env = env(user=env.ref("base.user_admin").id)
composer = env["sms.composer"].with_context(
    default_res_model="res.partner", default_res_ids=repr(ids), default_composition_mode="mass"
).create({{"body": "Hi {{{{ object.name }}}}, your parcel is here.", **{values!r}}})
before, started = peak(), time.time()
composer.action_send_sms()
env.cr.commit()
seconds, grown = time.time() - started, peak() - before
queued = env["sms.sms"].sudo().search_count([("state", "=", "outgoing")])
assert queued >= {count}, f"only {{queued}} are queued"
print(json.dumps([seconds, grown]))
"""


def main(harness):
    """Yield the time of both, their ratio, and how memory grows."""
    modules = addons.core_modules(addons.closure([]))
    core = databases.template([], extra=modules, demo=False)
    with (
        databases.temporary_copy(core, "bench") as theirs,
        harness.make_database("bench") as ours,
    ):
        gateway = make_gateway(ours, "http://127.0.0.1:9")
        sender = {"sender_id": gateway.sender_id}
        _seconds, few = send(harness, ours, FEW, 2, sender)
        our_seconds, many = send(harness, ours, MANY, 1, sender)
        their_seconds, their_growth = send(harness, theirs, MANY, 1, {})
    common = {"peer": "sms", "recipients": MANY}
    yield {"metric": "seconds", "value": round(our_seconds, 1), "recipients": MANY}
    yield {"metric": "peer_seconds", "value": round(their_seconds, 1), **common}
    yield {"metric": "ratio", "value": round(their_seconds / our_seconds, 2), **common}
    yield {"metric": "memory_mb", "value": round(few), "recipients": FEW}
    yield {"metric": "memory_mb", "value": round(many), "recipients": MANY}
    yield {"metric": "peer_memory_mb", "value": round(their_growth), **common}


def send(harness, database, count, series, values):
    """Return the seconds that a text to ``count`` new recipients took, and the MB it needed.

    ``series`` are the hundred thousands from which their numbers are counted.
    """
    first = series * 100_000
    code = SEND.format(first=first, count=count, values=values)
    return harness.odoo_script(database, code, timeout=900)
