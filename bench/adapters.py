"""What each provider's adapter costs: it is Python between the database and the wire.

Prepared
    Texts per second that become requests, as they go into the transport.
Parsed
    Texts per second whose fate is read from the provider's answers, as they come out of it.

In one process, without network and database: the texts and the answers are there. The answers are
those of each adapter's own contract test. The floor is the same work with no provider at all: one
request and one result a text, built of constants.
"""

from harness import odoo_script

TEXTS, ROUNDS, GOAL = 1000, 5, 5000
MEASURE = """
import importlib, json, pkgutil, statistics, time
from odoo.addons.sms_gateway.engine.contract import SendRequest, SendResult
from odoo.addons.sms_gateway.tests.contract import AdapterContract

TEXTS, ROUNDS = {texts}, {rounds}

def get_contracts():
    for module in env["ir.module.module"].search([("state", "=", "installed")]).mapped("name"):
        if module.startswith("sms_gateway_"):
            importlib.import_module(f"odoo.addons.{{module}}.tests")
    kinds, todo = [], [AdapterContract]
    while todo:
        found = todo.pop().__subclasses__()
        kinds += [kind for kind in found if kind.code]
        todo += found
    return {{kind.code: kind for kind in kinds}}

def measure(work):
    rates = []
    for _round in range(ROUNDS):
        started = time.perf_counter()
        made = work()
        rates.append(TEXTS / (time.perf_counter() - started))
    return round(statistics.median(rates)), made

def measure_adapter(kind):
    kind.env = env
    kind.make_account()
    case = kind("test_accepted")
    messages = case.make_messages(TEXTS)
    prepare, requests = measure(lambda: case.adapter._prepare_requests(case.gateway, messages))
    answers = [(request, case.make_accepted(request)) for request in requests]
    parse, results = measure(
        lambda: [
            result
            for request, answer in answers
            for result in case.adapter._parse_response(case.gateway, request, answer)
        ]
    )
    assert len(results) == TEXTS and {{r.outcome for r in results}} == {{"sent"}}, kind.code
    return prepare, parse, len(requests)

def measure_floor():
    numbers = [str(n) for n in range(TEXTS)]
    prepare, requests = measure(
        lambda: [SendRequest((n,), "POST", "https://x", data={{"to": n}}) for n in numbers]
    )
    parse, _results = measure(lambda: [SendResult(r.uuids[0], "sent") for r in requests])
    return prepare, parse, TEXTS

figures = {{"floor": measure_floor()}}
for code, kind in sorted(get_contracts().items()):
    with env.cr.savepoint():
        figures[code] = measure_adapter(kind)
print(json.dumps(figures))
"""


def main(harness):
    """Yield the speed of each adapter, and its part of the floor's."""
    with harness.make_database("bench") as database:
        figures = odoo_script(database, MEASURE.format(texts=TEXTS, rounds=ROUNDS))
    floor = dict(zip(("prepared", "parsed"), figures.pop("floor"), strict=False))
    for code, (prepared, parsed, requests) in figures.items():
        for metric, value in (("prepared", prepared), ("parsed", parsed)):
            yield {
                "metric": f"{metric}_per_second",
                "adapter": code,
                "value": value,
                "ratio_to_floor": round(value / floor[metric], 3),
                "requests": requests,
                "goal": GOAL,
            }
