from odoo import api, models

#: Characters of the body that name a template whose maker gave it no name.
NAME_LENGTH = 40


class SmsTemplate(models.Model):
    _inherit = "sms.template"

    @api.model_create_multi
    def create(self, vals_list):
        """Override of `sms`: no template is without a name, even if a program gave it none."""
        for vals in vals_list:
            if not (vals.get("name") or "").strip():
                vals["name"] = (vals.get("body") or "").strip()[:NAME_LENGTH]
        return super().create(vals_list)
