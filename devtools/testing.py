"""Run the tests: those of the addons inside Odoo, the stories of ``tests/`` around it."""

import contextlib
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field

from . import addons, database, odoo, packages
from .cache import ROOT, cached
from .console import say, step

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
    """Run the tests of some addons, of some files, or all; return the exit status.

    Where there are both, the stories run beside the others, on the processors those leave idle;
    what they print is shown when they are done.
    """
    totals = Totals()
    inside, outside = _split(names, paths)
    with contextlib.ExitStack() as stack:
        if outside:
            stories = stack.enter_context(_start_stories(outside, options, aside=bool(inside)))
        if inside:
            _run_inside(names, inside, options, totals)
        if outside:
            stories.finish(totals)
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
        arguments = ["--odoo-http", "--doctest-modules", *options, *paths]
        with PytestRun("inside", arguments, environment) as tests:
            tests.finish(totals)


def _start_stories(paths, options, aside):
    """Start the stories, which start servers themselves on copies of the full template."""
    database.template(addons.closure([]))
    arguments = ["-p", "no:odoo", f"--ignore={INSIDE_ODOO}", *options, *paths]
    return PytestRun("stories", arguments, _environment(), aside)


def _environment():
    """Return the environment of a test run, with the programs it needs on its path."""
    programs = packages.ensure(packages.CHROMIUM) | packages.ensure(packages.KANNEL)
    return {
        **os.environ,
        "PATH": packages.search_path(programs),
        "PYTHONPATH": os.pathsep.join([str(odoo.installation().python_path), str(ROOT)]),
    }


class PytestRun:
    """A pytest that runs from entering the context; leaving it ends one that still does.

    :param str label: tells what it keeps from what others do
    :param bool aside: what it prints is kept until it is done
    """

    def __init__(self, label, arguments, environment, aside=False):
        self._label = label
        self._report = cached("reports", f"{os.getpid()}-{label}.xml")
        self._log = cached("logs", f"pytest-{os.getpid()}-{label}.log") if aside else None
        cache = cached("pytest", label)
        options = [f"--junitxml={self._report}", "-o", f"cache_dir={cache}"]
        self._command = [sys.executable, "-m", "pytest", *options, *map(str, arguments)]
        self._environment = environment

    def __enter__(self):
        self._report.unlink(missing_ok=True)
        with contextlib.ExitStack() as stack:
            output = stack.enter_context(open(self._log, "w")) if self._log else None
            self._process = subprocess.Popen(
                self._command,
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait()

    def finish(self, totals):
        """Wait until it is done, show what it has kept, and count its tests."""
        if self._log:
            with step(f"Tests: {self._label}"):
                self._process.wait()
            say(self._log.read_text(errors="replace"))
            self._log.unlink()
        status = self._process.wait()
        before = totals.failed
        if self._report.exists():
            totals.add(self._report)
            self._report.unlink()
        if status not in (0, NO_TESTS_COLLECTED) and totals.failed == before:
            say(f"pytest itself failed with status {status}.")
            totals.failed += 1
