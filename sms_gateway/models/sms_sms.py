import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.sms.tools.sms_tools import sms_content_to_rendered_html

from ..const import (
    CORE_DELIVERY_FAILURE_TYPES,
    FAILURE_TYPES,
    LANES,
    ORIGINS,
    RETRY_DELAYS,
)

_logger = logging.getLogger(__name__)


class SmsSms(models.Model):
    """Core's outbox, with one gate in front of it.

    Whoever wants to send creates a ``sms.sms``, as all of Odoo does. A text with one of our
    senders is checked here, gets its row in the ledger (``sms.message``) and leaves by a lane
    (``sms.lane``). A text without one goes Odoo's own way.
    """

    _name = "sms.sms"
    _inherit = ["sms.sms", "sms.gate"]

    sender_id = fields.Many2one("sms.sender", index="btree_not_null", ondelete="restrict")
    intended_sender_id = fields.Many2one("sms.sender", readonly=True)
    gateway_id = fields.Many2one("sms.gateway", readonly=True)
    message_id = fields.Many2one("sms.message", index="btree_not_null", ondelete="cascade")
    lane = fields.Selection(LANES)
    origin = fields.Selection(ORIGINS)
    res_model = fields.Char()
    res_id = fields.Many2oneReference(model_field="res_model")
    claimed_at = fields.Datetime(readonly=True)
    send_after = fields.Datetime(readonly=True, help="Not tried again before.")
    attempts = fields.Integer(readonly=True)
    is_optout_confirmation = fields.Boolean(
        readonly=True, help="The one text that a number may still get after its opt-out."
    )
    failure_type = fields.Selection(selection_add=[*FAILURE_TYPES, *CORE_DELIVERY_FAILURE_TYPES])

    _queue_idx = models.Index("(gateway_id, lane, id) WHERE state = 'outgoing'")
    _in_flight_idx = models.Index("(gateway_id, lane) WHERE state = 'process'")
    _pair_idx = models.Index("(sender_id, number, id) WHERE state IN ('outgoing', 'process')")

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """Override of `sms`: the gate that every text passes."""
        vals_list = [dict(vals) for vals in vals_list]
        self._gate_prepare(vals_list)
        refusals = self._gate_check(vals_list)
        self._gate_raise(vals_list, refusals)
        self._gate_record(vals_list, refusals)
        texts = super().create(vals_list)
        texts._gate_follow_up()
        return texts

    @api.ondelete(at_uninstall=False)
    def _unlink_cancels_queued(self):
        """A text deleted from the outbox is cancelled in the ledger; one under way is awaited."""
        if self.filtered(lambda sms: sms.sender_id and sms.state == "process"):
            raise UserError(self.env._("A text is being sent. Wait for its state, then delete it."))
        self.message_id.sudo()._set_cancelled()  # the ledger is written by no person

    # === SENDING === #

    def send(self, unlink_failed=False, unlink_sent=True, raise_exception=False):
        """Override of `sms`: texts with a sender of ours leave by their lane, after the commit."""
        others = self.filtered(lambda sms: not sms.sender_id)
        return super(SmsSms, others).send(
            unlink_failed=unlink_failed, unlink_sent=unlink_sent, raise_exception=raise_exception
        )

    @api.model
    def _process_queue(self):
        """Override of `sms`: core's queue, without ours, and safe for several companies.

        Core hands up to 500 mixed texts to ``_send``, which stops the whole queue at the second
        company. ``send`` splits them by provider and company first.
        """
        domain = [("state", "=", "outgoing"), ("to_delete", "!=", True), ("sender_id", "=", False)]
        batch_size = int(
            self.env["ir.config_parameter"].sudo().get_param("sms.session.batch.size", 500)
        )
        texts = self.search(domain, limit=batch_size, order="id")
        for company_texts in texts.grouped(lambda sms: sms._get_sms_company()).values():
            company_texts._process_company_queue()
        if texts:
            remaining = self.search_count(domain) if len(texts) == batch_size else 0
            self.env["ir.cron"]._commit_progress(len(texts), remaining=remaining)

    def _process_company_queue(self):
        """Send texts of one company; its failure must not stop the others."""
        company = self._get_sms_company()
        try:
            allowed = self - self._cancel_forbidden(company)
            allowed.with_company(company).send(raise_exception=False)
        except Exception:
            _logger.exception("SMS queue: %s texts of %s not sent", len(self), company.name)
            self.env.cr.rollback()
        self.env["ir.cron"]._commit_progress(0)

    def _cancel_forbidden(self, company):
        """Texts of core's queue that may not go any more: switched off, or opted out since."""
        blacklisted = self._gate_get_blacklisted(set(self.mapped("number")))
        opted_out = self.filtered(lambda sms: sms.number in blacklisted)
        opted_out._update_sms_state_and_trackers("canceled", "sms_blacklist")
        switched_off = self - opted_out if not company.sms_enabled else self.browse()
        switched_off._update_sms_state_and_trackers("error", "sms_disabled")
        return opted_out | switched_off

    def resend_failed(self):
        """Override of `sms`: a failed text of ours is final, so resending writes a new one.

        Once; and not of what may have arrived, which looks the same in this list.
        """
        ours = self.filtered("sender_id")
        failed = ours.filtered(lambda sms: sms.message_id.state == "failed" and not sms.to_delete)
        failed.message_id.sudo()._resend()
        failed.to_delete = True
        return super(SmsSms, self - ours).resend_failed() if self - ours else True

    @api.model
    def _send_from_records(self, records, texts, **common):
        """Send each record's customer a text, with what can be sent and what cannot in its chatter.

        For programs: nothing is raised, a text that is refused stands as failed on the record
        (P10). Records without a chatter have the ledger only.

        :param records: of one model
        :param dict texts: by record id, of ``number``, ``body`` and ``partner_id``
        :param common: values of all of them, e.g. ``sender_id``, ``lane``, ``origin``
        :return: ``sms.sms``, in the order of the records
        """
        values = [
            {**common, **texts[record.id], "res_model": record._name, "res_id": record.id}
            for record in records
        ]
        is_thread = isinstance(records, self.pool["mail.thread"])
        if is_thread and records:
            bodies = {
                record.id: sms_content_to_rendered_html(texts[record.id]["body"] or "")
                for record in records
            }
            notes = records._message_log_batch(bodies, message_type="sms", clone=True)
            for vals, note in zip(values, notes, strict=True):
                vals["mail_message_id"] = note.id
        sent = self.sudo().with_context(sms_raise_refusal=False).create(values)
        if is_thread:
            sent._create_notifications()
        return sent

    def _create_notifications(self):
        """Notification and tracker of texts logged in bulk, so that their state shows.

        By the database: one by one they would cost as much as all the rest of a mass send.
        """
        self.env.flush_all()
        without_report = self.sender_id.gateway_id.filtered(lambda g: not g.support_status)
        self.env.cr.execute(
            """
            WITH notification AS (
                 INSERT INTO mail_notification (
                        author_id, mail_message_id, res_partner_id, sms_number, sms_id_int,
                        notification_type, is_read, read_date, notification_status,
                        failure_type, failure_reason, sms_without_report)
                 SELECT mail.author_id, mail.id, text.partner_id, text.number, text.id,
                        'sms', true, now() at time zone 'utc',
                        CASE text.state WHEN 'outgoing' THEN 'ready' ELSE 'exception' END,
                        text.failure_type, ledger.failure_reason, text.gateway_id = ANY(%s)
                   FROM sms_sms text
                   JOIN mail_message mail ON mail.id = text.mail_message_id
                   LEFT JOIN sms_message ledger ON ledger.id = text.message_id
                  WHERE text.id = ANY(%s)
              RETURNING id, sms_id_int)
            INSERT INTO sms_tracker (
                   sms_uuid, mail_notification_id, create_uid, write_uid, create_date, write_date)
            SELECT text.uuid, notification.id, %s, %s,
                   now() at time zone 'utc', now() at time zone 'utc'
              FROM notification JOIN sms_sms text ON text.id = notification.sms_id_int
                ON CONFLICT (sms_uuid)
                DO UPDATE SET mail_notification_id = excluded.mail_notification_id
            """,
            [without_report.ids, self.ids, self.env.uid, self.env.uid],
        )
        self.mail_message_id.invalidate_recordset(["notification_ids"])
        self.env["sms.tracker"].invalidate_model(["mail_notification_id"])
        self.invalidate_recordset(["sms_tracker_id"])

    def _retry_later(self, result):
        """The provider certainly did not take the text: try again, later and later, then give up.

        :param result: :class:`SendResult`
        """
        for text in self:
            if result.unreached and text._divert():
                continue
            if text.attempts >= len(RETRY_DELAYS):
                text._give_up(result)
                continue
            delay = max(RETRY_DELAYS[text.attempts], result.retry_after or 0)
            text.message_id._set_queued()
            text.write(
                {
                    "attempts": text.attempts + 1,
                    "send_after": self.env.cr.now() + timedelta(seconds=delay),
                }
            )
            self.env["sms.lane"]._wake(text.lane, at=text.send_after)

    def _give_up(self, result):
        """No more tries: it has failed for certain, unless an answer may have been lost."""
        if self._may_have_been_taken():
            self.message_id._set_unknown(result.reason)
        else:
            self.message_id._set_failed(
                result.failure_type or "sms_server", result.reason, result.code
            )

    def _divert(self):
        """Leave by the sender's fallback, once; certainly nothing of the text has left (P2).

        What was written to the same customer since goes with it: it must not be there first (P4).
        What was tried before stays with a provider that recognises a repeated request: there, the
        answer to the first may have been lost.

        :return: whether there was a fallback
        """
        fallback = self.sender_id._get_fallback()
        if self.intended_sender_id or self._may_have_been_taken() or not fallback:
            return False
        self.message_id._set_queued()
        waiting = self | self.search(
            [
                ("sender_id", "=", self.sender_id.id),
                ("number", "=", self.number),
                ("state", "=", "outgoing"),
                ("id", ">", self.id),
            ]
        ).filtered(lambda text: not text._may_have_been_taken())
        waiting.message_id._divert(fallback)
        for text in waiting:
            text.write(
                {
                    "intended_sender_id": text.sender_id.id,
                    "sender_id": fallback.id,
                    "gateway_id": fallback.gateway_id.id,
                }
            )
        for lane in set(waiting.mapped("lane")):
            self.env["sms.lane"]._wake(lane)
        return True

    def _may_have_been_taken(self):
        """Whether the text waits although the provider may have it, as one that it would know."""
        return bool(self.attempts and self.gateway_id.support_idempotency)

    def _update_sms_state_and_trackers(self, new_state, failure_type=None):
        """Override of `sms`: cancelling or retrying in the outbox changes the ledger too."""
        ours = self.filtered("message_id")
        messages = ours.message_id.sudo()
        res = super(SmsSms, self - ours)._update_sms_state_and_trackers(new_state, failure_type)
        if new_state == "canceled":
            messages._set_cancelled()
        elif new_state == "error":
            messages._set_failed(failure_type)
        elif new_state == "outgoing":
            messages.filtered(lambda m: m.state in ("failed", "cancelled"))._resend()
        return res
