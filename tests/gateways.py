"""Gateways for stories and measurements: Kannel's adapter in front of a `StubProvider`.

Nothing of the product is replaced: the real adapter posts its real requests to an address of
the gateway's configuration, behind which the harness answers as Kannel would.
"""

import re
from dataclasses import dataclass

from harness import Answer, StubProvider, odoo_script

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
print(json.dumps([gateway.id, sender.id, sender.address, gateway.webhook_token]))
"""


@dataclass(frozen=True)
class Gateway:
    """A gateway in a database, and its one sender."""

    database: str
    id: int
    sender_id: int
    address: str
    token: str

    def path(self, kind):
        """Return where the provider calls; ``kind`` is ``inbound`` or ``status``."""
        return f"/sms/gateway/{self.token}/{kind}"


def kannel_stub(answer=ACCEPTED, latency=0):
    """Return a `StubProvider` that answers as Kannel and counts texts by our uuid."""
    return StubProvider(answer, reference=uuid_of, latency=latency)


def uuid_of(request):
    """Return the uuid of the text that a request brings to Kannel."""
    return UUID.search(request.headers["x-kannel-dlr-url"])[1]


def make_gateway(database, url, **options):
    """Make an enabled gateway that sends to ``url``; ``options`` are fields of ``sms.gateway``."""
    code = CREATE_GATEWAY.format(url=f"{url}/cgi-bin/sendsms", options=options)
    return Gateway(database, *odoo_script(database, code))
