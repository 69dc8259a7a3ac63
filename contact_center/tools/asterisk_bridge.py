#!/usr/bin/env python3
"""Tell Odoo what the queues of an Asterisk do.

Reads the manager interface (AMI) and posts events to the contact center's API. Runs beside Asterisk
with nothing but Python 3.11 or later. The manager's user needs ``read = agent,user`` and no more;
``timestampevents = yes`` in ``manager.conf`` makes the times exact.

    CC_URL=https://odoo.example.com/cc/api/v1 CC_TOKEN=... \\
    AMI_USER=odoo AMI_SECRET=... ./asterisk_bridge.py --queues support,sales

What cannot be posted is tried again in order, under the same id, until Odoo has it. Nothing is kept
over a restart: the next look at the queues, once a minute, puts right who waits.
"""

import argparse
import hashlib
import json
import logging
import os
import socket
import threading
import time
import urllib.error
import urllib.request
from collections import deque
from datetime import UTC, datetime

_logger = logging.getLogger("asterisk_bridge")

#: Seconds that a call which left waits for the reason: the answer is told after it.
HOLD = 1.0
#: Seconds between two looks at who waits.
SNAPSHOT_EVERY = 60
#: Seconds without a word after which a look at the held calls is due.
TICK = 0.25
MAX_BATCH = 100
#: Events kept while Odoo cannot be reached; the oldest go first.
MAX_KEPT = 20000
RETRY_DELAYS = (1, 2, 5, 10, 30, 60)
TIMEOUT = 10
#: What Asterisk says of who ended a talk, as Odoo has it.
END_REASONS = {"agent": "agent", "caller": "caller", "transfer": "transfer"}
#: States of a member's device (``AST_DEVICE_*``) in which he can be called, and is at work.
#: Asterisk rings those whose state it does not know (0).
IDLE, AT_WORK = {"0", "1"}, {"0", "1", "2", "3", "6", "7", "8"}


