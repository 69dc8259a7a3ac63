from odoo import api, fields, models


class IrActionsServer(models.Model):
    _inherit = "ir.actions.server"

    state = fields.Selection(
        selection_add=[("sms_survey", "Ask by SMS"), ("followers",)],
        ondelete={"sms_survey": "cascade"},
    )
    sms_survey_id = fields.Many2one(
        "survey.survey",
        "SMS survey",
        compute="_compute_sms_survey_id",
        store=True,
        readonly=False,
        ondelete="cascade",
        index="btree_not_null",
        domain=[("survey_type", "=", "sms")],
        help="Asks the customer of each record, e.g. of a ticket that was closed.",
    )

    @api.depends("state")
    def _compute_sms_survey_id(self):
        for action in self:
            if action.state != "sms_survey":
                action.sms_survey_id = False

    @api.depends("state")
    def _compute_available_model_ids(self):
        """Override of `base`: only models whose records have a customer."""
        ours = self.filtered(lambda action: action.state == "sms_survey")
        if ours:
            domain = [("is_mail_thread", "=", True), ("transient", "=", False)]
            ours.available_model_ids = self.env["ir.model"].search(domain).ids
        return super(IrActionsServer, self - ours)._compute_available_model_ids()

    def _name_depends(self):
        return [*super()._name_depends(), "sms_survey_id"]

    def _generate_action_name(self):
        if self.state == "sms_survey" and self.sms_survey_id:
            return self.env._("Ask by SMS: %s", self.sms_survey_id.title)
        return super()._generate_action_name()

    @api.model
    def _warning_depends(self):
        return [*super()._warning_depends(), "sms_survey_id"]

    def _get_warning_messages(self):
        warnings = super()._get_warning_messages()
        if self.state == "sms_survey" and not self.sms_survey_id:
            warnings.append(
                self.env._("Choose a survey by SMS, or make one: Surveys › New, type SMS.")
            )
        return warnings

    def _run_action_sms_survey_multi(self, eval_context=None):
        """Plan the question for the records' customers; what cannot be asked stands there (P10)."""
        records = (eval_context or {}).get("records") or (eval_context or {}).get("record")
        if records and self.sms_survey_id:
            self.env["survey.user_input"].sudo()._plan_for_records(
                self.sms_survey_id.sudo(), records.sudo()
            )
        return False
