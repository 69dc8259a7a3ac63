"""Odoo's own Twilio addon beside ours: its account is taken over with one click."""

from harness import odoo_script

from devtools import addons
from devtools import database as databases

SID, TOKEN = "AC" + "1" * 32, "grimgorironhide"

TAKE_OVER = """
import json
env = env(user=env.ref("base.user_admin"))
other = env["res.company"].create({{"name": "Without Twilio"}})
env.user.company_ids |= other
company = env.company
company.write({{
    "sms_provider": "twilio",
    "sms_twilio_account_sid": {sid!r},
    "sms_twilio_auth_token": {token!r},
    "sms_twilio_number_ids": [
        (0, 0, {{"number": "+32455998877", "country_id": env.ref("base.be").id}}),
        (0, 0, {{"number": "+1 505-699-8877", "country_id": env.ref("base.us").id}}),
    ],
}})
def make_gateway(company):
    values = {{"name": "Twilio", "code": "twilio", "company_id": company.id}}
    return env["sms.gateway"].create(values)
gateway, stranger = make_gateway(company), make_gateway(other)
offered = [gateway.twilio_can_take_over, stranger.twilio_can_take_over]
words = gateway.action_twilio_take_over()["params"]["message"]
print(json.dumps({{
    "offered": offered,
    "words": words,
    "account": [gateway.twilio_account_sid, gateway.twilio_auth_token],
    "senders": sorted(
        (s.address, s.kind, s.state, s.inbound_enabled, s.company_id == company)
        for s in gateway.sender_ids
    ),
    "button": "action_twilio_take_over" in gateway.get_view(view_type="form")["arch"],
}}))
"""


def test_account_and_numbers_of_odoos_own_addon():
    """Who has set Twilio up in Odoo types nothing again; another company's stays its own."""
    chosen = addons.closure(["sms_gateway_twilio"])
    template = databases.template(chosen, extra=["sms_twilio"], demo=False)
    with databases.temporary_copy(template, "story") as database:
        told = odoo_script(database, TAKE_OVER.format(sid=SID, token=TOKEN))
    assert told["offered"] == [True, False]
    assert told["account"] == [SID, TOKEN]
    assert told["senders"] == [
        ["+15056998877", "mobile", "draft", True, True],
        ["+32455998877", "mobile", "draft", True, True],
    ]
    assert "+15056998877" in told["words"]
    assert TOKEN not in told["words"]
    assert told["button"]
