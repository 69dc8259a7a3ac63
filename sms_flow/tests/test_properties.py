"""What must be so of flows and answers whatever happens, in whatever order, at whatever time.

Each run draws others, and shows the ``STORY_SEED`` that repeats it when something goes wrong; a
history is shortened to what makes it go wrong. ``STORY_EXAMPLES`` is how many histories there are.
"""

import contextlib
import os
import random
import unicodedata
from datetime import UTC, datetime, timedelta
from unittest.mock import patch
from zoneinfo import ZoneInfo

from hypothesis import given, seed, settings
from hypothesis import strategies as st

from odoo import fields
from odoo.fields import Command
from odoo.sql_db import BaseCursor
from odoo.tests import BaseCase, tagged, test_cursor

from odoo.addons.sms_flow.engine.replies import matches, overlap, split_words
from odoo.addons.sms_gateway.cache import clear_cache
from odoo.addons.sms_gateway.engine.quiet_hours import next_allowed
from odoo.addons.sms_gateway.engine.words import normalize_word

from .common import SmsFlowCase

SEED = int(os.environ.get("STORY_SEED") or random.randrange(10**6))
HISTORIES = int(os.environ.get("STORY_EXAMPLES") or 25)

# Answers ------------------------------------------------------------------------------------

#: Of the languages of our customers, and what the telephone makes of them.
LETTERS = "abcdefghijklmnopqrstuvwxyzæøåäöąćęłńóśźż0123456789"
NOISE = " \t\n.,;:!?…-–()«»\"'*_\u200b\ufe0f👍🏽🙏😀❤"
words = st.text(LETTERS, min_size=1, max_size=8)
phrases = st.lists(words, min_size=1, max_size=3).map(" ".join)
noise = st.text(NOISE, max_size=4)
lists = st.lists(phrases, max_size=4, unique=True)
spellings = st.sampled_from(
    [
        str,
        str.upper,
        str.title,
        lambda text: unicodedata.normalize("NFD", text),
        lambda text: text.replace(" ", " \n "),
    ]
)


def repeatable(test):
    """Of a test with ``@given``: the seed of this run, shown with what went wrong."""
    return seed(SEED)(settings(deadline=None, database=None)(test))


class TestWordProperties(BaseCase):
    """Which of the listed words a text is, whoever types it on whatever telephone."""

    @repeatable
    @given(st.text())
    def test_decision_2_what_is_compared_stays_so(self, text):
        once = normalize_word(text)
        self.assertEqual(normalize_word(once), once)

    @repeatable
    @given(phrases, lists, noise, noise, spellings, st.booleans())
    def test_r058_what_surrounds_a_text_changes_nothing(
        self, phrase, others, before, after, spell, anywhere
    ):
        """R058: nor do capitals, blanks between the words, and accents written in two ways."""
        written = before + spell(phrase) + after
        for listed in (others, [*others, phrase]):
            self.assertEqual(matches(written, listed, anywhere), matches(phrase, listed, anywhere))
        self.assertTrue(matches(written, [phrase], anywhere), SEED)

    @repeatable
    @given(phrases, words)
    def test_r035_a_longer_word_is_another(self, phrase, more):
        """R035: "Okei" is not "OK", wherever it stands."""
        for longer in (phrase + more, more + phrase):
            self.assertFalse(matches(longer, [phrase]), SEED)
            if " " not in phrase:
                self.assertFalse(matches(f"и {longer}, и", [phrase], anywhere=True), SEED)

    @repeatable
    @given(lists, st.booleans(), lists, st.booleans())
    def test_what_two_lists_share_is_shared_both_ways(self, one, anywhere, other, elsewhere):
        shared = overlap(one, anywhere, other, elsewhere)
        self.assertCountEqual(shared, overlap(other, elsewhere, one, anywhere))
        for word in shared:
            self.assertTrue(matches(word, one, anywhere) and matches(word, other, elsewhere))

    @repeatable
    @given(lists, st.sampled_from([",", ";", "\n", " , "]))
    def test_r059_each_listed_word_is_an_answer(self, listed, separator):
        """R059."""
        found = split_words(separator.join(listed))
        self.assertEqual(found, listed)
        self.assertTrue(all(matches(word, found) for word in listed))


# Flows --------------------------------------------------------------------------------------

