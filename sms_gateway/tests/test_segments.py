import ast
import re

from odoo.tests import BaseCase
from odoo.tools.misc import file_open

from odoo.addons.sms_gateway.engine.segments import measure


def read_cases():
    """The table of cases that the browser is tested on: plain literals, alike in both languages."""
    with file_open("sms_gateway/static/tests/segments.test.js") as source:
        [table] = re.findall(r"^const CASES = (\[.*?^\]);", source.read(), re.DOTALL | re.MULTILINE)
    return ast.literal_eval(table)


class TestSegments(BaseCase):
    """R002: what a text costs, counted on the server as in the browser."""

    def test_every_case_of_the_table_measures_the_same_as_in_the_browser(self):
        cases = read_cases()
        self.assertGreater(len(cases), 50)
        for label, pieces, encoding, units, segments, free, culprits in cases:
            with self.subTest(label):
                measured = measure("".join(piece * times for piece, times in pieces))
                self.assertEqual(
                    (measured.encoding, measured.units, measured.segments, measured.free),
                    (encoding, units, segments, free),
                )
                self.assertEqual(measured.culprits, tuple(culprits))

    def test_no_text_measures_as_an_empty_one(self):
        self.assertEqual(measure(None), measure(""))
        self.assertEqual(measure(False), measure(""))
