import json
import socket
import threading
from datetime import datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from odoo.tests import BaseCase, tagged

from ..engine import schema
from .common import ContactCenterCase

FOLDER = Path(__file__).parent
TRACES = ("ami_calls", "ami_agents", "ami_transfers", "ami_limits", "ami_lost")
ONE, TWO, THREE = (f"Local/a{n}@agents/n" for n in (1, 2, 3))
QUEUES = ("support", "sales")
#: The day after the traces were recorded.
NOW = datetime(2026, 11, 28)


def _load(path):
    """The program as it is started: it is no part of the addon's package."""
    spec = spec_from_file_location(path.stem, path)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


bridge = _load(FOLDER.parent / "tools" / "asterisk_bridge.py")


class BridgeCase(BaseCase):
    """What Asterisk 16.28 wrote (the traces in ``data``, byte for byte), and what is made of it."""

    def read_trace(self, name):
        """Messages of a trace, with their times; those without have that of the one before."""
        now = 0.0
        for block in (FOLDER / "data" / f"{name}.txt").read_bytes().decode().split("\r\n\r\n"):
            message = bridge.parse(block)
            now = float(message.get("Timestamp", now))
            yield message, now

    def translate(self, name, queues=QUEUES):
        """Events of a trace, each message taken at its time."""
        translator, events = bridge.Translator(queues), []
        for message, now in self.read_trace(name):
            events += translator.due(now) + translator.feed(message, now)
        return events + translator.lose()

    def tell_calls(self, name, queues=QUEUES):
        """Type, last figures of the call's id, and reason or queue, of a trace's calls."""
        return [
            (
                event["type"],
                event["data"]["call_id"].rpartition(".")[2],
                event["data"].get("reason") or event["data"]["service"],
            )
            for event in self.translate(name, queues)
            if "call_id" in event["data"]
        ]

    def get_data(self, name, event_type, **values):
        """What a trace's events of a type hold, of those that have these values."""
        return [
            event["data"]
            for event in self.translate(name)
            if event["type"] == event_type and values.items() <= event["data"].items()
        ]


