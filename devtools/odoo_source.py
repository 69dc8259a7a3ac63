"""Find Odoo 19, or fetch it: the first source that serves wins."""

import contextlib
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from . import debian
from .cache import cached, complete_folder, fingerprint, lock
from .console import Problem, say, step

SERIES = "19.0"
REPOSITORY = "https://github.com/odoo/odoo.git"
PACKAGE = "odoo-19"
# The fonts and scripts that the package links to instead of carrying them.
LINKED_PACKAGES = [
    "libjs-jquery",
    "libjs-jquery-form",
    "libjs-underscore",
    "fonts-inconsolata",
    "fonts-montserrat",
    "fonts-ocr-b",
    "fonts-roboto-unhinted",
]
# Odoo wants version 4.7 of this one; the unstable suite has gone on to 7.
OLD_PACKAGES = ["fonts-font-awesome"]
# Left out of the package for its licence; without the file every page logs an error.
MISSING_FILE = "addons/mail/static/lib/selfie_segmentation/selfie_segmentation.js"


@dataclass(frozen=True)
class Odoo:
    """A copy of Odoo that can be run."""

    python_path: Path
    addons_paths: tuple[Path, ...]
    version: str


def find():
    """Return Odoo, fetched into the cache if the machine has none yet."""
    if os.environ.get("ODOO_SRC"):
        return _from_environment(Path(os.environ["ODOO_SRC"]).expanduser().resolve())
    with lock("odoo"):
        return _from_cache() or _fetch()


def _from_environment(folder):
    found = _describe(folder)
    if not found:
        raise Problem(f"ODOO_SRC={folder} is no source checkout of Odoo {SERIES}.")
    return found


def _from_cache():
    """Return the copy fetched last, if there is one."""
    folders = [path for path in cached("odoo-19").parent.glob("odoo-19/*") if _describe(path)]
    return _describe(max(folders, key=lambda path: path.stat().st_mtime)) if folders else None


def _describe(folder):
    """Return the Odoo in a folder: a source checkout, or the layout of the Debian package."""
    for python_path in (folder, folder / "usr/lib/python3/dist-packages"):
        release = python_path / "odoo" / "release.py"
        if release.is_file() and _series(release) == SERIES:
            addons = [python_path / "odoo" / "addons"]
            if (folder / "odoo-bin").is_file():
                addons.append(folder / "addons")
            version = fingerprint(folder.name, release.read_text(), _head(folder))
            return Odoo(python_path, tuple(addons), version)
    return None


def _series(release):
    match = re.search(r"^version_info = \((\d+), (\d+)", release.read_text(), re.MULTILINE)
    return ".".join(match.groups()) if match else None


def _head(folder):
    """Return the commit of a source checkout, so that a pull makes new template databases."""
    if not (folder / ".git").exists():
        return ""
    command = ["git", "-C", str(folder), "rev-parse", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def _fetch():
    """Try every source in turn; say what was tried when none serves."""
    failures = []
    for source in (_fetch_package, _clone):
        try:
            return source()
        except Problem as problem:
            failures.append(f"- {source.__doc__.splitlines()[0]}\n  {problem}")
            say(f"  {failures[-1]}")
    raise Problem(
        f"No Odoo {SERIES} found. Tried:\n" + "\n".join(failures) + "\nWhat to do: check the "
        f"network, or get a source checkout of Odoo {SERIES} by other means and set ODOO_SRC to it."
    )


# Debian's package -------------------------------------------------------------------------


def _fetch_package():
    """Debian's package odoo-19, unpacked into the cache."""
    with step("Odoo 19 from Debian's archive (about 130 MB)"):
        recent = debian.PrivateApt("unstable").fetch([PACKAGE, *LINKED_PACKAGES])
        archives = [*recent, *debian.PrivateApt().fetch(OLD_PACKAGES)]
    home = cached("odoo-19", next(a.stem for a in recent if a.name.startswith(PACKAGE)))
    with step("Unpacking Odoo"), complete_folder(home) as folder:
        debian.unpack(archives, folder)
        _heal(folder)
    return _describe(home)


def _heal(folder):
    """Make the unpacked tree whole: no link leads out of it or to nothing."""
    (folder / "usr/lib/python3/dist-packages/odoo" / MISSING_FILE).parent.mkdir(
        parents=True, exist_ok=True
    )
    (folder / "usr/lib/python3/dist-packages/odoo" / MISSING_FILE).touch()
    for path in folder.rglob("*"):
        if path.is_symlink():
            _heal_link(path, folder)


def _heal_link(link, folder):
    target = Path(os.readlink(link))
    if target.is_absolute():
        link.unlink()
        link.symlink_to(os.path.relpath(folder / target.relative_to("/"), link.parent))
    if not link.exists():
        say(f"  empty instead of a link to nothing: {link.relative_to(folder)}")
        link.unlink()
        link.touch()


# Git --------------------------------------------------------------------------------------


def _clone():
    """A shallow git clone of Odoo's own repository."""
    if not shutil.which("git"):
        raise Problem("git is missing: apt-get install git")
    home = cached("odoo-19", f"git-{SERIES}")
    command = ["git", "clone", "--quiet", "--depth=1", f"--branch={SERIES}", REPOSITORY]
    with step("Odoo 19 by git clone (about 300 MB)"), complete_folder(home) as folder:
        with _failure_explained():
            subprocess.run([*command, str(folder)], check=True)
    return _describe(home)


@contextlib.contextmanager
def _failure_explained():
    try:
        yield
    except subprocess.CalledProcessError as error:
        raise Problem("git clone failed; its message is above") from error
