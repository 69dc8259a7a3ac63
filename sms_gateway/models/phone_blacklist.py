from odoo import api, fields, models, tools
from odoo.exceptions import UserError

from odoo.addons.phone_validation.tools.phone_validation import phone_get_country_code_for_number


class PhoneBlacklist(models.Model):
    """The opt-out list; an opt-out by text keeps its evidence, also after the text is erased."""

    _inherit = "phone.blacklist"

    sms_optout_at = fields.Datetime("Opted out at", readonly=True)
    sms_optout_text = fields.Char("Opted out with", readonly=True)
    sms_optout_sender_id = fields.Many2one(
        "sms.sender", "Opted out from", readonly=True, ondelete="set null", index="btree_not_null"
    )

    @api.model
    def _sms_opt_out(self, number, sender, text, reason):
        """Put a number on the list, with the evidence of the opt-out that is in force.

        :param str number: E.164
        :param sender: ``sms.sender`` that the customer wrote to, may be empty
        :param str text: the customer's words
        :param str reason: for the log of the entry
        """
        known = self.env["sms.sms"]._gate_get_blacklisted({number})
        entry = self._sms_add(number, reason)
        if known and entry.sms_optout_at:
            return entry
        entry.write(
            {
                "sms_optout_at": self.env.cr.now(),
                "sms_optout_text": text,
                "sms_optout_sender_id": sender.id,
            }
        )
        return entry

    @api.model
    def _sms_add(self, number, reason):
        try:
            return self._add([number], message=reason)
        except UserError:  # not valid, says the library: yet somebody wrote from it
            return self._sms_add_unknown(number)

    @api.model
    def _sms_add_unknown(self, number):
        """Past core's check: an opt-out counts from any number."""
        self.env.cr.execute(
            """
            INSERT INTO phone_blacklist (number, active, create_uid, create_date)
            VALUES (%s, true, %s, now() at time zone 'utc')
                ON CONFLICT (number) DO UPDATE SET active = true
            RETURNING id
            """,
            [number, self.env.uid],
        )
        entry = self.browse(self.env.cr.fetchone())
        entry.invalidate_recordset(flush=False)
        return entry

    @api.model
    def _get_country_of(self, number):
        """``res.country`` of an E.164 number, may be empty."""
        code = phone_get_country_code_for_number(number or "")
        return self.env["res.country"].browse(self._find_country(code))

    @api.model
    @tools.ormcache("code")
    def _find_country(self, code):
        """Ids of the country of an ISO code."""
        return self.env["res.country"].search([("code", "=", code)], limit=1).ids
