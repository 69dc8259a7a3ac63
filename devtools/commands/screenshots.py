"""``./dev screenshots``: take the pictures that ``docs/screenshots.py`` describes.

That script has a function ``main(browser, url, take)``: a browser logged in as the
administrator on a fresh copy of the demo data, the server's address, and a function
``take(name)`` that writes ``docs/images/<name>.png``.
"""

import argparse
import runpy
import sys

from .. import browser
from ..cache import ROOT
from ..console import Problem, say

SCRIPT = ROOT / "docs" / "screenshots.py"
IMAGES = ROOT / "docs" / "images"


def main(arguments):
    """Start a server on a copy of the demo data and hand its browser to the script."""
    argparse.ArgumentParser(prog="./dev screenshots", description=__doc__).parse_args(arguments)
    if not SCRIPT.exists():
        raise Problem("There is no docs/screenshots.py yet.")
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    harness = __import__("harness")
    scenes = runpy.run_path(str(SCRIPT))["main"]
    with harness.make_database("pictures") as name:
        with harness.OdooServer(name, max_cron_threads=2, life=1800) as server:
            with browser.Browser() as tab:
                tab.login(server.url)
                scenes(tab, server.url, lambda picture: _take(tab, picture))


def _take(tab, name):
    say(f"  {tab.screenshot(IMAGES / f'{name}.png').relative_to(ROOT)}")
