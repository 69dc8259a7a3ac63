"""``./dev test``: every test, or those of some addons or files."""

import argparse
from pathlib import Path

from .. import addons, core_tests, database, testing
from ..console import Problem


def main(arguments):
    """Sort the arguments into addons, files and options for pytest; run."""
    parser = argparse.ArgumentParser(
        prog="./dev test",
        description=__doc__,
        epilog="What is not understood here goes to pytest: -k words, -x, --lf, -s ...",
    )
    parser.add_argument("what", nargs="*", help="addons, or files and folders with tests")
    parser.add_argument("-k", help="only the tests whose names hold these words")
    parser.add_argument("--core", action="store_true", help="Odoo's own suites beside our addons")
    parser.add_argument("--fresh", action="store_true", help="make the template databases anew")
    options, rest = parser.parse_known_args(arguments)
    if options.fresh:
        database.drop_templates()
    if options.core:
        return core_tests.run(options.what)
    names = [word for word in options.what if word in addons.all_addons()]
    paths = [_test_path(word) for word in options.what if word not in names]
    return testing.run(names, paths, [*(["-k", options.k] if options.k else []), *rest])


def _test_path(word):
    path = Path(word.split("::")[0]).resolve()
    if not path.exists():
        raise Problem(f"{word!r} is neither an addon nor a file with tests.")
    return path.with_name(path.name + word[len(word.split("::")[0]) :])
