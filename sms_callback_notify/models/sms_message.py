from odoo import models


class SmsMessage(models.Model):
    _inherit = "sms.message"

    def _route_inbound(self):
        """Override of `sms_inbox`: an answer to who expects none waits in the inbox (R093)."""
        res = super()._route_inbound()
        senders = (
            self.env["contact.center.service"]
            .sudo()
            .search(
                [("notify_mode", "=", "one_way"), ("notify_sender_id", "in", self.sender_id.ids)]
            )
            .notify_sender_id
        )
        for message in self.filtered(
            lambda m: m.sender_id in senders and not m.inbox_state and not m.keyword
        ):
            latest = self.sudo()._find_latest_sent(message.number, message.sender_id)
            if latest.origin == "callback":
                message._set_inbox_todo("one_way")
        return res
