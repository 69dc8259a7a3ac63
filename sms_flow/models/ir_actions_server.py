from odoo import api, fields, models


class IrActionsServer(models.Model):
    _inherit = "ir.actions.server"

    state = fields.Selection(
        selection_add=[
            ("sms_flow_step", "Set SMS flow step"),
            ("sms_tool", "Run SMS tool"),
            ("followers",),
        ],
        ondelete={"sms_flow_step": "cascade", "sms_tool": "cascade"},
    )
    sms_flow_step_id = fields.Many2one(
        "sms.flow.step",
        "SMS flow step",
        compute="_compute_sms_flow_step_id",
        store=True,
        readonly=False,
        ondelete="cascade",
        index="btree_not_null",
        domain="[('flow_id.model', '=', model_name)]",
        help="Where the record goes to. Empty, for leads: to the step of the stage they are in, in "
        "the flow of their sales team.",
    )

    sms_tool_id = fields.Many2one(
        "sms.tool",
        "SMS tool",
        compute="_compute_sms_tool_id",
        store=True,
        readonly=False,
        ondelete="cascade",
        index="btree_not_null",
        domain="[('model_id', '=', model_id)]",
        help="Texts the contact of each record that matches the tool's condition to run.",
    )

    @api.depends("state", "model_id")
    def _compute_sms_flow_step_id(self):
        for action in self:
            step = action.sms_flow_step_id
            if action.state != "sms_flow_step" or step.flow_id.model != action.model_name:
                action.sms_flow_step_id = False

    @api.depends("state", "model_id")
    def _compute_sms_tool_id(self):
        for action in self:
            if action.state != "sms_tool" or action.sms_tool_id.model_id != action.model_id:
                action.sms_tool_id = False

    @api.depends("state")
    def _compute_available_model_ids(self):
        """Override of `base`: only models whose records can be in a flow."""
        ours = self.filtered(lambda action: action.state == "sms_flow_step")
        models_ = self.env["ir.model"]
        for model in self.env["sms.flow.run"]._get_models():
            models_ |= models_._get(model)
        ours.available_model_ids = models_.ids
        return super(IrActionsServer, self - ours)._compute_available_model_ids()

    def _name_depends(self):
        return [*super()._name_depends(), "sms_flow_step_id", "sms_tool_id"]

    def _generate_action_name(self):
        if self.state == "sms_tool" and self.sms_tool_id:
            return self.env._("Run SMS tool: %s", self.sms_tool_id.name)
        if self.state != "sms_flow_step":
            return super()._generate_action_name()
        if not self.sms_flow_step_id:
            return self.env._("Set SMS flow step to that of the stage")
        return self.env._("Set SMS flow step: %s", self.sms_flow_step_id.name)

    @api.model
    def _warning_depends(self):
        return [*super()._warning_depends(), "sms_flow_step_id", "sms_tool_id"]

    def _get_warning_messages(self):
        warnings = super()._get_warning_messages()
        if self.state == "sms_flow_step":
            if self.model_name not in self.env["sms.flow.run"]._get_models():
                warnings.append(self.env._("Only leads and contacts can be in an SMS flow."))
            elif not self.sms_flow_step_id and self.model_name != "crm.lead":
                warnings.append(self.env._("Choose the step: contacts have no stages to follow."))
        elif self.state == "sms_tool" and not self.sms_tool_id:
            warnings.append(
                self.env._(
                    "Choose an SMS tool for this kind of record, or make one: SMS › Configuration "
                    "› SMS tools."
                )
            )
        return warnings

    def _run_action_sms_flow_step_multi(self, eval_context=None):
        """Have the records moved at the end of the transaction; nothing here can fail (P10)."""
        records = (eval_context or {}).get("records") or (eval_context or {}).get("record")
        step, Transition = self.sms_flow_step_id, self.env["sms.flow.transition"]
        _cause, entering = Transition._get_doing()
        if not records or (step and step == entering):
            return False
        if step:
            Transition._request_step(records, step)
        elif records._name == "crm.lead":
            Transition._request_follow(records)
        return False

    def _run_action_sms_tool_multi(self, eval_context=None):
        """Run the tool on the records; nothing here can fail (P10)."""
        records = (eval_context or {}).get("records") or (eval_context or {}).get("record")
        if records and self.sms_tool_id:
            self.sms_tool_id.sudo()._run_automatically(records)
        return False
