from datetime import timedelta

from odoo import fields, models


class ResUsers(models.Model):
    _inherit = "res.users"

    sms_missing_right_told_at = fields.Datetime(
        "Told that the right to receive texts is missing", readonly=True, copy=False
    )

    def _sms_filter_receivers(self, company):
        """Those of the users who may receive texts of the company."""
        return self.sudo().filtered(
            lambda user: (
                user.active
                and company in user.company_ids
                and user.has_group("sms_gateway.group_sms_user")
            )
        )

    def _sms_is_away(self):
        """Whether a text must not wait for this user."""
        user = self.sudo()
        return not user.active or user.is_out_of_office

    def _sms_tell_missing_right(self):
        """Tell users to whom customers write that they lack the right to receive it (R115).

        Once a day, however many texts come.
        """
        yesterday = self.env.cr.now() - timedelta(days=1)
        for user in self.sudo():
            told_at = user.sms_missing_right_told_at
            if user.active and (not told_at or told_at < yesterday):
                user.sms_missing_right_told_at = self.env.cr.now()
                user._sms_notify_missing_right()

    def _sms_notify_missing_right(self):
        env = self.with_context(lang=self.lang).env
        self.env["mail.thread"].sudo().message_notify(
            partner_ids=self.partner_id.ids,
            subject=env._("You have a text you cannot receive"),
            body=env._(
                "A customer wrote to you by SMS, but you do not have the right to receive texts. "
                "Contact your administrator to get it. Until then your team keeps the texts."
            ),
        )
