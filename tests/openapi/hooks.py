"""What no JSON schema can say of the exchange's interface; schemathesis loads this itself."""

import itertools
from datetime import UTC, datetime

import schemathesis
from hypothesis import strategies

#: Neither before what Odoo takes for a time, nor ahead of its clock.
MOMENTS = strategies.datetimes(datetime(1970, 1, 1), datetime(2026, 1, 1))
COUNTER = itertools.count()

schemathesis.openapi.format(
    "date-time", MOMENTS.map(lambda moment: moment.replace(tzinfo=UTC).isoformat())
)


@schemathesis.hook
def before_call(context, case, kwargs):
    """Give each event an id of its own: else all but the first are in conflict."""
    event_id = case.body.get("id") if isinstance(case.body, dict) else None
    if isinstance(event_id, str) and event_id.strip() and len(event_id) < 50:
        case.body["id"] = f"{event_id}-{next(COUNTER)}"
