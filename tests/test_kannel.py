"""Texts through a real Kannel, both ways, on good days and bad ones.

Odoo, Kannel and the operator are three programs here, with a `Road` between Kannel and Odoo on
which calls and answers can get lost. What is in between is what people run: the addon, Kannel's
own program, and the configuration of the addon's README.
"""

import contextlib
import threading
import urllib.parse
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests
import smpp34
from harness import OdooServer, make_database, odoo_script, psql, wait_for
from kannel import (
    ACCEPTED,
    BUFFERED,
    DELIVERED,
    FAILED,
    HttpCarrier,
    Kannel,
    SmppCarrier,
)

TAKEN = "0: Accepted for delivery"
#: Kannel's word for a text that the operator has taken.
PLACED = "8"

SET_UP = """
import json
env["ir.config_parameter"].set_param("web.base.url", {road!r})
env["ir.config_parameter"].set_param("web.base.url.freeze", True)
gateway = env["sms.gateway"].create({{"name": {name!r}, "code": "kannel"}})
sender = env["sms.sender"].create({{
    "name": {name!r}, "kind": "short", "address": {address!r}, "gateway_id": gateway.id,
    "inbound_enabled": True, "state": "approved",
}})
env.company.write({{"sms_default_sender_id": sender.id, "sms_max_segments": 10}})
env.cr.commit()
print(json.dumps([gateway.id, sender.id, gateway.kannel_get_url]))
"""

HUNGARIAN = "Árvíztűrő tükörfúrógép 😀"
LONG = "".join(f"{number} is a number. " for number in range(30)).strip()
LONG_EMOJI = "Zażółć gęślą jaźń 😀 " * 8 + "!"


class Road:
    """Brings calls to a server and answers back, unless told otherwise.

    ``disturb`` is a function of a call's parameters. It returns None to let the call through,
    ``lost`` to answer 503 in the server's place, or ``unanswered`` to let it through and hang up
    without the server's answer.
    """

    def __init__(self, url):
        self.destination = url
        self.calls = []
        self.disturb = lambda call: None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._make_handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=[0.05], daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def bring(self, method, target, headers, body):
        """Return status and body of the answer to a call; None where it is lost on the way."""
        call = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(target).query))
        self.calls.append(call)
        fate = self.disturb(call)
        if fate == "lost":
            return 503, b""
        try:
            answer = requests.request(
                method, self.destination + target, headers=headers, data=body, timeout=20
            )
        except requests.ConnectionError:
            return 502, b""
        return None if fate == "unanswered" else (answer.status_code, answer.content)

    def _make_handler(road):  # noqa: N805 - self is the handler's, below
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                answer = road.bring(self.command, self.path, dict(self.headers), body)
                self.close_connection = answer is None
                if answer:
                    self.send_response(answer[0])
                    self.send_header("Content-Length", str(len(answer[1])))
                    self.end_headers()
                    self.wfile.write(answer[1])

            do_POST = do_GET

            def log_message(self, *_):
                pass

        return Handler


class Person:
    """Somebody logged in at Odoo, who does what a browser does."""

    def __init__(self, server, login="admin"):
        self._session = requests.Session()
        self._url = server.url
        credentials = {"db": server.database, "login": login, "password": login}
        self._post("/web/session/authenticate", credentials)

    def call(self, model, method, *args):
        """Call a public method; what Odoo complains of is an `AssertionError`."""
        parameters = {"model": model, "method": method, "args": args, "kwargs": {}}
        return self._post("/web/dataset/call_kw", parameters)

    def _post(self, path, parameters):
        body = {"jsonrpc": "2.0", "method": "call", "params": parameters}
        answer = self._session.post(self._url + path, json=body, timeout=60).json()
        if "error" in answer:
            raise AssertionError(answer["error"]["data"]["message"])
        return answer["result"]


