import base64
import hashlib
import hmac
import json
import time
from unittest.mock import patch
from urllib.parse import urlencode

from psycopg2.errors import SerializationFailure

from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from ..engine.schema import MAX_EVENT_SIZE, MAX_EVENTS
from .common import CALLER, ContactCenterCase

API = "/cc/api/v1"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}


@tagged("post_install", "-at_install")
class ApiCase(ContactCenterCase, HttpCase):
    """An exchange that calls over real HTTP."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.token = cls.connector._renew_token()

    def call(self, path, body=None, method=None, headers=None, **options):
        """Call an address with the token; what is no bytes goes as JSON."""
        self.env.flush_all()
        raw = body is None or isinstance(body, bytes | str) or hasattr(body, "__next__")
        return self.url_open(
            f"{API}{path}",
            data=body if raw else json.dumps(body),
            method=method,
            headers={"Authorization": f"Bearer {self.token}", **JSON, **(headers or {})},
            timeout=30,
            allow_redirects=False,
            **options,
        )

    def event(self, event_id="e1", event_type="call.missed", **data):
        data = {"call_id": "c1", "caller": CALLER, **data}
        return {"id": event_id, "type": event_type, "time": "2026-11-25T12:00:00Z", "data": data}

    def events(self):
        self.env.invalidate_all()
        return self.env["contact.center.event"].search([("connector_id", "=", self.connector.id)])

    def assert_problem(self, answer, status, code, *names):
        """It is a problem of RFC 9457, with these fields in its errors."""
        self.assertEqual(answer.status_code, status, answer.text)
        self.assertEqual(answer.headers["Content-Type"], "application/problem+json")
        problem = answer.json()
        self.assertEqual((problem["status"], problem["code"]), (status, code), problem)
        self.assertTrue(problem["title"] and problem["detail"])
        self.assertEqual([error["field"] for error in problem["errors"]], [*names])
        self.assertNotIn("Set-Cookie", answer.headers)


@tagged("post_install", "-at_install")
class TestAccess(ApiCase):
    """Who is let in."""

    def basic(self, code, token):
        return {"Authorization": f"Basic {base64.b64encode(f'{code}:{token}'.encode()).decode()}"}

    def test_the_token_opens_as_bearer_or_as_password(self):
        for headers in ({}, self.basic("heat", self.token)):
            answer = self.call("/health", headers=headers)
            self.assertEqual((answer.status_code, answer.json()["connector"]), (200, "heat"))

    def test_without_the_token_nobody_is_let_in(self):
        """And is told how to come in."""
        for authorization in (
            "",
            "Bearer",
            "Bearer ",
            "Bearer x",
            f"Bearer {self.token}x",
            f"Token {self.token}",
            "Basic !",
            self.basic("other", self.token)["Authorization"],
            self.basic("heat", "")["Authorization"],
            self.basic("", self.token)["Authorization"],
            "Bearer False",
            "Bearer " + "a" * 4000,
        ):
            with self.subTest(authorization[:20]):
                answer = self.call(
                    "/events", self.event(), headers={"Authorization": authorization}
                )
                self.assert_problem(answer, 401, "unauthorized")
                self.assertIn("Bearer", answer.headers["WWW-Authenticate"])
        self.assertFalse(self.events())

    def test_who_is_logged_in_is_no_exchange(self):
        self.authenticate("admin", "admin")
        answer = self.call("/events", self.event(), headers={"Authorization": ""})
        self.assert_problem(answer, 401, "unauthorized")

    def test_a_renewed_token_replaces_the_old_one(self):
        self.connector._renew_token()
        self.assert_problem(self.call("/health"), 401, "unauthorized")

    def test_an_archived_connector_is_refused(self):
        self.connector.active = False
        self.assert_problem(self.call("/events", self.event()), 403, "forbidden")
        self.assertFalse(self.events())

    def test_where_a_secret_is_set_each_call_must_be_signed(self):
        """The signature is computed here by hand, as the specification has it."""
        key = b"thirty-two bytes of a secret key"
        self.connector.signing_secret = f"whsec_{base64.b64encode(key).decode()}"
        body = json.dumps(self.event())

        def sign(moment, content=body, message_id="m1"):
            told = f"{message_id}.{moment}.{content}".encode()
            return base64.b64encode(hmac.digest(key, told, hashlib.sha256)).decode()

        def get_headers(moment, value, **changes):
            headers = {
                "webhook-id": "m1",
                "webhook-timestamp": str(moment),
                "webhook-signature": value,
            }
            return {**headers, **changes}

        now = int(time.time())
        right = f"v1,{sign(now)}"
        for name, headers in (
            ("webhook-id", {}),
            ("webhook-id", get_headers(now, right, **{"webhook-id": ""})),
            ("webhook-timestamp", get_headers(now, right, **{"webhook-timestamp": ""})),
            ("webhook-timestamp", get_headers(now - 400, f"v1,{sign(now - 400)}")),
            ("webhook-timestamp", get_headers(now + 400, f"v1,{sign(now + 400)}")),
            ("webhook-signature", get_headers(now, "")),
            ("webhook-signature", get_headers(now, sign(now))),
            ("webhook-signature", get_headers(now, f"v1,{sign(now, body + ' ')}")),
            ("webhook-signature", get_headers(now, right, **{"webhook-id": "m2"})),
        ):
            with self.subTest(headers):
                answer = self.call("/events", body, headers=headers)
                self.assert_problem(answer, 401, "invalid_signature", name)
        self.assertFalse(self.events())
        answer = self.call("/events", body, headers=get_headers(now, f"v1,AAAA {right}"))
        self.assertEqual(answer.status_code, 202, answer.text)
        form = urlencode({"id": "e2", "type": "call.missed", "call_id": "c", "caller": CALLER})
        headers = get_headers(now, f"v1,{sign(now, form)}")
        self.assertEqual(self.call("/events", form, headers={**headers, **FORM}).status_code, 202)
        headers = get_headers(now, f"v1,{sign(now, '')}")
        self.assertEqual(self.call("/health", headers=headers).status_code, 200)


@tagged("post_install", "-at_install")
class TestEvents(ApiCase):
    """What the exchange tells."""

    def test_an_event_is_stored_then_answered_then_takes_effect(self):
        """R083: the answer waits for nothing."""
        answer = self.call("/events", self.event(service="support"))
        self.assertEqual(answer.status_code, 202)
        self.assertEqual(answer.json(), {"id": "e1", "status": "accepted", "call_id": "c1"})
        event = self.events()
        self.assertEqual((event.state, f"{event.occurred_at}"), ("new", "2026-11-25 12:00:00"))
        self.assertFalse(self.find_call())
        event._process()
        self.assertEqual(event.state, "done")
        self.assertEqual((self.find_call().state, self.find_call().number), ("missed", CALLER))

    def test_the_same_event_again_changes_nothing(self):
        """Whatever the order of its fields; another one of its id is refused."""
        self.call("/events", self.event())
        again = dict(reversed(self.event().items()))
        for body in (self.event(), again):
            answer = self.call("/events", body)
            self.assertEqual((answer.status_code, answer.json()["status"]), (202, "duplicate"))
        answer = self.call("/events", self.event(caller="+4790612399"))
        self.assert_problem(answer, 409, "id_conflict")
        self.assertEqual(len(self.events()), 1)

    def test_each_connector_has_its_own_ids(self):
        other = self.connector.copy({"code": "other"})
        self.call("/events", self.event())
        headers = {"Authorization": f"Bearer {other._renew_token()}"}
        self.assertEqual(
            self.call("/events", self.event(), headers=headers).json()["status"], "accepted"
        )

    def test_many_events_are_answered_one_by_one(self):
        bodies = [
            self.event("e1"),
            self.event("e1"),
            self.event("e1", caller="102"),
            {"id": "e2", "type": "call.missed"},
            self.event("e3", "call.queued", service="nowhere"),
            self.event("e4", "call.sung"),
            "x",
            self.event("\ud800"),
            self.event("e5", caller_name="x" * MAX_EVENT_SIZE),
            self.event("e6"),
        ]
        answer = self.call("/events", bodies)
        self.assertEqual(answer.status_code, 200)
        self.assertEqual(
            [(one["http_status"], one.get("code") or one["status"]) for one in answer.json()],
            [
                (202, "accepted"),
                (202, "duplicate"),
                (409, "id_conflict"),
                (422, "missing_field"),
                (404, "unknown_service"),
                (202, "ignored"),
                (400, "invalid_body"),
                (422, "invalid_value"),
                (413, "too_large"),
                (202, "accepted"),
            ],
        )
        self.assertEqual(sorted(self.events().mapped("event_id")), ["e1", "e4", "e6"])
        self.assertEqual([one.get("id") for one in answer.json()][:3], ["e1", "e1", "e1"])

    def test_so_many_events_and_no_more(self):
        events = [self.event(f"e{n}") for n in range(MAX_EVENTS + 1)]
        self.assert_problem(self.call("/events", events), 413, "too_large")
        self.assert_problem(self.call("/events", []), 400, "invalid_body")
        self.assertFalse(self.events())
        self.assertEqual(len(self.call("/events", events[:-1]).json()), MAX_EVENTS)

    def test_an_array_may_be_large_an_event_not(self):
        large = "x" * (MAX_EVENT_SIZE - 1000)
        bodies = [self.event(f"e{n}", "call.sung", text=large) for n in range(20)]
        self.assertEqual({one["http_status"] for one in self.call("/events", bodies).json()}, {202})
        answer = self.call("/events", self.event("x", text=large * 2))
        self.assert_problem(answer, 413, "too_large")
        huge = b" " * (MAX_EVENT_SIZE * MAX_EVENTS + 1)
        self.assert_problem(self.call("/events", huge), 413, "too_large")
        chunks = (b" " * MAX_EVENT_SIZE for _n in range(MAX_EVENTS + 1))
        self.assert_problem(self.call("/events", chunks), 413, "too_large")

    def test_a_form_is_read_too_whatever_it_is_called(self):
        """A dialplan's CURL keeps the header of the call before."""
        fields = {
            "type": "call.queued",
            "service": "support",
            "call_id": "1732528800.10",
            "caller": "906 12 345",
            "position": "3",
            "caller_name": "",
        }
        for headers in (FORM, JSON, {"Content-Type": ""}):
            body = urlencode({"id": f"f{len(self.events())}", **fields})
            answer = self.call("/events", body, headers=headers)
            self.assertEqual(answer.status_code, 202, answer.text)
        event = self.events()[0]
        self.assertEqual(
            json.loads(event.payload),
            {
                "service": "support",
                "call_id": "1732528800.10",
                "caller": "906 12 345",
                "position": 3,
            },
        )
        answer = self.call("/events", json.dumps(self.event("j")), headers=FORM)
        self.assertEqual(answer.status_code, 202, answer.text)

    def test_without_a_time_it_is_now(self):
        """A clock may be fast by five minutes, not more."""
        event = self.event()
        del event["time"]
        self.assertEqual(self.call("/events", event).status_code, 202)
        self.assertLess(abs((self.events().occurred_at - self.env.cr.now()).total_seconds()), 60)
        event["time"] = "2126-11-25T12:00:00Z"
        self.assert_problem(self.call("/events", event), 422, "invalid_value", "time")

    def test_everything_that_is_wrong_is_told(self):
        event = self.event(None, "call.queued", caller=None, position="first", waiting=-1)
        answer = self.call("/events", {**event, "time": "noon"})
        self.assert_problem(
            *(answer, 422, "missing_field"),
            *("id", "time", "data.service", "data.caller", "data.position", "data.waiting"),
        )
        answer = self.call("/events", self.event(event_type="call.left_queue", reason="bored"))
        self.assert_problem(answer, 422, "invalid_value", "data.reason")
        answer = self.call("/events", {**self.event(), "data": ["x"]})
        self.assert_problem(answer, 422, "invalid_value", "data")
        answer = self.call("/events", self.event(caller="\0"))
        self.assert_problem(answer, 422, "invalid_value", "data.caller")

    def test_a_type_that_is_not_known_is_taken_and_ignored(self):
        answer = self.call("/events", self.event(event_type="call.sung", key="C"))
        self.assertEqual((answer.status_code, answer.json()["status"]), (202, "ignored"))
        self.events()._process()
        self.assertEqual(self.events().state, "ignored")

    def test_an_unknown_service_is_not_found_where_it_is_needed(self):
        answer = self.call("/events", self.event(event_type="call.queued", service="nowhere"))
        self.assert_problem(answer, 404, "unknown_service", "service")
        self.assertEqual(self.call("/events", self.event(service="nowhere")).status_code, 202)

    def test_a_body_that_says_nothing(self):
        for body in (b"", b"null", b"1", b'"x"', b"{", b"\xff\xfe", b"x", b"[" * 50_000):
            with self.subTest(body[:10]):
                answer = self.call("/events", body, method="POST")
                self.assertIn(answer.status_code, (400, 422))
                self.assertEqual(answer.json()["status"], answer.status_code)
        answer = self.call("/events", b"<x/>", headers={"Content-Type": "text/xml"})
        self.assert_problem(answer, 415, "unsupported_media_type")
        self.assertFalse(self.events())

    def test_what_http_refuses_is_a_problem_too(self):
        for method in ("GET", "PUT", "DELETE", "PATCH", "OPTIONS"):
            answer = self.call("/events", method=method)
            self.assert_problem(answer, 405, "method_not_allowed")
            self.assertIn("POST", answer.headers["Allow"])
        for path in ("", "/", "/nothing", "/callbacks/1/2/3", "/%00"):
            self.assert_problem(self.call(path), 404, "not_found")
        self.assertEqual(self.call("/health", method="HEAD").status_code, 200)
        elsewhere = self.url_open("/cc/other", allow_redirects=False)
        self.assertNotIn("problem", elsewhere.headers["Content-Type"])

    @mute_logger("odoo.http")
    def test_an_error_of_ours_is_a_problem_and_keeps_nothing(self):
        """It says nothing of what is inside."""
        events = self.registry["contact.center.event"]
        with patch.object(events, "_store", side_effect=KeyError("secret")):
            answer = self.call("/events", self.event())
        self.assert_problem(answer, 500, "server_error")
        self.assertNotIn("secret", answer.text)
        self.assertFalse(self.events())

    @mute_logger("odoo.service.model", "odoo.http")
    def test_a_conflict_is_tried_again_before_it_is_told(self):
        events, tries = self.registry["contact.center.event"], []
        store = events._store

        def fail_once(self, *args):
            tries.append(args)
            if len(tries) == 1:
                raise SerializationFailure("conflict")
            return store(self, *args)

        with (
            patch.object(events, "_store", fail_once),
            patch("odoo.service.model.errorcodes.lookup", lambda code: "conflict"),
            patch("odoo.service.model.random.uniform", lambda *args: 0),
        ):
            self.assertEqual(self.call("/events", self.event()).status_code, 202)
        self.assertEqual((len(tries), len(self.events())), (2, 1))


