import base64

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import html2plaintext

from odoo.addons.mail.tools.discuss import Store

from ..age import format_age

#: A speech bubble on green: the picture of a customer who has none.
AVATAR = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100">'
    '<rect width="100" height="100" fill="#1c7c54"/>'
    '<path d="M22 26h56v38H46L32 78V64H22z" fill="#fff"/></svg>'
)


def is_sms(channel):
    """Whether a channel is a conversation by SMS."""
    return channel.channel_type == "sms"


class DiscussChannel(models.Model):
    """A channel of the type *SMS* is a conversation: one of our numbers with one customer's.

    Its members are the people who work on it now; who else may read it is said by record rules.
    The messages in it are the texts of the pair, sent from wherever. Their states are the
    ledger's.
    """

    _name = "discuss.channel"
    _inherit = ["discuss.channel", "sms.conversation", "sms.conversation.text"]

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
        for company in self.sudo().sms_company_id:
            if user and not user._sms_filter_receivers(company):
                raise UserError(
                    self.env._(
                        "%s cannot receive texts of this company. An administrator gives the "
                        "right “SMS / User” on the user's form.",
                        user.name,
                    )
                )
        self.sudo()._sms_assign(user)

    def action_sms_undo_move(self):
        """Bring the conversation back to the record it was moved from last, whoever moved it."""
        self.ensure_one()
        self._sms_check_work()
        move = self.sudo().sms_move_id
        if not move:
            raise UserError(
                self.env._("The conversation was not moved, or that is undone already.")
            )
        return move.action_undo()

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

    # === MAIL === #

    def message_post(self, *, body="", **kwargs):
        """Override of `mail`: what is typed in a conversation goes out as a text.

        Whatever a page or a program says of its kind and author.
        """
        if not self or not is_sms(self):
            return super().message_post(body=body, **kwargs)
        if not self._sms_is_note(body, **kwargs):
            return self._sms_post(body, **kwargs)
        # sudo: nobody but this method writes in a conversation
        post = super(DiscussChannel, self.sudo()).message_post(body=body, **kwargs)
        return post.with_env(self.env)

    @api.model
    def _sms_is_note(self, body, message_type="notification", **_kwargs):
        """Whether it is one of the lines in which `mail` says who joined, left or pinned.

        A page cannot make up one: it has no say in the kind of message.
        """
        is_notification = message_type == "notification" and isinstance(body, Markup)
        return is_notification and "o_mail_notification" in body

    def _get_allowed_message_params(self):
        """Override of `mail`: what is typed in a conversation is a text, whatever a page says."""
        names = super()._get_allowed_message_params()
        # sudo: whether it is a conversation is no secret
        return names - {"message_type"} if any(map(is_sms, self.sudo())) else names

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

    def _notify_by_web_push_prepare_payload(self, message, msg_vals=False, force_record_name=False):
        """Override of `mail`: the title names the customer."""
        payload = super()._notify_by_web_push_prepare_payload(
            message, msg_vals=msg_vals, force_record_name=force_record_name
        )
        if is_sms(self):
            payload["title"] = self.env._("SMS from %s", self.name)
        return payload

    def _types_allowing_unfollow(self):
        """Override of `mail`: a member may leave; by rule he can still look."""
        return [*super()._types_allowing_unfollow(), "sms"]

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