@tagged("post_install", "-at_install")
class TestCalls(BridgeCase):
    """Who waits, who is gone, and why."""

    def test_each_call_leaves_once_for_its_reason(self):
        """R083: who joins is queued. 105 pressed 1, was offered nothing, and is back at once."""
        self.assertEqual(
            self.tell_calls("ami_calls"),
            [
                ("call.queued", "101", "support"),
                ("call.queued", "103", "support"),
                ("call.queued", "105", "support"),
                ("call.queued", "107", "support"),
                ("call.queued", "109", "support"),
                ("call.queued", "111", "support"),
                ("call.queued", "105", "support"),
                ("call.left_queue", "105", "abandoned"),
                ("call.answered", "101", "support"),
                ("call.left_queue", "103", "callback"),
                ("callback.requested", "103", "support"),
                ("call.ended", "101", "agent"),
                ("call.answered", "107", "support"),
                ("call.ended", "107", "caller"),
                ("call.left_queue", "109", "abandoned"),
                ("call.left_queue", "111", "unknown"),
            ],
        )

    def test_a_full_queue_tells_of_nobody(self):
        """R083: there is no trace of 167, who found the queue full; the others were given up."""
        self.assertEqual(
            self.tell_calls("ami_limits", ["small", "strict"]),
            [
                ("call.queued", "165", "small"),
                ("call.left_queue", "165", "abandoned"),
                ("call.queued", "169", "strict"),
                ("call.left_queue", "169", "abandoned"),
            ],
        )

    def test_who_joins_is_told_with_number_name_and_place(self):
        """The welcome goes to that number; a comma or colon in a name breaks nothing."""
        queued = self.get_data("ami_calls", "call.queued")
        self.assertEqual(
            queued[3],
            {
                "service": "support",
                "call_id": "1795770035.107",
                "caller": "90600144",
                "caller_name": "Caller 44, Ltd: 2nd",
                "position": 4,
                "waiting": 4,
            },
        )
        self.assertEqual(queued[2]["caller"], "anonymous")
        self.assertNotIn("caller_name", queued[2])

    def test_an_answer_and_an_end_name_the_agent(self):
        """The reports count his calls, how long they waited and how long they talked."""
        (answer,) = self.get_data("ami_calls", "call.answered", call_id="1795770029.101")
        (end,) = self.get_data("ami_calls", "call.ended", call_id="1795770029.101")
        self.assertEqual((answer["agent"], answer["agent_name"]), (ONE, "Agent One"))
        self.assertEqual((end["agent"], end["caller"]), (ONE, "+4790600111"))
        self.assertEqual((answer["wait_seconds"], end["talk_seconds"]), (20, 3))

    def test_the_wait_counts_from_the_first_time(self):
        """Whoever is put back in his place has waited all the time; Asterisk says 6 s."""
        (left,) = self.get_data("ami_calls", "call.left_queue", call_id="1795770033.105")
        self.assertEqual(left["wait_seconds"], 13)

    def test_a_callback_has_number_and_name(self):
        """R086: it is told after the leave that it explains."""
        (request,) = self.get_data("ami_calls", "callback.requested")
        self.assertEqual((request["phone"], request["name"]), ("+4790600122", "Caller 22"))
        self.assertEqual(request["call_id"], "1795770031.103")

    def test_a_leave_keeps_its_own_time(self):
        """It is told a second later, but it was then."""
        last = self.translate("ami_calls")[-1]
        leave = [message for message, _now in self.read_trace("ami_calls") if message][-1]
        self.assertEqual(leave["Event"], "QueueCallerLeave")
        told = datetime.fromisoformat(last["time"]).timestamp()
        self.assertAlmostEqual(told, float(leave["Timestamp"]), places=3)

    def test_a_talk_transferred_to_a_queue_is_not_over(self):
        """R110: one call, which ends with the last agent; the survey goes out after that."""
        told = [each for each in self.tell_calls("ami_transfers") if each[1] == "123"]
        self.assertEqual(
            told,
            [
                ("call.queued", "123", "support"),
                ("call.answered", "123", "support"),
                ("call.queued", "123", "sales"),
                ("call.answered", "123", "sales"),
                ("call.ended", "123", "caller"),
            ],
        )
        (end,) = self.get_data("ami_transfers", "call.ended", call_id="1795770151.123")
        self.assertEqual((end["agent"], end["service"]), (TWO, "sales"))

    def test_a_talk_transferred_to_a_telephone_is_over_for_the_agent(self):
        """Blind (129) and attended (133): told late, with the time at which he was free."""
        ends = [
            event
            for event in self.translate("ami_transfers")
            if event["data"].get("reason") == "transfer"
        ]
        told = {event["data"]["call_id"]: event["time"][:19] for event in ends}
        self.assertEqual(
            told,
            {
                "1795770166.129": "2026-11-27T09:02:52",
                "1795770180.133": "2026-11-27T09:03:11",
            },
        )

    def test_other_queues_are_not_told(self):
        """Odoo has no service for them, and makes no calls of them."""
        self.assertFalse(self.tell_calls("ami_limits"))


@tagged("post_install", "-at_install")
class TestAgents(BridgeCase):
    """Who is at work, over all his queues."""

    def get_states(self, agent):
        return [
            " ".join(data[name] for name in ("state", "break_type") if name in data)
            for data in self.get_data("ami_agents", "agent.state_changed", agent=agent)
        ]

    def test_a_break_in_one_queue_is_none_while_he_works_in_another(self):
        """He takes a pause in sales, telephones, is free; then has lunch, from all queues."""
        states = ["offline", "available", "busy", "available", "break lunch", "available"]
        self.assertEqual(self.get_states(TWO), [*states, "busy", "available", "offline"])

    def test_he_is_at_work_until_he_is_out_of_all_queues(self):
        """Added to two, removed from one; it rings, another one takes it; removed at last."""
        self.assertEqual(self.get_states(THREE), ["available", "busy", "available", "offline"])

    def test_he_is_told_by_name(self):
        """The supervisor sees Agent Three, not the name of a channel."""
        data = self.get_data("ami_agents", "agent.state_changed", agent=THREE)
        self.assertEqual({each["agent_name"] for each in data}, {"Agent Three"})

    def test_whoever_is_gone_when_the_queues_are_looked_at_is_offline(self):
        """He was removed while nobody listened."""
        translator = bridge.Translator(QUEUES)
        for message, now in self.read_trace("ami_agents"):
            translator.feed(message, now)
            if message.get("Event") == "QueueMemberAdded":
                break
        look = [
            message
            for message, _now in self.read_trace("ami_agents")
            if message.get("Event") in ("QueueParams", "QueueMember", "QueueStatusComplete")
        ]
        events = [event for message in look for event in translator.feed(message, now)]
        states = {
            event["data"]["agent"]: event["data"]["state"]
            for event in events
            if event["type"] == "agent.state_changed"
        }
        self.assertEqual(states[THREE], "offline")


