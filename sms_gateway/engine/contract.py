"""What an adapter and the gateway say to each other.

An adapter (``sms.gateway.adapter.<code>``) never does I/O: it turns texts into
:class:`SendRequest`, answers into :class:`SendResult` and webhook calls into
:class:`InboundText` and :class:`DeliveryReport`. All of them are immutable.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import parse_qsl

#: Parts of one text; the header that numbers them has one byte (3GPP TS 23.040 §9.2.3.24.1).
MAX_PARTS = 255


class WebhookRefused(Exception):
    """The call is not proven to come from the provider: nothing of it may take effect.

    :param str reason: a short, stable word for the refusal counter, e.g. ``signature``
    """

    def __init__(self, reason):
        super().__init__(reason)
        self.reason = reason


class WebhookMalformed(Exception):
    """The call is genuine but cannot be understood; its event is parked, never dropped."""


@dataclass(frozen=True, slots=True)
class SendRequest:
    """One HTTP request that carries one or several texts.

    ``uuids`` names the texts in it. ``auth`` is a (user, password) pair.
    ``idempotent`` says that the provider recognises a repeated request, so that one
    whose answer was lost may be repeated instead of becoming *unknown*. What may hold a
    credential does not show in its ``repr``.
    """

    uuids: tuple[str, ...]
    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    params: Mapping[str, str] | None = field(default=None, repr=False)
    data: Mapping[str, str] | bytes | None = field(default=None, repr=False)
    json: object = field(default=None, repr=False)
    auth: tuple[str, str] | None = field(default=None, repr=False)
    idempotent: bool = False


@dataclass(frozen=True, slots=True)
class Response:
    """The provider's answer to a :class:`SendRequest`; header names are case-insensitive."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self):
        """The body as text; bytes that are not UTF-8 are replaced, never an error."""
        return self.body.decode("utf-8", "replace")

    def json(self):
        """The body as JSON, or None where it is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


#: What became of a text in the provider's hands at the moment of sending.
#:
#: * ``sent``: accepted by the provider;
#: * ``failed``: refused for good, repeating it cannot help;
#: * ``retry``: certainly not accepted now (throttled, down), may be repeated;
#: * ``unknown``: perhaps accepted, perhaps not; never repeated by itself.
OUTCOMES = ("sent", "failed", "retry", "unknown")


@dataclass(frozen=True, slots=True)
class SendResult:
    """The fate of one text, read from the answer.

    ``failure_type`` is one of the failure types of ``sms.sms``, ``code`` and ``reason`` are the
    provider's own code and words. ``retry_after`` is in seconds and pauses the whole gateway.
    ``cost`` is in the currency named by its ISO code ``currency``. ``unreached`` says that no
    connection was made; it is the transport's to say, not the adapter's.
    """

    uuid: str
    outcome: str
    provider_ref: str | None = None
    failure_type: str | None = None
    code: str | None = None
    reason: str | None = None
    retry_after: float | None = None
    segments: int | None = None
    cost: float | None = None
    currency: str | None = None
    unreached: bool = False


@dataclass(frozen=True, slots=True)
class TextPart:
    """Which part of a long text this is, where the provider does not join them itself.

    ``reference`` is equal in all parts of one text from one number. ``number`` counts from 1 to
    ``total``.

    :raise WebhookMalformed: where it is no part of anything
    """

    reference: str
    number: int
    total: int

    def __post_init__(self):
        if not all(isinstance(value, int) for value in (self.number, self.total)):
            raise WebhookMalformed("a part of a text without its number")
        if not 1 <= self.number <= self.total <= MAX_PARTS:
            raise WebhookMalformed(f"part {self.number} of {self.total}")
        _check_names(self.reference)


@dataclass(frozen=True, slots=True)
class InboundText:
    """A text that a customer sent to one of our addresses.

    ``number`` is the customer's, E.164. ``address`` is ours, as the provider writes it.
    ``provider_ref`` is the provider's id, the same in every repetition of the call; two texts
    of one gateway with one reference are one text. ``sent_at`` is naive UTC, if told. A ``part``
    of a long text waits for the others; each has a reference of its own.

    :raise WebhookMalformed: without a number or a reference, for then it would be lost; with one
        that cannot be stored

    >>> InboundText({"number": "+4791234567"}, "26456", "Yes", "ref")
    Traceback (most recent call last):
    odoo.addons.sms_gateway.engine.contract.WebhookMalformed: dict instead of words
    """

    number: str
    address: str
    body: str
    provider_ref: str
    sent_at: datetime | None = None
    part: TextPart | None = None

    def __post_init__(self):
        if not (self.number and self.provider_ref):
            raise WebhookMalformed("a text without the customer's number or the provider's id")
        _check_names(self.number, self.address, self.provider_ref)
        _check_texts(self.body)


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What the provider tells of a text of ours, named by our ``uuid`` or by ``provider_ref``.

    ``state`` is ``sent`` (on its way), ``delivered`` or ``failed``.

    :raise WebhookMalformed: without a reference, or with one that cannot be stored

    >>> DeliveryReport("delivered", uuid="\\x00")
    Traceback (most recent call last):
    odoo.addons.sms_gateway.engine.contract.WebhookMalformed: not storable: '\\x00'
    """

    state: str
    uuid: str | None = None
    provider_ref: str | None = None
    failure_type: str | None = None
    code: str | None = None
    reason: str | None = None
    cost: float | None = None
    currency: str | None = None

    def __post_init__(self):
        if not (self.uuid or self.provider_ref):
            raise WebhookMalformed("a delivery report without a reference")
        _check_names(*filter(None, (self.uuid, self.provider_ref)))
        _check_texts(*filter(None, (self.code, self.reason)))


