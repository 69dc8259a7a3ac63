from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain


class MailingMailing(models.Model):
    _inherit = "mailing.mailing"

    sms_sender_id = fields.Many2one(
        "sms.sender",
        "From",
        domain="[('id', 'in', available_sms_sender_ids)]",
        index="btree_not_null",
        help="Empty: that of who is responsible, else that of each number's country (sender rules) "
        "or the company's, else Odoo's SMS service.",
    )
    available_sms_sender_ids = fields.Many2many(
        "sms.sender", compute="_compute_available_sms_sender_ids"
    )

    @api.depends_context("uid", "company")
    def _compute_available_sms_sender_ids(self):
        Sender = self.env["sms.sender"]
        domain = Sender._get_usable_domain(self.env.user, self.env.company)
        self.available_sms_sender_ids = Sender.search(domain)

    @api.constrains("sms_sender_id")
    def _check_sms_sender_id(self):
        """Who chooses must have the right: what sends later is the scheduler, who has any."""
        for mailing in self.filtered("sms_sender_id"):
            if not mailing.sms_sender_id._may_be_used_by(self.env.user):
                raise ValidationError(
                    self.env._(
                        "You may not send with %s. Choose another sender.",
                        mailing.sms_sender_id.sudo().display_name,
                    )
                )

    # === ACTION METHODS === #

    def action_put_in_queue(self):
        """Override of `mass_mailing`: who presses *Send* is told at once what forbids it."""
        self._check_may_send_sms()
        return super().action_put_in_queue()

    def action_send_mail(self, res_ids=None):
        """Override of `mass_mailing`: who presses *Send now* is told at once what forbids it."""
        self._check_may_send_sms()
        return super().action_send_mail(res_ids=res_ids)

    def action_retry_failed_sms(self):
        """Override of `mass_mailing_sms`: what may have arrived, or was resent, is left alone."""
        settled = Domain("message_id.state", "=", "unknown")
        settled |= Domain("message_id.resent_as_id", "!=", False)
        texts = self.env["sms.sms"].sudo().search(settled & Domain("mailing_id", "in", self.ids))
        texts.mailing_id = False  # by which core finds what failed
        return super().action_retry_failed_sms()

    # === BUSINESS METHODS === #

    def _check_may_send_sms(self):
        """Raise where the switches of the company let no SMS mailing leave."""
        for mailing in self.filtered(lambda m: m.mailing_type == "sms"):
            values = {"composition_mode": "mass", "sender_id": mailing._get_sms_sender().id}
            self.env["sms.composer"].new(values)._check_may_send()

    def _get_sms_sender(self):
        """The sender of the mailing, that of who is responsible, or the company's; may be empty."""
        company = self._get_sms_company()
        return self._get_chosen_sms_sender() or company.sudo().sms_default_sender_id

    def _get_chosen_sms_sender(self):
        """The sender that somebody chose or that is his own, whatever a number begins with."""
        user, company = self._get_sms_user(), self._get_sms_company()
        return self.sms_sender_id or self.env["sms.sender"]._get_own_sender(user, company)

    def _get_sms_user(self):
        return self.user_id or self.env.user

    def _get_sms_company(self):
        user = self._get_sms_user()
        return self.env.company if user == self.env.user else user.company_id

    def _send_sms_get_composer_values(self, res_ids):
        """Override of `mass_mailing_sms`: the sender of the mailing."""
        values = super()._send_sms_get_composer_values(res_ids)
        by_number = not self._get_chosen_sms_sender()
        return {**values, "sender_id": self._get_sms_sender().id, "sender_by_number": by_number}
