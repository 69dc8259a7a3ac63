from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError

from odoo.addons.mail.tools.discuss import Store

#: A conversation that was read, and in which nothing has been written since, leaves the sidebar.
UNPIN_AFTER = timedelta(days=2)
#: And then loses its members; who may read it by rule still may, and the next text calls back
#: who answers it.
LEAVE_AFTER = timedelta(days=30)
#: Members looked at in one transaction.
GC_LIMIT = 1_000


class DiscussChannelMember(models.Model):
    _inherit = "discuss.channel.member"

    @api.model_create_multi
    def create(self, vals_list):
        """Override of `mail`: only people who may receive texts can be in a conversation."""
        members = super().create(vals_list)
        for member in members.sudo():
            if member.channel_id.channel_type == "sms" and not member._sms_may_be_in():
                raise AccessError(
                    self.env._(
                        "%s cannot be in this conversation: it takes the right “SMS / User” in "
                        "the company of its number.",
                        member.partner_id.name or member.guest_id.name,
                    )
                )
        return members

    def _sms_may_be_in(self):
        """Whether the member may receive the texts of the conversation."""
        users = self.partner_id.user_ids
        return bool(users._sms_filter_receivers(self.channel_id.sms_company_id))

    def _sms_leave(self):
        """Be members no more; what they have open stays open, for they may still read it.

        Not as ``_action_unfollow`` of `mail`, which closes it under the hands of who looks.
        """
        for member in self:
            Store(bus_channel=member._bus_channel()).delete(member).bus_send()
        for channel, members in self.grouped("channel_id").items():
            gone = Store.Many("channel_member_ids", [], mode="DELETE", value=members)
            Store(bus_channel=channel).add(channel, gone).bus_send()
        channels = self.channel_id
        self.unlink()
        for channel in channels:
            Store(bus_channel=channel).add(channel, "member_count").bus_send()

    @api.autovacuum
    def _gc_idle_sms_members(self):
        """Keep Discuss fast: it loads all that is pinned, and listens to all it is a member of.

        :return: how many members, and whether there may be more
        """
        unpinned = self._sms_unpin_idle()
        left = self._sms_drop_idle()
        return unpinned + left, GC_LIMIT in (unpinned, left)

    @api.model
    def _sms_unpin_idle(self):
        """Take idle conversations that were read out of the sidebar."""
        members = self._sms_find_idle(
            UNPIN_AFTER,
            """
            (member.unpin_dt IS NULL OR member.last_interest_dt >= member.unpin_dt
             OR channel.last_interest_dt >= member.unpin_dt)
            AND channel.sms_state != 'waiting'
            AND NOT EXISTS (
                SELECT FROM mail_message unread
                 WHERE unread.model = 'discuss.channel' AND unread.res_id = channel.id
                   AND unread.id >= member.new_message_separator
                   AND unread.message_type NOT IN ('notification', 'user_notification'))
            """,
        )
        members.unpin_dt = fields.Datetime.now()
        for member in members:
            Store(bus_channel=member._bus_channel()).add(
                member.channel_id, {"close_chat_window": True}
            ).bus_send()
        return len(members)

    @api.model
    def _sms_drop_idle(self):
        """End the membership where nothing has been written for long."""
        members = self._sms_find_idle(LEAVE_AFTER, "true")
        members.unlink()
        return len(members)

    @api.model
    def _sms_find_idle(self, after, condition):
        """Members of conversations in which nothing has happened for a while.

        :param timedelta after: how long
        :param str condition: SQL about ``member`` and ``channel``
        """
        before = fields.Datetime.now() - after
        self.env["discuss.channel"].flush_model()
        self.flush_model()
        self.env.cr.execute(
            f"""
            SELECT member.id FROM discuss_channel channel
              JOIN discuss_channel_member member ON member.channel_id = channel.id
             WHERE channel.channel_type = 'sms' AND channel.last_interest_dt < %s
               AND member.last_interest_dt < %s AND {condition}
             LIMIT %s
            """,
            [before, before, GC_LIMIT],
        )
        return self.sudo().browse([id_ for (id_,) in self.env.cr.fetchall()])
