"""The interface of the exchange described as OpenAPI 3.1 has it, made of the table of events."""

from functools import partial

from .problem import CONTENT_TYPE
from .schema import (
    ENVELOPE,
    MAX_ENTRIES,
    MAX_EVENTS,
    MAX_INTEGER,
    REQUEST,
    TYPES,
    Field,
)

VERSION = "1.0.0"
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
NAMES = {"type": "string"}
#: Texts that are numbers, all of them in range; and texts that are not blank.
DIGITS, SOLID = r"[0-9]{1,9}(\.[0-9]{1,9})?$", r"\S"
#: As good as a field that is not there: in JSON, and in a form or a query.
NOTHING, EMPTY = {"enum": ["", None]}, {"const": ""}
WAIT = {"type": ["integer", "null"], "description": "Seconds; null where it is not known."}
MOMENT = {"type": ["string", "null"], "format": "date-time"}
STATES = (
    *("waiting", "notified", "in_progress"),
    *("completed", "cancelled", "failed", "expired"),
)
CLAIM = {"agent": Field()}
OFFER_QUESTION = {
    "service": Field(required=True),
    "caller": Field(),
    "call_id": Field(),
    "format": Field(enum=("json", "text")),
}
LIST_FILTER = {
    "service": Field(),
    "state": Field(enum=("open", *STATES)),
    "limit": Field("integer"),
    "offset": Field("integer"),
}
REASONS = [
    *("closed", "closing_soon", "wait_too_short", "wait_unknown"),
    *("disabled", "already_requested", "bad_number"),
]
STATUSES = ["accepted", "duplicate", "ignored"]
DESCRIPTION = (
    "What a telephone exchange tells Odoo, and asks it. A field that is empty or null is as one "
    "that is not there. Of a number the fraction is cut off. A time is not before 1970, and that "
    "of an event at most five minutes ahead. No text holds the character NUL."
)
#: Problems that any call may meet.
COMMON = ("400", "401", "403", "413", "415", "500", "503")


def describe(base_url):
    """The whole document.

    :param str base_url: of the addresses, with the prefix

    >>> document = describe("https://odoo.example.com/cc/api/v1")
    >>> document["openapi"], sorted(document["paths"])[:3]
    ('3.1.0', ['/callback-offer', '/callbacks', '/callbacks/{callback_id}'])
    """
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Odoo contact center",
            "version": VERSION,
            "description": DESCRIPTION,
        },
        "servers": [{"url": base_url}],
        "security": [{"token": []}, {"password": []}],
        "paths": _get_paths(),
        "webhooks": _get_webhooks(),
        "components": {
            "schemas": _get_schemas(),
            "responses": {"Problem": _get_problem_response()},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "password": {
                    "type": "http",
                    "scheme": "basic",
                    "description": "The connector's code, and its token as the password.",
                },
            },
        },
    }


# Addresses --------------------------------------------------------------------------------


def _get_paths():
    callback_id = _parameter("callback_id", "path", NAMES)
    return {
        "/events": {"post": _get_events_operation()},
        "/callback-offer": {"get": _get_offer_operation()},
        "/services/{code}/ewt": {
            "get": _operation(
                "How long somebody who joins now will wait.",
                {"200": _answer(_ref("Wait"))},
                parameters=[_parameter("code", "path", NAMES)],
                problems=("404",),
            )
        },
        "/callbacks": {"get": _get_list_operation(), "post": _get_request_operation()},
        "/callbacks/{callback_id}": {
            "get": _operation(
                "One callback.",
                {"200": _answer(_ref("Callback"))},
                parameters=[callback_id],
                problems=("404",),
            ),
            "delete": _operation(
                "Take a callback out of the queue.",
                {"204": {"description": "It is in the queue no more."}},
                parameters=[callback_id],
                problems=("404", "409"),
            ),
        },
        "/callbacks/{callback_id}/claim": {
            "post": _operation(
                "Dial only after this is answered 200: nobody else does, and it was not cancelled.",
                {"200": _answer(_ref("Callback"))},
                parameters=[callback_id],
                body=_body(_object(CLAIM), _object(CLAIM, is_form=True), required=False),
                problems=("404", "409", "422"),
            )
        },
        "/health": {
            "get": _operation("Whether the token is right.", {"200": _answer(_ref("Health"))})
        },
        "/openapi.json": {
            "get": _operation("This document.", {"200": _answer({"type": "object"})}, security=[])
        },
    }


