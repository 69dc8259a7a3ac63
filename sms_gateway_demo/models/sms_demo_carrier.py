import json
import random
import re
import time

from odoo import api, fields, models

from odoo.addons.sms_gateway.engine.contract import WebhookRefused

from ..const import ACCOUNT_HEADER, ACCOUNT_PATH, CURRENCY, PRICE
from ..engine import signature

E164 = re.compile(r"\+[1-9]\d{6,14}")
#: What may go wrong, each as a share of texts in percent.
MISCHIEF = (
    "fail_rate",
    "lose_rate",
    "duplicate_rate",
    "disorder_rate",
    "busy_rate",
    "silent_rate",
)
RATES_CHECK = " AND ".join(f"{name} BETWEEN 0 AND 100" for name in MISCHIEF)
#: Seconds to wait that a busy carrier asks for.
BUSY_SECONDS = 2


class SmsDemoCarrier(models.Model):
    """How the carrier treats one account: well, by hand, or badly.

    The opposite side of a gateway. It knows of Odoo only what a real carrier would: texts that
    come in signed requests, and two addresses to call.
    """

    _name = "sms.demo.carrier"
    _description = "Demo Carrier"
    _rec_name = "gateway_id"

    # === FIELDS === #

    gateway_id = fields.Many2one("sms.gateway", required=True, readonly=True, ondelete="cascade")
    company_id = fields.Many2one(related="gateway_id.company_id")
    delivery = fields.Selection(
        [("auto", "By itself"), ("manual", "By hand")],
        required=True,
        default="auto",
        help="By hand: every text waits on the telephone until you press a key.",
    )
    latency = fields.Float(
        "Delivery time", default=1, help="Seconds from accepting a text to delivering it."
    )
    fail_rate = fields.Integer("Not delivered", help="Percent of texts.")
    lose_rate = fields.Integer("Never reported", help="Percent of texts.")
    duplicate_rate = fields.Integer("Told twice", help="Percent of reports and answers.")
    disorder_rate = fields.Integer("Told out of order", help="Percent of reports and answers.")
    busy_rate = fields.Integer("Busy", help="Percent of requests that are turned away for now.")
    silent_rate = fields.Integer(
        "Answer lost", help="Percent of requests whose texts are taken, without Odoo hearing of it."
    )
    prepaid = fields.Integer(
        "Texts bought", default=10000, help="When they are used up, texts are refused."
    )
    forgotten = fields.Integer("Texts carried and deleted since", readonly=True, default=0)
    balance = fields.Integer("Texts left", compute="_compute_balance")

    _gateway_uniq = models.UniqueIndex("(gateway_id)")
    _rates_are_percent = models.Constraint(
        f"CHECK({RATES_CHECK})", "Shares are from 0 to 100 percent."
    )
    _latency_is_bearable = models.Constraint(
        "CHECK(latency BETWEEN 0 AND 86400)", "The delivery time is from 0 seconds to a day."
    )

    # === COMPUTE METHODS === #

    @api.depends("prepaid", "forgotten")
    def _compute_balance(self):
        carried = dict(
            self.env["sms.demo.text"]
            .sudo()
            ._read_group(
                [("carrier_id", "in", self.ids), ("direction", "=", "to_phone")],
                ["carrier_id"],
                ["parts:sum"],
            )
        )
        for carrier in self:
            carrier.balance = carrier.prepaid - carrier.forgotten - carried.get(carrier, 0)

    # === CRUD METHODS === #

    def write(self, vals):
        result = super().write(vals)
        if vals.get("delivery") == "auto":
            self._get_held_texts()._schedule()
        self._update_screens()
        return result

    # === ACTION METHODS === #

    def action_behave(self):
        """Undo all mischief."""
        self.write({**dict.fromkeys(MISCHIEF, 0), "delivery": "auto", "latency": 1})

    def action_view_calls(self):
        """Show what the carrier told Odoo, and what Odoo said."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "sms_gateway_demo.sms_demo_call_action"
        )
        return {**action, "domain": [("text_id.carrier_id", "=", self.id)]}

    # === SERVING ODOO === #

    @api.model
    def _serve(self, path, headers, body):
        """Answer a request to the carrier's interface, once it is proven who asks.

        :param str path: ``SEND_PATH`` or ``ACCOUNT_PATH``
        :param headers: mapping of header names to values
        :param bytes body: raw
        :return: (HTTP status, answer)
        """
        carrier = self._find_account(headers.get(ACCOUNT_HEADER, ""))
        header = headers.get(signature.HEADER)
        try:
            signature.check(carrier.gateway_id.demo_secret, header, body, time.time())
        except WebhookRefused as refusal:
            return 401, {"error": f"refused: {refusal.reason}"}
        if path == ACCOUNT_PATH:
            return 200, {"balance": carrier.balance}
        try:
            texts = json.loads(body)["texts"]
        except (KeyError, TypeError, ValueError):
            return 400, {"error": "no list of texts"}
        return carrier._serve_texts(texts)

    @api.model
    def _find_account(self, account):
        """The carrier's side of an account number, or an empty recordset."""
        if not re.fullmatch(r"\d{1,9}", account):
            return self.browse()
        return self.search(
            [("gateway_id", "=", int(account)), ("gateway_id.code", "=", "demo")], limit=1
        )

    def _serve_texts(self, texts):
        """Answer a request that brings texts.

        :param list texts: of dicts with ``uuid``, ``from``, ``to`` and ``body``
        :return: (HTTP status, answer)
        """
        if self._happens("busy_rate"):
            return 429, {"error": "busy", "retry_after": BUSY_SECONDS}
        answers = self._take_texts(texts)
        if self._happens("silent_rate"):
            return 504, {"error": "nobody knows"}
        return 200, {"texts": answers}

    def _take_texts(self, texts):
        """Take texts in; a text that is known already is only answered again."""
        refusals = {text["uuid"]: self._find_refusal(text) for text in texts}
        accepted = [text for text in texts if not refusals[text["uuid"]]]
        taken = self.env["sms.demo.text"]._take(self, accepted).grouped("uuid")
        return [
            self._format_refusal(text, *refusals[text["uuid"]])
            if refusals[text["uuid"]]
            else self._format_acceptance(taken[text["uuid"]])
            for text in texts
        ]

    def _find_refusal(self, text):
        """Why a text is refused at once.

        :return: (code, words), or None
        """
        if not E164.fullmatch(text["to"]):
            return "number", "The number is not E.164"
        if not text["body"]:
            return "empty", "The text is empty"
        if self.balance <= 0:
            return "credit", "All texts are used up"
        return None

    def _format_refusal(self, text, code, reason):
        return {"uuid": text["uuid"], "status": "rejected", "code": code, "reason": reason}

    def _format_acceptance(self, text):
        return {
            "uuid": text.uuid,
            "status": "accepted",
            "id": text.reference,
            "parts": text.parts,
            "price": round(text.parts * PRICE, 2),
            "currency": CURRENCY,
        }

    def _happens(self, mischief):
        """Whether it happens this time.

        :param str mischief: one of ``MISCHIEF``
        """
        return random.random() * 100 < self[mischief]

    # === BUSINESS METHODS === #

    def _get_held_texts(self):
        """Texts that wait for somebody to press a key."""
        return self.env["sms.demo.text"].search(
            [
                ("carrier_id", "in", self.ids),
                ("direction", "=", "to_phone"),
                ("state", "=", "waiting"),
                ("due_at", "=", False),
                ("phone_id.mode", "=", "on"),
            ]
        )

    @api.model
    def _format_for_screen(self):
        """The carriers of the user's companies, in JSON values."""
        carriers = self.search([("gateway_id.code", "=", "demo")])
        names = {carrier.id: carrier.gateway_id.name for carrier in carriers.sudo()}
        values = carriers.read(["delivery", "latency", *MISCHIEF, "prepaid", "balance"])
        return [{**carrier, "name": names[carrier["id"]]} for carrier in values]

    def _update_screens(self):
        """Have every open screen read again what changed."""
        group = self.env.ref("sms_gateway.group_sms_user")
        group._bus_send("sms_gateway_demo/changed", {})
