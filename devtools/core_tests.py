"""Run Odoo's own suites with our addons installed: what they promise must still hold."""

import re
import subprocess

from . import addons, database, odoo, packages
from .console import Problem, say, step

MODULES = [
    "sms",
    "sms_twilio",
    "crm_sms",
    "test_mail_sms",
    "mass_mailing_sms",
    "phone_validation",
]
DISCUSS = "tests/discuss"
# Tests that run while their module is loading run before our addons are there, and prove
# nothing about them; those of mail even stumble over columns of modules loaded later.
LEFT_OUT = "-at_install/mail"
TOTALS = re.compile(r"(\d+) failed, (\d+) error\(s\) of (\d+) tests")


def run(tags):
    """Run the suites of ``MODULES`` and of Discuss, or those named; return the exit status."""
    tags = tags or [*(f"/{module}" for module in MODULES), *_discuss_tags(), LEFT_OUT]
    # Without demo data: there, a text without a sender leaves by the demo carrier, not by IAP.
    name = database.template(addons.closure([]), extra=MODULES, demo=False)
    with database.temporary_copy(name, "core") as copy:
        log = _run_odoo(copy, tags)
    return _report(log)


def _discuss_tags():
    """Return one tag for each test file of Discuss; a folder cannot be a tag."""
    mail = odoo.addon_folder("mail")
    return [
        f"/{path.relative_to(mail.parent)}" for path in sorted((mail / DISCUSS).glob("test_*.py"))
    ]


def _run_odoo(name, tags):
    """Run Odoo's own test runner; show the lines that matter and return its log."""
    options = [f"--test-tags={','.join(tags)}", "--stop-after-init", "--workers=0"]
    log = odoo.cached("logs", f"{name}.log")
    path = packages.search_path(packages.ensure(packages.CHROMIUM))
    with step(f"Odoo's own tests, log in {log}"), open(log, "w") as file:
        subprocess.run(
            odoo.command("server", name, *options, f"--http-port={odoo.free_port()}"),
            cwd=odoo.data_dir(),
            env={**odoo.environment(), "PATH": path},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            check=False,
        )
    return log.read_text(errors="replace")


def _report(log):
    """Print the failures and the closing line; return the exit status."""
    for line in re.findall(r".* (?:FAIL|ERROR): .*", log):
        say(line)
    found = TOTALS.findall(log)
    if not found:
        raise Problem(f"Odoo's tests did not finish:\n{log[-4000:]}")
    failed = sum(int(failures) + int(errors) for failures, errors, _ in found)
    total = sum(int(count) for _, _, count in found)
    say(f"{total - failed} passed, {failed} failed")
    return 1 if failed or not total else 0
