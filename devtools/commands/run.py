"""``./dev run``: Odoo with demo data and the demo carrier."""

import argparse

from .. import demo, server
from ..console import say

WELCOME = """
  Odoo is at   {url}
  log in with  admin / admin

  Try this first:
    1. CRM > Pipeline: open the lead "Anna Hansen" and send her a text.
    2. SMS > Telephones: these are the demo carrier's telephones. Answer as Anna.
    3. Back on the lead the answer has arrived.

  Log: {log}
  Stop it with ./dev stop
"""


def main(arguments):
    """Start Odoo in the background, or in front of the person with ``--foreground``."""
    parser = argparse.ArgumentParser(prog="./dev run", description=__doc__)
    parser.add_argument("--foreground", action="store_true", help="show the log, stop by Ctrl-C")
    parser.add_argument("--port", type=int, help="the port to serve on (8069, or the next free)")
    parser.add_argument("--fresh", action="store_true", help="make the demo database anew")
    options = parser.parse_args(arguments)
    if options.fresh:
        server.stop()
        demo.drop()
    url = server.running()
    if not url:
        demo.ensure()
        url = server.start(demo.NAME, options.port)
    say(WELCOME.format(url=url, log=server.log_file()))
    if options.foreground:
        server.follow()
