from babel.dates import format_timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools.misc import babel_locale_parse, get_lang


class SmsMessage(models.Model):
    _inherit = "sms.message"

    age = fields.Char("Received", compute="_compute_age")

    # === COMPUTE METHODS === #

    @api.depends("create_date")
    @api.depends_context("lang")
    def _compute_age(self):
        for message in self:
            message.age = format_age(self.env, message.create_date)

    # === ACTION METHODS: INBOX === #

    def action_handle(self):
        """Open the wizard that finds texts their record (R040), the oldest first."""
        return self.env["sms.message.handle"]._open(self)

    def action_not_for_us(self):
        """Take texts out of the inbox; nothing else happens to them."""
        self.action_set_handled()

    def action_opt_out(self):
        """The customers want no more texts, though they did not use one of the words."""
        self.check_access("read")
        Blacklist = self.env["phone.blacklist"].sudo()  # every user may stop texts to a customer
        reason = self.env._("Opted out by %s, from the SMS inbox.", self.env.user.name)
        for text in self.sudo().filtered("number"):
            Blacklist._sms_opt_out(text.number, text.sender_id, text.body, reason)
        self.sudo()._set_inbox_handled()

    def action_create_lead(self):
        """One new lead for each customer, with his texts; opened where it is one."""
        self.check_access("read")
        self.env["crm.lead"].check_access("create")
        leads = self.env["crm.lead"]
        for texts in self.sudo().grouped(lambda text: (text.number, text.company_id)).values():
            leads |= texts._create_lead()
        if len(leads) == 1:
            return leads.sudo(False).get_formview_action()
        action = self.env["ir.actions.act_window"]._for_xml_id("crm.crm_lead_all_leads")
        domain = [("id", "in", leads.ids)]
        return {**action, "domain": domain, "context": {}, "name": self.env._("New leads")}

    def action_move(self):
        """Open the wizard that moves texts to another record."""
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "sms_inbox.sms_conversation_move_action"
        )
        return {**action, "context": {"default_message_ids": self.ids}}

    # === BUSINESS METHODS: INBOX === #

    def _put_by_hand(self, record):
        """Put texts on the record a person chose; those shown on another one leave it."""
        elsewhere = self.filtered(
            lambda text: text.mail_message_id and text._get_record() != record
        )
        self.env["sms.conversation.move.log"]._move_messages(elsewhere, record)
        self._link_to_record(record)

    def _find_next_to_handle(self, after=False):
        """The oldest text of the inbox that the user may read.

        :param after: ``sms.message`` that it comes after
        """
        todo = Domain("inbox_state", "=", "todo")
        later = todo & Domain("id", ">", after.id) if after else todo
        return self.search(later, order="id", limit=1)


def format_age(env, moment):
    """How long ago a moment was, in the user's language: "3 hours ago"; False where there is none.

    :param datetime moment: UTC, or False
    """
    if not moment:
        return False
    locale = babel_locale_parse(get_lang(env).code)
    return format_timedelta(moment - fields.Datetime.now(), add_direction=True, locale=locale)
