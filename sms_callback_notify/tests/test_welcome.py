from unittest.mock import patch

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .common import CALLER, FIXED, CallbackCase


@tagged("post_install", "-at_install")
class TestWelcome(CallbackCase):
    """Who waits in the queue gets a text."""

    def test_who_waits_is_welcomed_once(self):
        """R079, R080: with the text of the service, and nobody twice."""
        call = self.queue()
        self.queue(at=30)
        self.assertEqual(self.get_bodies(), ["Welcome to Support"])
        self.assertEqual(call.welcome_state, "sent")
        self.assertEqual(call.welcome_message_id.sender_id, self.name_sender)
        self.assertEqual(call.welcome_message_id.origin, "callback")

    def test_each_service_has_its_text(self):
        """R080, R082."""
        self.service.copy({"code": "heat-sales", "name": "Sales", "welcome_body": "Chat with us!"})
        self.tell("call.queued", service="heat-sales", call_id="s", caller=CALLER)
        self.assertEqual(self.get_bodies(), ["Chat with us!"])

    def test_the_text_is_in_the_customers_language(self):
        """R080: as the contact has it, and before it as the exchange tells; of those there are."""
        for lang in ("nb_NO", "fi_FI"):
            self.env["res.lang"]._activate_lang(lang)
        self.partner.write({"phone": CALLER, "lang": "nb_NO"})
        texts = {"nb_NO": "Velkommen", "fi_FI": "Tervetuloa"}
        self.service.update_field_translations("welcome_body", texts)
        for call_id, lang in (("nb", None), ("fi", "fi_FI"), ("xx", "xx_XX")):
            self.queue(call_id, lang=lang)
        self.assertEqual(self.get_bodies(), ["Velkommen", "Tervetuloa", "Velkommen"])

    def test_the_default_text_names_the_company_and_its_address(self):
        """R082."""
        self.env.company.website = "https://heat.example.com"
        service = self.env["contact.center.service"].create({"name": "S", "code": "s"})
        service.write({"welcome_sender_id": self.name_sender.id, "welcome_enabled": True})
        self.tell("call.queued", service="s", call_id="s", caller=CALLER)
        (body,) = self.get_bodies()
        self.assertIn(f"Thank you for calling {self.env.company.name}", body)
        self.assertIn("heat.example.com", body)

    def test_only_who_waits_is_welcomed(self):
        """R083: nobody who was missed, answered at once, or told of too late."""
        self.tell("call.missed", call_id="m", caller=CALLER, service="heat")
        self.tell("call.answered", call_id="a", caller=CALLER, service="heat", agent="1")
        self.tell("call.left_queue", 10, call_id="l", reason="timeout", caller=CALLER)
        self.tell("call.queued", 5, call_id="l", service="heat", caller=CALLER)
        self.assertFalse(self.get_bodies())

    def test_a_fixed_line_gets_no_text(self):
        """It would cost, and not arrive."""
        call = self.queue(caller=FIXED)
        self.assertEqual(call.welcome_state, "skipped")
        self.assertIn(f"{FIXED} is no mobile telephone", call.welcome_reason)
        self.assertFalse(self.get_bodies())

    def test_so_many_must_wait(self):
        """R084: the caller counts; none under the threshold, all from it on."""
        self.service.welcome_min_waiting = 3
        call = self.queue("c1", waiting=2)
        self.assertEqual((call.welcome_state, self.get_bodies()), ("skipped", []))
        self.assertIn("2 waiting, less than 3", call.welcome_reason)
        self.queue("c2", at=1, waiting=3)
        self.assertEqual(len(self.get_bodies()), 1)

    def test_the_number_is_counted_where_the_exchange_does_not_tell(self):
        """R084."""
        self.service.welcome_min_waiting = 2
        self.queue("c1", caller="+4790612301")
        self.queue("c2", at=1)
        self.assertFalse(self.get_bodies("+4790612301"))
        self.assertEqual(len(self.get_bodies()), 1)

    def test_a_number_that_is_withheld_gets_nothing(self):
        """R108: and the reason is kept."""
        call = self.queue(caller="anonymous")
        self.assertEqual(call.welcome_state, "skipped")
        self.assertIn("withheld", call.welcome_reason)

    def test_nobody_can_answer(self):
        """R081: the sender must be one that takes no answers."""
        with self.assertRaisesRegex(ValidationError, "takes answers, but nobody reads"):
            self.service.welcome_sender_id = self.team_sender

    def test_switched_off_nobody_is_welcomed(self):
        self.service.welcome_enabled = False
        self.assertFalse(self.queue().welcome_state)
        self.assertFalse(self.get_bodies())

    def test_who_has_opted_out_gets_nothing(self):
        """P6."""
        self.env["phone.blacklist"].add(CALLER)
        call = self.queue()
        self.assertEqual(call.welcome_state, "failed")
        self.assertTrue(call.welcome_reason)

    def test_a_text_that_cannot_be_filled_stops_no_call(self):
        """P10: the field is named on the call."""
        self.service.welcome_body = "Hi {{ object.partner_id.name }}"
        call = self.queue()
        self.assertEqual((call.state, call.welcome_state), ("queued", "failed"))
        self.assertIn("partner_id.name", call.welcome_reason)

    def test_an_error_of_ours_stops_no_call(self):
        """P10."""
        with (
            patch.object(type(self.env["sms.sms"]), "_send_from_records", side_effect=KeyError),
            self.assertLogs("odoo.addons.sms_callback_notify", "WARNING"),
        ):
            call = self.queue()
        self.assertEqual((call.state, call.welcome_state), ("queued", "failed"))

    @mute_logger("odoo.sql_db", "odoo.addons.sms_callback_notify.models.contact_center_text")
    def test_an_error_of_the_database_stops_no_call(self):
        """P10: what is written before and after it stands."""

        def break_down(texts, *_args, **_options):
            texts.env.cr.execute("SELECT 1 / 0")

        with patch.object(type(self.env["sms.sms"]), "_send_from_records", break_down):
            call = self.queue()
        self.assertEqual((call.state, call.welcome_state), ("queued", "failed"))

    def test_the_text_stands_on_the_contact(self):
        self.partner.phone = CALLER
        call = self.queue()
        self.assertEqual(call.welcome_message_id.res_model, "res.partner")
        self.assertEqual(call.welcome_message_id.res_id, self.partner.id)

    def test_a_supervisor_writes_fields_but_no_programs(self):
        """Neither in a new service, nor in one there is, nor in another language."""
        self.env["res.lang"]._activate_lang("nb_NO")
        self.env.ref("base.group_user")._remove_group(
            self.env.ref("mail.group_mail_template_editor")
        )
        supervisor = new_test_user(
            self.env, "sue", "contact_center.group_supervisor,sms_gateway.group_sms_manager"
        )
        service = self.service.with_user(supervisor)
        program = "{{ object.env['res.users'].search([]) }}"
        service.welcome_body = "Hi {{ object.name }} of {{ object.service_id.name }}"
        with self.assertRaises(AccessError):
            service.welcome_body = program
        with self.assertRaises(AccessError):
            service.update_field_translations("welcome_body", {"nb_NO": program})
        with self.assertRaises(AccessError):
            service.create({"name": "New", "code": "new", "auto_agent_body": program})
        self.assertTrue(service.create({"name": "New", "code": "new2"}).notify_body)
