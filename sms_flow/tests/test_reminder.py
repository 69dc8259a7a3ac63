from datetime import UTC, datetime, timedelta
from unittest.mock import patch
from zoneinfo import ZoneInfo

from phonenumbers.tzdata import TIMEZONE_DATA
from psycopg2 import IntegrityError

from odoo.sql_db import Cursor
from odoo.tests import tagged
from odoo.tools import SQL, mute_logger

from odoo.addons.sms_flow.models.sms_flow_schedule import _opening
from odoo.addons.sms_gateway.engine.quiet_hours import next_allowed
from odoo.addons.sms_gateway.tests.common import CUSTOMER

from .common import SmsFlowCase

ASK = "Hi Anna, shall we install it?"
REMINDER = f"Reminder: {ASK}"
#: Noon of a winter's day in Oslo, one hour before UTC.
NOON = "2040-01-10 11:00:00"


class ReminderCase(SmsFlowCase):
    def ask(self, moment=NOON, **values):
        """A lead whose customer got the question at a moment."""
        lead = self.create_team_lead(**values)
        with self.at(moment):
            self.set_stage(lead, self.sale)
            self.send()
        return lead

    def get_due(self, lead):
        """When the next reminder is due, UTC."""
        due = self.get_run(lead).next_reminder_at
        return due and str(due)


