from functools import partial

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain
from odoo.tools.safe_eval import datetime, dateutil, safe_eval, time

from odoo.addons.sms_gateway.engine.quiet_hours import zone_of_number

from ..engine import tags

ICONS = [
    ("fa-commenting-o", "Text"),
    ("fa-mobile", "Telephone"),
    ("fa-bell-o", "Reminder"),
    ("fa-calendar", "Appointment"),
    ("fa-truck", "Delivery"),
    ("fa-file-text-o", "Document"),
    ("fa-credit-card", "Payment"),
    ("fa-check", "Done"),
    ("fa-star-o", "Thanks"),
]
#: Fields that a tag can print.
PRINTABLE = {
    "char", "date", "datetime", "float", "integer", "many2one", "monetary", "selection", "text",
}  # fmt: skip
#: As many reasons as a notification lists, and records with each.
LISTED_REASONS, LISTED_RECORDS = 5, 3


class SmsTool(models.Model):
    """A text that an administrator puts on a model: a button for people, a step for automations.

    It always goes to a contact.
    """

    _name = "sms.tool"
    _description = "SMS Tool"
    _inherit = ["mail.render.mixin", "sms.tool.sending"]
    _order = "sequence, id"
    _check_company_auto = True
    _unrestricted_rendering = True

    # === FIELDS === #

    name = fields.Char(required=True, translate=True, help="What stands on the button.")
    active = fields.Boolean(default=True, help="Switched off: not shown and never run.")
    sequence = fields.Integer(default=10)
    icon = fields.Selection(ICONS, required=True, default="fa-commenting-o")
    description = fields.Char(
        translate=True, help="When to press the button; shown when the mouse rests on it."
    )
    model_id = fields.Many2one(
        "ir.model",
        "Placed on",
        required=True,
        ondelete="cascade",
        index=True,
        domain="[('transient', '=', False), ('abstract', '=', False)]",
        help="The button appears on records of this kind.",
    )
    model = fields.Char("Model name", related="model_id.model", store=True, index=True)
    company_id = fields.Many2one(
        "res.company",
        compute="_compute_company_id",
        store=True,
        readonly=False,
        precompute=True,
        help="Empty: for all companies, each with its own default sender.",
    )
    visible_domain = fields.Char(
        "Shown on",
        compute="_compute_visible_domain",
        store=True,
        readonly=False,
        precompute=True,
        help="The button appears only on records that match.",
    )
    run_domain = fields.Char(
        "Runs on",
        compute="_compute_run_domain",
        store=True,
        readonly=False,
        precompute=True,
        help="On other records a person is told, and an automation passes over.",
    )
    sender_id = fields.Many2one(
        "sms.sender",
        "From",
        check_company=True,
        index="btree_not_null",
        ondelete="restrict",
        domain="[('state', '=', 'approved'), ('company_id', '=?', company_id)]",
        help="Empty: the default sender of the company.",
    )
    body = fields.Text(
        "Text",
        required=True,
        translate=True,
        help="With fields as {{ object.name }} or as $module-field$, e.g. $contact-firstname$.",
    )
    contact_path = fields.Char(
        "Contact field",
        compute="_compute_contact_path",
        store=True,
        readonly=False,
        precompute=True,
        help="The field that leads to the contact who gets the text, e.g. Customer, or over "
        "several records: Order › Customer. Not needed on contacts.",
    )
    phone_field_id = fields.Many2one(
        "ir.model.fields",
        "Phone field",
        default=lambda self: self.env["ir.model.fields"]._get("res.partner", "phone"),
        ondelete="set null",
        domain="[('model', '=', 'res.partner'), ('ttype', '=', 'char'), ('store', '=', True),"
        " ('name', '!=', 'phone_sanitized'), '|', ('state', '=', 'manual'),"
        " '|', ('name', 'ilike', 'phone'), ('name', 'ilike', 'mobile')]",
        help="The contact's field with the number.",
    )
    preview_title = fields.Char(compute="_compute_preview", groups="base.group_system")
    preview = fields.Text(compute="_compute_preview", groups="base.group_system")

    # === COMPUTE METHODS === #

    @api.depends("model")
    def _compute_render_model(self):
        for tool in self:
            tool.render_model = tool.model

    @api.depends("sender_id")
    def _compute_company_id(self):
        for tool in self:
            tool.company_id = tool.sender_id.company_id or tool.company_id

    @api.depends("model_id")
    def _compute_visible_domain(self):
        """A condition on one kind of record means nothing on another."""
        self.visible_domain = "[]"

    @api.depends("model_id")
    def _compute_run_domain(self):
        """Likewise."""
        self.run_domain = "[]"

    @api.depends("model_id")
    def _compute_contact_path(self):
        for tool in self:
            model = self.env.get(tool.model_id.model)
            names = [] if model is None else model._mail_get_partner_fields(introspect_fields=True)
            single = [name for name in names if model._fields[name].type == "many2one"]
            tool.contact_path = False if tool._is_on_contacts() else next(iter(single), False)

    @api.depends(
        "model_id", "body", "contact_path", "phone_field_id", "visible_domain", "run_domain"
    )
    def _compute_preview(self):
        """An example while the tool is being made; what is wrong shows in its place."""
        for tool in self:
            tool.preview_title = tool.preview = False
            if not tool.model or not tool.body:
                continue
            try:
                tool.preview_title, tool.preview = tool._get_preview()
            except (UserError, ValueError, SyntaxError, KeyError) as error:
                tool.preview_title = self.env._("This does not work yet")
                tool.preview = str(error)

    def _get_preview(self):
        """The text for the latest record that matches: a title and the text."""
        body = self._translate_tags_of(self.body)
        domain = self._get_domain("visible_domain") & self._get_domain("run_domain")
        example = self.env[self.model].search(domain, order="id desc", limit=1)
        if not example:
            return self.env._("No record matches the conditions yet"), False
        if refusal := self._refuse_contact(example):
            return self.env._("Example: %s", example.display_name), refusal[1]
        contact = self._get_contacts(example)
        strict = self.with_context(sms_strict_rendering=True)
        number = self._get_number(example, contact)
        clock = self._get_clock(zone_of_number(number) or "UTC")
        text = strict._render_template(body, self.model, example.ids, add_context=clock)
        title = self.env._(
            "Example: %(record)s, to %(contact)s %(number)s",
            record=example.display_name,
            contact=contact.name,
            number=number,
        )
        return title, text[example.id]

    def _is_on_contacts(self):
        return self.model_id.model == "res.partner"

    # === CONSTRAINT METHODS === #

    @api.constrains("contact_path", "model_id")
    def _check_contact_path(self):
        for tool in self:
            owner = tool._check_model()
            for name in tool._get_path():
                field = owner._fields.get(name)
                if field is None or field.type != "many2one":
                    raise ValidationError(tool._describe_path_error(owner, name))
                owner = self.env[field.comodel_name]
            if owner._name != "res.partner":
                raise ValidationError(
                    self.env._(
                        "Contact field of SMS tool %(tool)s: it must lead to a contact, and "
                        "“%(path)s” leads to: %(model)s.",
                        tool=tool.name,
                        path=tool.contact_path or "",
                        model=owner._description,
                    )
                )

    def _check_model(self):
        """The empty recordset of the tool's model."""
        model = self.env.get(self.model)
        if model is None or model._abstract or model._transient:
            raise ValidationError(
                self.env._(
                    "SMS tool %s: choose another model, this one keeps no records.", self.name
                )
            )
        return model

    def _describe_path_error(self, owner, name):
        return self.env._(
            "Contact field of SMS tool %(tool)s: “%(name)s” in “%(path)s” is no field of "
            "%(model)s that leads to one record.",
            tool=self.name,
            name=name,
            path=self.contact_path,
            model=owner._description,
        )

    @api.constrains("visible_domain", "run_domain", "model_id")
    def _check_domains(self):
        for tool in self:
            for fname in ("visible_domain", "run_domain"):
                try:
                    tool._get_domain(fname).validate(self.env[tool.model].sudo())
                except Exception as error:
                    raise ValidationError(
                        self.env._(
                            "“%(field)s” of SMS tool %(tool)s is no condition on its records: "
                            "%(why)s",
                            field=self._fields[fname]._description_string(self.env),
                            tool=tool.name,
                            why=error,
                        )
                    ) from error

    @api.constrains("sender_id")
    def _check_sender(self):
        """A name or a number is a sender when it has been approved (R165)."""
        for tool in self.filtered("sender_id"):
            if tool.sender_id.state != "approved":
                raise ValidationError(
                    self.env._(
                        "The sender %(sender)s of SMS tool %(tool)s is not approved. Approve it "
                        "first, or choose another.",
                        sender=tool.sender_id.display_name,
                        tool=tool.name,
                    )
                )

    @api.constrains("phone_field_id")
    def _check_phone_field(self):
        for tool in self.filtered("phone_field_id"):
            field = tool.sudo().phone_field_id
            if field.model != "res.partner" or field.ttype != "char":
                raise ValidationError(
                    self.env._(
                        "Phone field of SMS tool %(tool)s: “%(field)s” is no text field of "
                        "contacts.",
                        tool=tool.name,
                        field=field.name,
                    )
                )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        tools = super().create(vals_list)
        tools._translate_tags()
        return tools

    def write(self, vals):
        res = super().write(vals)
        if "body" in vals:
            self._translate_tags()
        return res

    def copy_data(self, default=None):
        vals_list = super().copy_data(default=default)
        if "name" not in (default or {}):
            for vals in vals_list:
                vals["name"] = self.env._("%s (copy)", vals["name"])
        return vals_list

    # === TAGS === #

    def _update_field_translations(self, field_name, translations, digest=None, source_lang=""):
        """Override of `base`: a translation of the text may have tags, too (R171)."""
        if field_name == "body":
            translations = {
                lang: self._translate_tags_of(text) if isinstance(text, str) else text
                for lang, text in translations.items()
            }
        return super()._update_field_translations(
            field_name, translations, digest=digest, source_lang=source_lang
        )

    def _translate_tags(self):
        """Put Odoo's placeholders for the tags, in each language of the text (R171)."""
        body = self._fields["body"]
        for tool in self:
            texts = body._get_stored_translations(tool) or {}
            changed = {
                lang: translated
                for lang, text in texts.items()
                if (translated := tool._translate_tags_of(text)) != text
            }
            if changed:
                tool._update_field_translations("body", changed)

    def _translate_tags_of(self, text):
        """One text with placeholders for tags; an unknown tag is an error that names it."""
        describe = self._describe_model
        path = ".".join(self._get_path())
        try:
            return tags.translate(text or "", describe(self.model), path, describe)
        except tags.UnknownTag as error:
            raise ValidationError(self._describe_tag_error(error)) from error

    def _describe_tag_error(self, error):
        if error.model is None:
            return self.env._(
                "Text of SMS tool %(tool)s: the module of “%(tag)s” does not exist. There are: "
                "%(known)s.",
                tool=self.name,
                tag=error.tag,
                known=", ".join(error.known),
            )
        return self.env._(
            "Text of SMS tool %(tool)s: %(model)s has no field for “%(tag)s”. There are: "
            "%(known)s, …",
            tool=self.name,
            model=error.model.labels[0],
            tag=error.tag,
            known=", ".join(error.known),
        )

    def _describe_model(self, name):
        """A model as tags see it, with the labels of the user's language and of English.

        :return: :class:`tags.Model`
        """
        labels, fields_ = [], {}
        for lang in dict.fromkeys((self.env.lang or "en_US", "en_US")):
            env = self.sudo().with_context(lang=lang).env
            labels.append(env["ir.model"]._get(name).name)
            for fname, field in env[name].fields_get().items():
                fields_.setdefault(fname, []).append(field)
        return tags.Model(
            name,
            tuple(labels),
            tuple(
                tags.Field(
                    fname,
                    tuple(field["string"] for field in found),
                    found[0]["type"],
                    found[0].get("relation"),
                    found[0].get("currency_field"),
                )
                for fname, found in fields_.items()
                if found[0]["type"] in PRINTABLE
            ),
        )

    # === BUTTONS === #

    @api.model
    @api.readonly
    def get_visible(self, model, res_ids):
        """The tools that the user may press on at least one of some records.

        :param str model: technical name
        :param list res_ids: ids of the records shown or selected
        :return: list of dict of ``id``, ``name``, ``icon``, ``description``
        """
        if not self._may_be_pressed() or model not in self.env:
            return []
        records = self.env[model].browse(dict.fromkeys(res_ids)).exists()
        records = records._filtered_access(self._get_post_access(model))
        tools = self.search([("model", "=", model)]) if records else self
        return [
            {
                "id": tool.id,
                "name": tool.name,
                "icon": tool.icon,
                "description": tool.description or "",
            }
            for tool in tools
            if tool._may_use_sender(tool.sender_id) and tool._filter(records, "visible_domain")
        ]

    @api.model
    def _get_models(self):
        """Technical names of the models with tools that the user may press."""
        if not self._may_be_pressed():
            return []
        return [model for (model,) in self._read_group([], ["model"])]

    def run(self, res_ids):
        """Press the button: text the contacts of these records, as the user.

        On one record whatever is wrong is an error, and nothing has happened; of several records
        those that can be texted are.

        :param list res_ids: ids of records of the tool's model
        :return: a client action that says what was sent
        """
        self.ensure_one()
        self.check_access("read")
        records = self._check_may_run(res_ids)
        fit = self._filter(self._filter(records, "visible_domain"), "run_domain")
        refusals = dict.fromkeys((records - fit).ids, self._refuse_unfit())
        alone = len(records) == 1
        refusals |= self._send(fit, "chat" if alone else "bulk", self.env.user)
        if refusals and alone:
            raise UserError(self._describe_refusal(records, refusals[records.id]))
        return self._notify(records, refusals)

    @api.model
    def _may_be_pressed(self):
        return self.env.user.has_group("sms_gateway.group_sms_user")

    @api.model
    def _get_post_access(self, model):
        """What one must be allowed to do with records to text from them; as in the composer."""
        return getattr(self.env[model], "_mail_post_access", "read")

    def _check_may_run(self, res_ids):
        """The records of a press, where the user may press at all."""
        if not self._may_be_pressed():
            raise AccessError(
                self.env._("You have no right to send SMS. Ask an administrator for it.")
            )
        if not self.active:
            raise UserError(self.env._("The SMS tool %s is switched off.", self.name))
        records = self.env[self.model].browse(dict.fromkeys(res_ids)).exists()
        records.check_access(self._get_post_access(self.model))
        if not records:
            raise UserError(self.env._("The records do not exist any more. Reload the page."))
        return records

    def _notify(self, records, refusals):
        """The client action that says what was sent, and what was not and why."""
        sent = len(records) - len(refusals)
        if refusals:
            title = self.env._("%(sent)s sent, %(not_sent)s not", sent=sent, not_sent=len(refusals))
        elif sent == 1:
            title = self.env._("Text to %s is on its way", self._get_contacts(records).name)
        else:
            title = self.env._("%s texts are on their way", sent)
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "warning" if refusals else "success",
                "title": title,
                "message": "".join(f"\n{line}" for line in self._list_reasons(records, refusals)),
                "sticky": bool(refusals),
                "className": "o_sms_tool_notification",
            },
        }

    def _list_reasons(self, records, refusals):
        """A line for each reason, with the records it keeps from being texted."""
        by_reason = records.filtered(lambda record: record.id in refusals).grouped(
            lambda record: refusals[record.id][1]
        )
        lines = [
            self._describe_refusal(refused, (False, reason))
            for reason, refused in by_reason.items()
        ]
        if len(lines) > LISTED_REASONS:
            more = self.env._("… and %s other reasons", len(lines) - LISTED_REASONS)
            lines[LISTED_REASONS:] = [more]
        return lines

    def _describe_refusal(self, records, refusal):
        """Why records are not texted, after their names where the reason has none."""
        names = records[:LISTED_RECORDS].mapped("display_name")
        if len(names) == 1 and names[0] in refusal[1]:
            return refusal[1]
        named = ", ".join(names)
        if len(records) > LISTED_RECORDS:
            more = len(records) - LISTED_RECORDS
            named = self.env._("%(records)s and %(more)s more", records=named, more=more)
        return self.env._("%(records)s: %(why)s", records=named, why=refusal[1])

    # === HELPERS === #

    def _get_domain(self, fname):
        """One of the two conditions.

        :return: Domain
        """
        variables = {
            "uid": self.env.uid,
            "user": self.env.user,
            "time": time,
            "datetime": datetime,
            "dateutil": dateutil,
            "context_today": partial(fields.Date.context_today, self),
        }
        return Domain(safe_eval(self[fname] or "[]", variables))

    def _get_path(self):
        return [name for name in (self.contact_path or "").split(".") if name]

    def _get_path_label(self):
        """The contact field as a person knows it, e.g. *Order › Customer*."""
        labels, owner = [], self.env[self.model]
        for name in self._get_path():
            field = owner._fields[name]
            labels.append(field._description_string(self.env))
            owner = self.env[field.comodel_name]
        return " › ".join(labels)
