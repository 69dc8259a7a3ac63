from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import HttpCase, JsonRpcException, new_test_user, tagged
from odoo.tools import mute_logger

from ..models.contact_center_service import KEPT
from .common import CALLER, ContactCenterCase

AGENT = "contact_center.group_agent"
SUPERVISOR = "contact_center.group_supervisor"

#: An agent of the service, one of another service, those above them, one of another company.
LEADERS = ("supervisor", "admin")
INSIDE = ("agent", "colleague", *LEADERS)
KINDS = (*INSIDE, "plain", "stranger", "portal", "public")
OPERATIONS = ("read", "write", "create", "unlink")

SET_UP = {"write": LEADERS, "create": LEADERS, "unlink": LEADERS}
LOG = {"read": ("admin",), "write": ("admin",), "create": (), "unlink": ()}
#: P11. Who may do what with a record; all others of the kinds above may not.
RIGHTS = {
    "connector": {
        "read": LEADERS,
        "write": ("admin",),
        "create": ("admin",),
        "unlink": ("admin",),
    },
    "service": {"read": ("agent", *LEADERS), **SET_UP},
    "everybody's service": {"read": INSIDE, **SET_UP},
    "person": {"read": INSIDE, **SET_UP},
    "call": {"read": ("agent", *LEADERS), "write": (), "create": (), "unlink": ("admin",)},
    "other's call": {"read": LEADERS, "write": (), "create": (), "unlink": ("admin",)},
    "callback": {
        "read": ("agent", *LEADERS),
        "write": ("agent", *LEADERS),
        "create": ("agent", *LEADERS),
        "unlink": ("admin",),
    },
    "everybody's callback": {
        "read": INSIDE,
        "write": INSIDE,
        "create": INSIDE,
        "unlink": ("admin",),
    },
    "event": LOG,
    "delivery": LOG,
}
SECRETS = ("token_hash", "signing_secret", "outbound_secret")


