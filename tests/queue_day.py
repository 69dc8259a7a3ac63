"""A day in the queue of a telephone exchange, simulated: what it tells, and what is true.

The simulator knows nothing of Odoo. It plays callers, agents and callbacks second by second, and
writes down what the exchange tells (:class:`Told`), what customers answer by text (:class:`Reply`),
and what the rules say must follow (:class:`Truth`).

The rules: a caller is welcomed once, if with him enough people wait. Who has asked to be called
back keeps his place, and is told once when his place is close enough, if he has a mobile
telephone. His "no" takes him out of the line. Who has talked is asked how it was.
"""

import random
from dataclasses import dataclass, field

SERVICES = {"help": 3, "orders": 2}
#: Fewer people than so many waiting, the caller included, are not welcomed.
WELCOME_FROM = 3
#: From this place in the line on, who waits for a callback is told.
NOTIFY_AT = 2
FIXED_LINE, WITHHELD = "+4722", "anonymous"


@dataclass(frozen=True)
class Told:
    """One event of the exchange: type, second of the day, data."""

    type: str
    at: int
    data: dict


@dataclass(frozen=True)
class Reply:
    """A customer who was told answers "no" by text."""

    number: str


@dataclass
class Truth:
    """What must have happened in the end."""

    welcomed: set = field(default_factory=set)
    notified: set = field(default_factory=set)
    cancelled_by_sms: set = field(default_factory=set)
    talked: dict = field(default_factory=dict)
    callbacks: dict = field(default_factory=dict)
    calls: dict = field(default_factory=dict)


@dataclass
class Caller:
    """Somebody in the line: of a call, or waiting to be called back."""

    call_id: str
    number: str
    joined: int
    patience: int
    is_callback: bool = False
    says_no: bool = False

    @property
    def callback_id(self):
        return f"cb-{self.call_id}"

    @property
    def is_mobile(self):
        return self.number.startswith("+479")


class Day:
    """The simulation; ``script`` is in the order in which things happen.

    :param int calls: of the day, over both services
    """

    def __init__(self, seed, calls):
        self.seed, self.chance = seed, random.Random(seed)  # noqa: S311
        self.script, self.truth = [], Truth()
        self.lines = {service: [] for service in SERVICES}
        self.busy = {service: {} for service in SERVICES}
        self.arrivals = self.plan_arrivals(calls)
        second = 0
        while self.arrivals or any(self.lines.values()) or any(self.busy.values()):
            self.play(second)
            second += 1

    def plan_arrivals(self, calls):
        """Callers by the second they call; half of them in rushes."""
        arrivals, moment = {}, 0
        for number in range(calls):
            moment += self.chance.choice([1, 2, 5, 40, 90])
            arrivals.setdefault(moment, []).append(self.make_caller(number, moment))
        return arrivals

    def make_caller(self, number, moment):
        kind = self.chance.random()
        phone = f"+479{1000000 + number}"
        if kind < 0.1:
            phone = f"{FIXED_LINE}{100000 + number}"
        elif kind < 0.15:
            phone = WITHHELD
        return Caller(f"call-{number}", phone, moment, self.chance.randint(60, 900))

    def play(self, second):
        """One second: talks end, the impatient leave, callers arrive, agents take the next."""
        for service in SERVICES:
            self.end_talks(service, second)
            self.lose_patience(service, second)
        for caller in self.arrivals.pop(second, ()):
            self.join(self.chance.choice(list(SERVICES)), caller, second)
        for service in SERVICES:
            self.take_next(service, second)

    def tell(self, event_type, second, **data):
        self.script.append(Told(event_type, second, data))

    def join(self, service, caller, second):
        self.lines[service].append(caller)
        waiting = sum(not other.is_callback for other in self.lines[service])
        self.tell(
            "call.queued",
            second,
            service=service,
            call_id=caller.call_id,
            caller=caller.number,
            waiting=waiting,
        )
        self.truth.calls[caller.call_id] = "queued"
        if waiting >= WELCOME_FROM and caller.is_mobile:
            self.truth.welcomed.add(caller.call_id)

    def lose_patience(self, service, second):
        """Who has waited for too long hangs up, or asks to be called back."""
        for caller in [c for c in self.lines[service] if not c.is_callback]:
            if second - caller.joined < caller.patience:
                continue
            asks = caller.number != WITHHELD and self.chance.random() < 0.6
            reason = "callback" if asks else "abandoned"
            self.tell("call.left_queue", second, call_id=caller.call_id, reason=reason)
            self.truth.calls[caller.call_id] = "left" if asks else "abandoned"
            if asks:
                self.ask_for_callback(service, caller, second)
            else:
                self.lines[service].remove(caller)
            self.look(service)

    def ask_for_callback(self, service, caller, second):
        caller.is_callback = True
        caller.says_no = self.chance.random() < 0.4
        self.truth.callbacks[caller.callback_id] = "open"
        self.tell(
            "callback.requested",
            second,
            service=service,
            phone=caller.number,
            call_id=caller.call_id,
            callback_id=caller.callback_id,
        )

    def look(self, service):
        """Who is close enough is told, and may say no; then the others move up."""
        moved = True
        while moved:
            moved = False
            for place, caller in enumerate(self.lines[service], start=1):
                if self.is_to_be_told(caller, place):
                    self.truth.notified.add(caller.callback_id)
                    if caller.says_no:
                        self.say_no(service, caller)
                        moved = True
                        break

    def is_to_be_told(self, caller, place):
        return (
            caller.is_callback
            and caller.is_mobile
            and place <= NOTIFY_AT
            and caller.callback_id not in self.truth.notified
        )

    def say_no(self, service, caller):
        self.script.append(Reply(caller.number))
        self.lines[service].remove(caller)
        self.truth.cancelled_by_sms.add(caller.callback_id)
        self.truth.callbacks[caller.callback_id] = "cancelled"

    def take_next(self, service, second):
        while self.lines[service] and len(self.busy[service]) < SERVICES[service]:
            caller = self.lines[service].pop(0)
            agent = self.find_free(service)
            self.busy[service][agent] = (caller, second + self.chance.randint(30, 300))
            self.answer(caller, agent, second)
            self.look(service)

    def find_free(self, service):
        names = (f"{service}-{number}" for number in range(SERVICES[service]))
        return next(name for name in names if name not in self.busy[service])

    def answer(self, caller, agent, second):
        if caller.is_callback:
            self.tell("callback.started", second, callback_id=caller.callback_id, agent=agent)
            return
        self.tell("call.left_queue", second, call_id=caller.call_id, reason="answered")
        self.tell("call.answered", second, call_id=caller.call_id, agent=agent)

    def end_talks(self, service, second):
        for agent, (caller, until) in list(self.busy[service].items()):
            if until > second:
                continue
            del self.busy[service][agent]
            if caller.is_callback:
                self.tell("callback.completed", second, callback_id=caller.callback_id, agent=agent)
                self.truth.callbacks[caller.callback_id] = "completed"
                self.truth.talked[caller.call_id] = agent
            else:
                self.tell("call.ended", second, call_id=caller.call_id, reason="caller")
                self.truth.calls[caller.call_id] = "ended"
                self.truth.talked[caller.call_id] = agent
