import json
from contextlib import contextmanager
from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import HttpCase, JsonRpcException, new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.mail.tools.discuss import Store
from odoo.addons.sms_gateway.engine.contract import InboundText
from odoo.addons.sms_gateway.tests.common import CUSTOMER, SmsGatewayCase

UNKNOWN = "+4799887766"
NEW = "+4798765432"
PICTURE = "R0lGODlhAQABAIAAAP///wAAACwAAAAAAQABAAACAkQBADs="
SALES = "sales_team.group_sale_salesman"

#: Kinds of users: the number's own seller, one of its team, its team's leader, and so on.
INSIDE = ("owner", "colleague", "leader", "manager", "admin")
OUTSIDE = ("outsider", "plain", "portal", "stranger")

#: P11 and R126. Who may do what with a conversation and with the inbox of a number:
#: the operation, those who may; all others of the kinds above may not.
#: The one to whom a conversation on another's number is assigned sees it and works on it, but he
#: does not write with that number, nor see what else comes to it.
MATRIX = {
    "read": (*INSIDE, "assignee"),
    "read the texts": (*INSIDE, "assignee"),
    "read the ledger": (*INSIDE, "assignee"),
    "post": INSIDE,
    "move": (*INSIDE, "assignee"),
    "assign": (*INSIDE, "assignee"),
    "mark as done": (*INSIDE, "assignee"),
    "create": INSIDE,
    "see the inbox": INSIDE,
    "take out of the inbox": INSIDE,
    "handle": INSIDE,
}
KINDS = (*INSIDE, "assignee", *OUTSIDE)
#: Refused in words that say what to do, not as an attempt.
IN_WORDS = {("post", "assignee")}


