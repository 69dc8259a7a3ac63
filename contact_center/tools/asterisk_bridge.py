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
import http.client
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
#: Seconds that a talk which was transferred waits for the next queue: the call may go on there.
HOLD_TRANSFER = 10.0
#: Seconds between two looks at who waits.
SNAPSHOT_EVERY = 60
#: Seconds without a word after which a look at the held calls is due.
TICK = 0.25
#: Seconds without a word after which the connection is taken for lost: it answers each look.
SILENCE = 2.5 * SNAPSHOT_EVERY
MAX_BATCH = 100
#: Events kept while Odoo cannot be reached; the oldest go first.
MAX_KEPT = 20000
RETRY_DELAYS = (1, 2, 5, 10, 30, 60)
#: Seconds between two tries to reach Asterisk.
PAUSE = 5
TIMEOUT = 10
#: By which the answer to the login is known.
LOGIN = "login"
#: What may be wrong where Odoo answers with one of these.
HINTS = {
    401: "CC_TOKEN is not the connector's token, or the connector has a secret for signing",
    403: "the connector is archived",
    404: "CC_URL is not the address of the API",
}
#: Statuses after which there is no use in posting the same again.
FINAL = {400, 413, 422}
#: What Asterisk says of who ended a talk, as Odoo has it.
END_REASONS = {"agent": "agent", "caller": "caller", "transfer": "transfer"}
#: States of a member's device (``AST_DEVICE_*``) in which he can be called, and is at work.
#: Asterisk rings those whose state it does not know (0).
IDLE, AT_WORK = {"0", "1"}, {"0", "1", "2", "3", "6", "7", "8"}
#: States of an agent: of those in his queues the first of these is his.
STATES = ("busy", "available", "break", "offline")


