from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Command

#: The expression for the customer's language, by model.
LANGUAGES = {
    "crm.lead": "{{ object.lang_code }}",
    "res.partner": "{{ object.lang }}",
}
DELAY_UNITS = [("minutes", "minutes"), ("hours", "hours"), ("days", "days")]


class SmsFlowStep(models.Model):
    """What happens to those who come to one place of a flow: a text, actions, and what is
    listened to."""

    _name = "sms.flow.step"
    _description = "SMS Flow Step"
    _inherit = ["mail.render.mixin"]
    _order = "flow_id, sequence, id"
    _check_company_auto = True
    _unrestricted_rendering = True

    # === FIELDS === #

    name = fields.Char(
        compute="_compute_name", store=True, readonly=False, required=True, precompute=True
    )
    sequence = fields.Integer(default=10)
    flow_id = fields.Many2one("sms.flow", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="flow_id.company_id")
    model = fields.Selection(related="flow_id.model")
    stage_id = fields.Many2one(
        "crm.stage",
        "Stage",
        ondelete="restrict",
        index="btree_not_null",
        domain="[('id', 'in', available_stage_ids)]",
        help="Setting this stage on a lead is what sends the text.",
    )
    available_stage_ids = fields.Many2many("crm.stage", compute="_compute_available_stage_ids")
    body = fields.Text(
        "Text",
        translate=True,
        help="Sent to whoever comes to this step. Empty: none is sent.",
    )
    lang = fields.Char(compute="_compute_lang", store=True, readonly=False, precompute=True)
    reply_ids = fields.One2many("sms.flow.reply", "step_id", "Answers")
    reminder_ids = fields.One2many("sms.flow.reminder", "step_id", "Reminders", copy=True)
    reminder_count = fields.Integer("Reminders set", compute="_compute_reminder_count")
    action_ids = fields.Many2many(
        "ir.actions.server",
        string="Actions",
        domain="[('model_name', '=', model), ('usage', '=', 'ir_actions_server')]",
        groups="base.group_system",
        copy=False,
        help="Run for whoever comes to this step, e.g. to create an activity to call.",
    )
    is_final = fields.Boolean(
        "Last step", help="Who comes here is through: nothing is waited for any more."
    )
    expires_after = fields.Integer(
        "Give up after",
        help="Without an answer. 0: never. The question is closed then, and the customer goes to "
        "the next step, if there is one.",
    )
    expires_unit = fields.Selection(DELAY_UNITS, required=True, default="days")
    expires_step_id = fields.Many2one(
        "sms.flow.step",
        "Then go to",
        domain="[('flow_id', '=', flow_id), ('id', '!=', id)]",
        copy=False,
        index="btree_not_null",
        ondelete="set null",
    )
    run_count = fields.Integer("Here now", compute="_compute_run_count")

    _stage_uniq = models.UniqueIndex(
        "(flow_id, stage_id) WHERE stage_id IS NOT NULL", "A stage can have one step in a flow."
    )
    _expires_after_positive = models.Constraint(
        "CHECK(expires_after >= 0)", "The time to give up after cannot be negative."
    )

    # === COMPUTE METHODS === #

    @api.depends("stage_id")
    def _compute_name(self):
        for step in self:
            step.name = step.name or step.stage_id.name

    @api.depends("flow_id.model")
    def _compute_lang(self):
        for step in self:
            step.lang = step.lang or LANGUAGES.get(step.flow_id.model)

    @api.depends("flow_id.model")
    def _compute_render_model(self):
        for step in self:
            step.render_model = step.flow_id.model

    @api.depends("flow_id.team_id")
    def _compute_available_stage_ids(self):
        for step in self:
            step.available_stage_ids = step.flow_id._get_stages()

    @api.depends("reminder_ids")
    def _compute_reminder_count(self):
        for step in self:
            step.reminder_count = len(step.reminder_ids)

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_run_count(self):
        self.run_count = 0
        if not self.env["sms.flow.run"].has_access("read"):
            return
        domain = [("step_id", "in", self.ids), ("state", "=", "active")]
        counts = dict(self.env["sms.flow.run"]._read_group(domain, ["step_id"], ["__count"]))
        for step in self:
            step.run_count = counts.get(step, 0)

    # === CONSTRAINT METHODS === #

    @api.constrains("stage_id", "flow_id")
    def _check_stage(self):
        """A step of leads stands for a stage of its team's pipeline (R051)."""
        for step in self:
            flow = step.flow_id
            if flow.model == "crm.lead" and not step.stage_id:
                raise ValidationError(
                    self.env._(
                        "Step %(step)s of %(flow)s: choose a stage.", step=step.name, flow=flow.name
                    )
                )
            if step.stage_id and step.stage_id not in flow._get_stages():
                raise ValidationError(
                    self.env._(
                        "Step %(step)s: %(stage)s is no stage of %(flow)s. Add it to the "
                        "pipeline of its sales team first.",
                        step=step.name,
                        stage=step.stage_id.name,
                        flow=flow.name,
                    )
                )

    @api.constrains("expires_step_id", "flow_id")
    def _check_expires_step(self):
        for step in self.filtered("expires_step_id"):
            if step.expires_step_id.flow_id != step.flow_id:
                raise ValidationError(
                    self.env._("Step %s: “Then go to” must be a step of the same flow.", step.name)
                )

    # === CRUD METHODS === #

    @api.model
    def default_get(self, fields):
        """Override of `base`: a default that one saved for oneself gives no actions, either."""
        allowed = [name for name in fields if self._may_write_field(name)]
        return super().default_get(allowed)

    def copy_data(self, default=None):
        """Override of `base`: with the actions, where an administrator copies."""
        vals_list = super().copy_data(default=default)
        if self._may_write_field("action_ids"):
            for step, vals in zip(self, vals_list, strict=True):
                vals.setdefault("action_ids", [Command.set(step.action_ids.ids)])
        return vals_list

    @api.model
    def _may_write_field(self, name):
        field = self._fields.get(name)
        return field is None or self._has_field_access(field, "write")

    @api.model_create_multi
    def create(self, vals_list):
        steps = super().create(vals_list)
        steps.flow_id._refuse_while_off()
        return steps

    def write(self, vals):
        """Override of `base`: rights are checked before a change; it may not go to others (P11)."""
        res = super().write(vals)
        if "flow_id" in vals:
            self.check_access("write")
        self.flow_id._refuse_while_off()
        if {"expires_after", "expires_unit", "is_final"} & vals.keys():
            self._get_active_runs()._schedule()
        return res

    @api.ondelete(at_uninstall=False)
    def _unlink_stops_runs(self):
        """Who stands here is in the flow no more."""
        self._get_active_runs()._stop("step_deleted")

    @api.model
    def _has_unsafe_expression_template_inline_template(self, template_txt, model, fname=None):
        """Override of `mail`: our own expression for the language is nobody's program."""
        if fname == "lang" and template_txt == LANGUAGES.get(model):
            return False
        return super()._has_unsafe_expression_template_inline_template(
            template_txt, model, fname=fname
        )

    # === BUSINESS METHODS === #

    def _get_active_runs(self):
        domain = [("step_id", "in", self.ids), ("state", "=", "active")]
        return self.env["sms.flow.run"].sudo().search(domain)

    def _render_texts(self, records, prefix_of=None):
        """The step's text for each record, in its language; what cannot be filled stays in braces.

        :param prefix_of: ``sms.flow.reminder`` whose prefix stands before the text
        :return: dict of str by record id
        """
        self.ensure_one()
        step = self.flow_id._with_flow_lang().env["sms.flow.step"].browse(self.id).sudo()
        bodies = {}
        for lang, (template, ids) in step._classify_per_lang(records.ids).items():
            strict = template.with_context(sms_strict_rendering=True)
            rendered = strict._render_field("body", ids, set_lang=lang)
            prefix = prefix_of.with_context(lang=lang or step.env.lang).prefix if prefix_of else ""
            for id_ in ids:
                bodies[id_] = f"{prefix.strip()} {rendered[id_]}" if prefix else rendered[id_]
        return bodies