#: Numbers that tell where the customer is.
CUSTOMERS = {
    "+4791300001": "Europe/Oslo",
    "+358401234500": "Europe/Helsinki",
    "+48501234500": "Europe/Warsaw",
}
#: UTC; on the last days of March and October 2026 the clocks change.
STARTS = [
    datetime(2026, 1, 14, 11),
    datetime(2026, 3, 27, 16),
    datetime(2026, 3, 28, 20, 30),
    datetime(2026, 10, 23, 18),
    datetime(2026, 10, 24, 19, 59),
]
LISTED = ["ja", "Ja takk", "nei", "OK", "håper på det", "än så länge", "kyllä", "ei käy", "tak"]
LISTED += ["zażółć", "Łódź", "1", "2", "👍"]
DELAYS = [(1, "minutes"), (20, "minutes"), (2, "hours"), (24, "hours"), (26, "hours")]
DELAYS += [(1, "days"), (2, "days")]
#: None opens in the hour that there is twice in October: PostgreSQL takes its second, Python its
#: first.
WINDOWS = [(9, 21), (0, 24), (8, 10), (22, 23.5), (4, 5), (1, 2.5), (0, 0.5), (9.25, 20.75)]
QUIET = [None, None, (20, 9), (22, 7), (13, 15), (23, 1), (21, 9.5)]
#: Steps in a flow at most; one stage more has no step.
STEPS = 5
#: What a seller, a customer and a manager do, the usual more often.
SELLER = ["set_stage"] * 4 + ["start_by_hand", "text_by_hand", "save_the_stage_again"] * 2
SELLER += ["fail_to_set_a_stage", "archive", "take_back", "stop_by_hand", "dismiss"]
CUSTOMER = ["answer_with_a_word"] * 4 + ["answer_otherwise", "send_once_more"] * 2
CUSTOMER += ["opt_out", "opt_out_at_once", "opt_in"]
OFTEN = ["sell"] * 4 + ["write_text", "wait_for_due", "run_lanes"] * 3 + ["wait"] * 2
OFTEN += ["wait_for_window", "run_lanes_late", "decide"]
SPELLINGS = {
    "as it is": str,
    "upper": str.upper,
    "title": str.title,
    "decomposed": lambda text: unicodedata.normalize("NFD", text),
    "spread": lambda text: text.replace(" ", " \n "),
}


class Chance(random.Random):
    """Draws plans of flows, and histories."""

    def plan(self):
        others = self.randrange(1, STEPS)
        return {
            "start": self.choice(STARTS),
            "quiet": self.choice(QUIET),
            "numbers": [self.choice(list(CUSTOMERS)) for _lead in range(2)],
            "steps": [self.step(1), *(self.step(0) for _step in range(others))],
        }

    def step(self, least):
        """A step with at least so many answers and reminders; one without any may be the last."""
        return {
            "has_text": least or self.random() < 0.75,
            "is_final": not least and self.random() < 0.3,
            "answers": [self.answer() for _answer in range(self.randint(least, 3))],
            "reminders": [self.reminder() for _reminder in range(self.randint(least, 3))],
            "expires": self.choice([None, None, None, *DELAYS]),
            "expires_to": self.choice([None, self.randrange(STEPS)]),
        }

    def answer(self):
        return {
            "keywords": ", ".join(self.sample(LISTED, self.randint(1, 3))),
            "match": self.choice(["exact", "exact", "word"]),
            "target": self.randrange(STEPS),
        }

    def reminder(self):
        delay, unit = self.choice(DELAYS)
        start, end = self.choice(WINDOWS)
        base = self.choice(["last", "first"])
        return {
            "delay": delay,
            "delay_unit": unit,
            "base": base,
            "window_start": start,
            "window_end": end,
        }

    def script(self):
        """What happens, one after the other: tuples of a method of :class:`FlowHistory` and its
        arguments."""
        names = [self.choice(OFTEN) for _act in range(self.randint(15, 30))]
        return [(name, *getattr(self, name)()) for name in names]

    def sell(self):
        return self.choice(SELLER), self.randrange(2), self.randint(0, STEPS)

    def write_text(self):
        before, after = (self.choices(NOISE, k=self.randrange(4)) for _side in range(2))
        written = "".join(before), self.choice(list(SPELLINGS)), "".join(after)
        return self.choice(CUSTOMER), self.randrange(2), self.randrange(20), written

    def decide(self):
        return (self.choice(["switch_the_flow", "switch_listening"]),)

    def wait_for_due(self):
        return (self.choice([-1, 0, 0, 1, 1800, 20000]),)

    def wait(self):
        return self.choice([self.randint(1, 200), self.randint(1, 72 * 60)]), self.random() < 0.5

    def wait_for_window(self):
        return self.choice([0, 2, 3, 9, 21]), self.randint(-1, 1)

    def run_lanes(self):
        return self.choice([None, None, None, "failed", "retry"]), self.randrange(2)

    def run_lanes_late(self):
        return (self.randint(1, 20),)


