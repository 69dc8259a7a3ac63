import contextlib
import hashlib
import json
from urllib.parse import parse_qsl

from odoo import fields, http
from odoo.exceptions import ConcurrencyError, LockError
from odoo.http import request

from ..engine import openapi
from ..engine.numbers import to_e164
from ..engine.problem import Problem
from ..engine.schema import (
    MAX_EVENT_SIZE,
    MAX_EVENTS,
    MAX_ID,
    REQUEST,
    TYPES,
    Invalid,
    format_time,
    read_event,
    read_fields,
)
from ..models.contact_center_callback import OPEN, CallbackRefused
from ..models.ir_http import PREFIX

FORM = "application/x-www-form-urlencoded"
#: A body is read as JSON, and where it is none as a form, whatever of these it claims to be.
CONTENT_TYPES = {"", "application/json", FORM}
MAX_NUMBER_OF_FIELDS = 1000
#: What no name in the database can hold.
NUL = "\0"
LIMIT, MAX_LIMIT = 100, 1000
STATE_FILTER = {state: (state,) for state in openapi.STATES} | {"open": OPEN}
REFUSALS = {
    "callback_closed": "The callback is closed.",
    "already_claimed": "The customer is being called already.",
}


def _route(path, method, max_size=MAX_EVENT_SIZE, auth="contact_center"):
    """An address that the exchange calls."""
    return http.route(
        f"{PREFIX}{path}",
        type="http",
        auth=auth,
        methods=[method],
        csrf=False,
        save_session=False,
        max_content_length=max_size,
    )


