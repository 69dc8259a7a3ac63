import contextlib
from contextlib import nullcontext
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from ..models import sms_flow_batch
from .common import SmsFlowCase

BATCH_LOG = "odoo.addons.sms_flow.models.sms_flow_batch"


class Killed(BaseException):
    """The process ends here."""


class BatchCase(SmsFlowCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.startClassPatcher(patch.object(sms_flow_batch, "PART", 2))

    def create_batch(self, records, step=None, user=None):
        Batch = self.env["sms.flow.batch"].with_user(user or self.ola)
        model = self.env[records._name].with_user(user or self.ola)
        model = model.with_context(active_test=False)
        batch = Batch._start(step or self.sale_step, model, [("id", "in", records.ids)])
        return batch.sudo()

    def run_batches(self):
        """Work them off, as the scheduled action would."""
        lock = patch.object(self.registry["sms.lane"], "_lock", lambda *args: nullcontext(True))
        with self.own_cursor() as env, lock:  # a test has one connection: savepoints would cross
            env["sms.flow.batch"]._run()

    def run_part(self):
        """Work off one part of each."""
        with self.own_cursor() as env:
            for batch in env["sms.flow.batch"]._find_open():
                batch._work_off_part()

    def get_errors(self, batch):
        return {line.record_name: line.error for line in batch.line_ids if line.state == "failed"}


@tagged("post_install", "-at_install")
class TestBatch(BatchCase):
    """Many records are put into a step, a part of them at a time."""

    def test_all_come_to_the_step_and_get_one_text_each(self):
        leads = self.create_customers(5)
        batch = self.create_batch(leads)
        self.assertEqual(batch.progress, 0)
        self.run_part()
        self.assertEqual((batch.state, batch.done_count, batch.progress), ("running", 2, 40))
        self.run_batches()
        self.assertEqual((batch.state, batch.done_count, batch.progress), ("done", 5, 100))
        self.assertEqual(leads.stage_id, self.sale)
        self.assertEqual(set(leads.mapped("sms_flow_run_ids.cause")), {"batch"})
        self.assertEqual(leads.sms_flow_run_ids.entry_id.user_id, self.ola)
        self.assertEqual(len(self.get_texts(leads)), 5)
        self.assertFalse(self.send("chat", "normal"), "they go last")
        self.assertEqual(len(self.send("bulk")), 5)

    def test_batches_take_turns(self):
        """A small one does not wait for the end of a large one."""
        large = self.create_batch(self.create_customers(6))
        small = self.create_batch(self.partner, self.questions[0], self.salesman)
        self.run_part()
        self.run_part()
        self.assertEqual((large.state, small.state), ("running", "done"))

    def test_p2_killed_it_goes_on_and_sends_nothing_twice(self):
        """Wherever it dies: before a part, within it, or just before its commit."""
        leads = self.create_customers(7)
        batch = self.create_batch(leads)
        Line = self.registry["sms.flow.batch.line"]
        enter, note = Line._enter, Line._note_results

        def die_within(lines):
            if lines[0].res_id == leads[2].id:
                enter(lines)
                raise Killed
            enter(lines)

        def die_at_the_end(lines, errors):
            note(lines, errors)
            if lines[0].res_id == leads[4].id:
                raise Killed

        for victim, method in (("_enter", die_within), ("_note_results", die_at_the_end)):
            # assertRaises would undo what was committed before
            with contextlib.suppress(Killed), patch.object(Line, victim, method):
                self.run_batches()
                self.fail("It was not killed.")
        self.assertEqual(batch.done_count, 4)
        self.run_batches()
        self.assertEqual((batch.state, batch.done_count), ("done", 7))
        self.assertEqual(
            sorted(self.get_texts(leads).mapped("number")), sorted(leads.mapped("phone_sanitized"))
        )

    @mute_logger(BATCH_LOG)
    def test_what_fails_is_listed_with_its_reason_and_stops_no_other(self):
        leads = self.create_customers(4)
        leads[1].name = "Bad"
        self.create_rule(self.sale, "if record.name == 'Bad': raise UserError('Not this one')")
        batch = self.create_batch(leads)
        self.run_batches()
        self.assertEqual((batch.state, batch.done_count, batch.failed_count), ("done", 3, 1))
        self.assertEqual(self.get_errors(batch), {"Bad": "Not this one"})
        self.assertEqual(leads[1].stage_id, self.talk)
        self.assertEqual(len(self.get_texts(leads)), 3)

    def test_p10_a_text_that_cannot_go_is_listed(self):
        leads = self.create_customers(3)
        leads[1].write({"phone": False, "name": "Mute"})
        batch = self.create_batch(leads)
        self.run_batches()
        self.assertIn("There is no number", self.get_errors(batch)["Mute"])
        self.assertEqual(leads[1].stage_id, self.sale)
        leads[1].phone = "+4791200099"
        batch.with_user(self.ola).action_retry()
        self.run_batches()
        self.assertEqual((batch.state, batch.done_count, batch.failed_count), ("done", 3, 0))
        self.assertEqual(len(self.get_texts(leads, ["queued"])), 3, "the others not again")

    def test_who_does_not_belong_to_the_flow_is_listed(self):
        stray, deleted, archived, others = leads = self.create_customers(4)
        stray.write({"team_id": False, "name": "Stray"})
        archived.write({"active": False, "name": "Archived"})
        batch = self.create_batch(leads)
        others.write({"user_id": self.kari.id, "name": "Kari's"})
        deleted.unlink()
        self.run_batches()
        errors = {line.res_id: line.error for line in batch.line_ids}
        self.assertIn("has no sales team", errors[stray.id])
        self.assertIn("is archived", errors[archived.id])
        self.assertIn("You may not change this record", errors[others.id])
        self.assertIn("deleted", errors[leads.ids[1]])
        self.assertEqual(batch.failed_count, 4)
        self.assertFalse(self.get_texts(stray + archived + others))

    def test_it_is_stopped_and_goes_on(self):
        leads = self.create_customers(5)
        batch = self.create_batch(leads)
        self.run_part()
        batch.with_user(self.ola).action_stop()
        self.run_batches()
        self.assertEqual((batch.state, batch.done_count), ("paused", 2))
        self.assertEqual(len(self.get_texts(leads)), 2)
        batch.with_user(self.ola).action_resume()
        self.run_batches()
        self.assertEqual((batch.state, batch.done_count), ("done", 5))
        self.assertEqual(len(self.get_texts(leads)), 5)

    def test_it_stops_where_the_flow_is_switched_off(self):
        """Nothing is marked as done that was not."""
        leads = self.create_customers(5)
        batch = self.create_batch(leads)
        self.run_part()
        self.flow.action_switch_off()
        self.run_batches()
        self.assertEqual((batch.state, batch.done_count), ("paused", 2))
        self.assertIn("Heat pumps is switched off", batch.pause_reason)
        with self.assertRaisesRegex(UserError, "Heat pumps is switched off"):
            batch.with_user(self.ola).action_resume()
        self.flow.flow_enabled = True
        batch.with_user(self.ola).action_resume()
        self.run_batches()
        self.assertEqual((batch.state, batch.done_count), ("done", 5))

    def test_it_stops_where_bulk_is_switched_off(self):
        batch = self.create_batch(self.create_customers(3))
        self.company.sms_bulk_enabled = False
        self.run_batches()
        self.assertEqual((batch.state, batch.done_count), ("paused", 0))
        self.assertIn("Bulk SMS is not activated", batch.pause_reason)

    def test_memory_does_not_grow_with_the_records(self):
        """After each part nothing of it stays in the cache."""
        self.create_batch(self.create_customers(8))
        sizes = []
        begin = self.registry["sms.flow.batch"]._begin_part

        def weigh(batch):
            caches = batch.env.transaction.field_data.values()
            sizes.append(sum(len(cache) for cache in caches))
            return begin(batch)

        with patch.object(self.registry["sms.flow.batch"], "_begin_part", weigh):
            self.run_batches()
        self.assertEqual(len(sizes), 5)
        self.assertLessEqual(max(sizes[1:]), min(sizes[1:]) + 20, sizes)

    def test_the_person_is_told_when_it_is_done(self):
        self.create_batch(self.create_customers(3))
        sent = []
        Users = self.registry["res.users"]
        with patch.object(Users, "_bus_send", lambda user, *args: sent.append((user, args))):
            self.run_batches()
        ((user, (kind, notification)),) = sent
        self.assertEqual((user, kind), (self.ola, "simple_notification"))
        self.assertEqual(notification["message"], "Sale: 3 records were put into it, 0 failed.")

    def test_starting_wakes_the_scheduled_action(self):
        cron = self.env.ref("sms_flow.ir_cron_batch")
        triggers = self.env["ir.cron.trigger"].search_count([("cron_id", "=", cron.id)])
        self.create_batch(self.partner, self.questions[0], self.salesman)
        now = self.env["ir.cron.trigger"].search_count([("cron_id", "=", cron.id)])
        self.assertEqual(now, triggers + 1)

    def test_old_ones_are_forgotten(self):
        old, fresh, running = (
            self.create_batch(self.partner, self.questions[0], self.salesman) for _ in range(3)
        )
        now = fields.Datetime.now()
        old.write({"state": "done", "ended_at": now - timedelta(days=91)})
        fresh.write({"state": "done", "ended_at": now - timedelta(days=89)})
        self.env["sms.flow.batch"]._gc_batches()
        self.assertEqual((old + fresh + running).exists(), fresh + running)


@tagged("post_install", "-at_install")
class TestBatchAccess(BatchCase):
    """P11: one's own; managers those of the company."""

    def test_who_sees_a_batch(self):
        batch = self.create_batch(self.create_customers(3))
        manager = new_test_user(self.env, "sms_boss", groups="sms_gateway.group_sms_manager")
        other = self.env["res.company"].create({"name": "Other"})
        stranger = new_test_user(
            self.env,
            "sms_stranger",
            groups="sms_gateway.group_sms_manager",
            company_id=other.id,
            company_ids=[Command.set(other.ids)],
        )
        for user, sees in (
            (self.ola, True),
            (self.kari, False),
            (manager, True),
            (stranger, False),
        ):
            for records in (batch, batch.line_ids):
                self.assertEqual(records.with_user(user).has_access("read"), sees, user.login)
                self.assertFalse(records.with_user(user).has_access("write"))
        with self.assertRaises(AccessError):
            batch.with_user(self.kari).action_stop()
        batch.with_user(manager).action_stop()
        self.assertEqual(batch.state, "paused")

    def test_the_names_of_records_are_those_one_may_read(self):
        leads = self.create_customers(1)
        batch = self.create_batch(leads)
        leads.user_id = self.kari
        line = batch.line_ids.with_user(self.ola)
        self.assertFalse(line.record_name)
        with self.assertRaises(AccessError):
            line.action_open_record()