class AccessCase(SmsGatewayCase):
    """A number of a seller and his team, one conversation on it, and one text in its inbox."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["crm.lead"].search([("phone_sanitized", "=", CUSTOMER)]).phone = False
        cls.env["res.partner"].search([("phone_sanitized", "=", CUSTOMER)]).phone = False
        cls.partner.phone = CUSTOMER
        cls.target = cls.env["res.partner"].create({"name": "Berit Berg"})
        cls._create_users()
        cls.team = cls.env["crm.team"].create(
            {
                "name": "Roofs",
                "user_id": cls.users["leader"].id,
                "member_ids": [Command.set(cls.users["colleague"].ids)],
            }
        )
        cls.sender.write({"user_ids": cls.users["owner"].ids, "team_id": cls.team.id})
        cls.other_sender = cls._create_sender(
            "Hers",
            "dedicated",
            "59445066",
            user_ids=cls.users["outsider"].ids,
            inbound_enabled=True,
        )
        cls.text = cls.receive("When do you come?", CUSTOMER)
        cls.channel = cls.text.conversation_id
        cls.post = cls.text.conversation_message_id
        cls.waiting = cls.receive("Who are you?", UNKNOWN)
        cls.channel.sms_user_id = cls.users["assignee"]
        cls.env.flush_all()

    @classmethod
    def _create_users(cls):
        right = f"sms_gateway.group_sms_user,{SALES}"
        cls.users = {
            kind: new_test_user(cls.env, f"sms_{kind}", groups=groups)
            for kind, groups in {
                "owner": right,
                "colleague": right,
                "leader": right,
                "assignee": right,
                "outsider": f"{right},base.group_partner_manager",
                "manager": f"sms_gateway.group_sms_manager,{SALES}",
                "admin": "base.group_system,sales_team.group_sale_manager",
                "plain": f"base.group_user,{SALES}",
                "portal": "base.group_portal",
            }.items()
        }
        cls.other_company = cls.env["res.company"].create({"name": "Other"})
        cls.users["stranger"] = new_test_user(
            cls.env,
            "sms_stranger",
            groups="base.group_system,sales_team.group_sale_manager",
            company_id=cls.other_company.id,
            company_ids=[Command.set(cls.other_company.ids)],
        )

    @classmethod
    def receive(cls, body, number, sender=None):
        sender = sender or cls.sender
        ref = f"in-{cls.env['sms.sms']._new_uuid()}"
        text = InboundText(number=number, address=sender.address, body=body, provider_ref=ref)
        return cls.env["sms.message"]._receive(cls.gateway, [text])

    def records(self, kind, model, ids=()):
        """Records as a user of a kind has them when he calls from outside."""
        user = self.users[kind]
        env = self.env(user=user, su=False, context={"allowed_company_ids": user.company_ids.ids})
        return env[model].browse(ids)

    @contextmanager
    def tried(self):
        """What is done inside is undone."""
        self.env.flush_all()
        savepoint = self.cr.savepoint(flush=False)
        try:
            yield
        finally:
            self.env.invalidate_all()
            self.cr.precommit.clear()
            savepoint.close(rollback=True)
            self.env.invalidate_all()

    # === OPERATIONS === #

    def caller(self, kind):
        """What calls a method as a user of a kind; here over the ORM.

        :return: function of model, method, ids and named arguments, which returns what the
            method does, ids for records
        """

        def call(model, method, ids=(), /, **kwargs):
            result = getattr(self.records(kind, model, ids), method)(**kwargs)
            return result.ids if hasattr(result, "ids") else result

        return call

    def do(self, operation, call):
        """Do an operation of the matrix.

        :param call: what ``caller`` returns
        """
        name = "do_" + operation.replace(" ", "_")
        return getattr(self, name)(call)

    def check_matrix(self):
        for operation, allowed in MATRIX.items():
            for kind in KINDS:
                with self.subTest(operation, user=kind), self.tried():
                    self.check(operation, kind, kind in allowed)

    def check(self, operation, kind, allowed):
        if allowed:
            return self.do(operation, self.caller(kind))
        error = UserError if (operation, kind) in IN_WORDS else AccessError
        with self.assertRaises(error):
            self.do(operation, self.caller(kind))

    def do_read(self, call):
        call("discuss.channel", "read", self.channel.ids, fields=["name", "sms_number"])

    def do_read_the_texts(self, call):
        call("mail.message", "read", self.post.ids, fields=["body"])

    def do_read_the_ledger(self, call):
        call("sms.message", "read", self.text.ids, fields=["body"])

    def do_post(self, call):
        call(
            "discuss.channel",
            "message_post",
            self.channel.ids,
            body="On Friday",
            message_type="comment",
        )

    def do_move(self, call):
        values = {
            "channel_ids": [Command.set(self.channel.ids)],
            "record_ref": f"res.partner,{self.target.id}",
        }
        wizard = call("sms.conversation.move", "create", vals_list=[values])
        call("sms.conversation.move", "action_move", wizard)

    def do_assign(self, call):
        user_id = self.users["colleague"].id
        call("discuss.channel", "sms_assign", self.channel.ids, user_id=user_id)

    def do_mark_as_done(self, call):
        call("discuss.channel", "action_sms_done", self.channel.ids)

    def do_create(self, call):
        call(
            "discuss.channel",
            "sms_open_conversation",
            model="res.partner",
            res_id=self.target.id,
            number=NEW,
            sender_id=self.sender.id,
        )

    def do_see_the_inbox(self, call):
        call("sms.message", "read", self.waiting.ids, fields=["body", "inbox_reason"])

    def do_take_out_of_the_inbox(self, call):
        call("sms.message", "action_set_handled", self.waiting.ids)

    def do_handle(self, call):
        values = {"message_id": self.waiting.id}
        wizard = call("sms.message.handle", "create", vals_list=[values])
        call("sms.message.handle", "action_not_for_us", wizard)


@tagged("post_install", "-at_install")
class TestAccessMatrix(AccessCase):
    """Who may do what, over the ORM."""

    def test_p11_r126_who_may_do_what(self):
        """P11, R126: whose number it is, his team and the managers; never another company."""
        self.check_matrix()

    def test_p11_searches_find_what_may_be_read_and_count_no_more(self):
        """P11: whatever is asked for, by whatever path."""
        searches = {
            "discuss.channel": ("read", [("sms_number", "=", CUSTOMER)], self.channel),
            "mail.message": ("read the texts", [("id", "=", self.post.id)], self.post),
            "sms.message": ("see the inbox", [("number", "=", UNKNOWN)], self.waiting),
        }
        for model, (operation, domain, records) in searches.items():
            for kind in KINDS:
                found = records.ids if kind in MATRIX[operation] else []
                Model = self.records(kind, model)
                with self.subTest(model, user=kind):
                    if not Model.has_access("read"):
                        self.assertFalse(found)
                        continue
                    self.assertEqual(Model.search(domain).ids, found)
                    self.assertEqual(Model.search_count(domain), len(found))
                    [(count,)] = Model._read_group(domain, [], ["__count"])
                    self.assertEqual(count, len(found))

    def test_p11_the_last_text_is_no_way_round(self):
        """P11: a conversation cannot be found by its text."""
        domain = [("sms_last_message_id.body", "ilike", "When do you come")]
        self.assertTrue(self.records("owner", "discuss.channel").search(domain))
        for kind in OUTSIDE:
            with self.subTest(user=kind):
                try:
                    found = self.records(kind, "discuss.channel").search(domain)
                except AccessError:
                    continue
                self.assertFalse(found)

    def test_p11_r114_who_lost_the_right_sees_no_conversation_any_more(self):
        """P11, R114: nor does who left the company; he was a member."""
        member = self.users["owner"]
        self.assertIn(member.partner_id, self.channel.channel_member_ids.partner_id)
        for loss in (
            {"group_ids": [Command.set([self.env.ref("base.group_user").id])]},
            {
                "company_ids": [Command.set(self.other_company.ids)],
                "company_id": self.other_company.id,
            },
        ):
            with self.subTest(loss), self.tried():
                self.assertTrue(self.records("owner", "discuss.channel", self.channel.id).name)
                member.write(loss)
                self.env.flush_all()
                for operation in ("read", "read the texts", "post", "assign"):
                    with self.subTest(operation), self.assertRaises(AccessError):
                        self.do(operation, self.caller("owner"))
            self.registry.clear_cache()  # the rules of what was undone

    def test_p11_no_method_helps_who_may_not_read(self):
        """P11: every button and method of a conversation and of a text."""
        template = self.env["sms.template"].create(
            {
                "name": "Hello",
                "body": "Hello",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
            }
        )
        methods = {
            "discuss.channel": {
                "action_sms_open": {},
                "action_sms_open_record": {},
                "action_sms_done": {},
                "action_sms_reopen": {},
                "action_sms_assign_to_me": {},
                "sms_assign": {"user_id": False},
                "sms_get_templates": {},
                "sms_render_template": {"template_id": template.id},
            },
            "sms.message": {
                "action_set_handled": {},
                "action_open_conversation": {},
                "action_handle": {},
                "action_not_for_us": {},
                "action_opt_out": {},
                "action_create_lead": {},
                "action_move": {},
            },
        }
        records = {"discuss.channel": self.channel, "sms.message": self.text}
        for model, arguments in methods.items():
            for name, kwargs in arguments.items():
                with self.subTest(name, user="owner"), self.tried():
                    self.caller("owner")(model, name, records[model].ids, **kwargs)
                for kind in OUTSIDE:
                    with self.subTest(name, user=kind), self.tried():
                        with self.assertRaises(AccessError):
                            self.caller(kind)(model, name, records[model].ids, **kwargs)


@tagged("post_install", "-at_install")
class TestAccessOverRpc(AccessCase, HttpCase):
    """Who may do what, from outside: the JSON-2 API."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        tomorrow = fields.Datetime.now() + timedelta(hours=20)
        cls.keys = {
            kind: cls.env(user=user)["res.users.apikeys"].sudo()._generate("rpc", "test", tomorrow)
            for kind, user in cls.users.items()
        }

    def caller(self, kind):
        def call(model, method, ids=(), /, **kwargs):
            response = self.url_open(
                f"/json/2/{model}/{method}",
                data=json.dumps({"ids": list(ids), **kwargs}),
                headers={
                    "Authorization": f"bearer {self.keys[kind]}",
                    "Content-Type": "application/json",
                    "X-Odoo-Database": self.cr.dbname,
                },
            )
            return self.unpack(response)

        return call

    def unpack(self, response):
        errors = {403: AccessError, 422: UserError}
        if response.status_code == 200:
            return response.json()
        self.assertIn(response.status_code, errors, response.text)
        raise errors[response.status_code](response.json()["message"])

    @mute_logger("odoo.http")
    def test_p11_r126_who_may_do_what_over_rpc(self):
        """P11, R126: the same as in Odoo's own pages."""
        self.check_matrix()