@tagged("post_install", "-at_install")
class TestReminder(ReminderCase):
    """Who has not answered is reminded: in time, by day, and no longer than he is asked."""

    # === WHAT IS SENT === #

    def test_r065_who_has_not_answered_is_reminded_once(self):
        """R065, R068, R070: the step's text with a prefix, the delay after the text."""
        reminder = self.create_reminder(delay=2)
        lead = self.ask()
        self.assertEqual(self.get_due(lead), "2040-01-10 13:00:00")
        self.assertEqual(self.tick("2040-01-10 12:59:59"), [])
        self.assertEqual(self.tick("2040-01-10 13:00:00"), [REMINDER])
        self.assertEqual(self.tick("2040-01-10 18:00:00"), [])
        self.assertEqual(self.tick("2040-02-10 18:00:00"), [])
        text = self.get_texts(lead)[-1]
        self.assertEqual((text.origin, text.flow_reminder_id), ("reminder", reminder))
        entry = self.get_run(lead).entry_id
        self.assertEqual((entry.reminder_ids, entry.reminders_sent), (reminder, 1))
        self.assertEqual(entry.message_id.body, ASK, "the step's text stays the first")

    def test_r067_a_step_reminds_of_nothing_by_itself(self):
        """R067: none by default; the count is shown."""
        self.assertEqual(self.sale_step.reminder_count, 0)
        lead = self.ask()
        self.assertFalse(self.get_due(lead))
        self.create_reminder()
        self.assertEqual(self.sale_step.reminder_count, 1)

    def test_r066_each_step_has_its_own(self):
        """R066, R075: with the stage the reminders are those of the new step."""
        self.create_reminder(delay=2)
        self.rejected_step.write({"is_final": False, "body": "May we ask again?"})
        self.create_reminder(self.rejected_step, delay=4)
        lead = self.ask()
        with self.at("2040-01-10 12:00:00"):
            self.set_stage(lead, self.rejected)
            self.send()
        self.assertEqual(self.get_due(lead), "2040-01-10 16:00:00")
        self.assertEqual(self.tick("2040-01-10 15:00:00"), [])
        self.assertEqual(self.tick("2040-01-10 16:00:00"), ["Reminder: May we ask again?"])

    def test_r069_defaults(self):
        """R069, R072: a day after the last text, between nine and nine."""
        reminder = self.create_reminder()
        self.assertEqual((reminder.delay, reminder.delay_unit), (24, "hours"))
        self.assertEqual(reminder.base, "last")
        self.assertEqual((reminder.window_start, reminder.window_end), (9, 21))
        self.assertEqual(reminder.prefix, "Reminder:")

    def test_r069_what_makes_no_sense_is_refused(self):
        for values in (
            {"delay": 0},
            {"window_start": 21, "window_end": 9},
            {"window_start": 9, "window_end": 9},
            {"window_end": 25},
            {"window_start": -1},
        ):
            with (
                self.subTest(values=values),
                mute_logger("odoo.sql_db"),
                self.assertRaises(IntegrityError),
            ):
                self.create_reminder(**values)

    def test_r071_the_prefix_is_the_reminders_own(self):
        """R071."""
        self.create_reminder(delay=2, prefix="NB!")
        self.ask()
        self.assertEqual(self.tick("2040-01-10 13:00:00"), [f"NB! {ASK}"])

    def test_r071_no_prefix(self):
        self.create_reminder(delay=2, prefix=False)
        self.ask()
        self.assertEqual(self.tick("2040-01-10 13:00:00"), [ASK])

    def test_r070_prefix_and_text_are_in_the_customers_language(self):
        """R070, R071."""
        lang = self.env["res.lang"]._activate_lang("nb_NO")
        reminder = self.create_reminder(delay=2)
        reminder.with_context(lang="nb_NO").prefix = "Påminnelse:"
        self.sale_step.with_context(lang="nb_NO").body = "Hei {{ object.contact_name }}!"
        self.ask(lang_id=lang.id)
        english = self.ask(phone="+4791300001")
        self.assertCountEqual(self.tick("2040-01-10 13:00:00"), ["Påminnelse: Hei Anna!", REMINDER])
        self.assertEqual(self.get_bodies(english), [ASK, REMINDER])

    def test_what_the_record_says_now_is_what_is_sent(self):
        self.create_reminder(delay=2)
        lead = self.ask()
        lead.contact_name = "Berit"
        self.assertEqual(
            self.tick("2040-01-10 13:00:00"), ["Reminder: Hi Berit, shall we install it?"]
        )

    def test_a_reminder_that_cannot_be_sent_needs_attention(self):
        self.create_reminder(delay=2)
        lead = self.ask()
        lead.contact_name = False
        self.assertEqual(self.tick("2040-01-10 13:00:00"), [])
        self.assertIn("Contact Name", self.get_run(lead).attention)
        self.assertEqual(self.tick("2040-01-11 13:00:00"), [])
        self.assertEqual(len(self.get_texts(lead)), 2, "it was tried once")

    # === WHEN IT IS DUE === #

    def test_r073_several_one_after_the_other(self):
        """R073, decision 1: each its delay after the text before."""
        self.create_reminder(delay=2)
        self.create_reminder(delay=3, prefix="Last:")
        lead = self.ask()
        self.assertEqual(self.tick("2040-01-10 13:00:00"), [REMINDER])
        self.assertEqual(self.get_due(lead), "2040-01-10 16:00:00")
        self.assertEqual(self.tick("2040-01-10 16:00:00"), [f"Last: {ASK}"])
        self.assertFalse(self.get_due(lead))

    def test_r073_counted_from_the_first_text(self):
        """R073, decision 1."""
        self.create_reminder(delay=2)
        self.create_reminder(delay=4, base="first", prefix="Last:")
        lead = self.ask()
        self.tick("2040-01-10 13:30:00")
        self.assertEqual(self.get_due(lead), "2040-01-10 15:00:00")
        self.assertEqual(self.tick("2040-01-10 15:00:00"), [f"Last: {ASK}"])

    def test_r068_units(self):
        for unit, due in (
            ("minutes", "2040-01-10 11:02:00"),
            ("hours", "2040-01-10 13:00:00"),
            ("days", "2040-01-12 11:00:00"),
        ):
            with self.subTest(unit=unit):
                reminder = self.create_reminder(delay=2, delay_unit=unit)
                lead = self.ask(phone=f"+479130000{len(unit)}")
                self.assertEqual(self.get_due(lead), due)
                reminder.unlink()
                self.assertFalse(self.get_due(lead))

    def write_by_hand(self, record, moment, sender=None):
        values = {"body": "Hello", "sender_id": (sender or self.team_sender).id}
        composer = self.env["sms.composer"].with_context(
            default_res_model=record._name, default_res_id=record.id
        )
        with self.at(moment):
            composer.create({"composition_mode": "comment", **values}).action_send_sms()
            self.commit()
            self.send()

    def test_decision_1_a_manual_text_counts_as_the_last(self):
        """Decision 1."""
        self.create_reminder(delay=2)
        lead = self.ask()
        self.write_by_hand(lead, "2040-01-10 12:30:00")
        self.assertEqual(self.get_due(lead), "2040-01-10 14:30:00")
        self.assertEqual(self.tick("2040-01-10 13:00:00"), [])
        self.assertEqual(self.tick("2040-01-10 14:30:00"), [REMINDER])

    def test_decision_1_not_for_a_reminder_counted_from_the_first(self):
        self.create_reminder(delay=2, base="first")
        lead = self.ask()
        self.write_by_hand(lead, "2040-01-10 12:30:00")
        self.assertEqual(self.get_due(lead), "2040-01-10 13:00:00")

    def test_decision_1_nor_does_a_text_of_another_number_or_record(self):
        self.create_reminder(delay=2)
        lead = self.ask()
        self.write_by_hand(lead, "2040-01-10 12:30:00", sender=self.ola_sender)
        self.write_by_hand(self.partner, "2040-01-10 12:40:00")
        self.assertEqual(self.get_due(lead), "2040-01-10 13:00:00")

    def test_r072_at_night_it_waits_for_nine(self):
        """R072: 20:59 plus two hours is nine o'clock the next day, and not before."""
        self.create_reminder(delay=2)
        lead = self.ask("2040-01-10 19:59:00")
        self.assertEqual(self.get_due(lead), "2040-01-11 08:00:00")
        self.assertEqual(self.tick("2040-01-10 21:59:00"), [])
        self.assertEqual(self.tick("2040-01-11 07:59:59"), [])
        self.assertEqual(self.tick("2040-01-11 08:00:00"), [REMINDER])

    def test_r072_the_edges_of_the_window(self):
        reminder = self.create_reminder(delay=2)
        for asked, due in (
            ("2040-01-10 17:59:59", "2040-01-10 19:59:59"),  # 20:59:59 is by day
            ("2040-01-10 18:00:00", "2040-01-11 08:00:00"),  # 21:00 is not
            ("2040-01-10 05:59:59", "2040-01-10 08:00:00"),  # nor 8:59:59
            ("2040-01-10 06:00:00", "2040-01-10 08:00:00"),  # 9:00 is
            ("2040-01-10 21:30:00", "2040-01-11 08:00:00"),  # half past midnight: the same day
        ):
            with self.subTest(asked=asked):
                lead = self.ask(asked)
                self.assertEqual(self.get_due(lead), due)
                lead.unlink()
        reminder.write({"window_start": 0, "window_end": 24})
        self.assertEqual(self.get_due(self.ask("2040-01-10 19:59:00")), "2040-01-10 21:59:00")

    def test_decision_11_the_customers_clock_counts(self):
        """Decision 11: a Finn is an hour ahead, a New Yorker five and more behind."""
        self.create_reminder(delay=2)
        finn = self.ask("2040-01-10 18:30:00", phone="+358401234567")
        self.assertEqual(self.get_due(finn), "2040-01-11 07:00:00")
        american = self.ask("2040-01-10 18:30:00", phone="+12125550123")
        self.assertEqual(self.get_due(american), "2040-01-10 20:30:00")
        self.assertEqual(self.get_run(american).tz, "America/New_York")

    def test_decision_11_the_clock_is_that_of_the_number_he_has_now(self):
        self.create_reminder(delay=2)
        lead = self.ask("2040-01-10 18:30:00", phone="+12125550123")
        lead.phone = CUSTOMER
        with self.at("2040-01-10 18:40:00"):
            self.set_stage(lead, self.talk)
            self.set_stage(lead, self.sale)
        self.assertEqual(self.get_due(lead), "2040-01-11 08:00:00")

    def test_decision_11_where_no_number_tells_the_flow_does_then_the_company(self):
        self.flow.tz = "Asia/Tokyo"
        self.assertEqual(self.flow._get_tz("+358401234567"), "Europe/Helsinki")
        self.assertEqual(self.flow._get_tz("+88351000"), "Asia/Tokyo")
        self.assertEqual(self.flow._get_tz(False), "Asia/Tokyo")
        self.flow.tz = False
        self.assertEqual(self.flow._get_tz("+88351000"), "Europe/Oslo")
        self.company.partner_id.tz = False
        self.assertEqual(self.flow._get_tz("+88351000"), "UTC")

    def test_decision_11_the_database_knows_every_zone_of_a_number(self):
        """One it does not know would be an error in the middle of the night."""
        zones = {zone for zones in TIMEZONE_DATA.values() for zone in zones}
        self.env.cr.execute("SELECT name FROM pg_timezone_names")
        self.assertFalse(zones - {row[0] for row in self.env.cr.fetchall()} - {"Etc/Unknown"})

    def test_the_companys_quiet_hours_and_the_window_both_count(self):
        reminder = self.create_reminder(delay=2)
        self.company.write({"sms_quiet_hours": True, "sms_quiet_start": 20, "sms_quiet_end": 10})
        lead = self.ask("2040-01-10 17:30:00")
        self.assertEqual(self.get_due(lead), "2040-01-11 09:00:00", "20:30 is quiet, 9:00 too")
        self.company.write({"sms_quiet_start": 22, "sms_quiet_end": 8})
        self.assertEqual(self.get_due(lead), "2040-01-10 19:30:00", "others, looked at anew")
        self.company.write({"sms_quiet_start": 19, "sms_quiet_end": 8})
        reminder.write({"window_start": 6, "window_end": 7.5})
        self.assertFalse(self.get_due(lead), "they never meet")
        self.company.sms_quiet_hours = False
        self.assertEqual(self.get_due(lead), "2040-01-11 05:00:00")

    def test_a_window_that_the_quiet_hours_never_let_open(self):
        """R072: such a reminder is never due, holds up no other, and costs no tick (P12)."""
        self.company.write({"sms_quiet_hours": True, "sms_quiet_start": 20, "sms_quiet_end": 9})
        self.create_reminder(delay=2, window_start=1, window_end=2.5)
        lead = self.ask()
        self.assertFalse(self.get_due(lead))
        other = self.create_reminder(delay=2, delay_unit="days")
        self.assertEqual(self.get_run(lead).next_reminder_id, other)
        self.company.sms_quiet_hours = False
        self.assertEqual(self.get_due(lead), "2040-01-11 00:00:00")

    def test_r072_a_changed_reminder_is_due_anew(self):
        reminder = self.create_reminder(delay=2)
        with self.at(NOON):
            lead = self.ask()
            reminder.delay = 5
            self.assertEqual(self.get_due(lead), "2040-01-10 16:00:00")
            reminder.window_start = 18
            self.assertEqual(self.get_due(lead), "2040-01-10 17:00:00")
            earlier = self.create_reminder(delay=1)
            self.assertEqual(self.get_due(lead), "2040-01-10 12:00:00")
            earlier.unlink()
            self.assertEqual(self.get_due(lead), "2040-01-10 17:00:00")

    # === THE TICK === #

    def test_a_late_tick_waits_for_the_next_window(self):
        """The server was down over the end of the window."""
        self.create_reminder(delay=2)
        lead = self.ask()
        self.assertEqual(self.tick("2040-01-10 20:30:00"), [], "21:30 on the customer's clock")
        self.assertEqual(self.get_due(lead), "2040-01-11 08:00:00")
        self.assertEqual(self.tick("2040-01-11 08:01:00"), [REMINDER])

    def test_a_late_lane_waits_for_the_next_window(self):
        """It was due in time; the provider was down."""
        self.create_reminder(delay=2)
        lead = self.ask()
        with self.at("2040-01-10 19:59:00"):
            self.run_due()
        self.assertEqual(self.get_texts(lead)[-1].state, "queued")
        with self.at("2040-01-10 20:01:00"):
            self.assertEqual(self.send(), [])
        self.assertEqual(str(self.get_texts(lead)[-1].send_after), "2040-01-11 08:00:00")

    def test_of_several_overdue_only_one_goes(self):
        """After three days without a server nobody gets two texts in a minute."""
        self.create_reminder(delay=24, base="first")
        self.create_reminder(delay=48, base="first", prefix="Last:")
        lead = self.ask()
        self.assertEqual(len(self.tick("2040-01-13 12:00:00")), 1)
        self.assertEqual(self.tick("2040-01-13 12:01:00"), [])
        self.assertFalse(self.get_due(lead))

    def test_of_several_due_in_one_night_only_one_goes_in_the_morning(self):
        self.create_reminder(delay=4, base="first")
        self.create_reminder(delay=6, base="first")
        self.create_reminder(delay=24, base="first", prefix="Last:")
        self.ask("2040-01-10 17:00:00")
        self.assertEqual(self.tick("2040-01-11 08:00:00"), [REMINDER])
        self.assertEqual(self.tick("2040-01-11 09:00:00"), [])
        self.assertEqual(self.tick("2040-01-11 17:00:00"), [f"Last: {ASK}"])

    def test_many_are_due_at_once(self):
        self.create_reminder(delay=2)
        leads = self.create_customers(7)
        with self.at(NOON):
            self.set_stage(leads, self.sale)
            self.send()
        with patch("odoo.addons.sms_flow.models.sms_flow_schedule.BATCH", 3):
            self.assertEqual(len(self.tick("2040-01-10 14:00:00")), 7)

    def test_one_that_fails_does_not_stop_the_others(self):
        self.create_reminder(delay=2)
        leads = self.create_customers(3)
        with self.at(NOON):
            self.set_stage(leads, self.sale)
            self.send()
        Run = type(self.env["sms.flow.run"])
        original, bad = Run._send_texts, leads[1].id

        def fail(runs, *args, **kwargs):
            if bad in runs.mapped("res_id"):
                raise ValueError("Out of order")
            return original(runs, *args, **kwargs)

        self.patch(Run, "_send_texts", fail)
        with self.assertLogs("odoo.addons.sms_flow.models.sms_flow_schedule", "ERROR"):
            self.assertEqual(self.tick("2040-01-10 14:00:00"), [REMINDER] * 2)
        self.assertEqual(self.get_run(leads[1]).attention, "Out of order")
        self.assertFalse(self.get_due(leads[1]), "it is not tried for ever")

    def test_a_customer_whose_text_waits_to_be_worked_off_is_not_reminded(self):
        """His answer may be among the calls that were not looked at yet; for some minutes."""
        self.create_reminder(delay=2)
        self.ask()
        self.env["sms.gateway.event"].create(
            {
                "gateway_id": self.gateway.id,
                "kind": "inbound",
                "state": "new",
                "dedup_key": "waits",
                "payload": "{}",
            }
        )
        self.assertEqual(self.tick("2040-01-10 13:01:00"), [])
        self.assertEqual(self.tick("2040-01-10 13:06:00"), [REMINDER])

    # === THE QUESTION === #

    def test_an_answer_to_the_reminder_is_one_to_the_question(self):
        self.create_reminder(delay=2)
        lead = self.ask()
        self.tick("2040-01-10 13:00:00")
        prompt = self.get_run(lead)._find_open_questions()
        self.assertEqual(len(prompt), 1)
        self.assertEqual(prompt.message_id, self.get_texts(lead)[-1])
        with self.at("2040-01-10 13:10:00"):
            self.reply("ja")
        self.assertEqual(lead.stage_id, self.confirmed)

    def test_a_late_answer_to_the_reminder_is_late(self):
        self.create_reminder(delay=2)
        lead = self.ask()
        self.tick("2040-01-10 13:00:00")
        with self.at("2040-01-10 13:10:00"):
            self.set_stage(lead, self.talk)
            message = self.reply("ja")
        self.assertEqual((message.inbox_reason, lead.stage_id), ("late", self.talk))

    def test_the_answer_may_go_to_the_number_that_reminded(self):
        """The flow has got another number meanwhile."""
        self.create_reminder(delay=2)
        lead = self.ask()
        self.flow.sender_id = self.ola_sender
        self.tick("2040-01-10 13:00:00")
        with self.at("2040-01-10 13:10:00"):
            self.reply("ja", sender=self.ola_sender)
        self.assertEqual(lead.stage_id, self.confirmed)

    def test_the_answer_may_come_from_the_number_that_was_reminded(self):
        self.create_reminder(delay=2)
        lead = self.ask()
        lead.phone = "+4798000001"
        self.tick("2040-01-10 13:00:00")
        with self.at("2040-01-10 13:10:00"):
            self.reply("ja", number="+4798000001")
        self.assertEqual(lead.stage_id, self.confirmed)

    # === COST === #

    def test_p12_a_tick_with_nothing_due_costs_next_to_nothing(self):
        """P12."""
        self.create_reminder(delay=2)
        leads = self.create_customers(10)
        with self.at(NOON):
            self.set_stage(leads, self.sale)
        with self.at("2040-01-10 11:30:00"), self.own_cursor() as env:
            Run = env["sms.flow.run"]
            with self.assertQueryCount(default=2):
                self.assertFalse(Run._pick_due())

    def explain(self, query, *params):
        """How PostgreSQL reads it where it may not read whole tables."""
        self.env.cr.execute("SET LOCAL enable_seqscan = off")
        self.env.cr.execute(SQL("EXPLAIN %s", query) if isinstance(query, SQL) else
                            f"EXPLAIN {query}", *params)  # fmt: skip
        plan = "\n".join(row[0] for row in self.env.cr.fetchall())
        self.env.cr.execute("SET LOCAL enable_seqscan = on")
        return plan

    def test_p12_what_is_due_is_found_by_its_indexes(self):
        """P12."""
        queries = []
        execute = Cursor.execute

        def spy(cr, query, params=None, **kwargs):
            queries.append((query, params))
            return execute(cr, query, params, **kwargs)

        with patch.object(Cursor, "execute", spy):
            self.env["sms.flow.run"]._pick_due()
        query = next(q for q in queries if "next_reminder_at" in str(q[0]))
        plan = self.explain(*query)
        self.assertIn("sms_flow_run_reminder_idx", plan)
        self.assertIn("sms_flow_run_expiry_idx", plan)
        self.assertNotIn("Seq Scan", plan)

    def test_p12_runs_are_found_by_their_indexes(self):
        """By record, by number, by step, and those that need attention."""
        for domain, index in (
            ([("res_model", "=", "crm.lead"), ("res_id", "in", [1, 2])], "sms_flow_run_record"),
            ([("number", "in", [CUSTOMER]), ("state", "=", "active")], "sms_flow_run_number_idx"),
            ([("step_id", "=", 1), ("state", "=", "active")], "sms_flow_run_"),
            ([("flow_id", "=", 1), ("attention", "!=", False)], "sms_flow_run_"),
        ):
            with self.subTest(domain=domain):
                plan = self.explain(self.env["sms.flow.run"].sudo()._search(domain).select())
                self.assertIn(index, plan)
                self.assertNotIn("Seq Scan", plan)

    def test_planning_a_reminder_takes_no_time(self):
        """The statement's rounds must not be merged into one expression; that took gigabytes."""
        self.create_reminder(delay=2)
        lead = self.ask()
        query = self.get_run(lead)._get_due_query()
        self.env.cr.execute(SQL("EXPLAIN (COSTS off, SUMMARY) %s", query))
        planning = next(row[0] for row in self.env.cr.fetchall() if "Planning Time" in row[0])
        self.assertLess(float(planning.split()[2]), 1000, planning)


