import json
import socket
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from odoo.tests import BaseCase, tagged

from ..engine import schema
from .common import ContactCenterCase

FOLDER = Path(__file__).parent
AGENT = "Local/a1@agents/n"
START = 1764000000
NOW = datetime(2026, 11, 27)


def _load(path):
    """The program as it is started: it is no part of the addon's package."""
    spec = spec_from_file_location(path.stem, path)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


bridge = _load(FOLDER.parent / "tools" / "asterisk_bridge.py")


class BridgeCase(BaseCase):
    """What Asterisk 16 writes, and what is made of it."""

    def read_trace(self, name):
        """Messages of a trace."""
        text = (FOLDER / "data" / name).read_bytes().decode()
        return [bridge.parse(block) for block in text.split("\r\n\r\n") if block]

    def translate(self, name, queues=()):
        """Events of a trace, each message taken at its time."""
        translator, events, now = bridge.Translator(queues), [], START
        for message in self.read_trace(name):
            now = float(message.get("Timestamp", now))
            events += translator.due(now) + translator.feed(message, now)
        return events + translator.due(now + 2)


@tagged("post_install", "-at_install")
class TestTranslator(BridgeCase):
    """Each message of the manager interface becomes what the API wants."""

    def test_calls(self):
        """R083: who joins is queued; each call leaves once, for its reason."""
        told = [
            (event["type"], event["data"].get("call_id"), event["data"].get("reason"))
            for event in self.translate("ami_calls.txt")
        ]
        first, second, third, fourth = (f"{START}.{n}" for n in (1, 3, 5, 7))
        self.assertEqual(
            told,
            [
                ("agent.state_changed", None, None),
                ("call.queued", first, None),
                ("call.queued", second, None),
                ("call.queued", third, None),
                ("call.queued", fourth, None),
                ("call.left_queue", third, "abandoned"),
                ("agent.state_changed", None, None),
                ("call.answered", first, None),
                ("call.left_queue", second, "callback"),
                ("callback.requested", second, None),
                ("call.ended", first, "agent"),
                ("call.left_queue", fourth, "unknown"),
            ],
        )

    def test_facts(self):
        events = self.translate("ami_calls.txt")
        facts = {}
        for event in events:
            facts.setdefault(event["type"], []).append(event["data"])
        self.assertEqual(
            facts["call.queued"][1],
            {
                "service": "support",
                "call_id": f"{START}.3",
                "caller": "+4790622222",
                "caller_name": "Caller 22",
                "position": 2,
                "waiting": 2,
            },
        )
        self.assertEqual(facts["call.queued"][2]["caller"], "anonymous")
        self.assertEqual(facts["call.answered"][0]["agent"], AGENT)
        self.assertEqual(facts["call.answered"][0]["wait_seconds"], 11)
        self.assertEqual(facts["call.ended"][0]["talk_seconds"], 4)
        self.assertEqual(facts["callback.requested"][0]["phone"], "+4790622222")
        states = [data["state"] for data in facts["agent.state_changed"]]
        self.assertEqual(states, ["available", "busy"])

    def test_a_leave_keeps_its_own_time(self):
        """It is told a second later, but it was then."""
        last = self.translate("ami_calls.txt")[-1]
        self.assertEqual(datetime.fromisoformat(last["time"]).timestamp(), START + 18)

    def test_snapshot(self):
        snapshots = [
            event["data"]
            for event in self.translate("ami_status.txt", ["support"])
            if event["type"] == "queue.snapshot"
        ]
        (snapshot,) = snapshots
        waits = {call["caller"]: call["wait_seconds"] for call in snapshot["calls"]}
        self.assertEqual(waits, {"+4790611111": 31, "anonymous": 8})
        self.assertEqual((snapshot["agents_staffed"], snapshot["agents_available"]), (2, 1))
        self.assertEqual(snapshot["aht_seconds"], 140)

    def test_ids_are_stable_and_unique(self):
        """P3: the same message is the same event, whoever reads it."""
        ids = [event["id"] for event in self.translate("ami_calls.txt")]
        self.assertEqual(ids, [event["id"] for event in self.translate("ami_calls.txt")])
        self.assertEqual(len(set(ids)), len(ids))

    def test_the_api_takes_all_of_it(self):
        for name in ("ami_calls.txt", "ami_status.txt"):
            for event in self.translate(name):
                with self.subTest(event=event):
                    self.assertTrue(schema.read_event(event, NOW).is_known)