def _get_events_operation():
    one = _ref("Event")
    other = {"description": "What is none is refused by itself, in its place of the answer."}
    many = {"type": "array", "minItems": 1, "maxItems": MAX_EVENTS}
    many["items"] = {"anyOf": [one, other]}
    item = {"allOf": [{"anyOf": [_ref("EventAnswer"), _ref("Problem")]}]}
    item["properties"] = {"http_status": {"type": "integer"}}
    item["required"] = ["http_status"]
    return _operation(
        "Tell what has happened: one event, or many. The same id with the same content takes "
        "effect once.",
        {
            "200": _answer({"type": "array", "items": item}),
            "202": _answer(_ref("EventAnswer")),
        },
        body=_body(
            {"anyOf": [one, _ref("OtherEvent"), many]},
            {"anyOf": [_ref("EventForm"), _ref("OtherEventForm")]},
        ),
        problems=("404", "409", "422"),
    )


def _get_offer_operation():
    answer = _answer(_ref("Offer"))
    answer["content"]["text/plain"] = {"schema": {"enum": ["1", "0"]}}
    return _operation(
        "Whether a callback may be offered to a caller.",
        {"200": {**answer, "description": "With format=text 1 or 0."}},
        parameters=_get_query(OFFER_QUESTION),
        problems=("404", "422"),
    )


def _get_list_operation():
    found = _properties(
        callbacks={"type": "array", "items": _ref("Callback")}, total={"type": "integer"}
    )
    return _operation(
        "Callbacks in the order of the queue.",
        {"200": _answer(found)},
        parameters=_get_query(LIST_FILTER),
        problems=("404", "422"),
    )


def _get_request_operation():
    return _operation(
        "Ask for a callback; whoever waits for one already has that one.",
        {"201": _answer(_ref("Requested")), "200": _answer(_ref("Requested"))},
        body=_body(_object(REQUEST), _object(REQUEST, is_form=True)),
        problems=("404", "409", "422"),
    )


def _operation(summary, responses, problems=(), **more):
    """An operation; ``body`` and ``parameters`` where it has them."""
    if "body" in more:
        more["requestBody"] = more.pop("body")
    refused = {"$ref": "#/components/responses/Problem"}
    problems = dict.fromkeys((*COMMON, *problems), refused)
    return {"summary": summary, **more, "responses": {**responses, **problems}}


def _parameter(name, place, schema, required=False):
    return {"name": name, "in": place, "required": required or place == "path", "schema": schema}


def _get_query(fields):
    return [
        _parameter(name, "query", _get_told_schema(rule, is_form=True), rule.required)
        for name, rule in fields.items()
    ]


def _body(schema, form, required=True):
    return {"required": required, "content": {JSON: {"schema": schema}, FORM: {"schema": form}}}


def _answer(schema):
    return {"description": "Done.", "content": {JSON: {"schema": schema}}}


def _get_problem_response():
    return {
        "description": "Refused.",
        "content": {CONTENT_TYPE: {"schema": _ref("Problem")}},
    }


# What Odoo tells --------------------------------------------------------------------------

IDENTITY = {
    "callback_id": Field(required=True),
    "service": Field(),
    "phone": Field(),
    "name": Field(),
    "position": Field("integer"),
}
WEBHOOKS = {
    "callback.created": ("A callback was made in Odoo.", IDENTITY),
    "callback.cancelled": ("A callback is not to be made.", {**IDENTITY, "reason": Field()}),
    "auto_agent.requested": (
        "Call the customer and let the voice say the text; tell what he chose.",
        {
            **IDENTITY,
            "text": Field(required=True),
            "keep_key": Field(),
            "cancel_key": Field(),
        },
    ),
}