class Undone(Exception):
    """A transaction does not go through."""


class FlowHistory:
    """Two leads in a flow, what people and clocks do to them, and what must be so after each."""

    # === THE WORLD === #

    def __init__(self, case, plan):
        self.case, self.now, self.quiet = case, plan["start"], plan["quiet"]
        self.plan = plan
        self.received = []
        self.paused = set()  # stays in which the flow was switched off
        self.deaf = set()  # stays in which listening was switched off or on
        self.dismissed = set()

    def begin(self):
        """Both leads are in the first step, and their customers have its text."""
        self.case.set_clock(self.now)
        if self.quiet:
            start, end = self.quiet
            self.env.company.write(
                {"sms_quiet_hours": True, "sms_quiet_start": start, "sms_quiet_end": end}
            )
        self.flow = self.case.create_planned_flow(self.plan["steps"])
        self.leads = [self.case.create_team_lead(phone=n) for n in self.plan["numbers"]]
        self.case.commit()
        for lead in self.leads:
            self.set_stage(lead, 0)
        self.run_lanes(None, 0)

    def play(self, script):
        self.begin()
        self.check()
        for name, *values in script:
            getattr(self, name)(*values)
            self.check()

    def check(self):
        for name in dir(self):
            if name.startswith("always_"):
                getattr(self, name)()

    @property
    def env(self):
        return self.case.env

    @property
    def runs(self):
        return self.env["sms.flow.run"].search([("flow_id", "=", self.flow.id)])

    @property
    def texts(self):
        """All texts that went, or were to go, to the customers."""
        domain = [("direction", "=", "out"), ("number", "in", list(CUSTOMERS))]
        return self.env["sms.message"].search(domain, order="id")

    def get_run(self, lead):
        return self.runs.filtered(lambda run: run.res_id == lead.id)

    def get_picture(self):
        """What nothing may change that is not to take effect."""
        self.env.flush_all()
        return [
            self.runs.read(["step_id", "entry_id", "state", "next_reminder_at", "expires_at"]),
            self.texts.read(["state", "number", "body"]),
            [lead.stage_id.id for lead in self.leads],
            self.env["sms.message"].search([("direction", "=", "in")]).ids,
        ]

    # === WHAT PEOPLE DO === #

    def sell(self, act, lead, place):
        getattr(self, act)(self.leads[lead], place)

    def write_text(self, act, lead, pick, written):
        getattr(self, act)(self.leads[lead], pick, written)

    def decide(self, act):
        getattr(self, act)()

    def set_stage(self, lead, place):
        stage, before, entry = self.case.stages[place], lead.stage_id, self.get_run(lead).entry_id
        self.case.set_stage(lead, stage)
        run, step = self.get_run(lead), self.flow._get_step_of_stage(stage)
        if stage != before and lead.active and self.flow.is_running and step:
            assert run.step_id == step and run.entry_id != entry, "no run is lost"
            assert run.entry_id.cause == "stage"
        else:
            assert run.entry_id == entry

    def save_the_stage_again(self, lead, _place):
        """R050: re-saving the same stage sends nothing."""
        before = self.get_picture()
        self.case.set_stage(lead, lead.stage_id)
        assert self.get_picture() == before

    def fail_to_set_a_stage(self, lead, place):
        """P1: a transaction that rolls back changes and sends nothing."""
        before = self.get_picture()
        with contextlib.suppress(Undone), self.env.cr.savepoint():
            self.case.set_stage(lead, self.case.stages[place])
            raise Undone
        assert self.get_picture() == before

    def start_by_hand(self, lead, place):
        step = self.flow.step_ids[place:][:1]
        if step and lead.active and self.flow.is_running:
            self.case.enter(lead, step)
            assert self.get_run(lead).step_id == step

    def text_by_hand(self, lead, place):
        lane = "chat" if place % 2 else "normal"
        lead = lead.with_context(sms_origin="composer", sms_lane=lane)
        self.case.send_from_record("By the way", record=lead, sender=self.flow.sender_id)
        self.case.commit()

    def archive(self, lead, _place):
        lead.active = False
        self.case.commit()

    def take_back(self, lead, _place):
        lead.active = True
        self.case.commit()

    def stop_by_hand(self, lead, _place):
        self.get_run(lead).action_stop()

    def dismiss(self, lead, _place):
        run = self.get_run(lead)
        self.dismissed.add(run.entry_id.id)
        run.action_dismiss()

    def answer_with_a_word(self, lead, pick, written):
        """R052, R060: a listed word moves the one record whose question is open."""
        run, (before, spell, after) = self.get_run(lead), written
        entry = run.entry_id
        listed = [word for reply in run.step_id.reply_ids for word in reply._get_words()]
        word = listed[pick % len(listed)] if listed else "hm"
        asked = self.get_open_questions(lead.phone_sanitized)
        has_read = self.may_have_read(run)
        if word[0].isalnum():  # of a symbol, what surrounds it is a part
            word = before + SPELLINGS[spell](word) + after
        text = self.receive(lead, word)
        if listed and asked.mapped("res_id") == run.ids and has_read:
            assert asked.answer_id == text, "a listed word is an answer"
            assert run.state == "stopped" or run.step_id == entry.reply_id.target_step_id

    def answer_otherwise(self, lead, pick, written):
        body = ["hm, perhaps", "?", "jaja", "HELP", "tak? nei"][pick % 5]
        self.receive(lead, written[0] + body + written[2])

    def opt_out(self, lead, _pick, _written):
        """P6: and it ends all that was waited for."""
        self.receive(lead, "Stopp!")
        assert self.get_run(lead).state != "active"

    def opt_out_at_once(self, lead, pick, written):
        """P6: while a text is about to leave."""
        self.text_by_hand(lead, pick)
        self.opt_out(lead, pick, written)
        self.run_lanes(None, 0)

    def opt_in(self, lead, _pick, _written):
        self.receive(lead, "START")

    def send_once_more(self, _lead, pick, _written):
        """P3: the provider repeats itself."""
        if self.received:
            number, body, ref = self.received[pick % len(self.received)]
            before = self.get_picture()
            again = self.case.receive(body, number=number, sender=self.flow.sender_id, ref=ref)
            self.case.commit()
            assert not again and self.get_picture() == before

    def switch_the_flow(self):
        if self.flow.flow_enabled:
            self.paused.update(self.runs.entry_id.ids)
        self.flow.flow_enabled = not self.flow.flow_enabled

    def switch_listening(self):
        self.deaf.update(self.runs.entry_id.ids)
        self.flow.inbound_enabled = not self.flow.inbound_enabled

    def receive(self, lead, body):
        number, ref = lead.phone_sanitized, f"history-{len(self.received)}"
        self.received.append((number, body, ref))
        text = self.case.receive(body, number=number, sender=self.flow.sender_id, ref=ref)
        self.case.commit()
        return text

    def get_open_questions(self, number):
        return self.env["sms.prompt"].search([("number", "=", number), ("state", "=", "open")])

    # === WHAT CLOCKS DO === #

    def wait(self, minutes, ticks):
        self.go_to(self.now + timedelta(minutes=minutes), ticks)

    def wait_for_due(self, seconds):
        """The moment of the next reminder, or one near it."""
        moments = self.runs.mapped("next_reminder_at") + self.runs.mapped("expires_at")
        moment = min(filter(None, moments), default=self.now)
        self.go_to(moment + timedelta(seconds=seconds), ticks=True)

    def wait_for_window(self, hour, seconds):
        """On the clock of a customer."""
        zone = ZoneInfo(CUSTOMERS[self.leads[0].phone_sanitized])
        local = self.now.replace(tzinfo=UTC).astimezone(zone) + timedelta(days=1)
        edge = local.replace(hour=hour, minute=0, second=0).astimezone(UTC).replace(tzinfo=None)
        self.go_to(edge + timedelta(seconds=seconds), ticks=False)

    def go_to(self, moment, ticks):
        self.now = max(moment, self.now)
        self.case.set_clock(self.now)
        if ticks:
            self.tick()

    def tick(self):
        """R065 to R073: who is due is reminded, all of them and nobody else; and once."""
        due = {run.id for run in self.runs if self.is_due(run)}
        before = self.texts
        self.case.run_due()
        new = self.texts - before
        assert set(new.filtered("flow_reminder_id").flow_entry_id.run_id.ids) == due
        assert not self.runs.filtered(
            lambda run: (run.next_reminder_at or datetime.max) <= self.now
            or (run.expires_at or datetime.max) <= self.now
        ), "what is due was seen to"
        self.case.run_due()
        assert self.texts == before + new, "a second tick finds nothing"

    def is_due(self, run):
        expires_at = self.get_expiry(run)
        if not self.is_waiting(run) or self.is_held_up(run):
            return False
        if expires_at and expires_at <= self.now:
            return False
        return self.get_first_due(run, self.now) == self.now

    def run_lanes(self, fate, lead):
        """P2, P6, R072: what leaves may leave now, and leaves once."""
        queued = self.texts.filtered(lambda text: text.state == "queued")
        with self.case.provider() as provider:
            if fate:
                number = self.leads[lead].phone_sanitized
                provider.answers[number] = {"outcome": fate, "reason": "No", "provider_ref": None}
                provider.answers[number]["failure_type"] = "sms_rejected"
            self.case.run_lanes()
        tried = len(provider.sent)
        left = queued.filtered(lambda text: text.state in ("sent", "failed"))
        retried = self.case.get_outbox(queued).filtered(
            lambda text: text.state == "outgoing" and text.attempts
        )
        assert len(left) <= tried <= len(left) + len(retried)
        for text in left:
            self.check_may_leave(text)

    def run_lanes_late(self, hours):
        """R072: reminders that could not leave at once."""
        self.wait_for_due(0)
        self.go_to(self.now + timedelta(hours=hours), ticks=False)
        self.run_lanes(None, 0)

    # === WHAT IS ALWAYS SO === #

    def check_may_leave(self, text):
        lane = self.case.get_outbox(text).lane
        if text.number in self.env["sms.sms"]._gate_get_blacklisted({text.number}):
            assert self.case.get_outbox(text).is_optout_confirmation, "P6"
        if self.quiet and lane != "chat":
            assert self.is_quiet_until(text.number) == self.now, "in quiet hours"
        if reminder := text.flow_reminder_id:
            zone = ZoneInfo(CUSTOMERS[text.number])
            local = self.now.replace(tzinfo=UTC).astimezone(zone)
            hour = local.hour + local.minute / 60 + local.second / 3600
            assert reminder.window_start <= hour < reminder.window_end, f"R072: {local}"
            assert not self.quiet or self.is_quiet_until(text.number) == self.now
            self.check_is_wanted(text)

    def is_quiet_until(self, number):
        return next_allowed(self.now, CUSTOMERS[number], *self.quiet)

    def check_is_wanted(self, reminder):
        """R074: in the step still, and not answered in any way."""
        entry = reminder.flow_entry_id
        run = entry.run_id
        assert run.entry_id == entry and run.state == "active" and not entry.left_at
        assert self.flow.is_running and not entry.replied_at
        answers_since = self.env["sms.message"].search(
            [
                ("direction", "=", "in"),
                ("number", "=", reminder.number),
                ("create_date", ">", entry.entered_at),
            ]
        )
        assert not answers_since

    def always_a_stay_has_one_text(self):
        """R050: or the run says why there is none."""
        for entry in self.runs.entry_ids:
            texts = self.texts.filtered(lambda t, e=entry: t.flow_entry_id == e)
            asked = texts.filtered(lambda text: text.origin == "flow")
            assert len(asked) == bool(entry.step_id.body), asked
            run = entry.run_id
            refused = asked.state == "failed" or asked.failure_type
            if refused and run.entry_id == entry and run.state != "stopped":
                assert run.attention or entry.id in self.dismissed
            reminded = [text.flow_reminder_id for text in texts - asked]
            assert len(reminded) == len(set(reminded)), "each reminder once"

    def always_a_queued_reminder_is_wanted(self):
        for text in self.texts:
            if text.flow_reminder_id and text.state == "queued":
                self.check_is_wanted(text)

    def always_a_received_text_is_in_one_place(self):
        """P7: it is an answer, it is in the inbox, or it stands on a record."""
        domain = [("direction", "=", "in"), ("number", "in", list(CUSTOMERS))]
        received = self.env["sms.message"].search(domain)
        assert len(received) == len(self.received)
        taken = self.env["sms.prompt"].search([("answer_id", "in", received.ids)]).answer_id
        for text in received:
            in_inbox = bool(text.inbox_state)
            assert (text in taken) + in_inbox <= 1, text.body
            shown = text.mail_message_id and text.routing_rule != "prompt"
            assert text in taken or in_inbox or shown, text.body
        moves = self.runs.entry_ids.filtered(lambda entry: entry.cause == "reply")
        circled = self.runs.filtered(lambda run: run.end_reason == "circle")
        assert len(moves) <= len(taken) <= len(moves) + len(circled), "an answer moves once"

    def always_due_times_are_right(self):
        """R065 to R074: as a few lines of Python have them."""
        for run in self.runs:
            if not self.is_waiting(run):
                assert not run.next_reminder_at and not run.expires_at, run.state
            elif not self.is_held_up(run):
                assert run.expires_at == (self.get_expiry(run) or False)
                earliest = self.get_first_due(run, datetime.min)
                latest = self.get_first_due(run, self.now)
                if latest != datetime.max:
                    due = run.next_reminder_at or None
                    assert due == earliest or earliest <= due <= latest, (earliest, due, latest)

    def always_the_last_text_is_the_last(self):
        """Decision 1: a text by hand counts too; one that was held up counts when it leaves."""
        for run in self.runs.filtered("last_text_at"):
            if run.state == "active" and run.entry_id.id not in self.paused:
                own = self.texts.filtered(lambda t, run=run: t.flow_entry_id == run.entry_id)
                others = self.texts.filtered(
                    lambda text, run=run: text.origin == "composer"
                    and text.res_id == run.res_id
                    and text.create_date >= run.step_entered_at
                )
                moments = [*map(self.get_moment, own), *others.mapped("create_date")]
                assert run.last_text_at in moments
                sent = (own | others).filtered(lambda text: text.state == "sent")
                assert run.last_text_at >= max(sent.mapped("create_date"), default=datetime.min)

    def always_a_question_is_open_where_one_is_asked(self):
        for run in self.runs:
            asked = run._find_open_questions()
            assert len(asked) <= 1 and (not asked or run.state == "active")
            assert not asked or asked.message_id.flow_entry_id == run.entry_id
            listens = self.flow.is_running and self.flow.inbound_enabled
            entry = run.entry_id
            if entry.id not in self.paused | self.deaf and listens and run.state == "active":
                assert bool(asked) == bool(entry.message_id and run.step_id.reply_ids)

    def always_a_lead_stands_where_its_stage_is(self):
        for run in self.runs.filtered(lambda run: run.state == "active"):
            lead = run._get_record()
            assert lead.stage_id == run.step_id.stage_id, (lead.stage_id, run.step_id)
            assert lead.sms_flow_step_id == run.step_id and not run.step_id.is_final

    # === REFERENCE === #

    def is_waiting(self, run):
        """Whether somebody may be reminded."""
        return (
            run.state == "active"
            and self.flow.is_running
            and not run.attention
            and not run.entry_id.replied_at
            and run.entry_id.id not in self.paused
        )

    def is_held_up(self, run):
        """Whether a text of the step waits, for the end of quiet hours or a second try."""
        queued = self.texts.filtered(lambda text: text.state == "queued" and text.send_after)
        return run.entry_id in queued.flow_entry_id

    def may_have_read(self, run):
        """Whether a text of the step reached the customer, or is about to."""
        texts = self.texts.filtered(lambda text: text.flow_entry_id == run.entry_id)
        leaving = texts.filtered(lambda text: text.state == "queued" and not text.send_after)
        return leaving or "sent" in texts.mapped("state")

    def get_moment(self, text):
        """When a text of the step counts: when it was written, if it left within a minute."""
        left = text.sent_at or text.create_date
        return left if left > text.create_date + timedelta(minutes=1) else text.create_date

    def get_expiry(self, run):
        step = run.step_id
        if not step.expires_after:
            return None
        delay = timedelta(**{step.expires_unit: step.expires_after})
        return (run.first_text_at or run.step_entered_at) + delay

    def get_first_due(self, run, now):
        """When the first of the reminders is due; None without one, the end of time for never."""
        if not run.last_text_at:
            return None
        left = run.step_id.reminder_ids - run.entry_id.reminder_ids
        dues = []
        for reminder in left:
            base = run.first_text_at if reminder.base == "first" else run.last_text_at
            dues.append(self.get_opening(max(base + reminder._get_delay(), now), reminder, run))
        return min(dues, default=None)

    def get_opening(self, moment, reminder, run):
        """The first moment in the window and outside the quiet hours."""
        zone = CUSTOMERS[run.number]
        for _round in range(10):
            opening = next_allowed(moment, zone, reminder.window_end, reminder.window_start)
            if self.quiet:
                opening = next_allowed(opening, zone, *self.quiet)
            if opening == moment:
                return moment
            moment = opening
        return datetime.max  # window and quiet hours never meet


