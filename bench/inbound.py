"""Received texts per second, routed and shown, beside the OCA's mail_gateway.

Three kinds: in a conversation that there is; from a number of a contact or lead without
conversation; from a number that nobody has. With ten thousand contacts and with a million.

Ours, as in production: the calls of the provider are stored, as the webhook does; the clock runs
while the worker of the events does its work, until the last text stands on its record and in its
conversation. Theirs: what their WhatsApp adapter does with a message, without HTTP, one
transaction each, in a database without our addons. They show it in the conversation only, know
no leads, and keep a number that nobody has as a guest; ours makes a lead of it. Three users see
each conversation on either side.

Both receive the same texts from the same numbers, batch by batch in turns, so that what else the
machine does hits both.
"""

import contextlib
import statistics
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from gateways import make_gateway
from turns import Worker

from devtools import database as databases
from devtools import odoo
from devtools.cache import cached, complete_folder, lock
from devtools.console import step

ROUNDS, TEXTS = 5, 60
SIZES = SMALL, LARGE = 10_000, 1_000_000
#: In this order: a conversation that is new in a round exists later in it.
KINDS = ("new", "existing", "unknown")
PEER = "odoo-addon-mail-gateway==19.0.1.1.0"

# Numbers ----------------------------------------------------------------------------------

#: Before the last six digits: numbers of contacts, of leads, of nobody.
CONTACT, LEAD, NOBODY = "+4740", "+4741", "+4790"
#: So many leads for one contact.
LEAD_SHARE = 0.1

FILL_CONTACTS = f"""
SET session_replication_role = replica;
SET maintenance_work_mem = '512MB';
UPDATE pg_index SET indisready = false WHERE indrelid = 'res_partner'::regclass;
INSERT INTO res_partner (id, commercial_partner_id, name, complete_name, type, lang, active,
    is_company, partner_share, color, phone, phone_sanitized, email, email_normalized,
    create_date, write_date)
SELECT id, id, name, name, 'contact', 'en_US', true, false, true, 0, number, number,
       email, email, now() - n * interval '1 minute', now() - n * interval '1 minute'
  FROM (SELECT nextval('res_partner_id_seq') AS id, 'Contact ' || n AS name, n,
               '{CONTACT}' || lpad(n::text, 6, '0') AS number,
               'contact' || n || '@example.com' AS email
          FROM generate_series(0, %s - 1) n) contact;
UPDATE pg_index SET indisready = true WHERE indrelid = 'res_partner'::regclass;
REINDEX TABLE res_partner;
ANALYZE res_partner;
"""
FILL_LEADS = f"""
INSERT INTO crm_lead (name, type, active, phone, phone_sanitized, company_id, create_date,
    write_date)
SELECT 'Lead ' || n, 'lead', true, number, number, %s, now() - n * interval '1 minute',
       now() - n * interval '1 minute'
  FROM (SELECT n, '{LEAD}' || lpad(n::text, 6, '0') AS number
          FROM generate_series(0, %s - 1) n) lead;
ANALYZE crm_lead;
"""


def make_texts(batch):
    """Return the texts of a batch: (reference, number) by kind.

    Batch 0 warms up; in it, each number that nobody has writes twice.
    """
    places = range(batch * TEXTS, (batch + 1) * TEXTS)
    known = [(LEAD if n % 2 else CONTACT) + f"{n:06d}" for n in places]
    unknown = [NOBODY + f"{n if batch else n // 2:06d}" for n in places]
    numbers = {"new": known, "existing": known, "unknown": unknown}
    return {
        kind: [(f"{kind}-{n:06d}", number) for n, number in zip(places, numbers[kind], strict=True)]
        for kind in KINDS
    }


# Ours -------------------------------------------------------------------------------------