class Translator:
    """Makes events for Odoo of messages of the manager interface. Does no I/O.

    :param queues: names of the queues that Odoo knows; empty: all
    """

    def __init__(self, queues=()):
        self.queues = set(queues)
        self.leaves = {}
        self.agents = {}
        self.snapshots = {}

    def feed(self, message, now):
        """Take a message.

        :param dict message: keys and values as they came
        :param float now: seconds since 1970, where the message has no time
        :return: list of events
        """
        method = getattr(self, f"_on_{message.get('Event', '').lower()}", None)
        if not method or not self._is_wanted(message):
            return []
        moment = float(message.get("Timestamp") or now)
        return [_event(message, moment, *told) for told in method(message, moment)]

    def due(self, now):
        """Events of the calls that left, and of which nothing more was told."""
        ripe = [id_ for id_, (_message, moment) in self.leaves.items() if now - moment >= HOLD]
        return [self._leave(id_, "unknown") for id_ in ripe]

    def _is_wanted(self, message):
        return not self.queues or "Queue" not in message or message["Queue"] in self.queues

    def _leave(self, call_id, reason):
        message, moment = self.leaves.pop(call_id)
        return _event(message, moment, "call.left_queue", {"call_id": call_id, "reason": reason})

    # Calls --------------------------------------------------------------------------------

    def _on_queuecallerjoin(self, message, moment):
        self.leaves.pop(message["Uniqueid"], None)
        call = {
            "service": message["Queue"],
            "call_id": message["Uniqueid"],
            "caller": _number(message),
            "caller_name": _known(message.get("CallerIDName")),
            "position": int(message["Position"]),
            "waiting": int(message["Count"]),
        }
        yield "call.queued", call

    def _on_queuecallerabandon(self, message, moment):
        """Also raised where the queue gave up; the leave that follows tells no more."""
        self.leaves[message["Uniqueid"]] = None, float("inf")
        left = {"call_id": message["Uniqueid"], "reason": "abandoned"}
        yield "call.left_queue", {**left, "wait_seconds": int(message["HoldTime"])}

    def _on_queuecallerleave(self, message, moment):
        if self.leaves.pop(message["Uniqueid"], None) is None:
            self.leaves[message["Uniqueid"]] = message, moment
        return ()

    def _on_agentconnect(self, message, moment):
        self.leaves.pop(message["Uniqueid"], None)
        answer = {
            "call_id": message["Uniqueid"],
            "agent": message["Interface"],
            "agent_name": message.get("MemberName") or message["Interface"],
            "service": message["Queue"],
            "wait_seconds": int(message["HoldTime"]),
        }
        yield "call.answered", answer

    def _on_agentcomplete(self, message, moment):
        end = {
            "call_id": message["Uniqueid"],
            "agent": message["Interface"],
            "service": message["Queue"],
            "caller": _number(message),
            "reason": END_REASONS.get(message.get("Reason"), "error"),
            "talk_seconds": int(message["TalkTime"]),
        }
        yield "call.ended", end

    def _on_userevent(self, message, moment):
        """The dialplan's ``UserEvent(CallbackRequested,Queue: ...,Phone: ...)``."""
        if message.get("UserEvent") != "CallbackRequested":
            return
        call_id = message["Uniqueid"]
        if self.leaves.pop(call_id, None):
            yield "call.left_queue", {"call_id": call_id, "reason": "callback"}
        request = {
            "service": message["Queue"],
            "phone": message.get("Phone") or _number(message),
            "call_id": call_id,
            "callback_id": f"{message['Queue']}-{call_id}",
        }
        if name := message.get("Name") or _known(message.get("CallerIDName")):
            request["name"] = name
        yield "callback.requested", request

    # Agents -------------------------------------------------------------------------------

    def _on_queuememberstatus(self, message, moment):
        yield from self._note_agent(message["Interface"], _state(message))

    _on_queuememberadded = _on_queuememberpause = _on_queuememberstatus

    def _on_queuememberremoved(self, message, moment):
        yield from self._note_agent(message["Interface"], "offline")

    def _note_agent(self, agent, state):
        """Told for each of his queues; passed on once."""
        if self.agents.get(agent) != state:
            self.agents[agent] = state
            yield "agent.state_changed", {"agent": agent, "state": state}

    # Snapshots: answers to QueueStatus ----------------------------------------------------

    def _on_queueparams(self, message, moment):
        snapshot = {"service": message["Queue"], "calls": []}
        if int(message.get("Completed") or 0):
            snapshot["aht_seconds"] = int(message["TalkTime"])
        self.snapshots[message["Queue"]] = {
            **snapshot,
            "agents_staffed": 0,
            "agents_available": 0,
        }
        return ()

    def _on_queuemember(self, message, moment):
        snapshot = self.snapshots[message["Queue"]]
        state = _state({**message, "Interface": message.get("Location")})
        snapshot["agents_staffed"] += state in ("available", "busy")
        snapshot["agents_available"] += state == "available"
        yield from self._note_agent(message.get("Location") or message["Interface"], state)

    def _on_queueentry(self, message, moment):
        self.snapshots[message["Queue"]]["calls"].append(
            {
                "call_id": message["Uniqueid"],
                "position": int(message["Position"]),
                "caller": _number(message),
                "wait_seconds": int(message["Wait"]),
            }
        )
        return ()

    def _on_queuestatuscomplete(self, message, moment):
        snapshots, self.snapshots = self.snapshots, {}
        for snapshot in snapshots.values():
            yield "queue.snapshot", snapshot


def _state(message):
    """State of a queue's member: ``offline``, ``break``, ``busy`` or ``available``."""
    if message.get("Status") not in AT_WORK:
        return "offline"
    if message.get("Paused") == "1":
        return "break"
    idle = message["Status"] in IDLE and message.get("InCall", "0") == "0"
    return "available" if idle else "busy"


def _number(message):
    return _known(message.get("CallerIDNum")) or "anonymous"


def _known(value):
    """Asterisk writes ``<unknown>``, or ``unknown``, for what it does not know."""
    return "" if (value or "").strip("<>").lower() == "unknown" else value or ""


def _event(message, moment, event_type, data):
    """An event, with an id that is the same whenever it is made of the same message."""
    told = json.dumps([sorted(message.items()), moment, event_type, data], sort_keys=True)
    return {
        "id": hashlib.sha256(told.encode()).hexdigest()[:32],
        "type": event_type,
        "time": datetime.fromtimestamp(moment, UTC).isoformat(),
        "data": {name: value for name, value in data.items() if value != ""},
    }


# Asterisk ---------------------------------------------------------------------------------


