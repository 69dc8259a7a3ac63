from odoo import api, fields, models, tools
from odoo.exceptions import ValidationError
from odoo.fields import Command, Domain

from odoo.addons.base.models.res_partner import _tz_get
from odoo.addons.sms_gateway.cache import clear_cache

#: What can be set up only once SMS is switched on (R009).
LOCKED_FIELDS = {"sender_id", "inbound_enabled", "template_ids", "flow_enabled", "step_ids"}
#: What stays as it is while records are in the flow: it tells whose they are.
FIXED_FIELDS = ("model", "team_id", "company_id")


class SmsFlow(models.Model):
    """The SMS set-up of one assignment: its number, its templates, and the steps of its customers.

    A flow for leads follows the stages of its sales team; one for contacts has steps of its own.
    Its switches build on one another: SMS, sender, then answers and the flow itself.
    """

    _name = "sms.flow"
    _description = "SMS Flow"
    _inherit = ["mail.thread", "sms.flow.picture", "sms.flow.trial"]
    _order = "sequence, id"
    _check_company_auto = True

    # === FIELDS === #

    name = fields.Char(required=True, tracking=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True, tracking=True)
    color = fields.Integer()
    model = fields.Selection(
        [("crm.lead", "Leads and opportunities"), ("res.partner", "Contacts")],
        "For",
        required=True,
        default="crm.lead",
        help="Leads follow the stages of their sales team; contacts have the flow's own steps.",
    )
    team_id = fields.Many2one(
        "crm.team",
        "Sales team",
        check_company=True,
        index="btree_not_null",
        ondelete="restrict",
        tracking=True,
        help="The team whose stages the steps belong to, and whose leads follow them.",
    )
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    sms_enabled = fields.Boolean(
        "SMS", tracking=True, help="Switch it on first: all else is set up afterwards."
    )
    sender_id = fields.Many2one(
        "sms.sender",
        "Sender",
        check_company=True,
        index="btree_not_null",
        tracking=True,
        domain="[('company_id', '=', company_id), ('state', '=', 'approved')]",
        help="The number or name that the flow's texts come from.",
    )
    sender_can_receive = fields.Boolean(related="sender_id.can_receive")
    inbound_enabled = fields.Boolean(
        "Listen to answers",
        tracking=True,
        help="Texts to the flow's number may move customers to the next step. The sender must be "
        "a number that receives answers.",
    )
    template_ids = fields.One2many("sms.template", "flow_id", "Templates")
    flow_enabled = fields.Boolean(
        "Flow",
        copy=False,
        tracking=True,
        help="While it is off, a new stage or step sends nothing.",
    )
    step_ids = fields.One2many("sms.flow.step", "flow_id", "Steps")
    tz = fields.Selection(
        _tz_get,
        "Time zone",
        help="For customers whose number does not tell theirs. Empty: the company's.",
    )
    is_running = fields.Boolean(compute="_compute_is_running", compute_sudo=True)
    run_count = fields.Integer("Records", compute="_compute_run_counts")
    attention_count = fields.Integer("Need attention", compute="_compute_run_counts")
    sender_note = fields.Text("About the number", compute="_compute_sender_note", compute_sudo=True)
    other_flow_ids = fields.Many2many(
        "sms.flow", string="Other flows of the number", compute="_compute_other_flow_ids"
    )

    _team_uniq = models.UniqueIndex(
        "(team_id, company_id) WHERE active AND team_id IS NOT NULL",
        "This sales team already has an SMS flow. Open that one, or archive it first.",
    )
    _leads_need_team = models.Constraint(
        "CHECK(model != 'crm.lead' OR team_id IS NOT NULL)",
        "A flow for leads needs a sales team: its steps are the team's stages.",
    )

    # === COMPUTE METHODS === #

    @api.depends("active", "flow_enabled", "sms_enabled", "sender_id", "company_id.sms_enabled")
    def _compute_is_running(self):
        for flow in self:
            flow.is_running = bool(
                flow.active
                and flow.flow_enabled
                and flow.sms_enabled
                and flow.sender_id
                and flow.company_id.sms_enabled
            )

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_run_counts(self):
        Run = self.env["sms.flow.run"]
        self.run_count = self.attention_count = 0
        if not Run.has_access("read"):
            return
        mine = Domain("flow_id", "in", self.ids)
        active = mine & Domain("state", "=", "active")
        attention = mine & Domain("attention", "!=", False)
        counts = dict(Run._read_group(active, ["flow_id"], ["__count"]))
        troubled = dict(Run._read_group(attention, ["flow_id"], ["__count"]))
        for flow in self:
            flow.run_count = counts.get(flow, 0)
            flow.attention_count = troubled.get(flow, 0)

    @api.depends("sender_id", "active", "company_id")
    def _compute_other_flow_ids(self):
        for flow in self:
            flow.other_flow_ids = flow.sender_id.flow_ids - flow._origin - flow

    @api.depends("sender_id", "active")
    def _compute_sender_note(self):
        """What is said where a number serves several flows (R030, R031)."""
        for flow in self:
            notes = []
            if others := flow.other_flow_ids:
                notes.append(
                    self.env._(
                        "%(sender)s also serves %(flows)s. An answer to it cannot be tied to one "
                        "flow for certain, so it waits in the inbox. Give each flow a number of "
                        "its own.",
                        sender=flow.sender_id.display_name,
                        flows=", ".join(others.mapped("name")),
                    )
                )
            if flow.sender_id.twin_ids.flow_ids:
                notes.append(
                    self.env._(
                        "A flow of another company uses the same number. That is allowed; answers "
                        "of customers that both companies texted wait in the inbox."
                    )
                )
            flow.sender_note = "\n".join(notes) or False

    # === CONSTRAINT METHODS === #

    @api.constrains("sms_enabled", "sender_id", "inbound_enabled", "flow_enabled", "company_id")
    def _check_order_of_switches(self):
        """Each switch needs those before it (R007, R011, R012, R076)."""
        for flow in self:
            problem = flow._find_switch_problem()
            if problem:
                raise ValidationError(self.env._("%(flow)s: %(why)s", flow=flow.name, why=problem))

    def _find_switch_problem(self):
        sender = self.sender_id
        if self.sms_enabled and not self.company_id.sudo().sms_enabled:
            return self.env["sms.sms"]._gate_check_switch(self.company_id)[1]
        if (self.flow_enabled or self.inbound_enabled) and not self.sms_enabled:
            return self.env._("switch SMS on before the flow or its answers.")
        if (self.flow_enabled or self.inbound_enabled) and not sender:
            return self.env._("choose a sender before you switch on the flow or its answers.")
        if sender and sender.state != "approved":
            return self.env._(
                "the sender %s is not approved. Choose another, or have it approved.",
                sender.display_name,
            )
        if self.inbound_enabled and sender.kind == "text":
            return self.env._(
                "%s is a name and cannot receive answers. Choose a number as the sender, or "
                "switch “Listen to answers” off.",
                sender.display_name,
            )
        if self.inbound_enabled and not sender.can_receive:
            return self.env._(
                "%s does not receive answers. Switch that on for the sender, or choose another.",
                sender.display_name,
            )
        return None

    @api.constrains("model", "team_id")
    def _check_contacts_have_no_team(self):
        for flow in self:
            if flow.model == "res.partner" and flow.team_id:
                raise ValidationError(
                    self.env._("%s is for contacts and cannot have a sales team.", flow.name)
                )

    @api.constrains(*FIXED_FIELDS)
    def _check_steps_belong(self):
        """The steps' stages stay in the flow's pipeline (R051)."""
        self.step_ids._check_stage()

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        clear_cache(self.env)
        for vals in vals_list:
            if not vals.get("sms_enabled") and (early := self._find_early(vals)):
                self._refuse_locked(vals.get("name", ""), early)
        return super().create(vals_list)

    def write(self, vals):
        vals = self._complete_switches(vals)
        for flow in self:
            enabled = vals.get("sms_enabled", flow.sms_enabled)
            if not enabled and (early := flow._find_early(vals)):
                flow._refuse_locked(flow.name, early)
            flow._refuse_fixed(vals)
        clear_cache(self.env)
        running = self.filtered("is_running")
        listening = self.filtered("inbound_enabled")
        res = super().write(vals)
        if "company_id" in vals:  # rights are checked before a change; it may not go to others
            self.check_access("write")
        stopped = running.filtered(lambda flow: not flow.is_running)
        stopped._get_active_runs()._pause()
        deaf = listening.filtered(lambda flow: not flow.inbound_enabled) - stopped
        deaf._get_active_runs()._close_questions("cancelled")
        return res

    def _complete_switches(self, vals):
        """Switching a lower one off switches off what builds on it (R076)."""
        vals = dict(vals)
        off = ("sms_enabled" in vals and not vals["sms_enabled"]) or (
            "sender_id" in vals and not vals["sender_id"]
        )
        if off:
            vals.update(inbound_enabled=False, flow_enabled=False)
        return vals

    @api.model
    def _find_early(self, vals):
        """Of the values, those that need SMS to be switched on."""
        return sorted(
            name
            for name in LOCKED_FIELDS & vals.keys()
            if vals[name] and self._is_another(name, vals[name])
        )

    def _is_another(self, name, value):
        """Whether a value to write differs from what stands there."""
        return (value or False) != self._fields[name].convert_to_write(self[name], self)

    def _refuse_locked(self, name, fields_):
        labels = ", ".join(self._fields[f]._description_string(self.env) for f in fields_)
        raise ValidationError(
            self.env._(
                "%(flow)s: switch SMS on before you change %(fields)s.", flow=name, fields=labels
            )
        )

    def _refuse_while_off(self):
        """R009 for who sets up steps one by one; the engine may, whatever is switched on."""
        if self.env.su:
            return
        for flow in self.filtered(lambda flow: not flow.sms_enabled):
            flow._refuse_locked(flow.name, ["step_ids"])

    def _refuse_fixed(self, vals):
        """Who is in the flow would be in one that he does not belong to."""
        fixed = [
            name for name in FIXED_FIELDS if name in vals and self._is_another(name, vals[name])
        ]
        if not fixed or not self._get_active_runs():
            return
        labels = ", ".join(self._fields[name]._description_string(self.env) for name in fixed)
        raise ValidationError(
            self.env._(
                "%(flow)s: there are records in it, so %(fields)s cannot change. Stop them first, "
                "or archive this flow and make another.",
                flow=self.name,
                fields=labels,
            )
        )

    @api.ondelete(at_uninstall=False)
    def _unlink_frees_the_number(self):
        """What waits for an answer waits no more; the number is free (R077).

        The ledger forgets the flow at once: the database would look after each link by itself,
        and find the next one broken.
        """
        clear_cache(self.env)
        self._get_active_runs()._stop_waiting()
        self.env["sms.message"].sudo().search([("flow_id", "in", self.ids)]).write(
            {"flow_id": False, "flow_entry_id": False, "flow_reminder_id": False}
        )

    def copy_data(self, default=None):
        """Override of `base`: a team has one flow, so the copy waits for another team.

        Where SMS is off the sender is chosen anew: it comes after the switch (R009).
        """
        vals_list = super().copy_data(default=default)
        asked = default or {}
        for flow, vals in zip(self, vals_list, strict=True):
            if "name" not in asked:
                vals["name"] = self.env._("%s (copy)", flow.name)
            if "active" not in asked:
                vals["active"] = not vals.get("team_id") or vals["team_id"] != flow.team_id.id
            if "sender_id" not in asked and not vals.get("sms_enabled"):
                vals.pop("sender_id", None)
        return vals_list

    def copy(self, default=None):
        """Override of `base`: with the steps, be SMS switched on or off."""
        copies = super().copy(default)
        if "step_ids" not in (default or {}):
            for flow, copied in zip(self, copies, strict=True):
                flow._copy_steps_to(copied)
        return copies

    def _copy_steps_to(self, copied):
        """Copy the steps; what leads from one to another leads to the copied ones.

        Actions are copied where an administrator copies.
        """
        may_act = self.env["sms.flow.step"]._may_write_field("action_ids")
        values = {"flow_id": copied.id} | ({} if may_act else {"action_ids": []})
        old = self.step_ids.sudo()
        steps = dict(zip(old, old.copy(values), strict=True))
        for step, new in steps.items():
            new.expires_step_id = steps.get(step.expires_step_id)
            for reply in step.reply_ids.filtered(lambda r: r.target_step_id in steps):
                reply.copy({"step_id": new.id, "target_step_id": steps[reply.target_step_id].id})

    # === BUSINESS METHODS === #

    @api.model
    def _find_for(self, records):
        """The running flows that leads follow, by lead; those of no flow are left out.

        :param records: ``crm.lead``
        :return: dict of ``sms.flow`` by lead
        """
        teams = records.team_id
        flows = self.sudo().search([("team_id", "in", teams.ids)]) if teams else self.sudo()
        by_team = flows.filtered("is_running").grouped("team_id")
        found = {}
        for lead in records:
            company = lead.company_id or lead.team_id.company_id or self.env.company
            candidates = by_team.get(lead.team_id, self.browse())
            if flow := candidates.filtered(lambda f, c=company: f.company_id == c)[:1]:
                found[lead] = flow
        return found

    def _owns(self, record):
        """Whether a record is of the flow's company, and a lead of its team."""
        record = record.sudo()
        company, team = record.company_id, record._name == "crm.lead" and record.team_id
        return (not company or company == self.company_id) and (
            team is False or team == self.team_id
        )

    def _refuse_kind(self, model):
        """Why records of a model are not for this flow, or None."""
        if model == self.model:
            return None
        return self.env._("%s is for another kind of record. Choose another flow.", self.name)

    def _find_refusal(self, record):
        """Why a record does not belong to the flow, or None."""
        if words := self._refuse_kind(record._name):
            return words
        name = record.display_name
        if not record.active:
            return self.env._("%s is archived. Restore it first.", name)
        if record.company_id and record.company_id != self.company_id:
            return self.env._(
                "%(record)s belongs to %(company)s. Choose a flow of that company.",
                record=name,
                company=record.company_id.name,
            )
        return None if self._owns(record) else self._describe_other_team(record)

    def _describe_other_team(self, lead):
        if not lead.team_id:
            return self.env._(
                "%(record)s has no sales team. Give it to %(team)s first.",
                record=lead.display_name,
                team=self.team_id.name,
            )
        return self.env._(
            "%(record)s belongs to %(other)s. Give it to %(team)s first, or choose a flow of "
            "%(other)s.",
            record=lead.display_name,
            other=lead.team_id.name,
            team=self.team_id.name,
        )

    @api.model
    @tools.ormcache()
    def _get_sender_ids(self):
        """Ids of the senders that flows text with; asked for with every text."""
        return frozenset(self.sudo().search([("sender_id", "!=", False)]).sender_id.ids)

    @api.model
    @tools.ormcache()
    def _get_team_ids(self):
        """Ids of the teams with a flow that is on; asked for with every stage of a lead."""
        return frozenset(self.sudo().search([("flow_enabled", "=", True)]).team_id.ids)

    @api.model
    @tools.ormcache()
    def _is_any(self):
        """Whether there are flows at all; where there are none, nobody can be in one."""
        return bool(self.sudo().with_context(active_test=False).search_count([], limit=1))

    def _get_active_runs(self):
        domain = [("flow_id", "in", self.ids), ("state", "=", "active")]
        return self.env["sms.flow.run"].sudo().search(domain)

    def _get_step_of_stage(self, stage):
        """The step of a stage, may be empty."""
        return self.step_ids.filtered(lambda step: step.stage_id == stage)[:1]

    def _get_tz(self, number):
        """The time zone of a customer: his number's, else the flow's, else the company's."""
        from_number = self.env["sms.flow.run"]._get_zone_of_number(number)
        return from_number or self.tz or self.company_id.partner_id.tz or "UTC"

    def _with_flow_lang(self):
        """The flow in the language of its company, for whose texts have none of their own."""
        return self.with_context(lang=self.company_id.partner_id.lang or self.env.lang)

    # === ACTION METHODS === #

    def action_view_runs(self):
        """The records in the flow."""
        action = self.env["ir.actions.act_window"]._for_xml_id("sms_flow.sms_flow_run_action")
        return {
            **action,
            "domain": [("flow_id", "in", self.ids)],
            "context": {"search_default_active": 1},
        }

    def action_view_attention(self):
        """The records of the flow that need somebody."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "sms_flow.sms_flow_run_action_attention"
        )
        return {**action, "domain": [("flow_id", "in", self.ids), ("attention", "!=", False)]}

    def action_switch_off(self):
        """No text and no reminder goes out any more; what has been set up stays."""
        self.write({"flow_enabled": False})

    def action_switch_on(self):
        """Check the flow first; where nothing is found it is on, else the findings are shown."""
        self.ensure_one()
        return self.env["sms.flow.check"]._open(self, switch_on=True)

    def action_check(self):
        """Show what may be wrong with the flow."""
        self.ensure_one()
        return self.env["sms.flow.check"]._open(self)

    def action_add_stages(self):
        """A step for each stage of the team that has none yet."""
        self.ensure_one()
        missing = self._get_stages() - self.step_ids.stage_id
        self.step_ids = [
            Command.create({"name": stage.name, "stage_id": stage.id, "sequence": stage.sequence})
            for stage in missing
        ]

    def _get_stages(self):
        """The stages of the team's pipeline."""
        domain = ["|", ("team_ids", "=", False), ("team_ids", "in", self.team_id.ids)]
        return self.env["crm.stage"].search(domain) if self.team_id else self.env["crm.stage"]
