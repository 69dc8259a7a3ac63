from odoo import api, fields, models


class IrActionsServer(models.Model):
    _inherit = "ir.actions.server"

    state = fields.Selection(
        selection_add=[("sms_flow_step", "Set SMS flow step"), ("followers",)],
        ondelete={"sms_flow_step": "cascade"},
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

    @api.depends("state", "model_id")
    def _compute_sms_flow_step_id(self):
        for action in self:
            step = action.sms_flow_step_id
            if action.state != "sms_flow_step" or step.flow_id.model != action.model_name:
                action.sms_flow_step_id = False

    @api.depends("state")
    def _compute_available_model_ids(self):
        """Override of `base`: only models whose records can be in a flow."""
        ours = self.filtered(lambda action: action.state == "sms_flow_step")
        models_ = self.env["ir.model"]
        for model in self.env["sms.flow.run"]._get_models():
            models_ |= models_._get(model)
        ours.available_model_ids = models_.ids
        super(IrActionsServer, self - ours)._compute_available_model_ids()

    def _name_depends(self):
        return [*super()._name_depends(), "sms_flow_step_id"]

    def _generate_action_name(self):
        if self.state != "sms_flow_step":
            return super()._generate_action_name()
        if not self.sms_flow_step_id:
            return self.env._("Set SMS flow step to that of the stage")
        return self.env._("Set SMS flow step: %s", self.sms_flow_step_id.name)

    @api.model
    def _warning_depends(self):
        return [*super()._warning_depends(), "sms_flow_step_id"]

    def _get_warning_messages(self):
        warnings = super()._get_warning_messages()
        if self.state == "sms_flow_step":
            if self.model_name not in self.env["sms.flow.run"]._get_models():
                warnings.append(self.env._("Only leads and contacts can be in an SMS flow."))
            elif not self.sms_flow_step_id and self.model_name != "crm.lead":
                warnings.append(self.env._("Choose the step: contacts have no stages to follow."))
        return warnings

    def _run_action_sms_flow_step_multi(self, eval_context=None):
        """Have the records moved at the end of the transaction; nothing here can fail (P10)."""
        records = (eval_context or {}).get("records") or (eval_context or {}).get("record")
        if not records or self.env.context.get("sms_flow_entering"):
            return False
        Transition = self.env["sms.flow.transition"]
        if self.sms_flow_step_id:
            Transition._request_step(records, self.sms_flow_step_id)
        elif records._name == "crm.lead":
            Transition._request_follow(records)
        return False