@tagged("post_install", "-at_install")
class TestLost(BridgeCase):
    """The bridge finds callers waiting; the connection is cut, and comes back."""

    def test_a_look_tells_who_waits_and_who_works(self):
        """Agent One telephones, Two is on a break there, and free in the other queue."""
        support, sales = self.get_data("ami_lost", "queue.snapshot")[:2]
        waits = {call["caller"]: call["wait_seconds"] for call in support["calls"]}
        self.assertEqual(waits, {"+4790600711": 4, "anonymous": 3})
        self.assertEqual((support["agents_staffed"], support["agents_available"]), (1, 0))
        self.assertEqual((sales["agents_staffed"], sales["agents_available"]), (1, 1))
        self.assertEqual(support["aht_seconds"], 6)

    def test_a_look_has_the_time_at_which_it_was_asked_for(self):
        """Whoever leaves while the answer is read is not put back by it."""
        asked = [
            message["ActionID"]
            for message, _now in self.read_trace("ami_lost")
            if message.get("Event") == "QueueStatusComplete"
        ]
        times = {
            datetime.fromisoformat(event["time"]).timestamp()
            for event in self.translate("ami_lost")
            if event["type"] == "queue.snapshot"
        }
        for told, moment in zip(sorted(times), sorted(map(float, asked)), strict=True):
            self.assertAlmostEqual(told, moment, places=3)

    def test_the_look_after_the_cut_has_what_was_missed(self):
        """711 has hung up meanwhile, the anonymous one was answered, 744 has come."""
        support = self.get_data("ami_lost", "queue.snapshot", service="support")[1]
        callers = [call["caller"] for call in support["calls"]]
        self.assertEqual(callers, ["+4790600733", "+4790600744"])

    def test_nothing_that_was_held_is_lost_with_the_connection(self):
        """A talk that was transferred is over, though nobody tells what became of the call."""
        translator = bridge.Translator(QUEUES)
        for message, now in self.read_trace("ami_transfers"):
            translator.feed(message, now)
            if message.get("Reason") == "transfer":
                break
        (end,) = translator.lose()
        self.assertEqual(end["data"]["reason"], "transfer")
        self.assertFalse(translator.due(now + 60))


@tagged("post_install", "-at_install")
class TestEvents(BridgeCase):
    """Whatever it is, the API can take it."""

    def test_ids_are_stable_and_unique(self):
        """P3: the same message is the same event, whoever reads it."""
        for name in TRACES:
            ids = [event["id"] for event in self.translate(name)]
            self.assertEqual(ids, [event["id"] for event in self.translate(name)])
            self.assertEqual(len(set(ids)), len(ids))

    def test_the_api_takes_all_of_it(self):
        for name in TRACES:
            for event in self.translate(name):
                with self.subTest(event=event):
                    self.assertTrue(schema.read_event(event, NOW).is_known)

    def test_a_dialplan_that_forgets_something_stops_nothing(self):
        """``UserEvent(CallbackRequested)`` without its queue is left out; written, not recorded."""
        message = {"Event": "UserEvent", "UserEvent": "CallbackRequested", "Uniqueid": "1.1"}
        with self.assertLogs("asterisk_bridge", "ERROR") as log:
            self.assertFalse(bridge.Translator(QUEUES).feed(message, 1))
        self.assertIn("UserEvent is not understood", log.output[0])

    def test_a_callers_name_adds_no_lines(self):
        """What only looks like the end of a line is part of the name; written, not recorded."""
        message = bridge.parse("CallerIDName: A\u2028Uniqueid: 9.9\r\nUniqueid: 1.1")
        self.assertEqual(message["Uniqueid"], "1.1")
        self.assertEqual(message["CallerIDName"], "A\u2028Uniqueid: 9.9")


