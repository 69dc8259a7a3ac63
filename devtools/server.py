"""The one Odoo that ``./dev run`` keeps in the background."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

from . import addons, odoo
from .cache import ROOT, cached, write_whole
from .console import Problem, say, step

FIRST_PORT = 8069
PORTS_TRIED = 20
SECONDS_TO_START = 120
SECONDS_TO_STOP = 15


def running():
    """Return the address of the Odoo that runs with the addons as they are now.

    One that started before the addons changed is stopped: it would show what is no more.
    """
    known = _recorded()
    if not known or not _is_ours(known["pid"]):
        return None
    if known["root"] != str(ROOT):
        raise Problem(
            f"Odoo is running for another checkout, {known['root']}. Stop it first: ./dev stop"
        )
    if known.get("code") != _code():
        say("The addons have changed since Odoo was started: starting it again.")
        stop()
        return None
    return known["url"]


def start(database, port=None):
    """Start Odoo; return its address once it answers."""
    port = port or free_port(FIRST_PORT)
    url = f"http://127.0.0.1:{port}"
    with step("Odoo"):
        process = _spawn(database, port)
        record = {"pid": process.pid, "url": url, "root": str(ROOT), "code": _code()}
        write_whole(_record_file(), json.dumps(record))
        wait_until_healthy(url, process, SECONDS_TO_START, log_file())
    return url


def _spawn(database, port):
    options = ["--max-cron-threads=3", f"--http-port={port}", f"--logfile={log_file()}"]
    log_file().unlink(missing_ok=True)
    return subprocess.Popen(
        odoo.command("server", database, *options),
        cwd=odoo.data_dir(),
        env=odoo.environment(),
        stdin=subprocess.DEVNULL,
        stdout=open(log_file(), "a"),
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def stop():
    """Stop the recorded Odoo; tell whether there was one."""
    known = _recorded()
    _record_file().unlink(missing_ok=True)
    if not known or not _is_ours(known["pid"]):
        return False
    os.kill(known["pid"], signal.SIGTERM)
    deadline = time.monotonic() + SECONDS_TO_STOP
    while _is_ours(known["pid"]) and time.monotonic() < deadline:
        time.sleep(0.1)
    if _is_ours(known["pid"]):
        os.kill(known["pid"], signal.SIGKILL)
    return True


def follow():
    """Show the log until the person stops it, and Odoo with it."""
    try:
        subprocess.run(["tail", "-n", "+1", "-f", str(log_file())], check=False)
    finally:
        stop()


def log_file():
    """Return the path of the server's log."""
    return cached("run", "odoo.log")


def free_port(first):
    """Return the first free port on loopback from ``first`` on."""
    for port in range(first, first + PORTS_TRIED):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port
    raise Problem(f"No free port from {first} on; choose one with --port.")


def wait_until_healthy(url, process, seconds, log):
    """Return once Odoo answers; raise with the end of its log if it does not."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError, urllib.error.URLError):
            with urllib.request.urlopen(f"{url}/web/health", timeout=5):
                return
        time.sleep(0.1)
    tail = "\n".join(Path(log).read_text(errors="replace").splitlines()[-40:])
    raise Problem(f"Odoo did not start. The end of {log}:\n{tail}")


def _record_file():
    return cached("run", "server.json")


def _recorded():
    with contextlib.suppress(FileNotFoundError):
        return json.loads(_record_file().read_text())
    return None


def _is_ours(pid):
    """Tell whether this process is still the Odoo we started, not another by its number."""
    with contextlib.suppress(OSError):
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        return b"odoo" in command and any(b"odoo_sms_demo.conf" in word for word in command)
    return False


def _code():
    return addons.code_fingerprint(addons.closure([]))