def _get_webhooks():
    return {name: {"post": _get_webhook(name, *WEBHOOKS[name])} for name in WEBHOOKS}


def _get_webhook(name, meaning, fields):
    envelope = _describe_fields(ENVELOPE, _get_field_schema)
    schema = _get_event_schema(
        name, meaning, envelope, data=_describe_fields(fields, _get_field_schema)
    )
    headers = ("webhook-id", "webhook-timestamp", "webhook-signature")
    return {
        "summary": meaning,
        "parameters": [_parameter(header, "header", NAMES) for header in headers],
        "requestBody": {"required": True, "content": {JSON: {"schema": schema}}},
        "responses": {
            "2XX": {"description": "Heard."},
            "410": {"description": "Never tell it again."},
        },
    }


# Schemas ----------------------------------------------------------------------------------


def _get_schemas():
    names = {name: _get_schema_name(name) for name in TYPES}
    forms = [name for name, kind in TYPES.items() if _fits_form(kind)]
    return {
        **{names[name]: _get_told_event(name) for name in TYPES},
        **{f"{names[name]}Form": _get_told_form(name) for name in forms},
        "OtherEvent": _get_other_event(),
        "OtherEventForm": _get_other_event(is_form=True),
        "Event": _get_choice(names),
        "EventForm": _get_choice({name: f"{names[name]}Form" for name in forms}),
        **_get_answer_schemas(),
        "Problem": _get_problem_schema(),
    }


def _get_choice(names):
    """Any of the events; the type tells which."""
    mapping = {name: f"#/components/schemas/{schema}" for name, schema in names.items()}
    return {
        "oneOf": [_ref(schema) for schema in names.values()],
        "discriminator": {"propertyName": "type", "mapping": mapping},
    }


def _get_answer_schemas():
    return {
        "Health": _properties(status={"const": "ok"}, connector=NAMES),
        "EventAnswer": _properties(
            ("call_id", "callback_id"),
            id=NAMES,
            status={"enum": STATUSES},
            call_id=NAMES,
            callback_id=NAMES,
        ),
        "Offer": _properties(
            offer={"type": "boolean"},
            reasons={"type": "array", "items": {"type": "string", "examples": REASONS}},
            estimated_wait_seconds=WAIT,
            closes_at=MOMENT,
            minutes_to_closing={"type": ["integer", "null"]},
        ),
        "Wait": _properties(
            service=NAMES,
            estimated_wait_seconds=WAIT,
            method={"enum": ["exchange", "formula", "history", "unstaffed", "unknown"]},
            waiting={"type": "integer"},
            callbacks={"type": "integer"},
        ),
        "Requested": _properties(
            callback_id=NAMES,
            position={"type": "integer"},
            estimated_wait_seconds=WAIT,
            existing={"type": "boolean"},
        ),
        "Callback": _properties(
            callback_id=NAMES,
            service=NAMES,
            phone=NAMES,
            name=NAMES,
            position={"type": "integer"},
            state={"enum": list(STATES)},
            close_reason={"type": ["string", "null"]},
            attempts={"type": "integer"},
            call_id={"type": ["string", "null"]},
            agent={"type": ["string", "null"]},
            queued_at=MOMENT,
            requested_at=MOMENT,
            next_attempt_at=MOMENT,
            expires_at=MOMENT,
        ),
    }


def _get_problem_schema():
    error = _properties(field=NAMES, message=NAMES)
    return _properties(
        type=NAMES,
        title=NAMES,
        status={"type": "integer"},
        detail=NAMES,
        code=NAMES,
        errors={"type": "array", "items": error},
    )


# What the exchange may write, and what Odoo does --------------------------------------------


def _get_told_event(name):
    kind = TYPES[name]
    return _get_event_schema(name, kind.meaning, _object(ENVELOPE), data=_object(kind.fields))


