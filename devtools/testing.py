"""Run the tests: those of the addons inside Odoo, the stories of ``tests/`` around it."""

import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field

from . import addons, database, odoo, packages
from .cache import ROOT, cached
from .console import say

INSIDE_ODOO = ROOT / "tests" / "inside_odoo"
STORIES = ROOT / "tests"
NO_TESTS_COLLECTED = 5


@dataclass
class Totals:
    """What became of the tests; a skipped test counts as failed, for nothing it says is known."""

    passed: int = 0
    failed: int = 0
    skipped: list[str] = field(default_factory=list)

    def add(self, report):
        """Count the tests of a JUnit report."""
        for case in ElementTree.parse(report).iter("testcase"):
            name = f"{case.get('classname')}::{case.get('name')}"
            if case.find("skipped") is not None:
                self.skipped.append(f"{name}: {case.find('skipped').get('message')}")
            elif case.find("failure") is not None or case.find("error") is not None:
                self.failed += 1
            else:
                self.passed += 1

    def closing_line(self):
        """Return the one line that says it all."""
        return f"{self.passed} passed, {self.failed + len(self.skipped)} failed"

    def show(self):
        """Print what was skipped, then the closing line; return the exit status."""
        for skipped in self.skipped:
            say(f"SKIPPED, which counts as failed: {skipped}")
        say(self.closing_line())
        return 1 if self.failed or self.skipped else 0


def run(names, paths, options):
    """Run the tests of some addons, of some files, or all; return the exit status."""
    totals = Totals()
    inside, outside = _split(names, paths)
    if inside:
        _run_inside(names, inside, options, totals)
    if outside:
        _run_stories(outside, options, totals)
    return totals.show()


def _split(names, paths):
    """Return what runs inside Odoo and what runs around it."""
    if not names and not paths:
        names, paths = list(addons.all_addons()), [INSIDE_ODOO, STORIES]
    elif names:
        paths = [*paths, INSIDE_ODOO / "test_hoot.py"]
    folders = [*addons.test_folders(names), *addons.doctest_folders(names)]
    inside = [path for path in paths if _is_inside(path)]
    return folders + inside, [path for path in paths if path not in inside]


def _is_inside(path):
    return not path.is_relative_to(STORIES) or path.is_relative_to(INSIDE_ODOO)


def _addons_of(paths):
    """Return the addons that files lie in, or none if one lies in no addon."""
    found = {addons.addon_of(path) for path in paths}
    return sorted(found) if None not in found else []


def _run_inside(names, paths, options, totals):
    """Run tests in a process that is an Odoo with a database of its own."""
    chosen = addons.closure(names or _addons_of(paths))
    environment = {**_environment(), "ODOO_SMS_ADDONS": ",".join(names or addons.all_addons())}
    with database.temporary_copy(database.template(chosen), "test") as name:
        environment["ODOO_RC"] = str(odoo.config_file(name, log_level="critical"))
        _pytest(["--odoo-http", "--doctest-modules", *options, *paths], environment, totals)


def _run_stories(paths, options, totals):
    """Run the stories, which start servers themselves on copies of the full template."""
    database.template(addons.closure([]))
    _pytest(["-p", "no:odoo", f"--ignore={INSIDE_ODOO}", *options, *paths], _environment(), totals)


def _environment():
    """Return the environment of a test run, with the programs it needs on its path."""
    programs = packages.ensure(packages.CHROMIUM) | packages.ensure(packages.KANNEL)
    return {
        **os.environ,
        "PATH": packages.search_path(programs),
        "PYTHONPATH": os.pathsep.join([str(odoo.installation().python_path), str(ROOT)]),
    }


def _pytest(arguments, environment, totals):
    report = cached("reports", f"{os.getpid()}.xml")
    report.unlink(missing_ok=True)
    options = [f"--junitxml={report}", "-o", f"cache_dir={cached('pytest')}"]
    result = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *map(str, arguments)],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    before = totals.failed
    if report.exists():
        totals.add(report)
        report.unlink()
    if result.returncode not in (0, NO_TESTS_COLLECTED) and totals.failed == before:
        say(f"pytest itself failed with status {result.returncode}.")
        totals.failed += 1
