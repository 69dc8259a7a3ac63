import json
from base64 import b64encode
from unittest.mock import patch

from psycopg2 import IntegrityError

from odoo.exceptions import ValidationError
from odoo.tests import HttpCase, freeze_time, new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.sms_gateway.const import MAX_WEBHOOK_SIZE
from odoo.addons.sms_gateway.engine.contract import Webhook

from .common import CUSTOMER, SmsGatewayCase

FORM = "application/x-www-form-urlencoded"


@tagged("post_install", "-at_install")
class TestWebhook(SmsGatewayCase, HttpCase):
    """The addresses that the provider calls, over real HTTP."""

    def call(self, body=None, kind="inbound", token=None, query="", method=None, **headers):
        """Call one of the addresses; with a body it is POST."""
        token = self.gateway.webhook_token if token is None else token
        self.env.flush_all()
        return self.url_open(
            f"/sms/gateway/{token}/{kind}{query}",
            data=body,
            headers={"X-Proof": "right", **headers},
            method=method,
            timeout=30,
            allow_redirects=False,
        )

    def events(self, **domain):
        self.env.invalidate_all()
        return self.env["sms.gateway.event"].search(
            [("gateway_id", "=", self.gateway.id), *[(k, "=", domain[k]) for k in domain]]
        )

    def text(self, **values):
        return json.dumps([{"number": CUSTOMER, "body": "Yes", "provider_ref": "in-1", **values}])

    # === WHO IS LET IN === #

    def test_an_unknown_address_is_not_found(self):
        """And says no more than that."""
        with self.webhooks() as webhooks:
            for token in ("x", "ø" * 40, "%00", "../..", "a" * 4000, "None", "False"):
                with self.subTest(token[:10]):
                    answer = self.call(token=token)
                    self.assertEqual(answer.status_code, 404)
            answer = self.call(token="x" * 43)
            self.assertEqual((answer.status_code, answer.content), (404, b""))
            self.assertEqual(self.call(kind="other").status_code, 404)
        self.assertFalse(webhooks.seen)
        self.assertFalse(self.events())

    def test_calls_from_elsewhere_are_refused(self):
        """P8: real addresses and a real password, before anything of the call is looked at."""
        self.gateway.write({"webhook_username": "odoo", "webhook_password": "p:å"})
        self.assertIn("://odoo:p%3A%C3%A5@", self.gateway.inbound_url)
        login = {"Authorization": "Basic " + b64encode("odoo:p:å".encode()).decode()}
        with self.webhooks() as webhooks:
            self.assertEqual(self.call(self.text()).status_code, 403)
            self.assertEqual(self.call(self.text(), **login).status_code, 200)
            self.gateway.allowed_ips = "192.0.2.7"
            self.assertEqual(self.call(self.text(), **login).status_code, 403)
            self.gateway.allowed_ips = "192.0.2.7, 127.0.0.0/8"
            self.assertEqual(self.call(self.text(), **login).status_code, 200)
        self.assertEqual(len(webhooks.seen), 2)
        self.assertEqual({e.error for e in self.events(state="refused")}, {"unsigned", "ip"})

    def test_who_may_call_is_checked_when_it_is_written(self):
        """An administrator reads what is wrong with the list, and never half a password."""
        with self.assertRaisesRegex(ValidationError, "Calls only from.*10.0.0.300"):
            self.gateway.allowed_ips = "192.0.2.7, 10.0.0.300"
        with self.assertRaisesRegex(ValidationError, "“provider.example” is neither"):
            self.gateway.allowed_ips = "provider.example"
        with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"):
            self.gateway.webhook_password = "secret"
            self.env.flush_all()

    def test_p8_a_call_without_proof_is_refused_and_changes_nothing(self):
        """P8: 403 without a word; counted, one row an hour for each reason and address."""
        text = self.create_text()
        text.message_id._set_unknown()
        report = json.dumps([{"state": "delivered", "uuid": text.message_id.uuid}])
        with self.webhooks():
            for _time in range(3):
                answer = self.call(self.text(), **{"X-Proof": "wrong"})
                self.assertEqual((answer.status_code, answer.content), (403, b""))
            self.assertEqual(self.call(report, "status", **{"X-Proof": ""}).status_code, 403)
        refused = self.events()
        self.assertEqual(sorted(refused.mapped("attempts")), [1, 3])
        self.assertEqual(set(refused.mapped("state")), {"refused"})
        self.assertEqual(set(refused.mapped("error")), {"signature"})
        self.assertFalse(any(refused.mapped("payload")), "nothing of a stranger is kept")
        self.assertEqual(self.gateway.refused_count, 4)
        self.run_events()
        self.assertEqual(self.events(), refused)
        self.assertFalse(self.env["sms.message"].search([("direction", "=", "in")]))
        self.assertNotEqual(text.message_id.state, "delivered")
        self.assertFalse(self.gateway.last_inbound_at or self.gateway.last_status_at)

    def test_refused_calls_are_counted_by_the_hour(self):
        Event = self.env["sms.gateway.event"]
        for moment in ("2026-03-01 12:00:00", "2026-03-01 12:59:00", "2026-03-01 13:01:00"):
            with freeze_time(moment), self.enter_registry_test_mode():
                Event._count_refusal(self.gateway, "inbound", "signature")
        self.assertEqual(sorted(self.events().mapped("attempts")), [1, 2])

    def test_p8_an_adapter_that_verifies_nothing_refuses_everything(self):
        """P8: forgetting the check is refusal, not trust."""
        self.assertEqual(self.call(self.text()).status_code, 403)
        self.assertEqual(self.events().error, "unverified")

    def test_a_disabled_gateway_lets_nobody_in(self):
        """Not even with proof; one in test does."""
        with self.webhooks() as webhooks:
            self.gateway.state = "disabled"
            self.assertEqual(self.call(self.text()).status_code, 403)
            self.assertFalse(webhooks.seen)
            self.assertEqual(self.events().error, "disabled")
            self.gateway.state = "test"
            self.assertEqual(self.call(self.text()).status_code, 200)
            self.gateway.active = False
            self.assertEqual(self.call(self.text()).status_code, 404)

    def test_a_renewed_address_replaces_the_old_one(self):
        old = self.gateway.webhook_token
        self.gateway.action_renew_webhook_token()
        with self.webhooks():
            self.assertEqual(self.call(self.text(), token=old).status_code, 404)
            self.assertEqual(self.call(self.text()).status_code, 200)

    def test_each_gateway_has_its_own_address(self):
        other = self._create_gateway(name="Another account")
        self.assertNotEqual(other.webhook_token, self.gateway.webhook_token)
        self.assertGreaterEqual(len(other.webhook_token), 40)
        with self.webhooks():
            self.assertEqual(self.call(self.text(), token=other.webhook_token).status_code, 200)
        self.assertFalse(self.events())

    def test_p9_who_is_logged_in_is_no_provider(self):
        """P9: the session of an administrator opens nothing here."""
        self.authenticate("admin", "admin")
        self.assertEqual(self.call(self.text()).status_code, 403)

    # === WHAT IS TAKEN IN === #

    def test_a_call_is_stored_then_answered_then_takes_effect(self):
        """P3, R112: and the moment of the last one is shown on the gateway."""
        with self.webhooks():
            answer = self.call(self.text())
            self.assertEqual((answer.status_code, answer.content), (200, b""))
            event = self.events()
            self.assertEqual((event.state, event.kind), ("new", "inbound"))
            self.assertFalse(self.env["sms.message"].search([("direction", "=", "in")]))
            self.run_events()
        self.assertEqual(event.state, "done")
        message = self.env["sms.message"].search([("direction", "=", "in")])
        self.assertEqual((message.number, message.body), (CUSTOMER, "Yes"))
        self.assertEqual(message.sender_id, self.sender)
        self.assertEqual(self.gateway.last_inbound_at, event.received_at)
        self.assertFalse(self.gateway.last_status_at)

    def test_p3_a_repeated_call_is_answered_and_stored_once(self):
        """P3: also after it took effect, and with another text under the same reference."""
        with self.webhooks():
            for _time in range(3):
                self.assertEqual(self.call(self.text()).status_code, 200)
            self.assertEqual(len(self.events()), 1)
            self.run_events()
            self.assertEqual(self.call(self.text()).status_code, 200)
            self.assertEqual(self.call(self.text(body="Yes!")).status_code, 200)
            self.run_events()
        self.assertEqual(len(self.env["sms.message"].search([("direction", "=", "in")])), 1)

    def test_get_and_post_and_nothing_else(self):
        with self.webhooks() as webhooks:
            webhooks.extract_inbound = lambda *args: []
            self.assertEqual(self.call(query="?id=1&text=%C3%85").status_code, 200)
            self.assertEqual(self.call(b"id=2", **{"Content-Type": FORM}).status_code, 200)
            for method in ("PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"):
                self.assertEqual(self.call(b"x", method=method).status_code, 405, method)
        get, post = webhooks.seen
        self.assertEqual((get.method, get.params), ("GET", {"id": "1", "text": "Å"}))
        self.assertEqual((post.method, post.params), ("POST", {"id": "2"}))

    def test_the_body_of_a_form_is_kept_as_it_came(self):
        """For signatures: every byte, and the fields in order with their repetitions."""
        body = b"b=2&a=1&b=%C3%A5+%26&empty=&From=%2B4791234567"
        with self.webhooks() as webhooks:
            answer = self.call(body, query="?q=1&q=2", **{"Content-Type": FORM})
        self.assertEqual(answer.status_code, 200)
        (webhook,) = webhooks.seen
        self.assertEqual(webhook.body, body)
        self.assertEqual(
            list(webhook.form),
            [("b", "2"), ("a", "1"), ("b", "å &"), ("empty", ""), ("From", CUSTOMER)],
        )
        self.assertEqual(list(webhook.query), [("q", "1"), ("q", "2")])
        self.assertTrue(webhook.url.endswith(f"{self.gateway.webhook_token}/inbound?q=1&q=2"))
        self.assertEqual(Webhook.from_json(self.events().payload).body, body)

    def test_a_form_with_files_is_no_trouble(self):
        body = (
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
            b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'
            b"\x00\xff\r\n--x--"
        )
        with self.webhooks() as webhooks:
            answer = self.call(body, **{"Content-Type": "multipart/form-data; boundary=x"})
        self.assertEqual(answer.status_code, 200)
        self.assertEqual((webhooks.seen[0].body, list(webhooks.seen[0].form)), (body, [("a", "1")]))

    def test_what_is_no_text_at_all_is_stored_and_put_aside(self):
        """NUL, bytes that are no UTF-8, half a JSON: never a 5xx, for it would be repeated."""
        bodies = (
            b"\x00\xff\xfe",
            b'[{"number": "+4791234567", "body": "\xc3',
            b"null",
            b"[1]",
            b'[{"number": "\\u0000", "body": "\\ud800", "provider_ref": "\\u0000"}]',
            b'"' + b"a" * 1000 + b'"',
        )
        with self.webhooks():
            for body in bodies:
                with self.subTest(body[:20]):
                    for kind in ("inbound", "status"):
                        answer = self.call(body, kind, query="?a=%00%ff&%fe=1")
                        self.assertEqual(answer.status_code, 200)
            events = self.events()
            self.assertEqual(len(events), 2 * len(bodies))
            with mute_logger("odoo.addons.sms_gateway.models.sms_gateway_event", "odoo.sql_db"):
                self.run_events()
        self.assertEqual(set(self.events().mapped("state")), {"failed"})
        self.assertTrue(all(self.events().mapped("error")))
        self.assertEqual({Webhook.from_json(e.payload).body for e in events}, set(bodies))

    def test_whatever_a_provider_takes_for_its_id_the_call_is_stored_once(self):
        adapter = type(self.env["sms.gateway.adapter.none"])
        for key in ("inbound:\x00", "\udcff", "k" * 100_000, "ok"):
            with self.subTest(key[:10]):
                before = len(self.events())
                with self.webhooks(), patch.object(adapter, "_get_dedup_key", return_value=key):
                    self.assertEqual(self.call(self.text()).status_code, 200)
                    self.assertEqual(self.call(self.text()).status_code, 200)
                self.assertEqual(len(self.events()), before + 1)

    def test_too_large_a_call_is_refused_before_it_is_read(self):
        """413, not a 5xx that would be repeated, however its length is told."""
        with self.webhooks() as webhooks:
            for content_type in (FORM, "application/json", "multipart/form-data; boundary=x"):
                for way, body in (
                    ("at once", b"a" * (MAX_WEBHOOK_SIZE + 1)),
                    ("in chunks", (b"a" * 1024 for _n in range(MAX_WEBHOOK_SIZE // 1024 + 1))),
                ):
                    with self.subTest(content_type, way=way):
                        answer = self.call(body, **{"Content-Type": content_type})
                        self.assertEqual(answer.status_code, 413)
            self.assertEqual(len(webhooks.seen), 0)
            self.assertEqual(
                self.call(b'"' + b"a" * (MAX_WEBHOOK_SIZE - 2) + b'"').status_code, 200
            )
            answer = self.call(iter([b"[", b" " * 1000, b"]"]))
            self.assertEqual(answer.status_code, 200)
            self.assertEqual(webhooks.seen[-1].body, b"[" + b" " * 1000 + b"]")
        self.assertEqual(len(self.events()), 2)

    def test_no_cookie_is_given_to_a_provider(self):
        with self.webhooks():
            for answer in (
                self.call(self.text()),
                self.call(self.text(), **{"X-Proof": "wrong"}),
                self.call(token="x"),
            ):
                self.assertNotIn("Set-Cookie", answer.headers)

    def test_the_answer_is_the_adapters(self):
        """For some providers a word too many is a text to the customer."""
        adapter = type(self.env["sms.gateway.adapter.none"])
        reply = (202, {"Content-Type": "text/xml"}, b"<Response/>")
        with self.webhooks(), patch.object(adapter, "_webhook_reply", lambda *args: reply):
            answer = self.call(self.text())
        self.assertEqual((answer.status_code, answer.content), (202, b"<Response/>"))
        self.assertEqual(answer.headers["Content-Type"], "text/xml")

    def test_p9_no_credentials_are_kept_with_the_call(self):
        """P9: neither the headers that may hold a password nor the secret in the address."""
        headers = {
            "Authorization": "Basic c2VjcmV0",
            "Proxy-Authorization": "c2VjcmV0",
        }
        with self.webhooks() as webhooks:
            self.call(self.text(), query="?q=1", **headers)
        self.assertEqual(webhooks.seen[0].headers["authorization"], "Basic c2VjcmV0")
        payload = self.events().payload
        self.assertNotIn("c2VjcmV0", payload)
        self.assertNotIn(self.gateway.webhook_token, payload)
        self.assertTrue(webhooks.seen[0].headers["cookie"])
        self.assertNotIn(webhooks.seen[0].headers["cookie"], payload)
        self.assertIn("q=1", payload)

    # === WHAT THE ADMINISTRATOR SEES === #

    def test_r112_the_addresses_to_give_to_the_provider_are_shown_to_administrators(self):
        """R112: with a button to copy, the moment of the last call, and to nobody else."""
        self.env["ir.config_parameter"].set_param("web.base.url", "https://odoo.example.com")
        token = self.gateway.webhook_token
        for kind in ("inbound", "status"):
            self.assertEqual(
                self.gateway[f"{kind}_url"], f"https://odoo.example.com/sms/gateway/{token}/{kind}"
            )
        admin = new_test_user(self.env, "sms_admin", groups="base.group_system")
        Gateway = self.env["sms.gateway"]
        for user, shown in ((admin, True), (self.salesman, False)):
            arch = Gateway.with_user(user).get_view(view_type="form")["arch"]
            self.assertEqual('name="inbound_url" widget="CopyClipboardChar"' in arch, shown)
            self.assertEqual("status_url" in arch, shown)
        self.assertIn(
            "last_inbound_at", Gateway.with_user(admin).get_view(view_type="form")["arch"]
        )
