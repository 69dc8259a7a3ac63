from odoo import api, models

from odoo.addons.mail.tools.discuss import Store
from odoo.addons.sms.tools.sms_tools import sms_content_to_rendered_html
from odoo.addons.sms_gateway.models.sms_message import UNWATCHED_ORIGINS

#: What an open page needs to know of a conversation that changes.
LIVE_FIELDS = ("sms_state", "sms_waiting_since", "sms_res_model", "sms_res_id")
#: Texts that go to many or by the clock: none of them answers what a customer asked.
UNANSWERING_ORIGINS = {*UNWATCHED_ORIGINS, "reminder"}


class SmsConversationText(models.AbstractModel):
    """Texts in a conversation, ours and the customer's; a part of ``discuss.channel``."""

    _name = "sms.conversation.text"
    _description = "Texts of an SMS Conversation"

    # === TEXTS OF OURS === #

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
            "date": text.create_date,
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
        latest = texts.browse(
            [group[-1:].id for group in texts.grouped("conversation_id").values()]
        )
        records = latest.filtered(lambda text: text.state == "queued")._get_records()
        for text, record in records.items():
            text.conversation_id._sms_follow_text(record)
        self._sms_note_texts(latest)
        self._sms_mark_read(posts)
        watched = texts.filtered(lambda text: text.origin not in UNWATCHED_ORIGINS)
        for channel in watched.conversation_id:
            channel._bus_send("sms_inbox/new_text", {"id": channel.id})

    def _sms_follow_text(self, record):
        """To the record of a text that goes out: where the customer's answer will belong (R032)."""
        if not self._sms_is_on(record):
            self.sms_move_id = False
            self._sms_set_record(record)

    def _sms_mark_read(self, posts):
        """Move the mark of unread messages past new ones, for members who had read all others."""
        posts.flush_model()
        self.env["discuss.channel.member"].flush_model()
        self.env.cr.execute(
            """
            UPDATE discuss_channel_member member SET new_message_separator = news.last_id + 1
              FROM (SELECT res_id, min(id) AS first_id, max(id) AS last_id
                      FROM mail_message WHERE id = ANY(%s) GROUP BY res_id) news
             WHERE member.channel_id = news.res_id
               AND NOT EXISTS (
                   SELECT FROM mail_message unread
                    WHERE unread.model = 'discuss.channel' AND unread.res_id = news.res_id
                      AND unread.id >= member.new_message_separator AND unread.id < news.first_id
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

        Neither a word such as STOP, nor what was refused or goes to many, changes who waits.
        By the database: ``write`` of `mail` compares a dozen fields of each channel.
        """
        texts.flush_model()
        self.flush_model()
        self.env.cr.execute(
            """
            UPDATE discuss_channel channel
               SET sms_last_message_id = text.id,
                   last_interest_dt = CASE text.direction WHEN 'in'
                       THEN now() at time zone 'utc' ELSE channel.last_interest_dt END,
                   sms_state = CASE
                       WHEN text.is_aside THEN channel.sms_state
                       WHEN text.direction = 'in' THEN 'waiting'
                       WHEN channel.sms_state = 'waiting' THEN 'answered'
                       ELSE channel.sms_state END,
                   sms_waiting_since = CASE
                       WHEN text.is_aside THEN channel.sms_waiting_since
                       WHEN text.direction = 'in'
                       THEN COALESCE(channel.sms_waiting_since, now() at time zone 'utc') END
              FROM (SELECT id, conversation_id, direction,
                           keyword IS NOT NULL OR direction = 'out' AND (
                               state IN ('failed', 'cancelled') OR origin = ANY(%s)) AS is_aside
                      FROM sms_message WHERE id = ANY(%s)) text
             WHERE text.conversation_id = channel.id
            """,
            [list(UNANSWERING_ORIGINS), texts.ids],
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
