import base64
import pathlib
import traceback
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.modules import get_module_path
from odoo.tests import new_test_user, tagged
from odoo.tests.common import _super_send

from odoo.addons.sms_gateway.engine.contract import (
    InboundText,
    SendRequest,
    TextPart,
    Webhook,
)

from .common import CUSTOMER, SmsGatewayCase

#: What each kind of user may do: read, write, create, unlink.
RIGHTS = {
    "sms.gateway": {"plain": "r", "salesman": "r", "manager": "r", "admin": "rwcu"},
    "sms.gateway.throttle": {"admin": "r"},
    "sms.gateway.event": {"admin": "rw"},
    "sms.gateway.part": {"admin": "r"},
    "sms.sender.rule": {"salesman": "r", "manager": "rwcu", "admin": "rwcu"},
    "sms.sender": {"plain": "r", "salesman": "r", "manager": "rwcu", "admin": "rwcu"},
    "sms.message": {"salesman": "r", "manager": "r", "admin": "ru"},
    "sms.keyword": {"salesman": "r", "manager": "rwcu", "admin": "rwcu"},
    "sms.message.erase": {"admin": "rwcu"},
    "sms.sms": {"admin": "rwcu"},
}
OPERATIONS = {"r": "read", "w": "write", "c": "create", "u": "unlink"}


