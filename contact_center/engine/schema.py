"""What an exchange may tell: one table of the types of events and of their fields.

Whatever is checked, and what the description of the interface says, is made of it.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

MAX_TEXT, MAX_ID, MAX_ENTRIES = 255, 100, 1000
#: Two of them can still be added in the database: the mean of talk and after-call work is of sums.
MAX_INTEGER = 10**9
#: Bytes of one event, and events of one call.
MAX_EVENT_SIZE, MAX_EVENTS = 64 * 1024, 100
#: So much may the clock of the exchange be fast.
MAX_AHEAD = timedelta(minutes=5)
_EPOCH_YEAR = 1970
#: What no database and no answer holds: NUL, and halves of characters.
_BROKEN = re.compile("[\0\ud800-\udfff]")
_INTEGER = re.compile(r"[+-]?[0-9]{1,10}(\.[0-9]{1,10})?")

MISSING, INVALID = "missing_field", "invalid_value"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an event's data.

    :param str kind: ``text``, ``integer``, ``signed``, ``time`` or ``entries``
    :param enum: the words it may be
    :param fields: of each entry, by name
    """

    kind: str = "text"
    required: bool = False
    enum: tuple = ()
    fields: dict = field(default_factory=dict)
    max_length: int = MAX_TEXT


@dataclass(frozen=True, slots=True)
class EventType:
    """What one type of event means, and its fields by name."""

    meaning: str
    fields: dict


@dataclass(frozen=True, slots=True)
class Event:
    """One event, checked; ``occurred_at`` is naive UTC. Of a type that is not known all is kept."""

    id: str
    type: str
    occurred_at: datetime
    data: dict

    @property
    def is_known(self):
        return self.type in TYPES


class Invalid(Exception):
    """What is wrong with the fields: list of (field, message).

    :param str code: of the first of them
    """

    def __init__(self, faults):
        super().__init__(faults)
        self.code = faults[0][2]
        self.errors = [(name, message) for name, message, _code in faults]


def _need(kind="text", *enum, **options):
    return Field(kind, required=True, enum=enum, **options)


TEXT, INTEGER, SIGNED, TIME = Field(), Field("integer"), Field("signed"), Field("time")
NEEDED = _need()
CALL, CALLBACK = {"call_id": NEEDED}, {"callback_id": NEEDED}
STATS = dict.fromkeys(("agents_staffed", "agents_available", "aht_seconds", "ewt_seconds"), INTEGER)
ENTRY = {**CALL, "position": INTEGER, "caller": TEXT, "wait_seconds": INTEGER}
REQUEST = {
    "service": NEEDED,
    "phone": NEEDED,
    "callback_id": TEXT,
    "call_id": TEXT,
    "name": TEXT,
    "queued_at": TIME,
    "position": INTEGER,
    "priority": SIGNED,
}
LEAVE_REASONS = (
    *("answered", "abandoned", "timeout", "overflow"),
    *("transferred", "callback", "closed", "unknown"),
)
#: Fields of every event beside its data.
ENVELOPE = {
    "id": _need(max_length=MAX_ID),
    "type": _need(max_length=MAX_ID),
    "time": TIME,
}