@tagged("post_install", "-at_install")
class TestQuestions(ApiCase):
    """What the exchange asks."""

    def test_may_a_callback_be_offered(self):
        """R098: yes or no, and why."""
        self.service.offer_min_wait_minutes = 5
        self.service.write({"exchange_wait_seconds": 300, "exchange_wait_at": self.env.cr.now()})
        answer = self.call("/callback-offer?service=support&caller=90612345")
        self.assertEqual(answer.status_code, 200)
        self.assertEqual(
            answer.json(),
            {
                "offer": False,
                "reasons": ["wait_too_short"],
                "estimated_wait_seconds": 300,
                "closes_at": None,
                "minutes_to_closing": None,
            },
        )
        self.service.exchange_wait_seconds = 301
        self.assertTrue(
            self.call("/callback-offer?service=support&caller=90612345").json()["offer"]
        )
        answer = self.call("/callback-offer?service=support&caller=anonymous")
        self.assertEqual(answer.json()["reasons"], ["bad_number"])

    def test_a_dialplan_reads_one_or_zero(self):
        answer = self.call("/callback-offer?service=support&caller=90612345&format=text")
        self.assertEqual((answer.text, answer.headers["Content-Type"][:10]), ("1", "text/plain"))
        self.service.callback_enabled = False
        path = "/callback-offer?service=support&caller=90612345&format=text"
        self.assertEqual(self.call(path).text, "0")

    def test_a_question_that_is_not_right(self):
        answer = self.call("/callback-offer?format=xml")
        self.assert_problem(answer, 422, "missing_field", "service", "format")
        answer = self.call("/callback-offer?service=nowhere")
        self.assert_problem(answer, 404, "unknown_service", "service")
        for code in ("nowhere", "%00", "%ff"):
            answer = self.call(f"/services/{code}/ewt")
            self.assert_problem(answer, 404, "unknown_service", "service")

    def test_a_service_of_another_company_is_not_there(self):
        self.service.company_id = self.env["res.company"].create({"name": "Other"})
        self.assertEqual(self.call("/services/support/ewt").status_code, 404)

    def test_how_long_is_the_wait(self):
        stats = {"agents_staffed": 3, "agents_available": 0, "waiting_count": 4}
        self.service.write({**stats, "stats_at": self.env.cr.now()})
        self.assertEqual(
            self.call("/services/support/ewt").json(),
            {
                "service": "support",
                "estimated_wait_seconds": 300,
                "method": "formula",
                "waiting": 4,
                "callbacks": 0,
            },
        )