@tagged("post_install", "-at_install")
class TestNoReminder(ReminderCase):
    """What ends the waiting: no reminder goes out, nor one that is in the queue already."""

    def assert_stops(self, cause, expected=()):
        """Two customers, one of whom has his reminder in the queue; the cause; nothing goes out.

        :param cause: called with both leads
        """
        self.create_reminder(delay=2)
        queued, waiting = leads = self.create_customers(2)
        with self.at(NOON):
            self.set_stage(queued, self.sale)
            self.send()
        with self.at("2040-01-10 12:00:00"):
            self.set_stage(waiting, self.sale)
            self.send()
        with self.at("2040-01-10 13:30:00"):
            self.run_due()
            texts = self.get_texts(leads, ["queued"])
            self.assertEqual((texts.mapped("res_id"), texts.origin), (queued.ids, "reminder"))
            cause(leads)
            self.commit()
        self.env.invalidate_all()
        self.assertCountEqual(self.tick("2040-01-10 16:00:00"), expected)
        self.assertEqual(self.tick("2040-01-13 16:00:00"), [])

    def test_nothing_happens(self):
        """What the other tests would show if the cause had none."""
        self.assert_stops(lambda leads: None, expected=[REMINDER] * 2)

    def test_r074_the_stage_changes(self):
        """R074."""
        self.assert_stops(lambda leads: self.set_stage(leads, self.rejected))

    def test_r074_the_stage_changes_to_one_without_step(self):
        self.assert_stops(lambda leads: self.set_stage(leads, self.talk))

    def test_r074_at_once(self):
        """R074: what is in the queue leaves it with the stage, not when its turn comes."""
        self.create_reminder(delay=2)
        lead = self.ask()
        with self.at("2040-01-10 13:00:00"):
            self.run_due()
            self.set_stage(lead, self.rejected)
        text = self.get_texts(lead)[-1]
        self.assertEqual((text.origin, text.state), ("reminder", "cancelled"))
        self.assertIn("moved on", text.failure_reason)

    def test_r065_an_answer(self):
        """R065: it moves them, with a text of the new step."""
        self.assert_stops(
            lambda leads: [self.reply("ja", number=lead.phone_sanitized) for lead in leads],
            expected=["Thank you for your order!"] * 2,
        )

    def test_r065_an_answer_that_is_none(self):
        self.assert_stops(
            lambda leads: [self.reply("Hvem?", number=lead.phone_sanitized) for lead in leads]
        )

    def test_an_answer_to_a_step_that_takes_none(self):
        self.sale_step.reply_ids.unlink()
        self.test_r065_an_answer_that_is_none()

    def test_p6_stop(self):
        """P6, decision 15."""
        self.assert_stops_for_opt_out(
            lambda leads: [self.reply("STOP", number=lead.phone_sanitized) for lead in leads]
        )

    def assert_stops_for_opt_out(self, cause):
        """The confirmation of an opt-out may go; no reminder does."""
        sent = []
        original = self.tick
        self.patch(type(self), "tick", lambda case, moment: sent.extend(original(moment)) or [])
        self.assert_stops(cause)
        self.assertNotIn(REMINDER, sent)

    def test_p6_blacklisted_by_hand(self):
        numbers = []
        self.assert_stops(
            lambda leads: numbers.extend(
                self.env["phone.blacklist"]._add(leads.mapped("phone_sanitized")).mapped("number")
            )
        )
        runs = self.env["sms.flow.run"].search([("number", "in", numbers)])
        self.assertEqual(runs.mapped("end_reason"), ["opt_out"] * 2)

    def test_p6_an_old_opt_out_that_counts_again(self):
        def cause(leads):
            Blacklist = self.env["phone.blacklist"]
            entries = Blacklist._add(leads.mapped("phone_sanitized"))
            entries.action_archive()
            self.set_stage(leads, self.talk)
            self.set_stage(leads, self.sale)
            self.send()
            entries.action_unarchive()

        self.assert_stops(cause)

    def test_archived(self):
        self.assert_stops(lambda leads: leads.action_archive())

    def test_lost(self):
        self.assert_stops(lambda leads: leads.action_set_lost())

    def test_archived_with_a_new_stage_at_once(self):
        self.rejected_step.body = "A pity."
        values = {"stage_id": self.rejected.id, "active": False}
        self.assert_stops(lambda leads: leads.write(values))

    def test_deleted(self):
        self.assert_stops(lambda leads: leads.unlink())

    def test_stopped_by_hand(self):
        self.assert_stops(lambda leads: [self.get_run(lead).action_stop() for lead in leads])

    def test_r076_the_flow_is_off(self):
        """R076."""
        self.assert_stops(lambda leads: self.flow.action_switch_off())

    def test_r076_sms_of_the_flow_is_off(self):
        self.assert_stops(lambda leads: self.flow.write({"sms_enabled": False}))

    def test_r076_sms_of_the_company_is_off(self):
        self.assert_stops(lambda leads: self.company.write({"sms_enabled": False}))

    def test_r076_off_and_on_again_is_a_new_start(self):
        def cause(leads):
            self.flow.flow_enabled = False
            self.flow.flow_enabled = True

        self.assert_stops(cause)

    def test_the_flow_is_archived(self):
        self.assert_stops(lambda leads: self.flow.action_archive())

    def test_the_flow_is_deleted(self):
        self.assert_stops(lambda leads: self.flow.unlink())

    def test_the_step_is_deleted(self):
        self.assert_stops(lambda leads: self.sale_step.unlink())

    def test_the_reminder_is_deleted(self):
        """What is in the queue is one that nobody wants any more."""
        self.assert_stops(lambda leads: self.sale_step.reminder_ids.unlink())

    def test_the_lead_goes_to_another_team(self):
        team = self.env["crm.team"].create({"name": "Others"})
        self.assert_stops(lambda leads: leads.write({"team_id": team.id}))

    def test_leads_are_merged(self):
        """One is left, and is reminded once."""
        self.assert_stops(lambda leads: leads.merge_opportunity(), expected=[REMINDER])

    def test_a_run_comes_along_with_the_lead_that_is_merged(self):
        lead, other = self.ask(), self.create_team_lead()
        head = (other | lead).merge_opportunity()
        self.commit()
        run = self.env["sms.flow.run"].search([("flow_id", "=", self.flow.id)])
        self.assertEqual((run.res_id, run.state), (head.id, "active"))
        with self.at(NOON):
            self.reply("ja")
        self.assertEqual(head.stage_id, self.confirmed)

    def test_merged_leads_of_two_teams_are_in_one_flow(self):
        team = self.env["crm.team"].create({"name": "Others"})
        self.sale.team_ids += team
        other = self.create_flow("Others", team_id=team.id, sender_id=self.ola_sender.id)
        self.create_step(other, stage_id=self.sale.id, body="Another text")
        other.flow_enabled = True
        leads = self.create_customers(2)
        leads[1].team_id = team
        self.set_stage(leads, self.sale)
        head = leads.merge_opportunity()
        self.commit()
        active = self.env["sms.flow.run"]._find_active(head)
        self.assertEqual(active.flow_id.team_id, head.team_id)
        self.assertEqual(len(active), 1)

    def test_a_reminder_that_comes_back_to_the_queue_is_looked_at_again(self):
        """It was on its way when the customer answered, or the flow was switched off."""
        self.create_reminder(delay=2)
        answered, off = self.create_customers(2)
        other = self.create_team_lead(phone="+4791300009")
        for lead in (answered, off, other):
            with self.at(NOON):
                self.set_stage(lead, self.sale)
                self.send()
        with self.at("2040-01-10 13:30:00"):
            self.run_due()
            self.env.cr.execute(
                "UPDATE sms_flow_entry SET replied_at = now() WHERE id = %s",
                [self.get_run(answered).entry_id.id],
            )
            self.env.cr.execute(
                "UPDATE sms_flow_run SET state = 'stopped' WHERE id = %s", [self.get_run(off).id]
            )
            self.env.invalidate_all()
            self.assertEqual(self.send(), [REMINDER])
            self.assertEqual(self.get_texts(other)[-1].state, "sent")
            self.assertEqual(self.get_texts(off)[-1].state, "cancelled")
            self.create_reminder(delay=1, base="first")
            self.get_run(other)._schedule()
            self.run_due()
            self.env.cr.execute("UPDATE sms_flow SET flow_enabled = false")
            self.env.invalidate_all()
            self.assertEqual(self.get_texts(other)[-1].state, "queued")
            self.assertEqual(self.send(), [])

    def test_quiet_hours_and_what_was_stopped_meanwhile(self):
        """A step's own text that waits for the morning goes to nobody who left the flow."""
        self.company.write({"sms_quiet_hours": True, "sms_quiet_start": 20, "sms_quiet_end": 8})
        leads = self.create_customers(3)
        with self.at("2040-01-10 22:00:00"):
            self.set_stage(leads, self.sale)
            self.assertEqual(self.send(), [])
            self.get_run(leads[0]).action_stop()
            leads[1].action_archive()
        self.company.sms_quiet_hours = False
        self.assertEqual(self.send(), [ASK])