@dataclass
class Line:
    """One gateway of Odoo, its Kannel and the operator behind it."""

    server: OdooServer
    person: Person
    road: Road
    kannel: Kannel
    carrier: HttpCarrier | SmppCarrier
    gateway_id: int
    sender_id: int
    address: str

    def send(self, number, body):
        """Send a text to a new contact as a person does, in the composer; return the contact."""
        partner = self.person.call("res.partner", "create", {"name": number, "phone": number})
        values = {
            "res_model": "res.partner",
            "res_id": partner,
            "composition_mode": "comment",
            "sender_id": self.sender_id,
            "body": body,
        }
        composer = self.person.call("sms.composer", "create", values)
        self.person.call("sms.composer", "action_send_sms", [composer])
        return partner

    def configure(self, **values):
        """Change the gateway, as its administrator does."""
        self.person.call("sms.gateway", "write", [self.gateway_id], values)

    def ledger(self, number, *columns):
        """Return the columns of the only text sent to a number."""
        (row,) = psql(
            self.server.database,
            f"SELECT {', '.join(columns)} FROM sms_message WHERE number = %s AND direction = 'out'",
            number,
        )
        return row

    def wait_for_state(self, number, state, timeout=30):
        """Wait until the only text sent to a number has come to a state."""
        wait_for(
            lambda: self.ledger(number, "state") == (state,),
            timeout,
            lambda: f"{state}: {self.ledger(number, 'state', 'failure_type', 'failure_reason')}",
        )

    def notification(self, number):
        """Return status and failure type under the message in the chatter."""
        (row,) = psql(
            self.server.database,
            """
            SELECT notification_status, failure_type FROM mail_notification
             WHERE notification_type = 'sms' AND sms_number = %s
            """,
            number,
        )
        return row

    def received(self, number):
        """Return the texts received from a number, in the order they were written down."""
        rows = psql(
            self.server.database,
            "SELECT body FROM sms_message WHERE number = %s AND direction = 'in' ORDER BY id",
            number,
        )
        return [body for (body,) in rows]

    def wait_for_received(self, number, count, timeout=30):
        """Return the texts received from a number once there are ``count`` of them."""
        return wait_for(
            lambda: len(self.received(number)) >= count and self.received(number),
            timeout,
            lambda: f"{count} texts of {number}: {self.received(number)}",
        )

    def report(self, number, *told):
        """Let the operator report on the text sent to a number, once Kannel can place that."""
        text = self.sent_to(number)
        wait_for(
            lambda: self.is_placed(number), message=lambda: f"Kannel's word: {self.road.calls[-9:]}"
        )
        self.carrier.report(text, *told)

    def is_placed(self, number):
        """Whether Kannel has told that the operator took the text, and so has noted its id."""
        (uuid,) = self.ledger(number, "uuid")
        placed = {"uuid": uuid, "type": PLACED}
        return any(placed.items() <= call.items() for call in self.road.calls)

    def sent_to(self, number):
        """Return the text sent to a number, once the operator has it; there must be one only."""
        wait_for(lambda: self.texts_to(number), message=f"a text to {number}")
        (text,) = self.texts_to(number)
        return text

    def texts_to(self, number):
        return [text for text in self.carrier.texts if text.number == number]


@pytest.fixture(scope="module")
def server():
    """One Odoo for all stories of this file, with the road to it."""
    with make_database("kannel") as name:
        server = OdooServer(name, max_cron_threads=2, life=1200)
        yield server
        with contextlib.suppress(AttributeError):
            server.stop()


@pytest.fixture(scope="module")
def road(server):
    with Road(server.url) as road:
        yield road


@pytest.fixture(autouse=True)
def clear_road(road):
    """Each story starts on a good day."""
    yield
    road.disturb = lambda call: None


@contextlib.contextmanager
def open_line(server, road, carrier, folder, address):
    """Set up Odoo as its administrator does, and Kannel as the README says."""
    script = SET_UP.format(road=road.url, name=type(carrier).__name__, address=address)
    gateway_id, sender_id, get_url = odoo_script(server.database, script)
    if server._process is None:
        server.start()
    with carrier, Kannel(folder, carrier, get_url) as kannel:
        line = Line(server, Person(server), road, kannel, carrier, gateway_id, sender_id, address)
        line.configure(
            kannel_url=kannel.sendsms_url,
            kannel_username=kannel.username,
            kannel_password=kannel.password,
            allowed_ips="127.0.0.1",
            state="enabled",
        )
        yield line


