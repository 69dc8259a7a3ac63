from datetime import timedelta
from unittest.mock import patch

from odoo.tests import tagged

from odoo.addons.sms_gateway.tests.common import CUSTOMER
from odoo.addons.sms_inbox.models import sms_prompt

from .common import SmsInboxCase


@tagged("post_install", "-at_install")
class TestPrompt(SmsInboxCase):
    """Questions that are out. Their owners here are tags, who take a "yes" for an answer."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.lead = cls.create_lead(user_id=cls.ola.id)
        cls.owner, cls.other_owner = cls.env["crm.tag"].create([{"name": "A"}, {"name": "B"}])
        cls.answers = []
        Owner = type(cls.owner)
        Owner._handle_sms_reply = lambda owner, prompt, message: cls.handle(owner, message)
        cls.addClassCleanup(delattr, Owner, "_handle_sms_reply")

    @classmethod
    def handle(cls, owner, message):
        if message.body != "yes":
            return False
        cls.answers.append((owner, message))
        return True

    def setUp(self):
        super().setUp()
        self.answers.clear()

    def ask(self, owner=None, record=None, sender=None, **values):
        text = self.text_the_customer(record or self.lead, sender=sender or self.ola_sender)
        return self.env["sms.prompt"]._ask(owner or self.owner, text, **values)

    def reply(self, body="yes", sender=None):
        return self.receive(body, sender=sender or self.ola_sender)

    def test_an_answer_goes_to_the_owner_and_to_the_record_that_asked(self):
        prompt = self.ask()
        self.partner.user_id = self.ola
        reply = self.reply()
        self.assertEqual(self.answers, [(self.owner, reply)])
        self.assertEqual((prompt.state, prompt.answer_id), ("answered", reply))
        self.assertEqual((reply._get_record(), reply.routing_rule), (self.lead, "prompt"))
        self.assertFalse(reply.inbox_state)

    def test_a_text_that_is_no_answer_waits_and_the_question_stays_open(self):
        prompt = self.ask()
        reply = self.reply("maybe")
        self.assertEqual((reply.inbox_state, reply.inbox_reason), ("todo", "no_match"))
        self.assertEqual((prompt.state, reply._get_record()), ("open", self.lead))
        self.assertEqual(self.reply()._get_record(), self.lead)
        self.assertEqual(prompt.state, "answered")

    def test_a_question_is_answered_once(self):
        self.ask()
        self.reply()
        self.assertFalse(self.reply().inbox_state, "a second yes is just a text on the record")
        self.assertEqual(len(self.answers), 1)

    def test_a_late_answer_triggers_nothing_and_says_so(self):
        for close, reason in (
            ("_set_late", "late"),
            ("_set_cancelled", "late"),
            ("_set_expired", "expired"),
        ):
            with self.subTest(close=close):
                prompt = self.ask()
                getattr(prompt, close)()
                reply = self.reply()
                self.assertEqual((reply.inbox_state, reply.inbox_reason), ("todo", reason))
                self.assertEqual(reply._get_record(), self.lead)
        self.assertFalse(self.answers)

    def test_what_we_wrote_since_makes_it_an_ordinary_text(self):
        self.ask()._set_late()
        self.text_the_customer(self.lead, sender=self.ola_sender)
        self.assertFalse(self.reply().inbox_state)

    def test_the_time_to_answer_ends(self):
        prompt = self.ask(expires_at=self.env.cr.now() - timedelta(minutes=1))
        self.assertEqual(self.reply().inbox_reason, "expired")
        self.assertEqual(prompt.state, "expired")
        self.assertFalse(self.answers)

    def test_the_nightly_clean_up_goes_on_until_none_is_left(self):
        past = self.env.cr.now() - timedelta(minutes=1)
        prompts = self.ask(expires_at=past) | self.ask(expires_at=past)
        with patch.object(sms_prompt, "GC_LIMIT", 1):
            self.assertEqual(prompts._gc_expired(), (1, True))
        self.assertEqual(prompts._gc_expired(), (1, False))
        self.assertEqual(set(prompts.mapped("state")), {"expired"})

    def test_of_two_questions_of_one_owner_the_newest_is_meant(self):
        first, second = self.ask(), self.ask()
        self.reply()
        self.assertEqual((first.state, second.state), ("open", "answered"))

    def test_questions_of_two_owners_are_ambiguous(self):
        first, second = self.ask(), self.ask(owner=self.other_owner)
        reply = self.reply()
        self.assertEqual((reply.inbox_state, reply.inbox_reason), ("todo", "ambiguous"))
        self.assertEqual({first.state, second.state}, {"open"})
        self.assertFalse(self.answers)

    def test_an_answer_to_another_number_is_none(self):
        self.ask()
        self.reply(sender=self.team_sender)
        self.assertFalse(self.answers)

    def test_an_opt_out_is_no_answer_but_a_soft_word_is(self):
        self.ask()
        self.assertEqual(self.reply("STOP").keyword, "optout")
        self.env["phone.blacklist"].sudo()._remove([CUSTOMER])
        self.assertFalse(self.reply("cancel").keyword, "a question is open")

    def test_a_text_put_on_a_record_by_hand_is_no_answer(self):
        """R046."""
        self.ask()
        reply = self.reply("maybe")
        reply.body = "yes"
        reply._link_to_record(self.lead)
        self.assertFalse(self.answers)
        self.assertEqual(reply.inbox_state, "handled")

    def test_a_person_may_say_that_it_is_the_answer(self):
        prompt = self.ask()
        prompt._set_late()
        reply = self.reply()
        self.assertEqual(reply._get_open_prompt(), prompt)
        self.assertTrue(prompt._answer(reply))
        self.assertEqual(prompt.state, "answered")

    def test_an_owner_that_is_gone_answers_nothing(self):
        prompt = self.ask()
        self.owner.unlink()
        reply = self.reply()
        self.assertEqual(reply.inbox_reason, "no_match")
        self.assertEqual(prompt.state, "open")
