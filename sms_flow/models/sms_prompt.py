from odoo import models


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
        if self.res_model != "sms.flow.run" or not sender.flow_ids:
            return True
        if self._is_texted_by(sender.twin_ids):
            return False
        if len(sender.flow_ids) == 1:
            return True
        return not sender.strict_answers and self._is_latest_text()

    def _get_doubt(self):
        """Override of `sms_inbox`: the number is the reason, where several flows have it."""
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

    def _is_texted_by(self, senders):
        domain = [("number", "=", self.number), ("sender_id", "in", senders.ids)]
        return bool(senders) and bool(self.env["sms.message"].sudo().search(domain, limit=1))

    def _is_latest_text(self):
        latest = (
            self.env["sms.message"]
            .sudo()
            .search(
                [
                    ("number", "=", self.number),
                    ("sender_id", "=", self.sender_id.id),
                    ("direction", "=", "out"),
                ],
                order="id desc",
                limit=1,
            )
        )
        return latest == self.message_id
