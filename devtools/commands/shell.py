"""``./dev shell``: a Python prompt with ``env`` on the demo database."""

import os
import sys

from .. import demo, odoo


def main(arguments):
    """Become Odoo's shell; further arguments are passed on to it."""
    demo.ensure()
    command = odoo.command("shell", demo.NAME, "--no-http", *arguments)
    os.chdir(odoo.data_dir())
    os.execve(sys.executable, command, odoo.environment())
