"""What each provider can do, as a table for README.md made from the adapters themselves."""

from .cache import ROOT

README = ROOT / "README.md"
START, END = "<!-- providers: written by ./dev matrix -->\n", "<!-- end of providers -->\n"
READ = """
import json
gateways = env["sms.gateway"]
providers = [
    {
        "name": label,
        "addon": env[f"sms.gateway.adapter.{code}"]._original_module,
        "batch": env[f"sms.gateway.adapter.{code}"]._get_batch_size(),
        **env[f"sms.gateway.adapter.{code}"]._get_features(),
    }
    for code, label in gateways._fields["code"]._description_selection(env)
    if code != "none"
]
print(json.dumps(providers))
"""
#: Head of a column and the feature in it.
COLUMNS = {
    "answers": "inbound",
    "delivery reports": "status",
    "a name as sender": "text_sender",
    "signs its calls": "signature",
    "knows a repeated text": "idempotency",
    "tells the cost": "cost",
    "tells the balance": "balance",
}


def render(providers):
    """Return the table of the providers, in the order of their names."""
    head = ["provider", "addon", *COLUMNS, "texts in a request"]
    rows = [_row(provider) for provider in sorted(providers, key=lambda p: p["name"].lower())]
    return "".join(_line(cells) for cells in (head, ["---"] * len(head), *rows))


def _row(provider):
    marks = ["✓" if provider[feature] else "–" for feature in COLUMNS.values()]
    return [provider["name"], f"`{provider['addon']}`", *marks, str(provider["batch"])]


def _line(cells):
    return f"| {' | '.join(cells)} |\n"


def replace(text, table):
    """Return the text of README.md with this table in it."""
    before, _start, rest = text.partition(START)
    _old, _end, after = rest.partition(END)
    return f"{before}{START}\n{table}\n{END}{after}"