@tagged("post_install", "-at_install")
class TestFlowProperties(SmsFlowCase):
    """Random flows, random histories."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.flow.active = False
        cls.stages = cls.env["crm.stage"].create(
            [
                {"name": f"Stage {place}", "team_ids": cls.team.ids, "sequence": 80 + place}
                for place in range(STEPS)
            ]
        )
        cls.stages += cls.talk
        cls.env.flush_all()

    def setUp(self):
        super().setUp()
        # the clock of the database: whoever asks it finds ours before its own
        self.env.cr.execute(
            """
            CREATE SCHEMA history;
            CREATE FUNCTION history.now() RETURNS timestamptz LANGUAGE sql STABLE AS
                   $$ SELECT current_setting('history.now')::timestamptz $$;
            SET LOCAL search_path = public, history, pg_catalog
            """
        )

    def test_whatever_happens(self):
        """R050, R052, R060, R065 to R074, P1, P2, P3, P6, P7."""
        for number in range(SEED, SEED + HISTORIES):
            chance = Chance(number)
            plan, script = chance.plan(), chance.script()
            if self.find_error(plan, script):
                script = self.shorten(plan, script)
                told = "\n".join(map(str, script))
                error = self.find_error(plan, script)
                raise AssertionError(f"STORY_SEED={number}\n{plan}\n{told}") from error

    def shorten(self, plan, script):
        """What of a history is enough for it to go wrong, as far as it is found soon."""
        for place in reversed(range(len(script))):
            shorter = script[:place] + script[place + 1 :]
            if self.find_error(plan, shorter):
                script = shorter
        return script

    def find_error(self, plan, script):
        """What goes wrong in a history, or None."""
        history = FlowHistory(self, plan)
        with self.played_by(history):
            try:
                history.play(script)
            except Exception as error:
                return error
        return None

    # === FOR HISTORIES === #

    @contextlib.contextmanager
    def played_by(self, history):
        """Nothing of a history stays; while it lasts, its clock is that of all."""
        savepoint = self.env.cr.savepoint()
        with (
            patch.object(BaseCursor, "now", lambda cr: history.now),
            patch.object(test_cursor.TestCursor, "now", lambda cr: history.now),
            patch.object(fields.Datetime, "now", lambda *args: history.now),
        ):
            try:
                yield
            finally:
                savepoint.close(rollback=True)
                clear_cache(self.env)

    def set_clock(self, moment):
        """The database's clock."""
        self.env.cr.execute("SELECT set_config('history.now', %s, true)", [f"{moment}+00"])

    def create_planned_flow(self, plans):
        """A flow that is on, as it was drawn; places beyond the last step are the first."""
        flow = self.create_flow("History", team_id=self.team.id)
        made = [
            self.create_step(
                flow,
                stage_id=stage.id,
                body="May we come, {{ object.contact_name }}?" if plan["has_text"] else False,
                is_final=plan["is_final"],
                reminder_ids=[Command.create(reminder) for reminder in plan["reminders"]],
            )
            for stage, plan in zip(self.stages, plans, strict=False)
        ]
        for step, plan in zip(made, plans, strict=True):
            self.add_ways_out(step, plan, made)
        flow.flow_enabled = True
        self.commit()
        return flow

    def add_ways_out(self, step, plan, made):
        for answer in plan["answers"]:
            target = made[answer["target"] % len(made)]
            self.create_reply(step, answer["keywords"], target, match=answer["match"])
        if plan["expires"]:
            step.expires_after, step.expires_unit = plan["expires"]
            to = plan["expires_to"]
            target = made[to % len(made)] if to is not None else step
            step.expires_step_id = target if target != step else False

    def get_outbox(self, texts):
        return self.env["sms.sms"].search([("message_id", "in", texts.ids)])
