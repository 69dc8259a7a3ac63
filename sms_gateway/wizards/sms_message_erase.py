import base64
import csv
import io

from odoo import api, fields, models
from odoo.exceptions import UserError

#: What a person may have of his texts (GDPR, article 15).
EXPORT_FIELDS = (
    "create_date",
    "direction",
    "address",
    "number",
    "body",
    "state",
    "sent_at",
    "delivered_at",
    "origin",
)
#: What makes a spreadsheet take a text for a formula.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


class SmsMessageErase(models.TransientModel):
    """Export and erase all texts from and to one telephone number."""

    _name = "sms.message.erase"
    _description = "Export or Erase Texts of a Number"

    number = fields.Char("Telephone number", required=True)
    message_count = fields.Integer("Texts", compute="_compute_message_count")
    export_file = fields.Binary(readonly=True, attachment=False)
    export_name = fields.Char(readonly=True)

    @api.depends("number")
    def _compute_message_count(self):
        for wizard in self:
            wizard.message_count = len(wizard._get_messages())

    def _get_messages(self):
        """Texts of the number, written in any form that the company's country allows."""
        country = self.env.company.country_id
        number = self.env.user._phone_format(number=self.number or "", country=country)
        number = number or self.number
        return self.env["sms.message"].search([("number", "=", number)]) if number else ()

    def action_export(self):
        """Make a CSV file of the texts."""
        self.ensure_one()
        messages = self._get_messages()
        if not messages:
            raise UserError(self.env._("There are no texts of %s.", self.number))
        buffer = io.StringIO()
        writer = csv.writer(buffer)
        writer.writerow(EXPORT_FIELDS)
        for message in messages:
            values = {name: message[name] or "" for name in EXPORT_FIELDS}
            writer.writerow({**values, "body": _as_text(message.body)}.values())
        self.export_file = base64.b64encode(buffer.getvalue().encode("utf-8-sig"))
        self.export_name = f"sms_{messages[0].number.lstrip('+')}.csv"
        return {**self._get_action(), "res_id": self.id}

    def action_erase(self):
        """Erase number and body wherever we keep them; an opt-out stays on its list."""
        self.ensure_one()
        self.env["sms.message"].check_access("unlink")
        messages = self._get_messages()
        if not messages:
            raise UserError(self.env._("There are no texts of %s.", self.number))
        messages.sudo()._erase()
        return {"type": "ir.actions.act_window_close"}

    def _get_action(self):
        return self.env["ir.actions.act_window"]._for_xml_id("sms_gateway.sms_message_erase_action")


def _as_text(text):
    """As a spreadsheet shows it, and does not compute it: a customer may write ``=``."""
    text = text or ""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
