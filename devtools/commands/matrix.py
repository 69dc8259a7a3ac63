"""``./dev matrix``: write the table of providers in README.md anew, from the adapters."""

import argparse
import sys

from .. import matrix
from ..cache import ROOT
from ..console import say


def main(arguments):
    """Ask the adapters of a database with every addon what they can do."""
    argparse.ArgumentParser(prog="./dev matrix", description=__doc__).parse_args(arguments)
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    harness = __import__("harness")
    with harness.make_database("matrix") as name:
        table = matrix.render(harness.odoo_script(name, matrix.READ))
    matrix.README.write_text(matrix.replace(matrix.README.read_text(), table))
    say(table.rstrip())
