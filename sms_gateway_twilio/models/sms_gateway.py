import re

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from odoo.addons.sms_gateway.const import E164


class SmsGateway(models.Model):
    _inherit = "sms.gateway"

    # === FIELDS === #

    code = fields.Selection(
        selection_add=[("twilio", "Twilio")], ondelete={"twilio": "set default"}
    )
    twilio_account_sid = fields.Char(
        "Twilio account SID",
        copy=False,
        groups="base.group_system",
        help="On the first page of the Twilio Console, under Account Info. It begins with AC.",
    )
    twilio_auth_token = fields.Char(
        "Twilio auth token",
        copy=False,
        groups="base.group_system",
        help="Below the account SID. Twilio signs its calls with it, so it is needed also where "
        "an API key sends.",
    )
    twilio_api_key_sid = fields.Char(
        "Twilio API key SID",
        copy=False,
        groups="base.group_system",
        help="To send with a key that can be revoked: Account › API keys & tokens, a standard key. "
        "It begins with SK. Empty: the auth token sends.",
    )
    twilio_api_key_secret = fields.Char(
        "Twilio API key secret",
        copy=False,
        groups="base.group_system",
        help="Twilio shows it once, when the key is created.",
    )
    twilio_shared_key = fields.Char(
        "Twilio SharedKey secret",
        copy=False,
        groups="base.group_system",
        help="Only where you have made a Webhooks Rule in Twilio that signs calls with it.",
    )
    twilio_service_sid = fields.Char(
        "Twilio messaging service SID",
        groups="base.group_system",
        help="Messaging › Services. It begins with MG; the senders must be in its sender pool. "
        "Empty: texts leave without a service.",
    )
    twilio_can_take_over = fields.Boolean(
        compute="_compute_twilio_can_take_over", groups="base.group_system"
    )

    # === COMPUTE METHODS === #

    @api.depends("code", "company_id")
    def _compute_twilio_can_take_over(self):
        for gateway in self:
            account = gateway.code == "twilio" and gateway._get_odoo_twilio_account()
            gateway.twilio_can_take_over = bool(account)

    # === ACTION METHODS === #

    def action_twilio_take_over(self):
        """Take account and numbers of the company from Odoo's own Twilio addon."""
        self.ensure_one()
        if not self.env.is_system():
            raise AccessError(self.env._("Only an administrator can take over a Twilio account."))
        account = self._get_odoo_twilio_account()
        if not account:
            raise UserError(
                self.env._(
                    "Odoo's own Twilio settings of %s hold no account: fill in account SID and "
                    "auth token here.",
                    self.company_id.name,
                )
            )
        self.write({"twilio_api_key_sid": False, "twilio_api_key_secret": False, **account})
        words = self._describe_take_over(*self._create_twilio_senders())
        self.message_post(body=words)
        reload = {"type": "ir.actions.client", "tag": "soft_reload"}
        action = self._notify_success(words)
        return {**action, "params": {**action["params"], "sticky": True, "next": reload}}

    # === BUSINESS METHODS === #

    def _get_odoo_twilio_account(self):
        """Credentials that the company has in Odoo's own addon ``sms_twilio``.

        Not a dependency: its fields may or may not be there.

        :return: dict of values of the gateway; empty where there is no account
        """
        company = self.company_id.sudo()
        if "sms_twilio_account_sid" not in company._fields:
            return {}
        account = {
            "twilio_account_sid": company.sms_twilio_account_sid,
            "twilio_auth_token": company.sms_twilio_auth_token,
        }
        return account if all(account.values()) else {}

    def _get_odoo_twilio_numbers(self):
        """Numbers that the company has in ``sms_twilio``, in E.164 where they are numbers."""
        numbers = self.company_id.sudo().sms_twilio_number_ids.mapped("number")
        return [self._get_adapter()._format_number(self, number) for number in numbers]

    def _create_twilio_senders(self):
        """Make a sender, to be approved, of each number in ``sms_twilio`` that is not one yet.

        :return: (``sms.sender`` made, list of numbers that cannot be one)
        """
        known = self.with_context(active_test=False).sender_ids.mapped("address")
        numbers = [n for n in dict.fromkeys(self._get_odoo_twilio_numbers()) if n not in known]
        kinds = {number: self._get_number_kind(number) for number in numbers}
        values = [
            {
                "name": number,
                "address": number,
                "kind": kind,
                "gateway_id": self.id,
                "company_id": self.company_id.id,
                "inbound_enabled": True,
            }
            for number, kind in kinds.items()
            if kind
        ]
        senders = self.env["sms.sender"].sudo().create(values)
        return senders, [number for number, kind in kinds.items() if not kind]

    def _get_number_kind(self, number):
        """The kind of sender that a number of Twilio's is, or None."""
        if E164.fullmatch(number):
            return "mobile"
        return "short" if re.fullmatch("[0-9]{3,6}", number) else None

    def _describe_take_over(self, senders, left_out):
        words = [self.env._("Taken over: the Twilio account %s.", self.twilio_account_sid)]
        if senders:
            numbers = ", ".join(senders.mapped("address"))
            words.append(self.env._("New senders, to be approved: %s.", numbers))
        else:
            words.append(self.env._("No new senders."))
        if left_out:
            numbers = ", ".join(left_out)
            words.append(self.env._("Not a number, left out: %s.", numbers))
        return " ".join(words)