TYPES = {
    "call.queued": EventType(
        "A call waits in the queue of a service.",
        {
            "service": NEEDED,
            **CALL,
            "caller": NEEDED,
            "caller_name": TEXT,
            "position": INTEGER,
            "waiting": INTEGER,
            "priority": SIGNED,
            "lang": TEXT,
        },
    ),
    "call.left_queue": EventType(
        "A call waits no more.",
        {**CALL, "reason": _need("text", *LEAVE_REASONS), "wait_seconds": INTEGER},
    ),
    "call.answered": EventType(
        "An agent has taken the call.",
        {**CALL, "agent": NEEDED, "agent_name": TEXT, "wait_seconds": INTEGER, "service": TEXT},
    ),
    "call.transferred": EventType(
        "The call goes on with another service or agent.",
        {**CALL, "to_service": TEXT, "to_agent": TEXT},
    ),
    "call.ended": EventType(
        "The talk is over.",
        {
            **CALL,
            "reason": Field(enum=("caller", "agent", "transfer", "error")),
            "talk_seconds": INTEGER,
            "wrap_up_seconds": INTEGER,
            "agent": TEXT,
            "service": TEXT,
            "caller": TEXT,
        },
    ),
    "call.missed": EventType(
        "Nobody answered, and there was no queue.", {**CALL, "caller": NEEDED, "service": TEXT}
    ),
    "queue.snapshot": EventType(
        "All calls that wait in the queue now.",
        {"service": NEEDED, "calls": _need("entries", fields=ENTRY), **STATS},
    ),
    "queue.stats": EventType(
        "What the exchange counts.", {"service": NEEDED, "waiting": INTEGER, **STATS}
    ),
    "callback.requested": EventType("The caller wants to be called back.", REQUEST),
    "callback.position_changed": EventType(
        "The callback has another place in the line.", {**CALLBACK, "position": _need("integer")}
    ),
    "callback.started": EventType(
        "The customer is being called.", {**CALLBACK, "agent": TEXT, "attempt": INTEGER}
    ),
    "callback.attempt_failed": EventType(
        "The customer was not reached.",
        {
            **CALLBACK,
            "reason": Field(enum=("no_answer", "busy", "voicemail", "failed")),
            "retry_at": TIME,
        },
    ),
    "callback.completed": EventType(
        "The customer was called back.", {**CALLBACK, "agent": TEXT, "talk_seconds": INTEGER}
    ),
    "callback.cancelled": EventType(
        "The callback is not wanted any more.",
        {**CALLBACK, "reason": _need("text", "caller", "agent", "system", "expired")},
    ),
    "auto_agent.result": EventType(
        "What the customer has answered to the voice.",
        {**CALLBACK, "result": _need("text", "keep", "cancel", "no_answer", "failed")},
    ),
    "agent.state_changed": EventType(
        "An agent is free, busy or away.",
        {
            "agent": NEEDED,
            "agent_name": TEXT,
            "state": _need("text", "available", "busy", "wrap_up", "break", "offline"),
            "break_type": TEXT,
        },
    ),
}


def read_event(raw, now):
    """Check one event as it came.

    :param dict raw: with ``data``, or as a form has it, with the data's fields beside the others
    :param datetime now: naive UTC
    :return: :class:`Event`
    :raises Invalid: with everything that is wrong

    >>> now = datetime(2026, 11, 25, 12)
    >>> event = read_event({"id": 7, "type": "call.missed", "call_id": "c", "caller": "+4790612345",
    ...                     "service": ""}, now)
    >>> event.id, event.data, event.occurred_at == now
    ('7', {'call_id': 'c', 'caller': '+4790612345'}, True)
    """
    flat = "data" not in raw
    data = {name: raw[name] for name in raw if name not in ENVELOPE} if flat else raw["data"]
    values, faults = _read_fields(ENVELOPE, raw, "")
    moment = parse_time(values.get("time")) or now.replace(microsecond=0)
    if moment - now > MAX_AHEAD:
        faults.append(("time", "It is in the future: set the clock of the exchange.", INVALID))
    known = TYPES.get(values.get("type"))
    if not isinstance(data, dict):
        faults.append(("data", "It must be an object.", INVALID))
    elif known:
        data, more = _read_fields(known.fields, data, "" if flat else "data.")
        faults += more
    if faults:
        raise Invalid(faults)
    return Event(values["id"], values["type"], moment, data)


def read_fields(fields, raw):
    """Check the fields of a body that is no event.

    :return: dict of those that are there
    :raises Invalid: with everything that is wrong

    >>> read_fields(REQUEST, {"service": "support", "phone": 90612345, "position": "2"})
    {'service': 'support', 'phone': '90612345', 'position': 2}
    """
    values, faults = _read_fields(fields, raw, "")
    if faults:
        raise Invalid(faults)
    return values