@tagged("post_install", "-at_install")
class TestTogether(BridgeCase, ContactCenterCase):
    """What the bridge tells, in Odoo."""

    def test_calls_arrive(self):
        """R086: one was answered, one hung up, one is called back, in the place it had."""
        for event in self.translate("ami_calls.txt"):
            told = schema.read_event(event, NOW)
            self.tell(told.type, moment=told.occurred_at, event_id=told.id, **told.data)
        states = {id_: self.find_call(f"{START}.{id_}").state for id_ in (1, 3, 5, 7)}
        self.assertEqual(states, {1: "ended", 3: "left", 5: "abandoned", 7: "left"})
        self.assertEqual(self.find_call(f"{START}.1").agent_id.external_id, AGENT)
        self.assertEqual(self.find_call(f"{START}.1").wait_seconds, 11)
        self.assertEqual(self.service.waiting_count, 0)
        callback = self.env["contact.center.callback"]._find_open(self.service, "+4790622222")
        self.assertEqual(callback.state, "waiting")
        self.assertEqual(callback.queued_at, self.find_call(f"{START}.3").queued_at)


class _Odoo(BaseHTTPRequestHandler):
    """Not to be reached at first, then it takes all but the second event."""

    def do_POST(self):
        batch = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.seen.append((self.headers["Authorization"], batch))
        status = self.server.statuses.pop(0)
        self.send_response(status)
        self.end_headers()
        answers = [{"http_status": 404 if event["id"] == "b" else 202} for event in batch]
        self.wfile.write(json.dumps(answers).encode())

    def log_message(self, *args):
        """Quiet."""


@tagged("post_install", "-at_install")
class TestNetwork(BridgeCase):
    """Both ends: a socket like Asterisk's, a server like Odoo's."""

    def setUp(self):
        super().setUp()
        self.server = HTTPServer(("127.0.0.1", 0), _Odoo)
        self.server.seen, self.server.statuses = [], []
        thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.url = f"http://127.0.0.1:{self.server.server_port}/cc/api/v1/"

    def post(self, statuses, *ids):
        """Post events once; returns whether they are done with."""
        self.server.statuses[:] = statuses
        with self.assertLogs("asterisk_bridge"):
            return bridge.Sender(self.url, "secret").post([{"id": id_} for id_ in ids])

    def test_what_odoo_cannot_take_now_is_kept(self):
        self.assertFalse(self.post([503], "a"))
        self.assertFalse(self.post([401], "a"))

    def test_what_odoo_refuses_is_not_posted_for_ever(self):
        self.assertTrue(self.post([200], "a", "b"))
        self.assertTrue(self.post([422], "b"))
        authorization, batch = self.server.seen[0]
        self.assertEqual(authorization, "Bearer secret")
        self.assertEqual([event["id"] for event in batch], ["a", "b"])

    def test_asterisk_is_read_in_pieces_until_it_hangs_up(self):
        """The status of the queues is asked for at once."""
        ours, asterisk = socket.socketpair()
        self.addCleanup(ours.close)
        trace = (FOLDER / "data" / "ami_calls.txt").read_bytes()

        def talk():
            for start in range(0, len(trace), 700):
                asterisk.sendall(trace[start : start + 700])
            self.asked = asterisk.recv(100)
            asterisk.close()

        thread = threading.Thread(target=talk)
        thread.start()
        events = []
        with self.assertRaises(ConnectionError):
            bridge.bridge(bridge.Manager(ours), bridge.Translator(), events.extend)
        thread.join()
        self.assertEqual(self.asked, b"Action: QueueStatus\r\n\r\n")
        self.assertEqual(sum(event["type"] == "call.queued" for event in events), 4)
        times = {datetime.fromisoformat(event["time"]).astimezone(UTC).year for event in events}
        self.assertEqual(times, {2025})