@tagged("post_install", "-at_install")
class TestCallbacksApi(ApiCase):
    """Callbacks as the exchange asks for and makes them."""

    def find(self, public_id):
        self.env.invalidate_all()
        return self.env["contact.center.callback"]._find_by_public_id(self.connector, public_id)

    def ask(self, **values):
        return self.call("/callbacks", {"service": "support", "phone": "90612345", **values})

    def test_who_asks_twice_has_one_callback(self):
        """R086: and is told his place."""
        answer = self.ask(name="Åse Ødegård", callback_id="k1")
        self.assertEqual(answer.status_code, 201, answer.text)
        self.assertEqual(
            answer.json(),
            {"callback_id": "k1", "position": 1, "estimated_wait_seconds": None, "existing": False},
        )
        answer = self.ask()
        self.assertEqual((answer.status_code, answer.json()["existing"]), (200, True))
        shown = self.call("/callbacks/k1").json()
        self.assertEqual(
            (shown["phone"], shown["name"], shown["state"], shown["service"]),
            (CALLER, "Åse Ødegård", "waiting", "support"),
        )
        self.assertEqual(self.find("k1").connector_id, self.connector)

    def test_whoever_asks_keeps_the_place_of_his_call(self):
        self.queue("c1", caller=CALLER)
        self.ask(phone="+4790612346", callback_id="late")
        self.ask(call_id="c1", callback_id="early", queued_at="2026-11-25T12:00:00Z")
        self.assertEqual(f"{self.find('early').queued_at}", "2026-11-25 12:00:00")
        self.assertEqual(self.find("early").call_id.external_id, "c1")

    def test_what_cannot_be_asked(self):
        self.assert_problem(self.ask(phone="102"), 422, "invalid_value", "phone")
        self.assert_problem(self.ask(phone=None), 422, "missing_field", "phone")
        self.assert_problem(self.ask(service="nowhere"), 404, "unknown_service", "service")
        self.assert_problem(self.call("/callbacks", ["x"]), 400, "invalid_body")
        self.ask(callback_id="k1")
        with mute_logger("odoo.sql_db"):
            answer = self.ask(phone="+4790612346", callback_id="k1")
        self.assert_problem(answer, 409, "id_conflict")

    def test_the_list_is_in_the_order_of_the_queue(self):
        for at, number in ((9, 1), (3, 2), (6, 3)):
            self.create_callback(f"+479061230{number}", at=at)
        other = self.create_service("Other", "other")
        self.create_callback("+4790612309", service_id=other.id)
        listed = self.call("/callbacks?service=support").json()
        self.assertEqual([one["phone"][-1] for one in listed["callbacks"]], ["2", "3", "1"])
        self.assertEqual([one["position"] for one in listed["callbacks"]], [1, 2, 3])
        page = self.call("/callbacks?service=support&limit=1&offset=1").json()
        self.assertEqual([one["phone"][-1] for one in page["callbacks"]], ["3"])
        self.assertEqual(page["total"], 3)
        self.assertEqual(self.call("/callbacks").json()["total"], 4)
        self.assertEqual(self.call("/callbacks?state=completed").json()["total"], 0)
        self.assert_problem(self.call("/callbacks?state=x"), 422, "invalid_value", "state")
        self.assert_problem(self.call("/callbacks?service=x"), 404, "unknown_service", "service")

    def test_the_exchange_dials_only_what_it_has_claimed(self):
        """R087: after a "no" it is told that it is too late."""
        self.ask(callback_id="k1")
        answer = self.call("/callbacks/k1/claim", {"agent": "SIP/1"})
        self.assertEqual((answer.status_code, answer.json()["state"]), (200, "in_progress"))
        self.assertEqual((answer.json()["agent"], answer.json()["attempts"]), ("SIP/1", 1))
        answer = self.call("/callbacks/k1/claim", {"agent": "SIP/2"})
        self.assert_problem(answer, 409, "already_claimed")
        self.assertEqual(self.find("k1").agent_id.external_id, "SIP/1")
        self.ask(phone="+4790612346", callback_id="k2")
        self.find("k2")._cancel("sms_reply")
        answer = self.call("/callbacks/k2/claim", method="POST")
        self.assert_problem(answer, 409, "callback_closed")

    def test_the_exchange_takes_a_callback_out(self):
        """Once or twice; it is not told what it has done itself."""
        self.connector.outbound_url = "http://exchange.test/"
        self.ask(callback_id="k1")
        for _time in range(2):
            answer = self.call("/callbacks/k1", method="DELETE")
            self.assertEqual((answer.status_code, answer.content), (204, b""))
        self.assertEqual(self.find("k1").close_reason, "exchange")
        self.assertFalse(
            self.env["contact.center.delivery"].search([("type", "=", "callback.cancelled")])
        )
        self.ask(callback_id="k2")
        self.find("k2")._complete()
        answer = self.call("/callbacks/k2", method="DELETE")
        self.assert_problem(answer, 409, "callback_closed")

    def test_one_that_is_not_known(self):
        stranger = self.create_callback("+4790612347")
        other = self.env["res.company"].create({"name": "Other"})
        stranger.service_id.company_id = other
        for path in ("x", "0", "9" * 30, "-1", str(stranger.id), "%F0%9F%93%9E", "%00"):
            for method, end in (("GET", ""), ("DELETE", ""), ("POST", "/claim")):
                with self.subTest(path=path, method=method):
                    answer = self.call(f"/callbacks/{path}{end}", method=method)
                    self.assert_problem(answer, 404, "unknown_callback")
