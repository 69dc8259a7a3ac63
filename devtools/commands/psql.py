"""``./dev psql``: a SQL prompt on the demo database."""

import os
import shutil

from .. import demo
from ..postgres import PORT, USER, cluster


def main(arguments):
    """Become psql; further arguments are passed on to it."""
    demo.ensure()
    program = shutil.which("psql") or str(cluster().bin / "psql")
    connection = ["-h", str(cluster().socket), "-p", str(PORT), "-U", USER, "-d", demo.NAME]
    os.execv(program, [program, *connection, *arguments])