class Translator:
    """Makes events for Odoo of messages of the manager interface. Does no I/O.

    :param queues: names of the queues that Odoo knows
    """

    def __init__(self, queues):
        self.queues = set(queues)
        #: By call: an event that is told if nothing else is, and when.
        self.held = {}
        #: By call that waits: seconds since 1970 when it began to.
        self.joined = {}
        self.abandoned = set()
        #: By agent and queue: state, and reason of a break; by agent: what was told of it.
        self.agents = {}
        self.told = {}
        self.names = {}
        self.snapshots = {}

    def feed(self, message, now):
        """Take a message.

        :param dict message: keys and values as they came
        :param float now: seconds since 1970, where the message has no time
        :return: list of events
        """
        name = message.get("Event", "")
        method = getattr(self, f"_on_{name.lower()}", None)
        if not method or not self._is_wanted(message):
            return []
        try:
            moment = float(message.get("Timestamp") or message.get("ActionID") or now)
            return [_event(message, moment, *told) for told in method(message, moment)]
        except (KeyError, ValueError) as error:
            _logger.error("%s is not understood, and is left out: %r", name, error)
            return []

    def due(self, now):
        """Events of the calls of which nothing more was told."""
        ripe = [call_id for call_id, (_event, moment) in self.held.items() if moment <= now]
        return [self._give_up(call_id) for call_id in ripe]

    def lose(self):
        """Asterisk is heard no more; returns the events of the calls that waited for a word."""
        self.abandoned.clear()
        self.snapshots.clear()
        held = self.due(float("inf"))
        self.joined.clear()
        return held

    def _is_wanted(self, message):
        return "Queue" not in message or message["Queue"] in self.queues

    def _hold(self, message, moment, seconds, event_type, data):
        event = _event(message, moment, event_type, data)
        self.held[message["Uniqueid"]] = event, moment + seconds

    def _give_up(self, call_id):
        self.joined.pop(call_id, None)
        event, _moment = self.held.pop(call_id)
        return event

    # Calls --------------------------------------------------------------------------------

    def _on_queuecallerjoin(self, message, moment):
        """Also again: whoever is back at once has never stopped waiting, or talking."""
        call_id = message["Uniqueid"]
        if not self.held.pop(call_id, None):
            self.joined.pop(call_id, None)
        self.joined.setdefault(call_id, moment)
        call = {
            "service": message["Queue"],
            "call_id": call_id,
            "caller": _number(message),
            "caller_name": _known(message.get("CallerIDName")),
            "position": int(message["Position"]),
            "waiting": int(message["Count"]),
        }
        yield "call.queued", call

    def _on_queuecallerabandon(self, message, moment):
        """Also raised where the queue gave up; the leave that follows tells no more."""
        call_id = message["Uniqueid"]
        self.abandoned.add(call_id)
        left = self._leave(message, moment, "abandoned")
        self.joined.pop(call_id, None)
        yield "call.left_queue", left

    def _on_queuecallerleave(self, message, moment):
        call_id = message["Uniqueid"]
        if call_id in self.abandoned:
            self.abandoned.remove(call_id)
        else:
            left = self._leave(message, moment, "unknown")
            self._hold(message, moment, HOLD, "call.left_queue", left)
        return ()

    def _leave(self, message, moment, reason):
        wait = self._count_wait(message, moment)
        return {"call_id": message["Uniqueid"], "reason": reason, "wait_seconds": wait}

    def _count_wait(self, message, moment):
        """Seconds since the call joined first; Asterisk counts from the last time."""
        joined = self.joined.get(message["Uniqueid"])
        if joined is None:
            return int(message["HoldTime"]) if "HoldTime" in message else ""
        return max(int(message.get("HoldTime", 0)), int(moment) - int(joined))

    def _on_agentconnect(self, message, moment):
        self.held.pop(message["Uniqueid"], None)
        answer = {
            "call_id": message["Uniqueid"],
            "agent": message["Interface"],
            "agent_name": message.get("MemberName") or message["Interface"],
            "service": message["Queue"],
            "wait_seconds": self._count_wait(message, moment),
        }
        self.joined.pop(message["Uniqueid"], None)
        yield "call.answered", answer

    def _on_agentcomplete(self, message, moment):
        reason = END_REASONS.get(message.get("Reason"), "error")
        end = {
            "call_id": message["Uniqueid"],
            "agent": message["Interface"],
            "service": message["Queue"],
            "caller": _number(message),
            "reason": reason,
            "talk_seconds": int(message["TalkTime"]),
        }
        if reason == "transfer":
            self._hold(message, moment, HOLD_TRANSFER, "call.ended", end)
        else:
            yield "call.ended", end

    def _on_userevent(self, message, moment):
        """The dialplan's ``UserEvent(CallbackRequested,Queue: ...,Phone: ...)``."""
        if message.get("UserEvent") != "CallbackRequested":
            return
        call_id = message["Uniqueid"]
        if self._is_leaving(call_id):
            del self.held[call_id]
            yield "call.left_queue", self._leave(message, moment, "callback")
        self.joined.pop(call_id, None)
        request = {
            "service": message["Queue"],
            "phone": message.get("Phone") or _number(message),
            "call_id": call_id,
            "callback_id": f"{message['Queue']}-{call_id}",
        }
        if name := message.get("Name") or _known(message.get("CallerIDName")):
            request["name"] = name
        yield "callback.requested", request

    def _is_leaving(self, call_id):
        return call_id in self.held and self.held[call_id][0]["type"] == "call.left_queue"

    # Agents -------------------------------------------------------------------------------

    def _on_queuememberstatus(self, message, moment):
        agent = message["Interface"]
        self._note_member(agent, message.get("MemberName"), message)
        yield from self._tell_agent(agent)

    _on_queuememberadded = _on_queuememberpause = _on_queuememberstatus

    def _on_queuememberremoved(self, message, moment):
        agent = message["Interface"]
        self.agents.get(agent, {}).pop(message["Queue"], None)
        yield from self._tell_agent(agent)

    def _note_member(self, agent, name, message):
        self.names[agent] = name or agent
        state = _state(message)
        reason = message.get("PausedReason", "") if state == "break" else ""
        self.agents.setdefault(agent, {})[message["Queue"]] = state, reason

    def _tell_agent(self, agent):
        """Where his state, over all his queues, is another one than was told."""
        states = [*self.agents.get(agent, {}).values(), ("offline", "")]
        state, reason = min(states, key=lambda each: STATES.index(each[0]))
        if self.told.get(agent) != (state, reason):
            self.told[agent] = state, reason
            told = {"agent": agent, "agent_name": self.names.get(agent, agent)}
            yield "agent.state_changed", {**told, "state": state, "break_type": reason}

    # Snapshots: answers to QueueStatus ----------------------------------------------------

    def _on_queueparams(self, message, moment):
        queue = message["Queue"]
        for queues in self.agents.values():
            queues.pop(queue, None)  # its members are told next
        snapshot = {"service": queue, "calls": [], "agents_staffed": 0, "agents_available": 0}
        if int(message.get("Completed") or 0):
            snapshot["aht_seconds"] = int(message["TalkTime"])
        self.snapshots[queue] = snapshot
        return ()

    def _on_queuemember(self, message, moment):
        self._note_member(message["Location"], message.get("Name"), message)
        snapshot, state = self.snapshots[message["Queue"]], _state(message)
        snapshot["agents_staffed"] += state in ("available", "busy")
        snapshot["agents_available"] += state == "available"
        return ()

    def _on_queueentry(self, message, moment):
        self.joined.setdefault(message["Uniqueid"], moment - int(message["Wait"]))
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
        for agent in self.agents:
            yield from self._tell_agent(agent)
        snapshots, self.snapshots = self.snapshots, {}
        for snapshot in snapshots.values():
            yield "queue.snapshot", snapshot


