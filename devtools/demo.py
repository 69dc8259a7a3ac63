"""The demo database: made once, kept between runs, updated when the addons change."""

from . import addons, database, odoo
from .cache import lock
from .console import step

NAME = database.DEMO


def ensure():
    """Make the demo database, or bring it up to what the addons say now."""
    with lock("demo"):
        if NAME not in database.names():
            _make()
        elif _state() != database.notes(NAME).get("state"):
            _update()


def drop():
    """Forget the demo database and what was entered into it."""
    with lock("demo"):
        database.drop(NAME)


def _make():
    template = database.template(addons.closure([]))
    with step("Demo database"):
        database.copy(template, NAME)
        database.note(NAME, state=_state(), addons=addons.closure([]))


def _update():
    """Install new addons and update the others; what people entered stays."""
    known = database.notes(NAME).get("addons", [])
    chosen = addons.closure([])
    with step("Demo database: the addons changed, updating"):
        updated = ",".join(known or ["base"])
        database.install(NAME, chosen, "--with-demo", f"--update={updated}")
    database.note(NAME, state=_state(), addons=chosen)


def _state():
    chosen = addons.closure([])
    return [
        odoo.installation().version,
        addons.data_fingerprint(chosen),
        addons.translation_fingerprint(chosen),
    ]
