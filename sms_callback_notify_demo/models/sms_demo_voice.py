from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import py_to_js_locale

#: What becomes of a call to a telephone that cannot be reached, by its mode.
UNREACHED = {"off": "no_answer", "gone": "failed"}
#: What was called is forgotten after that long.
RETENTION_DAYS = 30


class SmsDemoVoice(models.Model):
    """A call of the demo exchange's Auto Agent to a telephone of the demo carrier.

    It knows of Odoo only what an exchange would: the order that was told, and where its result is
    told.
    """

    _name = "sms.demo.voice"
    _description = "Call to a Demo Telephone"
    _order = "id DESC"
    _rec_name = "body"

    # === FIELDS === #

    connector_id = fields.Many2one(
        "contact.center.connector", required=True, readonly=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="connector_id.company_id")
    phone_id = fields.Many2one(
        "sms.demo.phone", required=True, readonly=True, ondelete="cascade", index=True
    )
    callback_ref = fields.Char("Callback", required=True, readonly=True)
    caller = fields.Char(readonly=True)
    body = fields.Text("What it says", readonly=True)
    keep_key = fields.Char("Key to keep the place", readonly=True)
    cancel_key = fields.Char("Key to cancel", readonly=True)
    state = fields.Selection(
        [("ringing", "Ringing"), ("talking", "Talking"), ("ended", "Ended")],
        required=True,
        readonly=True,
        default="ringing",
    )
    result = fields.Selection(
        [
            ("keep", "Keeps his place"),
            ("cancel", "Cancels"),
            ("no_answer", "Did not answer"),
            ("failed", "Failed"),
        ],
        readonly=True,
    )

    _open_idx = models.Index("(phone_id) WHERE state != 'ended'")

    # === ORDERS === #

    @api.model
    def _call(self, connector, order):
        """Call a customer, as the exchange was told to.

        :param dict order: the data of ``auto_agent.requested``
        """
        phones = self.env["sms.demo.phone"]._map_numbers([order["phone"]], connector.company_id)
        phone = phones[order["phone"]]
        call = self.create(
            {
                "connector_id": connector.id,
                "phone_id": phone.id,
                "callback_ref": order["callback_id"],
                "caller": connector._find_service(order["service"]).name,
                "body": order["text"],
                "keep_key": order["keep_key"],
                "cancel_key": order["cancel_key"],
            }
        )
        if phone.mode in UNREACHED:
            call._end(UNREACHED[phone.mode])
        phone._update_screens()

    @api.model
    def _hang_up(self, connector, callback_ref):
        """The callback is settled: nobody needs to ask any more."""
        domain = [
            ("connector_id", "=", connector.id),
            ("callback_ref", "=", callback_ref),
            ("state", "!=", "ended"),
        ]
        if calls := self.search(domain):
            calls.state = "ended"
            calls.phone_id._update_screens()

    # === ACTION METHODS === #

    def action_answer(self):
        """The customer takes the call."""
        self.check_access("read")
        self.filtered(lambda call: call.state == "ringing").sudo().state = "talking"
        self.phone_id._update_screens()

    def action_press(self, key):
        """The customer presses a key; only the two that were named do anything.

        :param str key: e.g. "1"
        """
        self.ensure_one()
        self.check_access("read")
        results = {self.keep_key: "keep", self.cancel_key: "cancel"}
        if key and key in results and self.state == "talking":
            self.sudo()._end(results[key])

    def action_hang_up(self):
        """The customer does not take the call, or ends it without a key."""
        self.check_access("read")
        for call in self.sudo().filtered(lambda call: call.state != "ended"):
            call._end("no_answer")

    # === BUSINESS METHODS === #

    def _end(self, result):
        """End the call, and tell Odoo as an exchange does.

        :param str result: of ``auto_agent.result``
        """
        self.write({"state": "ended", "result": result})
        data = {"callback_id": self.callback_ref, "result": result}
        self.env["contact.center.event"].sudo()._store(
            self.connector_id,
            f"demo-voice-{self.id}",
            "auto_agent.result",
            self.env.cr.now().replace(microsecond=0),
            data,
            result,
        )
        self.phone_id._update_screens()

    # === SCREEN === #

    def _format_for_screen(self):
        """The call in JSON values, or None where there is none."""
        if not self:
            return None
        return {
            "id": self.id,
            "state": self.state,
            "caller": self.caller,
            "body": self.body,
            "lang": self._get_lang(),
            "keep_key": self.keep_key,
            "cancel_key": self.cancel_key,
        }

    def _get_lang(self):
        """The language to speak, as browsers call it."""
        call_sudo = self.sudo()
        lang = call_sudo.phone_id.partner_id.lang or call_sudo.company_id.partner_id.lang
        return py_to_js_locale(lang) if lang else ""

    # === RETENTION === #

    @api.autovacuum
    def _gc_old(self):
        before = fields.Datetime.now() - timedelta(days=RETENTION_DAYS)
        self.search([("create_date", "<", before)]).unlink()
