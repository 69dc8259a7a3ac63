from psycopg2 import IntegrityError

from odoo.exceptions import UserError, ValidationError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from ..models.contact_center_service import LEAST
from .common import CALLER, ContactCenterCase


@tagged("post_install", "-at_install")
class TestSetUp(ContactCenterCase):
    """What people enter: what is wrong is told with its field, its record and the remedy."""

    def refuse(self, words, work, records):
        """The database refuses a work, and Odoo says so in these words."""
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError) as refused:
            work()
            self.env.flush_all()
        self.assertRegex(records._sql_error_to_message(refused.exception), words)

    # === CONNECTORS === #

    def test_an_address_that_cannot_be_called_is_refused(self):
        """Else it would fail for hours, in a log that nobody looks at."""
        for address in ("pbx.example.com/odoo", "ftp://pbx.example.com", "https://"):
            words = "Connector Exchange, Address of the exchange: .* web"
            with self.subTest(address=address), self.assertRaisesRegex(ValidationError, words):
                self.connector.outbound_url = address
        self.connector.outbound_url = "http://10.0.0.5:8088/odoo"

    def test_a_code_that_is_no_user_name_is_refused(self):
        """HTTP has the user name end at the colon: nobody could log in with it."""

        def enter():
            self.connector.code = "oslo:1"

        self.refuse("Code: .* colon", enter, self.connector)

    def test_a_code_that_is_taken_is_refused(self):
        self.refuse(
            "Code: another connector .* Choose another",
            lambda: self.connector.copy({"code": self.connector.code}),
            self.connector,
        )

    def test_set_up_can_be_duplicated(self):
        """The copy has a code of its own, until somebody enters the right one."""
        for record in (self.connector, self.service):
            with self.subTest(model=record._name):
                self.assertEqual(record.copy().code, f"{record.code} (copy)")

    # === AGENTS === #

    def test_an_agent_that_is_there_already_is_told(self):
        values = {"name": "Nina", "external_id": "PJSIP/1", "connector_id": self.connector.id}
        agents = self.env["contact.center.agent"]
        agents.create(values)
        self.refuse("Name at the exchange: another agent", lambda: agents.create(values), agents)

    # === SERVICES === #

    def test_numbers_that_make_no_sense_are_refused(self):
        """The field is named as it stands on the form."""
        for name, least in LEAST.items():
            label = self.service._fields[name].string
            words = f"Service Support, “{label}”: enter {least} or more"
            with self.subTest(field=name), self.assertRaisesRegex(ValidationError, words):
                self.service[name] = least - 1
            self.service[name] = least

    def test_whether_a_callback_is_offered_now_is_explained(self):
        """R098 to R101: whoever enters the rules sees what they come to."""
        self.assertEqual(self.service.offer_text, "Yes")
        self.service.write({"offer_min_wait_minutes": 5, "offer_unknown": False})
        self.assertEqual(self.service.offer_text, "No: the wait is not known")
        self.service.callback_enabled = False
        self.assertRegex(self.service.offer_text, "No: they are switched off.* wait is not known")

    def test_holidays_are_found_by_an_administrator(self):
        """Odoo shows them to developers only."""
        admin = new_test_user(self.env, "cc_hours", groups="base.group_system")
        seen = self.env["ir.ui.menu"].with_user(admin)._visible_menu_ids()
        for name in ("menu_opening_hours", "menu_days_off"):
            self.assertIn(self.env.ref(f"contact_center.{name}").id, seen)

    # === CALLBACKS === #

    def test_a_second_callback_to_a_number_is_refused_in_words(self):
        """Who enters one by hand is told that there is one."""
        self.create_callback()
        self.refuse(
            "Telephone: this number waits .* Search it",
            self.create_callback,
            self.env["contact.center.callback"],
        )

    def test_what_is_closed_needs_not_be_taken(self):
        """Whoever is late is told why, and not to take it."""
        callback = self.create_callback(name="Anna")
        callback._cancel("caller")
        for action in (callback.action_claim, callback.action_done, callback.action_not_reached):
            with self.assertRaisesRegex(UserError, "callback of Anna is closed: Caller"):
                action()

    def test_no_number_at_all_is_told(self):
        with self.assertRaisesRegex(UserError, "Telephone: .* country code"):
            self.create_callback(CALLER[:3])
