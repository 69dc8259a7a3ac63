from datetime import timedelta

from odoo.tests import tagged

from odoo.addons.sms_gateway.const import PART_WAIT
from odoo.addons.sms_gateway.engine.contract import InboundText, TextPart, WebhookMalformed

from .common import CUSTOMER
from .test_event import EventCase


@tagged("post_install", "-at_install")
class TestPart(EventCase):
    """Long texts of a provider that passes on their parts."""

    def store_part(self, position, body, total=3, reference="7", ref=None, **values):
        ref = ref or f"{reference}-{position}"
        part = {"reference": reference, "number": position, "total": total}
        return self.store_text(body, ref, part=part, **values)

    def let_pass(self, seconds):
        for part in self.env["sms.gateway.part"].search([]):
            part.received_at -= timedelta(seconds=seconds)

    def bodies(self):
        return self.received().mapped("body")

    def test_parts_in_any_order_are_one_text(self):
        """R037 needs the whole answer: half of one is none, and none is shown twice."""
        self.store_part(3, " at ten")
        self.store_part(1, "See you")
        self.work_off()
        self.assertFalse(self.received())
        self.store_part(2, " tomorrow")
        self.work_off()
        self.assertEqual(self.bodies(), ["See you tomorrow at ten"])
        self.assertEqual(self.received().provider_ref, "7-1")

    def test_parts_that_come_again_are_no_new_text(self):
        """P3: before the text is whole, and long after."""
        for _time in range(2):
            self.store_part(1, "See", 2)
        self.work_off()
        self.store_part(2, " you", 2)
        self.work_off()
        for number, body in ((1, "See"), (2, " you")):
            self.store_part(number, body, 2)
        self.work_off()
        self.assertEqual(self.bodies(), ["See you"])

    def test_texts_are_not_mixed(self):
        """Two customers count from the same reference; one customer writes two texts."""
        self.store_part(1, "A", 2, ref="a1")
        self.store_part(1, "B", 2, ref="b1", number="+46701234568")
        self.store_part(1, "C", 2, reference="8")
        self.store_part(2, "a", 2, ref="a2")
        self.store_part(2, "b", 2, ref="b2", number="+46701234568")
        self.store_part(2, "c", 2, reference="8")
        self.work_off()
        self.assertEqual(set(self.bodies()), {"Aa", "Bb", "Cc"})

    def test_a_reference_that_comes_again_is_another_text(self):
        """The numbers of some telephones go round fast; no part takes the place of another."""
        self.store_part(1, "A", 2, ref="a1")
        self.store_part(1, "B", 2, ref="b1")
        self.work_off()
        self.assertFalse(self.received())
        self.store_part(2, "a", 2, ref="a2")
        self.store_part(2, "b", 2, ref="b2")
        self.work_off()
        self.assertEqual(self.bodies(), ["Aa", "Bb"])

    def test_whole_texts_do_not_wait(self):
        self.store_part(1, "See", 2)
        self.store_text("Yes")
        self.work_off()
        self.assertEqual(self.bodies(), ["Yes"])

    def test_a_part_that_never_comes_does_not_hold_the_others_for_ever(self):
        """Nothing is lost: what came is shown, and what is missing too."""
        self.store_part(1, "See you")
        self.store_part(3, "at ten")
        self.work_off()
        self.let_pass(PART_WAIT - 5)
        self.work_off()
        self.assertFalse(self.received())
        self.let_pass(10)
        self.work_off()
        self.assertEqual(self.bodies(), ["See you […] at ten"])
        self.work_off()
        self.assertEqual(len(self.received()), 1)

    def test_erased_with_the_number(self):
        """GDPR: a part is a text too."""
        self.store_part(1, "See", 2)
        self.store_text("Yes")
        self.work_off()
        self.received()._erase()
        self.assertFalse(self.env["sms.gateway.part"].search([]))

    def test_a_part_of_nothing_is_parked(self):
        """P7: with the reason, and not guessed at."""
        for number, total in ((0, 2), (3, 2), (1, 1000), ("1", 2)):
            with self.assertRaises(WebhookMalformed):
                TextPart("7", number, total)
        with self.assertRaises(WebhookMalformed):
            InboundText(CUSTOMER, "26456", "x", "ref", part=TextPart("\x00", 1, 2))
