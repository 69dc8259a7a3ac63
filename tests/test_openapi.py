"""The description of the exchange's interface is true: schemathesis calls as it says, and not."""

import os
import re
import subprocess

import requests
from harness import OdooServer, odoo_script

from devtools import python_env
from devtools.cache import ROOT

API = "/cc/api/v1"
SETTINGS = ROOT / "tests" / "openapi"
#: After so long something hangs; alone on a machine it is a minute.
SECONDS_AT_MOST = 500
CREATE = """
import json
connector = env["contact.center.connector"].create(
    {"name": "Story", "code": "story", "country_id": env.ref("base.no").id}
)
services = env["contact.center.service"]
service = services.create({"name": "Support", "code": "story"})
services.create({"name": "The first text that comes to schemathesis' mind", "code": "0"})
env["contact.center.callback"].create(
    [
        {
            "service_id": service.id,
            "connector_id": connector.id,
            "external_id": f"c{n}",
            "number": f"+479061234{n}",
        }
        for n in range(1, 9)
    ]
)
token = connector._renew_token()
env.cr.commit()
print(json.dumps(token))
"""


def test_the_served_description_is_true(database, tmp_path):
    """Who programs an exchange by the description finds each answer there, and is let in by token.

    Each kind of success that it names is met, so that nothing is true for want of calls.
    """
    token = odoo_script(database, CREATE)
    with OdooServer(database, max_cron_threads=1) as server:
        document = requests.get(f"{server.url}{API}/openapi.json", timeout=30).json()
        result = call_as_described(server.url, token, tmp_path)
        log = server.log_text()
    assert not result.returncode, f"{result.stdout}\n{result.stderr}\n{server.log}"
    assert "Traceback" not in log, server.log
    assert not unmet_successes(document, log), server.log


def call_as_described(url, token, folder):
    """Let schemathesis call the server, from a folder for what it leaves; return the process."""
    program = python_env.ensure("openapi") / "bin" / "schemathesis"
    command = [program, f"--config-file={SETTINGS / 'schemathesis.toml'}", "--no-color", "run"]
    settings = {"OPENAPI_HOOKS": str(SETTINGS / "hooks.py"), "OPENAPI_TOKEN": token}
    return subprocess.run(
        [*command, f"--url={url}{API}", f"{url}{API}/openapi.json"],
        cwd=folder,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=SECONDS_AT_MOST,
        check=False,
    )


def unmet_successes(document, log):
    """Return method, path and status of the successes that are described and not in the log."""
    return [
        (method, path, status)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        for status in operation["responses"]
        if status.startswith("2") and not is_in_log(log, method, path, status)
    ]


def is_in_log(log, method, path, status):
    address = re.sub(r"\\{\w+\\}", "[^/? ]+", re.escape(f"{API}{path}"))
    return re.search(rf'"{method.upper()} {address}(\?\S*)? HTTP/1.1" {status} ', log)