def _get_told_form(name):
    """An event as a form: the data's fields stand beside the others."""
    kind = TYPES[name]
    return _get_event_schema(name, kind.meaning, _object({**ENVELOPE, **kind.fields}, is_form=True))


def _fits_form(kind):
    return all(rule.kind != "entries" for rule in kind.fields.values())


def _get_other_event(is_form=False):
    """Of a type that is not known: one of a later version is no mistake."""
    schema = _object(ENVELOPE, is_form)
    schema["properties"]["type"]["not"] = {"enum": [*TYPES]}
    if not is_form:
        schema["properties"]["data"] = {"type": "object"}
    return {"title": "any other type", "description": "It is taken and ignored.", **schema}


def _get_event_schema(name, meaning, envelope, **data):
    return {
        "title": name,
        "description": meaning,
        "type": "object",
        "properties": {**envelope["properties"], "type": {"const": name}, **data},
        "required": [*envelope["required"], *data],
    }


def _get_schema_name(event_type):
    """
    >>> _get_schema_name("auto_agent.result")
    'AutoAgentResult'
    """
    return event_type.replace("_", ".").title().replace(".", "")


def _object(fields, is_form=False):
    """An object that the exchange writes."""
    return _describe_fields(fields, partial(_get_told_schema, is_form=is_form))


def _describe_fields(fields, describe_field):
    """An object with these fields, each described by a function."""
    return {
        "type": "object",
        "properties": {name: describe_field(rule) for name, rule in fields.items()},
        "required": [name for name, rule in fields.items() if rule.required],
    }


def _get_told_schema(rule, is_form=False):
    """What the exchange may write: what is not needed may be there and say nothing.

    >>> _get_told_schema(Field(enum=("keep", "cancel")))
    {'anyOf': [{'enum': ['keep', 'cancel']}, {'enum': ['', None]}]}
    """
    schema = {**_get_field_schema(rule), **_get_limits(rule, is_form)}
    if rule.required:
        return schema
    return {"anyOf": [schema, EMPTY if is_form else NOTHING]}


def _get_limits(rule, is_form):
    if rule.enum or rule.kind == "time":
        return {}
    if rule.kind == "entries":
        return {"items": _object(rule.fields), "maxItems": MAX_ENTRIES}
    return _get_text_limits(rule, is_form) if rule.kind == "text" else _get_range(rule, is_form)


def _get_text_limits(rule, is_form):
    """A form is all text; in JSON a number will do.

    >>> _get_text_limits(Field(), is_form=False)
    {'type': ['string', 'integer'], 'pattern': '\\\\S', 'maxLength': 255}
    """
    kind = "string" if is_form else ["string", "integer"]
    return {"type": kind, "pattern": SOLID, "maxLength": rule.max_length}


def _get_range(rule, is_form):
    """A number may have a fraction; in JSON it may be text.

    >>> _get_range(Field("integer"), is_form=True)["pattern"]
    '^[0-9]{1,9}(\\\\.[0-9]{1,9})?$'
    """
    sign, least = ("^-?", -MAX_INTEGER) if rule.kind == "signed" else ("^", 0)
    return {
        "type": ["integer" if is_form else "number", "string"],
        "minimum": least,
        "maximum": MAX_INTEGER,
        "pattern": sign + DIGITS,
    }


def _get_field_schema(rule):
    """What Odoo writes.

    >>> _get_field_schema(Field()), _get_field_schema(Field("integer"))
    ({'type': 'string'}, {'type': 'integer'})
    """
    if rule.enum:
        return {"enum": list(rule.enum)}
    if rule.kind == "entries":
        return {"type": "array"}
    if rule.kind == "time":
        return {"type": "string", "format": "date-time"}
    return {"type": "string" if rule.kind == "text" else "integer"}


def _properties(optional=(), **properties):
    """An object of Odoo's, of which all is there but what is optional."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required}


def _ref(name):
    return {"$ref": f"#/components/schemas/{name}"}
