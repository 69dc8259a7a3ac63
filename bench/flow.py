"""What a flow does per second, beside the same done by Odoo's own means.

Ours: leads in the flow of their sales team. Theirs: a database with the same apps of Odoo and none
of our addons, with an automation rule on the stage and the server action *Send SMS*; for
reminders a rule based on a date. Both leave the text in the queue and a note on the lead.

Replies
    Ours: texts of customers, stored by the webhook, are worked off: each is shown on the lead and
    in its conversation, taken for an answer, the stage set and the next text queued. Theirs:
    nobody can answer, so the stage of one lead after another is set, and the text queued.
Entries
    Five hundred leads get another stage and a text each: by one write as of a mass edit, and by our
    job for many records; beside the one write of theirs.
Reminders
    100,000 of 1,000,000 leads in the flow are due. Theirs does a part of it.
Tick
    The scheduled action with nothing due, with ten thousand leads in the flow and a million.
"""

import contextlib
import statistics

from gateways import make_gateway
from turns import Worker

from devtools import addons
from devtools import database as databases

ROUNDS, REPLIES, ENTRIES = 3, 200, 500
SMALL, LARGE = 10_000, 1_000_000
DUE, DUE_THEIRS = 100_000, 2_000
TICKS, TICK_ROUNDS = 200, 9
TEXT = "Hi {{ object.contact_name }}, shall we install {{ object.name }}?"

#: Leads of a team on a stage. Indexes are made afterwards; nobody waits for foreign keys.
FILL = """
SET session_replication_role = replica;
UPDATE pg_index SET indisready = false WHERE indrelid = 'crm_lead'::regclass;
INSERT INTO crm_lead (name, contact_name, type, active, phone, phone_sanitized, company_id,
       team_id, stage_id, probability, automated_probability, won_status,
       date_last_stage_update, create_date, write_date)
SELECT 'Lead ' || n, 'Anna', 'opportunity', true, number, number, 1, {team_id}, {stage_id}, 10, 10,
       'pending', now() - interval '1 hour' - n * interval '1 minute', now(), now()
  FROM (SELECT n, '+4741' || lpad(n::text, 6, '0') AS number
          FROM generate_series({first}, {last}) n) lead;
UPDATE pg_index SET indisready = true WHERE indrelid = 'crm_lead'::regclass;
REINDEX TABLE crm_lead;
ANALYZE crm_lead;
"""
#: They stand in the first step; those that are due were texted a day ago.
ENROL = """
SET session_replication_role = replica;
INSERT INTO sms_flow_run (flow_id, company_id, res_model, res_id, number, tz, step_id, state, cause,
       step_entered_at, first_text_at, last_text_at, next_reminder_at, next_reminder_id)
SELECT {flow_id}, 1, 'crm.lead', id, phone_sanitized, 'Europe/Oslo', {step_id}, 'active', 'stage',
       now() - interval '1 day', now() - interval '1 day', now() - interval '1 day',
       now() + interval '30 days', {reminder_id}
  FROM crm_lead WHERE phone_sanitized BETWEEN '+4741' || lpad('{first}', 6, '0')
                                          AND '+4741' || lpad('{last}', 6, '0');
WITH made AS (
     INSERT INTO sms_flow_entry (run_id, flow_id, step_id, cause, entered_at)
     SELECT id, flow_id, step_id, cause, step_entered_at FROM sms_flow_run WHERE entry_id IS NULL
  RETURNING id, run_id)
UPDATE sms_flow_run SET entry_id = made.id FROM made WHERE made.run_id = sms_flow_run.id;
"""
MAKE_DUE = """
UPDATE sms_flow_run SET next_reminder_at = now() at time zone 'utc' - interval '1 minute'
 WHERE id IN (SELECT id FROM sms_flow_run WHERE number LIKE '+4741%' ORDER BY id LIMIT {count})
"""

COMMON = """
Lead = env["crm.lead"].with_context(tracking_disable=True)
team = env["crm.team"].create({{"name": "Bench", "company_id": env.company.id}})
first, second, third = env["crm.stage"].create(
    [{{"name": name, "team_ids": [(6, 0, team.ids)], "sequence": 90}} for name in "123"]
)
model_id = env["ir.model"]._get_id("crm.lead")
"""
MAKE_LEADS = """
def make_leads(numbers, stage):
    leads = Lead.create([
        {{
            "name": "Roof", "contact_name": "Anna", "phone": number, "team_id": team.id,
            "stage_id": stage.id, "type": "opportunity", "company_id": env.company.id,
            "user_id": False,
        }}
        for number in numbers
    ])
    env.cr.commit()
    env.invalidate_all()
    return env["crm.lead"].browse(leads.ids)
"""


# Ours -------------------------------------------------------------------------------------