def _read_fields(fields, raw, prefix):
    """Values by name, without those that are empty; and the faults as (field, message, code)."""
    values, faults = {}, []
    for name, rule in fields.items():
        value = raw.get(name)
        if value is None or value == "":
            if rule.required:
                faults.append((f"{prefix}{name}", "It is missing.", MISSING))
            continue
        try:
            values[name] = READERS[rule.kind](rule, value)
        except Invalid as invalid:
            faults += [
                (f"{prefix}{name}{inner}", text, invalid.code) for inner, text in invalid.errors
            ]
        except (ValueError, OverflowError) as error:
            faults.append((f"{prefix}{name}", str(error), INVALID))
    return values, faults


def _read_text(rule, value):
    """
    >>> _read_text(TEXT, 1732528800.10)
    Traceback (most recent call last):
    ...
    ValueError: It must be text: put it in quotation marks.
    """
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= 10**MAX_ID:
        value = str(value)
    if not isinstance(value, str):
        raise ValueError("It must be text: put it in quotation marks.")
    if _BROKEN.search(value):
        raise ValueError("It holds a character that is none.")
    if len(value) > rule.max_length:
        raise ValueError(f"It is longer than {rule.max_length} characters.")
    if not value.strip():
        raise ValueError("It is blank.")
    if rule.enum and value not in rule.enum:
        raise ValueError(f"It must be one of: {', '.join(rule.enum)}.")
    return value


def _read_integer(_rule, value):
    return _read_number(value, 0)


def _read_signed(_rule, value):
    return _read_number(value, -MAX_INTEGER)


def _read_number(value, least):
    """
    >>> _read_number("12", 0), _read_number(11.7, 0)
    (12, 11)
    """
    if isinstance(value, str) and _INTEGER.fullmatch(value.strip()):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("It must be a number.")
    if not least <= value <= MAX_INTEGER:
        raise ValueError(f"It must be between {least} and {MAX_INTEGER}.")
    return int(value)


def _read_moment(_rule, value):
    """Naive UTC as text, which JSON can hold."""
    moment = parse_time(value) if isinstance(value, str) else None
    if not moment:
        raise ValueError("It must be a time such as 2026-11-22T10:15:03Z.")
    return moment.isoformat()


def parse_time(text):
    """Naive UTC of a time of RFC 3339, without fractions of a second; None where it is none.

    >>> parse_time("2026-11-25T13:00:00.9+01:00")
    datetime.datetime(2026, 11, 25, 12, 0)
    >>> parse_time("noon"), parse_time("0001-01-01T00:00:00+23:00"), parse_time(None)
    (None, None, None)
    """
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo:
            moment = moment.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError, TypeError):
        return None
    return moment.replace(microsecond=0) if moment.year >= _EPOCH_YEAR else None


def format_time(moment):
    """RFC 3339 of naive UTC, None where there is none.

    >>> format_time(datetime(2026, 11, 25, 12, 0, 0, 7)), format_time(False)
    ('2026-11-25T12:00:00Z', None)
    """
    return f"{moment.replace(microsecond=0).isoformat()}Z" if moment else None


def _read_entries(rule, value):
    """
    >>> _read_fields({"calls": _need("entries", fields=ENTRY)}, {"calls": [{}]}, "")
    ({}, [('calls[0].call_id', 'It is missing.', 'missing_field')])
    """
    if not isinstance(value, list) or len(value) > MAX_ENTRIES:
        raise ValueError(f"It must be a list of at most {MAX_ENTRIES}.")
    entries, faults = [], []
    for place, entry in enumerate(value):
        if not isinstance(entry, dict):
            raise ValueError("It must be a list of objects.")
        values, more = _read_fields(rule.fields, entry, f"[{place}].")
        entries.append(values)
        faults += more
    if faults:
        raise Invalid(faults)
    return entries


READERS = {
    "text": _read_text,
    "integer": _read_integer,
    "signed": _read_signed,
    "time": _read_moment,
    "entries": _read_entries,
}
