import base64
import sys

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import SQL, html2plaintext

from odoo.addons.mail.tools.discuss import Store
from odoo.addons.sms.tools.sms_tools import sms_content_to_rendered_html
from odoo.addons.sms_gateway.const import E164
from odoo.addons.sms_gateway.models.sms_message import UNWATCHED_ORIGINS

from ..age import format_age

#: Texts of the past that a new conversation begins with.
HISTORY = 50
#: A speech bubble on green: the picture of a customer who has none.
AVATAR = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100">'
    '<rect width="100" height="100" fill="#1c7c54"/>'
    '<path d="M22 26h56v38H46L32 78V64H22z" fill="#fff"/></svg>'
)
#: What an open page needs to know of a conversation that changes.
LIVE_FIELDS = ("sms_state", "sms_waiting_since", "sms_res_model", "sms_res_id")


def is_sms(channel):
    """Whether a channel is a conversation by SMS."""
    return channel.channel_type == "sms"


class DiscussChannel(models.Model):
    """A channel of the type *SMS* is a conversation: one of our numbers with one customer's.

    Its members are the people who work on it now; who else may read it is said by record rules.
    The messages in it are the texts of the pair, sent from wherever. Their states are the
    ledger's.
    """

    _inherit = "discuss.channel"

    # === FIELDS === #

    channel_type = fields.Selection(selection_add=[("sms", "SMS")], ondelete={"sms": "cascade"})
    sms_sender_id = fields.Many2one(
        "sms.sender", "Our number", readonly=True, index="btree_not_null", ondelete="cascade"
    )
    sms_company_id = fields.Many2one(related="sms_sender_id.company_id", string="Company")
    sms_number = fields.Char("Customer number", readonly=True, help="E.164")
    sms_partner_id = fields.Many2one(
        "res.partner", "Customer", readonly=True, index="btree_not_null", ondelete="set null"
    )
    sms_res_model = fields.Char("Record model", readonly=True)
    sms_res_id = fields.Many2oneReference("Record", model_field="sms_res_model", readonly=True)
    sms_record_name = fields.Char("On record", compute="_compute_sms_record_name")
    sms_user_id = fields.Many2one(
        "res.users", "Answered by", readonly=True, index="btree_not_null", ondelete="set null"
    )
    sms_team_id = fields.Many2one(
        "crm.team", "Team", readonly=True, index="btree_not_null", ondelete="set null"
    )
    sms_state = fields.Selection(
        [("waiting", "Waiting for an answer"), ("answered", "Answered"), ("done", "Done")],
        "State",
        readonly=True,
        group_expand=True,
    )
    sms_waiting_since = fields.Datetime("Waiting since", readonly=True)
    sms_waiting_time = fields.Char("Waiting", compute="_compute_sms_waiting_time")
    sms_last_message_id = fields.Many2one(
        "sms.message", "Last text", readonly=True, index="btree_not_null", ondelete="set null"
    )
    sms_last_body = fields.Text(related="sms_last_message_id.body", string="Text")
    sms_move_id = fields.Many2one(
        "sms.conversation.move.log",
        "Last move",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
    )

    _sms_pair_uniq = models.UniqueIndex("(sms_number, sms_sender_id) WHERE channel_type = 'sms'")
    _sms_record_idx = models.Index("(sms_res_model, sms_res_id) WHERE sms_res_id IS NOT NULL")
    _sms_waiting_idx = models.Index("(sms_waiting_since) WHERE sms_state = 'waiting'")
    _sms_pair_set = models.Constraint(
        "CHECK(channel_type != 'sms' OR (sms_number IS NOT NULL AND sms_sender_id IS NOT NULL))",
        "A conversation by SMS needs the number of a customer and one of ours.",
    )

    # === COMPUTE METHODS === #

    @api.depends("sms_res_model", "sms_res_id")
    @api.depends_context("uid")
    def _compute_sms_record_name(self):
        for channel in self:
            channel.sms_record_name = channel._sms_get_record_name(self.env.user)

    @api.depends("sms_waiting_since")
    @api.depends_context("lang")
    def _compute_sms_waiting_time(self):
        for channel in self:
            channel.sms_waiting_time = format_age(self.env, channel.sms_waiting_since)

    def _generate_avatar(self):
        """Override of `mail`: a picture for conversations."""
        if is_sms(self):
            return base64.b64encode(AVATAR.encode())
        return super()._generate_avatar()

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """Override of `mail`: a conversation is begun by ``sms_open_conversation`` alone."""
        if not self.env.su:
            for vals in vals_list:
                self._sms_check_unguarded({**self._sms_get_context_defaults(), **vals})
        return super().create(vals_list)

    def write(self, vals):
        """Override of `mail`: nobody changes a conversation past the methods for it.

        Neither whose it is nor its name, its members or that it is there.
        """
        if not self.env.su and (self._sms_is_guarded(vals) or self.filtered(is_sms)):
            raise AccessError(
                self.env._("A conversation by SMS is changed by its buttons: Move, Assign, Done.")
            )
        return super().write(vals)

    @api.model
    def _sms_is_guarded(self, vals):
        return vals.get("channel_type") == "sms" or any(name.startswith("sms_") for name in vals)

    @api.model
    def _sms_check_unguarded(self, vals):
        if self._sms_is_guarded(vals):
            raise AccessError(
                self.env._(
                    "A conversation by SMS is opened from a contact, a lead or an opportunity."
                )
            )

    @api.model
    def _sms_get_context_defaults(self):
        """Values that a caller gives by the context."""
        prefix = "default_"
        return {
            key.removeprefix(prefix): value
            for key, value in self.env.context.items()
            if key.startswith(prefix)
        }

    # === ACTION METHODS === #

    @api.model
    def sms_open_conversation(self, model, res_id, number=False, sender_id=False):
        """Open the conversation with a record's customer; the user joins it.

        :param str model: of the record
        :param int res_id: the record's id
        :param str number: of the customer, as it stands on the record; False for the record's
        :param int sender_id: one of our numbers; False for the one of the latest conversation with
            the customer that the user may use, else his own
        :return: id of the ``discuss.channel``
        """
        record = self.env[model].browse(res_id)
        record.check_access("read")
        number = self._sms_get_customer_number(record, number)
        channel = self._sms_open(number, record, self.env["sms.sender"].browse(sender_id or ()))
        channel._sms_join(self.env.user)
        return channel.id

    def action_sms_open(self):
        """Open the conversation in a chat window, or in Discuss."""
        self.ensure_one()
        self.check_access("read")
        return {
            "type": "ir.actions.client",
            "tag": "sms_inbox.open",
            "params": {"channel_id": self.id},
        }

    def action_sms_open_record(self):
        """Open the record the conversation belongs to."""
        self.ensure_one()
        self.check_access("read")
        record = self._sms_get_record()
        if record is None:
            raise UserError(
                self.env._("The conversation with %s is on no record. Move it to one.", self.name)
            )
        record.check_access("read")
        return record.get_formview_action()

    def action_sms_done(self):
        """Nothing more to do, until the customer writes again."""
        self._sms_check_work()
        self.sudo().write({"sms_state": "done", "sms_waiting_since": False})

    def action_sms_reopen(self):
        """There is something to do after all."""
        self._sms_check_work()
        self.sudo().write({"sms_state": "waiting", "sms_waiting_since": self.env.cr.now()})

    def action_sms_assign_to_me(self):
        """The user answers these conversations from now on."""
        self.sms_assign(self.env.uid)

    def sms_assign(self, user_id):
        """Say who answers; False for nobody.

        :param int user_id: ``res.users``
        """
        self._sms_check_work()
        user = self.env["res.users"].sudo().browse(user_id or ())
        for channel in self.sudo():
            if user and not user._sms_filter_receivers(channel.sms_company_id):
                raise UserError(
                    self.env._(
                        "%s cannot receive texts of this company. An administrator gives the "
                        "right “SMS / User” on the user's form.",
                        user.name,
                    )
                )
            channel._sms_assign(user)

    # === RIGHTS === #

    def _sms_check_work(self):
        """The user may work on these conversations: he sees them and has the right to text."""
        self.check_access("read")
        if not self.env.su and not self.env.user.has_group("sms_gateway.group_sms_user"):
            raise AccessError(self._sms_explain_missing_right())

    def _sms_explain_missing_right(self):
        return self.env._(
            "You do not have the right to send and receive texts. Contact your administrator."
        )

    def _sms_may_send(self, user):
        """Whether the user may write in the conversation."""
        return user.has_group(
            "sms_gateway.group_sms_user"
        ) and self.sudo().sms_sender_id._may_be_used_by(user)

    def _sms_check_may_send(self):
        """The user, not the sudo that core posts with, may use the sender (P11)."""
        user = self.env.user
        if user._is_superuser():
            return
        if not self.with_user(user).sudo(False).has_access("read"):
            raise AccessError(self.env._("You may not read this conversation."))
        if not self._sms_may_send(user):
            raise UserError(
                self.env._(
                    "You may not send with %s. Write from a number of your own, or ask an "
                    "administrator.",
                    self.sudo().sms_sender_id.display_name,
                )
            )

    # === OPENING === #

    def _sms_get_record(self):
        """The record the conversation belongs to, or None; access is not checked."""
        if not self.sms_res_id or self.sms_res_model not in self.env:
            return None
        return self.env[self.sms_res_model].browse(self.sms_res_id).exists() or None

    def _sms_get_record_name(self, user):
        """The name of the record, where the user may read it; pages are made in sudo."""
        record = self.sudo()._sms_get_record()
        if record is None:
            return False
        companies = user.sudo().company_ids.ids
        as_user = record.with_context(allowed_company_ids=companies).with_user(user)
        return record.display_name if as_user.has_access("read") else False

    def _sms_get_record_values(self, user):
        """The name of the record for a user's page, and whose name it is.

        News of the record and of its name go different ways, so they come in any order.
        """
        channel = self.sudo()
        name = channel._sms_get_record_name(user)
        return name and {"model": channel.sms_res_model, "id": channel.sms_res_id, "name": name}

    @api.model
    def _sms_get_customer_number(self, record, number):
        """The number in E.164; an error that says what to do where there is none."""
        raw = number or next(
            (record[name] for name in record._phone_get_number_fields() if record[name]), False
        )
        formatted = raw and (record._phone_format(number=raw) or raw)
        if formatted and E164.fullmatch(formatted):
            return formatted
        if not raw:
            raise UserError(
                self.env._(
                    "%s has no telephone number. Enter one on the record.", record.display_name
                )
            )
        raise UserError(
            self.env._(
                "“%(number)s” of %(record)s is not a number in international form (E.164): write "
                "a plus sign, the country code and the number, or set the country of the record.",
                number=raw,
                record=record.display_name,
            )
        )

    @api.model
    def _sms_open(self, number, record=None, sender=None):
        """Find the conversation of a pair, or begin it; where a record asks, it is about it.

        :return: ``discuss.channel``, in the environment of the user
        """
        if not self.env.user.has_group("sms_gateway.group_sms_user"):
            raise AccessError(self._sms_explain_missing_right())
        sender = sender or self._sms_choose_sender(number)
        self._sms_check_sender(sender)
        channels = self.sudo()
        channel = channels.search(channels._sms_get_pair_domain(sender, [number]))
        if not channel:
            channel = channels._sms_start([channels._sms_prepare_values(sender, number, record)])
        elif record is not None and channel._sms_is_switched_by(record):
            channel._sms_set_record(record)
        return channel.sudo(False).with_user(self.env.user)

    @api.model
    def _sms_choose_sender(self, number):
        """The number we wrote with last, if the user may use it; else his own."""
        Sender = self.env["sms.sender"].sudo()
        user, company = self.env.user, self.env.company
        usable = Sender.search(Sender._get_usable_domain(user, company)).filtered("can_receive")
        latest = self.sudo().search(
            [
                ("channel_type", "=", "sms"),
                ("sms_number", "=", number),
                ("sms_sender_id", "in", usable.ids),
            ],
            order="last_interest_dt desc",
            limit=1,
        )
        default = Sender._get_default_sender(user, company)
        return latest.sms_sender_id or (default & usable) or usable[:1]

    @api.model
    def _sms_check_sender(self, sender):
        if not sender:
            raise UserError(
                self.env._(
                    "None of the numbers you may use can receive answers. Ask an administrator "
                    "for one (SMS > Configuration > Senders)."
                )
            )
        sender = sender.sudo()
        if not sender._may_be_used_by(self.env.user):
            raise AccessError(
                self.env._("You may not send with %s. Choose another number.", sender.display_name)
            )
        if not sender.can_receive:
            raise UserError(
                self.env._(
                    "%s cannot receive answers, so there is no conversation. Choose a number that "
                    "can, or send a single text.",
                    sender.display_name,
                )
            )

    def _sms_is_switched_by(self, record):
        """Whether opening it from a record means that it is about that record from now on.

        From a lead or an opportunity, yes; a contact does not take it from his opportunity.
        """
        return self._sms_get_record() is None or (
            record._name == "crm.lead" and not self._sms_is_on(record)
        )

    @api.model
    def _sms_get_pair_domain(self, senders, numbers):
        return Domain(
            [
                ("channel_type", "=", "sms"),
                ("sms_number", "in", numbers),
                ("sms_sender_id", "in", senders.ids),
            ]
        )

    @api.model
    def _sms_find(self, messages):
        """Conversations of the pairs of texts.

        :return: dict of channels by (sender id, number)
        """
        if not messages:
            return {}
        numbers = messages.mapped("number")
        found = self.search(self._sms_get_pair_domain(messages.sender_id, numbers))
        return {(channel.sms_sender_id.id, channel.sms_number): channel for channel in found}

    @api.model
    def _sms_find_moved(self, numbers):
        """Records to which people have moved the conversations of customers.

        :return: dict of (model, id) by (sender id, number)
        """
        moved = self.search(
            [
                ("channel_type", "=", "sms"),
                ("sms_number", "in", numbers),
                ("sms_move_id", "!=", False),
            ]
        )
        return {
            (channel.sms_sender_id.id, channel.sms_number): (
                channel.sms_res_model,
                channel.sms_res_id,
            )
            for channel in moved
        }

    # === BEGINNING === #

    @api.model
    def _sms_start_for(self, messages, records, customers):
        """Begin the conversations of received texts, and tie the texts to them.

        :param dict records: by text
        :param dict customers: ``res.partner`` by text
        """
        channels = self._sms_start(
            [
                self._sms_prepare_received_values(message, records.get(message), customers[message])
                for message in messages
            ],
            before=messages,
        )
        for message, channel in zip(messages, channels, strict=True):
            message.conversation_id = channel

    @api.model
    def _sms_prepare_received_values(self, message, record, customer):
        user, _reason = self._sms_find_responsible(message.sender_id, record)
        return {
            **self._sms_prepare_values(message.sender_id, message.number, record, customer),
            "sms_user_id": user.id,
        }

    @api.model
    def _sms_prepare_values(self, sender, number, record=None, customer=None):
        record = None if record is None else record.sudo()
        customer = customer or self._sms_get_customer(record, number)
        return {
            "channel_type": "sms",
            "uuid": False,  # there is no link by which strangers may join
            "name": self._sms_get_name(record, customer, number),
            "sms_sender_id": sender.id,
            "sms_number": number,
            "sms_partner_id": customer.id,
            "sms_res_model": record._name if record is not None else False,
            "sms_res_id": record.id if record is not None else False,
            "sms_team_id": self._sms_get_team(sender, record).id,
        }

    @api.model
    def _sms_get_customer(self, record, number):
        if record is None:
            return self.env["res.partner"]
        partners = record._mail_get_partners()[record.id]
        return partners.filtered(lambda partner: partner.phone_sanitized == number)[:1]

    @api.model
    def _sms_get_name(self, record, customer, number):
        """What the conversation is called: the customer's name, else his number."""
        if customer:
            return customer.name or number
        if record is None:
            return number
        return ("contact_name" in record and record.contact_name) or record.display_name or number

    @api.model
    def _sms_get_team(self, sender, record):
        team = sender.sudo().team_id
        return team or (record.team_id if record is not None and "team_id" in record else team)

    @api.model
    def _sms_start(self, vals_list, before=None):
        """Begin conversations with what was written before, and nobody in them yet.

        :param before: received texts that are yet to be shown
        """
        self.env["sms.message"].flush_model()
        vals_list = [{"sms_state": "answered", **vals} for vals in vals_list]
        channels = self.with_context(install_mode=True).create(vals_list)  # without the robot
        channels = channels.with_context(install_mode=False)
        channels._sms_show_history(before)
        return channels

    def _sms_show_history(self, before):
        """Begin with the latest texts of the pair: they are no news to anybody."""
        texts = self._sms_find_history(min(before.ids) if before else sys.maxsize)
        posts = texts._post_in_conversations()
        for text, post in zip(texts, posts, strict=True):
            post.date = text.create_date
        for channel, group in texts.grouped("conversation_id").items():
            channel.sms_last_message_id = group[-1]

    def _sms_find_history(self, before_id):
        """Tie all texts of the pairs to their conversations.

        :param int before_id: of ``sms.message``
        :return: the latest of each, the oldest first
        """
        rows = self.env.execute_query(
            SQL(
                """
                WITH tied AS (
                     UPDATE sms_message text SET conversation_id = channel.id
                       FROM discuss_channel channel
                      WHERE channel.id = ANY(%s) AND text.number = channel.sms_number
                        AND text.sender_id = channel.sms_sender_id AND text.id < %s
                  RETURNING text.id, text.conversation_id)
                SELECT id FROM (
                       SELECT id, row_number() OVER (
                              PARTITION BY conversation_id ORDER BY id DESC) AS place
                         FROM tied) latest
                 WHERE place <= %s ORDER BY id
                """,
                self.ids,
                before_id,
                HISTORY,
            )
        )
        self.env["sms.message"].invalidate_model(["conversation_id"], flush=False)
        return self.env["sms.message"].sudo().browse([id_ for (id_,) in rows])

    # === MEMBERS === #

    def _sms_join(self, user):
        """Make a user a member who has it pinned."""
        channel = self.sudo().with_user(user).sudo()
        if not channel.is_member:
            channel._add_members(users=user, post_joined_message=False)
        channel.channel_pin(True)
        channel._sms_tell_record(user)  # who may not have been one when it changed

    @api.model
    def _sms_follow(self, records):
        """Follow received texts: to their records, and to somebody who looks after them.

        :param dict records: by conversation, None where there is none
        :return: reason of ``inbox_reason`` why nobody does, or None; by conversation
        """
        reasons = {
            channel: channel._sms_follow_record(record) for channel, record in records.items()
        }
        self.union(*records)._sms_update_members()
        return {
            channel: reason or (None if channel.channel_member_ids else "nobody")
            for channel, reason in reasons.items()
        }

    def _sms_follow_record(self, record):
        if record is not None and not self._sms_is_on(record):
            self._sms_set_record(record)
        if self.sms_user_id and not self._sms_why_not(self.sms_user_id, self.sms_company_id):
            return None
        user, reason = self._sms_find_responsible(self.sms_sender_id, record)
        if user != self.sms_user_id:
            self.sms_user_id = user
        return reason

    def _sms_is_on(self, record):
        return (record._name, record.id) == (self.sms_res_model, self.sms_res_id)

    @api.model
    def _sms_find_responsible(self, sender, record):
        """Who answers: the record's owner, else the one to whom the number belongs.

        :return: (user, reason of ``inbox_reason`` why it is nobody)
        """
        sellers = sender.user_ids
        owner = record.user_id if record is not None and "user_id" in record else sellers.browse()
        user = owner or (sellers if len(sellers) == 1 else sellers.browse())
        reason = user and self._sms_why_not(user, sender.company_id)
        if reason == "no_right":
            user._sms_tell_missing_right()
        return (sellers.browse(), reason) if reason else (user, None)

    @api.model
    def _sms_why_not(self, user, company):
        """Why a user cannot look after it, as in ``inbox_reason``; None if he can."""
        if user._sms_is_away():
            return "away"
        return None if user._sms_filter_receivers(company) else "no_right"

    def _sms_get_watchers(self):
        """Who is told of an unassigned conversation: the users of the number, else its team."""
        users = self.sms_sender_id.user_ids or (
            self.sms_team_id.user_id | self.sms_team_id.member_ids
        )
        return users._sms_filter_receivers(self.sms_company_id)

    def _sms_update_members(self):
        """Who has lost the right is a member no more (R114); who must know is one."""
        self.channel_member_ids.filtered(lambda member: not member._sms_may_be_in()).unlink()
        self._sms_add_members(
            {
                channel: channel._sms_get_told().partner_id - channel.channel_member_ids.partner_id
                for channel in self
            }
        )

    def _sms_get_told(self):
        """Who answers it and those whose number it is; else those who watch it."""
        users = self.sms_user_id or self._sms_get_watchers()
        addressed = self.sms_sender_id.user_ids
        if users & addressed:
            return users
        return users | addressed._sms_filter_receivers(self.sms_company_id)

    @api.model
    def _sms_add_members(self, partners):
        """Members to whom what stands in it now is no news.

        :param dict partners: ``res.partner`` by conversation
        """
        members = self.env["discuss.channel.member"].create(
            [
                {
                    "channel_id": channel.id,
                    "partner_id": partner.id,
                    "new_message_separator": channel._sms_get_last_post_id() + 1,
                }
                for channel, group in partners.items()
                for partner in group
            ]
        )
        for member in members:  # their open pages fetch it
            payload = {"channel_id": member.channel_id.id, "data": {}}
            member._bus_send("discuss.channel/joined", payload)

    def _sms_get_last_post_id(self):
        return self.sms_last_message_id.conversation_message_id.id or 0

    def _sms_assign(self, user):
        """Change who answers; who has never written in it leaves it to him."""
        self.sms_user_id = user
        wrote = (
            self.env["mail.message"]
            .sudo()
            ._read_group(
                [("model", "=", "discuss.channel"), ("res_id", "=", self.id)], ["author_id"]
            )
        )
        authors = self.env["res.partner"].union(*(author for (author,) in wrote))
        if user:
            leaving = self.channel_member_ids.partner_id - authors - user.partner_id
            for partner in leaving:
                self._action_unfollow(partner, post_leave_message=False)
            self._sms_add_members({self: user.partner_id - self.channel_member_ids.partner_id})

    def _sms_set_record(self, record):
        """Make it belong to a record, with its customer and team."""
        for channel in self:
            values = channel._sms_prepare_values(channel.sms_sender_id, channel.sms_number, record)
            for name in ("channel_type", "uuid", "sms_sender_id", "sms_number"):
                del values[name]
            if not values["sms_partner_id"]:
                values |= {"sms_partner_id": channel.sms_partner_id.id}
            channel.write(values)
            channel._sms_tell_record(channel.channel_member_ids.partner_id.main_user_id)

    def _sms_tell_record(self, users):
        """Tell users which record it belongs to, as far as they may read it."""
        for user in users:
            values = {"sms_record": self._sms_get_record_values(user)}
            Store(bus_channel=user).add(self, values).bus_send()

    def _types_allowing_unfollow(self):
        """Override of `mail`: a member may leave; by rule he can still look."""
        return [*super()._types_allowing_unfollow(), "sms"]

    # === TEXTS OF OURS === #

    def message_post(self, *, body="", **kwargs):
        """Override of `mail`: what is typed in a conversation goes out as a text.

        Whatever a page or a program says of its kind and author.
        """
        if not self or not is_sms(self):
            return super().message_post(body=body, **kwargs)
        if not self._sms_is_note(body):
            return self._sms_post(body, **kwargs)
        # sudo: nobody but this method writes in a conversation
        post = super(DiscussChannel, self.sudo()).message_post(body=body, **kwargs)
        return post.with_env(self.env)

    @api.model
    def _sms_is_note(self, body):
        """Whether it is one of the lines in which `mail` says who joined, left or pinned."""
        return isinstance(body, Markup) and "o_mail_notification" in body

    def _sms_post(self, body, attachment_ids=None, attachments=None, **kwargs):
        """Send what a user typed, and show it as a text: one that is refused is not shown."""
        self._sms_check_may_send()
        if attachment_ids or attachments:
            raise UserError(self.env._("A text carries no files. Remove them, or send an e-mail."))
        plain = html2plaintext(body or "", include_references=False).strip()
        text = self._sms_send(plain)
        # sudo: nobody but this method writes in a conversation
        post = super(DiscussChannel, self.sudo()).message_post(
            body=plain,
            message_type="sms",
            subtype_xmlid="mail.mt_comment",
            author_id=self.env.user.partner_id.id,
        )
        text.write({"conversation_id": self.id, "conversation_message_id": post.id})
        self.sudo()._sms_note_sent(text)
        post._sms_show_state()
        return post.with_env(self.env)

    def _sms_send(self, body):
        """Send from the conversation's record, so that it stands there too.

        :return: ``sms.message``
        """
        record = self.sudo()._sms_get_record()
        context = {
            "sms_sender_id": self.sudo().sms_sender_id.id,
            "sms_lane": "chat",
            "sms_origin": "chat",
            "sms_raise_refusal": True,
            "sms_in_conversation": True,
        }
        if record is not None and self.env["sms.message"]._can_hold(record):
            post = (
                record.sudo()
                .with_context(**context)
                ._message_sms(body, sms_numbers=[self.sudo().sms_number], put_in_queue=True)
            )
            return self.env["sms.message"].sudo().search([("mail_message_id", "=", post.id)])
        values = {"number": self.sudo().sms_number, "body": body}
        return self.env["sms.sms"].sudo().with_context(**context).create(values).message_id

    def _sms_note_sent(self, text):
        """We wrote last; whoever writes first in an unassigned conversation answers it."""
        self.write(
            {
                "sms_state": "answered",
                "sms_waiting_since": False,
                "sms_last_message_id": text.id,
            }
        )
        user = self.env.user
        if user._is_superuser():
            return
        if not self.sms_user_id:
            self._sms_assign(user)
        elif user.partner_id not in self.channel_member_ids.partner_id:
            self._sms_add_members({self: user.partner_id})

    def _sms_prepare_post_values(self, text, customer=None):
        """Values of the message that shows a text in the conversation."""
        received = text.direction == "in"
        customer = customer or (received and self.sms_partner_id)
        author = customer if received else text.user_id.partner_id
        name = customer.name if customer else self.name
        return {
            "model": "discuss.channel",
            "res_id": self.id,
            "body": sms_content_to_rendered_html(text.body or ""),
            "message_type": "sms",
            "subtype_id": self.env["ir.model.data"]._xmlid_to_res_id("mail.mt_comment"),
            "author_id": author.id if author else False,
            "email_from": text._get_author_address(name)
            if received
            else (author.email_formatted or text.company_id.email_formatted),
            "reply_to": text.company_id.email_formatted,
        }

    def _sms_mirror(self, texts):
        """Show texts that were sent from elsewhere, and follow them to their record (R032).

        They are no news to anybody, and pin no conversation: a mailing reaches thousands.

        :param texts: ``sms.message`` sent, of conversations that exist
        """
        posts = texts._post_in_conversations()
        for text in texts:
            text.conversation_id._sms_follow_text(text)
        self._sms_note_texts(texts)
        self._sms_mark_read(posts)
        watched = texts.filtered(lambda text: text.origin not in UNWATCHED_ORIGINS)
        for channel in watched.conversation_id:
            channel._bus_send("sms_inbox/new_text", {"id": channel.id})

    def _sms_follow_text(self, text):
        record = text._get_record()
        if record is not None and not self._sms_is_on(record):
            self.sms_move_id = False
            self._sms_set_record(record)

    def _sms_mark_read(self, posts):
        """Move the mark of unread messages past new ones, for members who had read all others."""
        posts.flush_model()
        self.env["discuss.channel.member"].flush_model()
        self.env.cr.execute(
            """
            UPDATE discuss_channel_member member SET new_message_separator = post.id + 1
              FROM mail_message post
             WHERE post.id = ANY(%s) AND member.channel_id = post.res_id
               AND NOT EXISTS (
                   SELECT FROM mail_message unread
                    WHERE unread.model = 'discuss.channel' AND unread.res_id = post.res_id
                      AND unread.id >= member.new_message_separator AND unread.id < post.id
                      AND unread.message_type NOT IN ('notification', 'user_notification'))
            """,
            [posts.ids],
        )
        self.env["discuss.channel.member"].invalidate_model(["new_message_separator"])

    # === TEXTS OF CUSTOMERS === #

    def _sms_show(self, texts):
        """Bring conversations up to date with received texts, for all who have them open."""
        self._sms_note_texts(texts)
        self._sms_broadcast_posts(texts)
        self._sms_push(texts)

    @api.model
    def _sms_note_texts(self, texts):
        """What the latest texts, one of each conversation, make of it.

        By the database: ``write`` of `mail` compares a dozen fields of each channel.
        """
        (texts | self.env["sms.message"]).flush_model()
        self.flush_model()
        self.env.cr.execute(
            """
            UPDATE discuss_channel channel
               SET sms_last_message_id = text.id,
                   last_interest_dt = CASE text.direction WHEN 'in'
                       THEN now() at time zone 'utc' ELSE channel.last_interest_dt END,
                   sms_state = CASE
                       WHEN text.keyword IS NOT NULL THEN channel.sms_state
                       WHEN text.direction = 'in' THEN 'waiting'
                       WHEN channel.sms_state = 'waiting' THEN 'answered'
                       ELSE channel.sms_state END,
                   sms_waiting_since = CASE
                       WHEN text.keyword IS NOT NULL THEN channel.sms_waiting_since
                       WHEN text.direction = 'in'
                       THEN COALESCE(channel.sms_waiting_since, now() at time zone 'utc') END
              FROM sms_message text
             WHERE text.conversation_id = channel.id AND text.id = ANY(%s)
            """,
            [texts.ids],
        )
        self.invalidate_model(["last_interest_dt", *LIVE_FIELDS, "sms_last_message_id"])

    @api.model
    def _sms_broadcast_posts(self, texts):
        """Tell open pages of new messages, as ``_notify_thread`` of `mail` does one by one."""
        if not texts:
            return
        channels = texts.conversation_id
        store = Store(bus_channel=channels[:1])  # no channel's members see more than another's
        store.add(texts.conversation_message_id).add(channels, list(LIVE_FIELDS))
        data = store.get_result()
        for text in texts:
            text.conversation_id._bus_send(
                "discuss.channel/new_message",
                {"id": text.conversation_id.id, "data": text._pick_store_data(data)},
            )

    @api.model
    def _sms_push(self, texts):
        """Push to the telephones of members, where the company wants it (R113)."""
        audible = texts.filtered("company_id.sms_notify_in_app")
        partners = audible.conversation_id.channel_member_ids.partner_id
        devices = (
            self.env["mail.push.device"].sudo().search([("partner_id", "in", partners.ids)])
            if partners
            else self.env["mail.push.device"]
        )
        for text in audible:
            channel = text.conversation_id
            if channel.channel_member_ids.partner_id & devices.partner_id:
                channel._sms_push_one(text.conversation_message_id)

    def _sms_push_one(self, post):
        values = {"message_type": "comment"}  # the only kind that core pushes
        recipients = self._notify_get_recipients(post, msg_vals=values)
        self._notify_thread_by_web_push(post, recipients)

    def _notify_by_web_push_prepare_payload(self, message, msg_vals=False, force_record_name=False):
        """Override of `mail`: the title names the customer."""
        payload = super()._notify_by_web_push_prepare_payload(
            message, msg_vals=msg_vals, force_record_name=force_record_name
        )
        if is_sms(self):
            payload["title"] = self.env._("SMS from %s", self.name)
        return payload

    # === STORE === #

    def _to_store_defaults(self, target):
        """Override of `mail`: what a page shows of a conversation."""
        fields_shown = [
            *super()._to_store_defaults(target),
            *self._sms_get_store_fields(),
        ]
        user = target.get_user(self.env)
        fields_shown.append(
            Store.Attr(
                "sms_record",
                predicate=lambda channel: user and is_sms(channel),
                value=lambda channel: channel._sms_get_record_values(user),
            )
        )
        if target.is_current_user(self.env):
            fields_shown.append(
                Store.Attr(
                    "sms_may_send",
                    predicate=is_sms,
                    value=lambda channel: channel._sms_may_send(self.env.user),
                )
            )
        return fields_shown

    def _sync_field_names(self):
        """Override of `mail`: these are live."""
        names = super()._sync_field_names()
        names[None] += self._sms_get_store_fields()
        return names

    def _sms_get_store_fields(self):
        def attribute(name, value=None):
            value = value or (lambda channel: channel.sudo()[name])
            return Store.Attr(name, predicate=is_sms, value=value)

        return [
            *map(attribute, ("sms_number", "sms_state", "sms_res_model", "sms_res_id")),
            attribute(
                "sms_waiting_since",
                lambda channel: fields.Datetime.to_string(channel.sudo().sms_waiting_since),
            ),
            attribute("sms_sender_id", lambda channel: channel.sudo().sms_sender_id.id),
            attribute("sms_sender_name", lambda c: c.sudo().sms_sender_id.display_name),
            attribute("sms_can_receive", lambda channel: channel.sudo().sms_sender_id.can_receive),
            attribute("sms_quiet", lambda c: not c.sudo().sms_company_id.sms_notify_in_app),
            attribute("sms_can_undo_move", lambda channel: bool(channel.sudo().sms_move_id)),
            Store.One("sms_partner_id", ["name", "avatar_128"], predicate=is_sms, sudo=True),
            Store.One(
                "sms_user_id",
                [Store.One("partner_id", ["name", "avatar_128"])],
                predicate=is_sms,
                sudo=True,
            ),
        ]

    # === TEMPLATES === #

    def sms_get_templates(self):
        """Templates for the record the conversation is about.

        :return: list of dicts with ``id`` and ``name``
        """
        self.ensure_one()
        self.check_access("read")
        record = self._sms_get_template_record()
        domain = self._sms_get_template_domain(record)
        return self.env["sms.template"].search(domain).read(["name"], load=None)

    def _sms_get_template_domain(self, record):
        """Override to offer fewer, e.g. those of the record's flow."""
        return Domain("model", "=", record._name) if record is not None else Domain.FALSE

    def sms_render_template(self, template_id):
        """The text of a template for the record; a field that is empty stays in braces.

        :return: str
        """
        self.ensure_one()
        self.check_access("read")
        record = self._sms_get_template_record()
        template = self.env["sms.template"].browse(template_id)
        template.check_access("read")
        if record is None or template.model != record._name:
            raise UserError(
                self.env._("The template “%s” is not for this record.", template.sudo().name)
            )
        strict = template.with_context(sms_strict_rendering=True)
        return strict._render_field("body", record.ids, compute_lang=True)[record.id]

    def _sms_get_template_record(self):
        """The record the conversation is about, else the customer; None where there is neither."""
        record = self._sms_get_record()
        record = self.sms_partner_id if record is None else record
        if not record:
            return None
        record.check_access("read")
        return record
