from odoo import api, fields, models


class MailingMailing(models.Model):
    _inherit = "mailing.mailing"

    sms_sender_id = fields.Many2one(
        "sms.sender",
        "From",
        domain="[('id', 'in', available_sms_sender_ids)]",
        index="btree_not_null",
        help="Empty: the sender of who sends, else the company's, else Odoo's SMS service.",
    )
    available_sms_sender_ids = fields.Many2many(
        "sms.sender", compute="_compute_available_sms_sender_ids"
    )

    @api.depends_context("uid", "company")
    def _compute_available_sms_sender_ids(self):
        Sender = self.env["sms.sender"]
        domain = Sender._get_usable_domain(self.env.user, self.env.company)
        self.available_sms_sender_ids = Sender.search(domain)

    def _send_sms_get_composer_values(self, res_ids):
        """Override of `mass_mailing_sms`: the sender of the mailing."""
        values = super()._send_sms_get_composer_values(res_ids)
        if self.sms_sender_id:
            values["sender_id"] = self.sms_sender_id.id
        return values
