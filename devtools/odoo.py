"""Start Odoo's own command line, with everything where this repository keeps it."""

import os
import socket
import subprocess
import sys
from functools import cache

from . import odoo_source, python_env
from .cache import ROOT, cached, write_whole
from .console import Problem
from .postgres import PORT, USER, cluster

CONFIG = """\
[options]
addons_path = {addons_path}
data_dir = {data_dir}
db_host = {db_host}
db_port = {db_port}
db_user = {db_user}
db_name = {db_name}
dbfilter = ^{db_name}$
http_interface = 127.0.0.1
list_db = False
log_level = {log_level}
max_cron_threads = 0
screenshots = {screenshots}
"""


@cache
def installation():
    """Return the Odoo this run uses."""
    return odoo_source.find()


def addons_paths():
    """Return the folders with addons: Odoo's, those of others, ours."""
    return [*installation().addons_paths, python_env.foreign_addons(), ROOT]


def addon_folder(name):
    """Return the folder of one of Odoo's own addons."""
    return next(path / name for path in installation().addons_paths if (path / name).is_dir())


def data_dir():
    """Return the folder of filestores and sessions."""
    return cached("data")


def config_file(database, log_level="info"):
    """Write the configuration for a database; return its path."""
    text = CONFIG.format(
        addons_path=",".join(map(str, addons_paths())),
        data_dir=data_dir(),
        db_host=cluster().socket,
        db_port=PORT,
        db_user=USER,
        db_name=database,
        log_level=log_level,
        screenshots=cached("screenshots"),
    )
    return write_whole(cached("config", f"{database}.conf"), text)


def command(name, database, *options):
    """Return the command line ``odoo <name>`` for a database; the name may be two words."""
    config = config_file(database)
    return [sys.executable, "-m", "odoo", *name.split(), f"--config={config}", *options]


def environment():
    """Return the environment Odoo needs: its path, nothing of the caller's Odoo settings."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("ODOO_", "PG"))}
    return {**kept, "PYTHONPATH": str(installation().python_path), "PYTHONUNBUFFERED": "1"}


def free_port():
    """Return a port on loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def call(name, database, *options, script=None):
    """Run Odoo to its end and return its standard output; its log is shown if it fails."""
    result = subprocess.run(
        command(name, database, *options),
        cwd=data_dir().parent,
        env=environment(),
        input=script or "",
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode or " CRITICAL " in result.stderr:
        raise Problem(f"odoo {name} {' '.join(options)} failed:\n{result.stderr[-6000:]}")
    return result.stdout