class AccessCase(ContactCenterCase):
    """An exchange with a service of one agent and one of everybody, and all kinds of users."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.create_users()
        cls.person = cls.env["contact.center.agent"].create(
            {
                "name": "Agent",
                "external_id": "PJSIP/1",
                "connector_id": cls.connector.id,
                "user_id": cls.users["agent"].id,
            }
        )
        cls.service.agent_ids = cls.person
        cls.everybodys = cls.create_service("Sales", "sales")
        cls.create_records()

    @classmethod
    def create_users(cls):
        groups = {
            "agent": AGENT,
            "colleague": AGENT,
            "supervisor": SUPERVISOR,
            "admin": "base.group_system",
            "plain": "base.group_user",
        }
        cls.users = {
            kind: cls.create_user(kind, group, cls.company) for kind, group in groups.items()
        }
        other = cls.env["res.company"].create({"name": "Other"})
        cls.users["stranger"] = cls.create_user("stranger", "base.group_system", other)
        cls.users["portal"] = new_test_user(cls.env, "cc_portal", groups="base.group_portal")
        cls.users["public"] = cls.env.ref("base.public_user")

    @classmethod
    def create_user(cls, kind, group, company):
        company_ids = [Command.set(company.ids)]
        return new_test_user(
            cls.env, f"cc_{kind}", groups=group, company_id=company.id, company_ids=company_ids
        )

    @classmethod
    def create_records(cls):
        call = {"connector_id": cls.connector.id, "service_id": cls.service.id}
        calls = cls.env["contact.center.call"].create(
            [
                {**call, "external_id": "mine", "agent_id": cls.person.id},
                {**call, "external_id": "another's"},
            ]
        )
        callbacks = cls.env["contact.center.callback"].create(
            [
                {"service_id": cls.service.id, "number": CALLER},
                {"service_id": cls.everybodys.id, "number": CALLER},
            ]
        )
        cls.callback = callbacks[0]
        event = cls.env["contact.center.event"].create(
            {
                "connector_id": cls.connector.id,
                "event_id": "e-access",
                "type": "call.queued",
                "occurred_at": "2026-11-25 12:00:00",
            }
        )
        delivery = cls.env["contact.center.delivery"].create(
            {"connector_id": cls.connector.id, "uuid": "msg_access", "type": "callback.cancelled"}
        )
        cls.records = {
            "connector": cls.connector,
            "service": cls.service,
            "everybody's service": cls.everybodys,
            "person": cls.person,
            "call": calls[0],
            "other's call": calls[1],
            "callback": callbacks[0],
            "everybody's callback": callbacks[1],
            "event": event,
            "delivery": delivery,
        }

    def seen_by(self, kind, record):
        """The record as a user of a kind has it when he calls from outside."""
        user = self.users[kind]
        company_ids = user.company_ids.ids
        env = self.env(user=user, su=False, context={"allowed_company_ids": company_ids})
        return env[record._name].browse(record.ids)


@tagged("post_install", "-at_install")
class TestAccess(AccessCase):
    """P11: everybody sees what he works with."""

    def test_p11_rights(self):
        """P11: the matrix of kinds of users, records and operations."""
        for name, record in self.records.items():
            for operation in OPERATIONS:
                allowed = {
                    kind for kind in KINDS if self.seen_by(kind, record).has_access(operation)
                }
                with self.subTest(record=name, operation=operation):
                    self.assertEqual(allowed, set(RIGHTS[name][operation]))

    def test_searches_find_what_may_be_read(self):
        """P11: what may not be read is not found either."""
        for kind in INSIDE:
            for name, record in self.records.items():
                if not self.seen_by(kind, record.browse()).has_access("read"):
                    continue
                found = self.seen_by(kind, record).search([("id", "=", record.id)])
                with self.subTest(kind=kind, record=name):
                    self.assertEqual(bool(found), kind in RIGHTS[name]["read"])

    def test_p9_secrets_are_the_administrators(self):
        """P9: neither read, nor searched, nor exported by others."""
        for kind in ("agent", "supervisor"):
            connector = self.seen_by(kind, self.connector)
            for name in SECRETS:
                with self.subTest(kind=kind, field=name), self.assertRaises(AccessError):
                    connector.read([name])
                with self.subTest(kind=kind, search=name), self.assertRaises(AccessError):
                    connector.search([(name, "!=", False)])
                with self.subTest(kind=kind, export=name), self.assertRaises(UserError):
                    connector.export_data([name])

    def test_p9_a_token_is_made_by_administrators(self):
        """P9: and shown in a window that keeps nothing of it."""
        with self.assertRaises(AccessError):
            self.seen_by("supervisor", self.connector).action_new_token()
        connector = self.seen_by("admin", self.connector)
        action = connector.action_new_token()
        token = action["context"]["default_token"]
        self.assertEqual(connector._find_by_token(token), self.connector)
        wizard = connector.env["contact.center.token"].with_context(**action["context"]).create({})
        self.assertIn(token, wizard.bearer)
        wizard.invalidate_recordset()
        self.assertFalse(self.env[wizard._name].browse(wizard.id).token)

    def test_an_agent_works_on_a_callback(self):
        """R085: take, not reached, take, done; and the chatter beside it."""
        self.service.max_attempts = 2
        callback = self.seen_by("agent", self.callback)
        callback.action_claim()
        callback.action_not_reached()
        callback.action_claim()
        callback.note = "Reached his wife"
        callback.message_post(body="Called")
        callback.activity_schedule("mail.mail_activity_data_todo", user_id=callback.env.uid)
        callback.action_done()
        self.assertEqual(callback.state, "completed")
        self.assertEqual(self.callback.user_id, self.users["agent"])

    def test_who_cancels_is_kept(self):
        """An agent's *Cancel* is not counted as a supervisor's."""
        for kind, reason in (("agent", "by_agent"), ("supervisor", "supervisor")):
            callback = self.create_callback("+4790612377")
            self.seen_by(kind, callback).action_cancel()
            with self.subTest(kind=kind):
                self.assertEqual((callback.state, callback.close_reason), ("cancelled", reason))

    def test_a_service_s_figures_are_the_exchange_s(self):
        """P11: who sets up a service enters none of them, be it as a default."""
        service = self.seen_by("supervisor", self.service)
        service.default_aht_seconds = 200
        for name in KEPT:
            with self.subTest(field=name), self.assertRaises(AccessError):
                service.write({"name": "Both", name: False})
        created = service.with_context(default_waiting_count=7).create(
            {"name": "New", "code": "new"}
        )
        self.assertEqual(created.waiting_count, 0)
        with self.assertRaises(AccessError):
            service.create({"name": "Newer", "code": "newer", "waiting_count": 7})

    def test_an_agent_works_on_his_services_only(self):
        for method in ("action_claim", "action_cancel"):
            with self.subTest(method=method), self.assertRaises(AccessError):
                getattr(self.seen_by("colleague", self.callback), method)()

    def test_an_agent_sees_the_board(self):
        """Its figures need no right to the calls they are made of."""
        service = self.seen_by("agent", self.service)
        self.assertEqual(service.callback_count, 1)
        self.assertTrue(service.wait_text)
        self.assertTrue(service.wait_explained)
        self.assertEqual(service.hours_text, "Always open")


@tagged("post_install", "-at_install")
class TestCalls(AccessCase, HttpCase):
    """What an agent calls from outside the forms."""

    def setUp(self):
        super().setUp()
        self.authenticate("cc_agent", "cc_agent")

    def call(self, method, *args, **kwargs):
        params = {
            "model": "contact.center.callback",
            "method": method,
            "args": list(args),
            "kwargs": kwargs,
        }
        return self.make_jsonrpc_request(f"/web/dataset/call_kw/{method}", params)

    def refuse(self, method, *args, **kwargs):
        with mute_logger("odoo.http"), self.assertRaisesRegex(JsonRpcException, "AccessError"):
            self.call(method, *args, **kwargs)

    def test_what_actions_do_cannot_be_written(self):
        """P11: state, figures and place follow from what is done."""
        for values in (
            {"state": "completed"},
            {"position": 1},
            {"priority": 9},
            {"queued_at": "2020-01-01 00:00:00"},
            {"close_reason": "sms_reply"},
            {"user_id": self.users["colleague"].id},
            {"service_id": self.everybodys.id},
            {"note": "Both", "attempts": 0},
        ):
            with self.subTest(values=values):
                self.refuse("write", self.callback.ids, values)
        self.assertEqual(self.callback.state, "waiting")

    def test_what_is_entered_can_be_written(self):
        self.call("write", self.callback.ids, {"name": "Anna", "note": "Call her mobile"})
        self.assertEqual(self.callback.note, "Call her mobile")

    def test_a_callback_is_created_by_hand(self):
        """Neither values nor defaults make it more than a new one."""
        values = {"service_id": self.service.id, "number": "90 61 23 46", "note": "By mail"}
        context = {"default_state": "completed", "default_position": 1, "default_priority": 5}
        (created,) = self.call("create", [values], context=context)
        callback = self.callback.browse(created)
        self.assertEqual((callback.state, callback.number), ("waiting", "+4790612346"))
        self.assertEqual((callback.position, callback.priority), (2, 0))
        self.refuse("create", [{**values, "number": "90612347", "state": "completed"}])

    def test_what_actions_do_cannot_be_imported(self):
        """P11: an import is many writes."""
        columns = ["service_id/.id", "number", "state"]
        rows = [[str(self.service.id), "90612348", "completed"]]
        answer = self.call("load", columns, rows)
        self.assertFalse(answer["ids"])
        self.assertIn("cannot be entered", answer["messages"][0]["message"])