class SecurityCase(SmsGatewayCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other_company = cls.env["res.company"].create({"name": "Other"})
        cls.users = {
            "portal": new_test_user(cls.env, "sms_portal", groups="base.group_portal"),
            "plain": new_test_user(
                cls.env, "sms_plain", groups="base.group_user,base.group_allow_export"
            ),
            "salesman": cls.salesman,
            "manager": new_test_user(
                cls.env,
                "sms_manager",
                groups="base.group_allow_export,sms_gateway.group_sms_manager",
            ),
            "admin": new_test_user(cls.env, "sms_admin", groups="base.group_system"),
            "public": cls.env.ref("base.public_user"),
        }
        cls.stranger = new_test_user(
            cls.env,
            "sms_stranger",
            groups="base.group_system,sms_gateway.group_sms_manager",
            company_id=cls.other_company.id,
            company_ids=[Command.set(cls.other_company.ids)],
        )
        cls.own = cls._create_sender("Mine", "dedicated", "59445077", user_ids=cls.salesman.ids)
        cls.colleagues = cls._create_sender(
            "Hers", "dedicated", "59445066", user_ids=cls.users["manager"].ids
        )


@tagged("post_install", "-at_install")
class TestAccess(SecurityCase):
    """Who may do what, with real users."""

    def test_rights_of_each_kind_of_user_on_each_model(self):
        for model, rights in RIGHTS.items():
            for kind, user in self.users.items():
                for letter, operation in OPERATIONS.items():
                    with self.subTest(model, user=kind, operation=operation):
                        self.assertEqual(
                            self.env[model].with_user(user).has_access(operation),
                            letter in rights.get(kind, ""),
                        )

    def test_an_administrator_manages_texts_without_another_group(self):
        self.assertTrue(self.users["admin"].has_group("sms_gateway.group_sms_manager"))
        self.assertFalse(self.users["plain"].has_group("sms_gateway.group_sms_user"))

    def receive(self, sender):
        text = InboundText(CUSTOMER, sender.address, "Yes", f"in-{sender.address}")
        return self.env["sms.message"]._receive(self.gateway, [text])

    def test_p11_a_user_sees_the_texts_of_his_own_numbers_and_what_he_sent(self):
        """P11: a manager all of the company, another company none.

        What came to a number of nobody is left out: other addons may show it to more.
        """
        Text = self.env["sms.sms"]
        by_colleague, by_salesman = (
            Text.with_user(user)
            .sudo()
            .create({"number": CUSTOMER, "body": "Hello", "sender_id": self.sender.id})
            .message_id
            for user in (self.users["manager"], self.salesman)
        )
        to_own, to_colleague = self.receive(self.own), self.receive(self.colleagues)
        to_all = self.receive(self.sender)
        every = by_colleague | by_salesman | to_own | to_colleague | to_all

        def visible(user, **context):
            Message = self.env["sms.message"].with_user(user).with_context(**context)
            return Message.search([("id", "in", every.ids)]).sudo(False).with_user(1)

        self.assertEqual(visible(self.salesman) - to_all, by_salesman | to_own)
        self.assertEqual(visible(self.users["manager"]), every)
        self.assertEqual(visible(self.users["admin"]), every)
        self.assertFalse(visible(self.stranger))
        with self.assertRaises(AccessError):
            to_colleague.with_user(self.salesman).read(["body"])

    def test_another_companys_set_up_is_out_of_sight(self):
        Event = self.env["sms.gateway.event"]
        webhook = Webhook(kind="inbound", method="POST", url="x", body=b"[]")
        Event._store(self.gateway, webhook, "key")
        keyword = self.env["sms.keyword"].create(
            {"name": "Ours", "company_id": self.company.id, "hard_words": "FERDIG"}
        )
        rule = self.env["sms.sender.rule"].create({"prefix": "+47", "sender_id": self.sender.id})
        part = TextPart("7", 1, 2)
        part = InboundText(CUSTOMER, self.sender.address, "See", "in-1", part=part)
        self.assertFalse(self.env["sms.gateway.part"]._join(self.gateway, [part]))
        for record in (
            self.gateway,
            self.sender,
            rule,
            self.env["sms.gateway.part"].search([("provider_ref", "=", "in-1")]),
            Event.search([("dedup_key", "=", "key")]),
            keyword,
        ):
            with self.subTest(record._name):
                self.assertTrue(record.with_user(self.users["admin"]).has_access("read"))
                self.assertFalse(record.with_user(self.stranger).has_access("read"))
                found = record.with_user(self.stranger).search([("id", "=", record.id)])
                self.assertFalse(found)
        shared = self.env.ref("sms_gateway.sms_keyword_en")
        self.assertTrue(shared.with_user(self.stranger).has_access("read"))

    def test_nobody_changes_the_ledger_by_hand(self):
        """Not even an administrator: it is what happened."""
        message = self.create_text().message_id
        for kind in ("salesman", "manager", "admin"):
            for change in (
                lambda record: record.write({"state": "delivered"}),
                lambda record: record.write({"body": "Other"}),
                lambda record: record.copy(),
                lambda record: record.create({"uuid": "x", "direction": "out", "state": "sent"}),
            ):
                with self.subTest(kind), self.assertRaises(AccessError):
                    change(message.with_user(self.users[kind]))

    def test_a_manager_cannot_touch_gateways(self):
        gateway = self.gateway.with_user(self.users["manager"])
        for change in (
            lambda: gateway.write({"state": "disabled"}),
            lambda: gateway.action_test_connection(),
            lambda: gateway.action_refresh_balance(),
            lambda: gateway.action_renew_webhook_token(),
            lambda: gateway.copy(),
            lambda: gateway.unlink(),
        ):
            with self.assertRaises(AccessError):
                change()

    def test_only_who_may_replays_events(self):
        webhook = Webhook(kind="inbound", method="POST", url="x", body=b"[]")
        self.env["sms.gateway.event"]._store(self.gateway, webhook, "key")
        event = self.env["sms.gateway.event"].search([("dedup_key", "=", "key")])
        event.state = "failed"
        with self.assertRaises(AccessError):
            event.with_user(self.users["manager"]).action_replay()
        event.with_user(self.users["admin"]).action_replay()
        self.assertEqual(event.state, "new")

    def test_the_workers_are_not_for_calls_from_outside(self):
        """Every method that sends, stores or settles is private."""
        for model, names in {
            "sms.message": ("_set_delivered", "_receive", "_apply_reports", "_erase"),
            "sms.gateway": ("_receive_call", "_find_by_token", "_perform"),
            "sms.gateway.event": ("_store", "_run"),
            "sms.lane": ("_run", "_claim", "_record"),
        }.items():
            for name in names:
                self.assertTrue(callable(getattr(self.env[model], name)), name)
        public = {
            (model, name)
            for model in (
                "sms.message",
                "sms.gateway",
                "sms.gateway.event",
                "sms.lane",
                "sms.sender",
            )
            for klass in type(self.env[model]).mro()
            if klass.__module__.startswith("odoo.addons.sms_gateway.")
            for name, value in vars(klass).items()
            if callable(value) and not name.startswith("_")
        }
        self.assertFalse(
            {
                name
                for _model, name in public
                if not name.startswith("action_")
                and name not in ("create", "write", "unlink", "copy_data")
            }
        )


@tagged("post_install", "-at_install")
class TestCredentials(SecurityCase):
    """P9: no route leads to a secret but an administrator's."""

    def test_p9_the_secrets_are_limited_to_administrators(self):
        """P9: and so is every field whose name tells of one, in any provider's addon."""
        fields = self.env["sms.gateway"]._fields
        telling = ("token", "password", "secret", "key", "username", "_url", "account")
        secrets = {name for name in fields if any(word in name for word in telling)}
        self.assertLessEqual({"webhook_token", "inbound_url", "status_url"}, secrets)
        for name in secrets:
            with self.subTest(name):
                self.assertEqual(fields[name].groups, "base.group_system")
                self.assertFalse(getattr(fields[name], "tracking", None), "not in the chatter")

    def routes(self, env):
        """Ways by which a user might get at the secret of the addresses."""
        gateway, sender = env["sms.gateway"].browse(self.gateway.id), env["sms.sender"]
        sender = sender.browse(self.sender.id)
        token = self.gateway.sudo().webhook_token
        through = {"gateway_id": {"fields": {"webhook_token": {}}}}
        return {
            "read": lambda: gateway.read(["webhook_token"]),
            "attribute": lambda: gateway.webhook_token,
            "url": lambda: gateway.read(["inbound_url", "status_url"]),
            "web_read": lambda: gateway.web_read({"webhook_token": {}}),
            "web_read of a sender": lambda: sender.web_read(through),
            "web_search_read": lambda: sender.web_search_read([], through),
            "search_read": lambda: gateway.search_read([], ["webhook_token"]),
            "search": lambda: gateway.search([("webhook_token", "like", token[0])]),
            "search, by a path": lambda: sender.search([("gateway_id.webhook_token", "=", token)]),
            "search_count": lambda: gateway.search_count([("webhook_token", "!=", False)]),
            "order": lambda: gateway.search([], order="webhook_token"),
            "groups": lambda: gateway.formatted_read_group([], ["webhook_token"], ["__count"]),
            "aggregate": lambda: gateway.formatted_read_group([], [], ["webhook_token:array_agg"]),
            "export": lambda: gateway.export_data(["webhook_token"]),
            "export, by a path": lambda: sender.export_data(["gateway_id/webhook_token"]),
            "write": lambda: gateway.write({"webhook_token": "mine"}),
        }

    def test_p9_no_route_leads_to_the_secret_of_the_addresses(self):
        for kind in ("plain", "manager"):
            for route, take in self.routes(self.env(user=self.users[kind])).items():
                with self.subTest(route, user=kind), self.assertRaises(AccessError):
                    take()

    def test_p9_the_administrator_reads_it(self):
        gateway = self.gateway.with_user(self.users["admin"])
        self.assertTrue(gateway.webhook_token)
        self.assertIn(gateway.webhook_token, gateway.inbound_url)

    def test_p9_the_field_is_not_even_named_to_others(self):
        for kind in ("plain", "salesman", "manager"):
            Gateway = self.env["sms.gateway"].with_user(self.users[kind])
            self.assertNotIn("webhook_token", Gateway.fields_get())
            self.assertNotIn("inbound_url", Gateway.fields_get())
            for view in ("form", "list", "kanban", "search"):
                arch = Gateway.get_view(view_type=view)["arch"]
                self.assertNotIn("webhook_token", arch)
                self.assertNotIn("credentials", arch)

    def test_p9_a_copy_gets_a_secret_of_its_own(self):
        copy = self.gateway.copy()
        self.assertNotEqual(copy.webhook_token, self.gateway.webhook_token)
        self.assertEqual(copy.state, "disabled", "until somebody has looked at it")

    @classmethod
    def _request_handler(cls, session, request, /, **options):
        """Odoo's tests change the time limits; nobody listens there anyway."""
        return _super_send(session, request, **options)

    def test_p9_no_credentials_in_an_error(self):
        """P9: neither in its words nor in the traceback that the browser gets to see."""
        secret = "hunter2"
        request = SendRequest(
            (),
            "POST",
            f"http://user:{secret}@127.0.0.1:1/send?password={secret}",
            headers={"Authorization": secret},
            data={"password": secret},
        )
        adapter = type(self.env["sms.gateway.adapter.none"])
        for action, hook in (
            ("action_test_connection", "_prepare_test_request"),
            ("action_refresh_balance", "_prepare_balance_request"),
        ):
            with (
                self.subTest(action),
                patch.object(adapter, hook, lambda *args: request),
            ):
                try:
                    getattr(self.gateway, action)()
                except UserError as error:
                    told = "".join(traceback.format_exception(error))
                self.assertIn("does not answer", told)
                self.assertNotIn(secret, told)
                self.assertNotIn(base64.b64encode(f"user:{secret}".encode()).decode(), told)

    def test_p9_the_chatter_of_a_gateway_tells_no_secret(self):
        token = self.gateway.webhook_token
        self.gateway.write({"state": "test", "webhook_token": "another"})
        self.env.flush_all()
        self.cr.precommit.run()
        values = self.gateway.message_ids.sudo().tracking_value_ids
        self.assertEqual(set(values.field_id.mapped("name")) & {"webhook_token"}, set())
        told = str([(v.old_value_char, v.new_value_char) for v in values])
        self.assertNotIn(token, told)
        self.assertNotIn("another", told)

    def test_p9_a_neutralised_copy_sends_nothing_and_knows_nothing(self):
        """P9: the file is run as Odoo runs it."""
        waiting = self.create_text()
        webhook = Webhook("inbound", "POST", "x", query=(("secret", "hunter2"),), body=b"[]")
        self.env["sms.gateway.event"]._store(self.gateway, webhook, "key")
        token = self.gateway.webhook_token
        path = pathlib.Path(get_module_path("sms_gateway"), "data", "neutralize.sql")
        self.env.flush_all()
        savepoint = self.cr.savepoint()
        self.cr.execute(path.read_text())
        self.env.invalidate_all()
        self.assertEqual(set(self.env["sms.gateway"].search([]).mapped("state")), {"disabled"})
        self.assertNotEqual(self.gateway.webhook_token, token)
        tokens = self.env["sms.gateway"].with_context(active_test=False).search([])
        self.assertEqual(len(set(tokens.mapped("webhook_token"))), len(tokens))
        token = self.gateway.webhook_token
        self.assertEqual(self.gateway._find_by_token(token), self.gateway, "enabled, it answers")
        self.assertFalse(self.env["sms.sms"].search([("state", "=", "outgoing")]))
        self.assertEqual(waiting.message_id.state, "cancelled")
        self.cr.execute("SELECT count(*) FROM sms_gateway_event WHERE payload LIKE '%hunter2%'")
        self.assertEqual(self.cr.fetchone(), (0,))
        with self.provider() as provider, self.webhooks():
            self.run_lanes()
            self.run_events()
        self.assertFalse(provider.sent)
        savepoint.close(rollback=True)
        self.env.invalidate_all()
