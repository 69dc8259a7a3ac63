"""Bootstrap: Python environments with pinned packages, kept in the cache."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

from . import debian
from .cache import cache_dir, cached, complete_folder, fingerprint, lock
from .console import Problem, step

REQUIREMENTS = Path(__file__).parent / "requirements"
OLDEST_PYTHON = (3, 11)


def enter(command):
    """Go on under the environment's Python, unless we are there already."""
    if sys.version_info < OLDEST_PYTHON:
        raise Problem(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}.")
    python = ensure("odoo") / "bin" / "python"
    if not os.path.samefile(sys.prefix, python.parent.parent):
        os.execv(python, [str(python), *command])


def ensure(name):
    """Return the folder of the environment ``requirements/<name>.txt``, built if absent."""
    requirements = REQUIREMENTS / f"{name}.txt"
    key = fingerprint(requirements.read_text(), *sys.version_info[:2])
    home = cache_dir() / f"venv-{name}-{key}"
    if not _is_complete(home):
        with lock(home.name):
            if not _is_complete(home):
                _build(home, name, requirements)
    return home


def foreign_addons():
    """Return the folder with the addons of others, fetched if absent."""
    requirements = REQUIREMENTS / "addons.txt"
    home = cache_dir() / f"addons-{fingerprint(requirements.read_text())}"
    with lock(home.name):
        if not home.exists():
            pip = [sys.executable, "-m", "pip"]
            with step("Addons of others"), complete_folder(home) as folder:
                _install(pip, "--no-deps", f"--target={folder}", "--requirement", str(requirements))
    return home / "odoo" / "addons"


def _is_complete(home):
    return (home / "complete").exists()


def _build(home, name, requirements):
    with step(f"Python packages ({name})"):
        shutil.rmtree(home, ignore_errors=True)
        pip = _create(home)
        _install(pip, "--requirement", str(requirements))
    (home / "complete").touch()


def _create(home):
    """Make an empty environment; return the command line of its pip."""
    if not importlib.util.find_spec("venv"):
        raise Problem("Python has no module `venv`. Install it: apt-get install python3-venv")
    python = str(home / "bin" / "python")
    if importlib.util.find_spec("ensurepip"):
        _call([sys.executable, "-m", "venv", str(home)])
        return [python, "-m", "pip"]
    _call([sys.executable, "-m", "venv", "--without-pip", str(home)])
    _install([python, _debian_pip()], "pip")
    return [python, "-m", "pip"]


def _debian_pip():
    """Return pip as a runnable wheel: Debian splits it off Python, its archive has it."""
    folder = debian.unpacked("pip", ["python3-pip-whl"], hint="apt-get install python3-venv")
    wheel = next(folder.glob("usr/share/python-wheels/pip-*.whl"))
    return str(wheel / "pip")


def _install(pip, *packages):
    environment = {**os.environ, "PIP_CACHE_DIR": str(cached("pip"))}
    options = ["-qq", "--disable-pip-version-check", "--root-user-action=ignore"]
    _call([*pip, "install", *options, *packages], environment)


def _call(command, environment=None):
    try:
        subprocess.run(command, env=environment, check=True, stdin=subprocess.DEVNULL)
    except subprocess.CalledProcessError as error:
        raise Problem(
            f"This failed, its message is above: {' '.join(map(str, command))}\n"
            "If it is the network, start again: what was fetched is kept."
        ) from error
