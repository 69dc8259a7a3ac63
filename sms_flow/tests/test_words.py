import unicodedata

from odoo.tests import tagged

from odoo.addons.sms_flow.engine.replies import matches, overlap, split_words

from .common import SmsFlowCase

#: Listed words, by what customers make of them.
TAKEN = {
    "ja": (
        "ja", "JA", "Ja!", " ja ", "\tja\n", "«Ja»", "(ja)", "“ja”", "¡ja!", "ja.", "...ja...",
        "ja 🙏", "👍🏽 ja", "ja👍", "**ja**", "- ja", "ja ❤\ufe0f", "\u200bja", "j\u200ba",
        "ja\u00ad",
        "\ufeffja", "j\u2060a", "\u202aja\u202c", "ＪＡ", "𝐣𝐚", "ja\u00a0", "\u3000ja",
    ),
    "ja takk": ("Ja takk", "JA  TAKK!", "ja\ntakk", "ja\u00a0takk", "“Ja takk” 😀"),
    "på lørdag": ("PÅ LØRDAG", "På lørdag.", unicodedata.normalize("NFD", "På lørdag")),
    "kjør": ("KJØR!", "Kjør 👍"),
    "æ": ("Æ", "æ."),
    "bekräfta": ("BEKRÄFTA", unicodedata.normalize("NFD", "Bekräfta"), "bekra\u0308fta"),
    "går bra": ("Går bra!", unicodedata.normalize("NFD", "GÅR BRA")),
    "kyllä": ("Kyllä", "KYLLÄ!!", unicodedata.normalize("NFD", "kyllä")),
    "hyväksyn": ("HYVÄKSYN", unicodedata.normalize("NFD", "Hyväksyn.")),
    "zażółć gęślą jaźń": ("ZAŻÓŁĆ GĘŚLĄ JAŹŃ", unicodedata.normalize("NFD", "Zażółć gęślą jaźń")),
    "łódź": ("ŁÓDŹ", unicodedata.normalize("NFD", "Łódź!")),
    "straße": ("STRASSE", "Straße", "STRAẞE"),
    "👍": ("👍", "👍🏽", "👍🏿", "👍\ufe0f", " 👍 "),
    "1": ("1", "1.", "(1)", "１", "①", "¹"),
    "ok": ("OK", "Ok.", "ok!", "O\u200bK"),
    "don't": ("Don't", "DON'T!"),
}  # fmt: skip
#: What they are not taken for, as decision 2 has it: no part of a word, no likeness.
LEFT = {
    "ok": ("Okei", "okay", "o k", "0k", "ok ok", "not ok", "k", "", " ", "!!!", "okk"),
    "ja": ("jaja", "ja takk", "naja", "jå", "ja, gjerne", "j a", "ја"),  # the last is Cyrillic
    "kyllä": ("kylla", "kyllā", "kyll"),
    "łódź": ("lodz", "lódź"),
    "på": ("pa", "po"),
    "1": ("11", "1 2", "one", "-11"),
    "👍": ("👎", "👍👎", "👍 ok", "ja"),
}
CONTAINED = {
    "yes": ("yes", "Yes, but on Friday", "well... YES!", "(yes)", "oh yes 🙏", "say:yes? -yes-"),
    "ja takk": ("Hei! Ja takk, gjerne", "ja, takk", "👍 JA TAKK"),
    "på lørdag": (unicodedata.normalize("NFD", "helst På Lørdag, takk"),),
}
NOT_CONTAINED = {
    "yes": ("yesterday", "eyes", "yés", "", "y e s"),
    "ja takk": ("ja", "takk, ja", "ja men takk", "naja takk"),
}


@tagged("post_install", "-at_install")
class TestWords(SmsFlowCase):
    """Which texts are listed words: decision 2."""

    def assert_taken(self, words, anywhere=False, taken=True):
        for word, texts in words.items():
            for text in texts:
                with self.subTest(word=word, text=text):
                    self.assertEqual(matches(text, split_words(word), anywhere), taken)

    def test_decision_2_the_whole_text_is_the_word(self):
        """R058."""
        self.assert_taken(TAKEN)

    def test_r035_what_is_only_like_it_is_not(self):
        """R035: "Okei" is not "OK"."""
        self.assert_taken(LEFT, taken=False)

    def test_decision_2_contained_as_a_word_of_its_own(self):
        self.assert_taken(CONTAINED, anywhere=True)
        self.assert_taken(TAKEN, anywhere=True)
        self.assert_taken(NOT_CONTAINED, anywhere=True, taken=False)

    def test_contained_only_where_it_was_chosen(self):
        self.assertFalse(matches("yes, but on Friday", ["yes"]))

    def test_r059_a_list_of_words(self):
        """R059: by commas, semicolons or lines; each once, none empty."""
        self.assertEqual(
            split_words("JA, Ja takk;OK\nyes,,ja , ,👍"), ["ja", "ja takk", "ok", "yes", "👍"]
        )
        self.assertEqual(split_words(""), [])
        self.assertEqual(split_words(None), [])
        self.assertFalse(matches("", split_words("")))

    def test_listed_words_are_compared_as_texts_are(self):
        """Whoever enters them decomposed, in capitals or with a blank too many."""
        listed = split_words(unicodedata.normalize("NFD", " KYLLÄ! , Łódź\u200b"))
        self.assertTrue(matches("kyllä", listed))
        self.assertTrue(matches("łódź", listed))

    def test_words_two_lists_would_both_take(self):
        self.assertEqual(overlap(["ja", "ok"], False, ["ok", "nei"], False), ["ok"])
        self.assertEqual(overlap(["ja"], True, ["ja takk"], False), ["ja takk"])
        self.assertEqual(overlap(["ja"], False, ["nei"], False), [])

    def test_a_word_is_needed(self):
        with self.refused("at least one word"):
            self.yes.keywords = " , ;"

    def test_an_answer_leads_to_a_step_of_its_flow(self):
        with self.refused("step of the same flow"):
            self.yes.target_step_id = self.done

    def test_exact_words_go_before_contained_ones(self):
        contained = self.create_reply(
            self.sale_step, "takk", self.rejected_step, match="word", sequence=1
        )
        replies = self.sale_step.reply_ids
        self.assertEqual(replies._find_match("ja takk"), self.yes)
        self.assertEqual(replies._find_match("nei, takk"), contained)
        self.assertFalse(replies._find_match("kanskje"))

    def test_the_first_of_two_lists_with_the_word(self):
        self.yes.sequence = 5
        again = self.create_reply(self.sale_step, "ok", self.rejected_step, sequence=20)
        self.assertEqual(self.sale_step.reply_ids._find_match("OK"), self.yes)
        again.sequence = 1
        self.env.invalidate_all()
        self.assertEqual(self.sale_step.reply_ids._find_match("OK"), again)