class ContactCenterController(http.Controller):
    """Where a telephone exchange tells what happens, and asks what to do.

    Nothing is sent while it waits for the answer. Whatever is wrong is raised; ``ir.http`` answers
    it as RFC 9457 has it.
    """

    # === EVENTS === #

    @_route("/events", "POST", max_size=MAX_EVENT_SIZE * MAX_EVENTS)
    def events(self, **_params):
        """Store what is told; it is worked off after the answer."""
        body = self._read_body()
        if isinstance(body, list):
            self._check_count(body)
            return request.make_json_response([self._try_store(raw) for raw in body])
        return request.make_json_response(self._store(body), status=202)

    def _check_count(self, events):
        if not 1 <= len(events) <= MAX_EVENTS:
            detail = f"There must be between 1 and {MAX_EVENTS} events."
            raise Problem(413 if events else 400, "too_large" if events else "invalid_body", detail)

    def _try_store(self, raw):
        """One of many: what is wrong with it is its own problem."""
        try:
            return {**self._store(raw), "http_status": 202}
        except Problem as problem:
            return {**_get_id(raw), **problem.to_dict(), "http_status": problem.code}

    def _store(self, raw):
        """Check and store one event; returns what is answered."""
        if not isinstance(raw, dict):
            raise Problem(400, "invalid_body", "An event must be an object.")
        content = _encode(raw)
        if len(content) > MAX_EVENT_SIZE:
            raise Problem(413, "too_large", f"An event has at most {MAX_EVENT_SIZE} bytes.")
        event = self._check(read_event, raw, fields.Datetime.now())
        if event.is_known and "service" in event.data:
            self._check_service(event)
        status = request.env["contact.center.event"]._store(
            request.contact_center_connector,
            event.id,
            event.type,
            event.occurred_at,
            event.data,
            hashlib.sha256(content).hexdigest(),
        )
        if status == "conflict":
            raise Problem(409, "id_conflict", "Another event had this id: give each its own.")
        return self._get_event_answer(event, status)

    def _get_event_answer(self, event, status):
        if status == "accepted" and not event.is_known:
            status = "ignored"
        names = ("call_id", "callback_id") if event.is_known else ()
        about = {name: event.data[name] for name in names if name in event.data}
        return {"id": event.id, "status": status, **about}

    def _check_service(self, event):
        """A service that must be there; where it only may be told, another one is no matter."""
        if TYPES[event.type].fields["service"].required:
            self._get_service(event.data["service"])

    # === QUESTIONS === #

    @_route("/callback-offer", "GET")
    def callback_offer(self, **_params):
        """Whether a callback may be offered; as text 1 or 0, for a dialplan."""
        asked = self._read_query(openapi.OFFER_QUESTION)
        service = self._get_service(asked["service"])
        country = request.contact_center_connector.country_id.code
        offer = service._get_offer(to_e164(asked.get("caller"), country), self._find_call(asked))
        if asked.get("format") == "text":
            return request.make_response(
                "1" if offer["offer"] else "0", [("Content-Type", "text/plain; charset=utf-8")]
            )
        return request.make_json_response({**offer, "closes_at": format_time(offer["closes_at"])})

    @_route("/services/<string:code>/ewt", "GET")
    def expected_wait(self, code, **_params):
        """How long somebody who joins now will wait."""
        service = self._get_service(code)
        estimate = service._estimate_wait()
        return request.make_json_response(
            {
                "service": service.code,
                "estimated_wait_seconds": estimate.seconds,
                "method": estimate.method,
                "waiting": service.waiting_count,
                "callbacks": service.callback_count,
            }
        )

    @_route("/health", "GET")
    def health(self, **_params):
        """Whether the token is right."""
        connector = request.contact_center_connector
        return request.make_json_response({"status": "ok", "connector": connector.code})

    @_route("/openapi.json", "GET", auth="public")
    def describe(self, **_params):
        """The description of all this."""
        base_url = request.env["ir.http"].get_base_url()
        return request.make_json_response(openapi.describe(f"{base_url}{PREFIX}"))

    # === CALLBACKS === #

    @_route("/callbacks", "GET")
    def list_callbacks(self, **_params):
        """Callbacks in the order of the queue."""
        asked = self._read_query(openapi.LIST_FILTER)
        domain = self._get_domain(asked)
        callbacks = request.env["contact.center.callback"]
        limit = max(1, min(asked.get("limit", LIMIT), MAX_LIMIT))
        found = callbacks.search(domain, limit=limit, offset=asked.get("offset", 0))
        return request.make_json_response(
            {
                "callbacks": [self._get_values(callback) for callback in found],
                "total": callbacks.search_count(domain),
            }
        )

    def _get_domain(self, asked):
        """Of the callbacks that the connector knows by some id."""
        connector = request.contact_center_connector
        domain = [
            ("company_id", "=", connector.company_id.id),
            ("state", "in", STATE_FILTER[asked.get("state", "open")]),
            "|",
            ("connector_id", "=", connector.id),
            ("external_id", "=", False),
        ]
        if "service" in asked:
            domain.append(("service_id", "=", self._get_service(asked["service"]).id))
        return domain

    @_route("/callbacks", "POST")
    def request_callback(self, **_params):
        """Ask for a callback; whoever waits for one already has that one."""
        asked = self._check(read_fields, REQUEST, self._read_object())
        service = self._get_service(asked["service"])
        callback, existing = self._request(service, asked)
        values = {
            "callback_id": callback._get_public_id(),
            "position": callback.position,
            "estimated_wait_seconds": service._estimate_wait().seconds,
            "existing": existing,
        }
        return request.make_json_response(values, status=200 if existing else 201)

    def _request(self, service, asked):
        connector = request.contact_center_connector
        number = to_e164(asked["phone"], connector.country_id.code)
        if not number:
            message = "It is no telephone number."
            raise Problem(422, "invalid_value", message, [("phone", message)])
        callbacks = request.env["contact.center.callback"]
        told = request.env["contact.center.event"].new(
            {"connector_id": connector.id, "occurred_at": request.env.cr.now()}
        )
        values = callbacks._prepare_requested(told, asked, service, number, self._find_call(asked))
        callback, existing = callbacks._request(values)
        if not callback:
            self._explain_conflict(connector, asked)
        return callback, existing

    def _explain_conflict(self, connector, asked):
        """Its id is another one's, or somebody asks for the same at this moment."""
        callbacks = request.env["contact.center.callback"]
        if callbacks._find_by_public_id(connector, asked.get("callback_id") or ""):
            raise Problem(409, "id_conflict", "Another callback has this id: give each its own.")
        raise ConcurrencyError

    @_route("/callbacks/<string:callback_id>", "GET")
    def show_callback(self, callback_id, **_params):
        """One callback."""
        return request.make_json_response(self._get_values(self._get_callback(callback_id)))

    @_route("/callbacks/<string:callback_id>/claim", "POST")
    def claim(self, callback_id, **_params):
        """The exchange begins to call: it dials only where this is answered 200 (R087)."""
        asked = self._check(read_fields, openapi.CLAIM, self._read_object())
        callback = self._get_callback(callback_id)
        agent = request.env["contact.center.agent"]._find_or_create(
            request.contact_center_connector, asked.get("agent")
        )
        with _tried_again():
            try:
                callback._claim(agent)
            except CallbackRefused as refused:
                raise Problem(409, refused.code, REFUSALS[refused.code]) from refused
        return request.make_json_response(self._get_values(callback))

    @_route("/callbacks/<string:callback_id>", "DELETE")
    def cancel(self, callback_id, **_params):
        """Take a callback out of the queue; one that is cancelled already is no matter."""
        callback = self._get_callback(callback_id)
        with _tried_again():
            if not callback._cancel("exchange") and callback.state != "cancelled":
                raise Problem(409, "callback_closed", REFUSALS["callback_closed"])
        return request.make_response("", status=204)

    def _get_values(self, callback):
        """What is answered of a callback."""
        return {
            **callback._get_identity(),
            "state": callback.state,
            "close_reason": callback.close_reason or None,
            "attempts": callback.attempts,
            "call_id": callback.call_id.external_id or None,
            "agent": callback.agent_id.external_id or None,
            "queued_at": format_time(callback.queued_at),
            "requested_at": format_time(callback.requested_at),
            "next_attempt_at": format_time(callback.next_attempt_at),
            "expires_at": format_time(callback.expires_at),
        }

    # === FINDING === #

    def _get_service(self, code):
        service = None if NUL in code else request.contact_center_connector._find_service(code)
        if not service:
            message = f"There is no service with the code {code!r:.80}."
            raise Problem(404, "unknown_service", message, [("service", message)])
        return service

    def _get_callback(self, public_id):
        callbacks = request.env["contact.center.callback"]
        if NUL not in public_id:
            callbacks = callbacks._find_by_public_id(request.contact_center_connector, public_id)
        if not callbacks:
            raise Problem(404, "unknown_callback", "There is no callback of this id.")
        return callbacks

    def _find_call(self, asked):
        calls = request.env["contact.center.call"]
        return calls._find(request.contact_center_connector, asked.get("call_id") or "")

    # === READING === #

    def _check(self, read, *args):
        """Read with a function of the schema; what is wrong is a problem."""
        try:
            return read(*args)
        except Invalid as invalid:
            detail = "Some fields are missing or not right; see errors."
            raise Problem(422, invalid.code, detail, invalid.errors) from invalid

    def _read_query(self, rules):
        return self._check(read_fields, rules, request.httprequest.args)

    def _read_object(self):
        body = self._read_body()
        if not isinstance(body, dict):
            raise Problem(400, "invalid_body", "The body must be an object.")
        return body

    def _read_body(self):
        """The body as JSON has it, or a form: a dialplan may call it by the other's name."""
        call = request.httprequest
        if call.mimetype not in CONTENT_TYPES and not call.mimetype.endswith("+json"):
            detail = "The body must be JSON or a form (application/x-www-form-urlencoded)."
            raise Problem(415, "unsupported_media_type", detail)
        body = call.get_data(cache=True, parse_form_data=False)
        try:
            found = json.loads(body or b"{}")
        except (ValueError, RecursionError):
            found = _parse_form(body)
        if not isinstance(found, dict | list):
            raise Problem(400, "invalid_body", "The body is neither JSON nor a form.")
        return found


def _get_id(raw):
    """The id of an event that is refused, where one can be told."""
    event_id = str(raw.get("id")) if isinstance(raw, dict) and raw.get("id") else ""
    return {"id": event_id} if 0 < len(event_id) <= MAX_ID and event_id.isprintable() else {}


def _encode(raw):
    """The same bytes for the same event, in whatever order its fields come."""
    try:
        return json.dumps(raw, sort_keys=True).encode()
    except RecursionError as error:
        raise Problem(400, "invalid_body", "The event is nested too deep.") from error


@contextlib.contextmanager
def _tried_again():
    """Whoever finds a callback locked tries again, as after any conflict."""
    try:
        yield
    except LockError as error:
        raise ConcurrencyError from error


def _parse_form(body):
    """Fields of a form by name, the first of each; None where it is none."""
    try:
        pairs = parse_qsl(
            body.decode(),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=MAX_NUMBER_OF_FIELDS,
        )
    except ValueError:
        return None
    return dict(reversed(pairs))
