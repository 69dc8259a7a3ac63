from odoo import api, fields, models
from odoo.fields import Domain

#: A shorter number finds nothing (`phone_mobile_search` refuses it).
SEARCHED_DIGITS = 3


class SmsConversationMixin(models.AbstractModel):
    """For records that conversations belong to: their count, and the way to them."""

    _name = "sms.conversation.mixin"
    _description = "Record with SMS conversations"

    sms_conversation_count = fields.Integer(
        "SMS conversations",
        compute="_compute_sms_conversation_count",
        groups="sms_gateway.group_sms_user",
    )

    # === COMPUTE METHODS === #

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_sms_conversation_count(self):
        counts = dict(
            self.env["discuss.channel"]._read_group(
                self._get_sms_conversation_domain(), ["sms_res_id"], ["__count"]
            )
        )
        for record in self:
            record.sms_conversation_count = counts.get(record.id, 0)

    def _get_sms_conversation_domain(self):
        """The conversations that belong to the records."""
        return (
            Domain("channel_type", "=", "sms")
            & Domain("sms_res_model", "=", self._name)
            & Domain("sms_res_id", "in", self.ids)
        )

    @api.model
    def _search_display_name(self, operator, value):
        """Override to find records by number, too, where the context asks for it."""
        domain = super()._search_display_name(operator, value)
        if operator != "ilike" or not self.env.context.get("sms_search_number"):
            return domain
        digits = [character for character in value or "" if character.isdigit()]
        if len(digits) < SEARCHED_DIGITS:
            return domain
        return Domain(domain) | Domain("phone_mobile_search", "ilike", value)

    # === ACTION METHODS === #

    def action_view_sms_conversations(self):
        """Open the one conversation, or the list of several."""
        self.ensure_one()
        domain = self._get_sms_conversation_domain()
        conversations = self.env["discuss.channel"].search(domain, limit=2)
        if len(conversations) == 1:
            return conversations.action_sms_open()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "sms_inbox.sms_conversation_action_all"
        )
        return {**action, "domain": list(domain), "context": {}}

    # === CRUD METHODS === #

    def write(self, vals):
        """Override of `base`: who gets the record gets its conversations."""
        owners = {record: record.sudo().user_id for record in self} if "user_id" in vals else {}
        res = super().write(vals)
        changed = self.filtered(lambda r: r in owners and r.sudo().user_id != owners[r])
        changed._hand_over_sms_conversations(owners)
        return res

    # === BUSINESS METHODS === #

    def _hand_over_sms_conversations(self, owners):
        """Conversations of the one who had the record are the new owner's; others stay.

        :param dict owners: ``res.users`` before, by record
        """
        if not self:
            return
        channels = self.env["discuss.channel"].sudo().search(self._get_sms_conversation_domain())
        handed_over = channels.filtered(
            lambda c: not c.sms_user_id or c.sms_user_id == owners[self.browse(c.sms_res_id)]
        )
        for (user, company), group in handed_over.grouped(
            lambda c: (self.browse(c.sms_res_id).sudo().user_id, c.sms_company_id)
        ).items():
            group._sms_assign(user._sms_filter_receivers(company))

    def _take_over_sms(self, merged):
        """Texts and conversations of records that are merged into this one come along."""
        self.env["sms.message"].sudo().search(
            [("res_model", "=", self._name), ("res_id", "in", merged.ids)]
        ).write({"res_id": self.id})
        self.env["discuss.channel"].sudo().search(
            merged._get_sms_conversation_domain()
        )._sms_set_record(self)