@tagged("post_install", "-at_install")
class TestExpiry(ReminderCase):
    """Steps that are given up."""

    def test_without_an_answer_it_ends(self):
        self.create_reminder(delay=5, delay_unit="days")
        self.sale_step.expires_after = 3
        lead = self.ask()
        self.assertEqual(str(self.get_run(lead).expires_at), "2040-01-13 11:00:00")
        self.assertEqual(self.tick("2040-01-13 10:59:00"), [])
        self.assertEqual(self.get_run(lead).state, "active")
        self.tick("2040-01-13 11:00:00")
        run = self.get_run(lead)
        self.assertEqual((run.state, run.end_reason), ("stopped", "expired"))
        self.assertEqual(lead.stage_id, self.sale)
        self.assertEqual(self.tick("2040-01-16 12:00:00"), [], "no reminder of it")
        with self.at("2040-01-16 12:00:00"):
            message = self.reply("ja")
        self.assertEqual((message.inbox_reason, lead.stage_id), ("expired", self.sale))

    def test_without_an_answer_it_goes_on_to_another_step(self):
        self.sale_step.write({"expires_after": 3, "expires_step_id": self.rejected_step.id})
        self.rejected_step.body = "We heard nothing."
        lead = self.ask()
        self.assertEqual(self.tick("2040-01-13 11:00:00"), ["We heard nothing."])
        self.assertEqual(lead.stage_id, self.rejected)
        run = self.get_run(lead)
        self.assertEqual((run.state, run.cause), ("done", "expired"))
        self.assertEqual(self.tick("2040-01-20 11:00:00"), [])

    def test_an_answer_keeps_it(self):
        self.sale_step.expires_after = 3
        lead = self.ask()
        with self.at("2040-01-11 11:00:00"):
            self.reply("Jeg må tenke")
        self.tick("2040-01-14 11:00:00")
        self.assertEqual(self.get_run(lead).state, "active")

    def test_a_reminder_does_not_put_it_off(self):
        self.create_reminder(delay=2)
        self.sale_step.write({"expires_after": 4, "expires_unit": "hours"})
        lead = self.ask()
        self.assertEqual(self.tick("2040-01-10 13:00:00"), [REMINDER])
        self.tick("2040-01-10 15:00:00")
        self.assertEqual(self.get_run(lead).end_reason, "expired")

    def test_switched_off_nothing_expires(self):
        self.sale_step.write({"expires_after": 3, "expires_step_id": self.confirmed_step.id})
        lead = self.ask()
        self.flow.flow_enabled = False
        self.assertEqual(self.tick("2040-01-14 11:00:00"), [])
        self.assertEqual(lead.stage_id, self.sale)

    def test_a_changed_time_counts_for_those_who_wait(self):
        lead = self.ask()
        self.assertFalse(self.get_run(lead).expires_at)
        self.sale_step.expires_after = 1
        self.assertEqual(str(self.get_run(lead).expires_at), "2040-01-11 11:00:00")

    def test_a_step_of_another_flow_is_refused(self):
        with self.refused("step of the same flow"):
            self.sale_step.expires_step_id = self.done

    def test_r063_steps_that_give_up_to_each_other_end(self):
        """R063: nobody answers, and is not texted for ever."""
        first, second = self.questions[:2]
        first.write({"expires_after": 1, "expires_unit": "hours", "expires_step_id": second.id})
        second.write({"expires_after": 1, "expires_unit": "hours", "expires_step_id": first.id})
        with self.at("2040-01-10 08:00:00"):
            self.enter(self.partner, first)
        for hour in range(9, 23):
            self.tick(f"2040-01-10 {hour:02}:00:00")
        run = self.get_run(self.partner)
        self.assertEqual((run.state, run.end_reason), ("stopped", "circle"))
        self.assertTrue(run.attention)
        self.assertLessEqual(len(self.get_texts(self.partner)), 11)