SET_UP_OURS = (
    COMMON
    + """
import json
flow = env["sms.flow"].create({{
    "name": "Bench", "team_id": team.id, "sms_enabled": True, "sender_id": {sender_id},
    "inbound_enabled": True,
    "step_ids": [(0, 0, {{"stage_id": stage.id, "body": {text!r}}}) for stage in (first, second)],
}})
step = flow.step_ids[0]
reminder = env["sms.flow.reminder"].create(
    {{"step_id": step.id, "delay": 3, "window_start": 0, "window_end": 24}}
)
env["sms.flow.reply"].create(
    {{"step_id": step.id, "keywords": "ja, yes", "target_step_id": flow.step_ids[1].id}}
)
flow.flow_enabled = True
env.cr.commit()
env.registry.signal_changes()
print(json.dumps({{
    "team_id": team.id, "stage_ids": [first.id, second.id, third.id], "flow_id": flow.id,
    "step_ids": flow.step_ids.ids, "reminder_id": reminder.id,
}}))
"""
)
PREPARE_OURS = (
    MAKE_LEADS
    + """
from urllib.parse import urlencode
from odoo.addons.sms_gateway.engine.contract import Webhook

Lead = env["crm.lead"].with_context(tracking_disable=True)
team = env["crm.team"].browse({team_id})
first, second, third = env["crm.stage"].browse({stage_ids})
steps = env["sms.flow.step"].browse({step_ids})
gateway = env["sms.gateway"].browse({gateway_id})
events = env["sms.gateway.event"]
Transition = env["sms.flow.transition"].sudo()

def store(number):
    text = {{"from": number[1:], "to": {address!r}, "id": f"in-{{number}}", "text": "Ja!"}}
    url = f"http://localhost/?{{urlencode(text)}}"
    webhook = Webhook("inbound", "GET", url, query=[*text.items()])
    events._store(gateway, webhook, f"inbound:{{number}}")

def ask(numbers):
    Transition._enter(make_leads(numbers, third), steps[0], "batch")
    env["sms.sms"].sudo().search([("state", "=", "outgoing")]).message_id._set_sent()
    [store(number) for number in numbers]
    env.cr.commit()

def put_into_step(leads):
    for start in range(0, len(leads), 500):
        Transition._enter(leads[start : start + 500], steps[1], "batch", lane="normal")
        env.cr.commit()
        env.invalidate_all()
"""
)


# Theirs -----------------------------------------------------------------------------------

SET_UP_THEIRS = (
    COMMON
    + """
import json
template = env["sms.template"].create({{"name": "T", "model_id": model_id, "body": {text!r}}})

def make_rule(name, **values):
    action = env["ir.actions.server"].create({{
        "name": name, "model_id": model_id, "state": "sms", "sms_template_id": template.id,
        "sms_method": "note",
    }})
    return env["base.automation"].create({{
        "name": name, "model_id": model_id, "action_server_ids": [(6, 0, action.ids)], **values,
    }})

make_rule("Text", trigger="on_stage_set", trg_field_ref=second.id)
date = env["ir.model.fields"]._get("crm.lead", "date_last_stage_update")
make_rule(
    "Remind", trigger="on_time", trg_date_id=date.id, trg_date_range=1,
    trg_date_range_type="hour", active=False,
    filter_domain=repr([("stage_id", "=", first.id)]),
)
env.cr.commit()
env.registry.signal_changes()
print(json.dumps({{"team_id": team.id, "stage_ids": [first.id, second.id, third.id]}}))
"""
)
PREPARE_THEIRS = (
    MAKE_LEADS
    + """
from datetime import timedelta
Lead = env["crm.lead"].with_context(tracking_disable=True)
team = env["crm.team"].browse({team_id})
first, second, third = env["crm.stage"].browse({stage_ids})
rule = env["base.automation"].with_context(active_test=False).search([("name", "=", "Remind")])

def set_stage_one_by_one(leads):
    for lead in leads:
        lead.stage_id = second
        env.cr.commit()
        env.invalidate_all()

def make_due(count):
    now = env.cr.now()
    env.cr.execute(
        "UPDATE crm_lead SET date_last_stage_update = %s WHERE id IN"
        " (SELECT id FROM crm_lead WHERE stage_id = %s ORDER BY id LIMIT %s)",
        [now - timedelta(minutes=70), first.id, count],
    )
    rule.write({{"active": True, "last_run": now - timedelta(minutes=11)}})
    env.cr.commit()
    env.invalidate_all()
"""
)
REPLY = {
    "ours": ("ask(texts)", "events._run()"),
    "theirs": ("leads = make_leads(texts, first)", "set_stage_one_by_one(leads)"),
}
ENTRY = {
    "mass_edit": ("leads = make_leads(texts, third)", "leads.stage_id = second; env.cr.commit()"),
    "job": ("leads = make_leads(texts, third)", "put_into_step(leads)"),
}
REMIND = {
    "ours": ("pass", "env['sms.flow.run']._run_due()"),
    "theirs": (
        "make_due(len(texts))",
        "env['base.automation']._cron_process_time_based_actions()",
    ),
}
TICK = ("pass", "[(env['sms.flow.run']._run_due(), env.cr.commit()) for _ in texts]")


