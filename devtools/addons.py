"""The addons of this repository: who depends on whom, and what of them a database holds."""

import ast
import json
from functools import cache

from .cache import ROOT, fingerprint
from .console import Problem

# Methods that run while an addon is being installed; the bodies of all others may change
# without making an installed database wrong.
INSTALL_METHODS = {"init", "_auto_init", "_register_hook"}
INSTALL_FILES = {"__manifest__.py", "hooks.py", "uninstall.py"}
DATA_SUFFIXES = {".py", ".xml", ".csv", ".sql", ".json"}
NO_DATA_FOLDERS = {"tests", "static", "doc", "docs", "__pycache__"}


@cache
def all_addons():
    """Return name and manifest of every addon of the repository."""
    manifests = sorted(ROOT.glob("*/__manifest__.py"))
    return {path.parent.name: ast.literal_eval(path.read_text()) for path in manifests}


def closure(names):
    """Return the addons that installing ``names`` installs, sorted; all for no names.

    An addon with ``auto_install`` comes along once all that it waits for is there.
    """
    for name in names:
        if name not in all_addons():
            raise Problem(f"There is no addon {name!r}. There are: {', '.join(all_addons())}")
    chosen = set(names or all_addons())
    while missing := _needed(chosen) - chosen:
        chosen |= missing
    return sorted(chosen)


def _needed(chosen):
    """Return what the chosen addons depend on, and what installs itself beside them."""
    ours = all_addons()
    needed = {name for addon in chosen for name in ours[addon].get("depends", [])} & set(ours)
    return needed | {name for name, manifest in ours.items() if _comes_along(manifest, chosen)}


def _comes_along(manifest, chosen):
    trigger = manifest.get("auto_install")
    waits_for = set(trigger if isinstance(trigger, list | set) else manifest.get("depends", []))
    ours = waits_for & set(all_addons())
    return bool(trigger) and bool(ours) and ours <= chosen and _core_is_there(waits_for, chosen)


def _core_is_there(waits_for, chosen):
    return waits_for - set(all_addons()) <= set(core_modules(chosen))


def core_modules(addons):
    """Return Odoo's own modules that these addons name as dependencies."""
    depends = {name for addon in addons for name in all_addons()[addon].get("depends", [])}
    return sorted(depends - set(all_addons()))


def data_fingerprint(addons):
    """Return a name for all that installing these addons writes to a database.

    That is manifests, data and the shape of the Python code; not the bodies of ordinary
    methods, not tests and not what the browser loads, all of which are read afresh, nor
    translations, which are loaded with a language.
    """
    return fingerprint(*(_installed_part(path) for addon in addons for path in _data_files(addon)))


def translation_fingerprint(addons):
    """Return a name for the translations of these addons."""
    files = (path for addon in addons for path in sorted((ROOT / addon / "i18n").glob("*.po")))
    return fingerprint(*(path.read_bytes() for path in files))


def static_fingerprint(addons):
    """Return a name for what the browser loads from these addons."""
    files = (path for addon in addons for path in sorted((ROOT / addon / "static").rglob("*")))
    return fingerprint(*(path.read_bytes() for path in files if path.is_file()))


def code_fingerprint(addons):
    """Return a name for everything a running server may have read of these addons."""
    files = (path for addon in addons for path in sorted((ROOT / addon).rglob("*")))
    return fingerprint(
        *(path.read_bytes() for path in files if path.is_file() and path.suffix != ".pyc")
    )


def test_folders(addons):
    """Return the folders with Python tests of these addons."""
    return [ROOT / addon / "tests" for addon in addons if (ROOT / addon / "tests").is_dir()]


def addon_of(path):
    """Return the addon a path lies in, if any."""
    name = path.relative_to(ROOT).parts[0]
    return name if name in all_addons() else None


def doctest_folders(addons):
    """Return the folders whose modules need no database and prove themselves by doctests."""
    return [ROOT / addon / "engine" for addon in addons if (ROOT / addon / "engine").is_dir()]


def _data_files(addon):
    folder = ROOT / addon
    for path in sorted(folder.rglob("*")):
        parts = set(path.relative_to(folder).parts[:-1])
        if path.suffix in DATA_SUFFIXES and not parts & NO_DATA_FOLDERS:
            yield path


def _installed_part(path):
    content = path.read_text(errors="replace")
    if path.suffix == ".py" and path.name not in INSTALL_FILES:
        content = _shape(content)
    return json.dumps([str(path.relative_to(ROOT)), content])


def _shape(code):
    """Return Python code without docstrings and without the bodies of ordinary methods."""
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return code
    return ast.dump(_WithoutBodies().visit(tree))


class _WithoutBodies(ast.NodeTransformer):
    """Drop what is executed only when somebody calls it."""

    def visit_FunctionDef(self, node):
        """Keep a function's signature and decorators; keep installers whole."""
        if node.name not in INSTALL_METHODS:
            node.body = []
        return node

    def visit_Expr(self, node):
        """Drop docstrings."""
        return None if isinstance(node.value, ast.Constant) else node
