from unittest.mock import patch

from odoo.exceptions import ValidationError
from odoo.tests import freeze_time, tagged

from odoo.addons.sms_gateway.engine.contract import InboundText
from odoo.addons.sms_gateway.models.sms_keyword import NEVER_OPTOUT

from .common import CUSTOMER, SmsGatewayCase

HARD_WORDS = {
    "English": "STOP, stopall, Stop all, UNSUBSCRIBE, OPTOUT, opt out, Opt-Out, REVOKE",
    "Norsk": "STOP, STOPP, Avmeld",
    "Svenska": "STOPP, STOP, Avsluta prenumeration",
    "Suomi": "STOP, SEIS, Lopeta",
    "Dansk": "STOP, AFMELD",
    "Polski": "STOP, REZYGNUJĘ, rezygnuje, WYPISZ",
}
SOFT_WORDS = {
    "English": "CANCEL, end, QUIT, Remove",
    "Norsk": "AVBRYT, Slutt",
    "Svenska": "AVSLUTA, Avbryt",
    "Suomi": "PERU, Peruuta",
    "Dansk": "AFBRYD, Slut",
    "Polski": "ANULUJ, Koniec",
}


class KeywordCase(SmsGatewayCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["sms.keyword"].search([("company_id", "!=", False)]).unlink()

    def receive(self, body, number=CUSTOMER, address=None):
        return self.env["sms.message"]._receive(
            self.gateway,
            [
                InboundText(
                    number=number,
                    address=address or self.sender.address,
                    body=body,
                    provider_ref=self.env["sms.sms"]._new_uuid(),
                )
            ],
        )

    def receive_with_a_question_open(self, body):
        with patch.object(self.registry["sms.message"], "_has_open_question", lambda message: True):
            return self.receive(body)

    def create_text(self, **values):
        return super().create_text(origin="composer", **values)

    def is_opted_out(self, number=CUSTOMER):
        return bool(self.env["sms.sms"]._gate_get_blacklisted({number}))

    def opt_in(self, number=CUSTOMER):
        self.env["phone.blacklist"]._remove([number])

    def answers(self, number=CUSTOMER):
        """Texts that went back to the customer by themselves."""
        return self.env["sms.message"].search(
            [("number", "=", number), ("direction", "=", "out"), ("origin", "=", "system")]
        )

    def words(self, words):
        for language, listed in words.items():
            for word in listed.split(","):
                yield language, word.strip()


@tagged("post_install", "-at_install")
class TestOptOutWords(KeywordCase):
    """Which texts are an opt-out, and which are not."""

    def test_the_words_of_every_language_stop_the_texts(self):
        for language, word in self.words(HARD_WORDS):
            with self.subTest(word, language=language):
                self.assertEqual(self.receive(word).keyword, "optout")
                self.assertTrue(self.is_opted_out())
                self.opt_in()

    def test_a_clear_word_stops_also_while_a_question_is_open(self):
        for language, word in self.words(HARD_WORDS):
            with self.subTest(word, language=language):
                self.assertEqual(self.receive_with_a_question_open(word).keyword, "optout")
                self.opt_in()

    def test_an_ambiguous_word_stops_only_while_no_question_is_open(self):
        """“Cancel” may be the answer to “Shall we come on Friday?”."""
        for language, word in self.words(SOFT_WORDS):
            with self.subTest(word, language=language):
                self.assertFalse(self.receive_with_a_question_open(word).keyword)
                self.assertFalse(self.is_opted_out())
                self.assertEqual(self.receive(word).keyword, "optout")
                self.assertTrue(self.is_opted_out())
                self.opt_in()

    def test_case_punctuation_and_emoji_around_the_word_do_not_matter(self):
        for body in (
            "stop",
            "Stop.",
            "STOP!!!",
            " stop \n",
            "“Stop”",
            "*STOP*",
            "stop 🙏",
            "😡 STOP 😡",
            "STOP👎🏽",
            "ＳＴＯＰ",
            "\u200bstop\ufeff",
            "stop  all",
            "_stop_",
        ):
            with self.subTest(body):
                self.assertEqual(self.receive(body).keyword, "optout")
                self.opt_in()

    def test_a_word_within_a_sentence_is_no_opt_out(self):
        """A person reads it instead."""
        for body in (
            "Can you stop by tomorrow?",
            "stop it",
            "non stop",
            "We stopped",
            "bus stop 12",
            "STOP START",
            "s t o p",
            "",
            "👍",
            "?",
        ):
            with self.subTest(body):
                self.assertFalse(self.receive(body).keyword)
        self.assertFalse(self.is_opted_out())

    def test_a_plain_no_is_never_an_opt_out(self):
        """NO, NEI, NEJ, EI, NIE answer a question; nobody can make them an opt-out word."""
        self.assertLessEqual({"no", "nei", "nej", "ei", "nie"}, NEVER_OPTOUT)
        for word in NEVER_OPTOUT:
            for body in (word, word.upper(), f"{word}!", f"{word.title()} 🙂"):
                with self.subTest(body):
                    self.assertFalse(self.receive(body).keyword)
            for field in ("hard_words", "soft_words"):
                with self.subTest(word, field=field), self.assertRaises(ValidationError):
                    self.env["sms.keyword"].create({"name": "X", field: f"stop, {word.upper()} "})
        self.assertFalse(self.is_opted_out())

    def test_a_word_stands_in_one_list_only(self):
        with self.assertRaisesRegex(ValidationError, "“stop” stands in two lists"):
            self.env["sms.keyword"].create(
                {"name": "X", "hard_words": "Stop", "optin_words": "start, STOP!"}
            )

    def test_a_company_with_words_of_its_own_uses_only_those(self):
        self.env["sms.keyword"].create(
            {
                "name": "Ours",
                "company_id": self.company.id,
                "hard_words": "FERDIG",
                "optout_reply": "Da er vi ferdige.",
            }
        )
        self.assertFalse(self.receive("STOP").keyword)
        self.assertEqual(self.receive("ferdig").keyword, "optout")
        self.assertEqual(self.answers().body, "Da er vi ferdige.")


@tagged("post_install", "-at_install")
class TestOptOut(KeywordCase):
    """What an opt-out does."""

    def test_the_evidence_is_kept(self):
        """What the customer wrote, when and to which number; erasing his texts leaves it."""
        with freeze_time("2026-03-01 12:00:00"):
            text = self.receive("Stop!!")
        entry = self.env["phone.blacklist"].search([("number", "=", CUSTOMER)])
        self.assertEqual(entry.sms_optout_text, "Stop!!")
        self.assertEqual(entry.sms_optout_sender_id, self.sender)
        self.assertTrue(entry.sms_optout_at)
        text._erase()
        self.assertTrue(self.is_opted_out())
        self.assertEqual(entry.sms_optout_text, "Stop!!")

    def test_the_evidence_is_that_of_the_opt_out_in_force(self):
        """A second STOP, or the provider's, does not replace it; after an opt-in a new one does."""
        self.receive("Stop!!")
        entry = self.env["phone.blacklist"].search([("number", "=", CUSTOMER)])
        entry.sms_optout_at = "2026-01-01"
        self.receive("UNSUBSCRIBE")
        self.env["phone.blacklist"]._sms_opt_out(CUSTOMER, self.text_sender, "21610", "Provider")
        self.assertEqual((entry.sms_optout_text, entry.sms_optout_at.year), ("Stop!!", 2026))
        self.assertEqual(str(entry.sms_optout_at.date()), "2026-01-01")
        self.receive("START")
        self.receive("Unsubscribe")
        self.assertEqual(entry.sms_optout_text, "Unsubscribe")
        self.assertNotEqual(str(entry.sms_optout_at.date()), "2026-01-01")

    def test_a_number_blacklisted_by_hand_gets_evidence_with_the_first_stop(self):
        self.env["phone.blacklist"]._add([CUSTOMER])
        self.receive("STOP")
        entry = self.env["phone.blacklist"].search([("number", "=", CUSTOMER)])
        self.assertEqual(entry.sms_optout_text, "STOP")
        self.assertFalse(self.answers(), "he had been out already")

    def test_p6_one_confirmation_passes_the_gate_and_nothing_after_it(self):
        """P6: in the language of the number; a second STOP is not answered."""
        self.receive("STOP")
        confirmation = self.answers()
        self.assertIn("Du får ikke flere SMS", confirmation.body)
        self.assertEqual((confirmation.state, confirmation.number), ("queued", CUSTOMER))
        self.receive("STOPP")
        self.assertEqual(self.create_text().state, "canceled")
        with self.provider() as provider:
            self.run_lanes()
        self.assertEqual(provider.bodies, [confirmation.body])
        self.assertEqual(confirmation.state, "sent")
        self.assertEqual(self.answers(), confirmation)

    def test_what_waited_when_the_customer_opted_out_does_not_go(self):
        """P6: but the confirmation behind it does."""
        waiting = self.create_text()
        self.receive("STOP")
        with self.provider() as provider:
            self.run_lanes()
        self.assertEqual(waiting.message_id.state, "cancelled")
        self.assertEqual(provider.bodies, self.answers().mapped("body"))

    def test_the_confirmation_is_in_the_language_of_the_number(self):
        for number, words in (
            ("+4791234567", "Svar START for å få dem igjen"),
            ("+46701234567", "Svara START"),
            ("+358401234567", "Vastaa START"),
            ("+4520123456", "Svar START for at få dem igen"),
            ("+48512345678", "Odpisz START"),
            ("+447400123456", "Reply START"),
            ("+33612345678", "Reply START"),
        ):
            with self.subTest(number):
                self.receive("STOP", number=number)
                self.assertIn(words, self.answers(number).body)

    def test_one_confirmation_is_one_segment(self):
        """R002: nobody pays twice for a goodbye."""
        for number in ("+4791234567", "+46701234567", "+358401234567", "+48512345678"):
            self.receive("STOP", number=number)
            self.assertEqual(self.answers(number).segments, 1, number)

    def test_without_a_sender_of_ours_the_opt_out_counts_all_the_same(self):
        """The address was not one of our senders: there is nobody to confirm it from."""
        text = self.receive("STOP", address="59999999")
        self.assertFalse(text.sender_id)
        self.assertTrue(self.is_opted_out())
        self.assertFalse(self.answers())

    def test_a_confirmation_that_cannot_go_does_not_undo_the_opt_out(self):
        self.sender.state = "draft"
        self.receive("STOP")
        self.assertTrue(self.is_opted_out())
        self.assertEqual(self.answers().state, "failed")

    def test_no_reply_configured_none_is_sent(self):
        self.env["sms.keyword"].search([]).optout_reply = False
        self.receive("STOP")
        self.assertTrue(self.is_opted_out())
        self.assertFalse(self.answers())

    def test_r003_a_stop_is_a_stop_while_sms_is_switched_off(self):
        """R003: nothing is answered, and no other word has an effect."""
        self.company.sms_enabled = False
        self.assertEqual(self.receive("STOP").keyword, "optout")
        self.assertTrue(self.is_opted_out())
        self.assertFalse(self.receive("START").keyword)
        self.assertTrue(self.is_opted_out())
        self.assertFalse(self.receive("HELP").keyword)
        self.assertFalse(self.answers())

    def test_a_number_the_library_does_not_know_can_opt_out_too(self):
        """A new range of numbers: the law asks for no entry in a table."""
        for number in ("+4700000000", "+999123456789", "2012"):
            with self.subTest(number):
                self.assertEqual(self.receive("STOP", number=number).keyword, "optout")
                self.assertTrue(self.is_opted_out(number))
                self.receive("STOP", number=number)
                self.receive("START", number=number)
                self.assertFalse(self.is_opted_out(number))

    def test_opted_out_at_the_provider_is_opted_out_here(self):
        """P6: the provider's own list and ours agree, whoever heard of it first."""
        for outcome in (
            {"failure_type": "sms_optout", "code": "21610", "reason": "unsubscribed recipient"},
            {"failure_type": "sms_blacklist"},
        ):
            with self.subTest(outcome), self.provider() as provider:
                provider.answers[CUSTOMER] = {"outcome": "failed", **outcome}
                text = self.create_text()
                self.run_lanes()
                self.assertEqual(text.message_id.state, "failed")
                self.assertTrue(self.is_opted_out())
                self.assertEqual(self.create_text().state, "canceled")
            self.assertFalse(self.answers(), "not even a confirmation: it could not arrive")
            self.opt_in()

    def test_one_number_the_library_does_not_know_spoils_no_batch(self):
        """The provider tells of two opt-outs; both are recorded, and the third text's fate."""
        numbers = ("+4700000000", CUSTOMER, "+4790000001")
        texts = [self.create_text(number=number) for number in numbers]
        with self.provider() as provider:
            for number in numbers[:2]:
                provider.answers[number] = {"outcome": "failed", "failure_type": "sms_optout"}
            self.run_lanes()
        states = [text.message_id.state for text in texts]
        self.assertEqual(states, ["failed", "failed", "sent"])
        self.assertTrue(self.is_opted_out("+4700000000") and self.is_opted_out(CUSTOMER))


@tagged("post_install", "-at_install")
class TestOptInAndHelp(KeywordCase):
    def test_an_opt_in_counts_only_for_who_has_opted_out(self):
        """START from anybody else is an ordinary text."""
        self.assertFalse(self.receive("START").keyword)
        self.receive("STOP")
        self.assertEqual(self.receive("start!").keyword, "optin")
        self.assertFalse(self.is_opted_out())
        self.assertIn("Du får SMS fra oss igjen", self.answers()[0].body)
        self.assertEqual(self.create_text().state, "outgoing")

    def test_an_opt_in_is_an_answer_while_a_question_is_open(self):
        self.receive("STOP")
        self.assertFalse(self.receive_with_a_question_open("START").keyword)
        self.assertTrue(self.is_opted_out())

    def test_help_is_answered_once_a_day(self):
        """Two machines cannot keep each other busy."""
        self.assertEqual(self.receive("HELP").keyword, "help")
        self.assertIn("leses av en person", self.answers().body)
        self.assertEqual(self.receive("hjelp?").keyword, "help")
        self.assertEqual(len(self.answers()), 1)
        self.receive("INFO", number="+4790000001")
        self.assertEqual(len(self.answers("+4790000001")), 1, "each customer has his own day")
        self.env.cr.execute(
            "UPDATE sms_message SET create_date = create_date - interval '25 hours'"
        )
        self.env.invalidate_all()
        self.receive("HELP")
        self.assertEqual(len(self.answers()), 2)

    def test_help_is_an_answer_while_a_question_is_open(self):
        self.assertFalse(self.receive_with_a_question_open("INFO").keyword)
        self.assertFalse(self.answers())

    def test_who_has_opted_out_gets_no_help_text(self):
        """P6: only the confirmation may reach him."""
        self.receive("STOP")
        self.receive("HELP")
        with self.provider() as provider:
            self.run_lanes()
        self.assertEqual(len(provider.sent), 1)
