"""The linters, each of a pinned version, in an environment of their own in the cache."""

import os
import shutil
import subprocess
from functools import cache

from . import addons, python_env, testing
from .cache import ROOT, cached, fingerprint, lock
from .console import Problem, say, step
from .odoo import addon_folder, installation

NODE_REQUIREMENTS = python_env.REQUIREMENTS / "node"
PRETTY_SUFFIXES = {".xml", ".js", ".cjs", ".scss", ".css", ".json", ".yml", ".yaml"}
PRIVATE_CHECKS = [
    "sql-injection",
    "missing-gettext",
    "gettext-variable",
    "gettext-placeholders",
    "gettext-repr",
    "raise-unlink-override",
]
NOT_PRETTY = {"package-lock.json"}


@cache
def environment():
    """Return the environment variables under which every linter is found."""
    home = python_env.ensure("lint")
    variables = {**os.environ, "PATH": f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    variables.setdefault("NODE_EXTRA_CA_CERTS", "/etc/ssl/certs/ca-certificates.crt")
    node = cached(f"node-{_node_key()}")
    with lock(node.name):
        if not (node / "complete").exists():
            _install_node_packages(node, variables)
    modules = node / "node_modules"
    path = os.pathsep.join([str(modules / ".bin"), variables["PATH"]])
    caches = {"RUFF_CACHE_DIR": str(cached("ruff"))}
    return {**variables, **caches, "PATH": path, "NODE_PATH": str(modules)}


def _node_key():
    return fingerprint(*(path.read_bytes() for path in sorted(NODE_REQUIREMENTS.iterdir())))


def _install_node_packages(home, variables):
    """Install exactly what the lock file names; npm checks each against its hash."""
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(NODE_REQUIREMENTS, home)
    options = ["--no-audit", "--no-fund", f"--cache={cached('npm')}", "--loglevel=error"]
    with step("JavaScript packages (lint)"):
        result = subprocess.run(["npm", "ci", *options], cwd=home, env=variables, check=False)
        if result.returncode:
            raise Problem("npm failed, its message is above; start again: what came is kept.")
    (home / "complete").touch()


# The linters ------------------------------------------------------------------------------


def ruff(fix):
    """Python: likely bugs, order of imports, format."""
    check = ["ruff", "check", "--quiet", *(["--fix"] if fix else []), "."]
    layout = ["ruff", "format", "--quiet", *([] if fix else ["--diff"]), "."]
    return _call(check) & _call(layout)


def pylint(fix):
    """OCA's rules for Python, manifests and views, and Odoo's private ones."""
    names = list(addons.all_addons())
    if not names:
        return True
    return _call(["pylint", "--rcfile=setup.cfg", *names]) & _call_private_checkers(names)


def _call_private_checkers(names):
    """Run the checkers that Odoo's module ``test_lint`` brings: SQL injection, texts, unlink."""
    tests = addon_folder("test_lint") / "tests"
    options = [f"--load-plugins={','.join(path.stem for path in tests.glob('_odoo_checker_*.py'))}"]
    path = os.pathsep.join([str(tests), str(installation().python_path)])
    options += ["--disable=all,unknown-option-value", f"--enable={','.join(PRIVATE_CHECKS)}"]
    command = ["pylint", "--rcfile=/dev/null", "--score=no", *options, *names]
    return _call(command, PYTHONPATH=path)


def oca(fix):
    """OCA's checks of XML, CSV and translations."""
    names = list(addons.all_addons())
    translations = [str(path.relative_to(ROOT)) for path in ROOT.glob("*/i18n/*.po*")]
    passed = not names or _call(["oca-checks-odoo-module", *names])
    if translations:
        passed &= _call(["oca-checks-po", "--disable=po-pretty-format", *translations])
    return passed


def prettier(fix):
    """Layout of XML, JavaScript, SCSS, JSON and YAML."""
    files = [path for path in _tracked_files() if _is_pretty(path)]
    mode = "--write" if fix else "--check"
    return not files or _call(["prettier", mode, "--log-level=warn", *files])


def eslint(fix):
    """JavaScript: likely bugs and documentation."""
    files = [path for path in _tracked_files() if path.endswith(".js") and "/static/" in path]
    return not files or _call(["eslint", *(["--fix"] if fix else []), *files])


def codespell(fix):
    """Spelling."""
    return _call(["codespell", *_tracked_files()])


def odoo(fix):
    """Odoo's own lint of an installed database: signatures, indexes, manifests, holes in tests."""
    return testing.run([], [testing.INSIDE_ODOO / "test_lint.py"], ["-q"]) == 0


LINTERS = (ruff, pylint, oca, prettier, eslint, codespell, odoo)


def run(names, fix):
    """Run the named linters, or all; return the exit status."""
    known = {linter.__name__: linter for linter in LINTERS}
    if unknown := set(names) - set(known):
        raise Problem(f"No linter {', '.join(unknown)}; there are: {', '.join(known)}")
    failed = [name for name in names or known if not _run_one(known[name], fix)]
    say(f"lint: {len(names or known) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


def _run_one(linter, fix):
    say(f"… {linter.__name__}: {linter.__doc__}")
    passed = linter(fix)
    say(f"{'✓' if passed else '✗'} {linter.__name__}")
    return passed


def _call(command, **variables):
    """Run a linter in the repository's root; tell whether it had nothing to say."""
    variables = {**environment(), **variables}
    return subprocess.run(command, cwd=ROOT, env=variables, check=False).returncode == 0


@cache
def _tracked_files():
    """Return what git knows or would add: never what only lies about."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    output = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [name for name in output.splitlines() if (ROOT / name).is_file()]


def _is_pretty(name):
    path = ROOT / name
    return path.suffix in PRETTY_SUFFIXES and path.name not in NOT_PRETTY and "/lib/" not in name
