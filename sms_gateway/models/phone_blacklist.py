from odoo import api, fields, models

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
        """Put a number on the list, with the evidence.

        :param str number: E.164
        :param sender: ``sms.sender`` that the customer wrote to, may be empty
        :param str text: the customer's words
        :param str reason: for the log of the entry
        """
        entry = self._add([number], message=reason)
        entry.write(
            {
                "sms_optout_at": self.env.cr.now(),
                "sms_optout_text": text,
                "sms_optout_sender_id": sender.id,
            }
        )
        return entry

    @api.model
    def _get_country_of(self, number):
        """``res.country`` of an E.164 number, may be empty."""
        code = phone_get_country_code_for_number(number or "")
        return self.env["res.country"].search([("code", "=", code)], limit=1)
