"""Bootstrap: the folder that outlives a checkout, and the rules for writing into it.

A thing is either absent or complete: it is made under a temporary name and renamed, or
carries a mark that is written last. So a set-up may be killed at any moment.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
from pathlib import Path

from .console import say

ROOT = Path(__file__).resolve().parent.parent


def cache_dir():
    """Return the cache folder: ``ODOO_SMS_CACHE``, or the user's own, or root's shared one.

    Root gets a folder outside his home, because the unprivileged account that runs
    PostgreSQL for him must be able to reach it.
    """
    if os.environ.get("ODOO_SMS_CACHE"):
        return Path(os.environ["ODOO_SMS_CACHE"]).resolve()
    if os.getuid() == 0:
        return Path("/var/cache/odoo-sms")
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "odoo-sms"


def cached(*parts):
    """Return a path in the cache whose parent folder exists."""
    path = cache_dir().joinpath(*parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


@contextlib.contextmanager
def lock(name):
    """Let one process at a time do ``name``; the lock dies with its process."""
    with open(cached("locks", name), "w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"  waiting for another ./dev to finish: {name}")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def complete_folder(path):
    """Yield an empty folder that takes the name ``path`` once the block has succeeded."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    yield unfinished
    unfinished.rename(path)


def write_whole(path, text):
    """Write a file so that no reader ever sees a part of it."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.unfinished")
    unfinished.write_text(text)
    unfinished.replace(path)
    return path


def fingerprint(*parts):
    """Return a short name for exactly this content."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part if isinstance(part, bytes) else str(part).encode())
        digest.update(b"\0")
    return digest.hexdigest()[:12]
