"""The interface of the exchange described as OpenAPI 3.1 has it, made of the table of events."""

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
WAIT = {"type": ["integer", "null"], "description": "Seconds; null where it is not known."}
MOMENT = {"type": ["string", "null"], "format": "date-time"}
CLAIM = {"agent": Field()}
REASONS = [
    *("closed", "closing_soon", "wait_too_short", "wait_unknown"),
    *("disabled", "already_requested", "bad_number"),
]
STATUSES = ["accepted", "duplicate", "ignored"]
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
            "description": "What a telephone exchange tells Odoo, and asks it.",
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
                body=_body(_object(CLAIM), required=False),
                problems=("404", "409", "422"),
            )
        },
        "/health": {
            "get": _operation("Whether the token is right.", {"200": _answer(_object({}))})
        },
        "/openapi.json": {
            "get": _operation("This document.", {"200": _answer(_object({}))}, security=[])
        },
    }


def _get_events_operation():
    one = _ref("Event")
    many = {"type": "array", "items": one, "minItems": 1, "maxItems": MAX_EVENTS}
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
        body=_body({"anyOf": [one, many]}),
        problems=("404", "409", "422"),
    )


def _get_offer_operation():
    answer = _answer(_ref("Offer"))
    answer["content"]["text/plain"] = {"schema": {"enum": ["1", "0"]}}
    return _operation(
        "Whether a callback may be offered to a caller.",
        {"200": {**answer, "description": "With format=text 1 or 0."}},
        parameters=[
            _parameter("service", "query", NAMES, required=True),
            _parameter("caller", "query", NAMES),
            _parameter("call_id", "query", NAMES),
            _parameter("format", "query", {"enum": ["json", "text"]}),
        ],
        problems=("404", "422"),
    )


def _get_list_operation():
    number = {"type": "integer", "minimum": 0, "maximum": MAX_INTEGER}
    return _operation(
        "Callbacks in the order of the queue.",
        {
            "200": _answer(
                {
                    "type": "object",
                    "properties": {
                        "callbacks": {"type": "array", "items": _ref("Callback")},
                        "total": {"type": "integer"},
                    },
                }
            )
        },
        parameters=[
            _parameter("service", "query", NAMES),
            _parameter("state", "query", {"enum": ["open", *STATES]}),
            _parameter("limit", "query", number),
            _parameter("offset", "query", number),
        ],
        problems=("404", "422"),
    )


def _get_request_operation():
    return _operation(
        "Ask for a callback; whoever waits for one already has that one.",
        {"201": _answer(_ref("Requested")), "200": _answer(_ref("Requested"))},
        body=_body(_object(REQUEST)),
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


def _body(schema, required=True):
    return {"required": required, "content": {JSON: {"schema": schema}, FORM: {}}}


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
    schema = _get_event_schema(name, meaning, fields)
    headers = ("webhook-id", "webhook-timestamp", "webhook-signature")
    return {
        "summary": meaning,
        "parameters": [_parameter(header, "header", NAMES) for header in headers],
        "requestBody": _body(schema),
        "responses": {
            "2XX": {"description": "Heard."},
            "410": {"description": "Never tell it again."},
        },
    }


# Schemas ----------------------------------------------------------------------------------

STATES = (
    *("waiting", "notified", "in_progress"),
    *("completed", "cancelled", "failed", "expired"),
)


def _get_schemas():
    names = {name: _get_schema_name(name) for name in TYPES}
    events = {
        names[name]: _get_event_schema(name, kind.meaning, kind.fields)
        for name, kind in TYPES.items()
    }
    mapping = {name: f"#/components/schemas/{names[name]}" for name in TYPES}
    return {
        **events,
        "Event": {
            "oneOf": [_ref(name) for name in events],
            "discriminator": {"propertyName": "type", "mapping": mapping},
        },
        "EventAnswer": _properties(
            id=NAMES, status={"enum": STATUSES}, call_id=NAMES, callback_id=NAMES
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
        "Problem": _get_problem_schema(),
    }


def _get_problem_schema():
    error = _properties(field=NAMES, message=NAMES)
    return {
        **_properties(
            type=NAMES,
            title=NAMES,
            status={"type": "integer"},
            detail=NAMES,
            code=NAMES,
            errors={"type": "array", "items": error},
        ),
        "required": ["type", "title", "status", "detail", "code"],
    }


def _get_event_schema(name, meaning, fields):
    envelope = _object({**ENVELOPE})
    envelope["properties"] |= {"type": {"const": name}, "data": _object(fields)}
    envelope["required"] = [*envelope["required"], "data"]
    return {"title": name, "description": meaning, **envelope}


def _get_schema_name(event_type):
    """
    >>> _get_schema_name("auto_agent.result")
    'AutoAgentResult'
    """
    return event_type.replace("_", ".").title().replace(".", "")


def _object(fields):
    return {
        "type": "object",
        "properties": {name: _get_field_schema(rule) for name, rule in fields.items()},
        "required": [name for name, rule in fields.items() if rule.required],
    }


def _get_field_schema(rule):
    """
    >>> _get_field_schema(Field(enum=("keep", "cancel")))
    {'enum': ['keep', 'cancel']}
    """
    if rule.enum:
        return {"enum": list(rule.enum)}
    if rule.kind == "entries":
        return {"type": "array", "items": _object(rule.fields), "maxItems": MAX_ENTRIES}
    if rule.kind == "time":
        return {"type": "string", "format": "date-time"}
    if rule.kind == "text":
        least = {"minLength": 1} if rule.required else {}
        return {"type": "string", **least, "maxLength": rule.max_length}
    least = 0 if rule.kind == "integer" else -MAX_INTEGER
    return {"type": "integer", "minimum": least, "maximum": MAX_INTEGER}


def _properties(**properties):
    return {"type": "object", "properties": properties}


def _ref(name):
    return {"$ref": f"#/components/schemas/{name}"}
