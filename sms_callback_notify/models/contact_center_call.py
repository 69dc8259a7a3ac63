from odoo import fields, models

from odoo.addons.contact_center.engine.numbers import is_mobile


class ContactCenterCall(models.Model):
    _name = "contact.center.call"
    _inherit = ["contact.center.call", "contact.center.text"]

    welcome_state = fields.Selection(
        [("sent", "Sent"), ("skipped", "Not sent"), ("failed", "Failed")],
        "Welcome",
        readonly=True,
    )
    welcome_reason = fields.Char("Why not", readonly=True)
    welcome_message_id = fields.Many2one(
        "sms.message", "Welcome text", readonly=True, index="btree_not_null", ondelete="set null"
    )

    def _on_queued(self):
        """Override of `contact_center`: the caller is welcomed, once (R079)."""
        res = super()._on_queued()
        if self.service_id.welcome_enabled and self.welcome_state in (False, "skipped"):
            self._welcome()
        return res

    def _welcome(self):
        service = self.service_id
        if reason := self._find_no_welcome():
            self.write({"welcome_state": "skipped", "welcome_reason": reason})
            return
        message, why_not = self._try_to_send("welcome_body", service.welcome_sender_id)
        self.write(
            {
                "welcome_state": "failed" if why_not else "sent",
                "welcome_reason": why_not,
                "welcome_message_id": message and message.id,
            }
        )

    def _find_no_welcome(self):
        """Why the caller is not welcomed, or None (R084, R108)."""
        if not self.number:
            return self.env._("The number is withheld, or none.")
        if not is_mobile(self.number, self.service_id.ambiguous_is_mobile):
            return self.env._("%s is no mobile telephone.", self.number)
        threshold = self.service_id.welcome_min_waiting
        if self.waiting_at_join < threshold:
            return self.env._(
                "%(waiting)s waiting, less than %(threshold)s.",
                waiting=self.waiting_at_join,
                threshold=threshold,
            )
        return None