@tagged("post_install", "-at_install")
class TestTogether(BridgeCase, ContactCenterCase):
    """What the bridge tells, in Odoo."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sales = cls.create_service("Sales", "sales")

    def tell_trace(self, name):
        for event in self.translate(name):
            told = schema.read_event(event, NOW)
            self.tell(told.type, moment=told.occurred_at, event_id=told.id, **told.data)

    def get_states(self, *call_ids):
        return [self.find_call(call_id).state for call_id in call_ids]

    def test_calls_arrive(self):
        """R086: who was answered, who hung up; one is called back, in the place it had."""
        self.tell_trace("ami_calls")
        first, second = self.find_call("1795770029.101"), self.find_call("1795770031.103")
        self.assertEqual(
            self.get_states("1795770033.105", "1795770037.109", "1795770038.111"),
            ["abandoned", "abandoned", "left"],
        )
        self.assertEqual((first.state, second.state), ("ended", "left"))
        self.assertEqual(first.agent_id.external_id, ONE)
        self.assertEqual((first.wait_seconds, first.talk_seconds), (20, 3))
        self.assertEqual(self.service.waiting_count, 0)
        callback = self.env["contact.center.callback"]._find_open(self.service, "+4790600122")
        self.assertEqual(callback.state, "waiting")
        self.assertEqual(callback.queued_at, second.queued_at)

    def test_a_transferred_call_waits_in_the_other_queue(self):
        """R110: it is the other service's from then on; so are agent and end."""
        sales = self.sales
        seen = []
        self.patch(
            type(self.env["contact.center.call"]),
            "_on_queued",
            lambda call: seen.append((call.service_id, sales.waiting_count)),
        )
        self.tell_trace("ami_transfers")
        self.assertEqual(seen[:2], [(self.service, 0), (sales, 1)])
        call = self.find_call("1795770151.123")
        self.assertEqual((call.state, call.service_id), ("ended", sales))
        self.assertEqual(call.agent_id.external_id, TWO)

    def test_after_the_cut_nobody_waits_who_is_gone(self):
        """Who hung up unheard has left; who was answered unheard has ended; nobody waits."""
        self.tell_trace("ami_lost")
        self.assertEqual(
            self.get_states("1795770221.143", "1795770222.145", "1795770229.147", "1795770233.149"),
            ["left", "ended", "abandoned", "ended"],
        )
        self.assertEqual((self.service.waiting_count, self.sales.waiting_count), (0, 0))


#: Instead of a status: the answer has no end, or is another program's.
BROKEN_OFF, OTHER = 0, -1


class _Odoo(BaseHTTPRequestHandler):
    """Answers with the statuses it is given; takes all events but one."""

    def do_POST(self):
        batch = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.seen.append((self.headers["Authorization"], batch))
        status = self.server.statuses.pop(0)
        self.send_response(max(status, 0) or 200)
        if status == BROKEN_OFF:
            self.send_header("Content-Length", "1000")
        self.end_headers()
        answers = [{"http_status": 404 if event["id"] == "b" else 202} for event in batch]
        self.wfile.write(json.dumps({} if status == OTHER else answers).encode())
        if not self.server.statuses:
            self.server.done.set()

    def log_message(self, *args):
        """Quiet."""


