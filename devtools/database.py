"""Databases: made once as templates, copied in a second ever after.

Two layers. The *base* holds Odoo's own modules that some addons need, and depends on Odoo and
their names only. The *template* is a copy of it with our addons, named by what they install.
"""

import contextlib
import json
import os
import secrets
import shutil
import time

import psycopg2
from psycopg2 import sql

from . import addons, odoo
from .cache import fingerprint, lock
from .console import step
from .postgres import cluster

DEMO = "odoo_sms_demo"
PREFIX = "odoo_sms"
COPY_PREFIX = f"{PREFIX}_copy"
TEMPLATES_KEPT = 8
#: A template that was used since then may be one that a run of tests still copies.
SECONDS_IN_USE = 2 * 3600
PREGENERATE_ASSETS = """
env["ir.qweb"]._pregenerate_assets_bundles()
env.cr.commit()
"""


# Server-wide statements -------------------------------------------------------------------


def execute(statement, *values, database="postgres", **names):
    """Run one statement and return its rows; ``names`` are quoted as identifiers."""
    identifiers = {key: sql.Identifier(name) for key, name in names.items()}
    connection = cluster().connect(database)
    with contextlib.closing(connection), connection.cursor() as cursor:
        cursor.execute(sql.SQL(statement).format(**identifiers), values or None)
        return cursor.fetchall() if cursor.description else []


def names():
    """Return the names of the databases of this tooling."""
    rows = execute("SELECT datname FROM pg_database WHERE datname ~ %s", f"^{PREFIX}_")
    return [name for (name,) in rows]


def in_use():
    """Return the databases with clients."""
    rows = execute(
        "SELECT DISTINCT datname FROM pg_stat_activity"
        " WHERE backend_type = 'client backend' AND pid != pg_backend_pid()"
    )
    return sorted(name for (name,) in rows)


def drop(name):
    """Drop a database, whoever is connected, and its files."""
    execute("DROP DATABASE IF EXISTS {name} WITH (FORCE)", name=name)
    shutil.rmtree(_filestore(name), ignore_errors=True)
    odoo.cached("config", f"{name}.conf").unlink(missing_ok=True)


def copy(source, target):
    """Copy a database nobody is connected to; the files are shared by hard links.

    The lock is the one under which a template is brought up to date.
    """
    with lock(source):
        execute("CREATE DATABASE {target} TEMPLATE {source}", source=source, target=target)
        if _filestore(source).exists():
            shutil.copytree(_filestore(source), _filestore(target), copy_function=os.link)


def rename(source, target):
    """Give a database and its files another name."""
    if _filestore(source).exists():
        shutil.rmtree(_filestore(target), ignore_errors=True)
        _filestore(source).rename(_filestore(target))
    execute("ALTER DATABASE {source} RENAME TO {target}", source=source, target=target)


def _filestore(name):
    return odoo.data_dir() / "filestore" / name


# Notes on a database ----------------------------------------------------------------------


def notes(name):
    """Return what this tooling wrote down about a database."""
    rows = execute(
        "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", name
    )
    return json.loads(rows[0][0] or "{}") if rows else {}


def note(name, **values):
    """Write something down about a database, beside what is there."""
    text = json.dumps({**notes(name), **values})
    execute("COMMENT ON DATABASE {name} IS %s", text, name=name)


# Templates --------------------------------------------------------------------------------


def template(chosen, extra=(), demo=True):
    """Return the template database of these addons, made if there is none yet.

    ``extra`` are modules of Odoo to have beside them.
    """
    core = sorted({*addons.core_modules(chosen), *extra})
    base_key = fingerprint(odoo.installation().version, cluster().version, demo, *core)
    key = fingerprint(base_key, *chosen, addons.data_fingerprint(chosen))
    name = f"{PREFIX}_tpl_{key}"
    with lock(name):
        if name not in names():
            _build(name, _base(f"{PREFIX}_base_{base_key}", core, demo), chosen, demo)
        if demo:
            _refresh_assets(name, chosen)
        note(name, used=time.time())
    return name


def _base(name, core, demo):
    with lock(name):
        if name not in names():
            _build(name, None, core or ["base"], demo)
        note(name, used=time.time())
    return name


def _build(name, source, modules, demo):
    """Install modules into a new database, which takes its name when all is well."""
    unfinished = f"{name}_unfinished"
    drop(unfinished)
    with step(f"Database with {', '.join(modules)}"):
        if source:
            copy(source, unfinished)
        if modules:
            install(unfinished, modules, *(["--with-demo"] if demo else []))
        rename(unfinished, name)
    _drop_oldest()


def install(name, modules, *options):
    """Install modules that are not yet installed."""
    odoo.call(
        "server", name, f"--init={','.join(modules)}", "--no-http", "--max-cron-threads=0",
        "--stop-after-init", *options,
    )  # fmt: skip


def _refresh_assets(name, chosen):
    """Compile what the browser loads into the template, if it changed."""
    static = addons.static_fingerprint(chosen)
    if notes(name).get("static") != static:
        with step("Browser assets"):
            odoo.call("shell", name, "--no-http", script=PREGENERATE_ASSETS)
        note(name, static=static)


def drop_templates():
    """Forget every template of this checkout's kind; the next run makes them anew."""
    for name in names():
        if name.startswith((f"{PREFIX}_tpl_", f"{PREFIX}_base_")):
            drop(name)


def _drop_oldest():
    """Forget the templates that were not used for longest."""
    for kind in ("base", "tpl"):
        known = [name for name in names() if name.startswith(f"{PREFIX}_{kind}_")]
        finished = [name for name in known if not name.endswith("_unfinished")]
        used = {name: notes(name).get("used", time.time()) for name in finished}
        finished.sort(key=used.get)
        for name in finished[:-TEMPLATES_KEPT]:
            if used[name] < time.time() - SECONDS_IN_USE:
                with contextlib.suppress(psycopg2.Error):
                    drop(name)


# Copies for a run -------------------------------------------------------------------------


@contextlib.contextmanager
def temporary_copy(source, label="run"):
    """Yield the name of a copy of ``source`` that is gone afterwards."""
    _drop_orphans()
    name = f"{COPY_PREFIX}_{os.getpid()}_{label}_{secrets.token_hex(3)}"
    copy(source, name)
    try:
        yield name
    finally:
        drop(name)


def _drop_orphans():
    """Drop the copies of processes that were killed before they could."""
    for name in names():
        if name.startswith(f"{COPY_PREFIX}_"):
            pid = name.removeprefix(f"{COPY_PREFIX}_").split("_")[0]
            if not os.path.exists(f"/proc/{pid}"):
                drop(name)