class Manager:
    """A connection to the manager interface.

    :param stream: connected socket
    """

    def __init__(self, stream):
        self.stream = stream
        self.stream.settimeout(TICK)
        self.buffer = b""

    def send(self, action, **fields):
        """Send an action."""
        lines = [f"Action: {action}", *(f"{name}: {value}" for name, value in fields.items())]
        self.stream.sendall("\r\n".join([*lines, "", ""]).encode())

    def read(self):
        """Return the messages that have come, after a moment at the latest.

        :raises ConnectionError: where Asterisk has hung up
        """
        try:
            received = self.stream.recv(65536)
        except TimeoutError:
            return []
        if not received:
            raise ConnectionError("Asterisk has closed the connection")
        *blocks, self.buffer = (self.buffer + received).split(b"\r\n\r\n")
        return [parse(block.decode(errors="replace")) for block in blocks]


def parse(block):
    """The keys and values of one message."""
    pairs = (line.partition(":") for line in block.splitlines() if ":" in line)
    return {name.strip(): value.strip() for name, _colon, value in pairs}


# Odoo -------------------------------------------------------------------------------------


class Sender(threading.Thread):
    """Posts events, in their order, however long it takes.

    :param str url: of the API, up to ``/v1``
    """

    def __init__(self, url, token):
        super().__init__(daemon=True)
        self.url, self.token = f"{url.rstrip('/')}/events", token
        self.kept = deque(maxlen=MAX_KEPT)
        self.ready = threading.Event()

    def put(self, events):
        """Have events posted soon."""
        self.kept.extend(events)
        self.ready.set()

    def run(self):
        """Post for ever."""
        tries = 0
        while True:
            self.ready.wait()
            self.ready.clear()
            while batch := [self.kept.popleft() for _ in range(min(len(self.kept), MAX_BATCH))]:
                while not self.post(batch):
                    time.sleep(RETRY_DELAYS[min(tries, len(RETRY_DELAYS) - 1)])
                    tries += 1
                tries = 0

    def post(self, batch):
        """Post events; returns whether there is no use in posting them again."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        request = urllib.request.Request(self.url, json.dumps(batch).encode(), headers)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
                self._note_answers(batch, json.load(response))
        except urllib.error.HTTPError as error:
            _logger.error("Odoo answers %s: %s", error.code, error.read(500))
            return error.code in (400, 413, 422)
        except (OSError, ValueError) as error:
            _logger.warning("Odoo is not reached: %s", error)
            return False
        return True

    def _note_answers(self, batch, answers):
        for event, answer in zip(batch, answers, strict=False):
            if answer.get("http_status", 202) >= 400:
                _logger.error("Odoo refuses %s: %s", event, answer)


# Both -------------------------------------------------------------------------------------


def bridge(manager, translator, put, clock=time.time):
    """Pass on what Asterisk tells, until it hangs up.

    :param put: function that takes a list of events
    """
    asked = 0
    while True:
        if clock() - asked >= SNAPSHOT_EVERY:
            manager.send("QueueStatus")
            asked = clock()
        events = []
        for message in manager.read():
            if message.get("Response") == "Error":
                _logger.error("Asterisk refuses: %s", message.get("Message"))
            events += translator.feed(message, clock())
        put(events + translator.due(clock()))


def connect(options):
    """A connection to Asterisk, logged in."""
    manager = Manager(socket.create_connection((options.host, options.port), TIMEOUT))
    secret = os.environ["AMI_SECRET"]
    manager.send("Login", Username=options.user, Secret=secret, Events="agent,user")
    return manager


def main():
    """Connect, and connect again where the connection is lost."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--host", default="127.0.0.1", help="of Asterisk")
    parser.add_argument("--port", type=int, default=5038)
    parser.add_argument("--user", default=os.environ.get("AMI_USER", "odoo"))
    parser.add_argument("--url", default=os.environ.get("CC_URL"), help="https://.../cc/api/v1")
    parser.add_argument("--queues", default="", help="a,b: those that Odoo knows (all)")
    options = parser.parse_args()
    for name in ("AMI_SECRET", "CC_TOKEN"):
        if not os.environ.get(name):
            parser.error(f"set {name} in the environment")
    if not options.url:
        parser.error("give --url, or set CC_URL in the environment")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    sender = Sender(options.url, os.environ["CC_TOKEN"])
    sender.start()
    queues = [name for name in options.queues.split(",") if name]
    while True:
        try:
            bridge(connect(options), Translator(queues), sender.put)
        except OSError as error:
            _logger.warning("Asterisk is not reached: %s", error)
            time.sleep(RETRY_DELAYS[2])


if __name__ == "__main__":
    main()
