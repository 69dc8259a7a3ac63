"""A cursor for what many processes do to one row."""

import contextlib

from psycopg2.extensions import ISOLATION_LEVEL_READ_COMMITTED, STATUS_READY


@contextlib.contextmanager
def read_committed(registry):
    """A cursor of its own, each statement of which sees all that is committed; commits at the end.

    Odoo's cursors see the database as it was at their first statement. So they fail where
    another has changed a row since, instead of waiting for it; and as long as one is open,
    nothing that was changed since can be cleaned up, and every search wades through it.
    """
    with registry.cursor() as cr:
        if cr.connection.status == STATUS_READY:  # a test's is within its one transaction
            cr.connection.set_isolation_level(ISOLATION_LEVEL_READ_COMMITTED)
        yield cr
