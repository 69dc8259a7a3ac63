"""R079 to R109: a day in the queue, told by an exchange over HTTP, with its doubts and its breaks.

What must follow is computed by the simulator, which knows nothing of Odoo.
"""

import itertools
import random
import time
from urllib.parse import urlencode

import requests
from gateways import kannel_stub, make_gateway, wake
from harness import OdooServer, odoo_script, psql, wait_for
from queue_day import NOTIFY_AT, SERVICES, WELCOME_FROM, Day, Reply, Told
from test_story_inbox import call

CALLS = 300
#: Events in one request, at most; every so manieth is told twice.
BATCH, TWICE = 25, 10
WELCOME, SOON = "Welcome", "Soon your turn"

SET_UP = """
import json
country = env.ref("base.no")
connector = env["contact.center.connector"].create({{
    "name": "Exchange", "code": "story", "country_id": country.id, "kind": "generic",
}})
sender = env["sms.sender"].browse({sender_id})
one_way = env["sms.sender"].create({{
    "name": "Heat AS", "kind": "text", "address": "Heat AS", "gateway_id": sender.gateway_id.id,
    "state": "approved",
}})
env["contact.center.service"].create([
    {{
        "name": code, "code": code, "welcome_enabled": True, "welcome_sender_id": one_way.id,
        "welcome_body": {welcome!r}, "welcome_min_waiting": {welcome_from},
        "notify_enabled": True, "notify_channel": "sms", "notify_mode": "two_way",
        "notify_sender_id": sender.id, "notify_position": {notify_at}, "notify_body": {soon!r},
    }}
    for code in {services!r}
])
token = connector._renew_token()
env.cr.commit()
env.registry.signal_changes()
print(json.dumps([connector.id, token]))
"""


class Exchange:
    """Tells a server what happens, as an exchange does: again until it is heard."""

    def __init__(self, gateway, seed):
        values = {
            "sender_id": gateway.sender_id,
            "services": [*SERVICES],
            "welcome": WELCOME,
            "soon": SOON,
            "welcome_from": WELCOME_FROM,
            "notify_at": NOTIFY_AT,
        }
        self.database, self.gateway = gateway.database, gateway
        self.id, self.token = odoo_script(self.database, SET_UP.format(**values))
        self.chance, self.ids = random.Random(seed), itertools.count(1)  # noqa: S311
        self.midnight = time.time() // 86400 * 86400 - 86400

    def play(self, server, script):
        """Tell the script; where a customer answers, what he answers to comes first."""
        waiting = []
        for entry in script:
            if isinstance(entry, Told):
                waiting.append(self.make_event(entry))
            if waiting and (isinstance(entry, Reply) or len(waiting) == BATCH):
                self.tell(server, waiting)
                waiting = []
            if isinstance(entry, Reply):
                self.reply(server, entry.number)
        self.tell(server, waiting)

    def make_event(self, told):
        moment = time.gmtime(self.midnight + 8 * 3600 + told.at)
        return {
            "id": f"event-{next(self.ids)}",
            "type": told.type,
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", moment),
            "data": told.data,
        }

    def tell(self, server, events):
        """Some are told twice, and an answer may overtake the leaving of the queue before it."""
        events = self.mix(events)
        events += self.chance.sample(events, len(events) // TWICE)
        answer = requests.post(
            f"{server.url}/cc/api/v1/events",
            json=events,
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=60,
        )
        assert answer.status_code == 200, answer.text
        wrong = [item for item in answer.json() if item["status"] not in ("accepted", "duplicate")]
        assert not wrong, wrong

    def mix(self, events):
        events = [*events]
        for place in range(len(events) - 1):
            first, second = events[place : place + 2]
            same = first["data"].get("call_id") == second["data"].get("call_id")
            if same and second["type"] == "call.answered" and self.chance.random() < 0.3:
                events[place : place + 2] = second, first
        return events

    def reply(self, server, number):
        """A customer says no, once he has been told."""
        self.wait_for_state(number, "notified")
        text = {"from": number, "to": self.gateway.address, "text": "Nej!", "id": f"no-{number}"}
        call(server.port, f"{self.gateway.path('inbound')}?{urlencode(text)}")
        self.wait_for_state(number, "cancelled")

    def wait_for_state(self, number, state):
        query = "SELECT state FROM contact_center_callback WHERE number = %s"

        def is_so():
            wake(self.database)
            return psql(self.database, query, number) == [(state,)]

        wait_for(is_so, 60, lambda: f"{number}: {psql(self.database, query, number)}")

    def wait_until_worked_off(self):
        left = "SELECT count(*) FROM contact_center_event WHERE connector_id = %s AND state = 'new'"

        def is_worked_off():
            wake(self.database)
            return psql(self.database, left, self.id) == [(0,)]

        wait_for(is_worked_off, 120, "every event worked off", interval=0.2)

    def get_callers(self, body):
        """Who was sent a text, as often as he was."""
        query = "SELECT number FROM sms_message WHERE body = %s AND direction = 'out' ORDER BY 1"
        return [number for (number,) in psql(self.database, query, body)]

    def get_states(self, table):
        query = f"SELECT external_id, state FROM {table} WHERE connector_id = %s"  # noqa: S608
        return dict(psql(self.database, query, self.id))


def test_a_day_of_three_hundred_calls(database):
    """R079, R083, R084, R086, R087, R090, R097, R108, R109: each text as the rules say, once.

    Events come twice, an answer overtakes the leaving of the queue, and the server is killed.
    """
    seed = random.randrange(10**6)  # noqa: S311
    day = Day(seed, CALLS)
    with kannel_stub() as provider:
        exchange = Exchange(make_gateway(database, provider.url), seed)
        with OdooServer(database, max_cron_threads=2) as server:
            half = len(day.script) // 2
            exchange.play(server, day.script[:half])
            server.kill()
            server.start()
            exchange.play(server, day.script[half:])
            exchange.wait_until_worked_off()
            assert_as_the_rules_say(exchange, day)


def assert_as_the_rules_say(exchange, day):
    numbers = {
        entry.data["call_id"]: entry.data["caller"]
        for entry in day.script
        if isinstance(entry, Told) and entry.type == "call.queued"
    }
    truth, seed = day.truth, f"seed {day.seed}"
    welcomed = sorted(numbers[call_id] for call_id in truth.welcomed)
    assert exchange.get_callers(WELCOME) == welcomed, seed
    notified = sorted(numbers[callback_id.removeprefix("cb-")] for callback_id in truth.notified)
    assert exchange.get_callers(SOON) == notified, seed
    assert exchange.get_states("contact_center_call") == truth.calls, seed
    assert exchange.get_states("contact_center_callback") == truth.callbacks, seed
    reasons = "SELECT external_id FROM contact_center_callback WHERE close_reason = 'sms_reply'"
    assert {row[0] for row in psql(exchange.database, reasons)} == truth.cancelled_by_sms, seed