@pytest.fixture(scope="module")
def line(server, road, tmp_path_factory):
    """A line to an operator reached by HTTP, who reports whatever he is told to."""
    folder = tmp_path_factory.mktemp("kannel-http")
    with open_line(server, road, HttpCarrier(), folder, "72100") as line:
        yield line


@pytest.fixture(scope="module")
def smpp_line(server, road, tmp_path_factory):
    """A line to an operator reached by SMPP."""
    folder = tmp_path_factory.mktemp("kannel-smpp")
    with open_line(server, road, SmppCarrier(), folder, "72200") as line:
        yield line


# Good days --------------------------------------------------------------------------------


def test_text_goes_out_and_is_delivered(line):
    """Composer, ledger, Kannel, operator; then the reports, up to the tick in the chatter."""
    number = "+46701000001"
    partner = line.send(number, "Hej @ Å & [€] 100 %\nSecond line ")
    text = line.sent_to(number)
    assert (text.sender, text.body) == ("72100", "Hej @ Å & [€] 100 %\nSecond line ")
    line.wait_for_state(number, "sent")
    assert line.notification(number) == ("pending", None)
    line.report(number, BUFFERED)
    line.report(number, DELIVERED, "Handset")
    line.wait_for_state(number, "delivered")
    assert line.notification(number) == ("sent", None)
    assert line.ledger(number, "res_model", "res_id", "provider_ref") == (
        "res.partner",
        partner,
        text.reference,
    )


def test_failures_come_with_the_operators_words(line):
    """Failed after acceptance, and refused by the operator: final, with the reason."""
    line.send("+46701000011", "Never arrives")
    line.report("+46701000011", FAILED, "Absent subscriber & gone")
    line.wait_for_state("+46701000011", "failed")
    assert line.ledger("+46701000011", "failure_type", "failure_reason") == (
        "sms_not_delivered",
        "Absent subscriber & gone",
    )
    assert line.notification("+46701000011") == ("exception", "sms_not_delivered")

    line.carrier.answer = lambda part: "No credit left"
    line.send("+46701000012", "Refused")
    line.wait_for_state("+46701000012", "failed")
    line.carrier.answer = lambda part: TAKEN
    assert line.ledger("+46701000012", "failure_type", "failure_reason") == (
        "sms_rejected",
        "No credit left",
    )
    assert line.texts_to("+46701000012") == []


def test_texts_arrive_and_are_not_answered(line):
    """Every text of a customer is in the ledger once, on its sender; Kannel answers nothing."""
    number = "+46701000021"
    bodies = ["Yes", "Tom & Jerry = 100 % + a%20b", HUNGARIAN, "two\nlines,  wide ", "Yes"]
    for body in bodies:
        line.carrier.deliver(number, line.address, body)
    assert sorted(line.wait_for_received(number, len(bodies))) == sorted(bodies)
    assert line.texts_to(number) == []


def test_numbers_as_operators_write_them(line):
    """With plus, with 00 or with neither: one customer."""
    for number in ("+46701000031", "0046701000031", "46701000031"):
        line.carrier.deliver(number, line.address, number)
    assert len(line.wait_for_received("+46701000031", 3)) == 3


def test_connection_is_tested_without_a_text(line):
    """*Test connection* against the real Kannel: right, wrong password, wrong place."""
    before = len(line.carrier.parts)

    def attempt(**values):
        line.configure(**values)
        return line.person.call("sms.gateway", "action_test_connection", [line.gateway_id])

    assert attempt()["params"]["type"] == "success"
    with pytest.raises(
        AssertionError, match="answered “403 Authorization failed.*user and password"
    ):
        attempt(kannel_password="wrong")
    with pytest.raises(
        AssertionError, match="answered “404 .*that the address is Kannel's sendsms"
    ):
        attempt(kannel_password=line.kannel.password, kannel_url=line.kannel.sendsms_url + "s")
    assert attempt(kannel_url=line.kannel.sendsms_url)["params"]["type"] == "success"
    assert len(line.carrier.parts) == before


# SMPP -------------------------------------------------------------------------------------


