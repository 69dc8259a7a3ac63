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
WELCOME, SOON, HOW = "Welcome", "Soon your turn", "How was it? 1 to 5"
#: So many of those who are asked answer.
ANSWERS = 6

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
survey = env["survey.survey"].create({{
    "title": "How was it?", "survey_type": "sms", "access_mode": "token",
    "scoring_type": "scoring_without_answers", "sms_sender_id": sender.id,
    "sms_delay_minutes": 0, "sms_quarantine_days": 0,
    "question_and_page_ids": [(0, 0, {{
        "title": "How was it?", "question_type": "simple_choice",
        "suggested_answer_ids": [
            (0, 0, {{"value": value, "answer_score": int(value)}}) for value in "12345"
        ],
    }})],
}})
env["contact.center.service"].create([
    {{
        "survey_id": survey.id, "survey_body": {how!r},
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
            "how": HOW,
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
        if waiting:  # the last to speak may have been a customer
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
        self.text(server, number, "Nej!")
        self.wait_for_state(number, "cancelled")

    def text(self, server, number, body):
        text = {"from": number, "to": self.gateway.address, "text": body, "id": f"{body}-{number}"}
        call(server.port, f"{self.gateway.path('inbound')}?{urlencode(text)}")

    def wait_for_questions(self, count):
        def are_out():
            wake(self.database)
            return len(self.get_callers(HOW)) >= count

        wait_for(are_out, 120, lambda: f"{len(self.get_callers(HOW))} of {count} asked")

    def get_answers(self):
        """The answer and the agent it is about, by number."""
        query = """
            SELECT input.number, answer.value->>'en_US', agent.external_id
              FROM survey_user_input input
              JOIN survey_user_input_line line ON line.user_input_id = input.id
              JOIN survey_question_answer answer ON answer.id = line.suggested_answer_id
              JOIN contact_center_agent agent ON agent.id = input.agent_id
             WHERE input.sms_state = 'answered' AND agent.connector_id = %s
        """
        return {row[0]: row[1:] for row in psql(self.database, query, self.id)}

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
    """R079, R083, R084, R086, R087, R090, R097, R102, R106 to R110: as the rules say, once.

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
            ask_how_it_was(exchange, server, day)


def get_numbers(day):
    """The numbers of the callers, by call."""
    return {
        entry.data["call_id"]: entry.data["caller"]
        for entry in day.script
        if isinstance(entry, Told) and entry.type == "call.queued"
    }


def assert_as_the_rules_say(exchange, day):
    numbers = get_numbers(day)
    truth, seed = day.truth, f"seed {day.seed}"
    welcomed = sorted(numbers[call_id] for call_id in truth.welcomed)
    assert exchange.get_callers(WELCOME) == welcomed, seed
    notified = sorted(numbers[callback_id.removeprefix("cb-")] for callback_id in truth.notified)
    assert exchange.get_callers(SOON) == notified, seed
    assert exchange.get_states("contact_center_call") == truth.calls, seed
    assert exchange.get_states("contact_center_callback") == truth.callbacks, seed
    reasons = "SELECT external_id FROM contact_center_callback WHERE close_reason = 'sms_reply'"
    assert {row[0] for row in psql(exchange.database, reasons)} == truth.cancelled_by_sms, seed


def ask_how_it_was(exchange, server, day):
    """Whoever talked and has a mobile telephone is asked, once; an answer counts for his agent."""
    numbers, truth = get_numbers(day), day.truth
    talked = {numbers[call_id]: agent for call_id, agent in truth.talked.items()}
    mobile = {number: agent for number, agent in talked.items() if number.startswith("+479")}
    exchange.wait_for_questions(len(mobile))
    assert exchange.get_callers(HOW) == sorted(mobile), f"seed {day.seed}"
    answering = dict([*mobile.items()][:ANSWERS])
    for number in answering:
        exchange.text(server, number, "5")
    expected = {number: ("5", agent) for number, agent in answering.items()}
    wait_for(lambda: exchange.get_answers() == expected, 60, exchange.get_answers)