SET_UP_OURS = """
users = env["res.users"].create([
    {{"name": login, "login": login, "group_ids": [(4, env.ref("sms_gateway.group_sms_user").id)]}}
    for login in ("one", "two", "three")
])
sender = env["sms.sender"].browse({sender_id})
sender.write({{"user_ids": [(6, 0, users.ids)], "inbound_policy": "record"}})
env.cr.commit()
"""
PREPARE_OURS = """
from urllib.parse import urlencode
from odoo.addons.sms_gateway.engine.contract import Webhook

gateway = env["sms.gateway"].browse({gateway_id})
events = env["sms.gateway.event"]

def store(reference, number):
    text = {{"from": number, "to": {address!r}, "id": reference, "text": f"Text {{reference}}"}}
    url = f"http://localhost/?{{urlencode(text)}}"
    webhook = Webhook("inbound", "GET", url, query=[*text.items()])
    events._store(gateway, webhook, f"inbound:{{reference}}")
"""
STORE_OURS = "[store(*text) for text in texts]; env.cr.commit()"
RECEIVE_OURS = "events._run()"
#: Number and text of what stands in the right conversation and on the right record. Joined by
#: number and text, not by our own links: what is shown twice, or has two leads, comes twice.
SHOWN_OURS = f"""
SELECT text.number, regexp_replace(shown.body, '<[^>]+>', '', 'g')
  FROM sms_message text
  JOIN discuss_channel chat
    ON chat.sms_number = text.number AND chat.sms_sender_id = text.sender_id
   AND chat.id = text.conversation_id
  JOIN mail_message shown
    ON shown.model = 'discuss.channel' AND shown.res_id = chat.id
   AND shown.body LIKE '%' || text.body || '%'
  JOIN (SELECT 'res.partner' AS model, id, phone_sanitized AS number FROM res_partner
         UNION ALL SELECT 'crm.lead', id, phone_sanitized FROM crm_lead) record
    ON record.number = text.number AND record.model = text.res_model
  JOIN mail_message posted
    ON posted.model = record.model AND posted.res_id = record.id
   AND posted.body LIKE '%' || text.body || '%'
 WHERE text.direction = 'in' AND text.body LIKE 'Text %'
   AND (record.model = 'res.partner') = (text.number LIKE '{CONTACT}%')
"""


class Ours:
    """Our addons in databases of two sizes."""

    shown = SHOWN_OURS

    def __init__(self, harness, stack):
        self.harness = harness
        database = stack.enter_context(harness.make_database("bench"))
        self.gateway = make_gateway(database, "http://127.0.0.1:9")
        set_up = SET_UP_OURS.format(sender_id=self.gateway.sender_id)
        harness.odoo_script(database, set_up)
        large = stack.enter_context(databases.temporary_copy(database, "bench_large"))
        self.databases = dict(zip(SIZES, (database, large), strict=True))
        for size, name in self.databases.items():
            harness.psql(name, FILL_CONTACTS, size)
            harness.psql(name, FILL_LEADS, 1, int(size * LEAD_SHARE))

    def start(self, size):
        """Return the process of a size."""
        gateway = {"gateway_id": self.gateway.id, "address": self.gateway.address}
        code = {
            "prepare": PREPARE_OURS.format(**gateway),
            "before": STORE_OURS,
            "work": RECEIVE_OURS,
        }
        return Worker(self.databases[size], code)


# Theirs -----------------------------------------------------------------------------------

MODELS = """
from odoo import fields, models


class MailGateway(models.Model):
    _inherit = "mail.gateway"

    gateway_type = fields.Selection(
        selection_add=[("bench", "Bench")], ondelete={"bench": "cascade"}
    )


class MailGatewayBench(models.AbstractModel):
    _name = "mail.gateway.bench"
    _inherit = "mail.gateway.abstract"
    _description = "What mail_gateway_whatsapp does with a text, and no more"

    def _receive_update(self, gateway, update):
        chat = self._get_channel(gateway, update["from"], update, force_create=True)
        author = self._get_author(gateway, update)
        if author._name == "mail.guest":
            chat = chat.with_user(self.env.ref("base.public_user")).with_context(guest=author)
        message = chat.sudo().message_post(
            body=update["text"],
            author_id=author._name == "res.partner" and author.id,
            gateway_type="bench",
            subtype_xmlid="mail.mt_comment",
            message_type="comment",
        )
        self._post_process_message(message, chat)

    def _get_author(self, gateway, update):
        token = update["from"]
        known = [("gateway_id", "=", gateway.id), ("gateway_token", "=", token)]
        values = {"gateway_id": gateway.id, "gateway_token": token}
        Link, Guest = self.env["res.partner.gateway.channel"], self.env["mail.guest"]
        if link := Link.search(known):
            return link.partner_id
        if partner := self.env["res.partner"].search([("phone_sanitized", "=", f"+{token}")]):
            Link.create({"partner_id": partner.id, **values})
            return partner
        return Guest.search(known) or Guest.create({"name": token, **values})
"""
ADAPTER = {
    "__init__.py": "from . import models",
    "__manifest__.py": "{'name': 'Bench', 'depends': ['mail_gateway', 'phone_validation']}",
    "models.py": MODELS,
}
SET_UP_THEIRS = """
users = env["res.users"].create([
    {"name": login, "login": login} for login in ("one", "two", "three")
])
env["mail.gateway"].create({
    "name": "Bench", "token": "bench", "gateway_type": "bench", "webhook_key": "bench",
    "integrated_webhook_state": "integrated", "member_ids": [(6, 0, users.ids)],
})
env.cr.commit()
"""
#: The index is a present: without it each new number costs them a look at every contact.
INDEX_THEIRS = "CREATE INDEX ON res_partner (phone_sanitized)"
PREPARE_THEIRS = """
root = env.ref("base.user_root")
adapter = env["mail.gateway.bench"].with_user(root).with_context(no_gateway_notification=True)
gateway = adapter.env["mail.gateway"].sudo().search([])

def receive(reference, number):
    adapter._receive_update(gateway, {"from": number[1:], "text": f"Text {reference}"})
    env.cr.commit()
"""
RECEIVE_THEIRS = "[receive(*text) for text in texts]"
SHOWN_THEIRS = """
SELECT '+' || chat.gateway_channel_token, regexp_replace(shown.body, '<[^>]+>', '', 'g')
  FROM discuss_channel chat
  JOIN mail_message shown ON shown.model = 'discuss.channel' AND shown.res_id = chat.id
 WHERE chat.channel_type = 'gateway' AND shown.body LIKE '%Text %'
"""


