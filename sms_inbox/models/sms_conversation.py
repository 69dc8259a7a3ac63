import sys
from contextlib import contextmanager

from psycopg2.errors import UniqueViolation

from odoo import api, models
from odoo.exceptions import AccessError, ConcurrencyError, UserError
from odoo.fields import Domain
from odoo.tools import SQL

from odoo.addons.mail.tools.discuss import Store
from odoo.addons.sms_gateway.const import E164

#: Texts of the past that a new conversation begins with.
HISTORY = 50


class SmsConversation(models.AbstractModel):
    """How a conversation begins, whose it is and who is in it; a part of ``discuss.channel``."""

    _name = "sms.conversation"
    _description = "SMS Conversation"

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
            with self._sms_beside_others():
                values = channels._sms_prepare_values(sender, number, record)
                channel = channels._sms_start([values])
        else:
            channel._sms_check_may_enter(self.env.user)
            if record is not None and channel._sms_is_switched_by(record):
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
        default = Sender._get_default_sender(user, company, number)
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

    def _sms_check_may_enter(self, user):
        """A number of nobody is everybody's, but a conversation that somebody has is his."""
        if self.sms_user_id and not self.with_user(user).sudo(False).has_access("read"):
            raise UserError(
                self.env._(
                    "%(user)s is in conversation with %(customer)s by %(sender)s. Ask for it to be "
                    "assigned to you, or write from another number.",
                    user=self.sms_user_id.name,
                    customer=self.sms_number,
                    sender=self.sms_sender_id.display_name,
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
        if record is None or record._name == "res.partner":
            return record or self.env["res.partner"]
        partners = record._mail_get_partners()[record.id]
        return partners.filtered(lambda partner: partner.phone_sanitized == number)[:1]

    @api.model
    def _sms_get_name(self, record, customer, number):
        """What the conversation is called: the customer's name, else his number.

        Not after the record, which not everybody in the conversation may read.
        """
        names = [customer.name]
        if record is not None and record._name == "crm.lead":
            names += [record.contact_name, record.partner_name]
        return next(filter(None, names), number)

    @api.model
    def _sms_get_team(self, sender, record):
        team = sender.sudo().team_id
        return team or (record.team_id if record is not None and "team_id" in record else team)

    @contextmanager
    def _sms_beside_others(self):
        """Begin or join what the worker or a colleague may begin or join at this moment.

        :raise ConcurrencyError: then Odoo handles the call once more, and finds it
        """
        try:
            with self.env.cr.savepoint():
                yield
        except UniqueViolation as error:
            raise ConcurrencyError(str(error)) from error

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
        texts._post_in_conversations()
        self._sms_note_latest(texts)

    def _sms_note_latest(self, texts):
        """By the database: ``write`` of `mail` compares a dozen fields of each channel."""
        texts.flush_model()
        self.flush_model()
        self.env.cr.execute(
            """
            UPDATE discuss_channel channel SET sms_last_message_id = latest.id
              FROM (SELECT conversation_id, max(id) AS id FROM sms_message
                     WHERE id = ANY(%s) GROUP BY conversation_id) latest
             WHERE channel.id = latest.conversation_id
            """,
            [texts.ids],
        )
        self.invalidate_model(["sms_last_message_id"], flush=False)

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
            with self._sms_beside_others():
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
            channel: reason or (None if channel._sms_is_looked_after() else "nobody")
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
        reason = self._sms_why_not(user, sender.company_id) if user else None
        if reason == "no_right":
            user._sms_tell_missing_right()
        return (sellers.browse(), reason) if reason else (user, None)

    @api.model
    def _sms_why_not(self, user, company):
        """Why a user cannot look after it, as in ``inbox_reason``; None if he can."""
        if user._sms_is_away():
            return "away"
        return None if user._sms_filter_receivers(company) else "no_right"

    def _sms_is_looked_after(self):
        return bool(self.sms_user_id or self._sms_get_addressed())

    def _sms_get_addressed(self):
        """The users of the number, else its team, as far as they may receive texts."""
        users = self.sms_sender_id.user_ids or (
            self.sms_team_id.user_id | self.sms_team_id.member_ids
        )
        return users._sms_filter_receivers(self.sms_company_id)

    def _sms_get_watchers(self):
        """Who is told of an unassigned conversation: to whom the number belongs, else managers."""
        return self._sms_get_addressed() or self._sms_get_managers()._sms_filter_receivers(
            self.sms_company_id
        )

    @api.model
    def _sms_get_managers(self):
        # `env.ref` asks the database each time
        group_id = self.env["ir.model.data"]._xmlid_to_res_id("sms_gateway.group_sms_manager")
        return self.env["res.groups"].sudo().browse(group_id).all_user_ids

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
        if not user:
            return
        authors = self._sms_find_authors()
        self.channel_member_ids.filtered(
            lambda member: (
                member.partner_id != user.partner_id
                and member.partner_id not in authors.get(member.channel_id.id, ())
            )
        )._sms_leave()
        self._sms_add_members({c: user.partner_id - c.channel_member_ids.partner_id for c in self})

    def _sms_find_authors(self):
        """Who has written in conversations.

        :return: dict of ``res.partner`` by id of conversation
        """
        wrote = (
            self.env["mail.message"]
            .sudo()
            ._read_group(
                [("model", "=", "discuss.channel"), ("res_id", "in", self.ids)],
                ["res_id"],
                ["author_id:recordset"],
            )
        )
        return dict(wrote)

    def _sms_set_record(self, record):
        """Make it belong to a record, with its customer and team."""
        for channel in self:
            number = channel.sms_number
            customer = channel._sms_get_customer(record, number) or channel.sms_partner_id
            values = channel._sms_prepare_values(channel.sms_sender_id, number, record, customer)
            for name in ("channel_type", "uuid", "sms_sender_id", "sms_number"):
                del values[name]
            channel.write(values)
            readers = channel.channel_member_ids.partner_id.main_user_id | self.env.user
            channel._sms_tell_record(readers.filtered(lambda user: not user._is_superuser()))

    def _sms_tell_record(self, users):
        """Tell users which record it belongs to, as far as they may read it."""
        for user in users:
            values = {"sms_record": self._sms_get_record_values(user)}
            Store(bus_channel=user).add(self, values).bus_send()