#: The demo data's flow and texts are none of what is measured.
DEMO_OFF = """
env["sms.flow"].search([]).flow_enabled = False
env["sms.sms"].search([]).unlink()
env.cr.commit()
"""


def main(harness):
    """Yield what each side does per second, and the ratios."""
    with contextlib.ExitStack() as stack:
        ours, theirs = Ours(harness, stack), Theirs(harness, stack)
        yield from compare("replies", ours, theirs, REPLY["ours"], REPLY["theirs"], REPLIES)
        for how, code in ENTRY.items():
            yield from compare(f"entries_{how}", ours, theirs, code, ENTRY["mass_edit"], ENTRIES)
        yield from measure_ticks(ours, Ours(harness, stack))
        theirs.fill(0, LARGE)
        yield from measure_reminders(ours, theirs)


class Side:
    """A database with a team, its stages, and what its workers prepare."""

    def start(self, before, work):
        """Return a process that does that work."""
        code = {"prepare": self.prepare, "before": before, "work": work}
        return Worker(self.database, code)

    def fill(self, first, last):
        """Make leads on the first stage, those numbered so."""
        values = {"team_id": self.ids["team_id"], "stage_id": self.ids["stage_ids"][0]}
        self.psql(FILL.format(first=first, last=last - 1, **values))

    def psql(self, statement):
        return self.harness.psql(self.database, statement)


class Ours(Side):
    """All our addons."""

    def __init__(self, harness, stack):
        self.harness = harness
        self.database = stack.enter_context(harness.make_database("bench"))
        gateway = make_gateway(self.database, "http://127.0.0.1:9")
        harness.odoo_script(self.database, DEMO_OFF)
        set_up = SET_UP_OURS.format(sender_id=gateway.sender_id, text=TEXT)
        self.ids = harness.odoo_script(self.database, set_up)
        self.prepare = PREPARE_OURS.format(
            gateway_id=gateway.id, address=gateway.address, **self.ids
        )

    def enrol(self, first, last):
        """Make leads that stand in the first step."""
        self.fill(first, last)
        step_id = self.ids["step_ids"][0]
        self.psql(ENROL.format(step_id=step_id, first=first, last=last - 1, **self.ids))
        self.psql("VACUUM ANALYZE sms_flow_run")


class Theirs(Side):
    """The same apps of Odoo, with rules."""

    def __init__(self, harness, stack):
        self.harness = harness
        core = databases.template([], extra=addons.core_modules(addons.closure([])), demo=False)
        self.database = stack.enter_context(databases.temporary_copy(core, "bench"))
        self.ids = harness.odoo_script(self.database, SET_UP_THEIRS.format(text=TEXT))
        self.prepare = PREPARE_THEIRS.format(**self.ids)


def compare(what, ours, theirs, our_code, their_code, count):
    """Yield the medians over the rounds; the ratio is of turns next to each other."""
    with ours.start(*our_code) as our_worker, theirs.start(*their_code) as their_worker:
        rounds = []
        for turn in range(ROUNDS + 1):
            numbers = [f"+479{turn}{n:06d}" for n in range(count)]
            rounds.append((our_worker.work(numbers), their_worker.work(numbers)))
    yield from figures(what, rounds[1:])  # the first warms up


def figures(what, rounds):
    """Yield the rates and their ratio."""
    mine, theirs = (statistics.median(rates) for rates in zip(*rounds, strict=True))
    ratio = statistics.median(mine / other for mine, other in rounds)
    yield {"metric": f"{what}_per_second", "value": round(mine)}
    yield {"metric": f"peer_{what}_per_second", "value": round(theirs, 1)}
    yield {"metric": "ratio", "value": round(ratio, 2), "of": what, "peer": "base_automation"}


def measure_ticks(large, small):
    """Yield the tick with nothing due at both sizes, in turns, and their ratio."""
    small.enrol(0, SMALL)
    large.enrol(0, LARGE)
    with small.start(*TICK) as small_worker, large.start(*TICK) as large_worker:
        rounds = [
            (1000 / small_worker.work([0] * TICKS), 1000 / large_worker.work([0] * TICKS))
            for _ in range(TICK_ROUNDS + 1)
        ][1:]
    for size, times in zip((SMALL, LARGE), zip(*rounds, strict=True), strict=True):
        yield {"metric": "tick_ms", "value": round(statistics.median(times), 2), "enrolled": size}
    ratio = statistics.median(after / before for before, after in rounds)
    yield {"metric": "tick_large_to_small", "value": round(ratio, 2)}


def measure_reminders(ours, theirs):
    """Yield the reminders queued per second among a million, and the ratio."""
    ours.psql(MAKE_DUE.format(count=DUE))
    with ours.start(*REMIND["ours"]) as our_worker, theirs.start(*REMIND["theirs"]) as their_worker:
        rates = our_worker.work([0] * DUE), their_worker.work([0] * DUE_THEIRS)
    queued = "SELECT count(*) FROM sms_message WHERE origin = 'reminder' AND state = 'queued'"
    assert ours.psql(queued) == [(DUE,)], ours.psql(queued)
    yield from figures("reminders", [rates])