class Theirs:
    """The OCA's mail_gateway in databases of two sizes."""

    shown = SHOWN_THEIRS

    def __init__(self, harness, stack):
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        addons = [*odoo.installation().addons_paths, fetch_peer(), folder]
        self.option = f"--addons-path={','.join(map(str, addons))}"
        (folder / "bench_gateway").mkdir()
        for name, content in ADAPTER.items():
            (folder / "bench_gateway" / name).write_text(content)
        core = databases.template([], extra=["mail", "phone_validation"], demo=False)
        database = stack.enter_context(databases.temporary_copy(core, "bench"))
        databases.install(database, ["bench_gateway"], self.option)
        odoo.call("shell", database, "--no-http", self.option, script=SET_UP_THEIRS)
        large = stack.enter_context(databases.temporary_copy(database, "bench_large"))
        self.databases = dict(zip(SIZES, (database, large), strict=True))
        for size, name in self.databases.items():
            harness.psql(name, INDEX_THEIRS)
            harness.psql(name, FILL_CONTACTS, size)

    def start(self, size):
        """Return the process of a size."""
        code = {"prepare": PREPARE_THEIRS, "before": "pass", "work": RECEIVE_THEIRS}
        return Worker(self.databases[size], code, self.option)


def fetch_peer():
    """Return the folder with their addon, fetched into the cache if absent."""
    home = cached(PEER)
    with lock(home.name):
        if not home.exists():
            with step(PEER), complete_folder(home) as folder:
                pip = [sys.executable, "-m", "pip", "download", "-qq", "--no-deps"]
                subprocess.run([*pip, f"--dest={folder}", PEER], check=True)
                with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
                    wheel.extractall(folder)
    return home / "odoo" / "addons"


# Measuring --------------------------------------------------------------------------------


def main(harness):
    """Yield the rates of each kind and size, the ratio to the peer's, and the ratio of sizes."""
    with contextlib.ExitStack() as stack:
        sides = {"ours": Ours(harness, stack), "theirs": Theirs(harness, stack)}
        with contextlib.ExitStack() as processes:
            workers = {
                (name, size): processes.enter_context(side.start(size))
                for size in SIZES
                for name, side in sides.items()
            }
            _warm_up, *rounds = [measure(workers, batch) for batch in range(ROUNDS + 1)]
        for kind in KINDS:
            yield from figures([rates[kind] for rates in rounds], kind)
        for side in sides.values():
            for database in side.databases.values():
                assert_shown_once(harness.psql(database, side.shown))


def measure(workers, batch):
    """Return the texts per second by kind and worker."""
    return {
        kind: {name: worker.work(texts) for name, worker in workers.items()}
        for kind, texts in make_texts(batch).items()
    }


def figures(rounds, kind):
    """Yield the medians over the rounds; ratios are of what was measured next to each other."""
    for size in SIZES:
        what = {"kind": kind, "contacts": size}
        ours = statistics.median(rates["ours", size] for rates in rounds)
        theirs = statistics.median(rates["theirs", size] for rates in rounds)
        ratio = statistics.median(r["ours", size] / r["theirs", size] for r in rounds)
        yield {"metric": "texts_per_second", "value": round(ours), **what}
        yield {"metric": "peer_texts_per_second", "value": round(theirs, 1), **what}
        yield {"metric": "ratio", "value": round(ratio, 2), "peer": "mail_gateway", **what}
    large_to_small = statistics.median(r["ours", LARGE] / r["ours", SMALL] for r in rounds)
    yield {"metric": "large_to_small", "value": round(large_to_small, 2), "kind": kind}


def assert_shown_once(rows):
    """Fail unless each text is shown once, where it belongs."""
    expected = [
        (number, f"Text {reference}")
        for batch in range(ROUNDS + 1)
        for texts in make_texts(batch).values()
        for reference, number in texts
    ]
    assert sorted(rows) == sorted(expected), set(rows) ^ set(expected)
