from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError


class ContactCenterService(models.Model):
    _inherit = "contact.center.service"

    survey_id = fields.Many2one(
        "survey.survey",
        "Survey",
        index="btree_not_null",
        ondelete="set null",
        domain="[('survey_type', '=', 'sms'), ('company_id', 'in', (False, company_id))]",
        help="Asked by text once a call to this service has ended, or a callback was made.",
    )
    survey_body = fields.Text(
        "Text of the question",
        help="For this service. Fields as {{ object.service_id.name }}, of the participation. "
        "Empty: the survey's question and its answers.",
    )

    @api.constrains("survey_id", "company_id")
    def _check_survey(self):
        for service in self:
            survey = service.survey_id.sudo()
            if survey and survey.survey_type != "sms":
                raise ValidationError(
                    self.env._(
                        "Service %(service)s: %(survey)s is no survey by SMS. Choose one of that "
                        "type.",
                        service=service.name,
                        survey=survey.title,
                    )
                )
            if survey.company_id and survey.company_id != service.company_id:
                raise ValidationError(
                    self.env._(
                        "Service %(service)s: the sender of %(survey)s is another company's. "
                        "Choose a survey with a sender of %(company)s.",
                        service=service.name,
                        survey=survey.title,
                        company=service.company_id.name,
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        services = super().create(vals_list)
        services._check_survey_body()
        return services

    def write(self, vals):
        """Override of `base`: constraints run with nobody's rights, so it is checked here."""
        res = super().write(vals)
        if "survey_body" in vals:
            self._check_survey_body()
        return res

    def _check_survey_body(self):
        """Who may not write templates may not have a text compute things with nobody's rights."""
        if self.env.su or self.env.user.has_group("mail.group_mail_template_editor"):
            return
        renderer = self.env["mail.render.mixin"]
        for service in self.filtered("survey_body"):
            if renderer._has_unsafe_expression_template_inline_template(
                service.survey_body, "survey.user_input"
            ):
                raise AccessError(
                    self.env._(
                        "Service %s: in the text of the question use plain fields only, such as "
                        "{{ object.service_id.name }}, or ask an administrator.",
                        service.name,
                    )
                )