@tagged("post_install", "-at_install")
class TestAccessByDiscuss(AccessCase, HttpCase):
    """Who may do what, over the routes of Discuss."""

    #: Routes that give what only readers may see.
    READING = {
        "/discuss/channel/messages": "channel_id",
        "/discuss/channel/pinned_messages": "channel_id",
        "/discuss/channel/attachments": "channel_id",
        "/discuss/channel/join": "channel_id",
        "/discuss/channel/sub_channel/fetch": "parent_channel_id",
    }

    def log_in(self, kind):
        user = self.users[kind]
        self.authenticate(user.login, user.login)

    def ask(self, route, **params):
        with mute_logger("odoo.http"):
            return self.make_jsonrpc_request(route, params)

    def send(self, body, **data):
        data = {"message_type": "comment", "subtype_xmlid": "mail.mt_comment", **data}
        return self.ask(
            "/mail/message/post",
            thread_model="discuss.channel",
            thread_id=self.channel.id,
            post_data={"body": body, **data},
        )

    def test_p11_r126_who_may_write_in_discuss(self):
        """P11, R126: what one may not send leaves neither a text nor a message."""
        for kind in KINDS:
            self.log_in(kind)
            with self.subTest(user=kind), self.tried():
                texts = self.env["sms.message"].search_count([("number", "=", CUSTOMER)])
                posts = len(self.channel.message_ids)
                allowed = kind in MATRIX["post"]
                if allowed:
                    self.send("On Friday")
                else:
                    with self.assertRaises(JsonRpcException):
                        self.send("On Friday")
                self.env.invalidate_all()
                found = self.env["sms.message"].search_count([("number", "=", CUSTOMER)])
                self.assertEqual(found - texts, allowed)
                self.assertEqual(len(self.channel.message_ids) - posts, allowed)

    def test_p11_who_may_read_in_discuss(self):
        for kind in KINDS:
            self.log_in(kind)
            if kind in MATRIX["read"]:
                with self.subTest(user=kind):
                    params = {"channel_id": self.channel.id}
                    result = self.ask("/discuss/channel/messages", **params)
                    self.assertIn(self.post.id, result["messages"])
                continue
            for route, name in self.READING.items():
                with self.subTest(route, user=kind), self.assertRaises(JsonRpcException):
                    self.ask(route, **{name: self.channel.id})

    def test_p11_the_store_tells_of_what_may_be_read(self):
        for kind in KINDS:
            self.log_in(kind)
            with self.subTest(user=kind):
                data = self.ask("/mail/data", fetch_params=[["discuss.channel", [self.channel.id]]])
                told = json.dumps(data)
                assert_told = self.assertIn if kind in MATRIX["read"] else self.assertNotIn
                assert_told(CUSTOMER, told)

    def test_p11_who_may_listen(self):
        """P11: the bus brings a conversation's texts to those who may read it."""
        for kind in KINDS:
            self.log_in(kind)
            with self.subTest(user=kind):
                result = self.ask(
                    "/websocket/peek_notifications",
                    channels=[f"discuss.channel_{self.channel.id}"],
                    last=0,
                    is_first_poll=True,
                )
                heard = [self.cr.dbname, "discuss.channel", self.channel.id] in result["channels"]
                self.assertEqual(heard, kind in MATRIX["read"])

    def test_there_is_no_link_by_which_strangers_join(self):
        self.assertFalse(self.channel.uuid)
        members = self.channel.channel_member_ids
        for token in ("False", "None", "null", "0", "x"):
            for kind in (None, "portal", "plain", "outsider"):
                if kind:
                    self.log_in(kind)
                else:
                    self.authenticate(None, None)
                with self.subTest(token, user=kind):
                    response = self.url_open(f"/chat/{self.channel.id}/{token}")
                    self.assertEqual(response.status_code, 404)
                    response = self.url_open(f"/discuss/channel/{self.channel.id}")
                    self.assertEqual(response.status_code, 404)
        self.env.invalidate_all()
        self.assertEqual(self.channel.channel_member_ids, members)

    def test_a_text_cannot_be_edited_or_deleted_in_discuss(self):
        """As if it had not been sent: neither one's own, nor by an administrator."""
        self.log_in("owner")
        mine = self.env["mail.message"].browse(self.send("On Friday")["message_id"])
        for kind in ("owner", "colleague", "manager", "admin"):
            self.log_in(kind)
            for message in (mine, self.post):
                for body in ("On Monday", ""):
                    body_before = message.body
                    with self.subTest(user=kind, body=body):
                        with self.assertRaises(JsonRpcException):
                            self.ask(
                                "/mail/message/update_content",
                                message_id=message.id,
                                update_data={"body": body, "attachment_ids": []},
                            )
                        message.invalidate_recordset()
                        self.assertEqual(message.body, body_before)

    def test_a_page_posts_nothing_in_the_customers_name(self):
        """Whatever the kind of the message: it goes out as a text, or not at all."""
        self.log_in("owner")
        for message_type in ("comment", "sms", "email", "notification", "auto_comment"):
            with self.subTest(message_type), self.tried():
                sent = self.send(
                    "I accept",
                    message_type=message_type,
                    author_id=self.partner.id,
                    email_from="anna@example.com",
                )
                message = self.env["mail.message"].browse(sent["message_id"])
                self.assertEqual(message.author_id, self.users["owner"].partner_id)
                self.assertTrue(message.sms_text_ids)
                self.assertEqual(message.message_type, "sms")

    def test_a_page_makes_up_no_line_of_discuss(self):
        """Such as who joined: it is the only message that is not sent."""
        self.log_in("owner")
        for message_type in ("comment", "notification"):
            with self.subTest(message_type), self.tried():
                sent = self.send(
                    "<div class='o_mail_notification'>I accept</div>", message_type=message_type
                )
                message = self.env["mail.message"].browse(sent["message_id"])
                self.assertEqual(message.sms_text_ids.body, "I accept")

    def test_nobody_changes_the_picture_or_begins_threads(self):
        self.log_in("owner")
        before = self.channel.image_128
        with self.assertRaises(JsonRpcException):
            self.ask("/discuss/channel/update_avatar", channel_id=self.channel.id, data=PICTURE)
        with self.assertRaises(JsonRpcException):
            self.ask(
                "/discuss/channel/sub_channel/create",
                parent_channel_id=self.channel.id,
                from_message_id=self.post.id,
            )
        self.env.invalidate_all()
        self.assertEqual(self.channel.image_128, before)
        self.assertFalse(self.channel.sub_channel_ids)


