"""Processes that do their work in turns, so that what else the machine does hits all of them."""

import json
import os
import subprocess
import tempfile
from pathlib import Path

from devtools import odoo

SCRIPT = """
import json, time
{prepare}
with open({turns!r}) as turns:
    for line in turns:
        texts = json.loads(line)
        {before}
        started = time.perf_counter()
        {work}
        print(len(texts) / (time.perf_counter() - started), flush=True)
"""


class Worker:
    """An Odoo process that works when it is told to, and ends with this one.

    :param code: ``prepare``, ``before`` and ``work``: statements; the last is what is measured.
        ``texts`` is what they work on, the list given to :meth:`work`
    """

    def __init__(self, database, code, *options):
        folder = tempfile.TemporaryDirectory()
        self.folder, turns = folder, f"{folder.name}/turns"
        os.mkfifo(turns)
        self.log = Path(folder.name, "log")
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                odoo.command("shell", database, "--no-http", "--log-level=warn", *options),
                cwd=odoo.data_dir(),
                env=odoo.environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self.process.stdin.write(SCRIPT.format(turns=turns, **code))
        self.process.stdin.close()
        self.turns = os.fdopen(os.open(turns, os.O_RDWR), "w")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.turns.close()
        self.process.wait()
        self.process.stdout.close()
        self.folder.cleanup()

    def work(self, texts):
        """Have a turn of work done; return how many of the list are done per second."""
        self.turns.write(json.dumps(texts) + "\n")
        self.turns.flush()
        line = self.process.stdout.readline()
        assert line, self.log.read_text()[-6000:]
        return float(line)
