from odoo import api, fields, models
from odoo.exceptions import AccessError

from odoo.addons.mail.tools.discuss import Store
from odoo.addons.sms_gateway.models.sms_message import CORE_STATES

from .discuss_channel import is_sms

#: A text as the client knows notifications: the status of core that says the same.
STATUSES = {"outgoing": "ready", "error": "exception"}


def is_text(message):
    """Whether a message is a text in a conversation."""
    return message.model == "discuss.channel" and message.message_type == "sms"


class MailMessage(models.Model):
    _inherit = "mail.message"

    sms_text_ids = fields.One2many(
        "sms.message", "conversation_message_id", "Text", groups="base.group_system"
    )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """Override of `mail`: nobody makes a text that was not sent or received."""
        messages = super().create(vals_list)
        messages._sms_check_untouched()
        return messages

    def write(self, vals):
        """Override of `mail`: nobody edits a text, takes one out or puts one in."""
        self._sms_check_untouched()
        res = super().write(vals)
        self._sms_check_untouched()
        return res

    def unlink(self):
        """Override of `mail`: nobody deletes a text as if it had not been sent."""
        self._sms_check_untouched()
        return super().unlink()

    def _sms_check_untouched(self):
        """What stands in conversations is written by the methods that send and receive."""
        if self.env.su:
            return
        ids = {m.res_id for m in self.sudo() if m.model == "discuss.channel"}
        if any(map(is_sms, self.env["discuss.channel"].sudo().browse(ids).exists())):
            raise AccessError(
                self.env._("A text that was sent or received cannot be made up, edited or deleted.")
            )

    # === STORE === #

    def _to_store_defaults(self, target):
        """Override of `mail`: below a text in a conversation stands the state of the ledger.

        Only our own people can be in a conversation.
        """
        return [*super()._to_store_defaults(target), self._sms_get_store_field()]

    def _sms_get_store_field(self):
        return Store.Attr("sms_text", predicate=is_text, value=lambda m: m._sms_get_text_values())

    def _sms_get_text_values(self):
        """The state of the text, in the words that the client has for notifications."""
        text = self.sudo().sms_text_ids[:1]
        if not text:
            return False
        core_state = CORE_STATES.get(text.state)
        return {
            "direction": text.direction,
            "notification_status": STATUSES.get(core_state, core_state) or False,
            "failure_type": text.failure_type,
            "sms_number": text.number,
            **text._prepare_notification_details(),
        }

    def _sms_show_state(self):
        """Tell all who have the conversation open what became of its texts."""
        for channel_id, messages in self.grouped("res_id").items():
            channel = self.env["discuss.channel"].browse(channel_id)
            Store(bus_channel=channel).add(messages, [self._sms_get_store_field()]).bus_send()
