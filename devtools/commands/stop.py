"""``./dev stop``: end what ``./dev run`` started."""

import argparse

from .. import database, server
from ..console import say
from ..postgres import Cluster


def main(arguments):
    """Stop Odoo, then PostgreSQL unless somebody's tests are using it."""
    argparse.ArgumentParser(prog="./dev stop", description=__doc__).parse_args(arguments)
    say("Odoo is stopped." if server.stop() else "Odoo was not running.")
    cluster = Cluster()
    if not cluster.is_running():
        say("PostgreSQL was not running.")
    elif users := database.in_use():
        say(f"PostgreSQL goes on, it is being used: {', '.join(users)}")
    else:
        cluster.stop()
        say("PostgreSQL is stopped.")
