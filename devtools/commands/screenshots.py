"""``./dev screenshots``: take the pictures that ``docs/screenshots.py`` describes.

That script has a function ``main(browser, url, take)``: a browser logged in as the
administrator on a fresh copy of the demo data, the server's address, and a function
``take(name)`` that writes ``docs/images/<name>.png``.
"""

import argparse
import runpy
import sys

from PIL import Image

from .. import browser
from ..cache import ROOT
from ..console import Problem, say

SCRIPT = ROOT / "docs" / "screenshots.py"
IMAGES = ROOT / "docs" / "images"
COLOURS = 256


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
    """Write a picture with a palette: a quarter of the size, and nobody sees a difference."""
    path = tab.screenshot(IMAGES / f"{name}.png")
    with Image.open(path) as picture:
        small = picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    small.save(path, optimize=True)
    say(f"  {path.relative_to(ROOT)}")
