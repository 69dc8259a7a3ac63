from odoo import models
from odoo.exceptions import UserError


class SmsTemplatePreview(models.TransientModel):
    _inherit = "sms.template.preview"

    def _compute_sms_template_fields(self):
        """Override of `sms`: what is empty is seen here already (R025)."""
        strict = self.with_context(sms_strict_rendering=True)
        return super(SmsTemplatePreview, strict)._compute_sms_template_fields()

    def action_send_test(self):
        """Send the previewed text to the user's own telephone; the record is not touched."""
        self.ensure_one()
        number = self.env.user.partner_id._phone_format(fname="phone")
        if not number:
            raise UserError(
                self.env._("Your user has no valid telephone number: set it in your preferences.")
            )
        sender = self.env["sms.sender"]._get_default_sender(self.env.user, self.env.company)
        self.env["sms.sms"].with_context(sms_raise_refusal=True, sms_lane="chat").sudo().create(
            {"number": number, "body": self.body, "sender_id": sender.id, "origin": "system"}
        ).send()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._("The text is on its way to %s.", number),
            },
        }
