"""``./dev bench``: measure, with the same tools the stories are told with.

Each script ``bench/<name>.py`` has a function ``main(harness)`` that yields or returns its
measurements as dictionaries; each is printed as one line of ``key=value`` words.
"""

import argparse
import runpy
import sys

from .. import addons, database
from ..cache import ROOT
from ..console import Problem, say

FOLDER = ROOT / "bench"


def main(arguments):
    """Run the named measurement, or all of them."""
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name")
    names = parser.parse_args(arguments).names or sorted(_known())
    if unknown := set(names) - _known():
        raise Problem(f"No bench/{', '.join(unknown)}.py; there are: {', '.join(sorted(_known()))}")
    database.template(addons.closure([]))
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    harness = __import__("harness")
    for name in names:
        _measure(name, harness)


def _known():
    return {path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith("_")}


def _measure(name, harness):
    for measurement in runpy.run_path(str(FOLDER / f"{name}.py"))["main"](harness) or ():
        words = {"bench": name, **measurement}
        say(" ".join(f"{key}={value}" for key, value in words.items()))