@tagged("post_install", "-at_install")
class TestAccessPastTheMethods(AccessCase):
    """What may be done by the buttons only is done by no other road."""

    # === CONVERSATIONS === #

    def get_beginnings(self, Channel):
        """Ways to begin a conversation on any number of ours."""
        values = {
            "name": "Mine",
            "channel_type": "sms",
            "sms_number": NEW,
            "sms_sender_id": self.sender.id,
        }
        defaults = Channel.with_context(**{f"default_{name}": v for name, v in values.items()})
        return {
            "create": lambda: Channel.create(values),
            "without a pair": lambda: Channel.create({"name": "x", "channel_type": "sms"}),
            "defaults of the context": lambda: defaults.create({"name": "Mine"}),
            "name_create": lambda: defaults.name_create("Mine"),
            "copy": lambda: Channel.browse(self.channel.id).copy({"sms_number": NEW}),
            "below another": lambda: Channel.create(
                {
                    "name": "x",
                    "channel_type": "group",
                    "sub_channel_ids": [Command.create(values)],
                }
            ),
            "a group with a number": lambda: Channel.create(
                {"name": "x", "channel_type": "group", "sms_number": NEW}
            ),
            "a group with a number by defaults": lambda: Channel.with_context(
                default_sms_sender_id=self.sender.id, default_sms_number=NEW
            ).create({"name": "x", "channel_type": "group"}),
        }

    def test_p11_nobody_begins_a_conversation_but_by_opening_it(self):
        """P11: not even on a number of his own."""
        for kind in ("owner", "outsider", "plain", "manager", "admin", "stranger"):
            for way, begin in self.get_beginnings(self.records(kind, "discuss.channel")).items():
                with self.subTest(way, user=kind), self.tried():
                    with self.assertRaises(AccessError):
                        begin()

    def test_p11_nobody_opens_a_conversation_on_anothers_number(self):
        """P11: nor takes over the one that is there."""
        for kind, sender in (("outsider", self.sender), ("owner", self.other_sender)):
            Channel = self.records(kind, "discuss.channel")
            for number in (NEW, CUSTOMER):
                with self.subTest(user=kind, number=number), self.assertRaises(AccessError):
                    Channel.sms_open_conversation(
                        "res.partner", self.partner.id, number=number, sender_id=sender.id
                    )

    def test_p11_opening_chooses_no_number_of_another(self):
        """P11: the latest conversation with the customer is on a number that is not his."""
        Channel = self.records("outsider", "discuss.channel")
        channel = Channel.browse(Channel.sms_open_conversation("res.partner", self.partner.id))
        self.assertEqual(channel.sms_sender_id, self.other_sender)

    def test_p11_a_record_that_may_not_be_read_opens_nothing(self):
        lead = self.create_foreign_lead()
        with self.assertRaises(AccessError):
            self.records("owner", "discuss.channel").sms_open_conversation(
                "crm.lead", lead.id, number=NEW, sender_id=self.sender.id
            )

    def create_foreign_lead(self):
        """A lead that only its salesman, and managers, may read."""
        return self.env["crm.lead"].create(
            {
                "name": "Secret roof",
                "contact_name": "Ola",
                "user_id": self.users["outsider"].id,
                "phone": NEW,
            }
        )

    #: What members and managers may not write: most of it has a button.
    WRITES = {
        "name": "Somebody",
        "uuid": "0123456789",
        "active": False,
        "description": "Ours",
        "image_128": PICTURE,
        "channel_type": "sms",
        "default_display_mode": "video_full_screen",
        "group_public_id": False,
        "channel_member_ids": [Command.clear()],
        "sms_number": NEW,
        "sms_res_model": "crm.lead",
        "sms_res_id": 1,
        "sms_user_id": False,
        "sms_team_id": False,
        "sms_partner_id": False,
        "sms_state": "done",
        "sms_waiting_since": False,
        "sms_last_message_id": False,
        "sms_move_id": False,
    }

    def test_p11_nobody_writes_past_the_buttons(self):
        """P11: whose it is, whom it is with, who is in it."""
        self.assertIn(
            self.users["owner"].partner_id, self.channel.channel_member_ids.partner_id, "a member"
        )
        writes = {**self.WRITES, "sms_sender_id": self.other_sender.id}
        for kind in ("owner", "colleague", "outsider", "plain", "manager", "admin", "stranger"):
            channel = self.records(kind, "discuss.channel", self.channel.ids)
            for name, value in writes.items():
                with self.subTest(name, user=kind), self.tried():
                    with self.assertRaises(AccessError):
                        channel.write({name: value})

    def test_nobody_renames_describes_or_deletes_a_conversation(self):
        for kind in ("owner", "colleague", "outsider", "manager"):
            channel = self.records(kind, "discuss.channel", self.channel.ids)
            for act in (
                lambda channel=channel: channel.channel_rename("Mine"),
                lambda channel=channel: channel.channel_change_description("Mine"),
                lambda channel=channel: channel.unlink(),
            ):
                with self.subTest(user=kind), self.tried(), self.assertRaises(AccessError):
                    act()
        self.assertTrue(self.channel.exists())

    # === MEMBERS === #

    def test_p11_only_who_may_receive_texts_is_invited(self):
        """P11, R114: by a member, by an administrator, by whatever call."""
        guest = self.env["mail.guest"].create({"name": "Guest"})
        nobody = self.env["res.partner"].create({"name": "Nobody"})
        strangers = {
            **{kind: self.users[kind].partner_id for kind in ("plain", "portal", "stranger")},
            "no user": nobody,
            "the customer": self.partner,
        }
        for kind in ("owner", "admin"):
            channel = self.records(kind, "discuss.channel", self.channel.ids)
            Member = self.records(kind, "discuss.channel.member")
            for who, partner in strangers.items():
                values = {"channel_id": channel.id, "partner_id": partner.id}
                for invite in (
                    lambda c=channel, p=partner: c.add_members(partner_ids=p.ids),
                    lambda m=Member, v=values: m.create(v),
                ):
                    with self.subTest(who, user=kind), self.tried():
                        with self.assertRaises(AccessError):
                            invite()
            with self.subTest("guest", user=kind), self.tried(), self.assertRaises(AccessError):
                channel.add_members(guest_ids=guest.ids)
            with self.subTest("e-mail", user=kind), self.assertRaises(UserError):
                channel.invite_by_email(["someone@example.com"])
            with self.subTest("with the right", user=kind), self.tried():
                channel.add_members(partner_ids=self.users["outsider"].partner_id.ids)
                self.assertIn(
                    self.users["outsider"].partner_id, self.channel.channel_member_ids.partner_id
                )

    def test_p11_nobody_lets_himself_or_a_friend_in(self):
        """P11: who may not read it cannot become a member."""
        for kind in OUTSIDE:
            user = self.users[kind]
            channel = self.records(kind, "discuss.channel", self.channel.ids)
            Member = self.records(kind, "discuss.channel.member")
            partner = self.records(kind, "res.partner", user.partner_id.ids)
            for friend in (user.partner_id, self.users["assignee"].partner_id):
                values = {"channel_id": channel.id, "partner_id": friend.id}
                for way, enter in {
                    "join": lambda c=channel: c.channel_join(),
                    "add": lambda c=channel, f=friend: c.add_members(partner_ids=f.ids),
                    "create": lambda m=Member, v=values: m.create(v),
                    "partner": lambda p=partner, c=channel: p.write(
                        {"channel_ids": [Command.link(c.id)]}
                    ),
                    "partner's member": lambda p=partner, c=channel: p.write(
                        {"channel_member_ids": [Command.create({"channel_id": c.id})]}
                    ),
                }.items():
                    with self.subTest(way, user=kind), self.tried():
                        with self.assertRaises(AccessError):
                            enter()

    def test_p11_nobody_touches_the_members_of_anothers_conversation(self):
        member = self.channel.channel_member_ids.filtered(
            lambda m: m.partner_id == self.users["owner"].partner_id
        )
        self.assertTrue(member)
        for kind in OUTSIDE:
            mine = self.records(kind, "discuss.channel.member", member.ids)
            for touch in (
                lambda m=mine: m.write({"custom_channel_name": "x"}),
                lambda m=mine: m.unlink(),
            ):
                with self.subTest(user=kind), self.tried(), self.assertRaises(AccessError):
                    touch()

    # === TEXTS === #

    def post_as(self, kind, body="On Friday", **kwargs):
        channel = self.records(kind, "discuss.channel", self.channel.ids)
        kwargs = {"message_type": "comment", **kwargs}
        return channel.message_post(body=body, **kwargs)

    def test_a_text_cannot_be_edited_or_deleted(self):
        """As if it had not been sent, or received: by its author, a member, an administrator."""
        mine = self.post_as("owner").sudo()
        for kind in ("owner", "colleague", "manager", "admin"):
            for message in (mine, self.post):
                texts = self.records(kind, "mail.message", message.ids)
                for change in (
                    {"body": "On Monday"},
                    {"author_id": self.target.id},
                    {"email_from": "other@example.com"},
                    {"message_type": "comment"},
                    {"date": "2020-01-01 00:00:00"},
                    {"res_id": self.env.ref("mail.channel_all_employees").id},
                    {"model": "res.partner", "res_id": self.target.id},
                ):
                    with self.subTest(change, user=kind), self.tried():
                        with self.assertRaises(AccessError):
                            texts.write(change)
                with self.subTest("unlink", user=kind), self.tried():
                    with self.assertRaises(AccessError):
                        texts.unlink()

    def test_nobody_makes_a_text_that_was_not_sent(self):
        """Neither in his own nor in the customer's name."""
        values = {
            "model": "discuss.channel",
            "res_id": self.channel.id,
            "body": "I accept",
            "author_id": self.partner.id,
        }
        for kind in (*INSIDE, *OUTSIDE):
            Message = self.records(kind, "mail.message")
            elsewhere = self.env["mail.message"].create(
                {
                    "model": "res.partner",
                    "res_id": self.target.id,
                    "body": "I accept",
                    "author_id": self.users[kind].partner_id.id,
                }
            )
            for way, make in {
                "text": lambda m=Message: m.create({**values, "message_type": "sms"}),
                "comment": lambda m=Message: m.create({**values, "message_type": "comment"}),
                "defaults": lambda m=Message: m.with_context(
                    default_model="discuss.channel", default_res_id=self.channel.id
                ).create({"body": "x"}),
                "move": lambda m=Message, e=elsewhere: m.browse(e.id).write(
                    {"model": "discuss.channel", "res_id": self.channel.id}
                ),
                "notify": lambda k=kind: self.records(
                    k, "discuss.channel", self.channel.ids
                ).message_notify(
                    body="I accept",
                    author_id=self.partner.id,
                    partner_ids=self.users["manager"].partner_id.ids,
                ),
            }.items():
                with self.subTest(way, user=kind), self.tried():
                    with self.assertRaises(AccessError):
                        make()

    def test_nobody_writes_in_the_name_of_the_customer(self):
        """Whatever the kind of the message: it goes out as his own text, or not at all."""
        author = self.users["owner"].partner_id
        forged = {"author_id": self.partner.id, "email_from": "anna@example.com"}
        for message_type in ("comment", "sms", "email", "notification", "auto_comment"):
            with self.subTest(message_type), self.tried():
                message = self.post_as("owner", "I accept", message_type=message_type, **forged)
                self.assertEqual(message.author_id, author)
                self.assertNotIn("anna@example.com", message.email_from)
                self.assertTrue(message.sudo().sms_text_ids)
        with self.subTest("no kind"), self.tried():
            channel = self.records("owner", "discuss.channel", self.channel.ids)
            message = channel.message_post(body="I accept", **forged)
            self.assertEqual(message.author_id, author)
            self.assertTrue(message.sudo().sms_text_ids)

    def test_p11_nobody_writes_in_anothers_conversation(self):
        """P11: of whatever kind the message pretends to be."""
        for kind in OUTSIDE:
            for message_type in ("comment", "sms", "notification", "email"):
                with self.subTest(message_type, user=kind), self.tried():
                    with self.assertRaises(AccessError):
                        self.post_as(kind, message_type=message_type)

    # === WHAT IS ABOUT A CONVERSATION === #

    def test_p11_questions_and_candidates_are_read_with_their_texts(self):
        """P11: by search and by id."""
        prompt = self.env["sms.prompt"]._ask(self.partner, self.text)
        candidate = self.env["sms.message.candidate"].create(
            {
                "message_id": self.text.id,
                "res_model": "res.partner",
                "res_id": self.partner.id,
                "rank": 1,
            }
        )
        for record in (prompt, candidate):
            for kind in KINDS:
                with self.subTest(record._name, user=kind):
                    Model = self.records(kind, record._name)
                    allowed = kind in MATRIX["read the ledger"]
                    self.assertEqual(Model.browse(record.id).has_access("read"), allowed)
                    if Model.has_access("read"):
                        found = Model.search([("id", "=", record.id)])
                        self.assertEqual(bool(found), allowed)

    def test_p11_nobody_writes_questions_candidates_or_the_log(self):
        for kind in ("owner", "manager", "admin"):
            for model in (
                "sms.prompt",
                "sms.message.candidate",
                "sms.conversation.move.log",
                "sms.conversation.move.log.line",
            ):
                Model = self.records(kind, model)
                for operation in ("write", "create", "unlink"):
                    with self.subTest(model, user=kind, operation=operation):
                        self.assertFalse(Model.has_access(operation))

    def test_p11_no_wizard_shows_anothers_text(self):
        """P11: a wizard that is given one shows nothing of it."""
        for kind in OUTSIDE:
            for model, values, names in (
                (
                    "sms.message.handle",
                    {"message_id": self.waiting.id},
                    ["body", "number", "inbox_reason", "record_name"],
                ),
                (
                    "sms.message.handle",
                    {"message_id": self.waiting.id, "message_ids": [self.text.id]},
                    ["message_ids"],
                ),
                (
                    "sms.conversation.move",
                    {
                        "channel_ids": self.channel.ids,
                        "record_ref": f"res.partner,{self.target.id}",
                    },
                    ["from_names"],
                ),
                (
                    "sms.conversation.move",
                    {"message_ids": self.text.ids, "record_ref": f"res.partner,{self.target.id}"},
                    ["from_names"],
                ),
            ):
                with self.subTest(model, user=kind), self.tried():
                    self.check_shows_nothing(self.records(kind, model), values, names)
            with self.subTest("sms.conversation.open", user=kind), self.tried():
                Wizard = self.records(kind, "sms.conversation.open")
                with self.assertRaises(AccessError):
                    Wizard.with_context(default_channel_id=self.channel.id).default_get(
                        ["number_id"]
                    )

    def check_shows_nothing(self, Wizard, values, names):
        try:
            shown = Wizard.create(values).read(names)
        except AccessError:
            return
        told = str(shown)
        for secret in ("Who are you", UNKNOWN, "Unknown number", self.partner.name):
            self.assertNotIn(secret, told)
        self.assertFalse(any(value for name, value in shown[0].items() if name != "id" and value))

    def test_p11_the_name_of_a_record_is_told_to_its_readers(self):
        """P11: one may read the conversation and not the record it is on."""
        lead = self.create_foreign_lead()
        self.channel._sms_set_record(lead)
        self.text.write({"res_model": "crm.lead", "res_id": lead.id})
        candidate = self.env["sms.message.candidate"].create(
            {"message_id": self.text.id, "res_model": "crm.lead", "res_id": lead.id, "rank": 1}
        )
        self.env["crm.lead"].create({"name": "Roof of others", "phone": UNKNOWN})
        self.env.flush_all()
        for kind, readable in (("owner", False), ("colleague", False), ("admin", True)):
            channel = self.records(kind, "discuss.channel", self.channel.ids)
            text = self.records(kind, "sms.message", self.text.ids)
            told = {
                "conversation": channel.sms_record_name,
                "text": text.record_name,
                "candidate": self.records(kind, candidate._name, candidate.ids).record_name,
                "why": text.routing_why,
                "page": str(Store().add(channel).get_result()),
                "page, by sudo": str(Store().add(channel.sudo()).get_result()),
            }
            for where, words in told.items():
                with self.subTest(where, user=kind):
                    if readable and where != "why":
                        self.assertIn("Secret roof", words)
                    else:
                        self.assertNotIn("Secret roof", words or "")
            if not readable:
                with self.subTest("open", user=kind), self.assertRaises(AccessError):
                    channel.action_sms_open_record()
                with self.subTest("templates", user=kind), self.assertRaises(AccessError):
                    channel.sms_get_templates()

    def test_p11_a_move_tells_the_name_of_the_record_to_its_readers(self):
        """P11: of the members, to whom it is told live, only to those who may read the record."""
        self.channel._add_members(users=self.users["admin"], post_joined_message=False)
        self.assertIn(
            self.users["owner"].partner_id, self.channel.channel_member_ids.partner_id, "a member"
        )
        self.cr.precommit.run()
        Bus = self.env["bus.bus"].sudo()
        before = Bus.search([], order="id desc", limit=1).id or 0
        self.channel._sms_set_record(self.create_foreign_lead())
        self.cr.precommit.run()
        told = Bus.search([("id", ">", before), ("message", "ilike", "Secret roof")])
        channels = [json.loads(channel) for channel in told.mapped("channel")]
        self.assertEqual(
            channels, [[self.cr.dbname, "res.partner", self.users["admin"].partner_id.id]]
        )

    def test_p11_a_candidate_opens_for_its_readers(self):
        """P11: one may read the text and not the record."""
        candidate = self.env["sms.message.candidate"].create(
            {
                "message_id": self.text.id,
                "res_model": "crm.lead",
                "res_id": self.create_foreign_lead().id,
                "rank": 1,
            }
        )
        with self.assertRaises(AccessError):
            self.records("owner", candidate._name, candidate.ids).action_open_record()
        self.assertTrue(self.records("admin", candidate._name, candidate.ids).action_open_record())

    def test_p11_a_move_is_undone_by_who_may_read_the_conversation(self):
        """P11: nobody else changes its record."""
        self.do("move", self.caller("owner"))
        move = self.channel.sms_move_id
        self.assertTrue(move)
        for kind in OUTSIDE:
            with self.subTest(user=kind), self.assertRaises(AccessError):
                self.records(kind, move._name, move.ids).action_undo()
        self.assertFalse(move.undone_at)
        self.records("manager", move._name, move.ids).action_undo()
        self.assertTrue(move.undone_at)

    def test_p11_a_conversation_goes_to_no_record_that_may_not_be_read(self):
        lead = self.create_foreign_lead()
        Wizard = self.records("owner", "sms.conversation.move")
        with self.assertRaises(AccessError):
            Wizard.create(
                {"channel_ids": self.channel.ids, "record_ref": f"crm.lead,{lead.id}"}
            ).action_move()
        self.assertNotEqual(self.channel.sms_res_model, "crm.lead")

    def test_p11_the_count_on_a_record_is_of_what_may_be_read(self):
        for kind in KINDS:
            partner = self.records(kind, "res.partner", self.partner.ids)
            with self.subTest(user=kind):
                try:
                    count = partner.sms_conversation_count
                except AccessError:
                    count = 0
                self.assertEqual(count, kind in MATRIX["read"])

    def test_nobody_is_given_a_conversation_who_may_not_receive_texts(self):
        """R114"""
        channel = self.records("manager", "discuss.channel", self.channel.ids)
        for kind in ("plain", "portal", "stranger"):
            with self.subTest(kind), self.assertRaises(UserError):
                channel.sms_assign(self.users[kind].id)

    def test_the_workers_are_not_for_calls_from_outside(self):
        """Every method that does not check rights is private."""
        allowed = {
            "create",
            "write",
            "unlink",
            "default_get",
            "message_post",
            "sms_open_conversation",
            "sms_assign",
            "sms_get_templates",
            "sms_render_template",
        }
        public = {
            name
            for model in self.registry.values()
            for klass in model.mro()
            if klass.__module__.startswith("odoo.addons.sms_inbox.")
            for name, value in vars(klass).items()
            if callable(value) and not name.startswith("_") and not name.startswith("action_")
        }
        self.assertEqual(public - allowed, set())
