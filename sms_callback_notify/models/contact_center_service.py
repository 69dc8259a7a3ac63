from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError

from odoo.addons.sms_gateway.engine.words import normalize_word

#: Texts of a service that are filled with a record, and the model of that record.
BODIES = {
    "welcome_body": "contact.center.call",
    "notify_body": "contact.center.callback",
    "auto_agent_body": "contact.center.callback",
}
#: Of a telephone.
KEYS = frozenset("0123456789*#")


class ContactCenterService(models.Model):
    _inherit = "contact.center.service"

    # === FIELDS === #

    welcome_enabled = fields.Boolean("Welcome text")
    welcome_sender_id = fields.Many2one(
        "sms.sender",
        "Welcome from",
        check_company=True,
        domain="[('company_id', '=', company_id), ('state', '=', 'approved')]",
        help="A sender that takes no answers, such as a name.",
    )
    welcome_body = fields.Text(
        "Text of the welcome",
        translate=True,
        default=lambda self: self.env._(
            "Thank you for calling {{ object.company_id.name }}. While you wait, find our offers "
            "at {{ object.company_id.website }}."
        ),
        help="Fields of the call, e.g. {{ object.service_id.name }}.",
    )
    welcome_min_waiting = fields.Integer("If so many wait", help="The caller counts. 0: always.")
    notify_enabled = fields.Boolean("Tell before calling back")
    notify_channel = fields.Selection(
        [
            ("sms", "SMS"),
            ("auto_agent", "Auto Agent"),
            ("both", "SMS to mobile telephones, else Auto Agent"),
        ],
        "Tell by",
        required=True,
        default="sms",
    )
    notify_position = fields.Integer(
        "From place", required=True, default=3, help="In the queue, the first is 1."
    )
    notify_mode = fields.Selection(
        [("one_way", "One-way: no answer"), ("two_way", "Two-way: “no” cancels the callback")],
        "Answers",
        required=True,
        default="two_way",
    )
    notify_sender_id = fields.Many2one(
        "sms.sender",
        "Tell from",
        check_company=True,
        domain="[('company_id', '=', company_id), ('state', '=', 'approved')]",
    )
    notify_body = fields.Text(
        "Text of the notification",
        translate=True,
        default=lambda self: self.env._(
            "{{ object.company_id.name }}: you are number {{ object.position }} in line and we "
            "call you soon. Answer NO if you do not need it any more."
        ),
        help="Fields of the callback, e.g. {{ object.name }} and {{ object.position }}.",
    )
    decline_words = fields.Char(
        "Words for no", default="no, nej, nei, ei, nie", help="Separated by commas."
    )
    auto_agent_body = fields.Text(
        "What the Auto Agent says",
        translate=True,
        default=lambda self: self.env._(
            "You are number {{ object.position }} in line and we call you soon. Press 1 to keep "
            "your place, 2 if you do not need it any more."
        ),
    )
    keep_key = fields.Char("Key to keep the place", default="1", size=1)
    cancel_key = fields.Char("Key to cancel", default="2", size=1)

    _welcome_min_waiting_positive = models.Constraint(
        "CHECK (welcome_min_waiting >= 0)",
        "If so many wait: enter 0, to welcome every caller, or more.",
    )

    # === CONSTRAINTS === #

    @api.constrains("welcome_enabled", "welcome_sender_id", "welcome_body")
    def _check_welcome(self):
        """One-way (R081): nobody can answer, and so nobody waits for an answer."""
        for service in self.filtered("welcome_enabled"):
            sender = service.welcome_sender_id.sudo()
            if not sender or not service.welcome_body:
                raise ValidationError(
                    self.env._(
                        "Service %s: choose the sender of the welcome text, and write the text.",
                        service.name,
                    )
                )
            if sender.can_receive:
                raise ValidationError(
                    self.env._(
                        "Service %(service)s: %(sender)s takes answers, but nobody reads those to "
                        "a welcome. Choose a sender that takes none, such as a name.",
                        service=service.name,
                        sender=sender.display_name,
                    )
                )

    @api.constrains(
        "notify_enabled",
        "notify_channel",
        "notify_mode",
        "notify_sender_id",
        "notify_body",
        "notify_position",
        "decline_words",
        "auto_agent_body",
        "keep_key",
        "cancel_key",
    )
    def _check_notification(self):
        for service in self.filtered("notify_enabled"):
            if words := service._find_notification_problem():
                raise ValidationError(
                    self.env._(
                        "Service %(service)s: %(problem)s", service=service.name, problem=words
                    )
                )

    def _find_notification_problem(self):
        """What is missing to tell customers, in words, or None."""
        if self.notify_position < 1:
            return self.env._("the place from which customers are told must be 1 or more.")
        by_voice = self.notify_channel != "sms" and self._find_voice_problem()
        by_sms = self.notify_channel != "auto_agent" and self._find_sms_problem()
        return by_voice or by_sms or None

    def _find_voice_problem(self):
        if not self.auto_agent_body:
            return self.env._("write what the Auto Agent says.")
        keys = [key for key in (self.keep_key, self.cancel_key) if key]
        if len(set(keys)) < len(keys) or not KEYS.issuperset(keys):
            return self.env._(
                "choose two different keys of a telephone (0 to 9, * or #), one to keep the place "
                "and one to cancel."
            )
        return None

    def _find_sms_problem(self):
        sender = self.notify_sender_id.sudo()
        if not sender or not self.notify_body:
            return self.env._("choose the sender of the notification, and write the text.")
        if self.notify_mode == "one_way":
            return None
        if not sender.can_receive:
            return self.env._(
                "%s takes no answers. Choose a number that does, or let customers be told one-way.",
                sender.display_name,
            )
        return None if self._get_decline_words() else self.env._("list the words for no.")

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """Override to check what the texts compute."""
        services = super().create(vals_list)
        services._check_bodies(BODIES)
        return services

    def write(self, vals):
        """Override to check what the texts compute."""
        res = super().write(vals)
        self._check_bodies(BODIES.keys() & vals.keys())
        return res

    def _update_field_translations(self, field_name, translations, digest=None, source_lang=""):
        """Override to check the texts of the other languages too."""
        res = super()._update_field_translations(
            field_name, translations, digest=digest, source_lang=source_lang
        )
        for lang in translations:
            self.with_context(lang=lang)._check_bodies(BODIES.keys() & {field_name})
        return res

    def _check_bodies(self, names):
        """Who may not write templates may not have a text compute things with nobody's rights.

        No constraint: those are checked with everybody's rights.

        :param names: of fields with texts
        """
        if self.env.su or self.env.user.has_group("mail.group_mail_template_editor"):
            return
        is_unsafe = self.env["mail.render.mixin"]._has_unsafe_expression_template_inline_template
        for service in self:
            for name in names:
                if is_unsafe(service[name] or "", BODIES[name]):
                    raise AccessError(
                        self.env._(
                            "Service %(service)s, “%(field)s”: use plain fields only, such as "
                            "{{ object.name }}, {{ object.number }} or "
                            "{{ object.service_id.name }}, or ask an administrator.",
                            service=service.name,
                            field=service._fields[name]._description_string(self.env),
                        )
                    )

    # === BUSINESS METHODS === #

    def _get_decline_words(self):
        words = (normalize_word(word) for word in (self.decline_words or "").split(","))
        return {word for word in words if word}

    def _is_decline(self, body):
        """Whether a text is one of the words for no, and nothing else."""
        return normalize_word(body) in self._get_decline_words()
