from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..engine.quiet_hours import next_allowed, zone_of_number


class ResCompany(models.Model):
    _inherit = "res.company"

    sms_enabled = fields.Boolean(
        "Send and receive SMS",
        default=True,
        groups="base.group_system",
        help="Switched off, nothing is sent, and received texts are kept but trigger nothing.",
    )
    sms_bulk_enabled = fields.Boolean(
        "Bulk SMS",
        groups="base.group_system",
        help="Texts to many at once: list views and mass mailings, with our senders.",
    )
    sms_default_sender_id = fields.Many2one(
        "sms.sender",
        "Default SMS sender",
        groups="base.group_system",
        check_company=True,
        domain="[('company_id', '=', id), ('state', '=', 'approved')]",
        help="For those who have no sender of their own. Empty: Odoo's own SMS service.",
    )
    sms_max_segments = fields.Integer(
        "SMS per text",
        groups="base.group_system",
        help="A longer text is refused. 0: as long as it takes.",
    )
    sms_balance_enabled = fields.Boolean("Prepaid SMS", groups="base.group_system")
    sms_balance = fields.Integer(
        "SMS left",
        groups="base.group_system",
        help="Each SMS sent takes one. At 0 nothing is sent until it is filled up.",
    )
    sms_quiet_hours = fields.Boolean(
        "Quiet hours",
        groups="base.group_system",
        help="Texts that no person sends at that moment wait for the morning, on the customer's "
        "clock. What a person writes goes at once.",
    )
    sms_quiet_start = fields.Float("Quiet from", default=20.0, groups="base.group_system")
    sms_quiet_end = fields.Float("Quiet until", default=9.0, groups="base.group_system")
    sms_retention_months = fields.Integer(
        "Keep texts for",
        groups="base.group_system",
        help="In months. 0: for ever. The opt-out list is always kept.",
    )
    sms_request_number_url = fields.Char(
        "Order a number", help="Where your users order a sender number."
    )

    _sms_max_segments_positive = models.Constraint(
        "CHECK(sms_max_segments >= 0)", "SMS per text cannot be negative."
    )
    _sms_retention_positive = models.Constraint(
        "CHECK(sms_retention_months >= 0)", "The months to keep texts cannot be negative."
    )

    _sms_quiet_hours_valid = models.Constraint(
        "CHECK(sms_quiet_start >= 0 AND sms_quiet_start < 24"
        " AND sms_quiet_end >= 0 AND sms_quiet_end < 24)",
        "Quiet hours are times of the day, from 0:00 to 23:59.",
    )

    @api.constrains("sms_default_sender_id")
    def _check_sms_default_sender(self):
        for company in self:
            sender = company.sms_default_sender_id
            if sender and (sender.company_id != company or sender.state != "approved"):
                raise ValidationError(
                    self.env._(
                        "%(sender)s cannot be the default SMS sender of %(company)s: choose an "
                        "approved sender of that company.",
                        sender=sender.display_name,
                        company=company.name,
                    )
                )

    def write(self, vals):
        res = super().write(vals)
        if {"sms_quiet_hours", "sms_quiet_start", "sms_quiet_end"} & vals.keys():
            self.env["sms.lane"]._release_quiet(self)
        return res

    def _get_sms_quiet_until(self, number):
        """Until when a text to the number has to wait; False where it may go now.

        The customer's clock counts where the number tells it, else the company's.

        :param str number: E.164
        :return: naive UTC datetime, or False
        """
        if not self.sms_quiet_hours:
            return False
        now = fields.Datetime.now()
        zone = zone_of_number(number) or self.partner_id.tz or "UTC"
        moment = next_allowed(now, zone, self.sms_quiet_start, self.sms_quiet_end)
        return moment > now and moment

    def _reserve_sms_balance(self, needs):
        """Take SMS from the prepaid balance, text by text, as far as it goes.

        :param list needs: of (index, SMS needed)
        :return: refusals by index, as of ``sms.sms._gate_check``
        """
        self.ensure_one()
        self.flush_recordset(["sms_balance"])
        self.env.cr.execute(
            "SELECT coalesce(sms_balance, 0) FROM res_company WHERE id = %s FOR NO KEY UPDATE",
            [self.id],
        )
        left, refusals = self.env.cr.fetchone()[0], {}
        for index, needed in needs:
            if needed > left:
                refusals[index] = ("sms_credit", self._get_balance_words(left, needed))
            else:
                left -= needed
        self._set_sms_balance(left)
        return refusals

    def _add_sms_balance(self, segments):
        """Fill the prepaid balance up, or give back what was taken for texts that did not go."""
        if segments:
            self.flush_recordset(["sms_balance"])
            self.invalidate_recordset(["sms_balance"])
            self._set_sms_balance(self.sms_balance + segments)

    def _set_sms_balance(self, balance):
        """Straight in the database: a write on a company empties the caches of all processes."""
        self.env.cr.execute(
            "UPDATE res_company SET sms_balance = %s WHERE id = %s", [balance, self.id]
        )
        self.invalidate_recordset(["sms_balance"], flush=False)

    @api.model
    def _get_balance_words(self, left, needed):
        return self.env._(
            "The prepaid balance holds %(left)s SMS, the text needs %(needed)s. An administrator "
            "fills it up in the settings.",
            left=left,
            needed=needed,
        )
