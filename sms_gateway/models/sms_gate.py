from collections import defaultdict
from functools import lru_cache
from uuid import uuid4

from odoo import SUPERUSER_ID, api, models
from odoo.exceptions import UserError
from odoo.tools.rendering_tools import INLINE_TEMPLATE_REGEX

from ..const import E164, LANES
from ..engine.segments import measure

#: The ledger's state of a text that comes to the outbox in one of core's states.
LEDGER_STATES = {
    "outgoing": "queued",
    "process": "unknown",
    "pending": "sent",
    "sent": "delivered",
    "error": "failed",
    "canceled": "cancelled",
}
#: Whose text it is, and whose it was to be where another sender had to take over.
SENDER_FIELDS = ("sender_id", "intended_sender_id")
#: A mass send measures the same body again and again.
measure_cached = lru_cache(maxsize=2048)(measure)


class SmsGate(models.AbstractModel):
    """What every text passes on its way into the outbox; a part of ``sms.sms``.

    In this order: the values are completed, checked, refused aloud where a person pressed *Send*,
    and written into the ledger; once the texts exist, the lanes are woken. Refused texts exist
    too, as failed or cancelled, with the reason.
    """

    _name = "sms.gate"
    _description = "SMS Gate"

    def _gate_prepare(self, vals_list):
        """Complete the values: sender, record, uuid; none of ours is left to the context."""
        messages = (
            self.env["mail.message"]
            .sudo()
            .browse([vals["mail_message_id"] for vals in vals_list if vals.get("mail_message_id")])
        )
        default_senders = {}
        for vals in vals_list:
            message = messages.browse(vals.get("mail_message_id"))
            if "sender_id" not in vals:
                company = message.record_company_id or self.env.company
                number = vals.get("number")
                key = company, self.env["sms.sender.rule"]._get_sender(company, number)
                if key not in default_senders:
                    default_senders[key] = self._gate_choose_sender(company, number)
                vals["sender_id"] = default_senders[key].id
            self._gate_complete(vals, message)

    def _gate_choose_sender(self, company, number=None):
        """The sender of a text whose creator named none: chosen in the composer, else default."""
        Sender = self.env["sms.sender"].sudo()
        if "sms_sender_id" not in self.env.context:
            return Sender._get_default_sender(self.env.user, company, number)
        chosen = Sender.browse(self.env.context["sms_sender_id"] or ())
        if chosen and not chosen.exists():
            raise UserError(self.env._("The chosen sender was deleted. Choose another sender."))
        if self.env.context.get("sms_sender_by_number"):
            return self.env["sms.sender.rule"]._get_sender(company, number) or chosen
        return chosen

    def _gate_complete(self, vals, mail_message):
        context = self.env.context
        chosen = self.env["sms.sender"].sudo().browse(vals["sender_id"] or ())
        sender = chosen._get_reachable()
        vals["sender_id"] = sender.id
        vals["gateway_id"] = sender.gateway_id.id
        vals["intended_sender_id"] = chosen.id if sender != chosen else False
        vals.setdefault("uuid", self._new_uuid())
        vals.setdefault("state", "outgoing")
        vals["lane"] = vals.get("lane") or context.get("sms_lane") or "normal"
        vals["origin"] = vals.get("origin") or context.get("sms_origin") or "system"
        vals["res_model"] = vals.get("res_model") or mail_message.model or False
        vals["res_id"] = vals.get("res_id") or mail_message.res_id or False
        for name in ("message_id", "claimed_at", "send_after", "attempts"):
            vals[name] = False  # not left out, for then the context's default would count
        vals["is_optout_confirmation"] = self.env.su and vals.get("is_optout_confirmation", False)

    def _gate_check(self, vals_list):
        """Which of the texts may not go, and why.

        :return: (failure type, words) by index in ``vals_list``
        """
        used = {name: {v[name] for v in vals_list} - {False} for name in SENDER_FIELDS}
        senders, intended = (self.env["sms.sender"].sudo().browse(ids) for ids in used.values())
        forbidden = (senders | intended).filtered(self._gate_is_forbidden_choice)
        blacklisted = self._gate_get_blacklisted(
            {vals.get("number") for vals in vals_list} if self._gate_is_in_use() else ()
        )
        refusals = {}
        for index, vals in enumerate(vals_list):
            if vals["state"] != "outgoing":
                continue
            sender = senders.browse(vals["sender_id"] or ())
            chosen = senders.browse(vals["intended_sender_id"] or ()) or sender
            if chosen in forbidden:
                refusals[index] = (
                    "sms_sender",
                    self.env._(
                        "You may not send with %s. Choose another sender.", chosen.display_name
                    ),
                )
            elif refusal := self._gate_check_one(vals, sender, blacklisted):
                refusals[index] = refusal
        self._gate_check_balance(vals_list, senders, refusals)
        return refusals

    @api.model
    def _gate_is_in_use(self):
        """Whether this database sends with senders of ours; where not, Odoo is as it was."""
        return self.env["sms.sender"]._is_any_in_use()

    def _gate_is_forbidden_choice(self, sender):
        """Whether a user chose a sender that is not his, in the composer or with a crafted call.

        Code that names a sender itself (a flow, a campaign) answers for it.
        """
        chosen = not self.env.su or sender.id == self.env.context.get("sms_sender_id")
        return chosen and not sender._may_be_used_by(self.env.user)

    def _gate_check_one(self, vals, sender, blacklisted):
        """Why the text may not go: (failure type, words), or None.

        Override to add a check; call super first, the order is the order of importance.
        """
        if vals.get("number") in blacklisted and not self._gate_may_ignore_opt_out(vals):
            return "sms_blacklist", self.env._(
                "%s has opted out of texts. Call, or ask the customer to opt in.", vals["number"]
            )
        if not sender:
            message = self.env["mail.message"].sudo().browse(vals.get("mail_message_id"))
            company = message.record_company_id or self.env.company
            return self._gate_check_switch(company) or self._gate_check_merge_fields(vals)
        return (
            self._gate_check_switch(sender.company_id)
            or self._gate_check_bulk(vals, sender.company_id)
            or self._gate_check_sender(vals, sender)
            or self._gate_check_number(vals)
            or self._gate_check_merge_fields(vals)
            or self._gate_check_body(vals, sender.company_id)
        )

    def _gate_may_ignore_opt_out(self, vals):
        """The confirmation of an opt-out; and Odoo's own way where a user chose to ignore it."""
        ignored = self.env.context.get("sms_use_exclusion_list") is False
        return vals["is_optout_confirmation"] or (ignored and not vals["sender_id"])

    def _gate_check_switch(self, company):
        if company.sudo().sms_enabled:
            return None
        return "sms_disabled", self.env._(
            "SMS is switched off for %s. Contact an administrator to switch it on.",
            company.sudo().name,
        )

    def _gate_check_bulk(self, vals, company):
        if vals["lane"] != "bulk" or company.sms_bulk_enabled:
            return None
        return "sms_bulk_disabled", self.env._(
            "Bulk SMS is not activated for %s. An administrator activates it in the settings.",
            company.name,
        )

    def _gate_check_sender(self, vals, sender):
        gateway = sender.gateway_id
        if sender.state != "approved" or not sender.active:
            words = self.env._(
                "The sender %s is not approved. Choose another, or ask an administrator to "
                "approve it.",
                sender.display_name,
            )
        elif gateway.state == "disabled" or not gateway.active:
            words = self.env._(
                "The gateway %s is disabled. Choose another sender, or ask an administrator to "
                "enable it.",
                gateway.name,
            )
        elif gateway.state == "test" and not gateway._is_test_number(vals.get("number")):
            words = self.env._(
                "The gateway %(gateway)s is in test: it sends to the numbers of internal users "
                "only, and %(number)s is none.",
                gateway=gateway.name,
                number=vals.get("number"),
            )
        else:
            return None
        return "sms_sender", words

    def _gate_check_number(self, vals):
        number = vals.get("number")
        if not number:
            return "sms_number_missing", self.env._(
                "There is no number to send to. Enter one on the record."
            )
        if E164.fullmatch(number):
            return None
        return "sms_number_format", self.env._(
            "“%s” is not a number in international form (E.164): write a plus sign, the country "
            "code and the number, or set the country of the record.",
            number,
        )

    def _gate_check_merge_fields(self, vals):
        body = vals.get("body") or ""
        fields_left = [match[1].strip() for match in INLINE_TEMPLATE_REGEX.finditer(body)]
        _before, opened, rest = body.rpartition("{{")
        if opened and "}}" not in rest:
            fields_left.append(rest.strip())
        if fields_left:
            return "sms_merge_field", self._gate_describe_merge_fields(vals, fields_left)
        return None

    def _gate_check_body(self, vals, company):
        body = vals.get("body") or ""
        if not body.strip():
            return "sms_merge_field", self.env._("The text is empty.")
        segments, limit = measure_cached(body).segments, company.sms_max_segments
        if limit and segments > limit:
            return "sms_too_long", self.env._(
                "The text takes %(segments)s SMS, %(limit)s are allowed. Shorten it.",
                segments=segments,
                limit=limit,
            )
        return None

    def _gate_describe_merge_fields(self, vals, expressions):
        """The fields that strict rendering left unfilled, by label, with the record's name."""
        model = self.env.get(vals["res_model"]) if vals["res_model"] else None
        names = ", ".join(_describe_expression(model, e) for e in expressions)
        if model is None or not vals["res_id"]:
            return self.env._("Empty or unknown merge field: %s. Fill it or edit the text.", names)
        return self.env._(
            "Empty or unknown merge field on %(record)s: %(names)s. Fill it or edit the text.",
            record=model.browse(vals["res_id"]).sudo().display_name,
            names=names,
        )

    def _gate_check_balance(self, vals_list, senders, refusals):
        """Reserve the prepaid balance of each company, text by text, as far as it goes."""
        wanted = defaultdict(list)
        for index, vals in enumerate(vals_list):
            company = senders.browse(vals["sender_id"] or ()).company_id
            if (
                company.sms_balance_enabled
                and vals["state"] == "outgoing"
                and index not in refusals
            ):
                wanted[company].append((index, measure_cached(vals.get("body") or "").segments))
        for company, needs in wanted.items():
            refusals.update(company._reserve_sms_balance(needs))

    @api.model
    def _gate_get_blacklisted(self, numbers):
        """Those of the numbers (E.164) that have opted out."""
        if not numbers:
            return set()
        self.env["phone.blacklist"].flush_model(["number", "active"])
        self.env.cr.execute(
            "SELECT number FROM phone_blacklist WHERE active AND number = ANY(%s)",
            [[number for number in numbers if number]],
        )
        return {number for (number,) in self.env.cr.fetchall()}

    def _gate_raise(self, vals_list, refusals):
        """A person who presses *Send* gets the error at once; a business write never (P10)."""
        if refusals and self.env.context.get("sms_raise_refusal"):
            raise UserError("\n".join(dict.fromkeys(words for _type, words in refusals.values())))

    def _gate_record(self, vals_list, refusals):
        """Mark what was refused, and write the ledger of what has a sender of ours."""
        for index, (failure_type, _words) in refusals.items():
            cancelled = failure_type == "sms_blacklist"
            vals_list[index]["state"] = "canceled" if cancelled else "error"
            vals_list[index]["failure_type"] = failure_type
        ours = [index for index, vals in enumerate(vals_list) if vals["sender_id"]]
        messages = self.env["sms.message"]._insert_outgoing(
            [
                self._prepare_message_values(vals_list[index], *refusals.get(index, (False, False)))
                for index in ours
            ]
        )
        for index, message in zip(ours, messages, strict=True):
            vals_list[index]["message_id"] = message.id

    def _prepare_message_values(self, vals, failure_type, words):
        """Values of the ledger row of a text."""
        sender = self.env["sms.sender"].sudo().browse(vals["sender_id"])
        figures = self._measure_values(vals.get("body"))
        company = sender.company_id
        prepaid = vals["state"] == "outgoing" and company.sms_balance_enabled
        return {
            "uuid": vals["uuid"],
            "direction": "out",
            "state": LEDGER_STATES[vals["state"]],
            "gateway_id": vals["gateway_id"],
            "sender_id": sender.id,
            "intended_sender_id": vals["intended_sender_id"],
            "address": sender.address,
            "number": vals.get("number"),
            "body": vals.get("body"),
            "origin": vals["origin"],
            "failure_type": failure_type or vals.get("failure_type") or False,
            "failure_reason": words,
            "res_model": vals["res_model"],
            "res_id": vals["res_id"],
            "partner_id": vals.get("partner_id"),
            "user_id": self.env.uid if self.env.uid != SUPERUSER_ID else False,
            "mail_message_id": vals.get("mail_message_id"),
            "company_id": company.id,
            "prepaid_segments": figures["segments"] if prepaid else 0,
            **figures,
        }

    def _gate_follow_up(self):
        """After the texts exist: order within each pair, trackers of what was refused, wake up."""
        ours = self.filtered("sender_id")
        queued = ours.filtered(lambda sms: sms.state == "outgoing")
        queued._hurry_earlier_texts()
        for lane in set(queued.mapped("lane")):
            self.env["sms.lane"]._wake(lane)
        for text in self.filtered(lambda sms: sms.state in ("error", "canceled")):
            text.sms_tracker_id._action_update_from_sms_state(
                text.state,
                failure_type=text.failure_type,
                failure_reason=text.sudo().message_id.failure_reason,
            )

    def _hurry_earlier_texts(self):
        """Texts to one customer leave in the order they were written (P4).

        So an earlier one that waits in a slower lane moves to the lane of the later one.
        """
        lanes = [lane for lane, _label in LANES]
        for lane, texts in self.grouped("lane").items():
            if slower := lanes[lanes.index(lane) + 1 :]:
                self.flush_model(["sender_id", "number", "state", "lane"])
                self.env.cr.execute(
                    """
                    UPDATE sms_sms earlier SET lane = %s FROM sms_sms later
                     WHERE later.id = ANY(%s) AND earlier.id < later.id
                       AND earlier.sender_id = later.sender_id AND earlier.number = later.number
                       AND earlier.state = 'outgoing' AND earlier.lane = ANY(%s)
                       AND (earlier.attempts > 0 OR earlier.send_after IS NULL)
                    """,
                    [lane, texts.ids, slower],
                )
                self.invalidate_model(["lane"], flush=False)

    # === HELPERS === #

    @api.model
    def _new_uuid(self):
        return uuid4().hex

    @api.model
    def _measure_values(self, body):
        figures = measure_cached(body or "")
        return {"encoding": figures.encoding, "segments": figures.segments}


def _describe_expression(model, expression):
    """A merge field as a person knows it: ``object.city`` is *City (object.city)*."""
    root, *path = expression.split(".")
    labels = []
    if root != "object":
        return expression
    for name in path:
        field = model._fields.get(name) if model is not None else None
        if field is None:
            return expression
        labels.append(field._description_string(model.env))
        model = model.env[field.comodel_name] if field.relational else None
    return f"{' › '.join(labels)} ({expression})" if labels else expression
