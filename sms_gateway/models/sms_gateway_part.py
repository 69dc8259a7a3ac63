from datetime import timedelta

from odoo import api, fields, models

from ..const import EVENT_RETENTION_DAYS, PART_WAIT
from ..engine.contract import InboundText
from .sms_message import storable


class SmsGatewayPart(models.Model):
    """A part of a long text that its provider does not join, until the others are here too.

    Kept joined for as long as a call can be repeated: a part that comes again is no new text.
    """

    _name = "sms.gateway.part"
    _description = "SMS Gateway Part of a Text"
    _order = "id"
    _log_access = False

    gateway_id = fields.Many2one("sms.gateway", required=True, readonly=True, ondelete="cascade")
    provider_ref = fields.Char(required=True, readonly=True)
    number = fields.Char(required=True, readonly=True)
    address = fields.Char(readonly=True)
    reference = fields.Char(required=True, readonly=True)
    position = fields.Integer(required=True, readonly=True)
    total = fields.Integer(required=True, readonly=True)
    body = fields.Text(readonly=True)
    sent_at = fields.Datetime(readonly=True)
    received_at = fields.Datetime(required=True, readonly=True, default=fields.Datetime.now)
    is_joined = fields.Boolean(readonly=True, default=False)

    _once = models.UniqueIndex("(gateway_id, provider_ref)")
    _waiting_idx = models.Index("(gateway_id, number, reference) WHERE is_joined IS NOT TRUE")

    @api.model
    def _join(self, gateway, texts):
        """Keep parts back until their text is whole.

        :param list texts: of :class:`InboundText`, some of them parts
        :return: list of :class:`InboundText`: whole ones only
        """
        parts = [text for text in texts if text.part]
        if not parts:
            return texts
        waiting = self._store(gateway, parts)
        whole = [text for text in texts if not text.part]
        return whole + waiting._take(lambda group: len(group) == group[:1].total)

    def _store(self, gateway, parts):
        """Add parts that are new to those that wait.

        :return: all parts that wait for one of these numbers
        """
        fresh = {text.provider_ref: text for text in parts}
        for known in self.search(
            [("gateway_id", "=", gateway.id), ("provider_ref", "in", list(fresh))]
        ):
            del fresh[known.provider_ref]
        self.create([self._prepare_values(gateway, text) for text in fresh.values()])
        self.env["sms.gateway.event"]._wake(at=fields.Datetime.now() + timedelta(seconds=PART_WAIT))
        numbers = [text.number for text in parts]
        return self.search(
            [
                ("gateway_id", "=", gateway.id),
                ("number", "in", numbers),
                ("is_joined", "=", False),
            ]
        )

    def _prepare_values(self, gateway, text):
        return {
            "gateway_id": gateway.id,
            "provider_ref": text.provider_ref,
            "number": text.number,
            "address": text.address,
            "reference": text.part.reference,
            "position": text.part.number,
            "total": text.part.total,
            "body": storable(text.body),
            "sent_at": text.sent_at,
        }

    def _take(self, is_ready):
        """The texts of those parts that make one and are ready.

        :param is_ready: function of the parts of one text
        :return: list of :class:`InboundText`, oldest first
        """
        groups = self.grouped(
            lambda part: (part.number, part.address, part.reference, part.total)
        ).values()
        groups = [text for group in groups for text in group._split_by_text()]
        ready = [group for group in groups if is_ready(group)]
        return [group._make_text() for group in sorted(ready, key=lambda group: min(group.ids))]

    def _split_by_text(self):
        """Parts that are numbered alike belong to several texts, of which the older come first."""
        texts = []
        for part in self.sorted("id"):
            numbers = [set(text.mapped("position")) for text in texts]
            home = next((n for n, known in enumerate(numbers) if part.position not in known), None)
            if home is None:
                texts.append(part)
            else:
                texts[home] |= part
        return texts

    def _make_text(self):
        """One text of its parts; where one is missing, an ellipsis tells."""
        bodies = {part.position: part.body or "" for part in self}
        first = self.sorted("position")[0]
        self.write({"is_joined": True})
        return InboundText(
            number=first.number,
            address=first.address or "",
            body="".join(bodies.get(n, " […] ") for n in range(1, first.total + 1)),
            provider_ref=first.provider_ref,
            sent_at=first.sent_at,
        )

    @api.model
    def _get_late(self):
        """By gateway, the parts whose texts have waited long enough for the others."""
        before = fields.Datetime.now() - timedelta(seconds=PART_WAIT)
        late = self.search([("is_joined", "=", False), ("received_at", "<=", before)])
        return late.grouped("gateway_id")

    def _release(self, gateway):
        """Hand on what has come of these texts, also later; nothing waits for ever."""
        come = self.search(
            [
                ("gateway_id", "=", gateway.id),
                ("is_joined", "=", False),
                ("number", "in", self.mapped("number")),
                ("reference", "in", self.mapped("reference")),
            ]
        )
        self.env["sms.message"].sudo()._receive(gateway.sudo(), come._take(bool))

    @api.autovacuum
    def _gc_old(self):
        before = fields.Datetime.now() - timedelta(days=EVENT_RETENTION_DAYS)
        self.search([("received_at", "<", before), ("is_joined", "=", True)]).unlink()
