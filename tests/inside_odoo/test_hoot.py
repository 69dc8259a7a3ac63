"""The JavaScript unit tests (Hoot) of our addons, in a real browser."""

import functools
import os
from pathlib import Path

from odoo.tests import tagged

from odoo.addons.web.tests import test_js

ROOT = Path(__file__).resolve().parent.parent.parent
OPTIONS = "headless&loglevel=2&preset=desktop&timeout=15000"


def addons_with_tests():
    """Return the addons of this run that have JavaScript unit tests."""
    names = filter(None, os.environ.get("ODOO_SMS_ADDONS", "").split(","))
    return [name for name in names if any(ROOT.glob(f"{name}/static/tests/**/*.test.js"))]


@tagged("standard", "-at_install", "post_install")
class TestHoot(test_js.HOOTCommon):
    """One test for each addon; the methods are added below."""

    _test_params = ()
    test_generate_hoot_hash = None
    test_get_hoot_filter = None

    def run_addon(self, name):
        """Open the test page of one addon and wait for its verdict."""
        self._test_params = [("+", f"@{name}")]
        self.browser_js(
            f"/web/tests?{OPTIONS}{self.get_hoot_filters()}",
            code="",
            ready="",
            login="admin",
            timeout=600,
            success_signal="[HOOT] Test suite succeeded",
            error_checker=test_js.unit_test_error_checker,
        )


for addon in addons_with_tests():
    setattr(TestHoot, f"test_{addon}", functools.partialmethod(TestHoot.run_addon, addon))
