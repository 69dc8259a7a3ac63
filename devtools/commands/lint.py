"""``./dev lint``: check the style of everything."""

import argparse

from .. import lint


def main(arguments):
    """Run the linters; with ``--fix`` let those that can mend what they find."""
    parser = argparse.ArgumentParser(prog="./dev lint", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="linter", help="only these")
    parser.add_argument("--fix", action="store_true", help="format, and fix what can be fixed")
    options = parser.parse_args(arguments)
    return lint.run(options.names, options.fix)