@tagged("post_install", "-at_install")
class TestNetwork(BridgeCase):
    """Both ends: a socket like Asterisk's, a server like Odoo's."""

    def setUp(self):
        super().setUp()
        self.server = HTTPServer(("127.0.0.1", 0), _Odoo)
        self.server.seen, self.server.statuses = [], []
        self.server.done = threading.Event()
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
            return bridge.Sender(self.url, "secret").post([{"id": id_, "type": "t"} for id_ in ids])

    def test_what_odoo_cannot_take_now_is_kept(self):
        """Also where the answer breaks off: Odoo was killed, or the proxy was."""
        self.assertFalse(self.post([503], "a"))
        self.assertFalse(self.post([401], "a"))
        self.assertFalse(self.post([BROKEN_OFF], "a"))

    def test_what_odoo_refuses_is_not_posted_for_ever(self):
        self.assertTrue(self.post([200], "a", "b"))
        self.assertTrue(self.post([422], "b"))
        authorization, batch = self.server.seen[0]
        self.assertEqual(authorization, "Bearer secret")
        self.assertEqual([event["id"] for event in batch], ["a", "b"])

    def test_after_odoo_was_away_all_is_posted_once_and_in_order(self):
        """P3: what came meanwhile is posted after what could not be."""
        self.server.statuses[:] = [503, BROKEN_OFF, 200, 200, 200]
        self.patch(bridge, "RETRY_DELAYS", (0,))
        self.patch(bridge, "MAX_BATCH", 1)
        sender = bridge.Sender(self.url, "secret")
        sender.put([{"id": "a", "type": "t"}])
        with self.assertLogs("asterisk_bridge"):
            sender.start()
            sender.put([{"id": id_, "type": "t"} for id_ in "cd"])
            self.assertTrue(self.server.done.wait(10))
        ids = [event["id"] for _authorization, batch in self.server.seen for event in batch]
        self.assertEqual(ids, ["a", "a", "a", "c", "d"])

    def test_a_wrong_address_is_told_and_nothing_is_lost(self):
        """One without https://, or of something that is no contact center."""
        for url in ("odoo.example.com/cc/api/v1/", self.url.replace("/cc/api/v1", "/other")):
            self.server.statuses[:] = [OTHER]
            with self.assertLogs("asterisk_bridge") as log:
                self.assertFalse(bridge.Sender(url, "secret").post([{"id": "a", "type": "t"}]))
            self.assertIn("events are kept", log.output[0])

    def test_a_wrong_token_is_named(self):
        with self.assertLogs("asterisk_bridge") as log:
            self.server.statuses[:] = [401]
            bridge.Sender(self.url, "secret").post([{"id": "a"}])
        self.assertIn("CC_TOKEN", log.output[0])

    def listen(self, name, size=700):
        """Have Asterisk write a trace in pieces, and hang up.

        :return: the connection, and what was asked of it in the end
        """
        ours, asterisk = socket.socketpair()
        self.addCleanup(ours.close)
        trace, asked = (FOLDER / "data" / name).read_bytes(), []

        def talk():
            for start in range(0, len(trace), size):
                asterisk.sendall(trace[start : start + size])
            asked.append(asterisk.recv(100))
            asterisk.close()

        thread = threading.Thread(target=talk)
        thread.start()
        self.addCleanup(thread.join)
        return bridge.Manager(ours), asked

    def test_asterisk_is_read_in_pieces_until_it_hangs_up(self):
        """The status of the queues is asked for at once."""
        manager, asked = self.listen("ami_calls.txt")
        events = []
        with self.assertRaises(ConnectionError):
            bridge.bridge(manager, bridge.Translator(QUEUES), events.extend)
        self.assertRegex(asked[0], rb"^Action: QueueStatus\r\nActionID: [0-9.]+\r\n\r\n$")
        self.assertEqual(sum(event["type"] == "call.queued" for event in events), 7)

    def test_a_wrong_secret_is_named(self):
        """Recorded; the administrator reads where to look."""
        manager, _asked = self.listen("ami_refused.txt")
        with self.assertRaisesRegex(PermissionError, "Authentication failed.*AMI_SECRET"):
            bridge.bridge(manager, bridge.Translator(QUEUES), list)

    def test_an_asterisk_that_says_nothing_is_left(self):
        """A connection may be lost without an end; it is made anew."""
        ours, asterisk = socket.socketpair()
        self.addCleanup(asterisk.close)
        self.addCleanup(ours.close)
        hours = iter(range(0, 36000, 3600))
        with self.assertRaisesRegex(ConnectionError, "does not answer"):
            bridge.bridge(bridge.Manager(ours), bridge.Translator(QUEUES), list, hours.__next__)
