from odoo import fields, models

from odoo.addons.contact_center.engine.numbers import is_mobile
from odoo.addons.contact_center.models.contact_center_callback import IN_LINE


class ContactCenterCallback(models.Model):
    """A callback whose customer is told when his turn comes near.

    It owns the question whether he still wants it (``sms.prompt``).
    """

    _name = "contact.center.callback"
    _inherit = ["contact.center.callback", "contact.center.text"]

    notified_at = fields.Datetime("Told at", readonly=True)
    notify_state = fields.Selection(
        [
            ("sms", "By SMS"),
            ("auto_agent", "By Auto Agent"),
            ("skipped", "Not told"),
            ("failed", "Failed"),
        ],
        "Told",
        readonly=True,
    )
    notify_reason = fields.Char("Why not told", readonly=True)
    notify_message_id = fields.Many2one(
        "sms.message", "Notification", readonly=True, index="btree_not_null", ondelete="set null"
    )
    auto_agent_result = fields.Selection(
        [("keep", "Wants it"), ("no_answer", "Did not answer"), ("failed", "Failed")],
        readonly=True,
    )
    reply_body = fields.Text("Answer", readonly=True)

    # === TELLING === #

    def _on_moved(self):
        """Override of `contact_center`: whose turn comes near is told, once (R086, R090)."""
        res = super()._on_moved()
        for callback in self.filtered(lambda callback: callback._is_near()):
            callback._notify()
        return res

    def _is_near(self):
        service = self.service_id
        return (
            service.notify_enabled
            and self.state == "waiting"
            and not self.notify_state
            and 0 < self.position <= service.notify_position
        )

    def _notify(self):
        """By the channel of the service that fits the number (R097)."""
        channel = self._choose_channel()
        if channel == "sms":
            self._notify_by_sms()
        elif channel == "auto_agent":
            self._notify_by_auto_agent()
        else:
            reason = self.env._("%s is no mobile telephone.", self.number)
            self.write({"notify_state": "skipped", "notify_reason": reason})

    def _choose_channel(self):
        service = self.service_id
        if service.notify_channel == "auto_agent":
            return "auto_agent"
        if is_mobile(self.number, service.ambiguous_is_mobile):
            return "sms"
        return "auto_agent" if service.notify_channel == "both" else None

    def _notify_by_sms(self):
        service = self.service_id
        message, why_not = self._try_to_send("notify_body", service.notify_sender_id)
        self.notify_message_id = message
        if why_not:
            self._note_not_told(why_not)
            return
        self._note_told("sms")
        if service.notify_mode == "two_way":
            self.env["sms.prompt"]._ask(self, message, self.expires_at)

    def _notify_by_auto_agent(self):
        """Order the exchange to call and to say it (R094)."""
        service = self.service_id
        if not self.connector_id._can_make_calls():
            self._note_not_told(
                self.env._(
                    "The exchange cannot be told: enter “Address of the exchange” in the "
                    "connector %s.",
                    self.connector_id.name,
                )
                if self.connector_id
                else self.env._("No exchange can be told: the callback has no connector.")
            )
            return
        text, why_not = self._try(lambda: self._render_text("auto_agent_body"), "auto_agent_body")
        if why_not:
            self._note_not_told(why_not)
            return
        self._tell(
            "auto_agent.requested",
            text=text,
            keep_key=service.keep_key,
            cancel_key=service.cancel_key,
        )
        self._note_told("auto_agent")

    def _note_told(self, channel):
        self.write(
            {
                "state": "notified",
                "notify_state": channel,
                "notified_at": self.env.cr.now(),
                "notify_reason": False,
            }
        )

    def _note_not_told(self, why):
        self.write({"notify_state": "failed", "notify_reason": why[:1000]})

    def _note_auto_agent(self, result):
        """Override of `contact_center`: that he wants it, or was not reached, is kept."""
        res = super()._note_auto_agent(result)
        self.auto_agent_result = result
        return res

    # === ANSWERS === #

    def _handle_sms_reply(self, prompt, message):
        """Take a "no" for the answer, unless he is being called already (R087).

        Implements the contract of ``sms.prompt``. Whatever else he writes waits in the inbox, and
        he keeps his place.

        :return: whether it was a "no" that came in time
        """
        self.ensure_one()
        service = self.service_id
        if service.notify_mode != "two_way" or not service._is_decline(message.body):
            return False
        if not self._cancel("sms_reply", states=IN_LINE):
            return False
        self.reply_body = message.body
        return True

    def _on_closed(self):
        """Override of `contact_center`: nobody is asked any more; what comes now is late."""
        res = super()._on_closed()
        questions = self.env["sms.prompt"].sudo()
        questions.search(
            [("res_model", "=", self._name), ("res_id", "in", self.ids), ("state", "=", "open")]
        )._set_late()
        return res