def test_smpp_long_and_foreign_texts_both_ways(smpp_line):
    """In parts and in UCS-2 on the air, whole at both ends."""
    for index, body in enumerate((LONG, LONG_EMOJI, "{€}[~]", HUNGARIAN)):
        number = f"+4670200000{index}"
        smpp_line.send(number, body)
        text = smpp_line.sent_to(number)
        assert (text.sender, text.body) == ("72200", body)
        smpp_line.wait_for_state(number, "sent")
        assert smpp_line.ledger(number, "segments") == (text.parts,)
        smpp_line.carrier.deliver(number, smpp_line.address, body)
        assert smpp_line.wait_for_received(number, 1) == [body]


def test_smpp_receipts_and_refusals(smpp_line):
    """What an operator says in SMPP is what the salesman reads."""
    refused = {
        "+46702000012": smpp34.ESME_RINVDSTADR,
        "+46702000013": smpp34.ESME_RINVSRCADR,
    }
    smpp_line.carrier.answer = lambda part: refused.get(part.number)
    receipts = {
        "+46702000021": ("DELIVRD", "000"),
        "+46702000022": ("UNDELIV", "001"),
        "+46702000023": ("EXPIRED", "002"),
        "+46702000024": ("REJECTD", "003"),
        "+46702000025": ("ENROUTE", "000"),
    }
    for number in (*refused, *receipts):
        smpp_line.send(number, "Hello")
    for number, told in receipts.items():
        smpp_line.report(number, *told)
    expected = {
        "+46702000012": ("failed", "sms_invalid_destination", "0x0000000b"),
        "+46702000013": ("failed", "sms_sender", "0x0000000a"),
        "+46702000021": ("delivered", None, None),
        "+46702000022": ("failed", "sms_not_delivered", "001"),
        "+46702000023": ("failed", "sms_expired", "002"),
        "+46702000024": ("failed", "sms_rejected", "003"),
        "+46702000025": ("sent", None, None),
    }
    for number, fate in expected.items():
        smpp_line.wait_for_state(number, fate[0])
        assert smpp_line.ledger(number, "state", "failure_type", "failure_code") == fate


# Bad days ---------------------------------------------------------------------------------


def test_reports_out_of_order_and_repeated(line):
    """The report of the acceptance comes last and three times: delivered stays delivered."""
    number = "+46703000001"
    held, road = [], line.road

    def hold_back_acceptance(call):
        if call.get("type") == str(ACCEPTED) and line.ledger(number, "state") != ("delivered",):
            held.append(call)
            return "lost"
        return "unanswered" if road.calls.count(call) < 3 + held.count(call) else None

    road.disturb = hold_back_acceptance
    line.send(number, "Hello")
    line.sent_to(number)
    wait_for(lambda: held, message="the report of the acceptance")
    line.report(number, DELIVERED)
    line.wait_for_state(number, "delivered")
    uuid = line.ledger(number, "uuid")[0]
    wait_for(lambda: _settled(road, uuid, held), message=lambda: road.calls)
    assert line.ledger(number, "state") == ("delivered",)
    events = psql(
        line.server.database,
        "SELECT state FROM sms_gateway_event WHERE payload LIKE %s",
        f"%{uuid}%",
    )
    assert events == [("done",)] * 2


def _settled(road, uuid, held):
    """Whether both reports of a text came through, the third time each."""
    calls = [call for call in road.calls if call.get("uuid") == uuid]
    late = [call for call in calls if call["type"] == str(ACCEPTED)]
    return len(late) >= len(held) + 3 and len(calls) - len(late) >= 3


def test_repeated_replies_take_effect_once(line):
    """Odoo has stored the text, its answer is lost, and Kannel comes again with the same id."""
    number, road = "+46703000011", line.road
    partner = line.send(number, "How many?")
    line.wait_for_state(number, "sent")
    road.disturb = lambda call: "unanswered" if road.calls.count(call) < 3 else None
    bodies = [f"Text {index}" for index in range(5)]
    for body in bodies:
        line.carrier.deliver(number, line.address, body)
    wait_for(
        lambda: sum(call.get("from") == number for call in road.calls) >= 15,
        message=lambda: road.calls,
    )
    assert sorted(line.wait_for_received(number, 5)) == bodies
    shown = psql(
        line.server.database,
        """
        SELECT count(*) FROM mail_message
         WHERE model = 'res.partner' AND res_id = %s AND message_type = 'sms' AND body LIKE %s
        """,
        partner,
        "%Text _%",
    )
    assert shown == [(5,)]


