from odoo import models

from odoo.addons.sms_inbox.models.sms_routing import ANSWERABLE_STATES


class SmsPrompt(models.Model):
    _inherit = "sms.prompt"

    def _is_certain(self):
        """Override of `sms_inbox`: which flow a text answers must be certain (R031, R037).

        A number that several flows use is not, but where its owner takes the risk: then the text
        must follow the question directly. A customer whom another company texts from the same
        number never is.
        """
        if not super()._is_certain():
            return False
        sender = self.sender_id
        if self.res_model != "sms.flow.run":
            return True
        if not self._has_been_asked():
            return False
        if not sender.flow_ids:
            return True
        if self._is_texted_by(sender.twin_ids):
            return False
        if len(sender.flow_ids) == 1:
            return True
        return not sender.strict_answers and self._is_latest_text()

    def _get_doubt(self):
        """Override of `sms_inbox`: the number is the reason, where several flows have it."""
        if not any(prompt._has_been_asked() for prompt in self):
            return "late"
        shared = len(self.sender_id.flow_ids) > 1 or self.sender_id.twin_ids.flow_ids
        return "shared" if shared else super()._get_doubt()

    def _ask_again(self, message):
        """A reminder takes the place of the text that asked; it is that one that is answered."""
        self.write(
            {
                "message_id": message.id,
                "sender_id": message.sender_id.id,
                "number": message.number,
            }
        )

    def _has_been_asked(self):
        """Whether the customer may have read the question: not while it is held up.

        What is just leaving counts as read: its state comes a moment after it does.
        """
        # not their union: what is read of many questions is read at once
        return any(
            text.state in ANSWERABLE_STATES or (text.state == "queued" and not text.send_after)
            for text in (self.message_id, self.message_id.flow_entry_id.message_id)
        )

    def _is_texted_by(self, senders):
        domain = [("number", "=", self.number), ("sender_id", "in", senders.ids)]
        return bool(senders) and bool(self.env["sms.message"].sudo().search(domain, limit=1))

    def _is_latest_text(self):
        texts = self.env["sms.message"].sudo()
        return texts._find_latest_sent(self.number, self.sender_id) == self.message_id