@tagged("post_install", "-at_install")
class TestOpening(ReminderCase):
    """The first moment within a window, on the customer's clock, also on the two odd nights."""

    OSLO = ZoneInfo("Europe/Oslo")
    WINDOWS = ((9, 21), (2, 3), (2.5, 4), (1.5, 2.5), (2.5, 2.75), (0, 24), (22, 24), (0, 2.5))

    def open(self, moment, start, end):
        """As the statement has it: again and again, until it stays."""
        for _round in range(3):
            opening = _opening(SQL("%s::timestamp", moment), SQL("%s::float8", float(start)),
                               SQL("%s::float8", float(end)))  # fmt: skip
            query = SQL("SELECT %s FROM (SELECT %s::text AS tz) run", opening, "Europe/Oslo")
            moment = self.env.execute_query(query)[0][0]
        return moment

    def is_open(self, moment, start, end):
        local = moment.replace(tzinfo=UTC).astimezone(self.OSLO)
        hour = local.hour + local.minute / 60 + local.second / 3600
        return start <= hour < end if start < end else hour >= start or hour < end

    def find_first(self, moment, start, end):
        """By trying minute after minute."""
        while not self.is_open(moment, start, end):
            moment += timedelta(minutes=1)
        return moment

    def assert_opens(self, begin, hours, is_odd):
        for start, end in self.WINDOWS:
            for half_hour in range(hours * 2):
                moment = datetime.fromisoformat(begin) + timedelta(minutes=30 * half_hour)
                opening, first = self.open(moment, start, end), self.find_first(moment, start, end)
                with self.subTest(moment=str(moment), start=start, end=end):
                    self.assertGreaterEqual(opening, moment)
                    self.assertTrue(self.is_open(opening, start, end), opening)
                    late = opening - first
                    # of a window that opens or closes in the missing or double hour, one will do
                    is_about = is_odd and (2 <= start < 3 or 2 <= end <= 3)
                    self.assertLessEqual(late, timedelta(days=1) if is_about else timedelta())
                    held = next_allowed(opening, "Europe/Oslo", end, start)
                    self.assertLessEqual(held, opening, "the lane does not hold it back")

    def test_on_an_ordinary_night(self):
        self.assert_opens("2026-02-10 12:00:00", 30, is_odd=False)

    def test_when_clocks_go_forward(self):
        """Decision 11: 2026-03-29 has no hour from two to three."""
        self.assert_opens("2026-03-28 12:00:00", 30, is_odd=True)
        self.assertEqual(str(self.open(datetime(2026, 3, 28, 22), 9, 21)), "2026-03-29 07:00:00")

    def test_when_clocks_go_back(self):
        """Decision 11: 2026-10-25 has it twice."""
        self.assert_opens("2026-10-24 12:00:00", 30, is_odd=True)
        self.assertEqual(str(self.open(datetime(2026, 10, 24, 22), 9, 21)), "2026-10-25 08:00:00")

    def test_r072_over_both_nights(self):
        """R072: nine o'clock is nine o'clock, whatever the clocks did at night."""
        self.create_reminder(delay=2)
        for asked, due in (
            ("2026-03-28 19:59:00", "2026-03-29 07:00:00"),
            ("2026-10-24 18:59:00", "2026-10-25 08:00:00"),
        ):
            lead = self.create_team_lead()
            with self.at(asked):
                self.set_stage(lead, self.sale)
            self.assertEqual(self.get_due(lead), due)
