"""R125, P3, P4, P7: strangers who write at once are one lead each, whatever is killed."""

import http.client
import random
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

import pytest
from gateways import kannel_stub, make_gateway, wake
from harness import OdooServer, odoo_script, psql, wait_for

#: First texts of each stranger, all on their way at the same time.
FIRST_TEXTS = 6
STRANGERS, KILLS = 30, 4

NEW_LEADS = 'env["sms.sender"].browse({}).inbound_policy = "record"; env.cr.commit()'
#: What stands in the conversations, by number, in the order in which it stands there.
SHOWN = """
SELECT channel.sms_number, array_agg(regexp_replace(post.body, '<[^>]+>', '', 'g') ORDER BY post.id)
  FROM discuss_channel channel
  JOIN mail_message post ON post.model = 'discuss.channel' AND post.res_id = channel.id
 WHERE channel.sms_sender_id = %s GROUP BY channel.id
"""
#: The texts of each number in the order in which its calls were stored.
ARRIVED = """
SELECT text.number, array_agg(text.body ORDER BY event.id) FROM sms_message text
  JOIN sms_gateway_event event
    ON event.gateway_id = text.gateway_id AND event.payload LIKE '%%' || text.provider_ref || '"%%'
 WHERE text.gateway_id = %s GROUP BY text.number
"""
LEADS = "SELECT phone_sanitized, count(*) FROM crm_lead WHERE phone_sanitized = ANY(%s) GROUP BY 1"
ON_RECORDS = """
SELECT text.number, count(DISTINCT text.mail_message_id), count(DISTINCT post.res_id)
  FROM sms_message text JOIN mail_message post ON post.id = text.mail_message_id
 WHERE text.gateway_id = %s AND post.model = 'crm.lead' GROUP BY text.number
"""


@pytest.fixture
def gateway(database):
    """Give the test a gateway whose number makes leads of strangers."""
    with kannel_stub() as provider:
        made = make_gateway(database, provider.url)
        odoo_script(database, NEW_LEADS.format(made.sender_id))
        yield made


def make_calls(gateway, numbers):
    """Return the calls that bring the first texts of strangers, mixed."""
    calls = [
        f"{gateway.path('inbound')}?"
        + urlencode({"from": number, "to": gateway.address, "text": f"{n}", "id": f"{number}-{n}"})
        for number in numbers
        for n in range(FIRST_TEXTS)
    ]
    random.shuffle(calls)
    return calls


def call_at_once(port, calls):
    """Make the calls from as many clients as there are texts of one stranger."""
    with ThreadPoolExecutor(FIRST_TEXTS) as clients:
        list(clients.map(lambda path: call(port, path), calls))


def call(port, path):
    """Call as a provider does: again until it is answered."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request("GET", path)
            status = connection.getresponse().status
            assert status == 200, status
            return
        except (OSError, http.client.HTTPException):
            connection.close()  # the server has just been killed
    raise AssertionError(f"never answered: {path}")


def wait_until_worked_off(gateway):
    """Wait until no call is left to work off."""
    left = "SELECT count(*) FROM sms_gateway_event WHERE gateway_id = %s AND state = 'new'"

    def is_worked_off():
        wake(gateway.database)
        return psql(gateway.database, left, gateway.id) == [(0,)]

    wait_for(is_worked_off, 120, "every call worked off", interval=0.5)


def assert_each_is_one_lead(gateway, numbers):
    """Fail unless each stranger is one lead and one conversation, all texts in their order."""
    shown = psql(gateway.database, SHOWN, gateway.sender_id)
    assert sorted(number for number, _texts in shown) == sorted(numbers), "one conversation each"
    assert dict(shown) == dict(psql(gateway.database, ARRIVED, gateway.id))
    assert {len(texts) for _number, texts in shown} == {FIRST_TEXTS}
    assert dict(psql(gateway.database, LEADS, numbers)) == dict.fromkeys(numbers, 1)
    on_records = psql(gateway.database, ON_RECORDS, gateway.id)
    assert {row[1:] for row in on_records} == {(FIRST_TEXTS, 1)}
    assert len(on_records) == len(numbers)


def test_six_first_texts_at_once_are_one_lead_and_one_conversation(gateway):
    """R125: over HTTP, from six connections, with two workers of scheduled actions."""
    numbers = ["+4793000001"]
    with OdooServer(gateway.database, max_cron_threads=2) as server:
        call_at_once(server.port, make_calls(gateway, numbers))
        wait_until_worked_off(gateway)
        assert " ERROR " not in server.log_text(), server.log
        assert "Traceback" not in server.log_text(), server.log
    assert_each_is_one_lead(gateway, numbers)


def test_p3_strangers_are_one_lead_each_whatever_is_killed(gateway):
    """P3, P4, P7: power cuts while leads are made; nothing twice, nothing lost."""
    numbers = [f"+479310{n:04d}" for n in range(STRANGERS)]
    calls = make_calls(gateway, numbers)
    share = len(calls) // KILLS
    with OdooServer(gateway.database, max_cron_threads=1) as server:
        for kill in range(KILLS):
            call_at_once(server.port, calls[kill * share : (kill + 1) * share])
            server.kill()  # its worker is at it
            server.start()
        wait_until_worked_off(gateway)
        assert "Traceback" not in server.log_text(), server.log
    assert_each_is_one_lead(gateway, numbers)
