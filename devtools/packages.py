"""Programs that tests need and Debian has: Chromium, Kannel."""

import os
import shutil
from pathlib import Path

from . import debian
from .cache import cached, lock, write_whole

CHROMIUM = "chromium"
KANNEL = "kannel"
# What each package set is fetched for, and where else Debian keeps its programs.
PACKAGES = {CHROMIUM: ["chromium"], KANNEL: ["kannel", "kannel-extras"]}
PROGRAMS = {CHROMIUM: ["chromium"], KANNEL: ["bearerbox", "smsbox", "fakesmsc"]}
# Installing these would start a server nobody asked for: they are unpacked, also for root.
DAEMONS = {KANNEL}
# Odoo's typeface, and emoji: with them pictures look as on people's screens, on any machine.
FONTS = ["fonts-roboto-unhinted", "fonts-noto-color-emoji"]
HIDDEN_FOLDERS = ("usr/sbin", "usr/bin", "usr/lib/kannel", "usr/lib/kannel/test")
SYSTEM = Path("/")
WRAPPER = """\
#!/bin/sh
# Runs a program unpacked from Debian's archive with the libraries unpacked beside it.
LD_LIBRARY_PATH={libraries}
XDG_DATA_DIRS={root}/usr/share:/usr/share
FONTCONFIG_FILE=${{FONTCONFIG_FILE:-{root}/fonts.conf}}
export LD_LIBRARY_PATH XDG_DATA_DIRS FONTCONFIG_FILE
exec "{program}" "$@"
"""
FONTS_CONFIGURATION = """\
<fontconfig>
    <dir>{root}/usr/share/fonts</dir>
    <dir>/usr/share/fonts</dir>
    <cachedir>{root}/fontcache</cachedir>
    <alias><family>sans-serif</family><prefer><family>Roboto</family></prefer></alias>
</fontconfig>
"""


def ensure(package):
    """Make sure the programs of a package are there; return the path of each."""
    with lock(package):
        found = _find(package, SYSTEM)
        if found:
            return found
        if os.getuid() == 0 and package not in DAEMONS:
            debian.install(PACKAGES[package])
            return _find(package, SYSTEM)
        return _unpack(package)


def fonts():
    """Return the environment variables with which Chromium finds `FONTS`."""
    hint = f"apt-get install {' '.join(FONTS)}"
    root = debian.unpacked("fonts", FONTS, hint)
    text = FONTS_CONFIGURATION.format(root=root)
    return {"FONTCONFIG_FILE": str(write_whole(root / "fonts.conf", text))}


def search_path(paths):
    """Return a PATH on which these programs are found."""
    folders = dict.fromkeys(str(path.parent) for path in paths.values())
    return os.pathsep.join([*folders, os.environ["PATH"]])


def _find(package, root):
    found = {name: _find_program(name, root) for name in PROGRAMS[package]}
    return found if all(found.values()) else None


def _find_program(name, root):
    folders = os.pathsep.join(str(root / folder) for folder in HIDDEN_FOLDERS)
    path = os.pathsep.join([os.environ["PATH"], folders]) if root == SYSTEM else folders
    program = shutil.which(name, path=path)
    return Path(program) if program else None


def _unpack(package):
    """Unpack the packages and all they need into the cache, behind wrapper scripts."""
    hint = f"apt-get install {' '.join(PACKAGES[package])}"
    root = debian.unpacked(package, PACKAGES[package], hint, dependencies=True)
    return {name: _wrap(name, root, program) for name, program in _find(package, root).items()}


def _wrap(name, root, program):
    libraries = sorted({str(path.parent) for path in root.rglob("lib*.so*")})
    write_whole(root / "fonts.conf", FONTS_CONFIGURATION.format(root=root))
    text = WRAPPER.format(
        root=root,
        libraries=os.pathsep.join(libraries),
        program=_real_program(name, root, program),
    )
    wrapper = write_whole(cached("bin", name), text)
    wrapper.chmod(0o755)
    return wrapper


def _real_program(name, root, program):
    """Return the executable behind a starter script that knows absolute paths only."""
    hidden = root / "usr/lib" / name / name
    return hidden if hidden.exists() else program