def _state(message):
    """State of a queue's member: ``offline``, ``break``, ``busy`` or ``available``."""
    if message.get("Status") not in AT_WORK:
        return "offline"
    if message.get("InCall", "0") != "0":
        return "busy"
    if message.get("Paused") == "1":
        return "break"
    return "available" if message["Status"] in IDLE else "busy"


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
    """The keys and values of one message. A caller may call himself what breaks other lines."""
    pairs = (line.partition(":") for line in block.split("\r\n") if ":" in line)
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
        try:
            request = urllib.request.Request(self.url, json.dumps(batch).encode(), headers)
            with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
                answers = json.load(response)
            if not isinstance(answers, list):
                raise ValueError("this is not the answer of a contact center")
        except urllib.error.HTTPError as error:
            _logger.error("Odoo answers %s %s", error, HINTS.get(error.code, ""))
            return error.code in FINAL
        except (OSError, ValueError, http.client.HTTPException) as error:
            _logger.warning("Odoo is not reached, events are kept: %r", error)
            return False
        self._note_answers(batch, answers)
        return True

    def _note_answers(self, batch, answers):
        for event, answer in zip(batch, answers, strict=False):
            if answer.get("http_status", 202) >= 400:
                reason = answer.get("errors") or answer.get("detail")
                _logger.error("Odoo refuses %s %s: %s", event["type"], event["id"], reason)


# Both -------------------------------------------------------------------------------------


def bridge(manager, translator, put, clock=time.time):
    """Pass on what Asterisk tells, until it hangs up.

    :param put: function that takes a list of events
    :raises OSError: where it is not heard any more, or does not let the bridge in
    """
    asked, heard = 0, clock()
    while True:
        if clock() - asked >= SNAPSHOT_EVERY:
            asked = clock()
            manager.send("QueueStatus", ActionID=asked)
        messages, events = manager.read(), []
        heard = clock() if messages else heard
        for message in messages:
            _check_answer(message)
            events += translator.feed(message, clock())
        put(events + translator.due(clock()))
        if clock() - heard > SILENCE:
            raise ConnectionError("Asterisk does not answer")


def _check_answer(message):
    """Asterisk refuses what the bridge may not do.

    :raises PermissionError: where that is to log in
    """
    if message.get("Response") != "Error":
        return
    if message.get("ActionID") == LOGIN:
        hint = "compare --user and AMI_SECRET with manager.conf"
        raise PermissionError(f"Asterisk does not let the bridge in ({message['Message']}): {hint}")
    _logger.error("Asterisk refuses: %s", message.get("Message"))


def connect(options):
    """A connection to Asterisk, that logs in."""
    manager = Manager(socket.create_connection((options.host, options.port), TIMEOUT))
    secret = os.environ["AMI_SECRET"]
    manager.send("Login", ActionID=LOGIN, Username=options.user, Secret=secret, Events="agent,user")
    return manager


def main():
    """Connect, and connect again where the connection is lost."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--host", default="127.0.0.1", help="of Asterisk")
    parser.add_argument("--port", type=int, default=5038)
    parser.add_argument("--user", default=os.environ.get("AMI_USER", "odoo"))
    parser.add_argument("--url", default=os.environ.get("CC_URL"), help="https://.../cc/api/v1")
    parser.add_argument("--queues", required=True, help="a,b: those that Odoo has services for")
    options = parser.parse_args()
    for name in ("AMI_SECRET", "CC_TOKEN"):
        if not os.environ.get(name):
            parser.error(f"set {name} in the environment")
    if not options.url:
        parser.error("give --url, or set CC_URL in the environment")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    sender = Sender(options.url, os.environ["CC_TOKEN"])
    sender.start()
    translator = Translator(name.strip() for name in options.queues.split(","))
    while True:
        try:
            bridge(connect(options), translator, sender.put)
        except OSError as error:
            _logger.error("Not connected to Asterisk, tried again in %s s: %s", PAUSE, error)
        sender.put(translator.lose())
        time.sleep(PAUSE)


if __name__ == "__main__":
    main()
