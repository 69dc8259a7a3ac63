import json
import random
import secrets
import time
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.sms_gateway.engine.segments import measure

from ..const import DISORDER_DELAY, FAILURES

#: Texts that arrive in one go.
ARRIVAL_LIMIT = 200


class SmsDemoText(models.Model):
    """A text in the carrier's hands, on its way to a telephone or from one.

    For stories and tests the carrier is as mischievous as wanted: ``_deliver``, ``_fail``,
    ``_delay``, ``_duplicate``, ``_reorder`` and ``_lose`` are the keys of the screen. Odoo hears
    of them after the commit, when the carrier's scheduled action has run.
    """

    _name = "sms.demo.text"
    _description = "Text on a Demo Telephone"
    _order = "id DESC"
    _rec_name = "body"

    # === FIELDS === #

    carrier_id = fields.Many2one(
        "sms.demo.carrier", required=True, readonly=True, index=True, ondelete="cascade"
    )
    phone_id = fields.Many2one(
        "sms.demo.phone", "Telephone", required=True, readonly=True, index=True, ondelete="cascade"
    )
    direction = fields.Selection(
        [("to_phone", "To the telephone"), ("from_phone", "From the telephone")],
        required=True,
        readonly=True,
    )
    address = fields.Char("Odoo's address", required=True, readonly=True)
    body = fields.Text(required=True, readonly=True)
    parts = fields.Integer(readonly=True)
    uuid = fields.Char("Odoo's reference", readonly=True)
    reference = fields.Char(
        "Carrier's reference",
        required=True,
        readonly=True,
        default=lambda self: secrets.token_hex(8),
    )
    state = fields.Selection(
        [
            ("waiting", "On its way"),
            ("delivered", "Delivered"),
            ("failed", "Failed"),
            ("lost", "Lost"),
        ],
        required=True,
        readonly=True,
        default="waiting",
    )
    due_at = fields.Datetime(
        readonly=True, help="When it arrives by itself. Empty: it waits for a key."
    )
    failure_code = fields.Selection(FAILURES, "Failure", readonly=True)
    failure_reason = fields.Char("Reason", readonly=True)
    call_ids = fields.One2many("sms.demo.call", "text_id", string="Calls to Odoo")

    _uuid_uniq = models.UniqueIndex("(carrier_id, uuid) WHERE uuid IS NOT NULL")
    _reference_uniq = models.UniqueIndex("(reference)")
    _due_idx = models.Index("(due_at) WHERE state = 'waiting'")

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        texts = super().create(vals_list)
        texts.phone_id.sudo().last_text_at = fields.Datetime.now()
        return texts

    def write(self, vals):
        result = super().write(vals)
        self._update_screens()
        return result

    def unlink(self):
        for carrier, texts in self.grouped("carrier_id").items():
            to_phones = texts.filtered(lambda text: text.direction == "to_phone")
            carrier.sudo().forgotten += sum(to_phones.mapped("parts"))
        self._update_screens()
        return super().unlink()

    # === ACTION METHODS === #

    def action_deliver(self):
        """Key: the telephone has it, and Odoo is told."""
        self.check_access("write")
        self._deliver()

    def action_fail(self, code, reason=None):
        """Key: the telephone does not get it, and Odoo is told why."""
        self.check_access("write")
        self._fail(code, reason)

    def action_delay(self, seconds):
        """Key: it takes that long."""
        self.check_access("write")
        self._delay(seconds)

    def action_duplicate(self):
        """Key: Odoo is told twice."""
        self.check_access("write")
        self._duplicate()

    def action_reorder(self):
        """Key: Odoo is told in the wrong order."""
        self.check_access("write")
        self._reorder()

    def action_lose(self):
        """Key: Odoo never hears of it again."""
        self.check_access("write")
        self._lose()

    # === TO THE TELEPHONE === #

    @api.model
    def _take(self, carrier, texts):
        """Take over texts that Odoo sends, each once.

        :param carrier: ``sms.demo.carrier``
        :param list texts: of dicts with ``uuid``, ``from``, ``to`` and ``body``
        :return: the texts, known ones too
        """
        uuids = [text["uuid"] for text in texts]
        known = self.search([("carrier_id", "=", carrier.id), ("uuid", "in", uuids)])
        numbers = [text["to"] for text in texts]
        phones = self.env["sms.demo.phone"]._map_numbers(numbers, carrier.company_id)
        new = self.create(
            [
                self._prepare_values(carrier, phones[text["to"]], text)
                for text in texts
                if text["uuid"] not in set(known.mapped("uuid"))
            ]
        )
        new._schedule()
        return known | new

    def _prepare_values(self, carrier, phone, text):
        return {
            "carrier_id": carrier.id,
            "phone_id": phone.id,
            "direction": "to_phone",
            "address": text["from"],
            "body": text["body"],
            "parts": measure(text["body"]).segments,
            "uuid": text["uuid"],
        }

    def _schedule(self):
        """Let the texts arrive after the carrier's delivery time, or wait for a key."""
        for carrier, texts in self.grouped("carrier_id").items():
            if carrier.delivery == "auto":
                texts._delay(carrier.latency)
        self._update_screens()

    @api.model
    def _arrive_due(self):
        """Let the texts arrive whose time has come."""
        self.flush_model()
        self.env.cr.execute(
            """
            SELECT id FROM sms_demo_text
             WHERE state = 'waiting' AND due_at <= clock_timestamp() at time zone 'utc'
             ORDER BY due_at, id LIMIT %s FOR NO KEY UPDATE SKIP LOCKED
            """,
            [ARRIVAL_LIMIT],
            log_exceptions=False,
        )
        due = self.browse([row[0] for row in self.env.cr.fetchall()])
        for fate, texts in due.grouped(lambda text: text._choose_fate()).items():
            texts._meet(fate)

    def _choose_fate(self):
        """What happens to the text now, as telephone and carrier are."""
        if self.phone_id.mode == "off":
            return "wait"
        if self.phone_id.mode == "gone":
            return "unknown"
        if self.carrier_id._happens("lose_rate"):
            return "lose"
        if self.carrier_id._happens("fail_rate"):
            return random.choice(FAILURES)[0]
        return "deliver"

    def _meet(self, fate):
        """:param str fate: ``deliver``, ``lose``, ``wait`` or the code of a failure"""
        if fate == "deliver":
            self._deliver()
        elif fate == "lose":
            self._lose()
        elif fate == "wait":
            self.due_at = False
        else:
            self._fail(fate)

    def _deliver(self):
        """The telephones have the texts; Odoo is told."""
        self._check_direction("to_phone")
        self._end("delivered")
        self._tell_reports("delivered")

    def _fail(self, code="network", reason=None):
        """The telephones do not get the texts; Odoo is told.

        :param str code: one of ``FAILURES``
        :param str reason: other words than the usual ones of the code
        """
        self._check_direction("to_phone")
        reason = reason or dict(FAILURES)[code]
        self._end("failed", failure_code=code, failure_reason=reason)
        self._tell_reports("failed", code=code, reason=reason)

    def _end(self, state, **values):
        failure = {"failure_code": False, "failure_reason": False}
        self.write({"state": state, "due_at": False, **failure, **values})

    def _check_direction(self, direction):
        if any(text.direction != direction for text in self):
            raise UserError(self.env._("This key is for texts that Odoo sent."))

    # === FROM THE TELEPHONE === #

    @api.model
    def _send(self, carrier, phone, address, body):
        """A text from a telephone to one of Odoo's addresses.

        :return: the text; Odoo hears of it after the commit
        """
        text = self.sudo().create(
            {
                "carrier_id": carrier.id,
                "phone_id": phone.id,
                "direction": "from_phone",
                "address": address,
                "body": body,
                "parts": measure(body).segments,
            }
        )
        text._tell_inbound()
        return text.sudo(self.env.su)

    def _tell_inbound(self):
        """Tell Odoo of texts from telephones, unless the carrier loses them."""
        lost = self.filtered(lambda text: text.carrier_id._happens("lose_rate"))
        lost._lose()
        (self - lost)._call("inbound", lambda text: {"texts": [text._prepare_inbound()]})

    def _prepare_inbound(self):
        return {
            "id": self.reference,
            "from": self.phone_id.number,
            "to": self.address,
            "body": self.body,
            "sent_at": int(time.time()),
        }

    def _set_taken(self):
        """Odoo has the texts."""
        self.filtered(lambda text: text.state == "waiting")._end("delivered")

    # === MISCHIEF === #

    def _delay(self, seconds):
        """The texts arrive, or Odoo is told of them, that much later."""
        due_at = self.env.cr.now() + timedelta(seconds=seconds)
        to_phones = self.filtered(lambda text: text.direction == "to_phone")
        to_phones.write({"state": "waiting", "due_at": due_at})
        self._get_open_calls().due_at = due_at
        self.env["sms.demo.call"]._wake_worker()

    def _duplicate(self):
        """Odoo is told twice; what it was not told yet, it is told now."""
        self._settle()
        calls = self.env["sms.demo.call"].sudo()
        calls.union(*(text.call_ids[:1] for text in self.sudo()))._repeat()

    def _reorder(self):
        """Odoo is told in the wrong order.

        Of a text to a telephone it hears that it is on its way after it was delivered; of a text
        from a telephone after those that follow within two seconds.
        """
        self._settle()
        from_phones = self.filtered(lambda text: text.direction == "from_phone")
        from_phones._get_open_calls()._put_off(DISORDER_DELAY)
        (self - from_phones)._tell_reports("on_the_way")

    def _lose(self):
        """Odoo never hears of the texts again."""
        self._get_open_calls().unlink()
        self._end("lost")

    def _settle(self):
        """Deliver what nobody has decided on yet."""
        self.filtered(
            lambda text: text.direction == "to_phone" and text.state == "waiting"
        )._deliver()

    # === TELLING ODOO === #

    def _tell_reports(self, status, **details):
        """Queue a delivery report for each text."""
        self._call(
            "status",
            lambda text: {
                "reports": [{"id": text.reference, "uuid": text.uuid, "status": status, **details}]
            },
        )

    def _call(self, kind, prepare):
        """Queue a call to Odoo for each text.

        :param str kind: ``inbound`` or ``status``
        :param prepare: function of a text that returns what to tell, in JSON values
        """
        calls = (
            self.env["sms.demo.call"]
            .sudo()
            .create(
                [
                    {
                        "text_id": text.id,
                        "kind": kind,
                        "payload": json.dumps(prepare(text), ensure_ascii=False),
                    }
                    for text in self
                ]
            )
        )
        calls._suffer_mischief()

    def _get_open_calls(self):
        return self.sudo().call_ids.filtered(lambda call: call.state == "waiting")

    # === SCREEN === #

    def _format_for_screen(self):
        """The text as the screen shows it, in JSON values."""
        return {
            "id": self.id,
            "direction": self.direction,
            "address": self.address,
            "body": self.body,
            "state": self.state,
            "failure_reason": self.failure_reason,
            "sent_at": fields.Datetime.to_string(self.create_date),
            "due_at": fields.Datetime.to_string(self.due_at),
            "trouble": self._get_trouble(),
        }

    def _get_trouble(self):
        """Odoo's last answer, while the carrier has to call again."""
        troubled = self.sudo().call_ids.filtered(lambda call: call.answer and call.state != "done")
        return troubled[:1].answer

    def _update_screens(self):
        self.env["sms.demo.carrier"]._update_screens()