def test_nothing_is_lost_while_odoo_is_down(line):
    """Texts and reports of that time come when Odoo is back, each once."""
    number = "+46703000021"
    line.send(number, "Hello")
    line.sent_to(number)
    line.wait_for_state(number, "sent")
    line.server.kill()
    line.report(number, DELIVERED)
    bodies = [f"Text {index}" for index in range(3)]
    for body in bodies:
        line.carrier.deliver(number, line.address, body)
    tries = len(line.road.calls)
    wait_for(lambda: len(line.road.calls) > tries + 4, message="Kannel tries again")
    line.server.start()
    assert sorted(line.wait_for_received(number, 3)) == bodies
    line.wait_for_state(number, "delivered")


def test_kannel_down_and_back(line):
    """A text that finds Kannel down waits, and goes out once."""
    number = "+46703000031"
    line.kannel.stop()
    try:
        line.send(number, "Patience")
        wait_for(lambda: _is_waiting(line, number), message="a first try")
        assert line.ledger(number, "state") == ("queued",)
    finally:
        line.kannel.start()
    wait_for(lambda: not _is_waiting(line, number), message="time for the second try")
    line.send("+46703000032", "This one wakes the lane")
    line.wait_for_state("+46703000032", "sent")
    line.wait_for_state(number, "sent")
    assert line.sent_to(number).body == "Patience"
    line.report(number, DELIVERED)
    line.wait_for_state(number, "delivered")


def _is_waiting(line, number):
    """Whether a text was tried in vain, and its next try is still to come."""
    waiting = "attempts > 0 AND send_after > now() at time zone 'utc'"
    return psql(
        line.server.database, f"SELECT 1 FROM sms_sms WHERE number = %s AND {waiting}", number
    )


def test_power_cut_at_kannel(line):
    """Kannel dies with a text it accepted and a report it waits for; both survive in its store."""
    waiting, number = "+46703000041", "+46703000042"
    line.send(waiting, "Reported later")
    line.wait_for_state(waiting, "sent")
    reference = line.sent_to(waiting)
    line.carrier.answer = _slow_down
    line.send(number, "Accepted by Kannel")
    line.wait_for_state(number, "sent")
    line.kannel.kill()
    line.carrier.answer = lambda part: TAKEN
    line.kannel.start()
    assert line.sent_to(number).body == "Accepted by Kannel"
    line.carrier.report(reference, DELIVERED)
    line.wait_for_state(waiting, "delivered")


def _slow_down(part):
    """The operator is busy until the power is cut; it must not count as a refusal."""
    threading.Event().wait(5)
    return ""


def test_lost_answer_of_kannel(line):
    """P2: Kannel has the text, its answer is lost: unknown, never sent again, then reported."""
    number = "+46703000061"
    line.road.disturb = lambda call: "lost"
    with Road(line.kannel.url) as way:
        way.disturb = lambda call: "unanswered"
        line.configure(kannel_url=line.kannel.sendsms_url.replace(line.kannel.url, way.url))
        line.send(number, "Once")
        line.wait_for_state(number, "unknown")
        line.configure(kannel_url=line.kannel.sendsms_url)
        assert len(way.calls) == 1
    line.road.disturb = lambda call: None
    line.report(number, DELIVERED)
    line.wait_for_state(number, "delivered")
    assert line.sent_to(number).body == "Once"


def test_wrong_password_fails_with_kannels_words(line):
    """P9: what Kannel says is shown, and what it was asked with is not."""
    number = "+46703000051"
    line.configure(kannel_password="wrongsecret")
    line.send(number, "Hello")
    line.wait_for_state(number, "failed")
    line.configure(kannel_password=line.kannel.password)
    assert line.ledger(number, "failure_type", "failure_code", "failure_reason") == (
        "sms_configuration",
        "403",
        "Authorization failed for sendsms",
    )
    assert "wrongsecret" not in line.server.log_text()
