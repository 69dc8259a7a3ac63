"""Opening Discuss with 5,000 conversations, beside 50.

Both users have texted with some dozens of customers in the last two days; all others of their
customers wrote long ago, at any time of the last year, and were answered. The nightly clean-up has
run. Measured are the two requests of Odoo's web client, over HTTP: what it asks when a page is
loaded, and what it asks when the list of conversations opens.
"""

import statistics
import time

import requests
from gateways import make_gateway

ROUNDS = 15
CONVERSATIONS = {"few": 50, "many": 5_000}
#: Of each user, in the last two days; of these some are unread.
CURRENT, UNREAD = 40, 5
PAGE_LOAD = ["failures", "systray_get_activities", "init_messaging"]
LIST_OPEN = ["channels_as_member"]

CREATE_USERS = """
import json

made = {{}}
for place, (login, address) in enumerate([("few", "26457"), ("many", "26458")]):
    user = env["res.users"].create({{
        "name": login, "login": login, "password": login,
        "group_ids": [(4, env.ref("sms_gateway.group_sms_user").id)],
    }})
    sender = env["sms.sender"].create({{
        "name": login, "kind": "short", "address": address, "gateway_id": {gateway_id},
        "state": "approved", "inbound_enabled": True, "user_ids": [(6, 0, user.ids)],
    }})
    made[login] = [sender.id, user.id, user.partner_id.id, place]
env.cr.commit()
print(json.dumps(made))
"""
#: A customer, a conversation with a text that was received in it, and its member.
FILL = """
CREATE TEMP TABLE chat AS
SELECT *, nextval('res_partner_id_seq') AS customer_id, nextval('mail_message_id_seq') AS post_id,
       nextval('discuss_channel_id_seq') AS id, nextval('sms_message_id_seq') AS text_id,
       'Customer ' || n AS name, '+4790' || %(place)s || lpad(n::text, 5, '0') AS number,
       (now() at time zone 'utc') - CASE WHEN n < %(current)s
           THEN n * interval '1 hour'
           ELSE interval '3 days' + interval '360 days' * (n - %(current)s) / %(count)s
       END AS moment
  FROM (SELECT n FROM generate_series(0, %(count)s - 1) n ORDER BY n DESC) numbered;
INSERT INTO res_partner (id, commercial_partner_id, name, complete_name, type, lang, active, phone,
    phone_sanitized, create_date, write_date)
SELECT customer_id, customer_id, name, name, 'contact', 'en_US', true, number, number, moment,
       moment
  FROM chat;
INSERT INTO discuss_channel (id, name, channel_type, active, sms_sender_id, sms_number,
    sms_partner_id, sms_res_model, sms_res_id, sms_user_id, sms_state, last_interest_dt,
    create_uid, create_date, write_date)
SELECT id, name, 'sms', true, %(sender_id)s, number, customer_id, 'res.partner', customer_id,
       %(user_id)s, 'answered', moment, 1, moment, moment
  FROM chat;
INSERT INTO mail_message (id, model, res_id, message_type, body, author_id, date, create_uid,
    create_date, write_date, subtype_id)
SELECT post_id, 'discuss.channel', id, 'sms', '<p>See you at ten.</p>', customer_id, moment, 1,
       moment, moment, (SELECT res_id FROM ir_model_data
                         WHERE module = 'mail' AND name = 'mt_comment')
  FROM chat;
INSERT INTO sms_message (id, uuid, direction, state, gateway_id, sender_id, number, body,
    res_model, res_id, partner_id, company_id, conversation_id, conversation_message_id,
    create_date, write_date)
SELECT text_id, md5(number), 'in', 'received', %(gateway_id)s, %(sender_id)s, number,
       'See you at ten.', 'res.partner', customer_id, customer_id, 1, id, post_id, moment, moment
  FROM chat;
UPDATE discuss_channel SET sms_last_message_id = text_id
  FROM chat WHERE chat.id = discuss_channel.id;
INSERT INTO discuss_channel_member (channel_id, partner_id, last_interest_dt, last_seen_dt,
    new_message_separator, create_date, write_date)
SELECT id, %(partner_id)s, moment, moment, CASE WHEN n < %(unread)s THEN 0 ELSE post_id + 1 END,
       moment, moment
  FROM chat;
DROP TABLE chat;
"""
CLEAN_UP = """
while env["discuss.channel.member"]._gc_idle_sms_members()[1]:
    env.cr.commit()
env.cr.commit()
"""


def main(harness):
    """Yield the times, the sizes of the answers and the ratio."""
    with harness.make_database("bench") as database:
        gateway = make_gateway(database, "http://127.0.0.1:9")
        fill(harness, gateway)
        with harness.OdooServer(database) as server:
            clients = {login: Client(server, login) for login in CONVERSATIONS}
            for client in clients.values():
                client.open_discuss()
            times = [
                {login: client.open_discuss() for login, client in clients.items()}
                for _round in range(ROUNDS)
            ]
            yield from figures(times, clients)
            assert "Traceback" not in server.log_text(), server.log


def fill(harness, gateway):
    """Give both users their conversations, and let a night pass."""
    database = gateway.database
    made = harness.odoo_script(database, CREATE_USERS.format(gateway_id=gateway.id))
    common = {"gateway_id": gateway.id, "current": CURRENT, "unread": UNREAD}
    for login, count in CONVERSATIONS.items():
        names = ("sender_id", "user_id", "partner_id", "place")
        values = dict(zip(names, made[login], strict=True))
        harness.psql(database, FILL % {**common, **values, "count": count})
    harness.odoo_script(database, CLEAN_UP)
    harness.psql(database, "ANALYZE")


class Client:
    """What Odoo's web client asks for a user."""

    def __init__(self, server, login):
        self.url, self.session = server.url, requests.Session()
        self.call("/web/session/authenticate", db=server.database, login=login, password=login)
        self.bytes = 0

    def open_discuss(self):
        """Load the page and open the list of conversations; return the seconds it takes."""
        started = time.perf_counter()
        answers = [self.call("/mail/data", fetch_params=asked) for asked in (PAGE_LOAD, LIST_OPEN)]
        seconds = time.perf_counter() - started
        self.bytes = sum(len(answer.content) for answer in answers)
        shown = [
            channel
            for channel in answers[1].json()["result"]["discuss.channel"]
            if channel["channel_type"] == "sms"
        ]
        assert len(shown) == CURRENT, len(shown)
        return seconds

    def call(self, path, **params):
        """Return the answer to a JSON-RPC request."""
        answer = self.session.post(self.url + path, json={"params": params}, timeout=120)
        assert "error" not in answer.json(), answer.text
        return answer


def figures(times, clients):
    """Yield the medians of both users, and their ratio."""
    medians = {login: statistics.median(t[login] for t in times) for login in clients}
    for login, client in clients.items():
        user = {"conversations": CONVERSATIONS[login]}
        yield {"metric": "milliseconds", "value": round(medians[login] * 1000), **user}
        yield {"metric": "bytes", "value": client.bytes, **user}
    yield {"metric": "ratio", "value": round(medians["many"] / medians["few"], 2)}
