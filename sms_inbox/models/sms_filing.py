from collections import defaultdict

from odoo import models
from odoo.tools.mail import email_normalize, formataddr

from odoo.addons.sms.tools.sms_tools import sms_content_to_rendered_html


class SmsFiling(models.AbstractModel):
    """Texts where people see them: chatter and conversation; a part of ``sms.message``.

    As routing, it is done for many texts together.
    """

    _name = "sms.filing"
    _description = "SMS Filing"

    def _file(self):
        """Show texts where they belong: on the record and in the conversation."""
        self.filtered(
            lambda m: m.sender_id and not m.sender_id.can_receive and not m.keyword
        )._set_inbox_todo("one_way")
        records = self._get_records()
        customers = self._find_customers(records)
        self._join_conversations(records, customers)
        self._post_on_records(records, customers)
        texts = self.filtered("conversation_id")
        texts._post_in_conversations(customers)
        texts.conversation_id.sudo()._sms_show(texts)

    def _get_records(self):
        """The records of texts, by text; only those that exist."""
        ids = defaultdict(set)
        for message in self.filtered("res_id"):
            ids[message.res_model].add(message.res_id)
        existing = {
            (model, record.id): record
            for model, model_ids in ids.items()
            for record in self.env[model].sudo().browse(model_ids).exists()
        }
        found = {m: existing.get((m.res_model, m.res_id)) for m in self}
        return {message: record for message, record in found.items() if record}

    def _find_customers(self, records):
        """Who wrote: the record's contact that holds the number, may be empty; by text."""
        partners = {}
        for model, group in self.browse([m.id for m in records]).grouped("res_model").items():
            found = self.env[model].sudo().browse(group.mapped("res_id"))._mail_get_partners()
            partners |= {(model, id_): contacts for id_, contacts in found.items()}
        nobody = self.env["res.partner"].sudo()
        return {
            message: partners.get((message.res_model, message.res_id), nobody).filtered(
                lambda partner, number=message.number: partner.phone_sanitized == number
            )[:1]
            for message in self
        }

    def _join_conversations(self, records, customers):
        """Tie texts to their conversations, new ones where there are none, with who must know."""
        texts = self.filtered("sender_id")
        texts._find_conversations()
        channels = self.env["discuss.channel"].sudo()
        channels._sms_start_for(
            texts.filtered(lambda m: not m.conversation_id and m.sender_id.can_receive),
            records,
            customers,
        )
        shown = texts.filtered("conversation_id")
        reasons = channels._sms_follow({m.conversation_id: records.get(m) for m in shown})
        needed = shown.filtered(
            lambda m: not m.inbox_state and not m.keyword and m.routing_rule != "prompt"
        )
        for message in needed:  # an answer that was taken needs nobody
            if reason := reasons[message.conversation_id]:
                message._set_inbox_todo(reason)

    def _post_on_records(self, records, customers):
        """The texts in the chatters of their records; whoever follows one is told.

        Nobody who is told by the conversation is told twice.
        """
        texts = self.browse([message.id for message in records])
        posts = (
            self.env["mail.message"]
            .sudo()
            .create(
                [
                    message._prepare_post_values(records[message], customers[message])
                    for message in texts
                ]
            )
        )
        for message, post in zip(texts, posts, strict=True):
            message.write({"mail_message_id": post.id, "partner_id": customers[message].id})
            message._ping_record()
        texts._notify_followers(records)

    def _prepare_post_values(self, record, customer):
        name = customer.name or ("contact_name" in record and record.contact_name)
        return {
            "model": record._name,
            "res_id": record.id,
            "body": sms_content_to_rendered_html(self.body or ""),
            "message_type": "sms",
            "subtype_id": self.env["ir.model.data"]._xmlid_to_res_id("sms_inbox.mt_sms_in"),
            "author_id": customer.id or False,
            "email_from": customer.email_formatted or self._get_author_address(name),
            "reply_to": self.company_id.email_formatted,
            "record_company_id": self.company_id.id,
        }

    def _get_author_address(self, name):
        """A customer without an e-mail address: his name and number, and an address of ours.

        It is the sender of the e-mails that tell the record's followers, so it must be a valid one.
        """
        named = name and name != self.number
        return self._with_our_address(f"{name} ({self.number})" if named else self.number)

    def _with_our_address(self, name):
        ours = email_normalize(self.company_id.email_formatted)
        return formataddr((name, ours)) if ours else name

    def _notify_followers(self, records):
        """Tell followers who are not in the conversation, each as he prefers (R113)."""
        audible = self.filtered("company_id.sms_notify_in_app")
        subtype = self.env["ir.model.data"]._xmlid_to_res_id("sms_inbox.mt_sms_in")
        for model, messages in audible.grouped("res_model").items():
            followed = self.env[model].sudo().browse(messages.mapped("res_id"))
            found = self.env["mail.followers"]._get_recipient_data(
                followed, "sms", subtype, pids=[]
            )
            for message in messages:
                told = message.conversation_id.channel_member_ids.partner_id
                if set(found.get(message.res_id, ())) - {*told.ids, message.partner_id.id}:
                    message._notify_followers_of(records[message], told)

    def _notify_followers_of(self, record, told):
        post = self.mail_message_id.sudo()
        recipients = [
            recipient
            for recipient in record._notify_get_recipients(post)
            if recipient["id"] not in told.ids and recipient["notif"] != "sms"
        ]
        if recipients:
            record._notify_thread_by_inbox(post, recipients)
            record._notify_thread_by_email(post, recipients, force_send=False)
            record._notify_thread_by_web_push(post, recipients)
        if any(recipient["notif"] == "email" for recipient in recipients):
            # by Odoo's queue: the next texts wait for no mail server
            self.env.ref("mail.ir_cron_mail_scheduler_action")._trigger()

    def _post_in_conversations(self, customers=None):
        """The texts in their conversations.

        :param dict customers: ``res.partner`` by text, where they are known
        :return: the messages, in the order of the texts
        """
        customers = customers or {}
        posts = (
            self.env["mail.message"]
            .sudo()
            .create(
                [
                    message.conversation_id._sms_prepare_post_values(
                        message, customers.get(message)
                    )
                    for message in self
                ]
            )
        )
        for message, post in zip(self, posts, strict=True):
            message.conversation_message_id = post
        return posts

    def _show_in_conversations(self):
        """Texts sent from elsewhere stand in the conversations of their pairs, where there are."""
        self._find_conversations()
        texts = self.filtered("conversation_id")
        if texts:
            texts.conversation_id.sudo()._sms_mirror(texts)

    def _pick_store_data(self, data):
        """What of the data of many messages is about this one: nobody learns of others' texts."""
        author = self.conversation_message_id.author_id.id
        wanted = {
            "mail.message": {self.conversation_message_id.id},
            "discuss.channel": {self.conversation_id.id},
            "mail.thread": {self.conversation_id.id},
            "res.partner": {author},
            "res.users": {self.conversation_message_id.author_id.main_user_id.id},
        }
        return {
            model: [row for row in rows if row["id"] in wanted[model]]
            for model, rows in data.items()
            if model in wanted
        }

    def _link_to_record(self, record, rule="manual"):
        """Put received texts on a record by hand: in its chatter and its conversation (R042).

        Never an answer to a question (R046).
        """
        for message in self:
            message.write({"res_model": record._name, "res_id": record.id, "routing_rule": rule})
        records = dict.fromkeys(self, record)
        customers = self._find_customers(records)
        unposted = self.filtered(lambda message: not message.mail_message_id)
        unposted._post_on_records(
            dict.fromkeys(unposted, record), {m: customers[m] for m in unposted}
        )
        channels = self.conversation_id.sudo()
        channels._sms_follow(dict.fromkeys(channels, record.sudo()))
        self._set_inbox_handled()

    def _create_lead(self):
        """A lead of the number, with all the texts that wait of it.

        :return: ``crm.lead``
        """
        lead = self[:1]._create_leads()
        if not lead.user_id and not self.env.user._is_superuser():
            lead.user_id = self.env.user  # as of a lead that he enters
        self._link_to_record(lead, "lead")
        return lead
