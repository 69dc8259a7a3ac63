"""Gateways for stories and measurements: Kannel's adapter in front of a `StubProvider`.

Nothing of the product is replaced: the real adapter posts its real requests to an address of
the gateway's configuration, behind which the harness answers as Kannel would.
"""

import re
from dataclasses import dataclass

from harness import Answer, StubProvider, odoo_script, psql, wait_for

#: What Kannel's sendsms says to a text it takes.
ACCEPTED = Answer(202, "0: Accepted for delivery", content_type="text/plain")
UUID = re.compile(r"uuid=([0-9a-f]{32})")

CREATE_GATEWAY = """
import json
gateway = env["sms.gateway"].create({{
    "name": "Story", "code": "kannel", "state": "enabled", "company_id": env.company.id,
    "kannel_url": {url!r}, "kannel_username": "odoo", "kannel_password": "secret",
    **{options!r},
}})
sender = env["sms.sender"].create({{
    "name": "Story", "kind": "short", "address": "26456", "gateway_id": gateway.id,
    "state": "approved", "inbound_enabled": True,
}})
env.company.sms_bulk_enabled = True
env.cr.commit()
env.registry.signal_changes()
print(json.dumps([gateway.id, sender.id, gateway.webhook_token]))
"""

CREATE_TEXTS = """
import json
lanes = {lanes!r}
texts = env["sms.sms"].create([
    {{
        "number": f"+4790{{n:06d}}", "body": f"Text {{n}}", "sender_id": {sender_id},
        "lane": lanes[n % len(lanes)],
    }}
    for n in range({count})
])
uuids = texts.mapped("uuid")
env.cr.{end}()
print(json.dumps(uuids))
"""


@dataclass(frozen=True)
class Gateway:
    """A gateway in a database, and its one sender."""

    database: str
    id: int
    sender_id: int
    token: str
    address: str = "26456"

    def path(self, kind):
        """Return where the provider calls; ``kind`` is ``inbound`` or ``status``."""
        return f"/sms/gateway/{self.token}/{kind}"

    def create_texts(self, count, lanes=("normal",), end="commit"):
        """Create texts to as many numbers in one transaction, which ends so; return the uuids."""
        values = {"sender_id": self.sender_id, "count": count, "lanes": lanes, "end": end}
        return odoo_script(self.database, CREATE_TEXTS.format(**values))

    def count_states(self):
        """Return how many texts are in each state."""
        rows = psql(
            self.database,
            "SELECT state, count(*) FROM sms_message WHERE gateway_id = %s GROUP BY state",
            self.id,
        )
        return dict(rows)

    def states(self):
        """Return the state of each outgoing text by uuid."""
        rows = psql(
            self.database,
            "SELECT uuid, state FROM sms_message WHERE gateway_id = %s AND direction = 'out'",
            self.id,
        )
        return dict(rows)

    def wait_until_drained(self, timeout=180):
        """Return the states and their counts once nothing waits and nothing is under way."""
        wait_for(
            lambda: not {"queued", "sending"} & self.count_states().keys(),
            timeout,
            lambda: f"an empty queue: {self.count_states()}",
        )
        return self.count_states()


def make_gateway(database, url, **options):
    """Make an enabled gateway that sends to ``url``; ``options`` are fields of ``sms.gateway``."""
    code = CREATE_GATEWAY.format(url=f"{url}/cgi-bin/sendsms", options=options)
    return Gateway(database, *odoo_script(database, code))


def kannel_stub(answer=ACCEPTED, latency=0):
    """Return a `StubProvider` that answers as Kannel and counts texts by our uuid."""
    return StubProvider(answer, reference=uuid_of, latency=latency)


def uuid_of(request):
    """Return the uuid of the text that a request brings to Kannel."""
    return UUID.search(request.headers["x-kannel-dlr-url"])[1]


def wake(database):
    """Have the database's scheduled actions looked at now, as every new text does."""
    psql("postgres", "SELECT pg_notify('cron_trigger', %s)", database)
