import json

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

#: So many records are moved at once; more go to a batch.
AT_ONCE = 50
#: So many of them are named.
NAMED = 5


class SmsFlowStart(models.TransientModel):
    """Put records into a step of a flow: some at once, many as a batch with progress."""

    _name = "sms.flow.start"
    _description = "Set SMS Flow Step"

    # === FIELDS === #

    res_model = fields.Char(required=True, readonly=True)
    res_ids = fields.Text(readonly=True, help="JSON list of the ids of the records.")
    res_domain = fields.Text(
        readonly=True, help="JSON domain of the records, where all of a long list were chosen."
    )
    record_count = fields.Integer("Number of records", compute="_compute_record_count")
    record_names = fields.Char("Records", compute="_compute_record_names")
    is_batch = fields.Boolean(compute="_compute_record_count")
    flow_id = fields.Many2one(
        "sms.flow", "SMS flow", required=True, domain="[('model', '=', res_model)]"
    )
    step_id = fields.Many2one(
        "sms.flow.step", "Step", required=True, domain="[('flow_id', '=', flow_id)]"
    )
    stage_id = fields.Many2one(related="step_id.stage_id")
    preview = fields.Text("Text", compute="_compute_preview")
    problem = fields.Text(compute="_compute_notes")
    warning = fields.Text(compute="_compute_notes")

    # === COMPUTE METHODS === #

    @api.model
    def default_get(self, fields):
        """Override to take what is selected in a list or open in a form."""
        values = super().default_get(fields)
        if "res_model" in fields and not values.get("res_model"):
            values.update(self._get_selected())
            flow = self._find_flow(values)
            if "flow_id" in fields and flow:
                values["flow_id"] = flow.id
        return values

    @api.model
    def _get_selected(self):
        """Values of the records chosen: those of runs of a list, or those of the list itself."""
        context = self.env.context
        model, ids = context.get("active_model"), context.get("active_ids") or []
        if model == "sms.flow.run":
            runs = self.env[model].browse(ids)
            if len(set(runs.mapped("res_model"))) > 1:
                raise UserError(self.env._("Choose either leads or contacts, not both."))
            model, ids = runs[:1].res_model, runs.mapped("res_id")
        if model not in self.env["sms.flow.run"]._get_models() or not ids:
            raise UserError(self.env._("Choose the leads or contacts first."))
        values = {"res_model": model, "res_ids": json.dumps(list(dict.fromkeys(ids)))}
        if self._is_cut(ids):
            values["res_domain"] = json.dumps(context["active_domain"])
        return values

    @api.model
    def _is_cut(self, ids):
        """Whether all of a list are chosen that is longer than what the web client passes on."""
        limit = self.env["ir.config_parameter"].sudo().get_param("web.active_ids_limit", "20000")
        return bool(self.env.context.get("active_domain")) and len(ids) >= int(limit)

    @api.model
    def _find_flow(self, values):
        """The flow that the records most likely go through, may be empty."""
        flows = self.env["sms.flow"].search([("model", "=", values["res_model"])])
        if values["res_model"] == "crm.lead" and not values.get("res_domain"):
            leads = self.env["crm.lead"].browse(json.loads(values["res_ids"])[:AT_ONCE])
            flows = flows.filtered(lambda flow: flow.team_id in leads.team_id)
        flows = flows.filtered("is_running") or flows
        return flows if len(flows) == 1 else flows.browse()

    @api.depends("res_model", "res_ids", "res_domain")
    def _compute_record_count(self):
        for wizard in self:
            wizard.record_count = wizard._count()
            wizard.is_batch = wizard.record_count > AT_ONCE

    def _count(self, condition=Domain.TRUE):
        """How many of the records chosen meet a condition."""
        return self._get_model().search_count(self._get_domain() & condition)

    @api.depends("res_model", "res_ids")
    def _compute_record_names(self):
        for wizard in self:
            names = wizard._get_records()[:NAMED].mapped("display_name")
            more = wizard.record_count - len(names)
            if more:
                names.append(self.env._("%s more", more))
            wizard.record_names = ", ".join(names)

    @api.depends("step_id", "res_ids")
    def _compute_preview(self):
        """The text as the first of the records gets it."""
        for wizard in self:
            first = wizard._get_records()._filtered_access("write")[:1]
            if wizard.step_id.body and first:
                wizard.preview = wizard.step_id._render_texts(first)[first.id]
            else:
                wizard.preview = False

    @api.depends("flow_id", "step_id", "res_ids")
    def _compute_notes(self):
        for wizard in self:
            wizard.problem = wizard._find_problem() if wizard.step_id else False
            wizard.warning = wizard._find_warning() if wizard.step_id else False

    def _find_problem(self):
        """Why it cannot be done, in words for a person, or None."""
        flow = self.flow_id
        if not flow.is_running:
            return self.env._("%s is switched off. Switch it on first.", flow.name)
        if self.is_batch:
            refusal = self.step_id.body and self.env["sms.sms"]._gate_check_bulk(
                {"lane": "bulk"}, flow.company_id.sudo()
            )
            return refusal[1] if refusal else None
        refusals = self.env["sms.flow.batch"]._find_refusals(self.step_id, self._get_records())
        return next(iter(refusals.values()), None)

    def _find_warning(self):
        notes = []
        if self.is_batch and (misfits := self._count_misfits()):
            notes.append(
                self.env._(
                    "%s of them belong to other sales teams. They stay where they are and are "
                    "listed as failed.",
                    misfits,
                )
            )
        if self.step_id.body and (again := self._count_there()):
            notes.append(
                self.env._("%s of them stand in this step already and get its text again.", again)
            )
        return "\n".join(notes) or False

    def _count_misfits(self):
        """Leads of other teams than the flow's."""
        if self.res_model != "crm.lead":
            return 0
        return self._count(Domain("team_id", "!=", self.flow_id.team_id.id))

    def _count_there(self):
        """Records that stand in the step now."""
        return self._count(Domain("sms_flow_step_id", "=", self.step_id.id))

    # === ACTION METHODS === #

    def action_start(self):
        """Put the records into the step; the person is told at once which texts cannot go."""
        self.ensure_one()
        if words := self.flow_id._refuse_kind(self.res_model):
            raise UserError(words)
        if self.step_id.flow_id != self.flow_id:
            raise UserError(self.env._("Choose a step of %s.", self.flow_id.name))
        if problem := self._find_problem():
            raise UserError(problem)
        return self._start_batch() if self.is_batch else self._start_now()

    def _start_now(self):
        records = self._get_records()
        records.check_access("write")
        self.env["sms.flow.transition"].sudo()._enter(records.sudo(), self.step_id.sudo(), "hand")
        troubles = self.env["sms.flow.batch"]._find_troubles(self.flow_id, records)
        if troubles:
            words = [
                self.env._("%(name)s: %(why)s", name=record.display_name, why=troubles[record.id])
                for record in records
                if record.id in troubles
            ]
            return self._notify("danger", "\n".join(words), title=self.env._("No text was sent to"))
        moved = self.env._(
            "%(count)s put into %(step)s.", count=len(records), step=self.step_id.name
        )
        return self._notify("success", moved)

    def _notify(self, kind, words, title=None):
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": kind,
                "title": title,
                "message": words,
                "sticky": kind == "danger",
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    def _start_batch(self):
        self.env[self.res_model].check_access("write")
        batch = self.env["sms.flow.batch"]._start(
            self.step_id, self._get_model(), self._get_domain()
        )
        action = self.env["ir.actions.act_window"]._for_xml_id("sms_flow.sms_flow_batch_action")
        return {**action, "res_id": batch.id, "views": [(False, "form")], "view_mode": "form"}

    # === HELPERS === #

    def _get_model(self):
        """The model of the records; an archived one that was chosen is found, too."""
        return self.env[self.res_model].with_context(active_test=bool(self.res_domain))

    def _get_domain(self):
        """Domain of the records chosen."""
        if self.res_domain:
            return Domain(json.loads(self.res_domain))
        return Domain("id", "in", json.loads(self.res_ids or "[]"))

    def _get_records(self):
        """The records chosen; of very many, the first."""
        ids = dict.fromkeys(json.loads(self.res_ids or "[]"))
        return self.env[self.res_model].browse(list(ids)[:AT_ONCE]).exists()
