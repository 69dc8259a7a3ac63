from odoo import models


class MailingSmsTest(models.TransientModel):
    _inherit = "mailing.sms.test"

    def action_send_sms(self):
        """Override of `mass_mailing_sms`: the test leaves with the sender of the mailing.

        Core makes texts of the outbox and then asks the provider by itself: with a sender of ours
        they would go out twice.
        """
        self.ensure_one()
        self.numbers = self._format_numbers()
        sender = self.mailing_id._get_sms_sender()
        test = self.with_context(
            sms_sender_id=sender.id,
            sms_sender_by_number=bool(sender) and not self.mailing_id._get_chosen_sms_sender(),
            sms_in_lane=bool(sender),
            sms_lane="chat",
            sms_origin="mailing",
            sms_raise_refusal=True,
            sms_strict_rendering=bool(sender),
        )
        return super(MailingSmsTest, test).action_send_sms()

    def _format_numbers(self):
        """The numbers as they are sent; core checks that they can be written so, and keeps them."""
        numbers = [number.strip() for number in self.numbers.splitlines()]
        return "\n".join(self.env.user._phone_format(number=n) or n for n in numbers)