@dataclass(frozen=True, slots=True)
class Webhook:
    """One call of the provider, as it reached us.

    ``kind`` is ``inbound`` or ``status``. ``url`` is the address as the provider called it
    (public scheme and host, with the query), for signatures. ``query`` and ``form`` keep order
    and repetitions. ``headers`` has lower-case names. ``body`` is the raw body.
    """

    kind: str
    method: str
    url: str
    query: Sequence[tuple[str, str]] = ()
    form: Sequence[tuple[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    remote_addr: str = ""

    @property
    def params(self):
        """Query and form in one dict, the first of a repeated name wins.

        >>> Webhook("inbound", "GET", "http://x", query=[("a", "1"), ("a", "2")]).params
        {'a': '1'}
        """
        params = {}
        for name, value in (*self.query, *self.form):
            params.setdefault(name, value)
        return params

    def json(self):
        """The body as JSON.

        :raise WebhookMalformed: where it is not JSON, or nested without end

        >>> Webhook("inbound", "POST", "http://x", body=b"[" * 100_000).json()
        Traceback (most recent call last):
        odoo.addons.sms_gateway.engine.contract.WebhookMalformed: the body is not JSON: too deep
        """
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise WebhookMalformed(f"the body is not JSON: {error}") from error
        except RecursionError as error:
            raise WebhookMalformed("the body is not JSON: too deep") from error

    def to_json(self):
        """The call as one JSON text for the event log; credentials are left out.

        >>> call = Webhook("inbound", "POST", "http://x/?a=1", query=(("a", "1"),), body=b"\\xff{}")
        >>> Webhook.from_json(call.to_json()) == call
        True
        """
        return json.dumps(
            {
                "kind": self.kind,
                "method": self.method,
                "url": self.url,
                "query": list(self.query),
                "form": list(self.form),
                "headers": {k: v for k, v in self.headers.items() if k not in SECRET_HEADERS},
                "body": self.body.decode("utf-8", "surrogateescape"),
                "remote_addr": self.remote_addr,
            }
        )

    @classmethod
    def from_json(cls, payload):
        """The inverse of :meth:`to_json`."""
        values = json.loads(payload)
        values["body"] = values["body"].encode("utf-8", "surrogateescape")
        for name in ("query", "form"):
            values[name] = tuple(tuple(pair) for pair in values[name])
        return cls(**values)


#: Never stored with an event.
SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization"})


def parse_pairs(text):
    """Name and value pairs of a query string or form body, blank values kept.

    >>> parse_pairs("a=1&b=&a=%C3%A5")
    [('a', '1'), ('b', ''), ('a', 'å')]
    """
    return parse_qsl(text, keep_blank_values=True, errors="replace")


def _check_texts(*values):
    """Refuse what is no text; in JSON, anything may stand anywhere."""
    for value in values:
        if not isinstance(value, str):
            raise WebhookMalformed(f"{type(value).__name__} instead of words")


def _check_names(*values):
    """Refuse what PostgreSQL cannot store, and so not search for: it is no number or reference."""
    _check_texts(*values)
    for value in values:
        if "\0" in value or value != value.encode("utf-8", "replace").decode():
            raise WebhookMalformed(f"not storable: {value!r}")
