from collections import defaultdict
from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools.rendering_tools import INLINE_TEMPLATE_REGEX

from odoo.addons.sms_gateway.engine.segments import find_culprits, measure
from odoo.addons.sms_gateway.models.sms_gate import _describe_expression

from ..engine import lint

#: Records on which the texts are tried, the newest.
SAMPLE = 500
#: Characters, words or fields named in one finding.
NAMED = 10
SEVERITIES = [("error", "Error"), ("warning", "Warning"), ("info", "Hint")]


class Finding(NamedTuple):
    """What was found: how bad it is, in words, in which step, and ids of records with it."""

    severity: str
    words: str
    step_id: int = False
    record_ids: tuple = ()


class SmsFlowCheck(models.TransientModel):
    """What may be wrong with a flow, found before its customers find it.

    The plan is checked by the rules of ``engine/lint.py``, the texts by rendering them for real
    records. Only errors keep a flow from being switched on.
    """

    _name = "sms.flow.check"
    _description = "SMS Flow Check"

    flow_id = fields.Many2one("sms.flow", required=True, readonly=True, ondelete="cascade")
    switch_on = fields.Boolean(readonly=True, help="The flow is to be switched on.")
    sample_count = fields.Integer("Records looked at", readonly=True)
    line_ids = fields.One2many("sms.flow.check.line", "check_id", "Findings", readonly=True)
    has_error = fields.Boolean(compute="_compute_has_error")

    @api.depends("line_ids.severity")
    def _compute_has_error(self):
        for check in self:
            check.has_error = "error" in check.line_ids.mapped("severity")

    # === ACTION METHODS === #

    @api.model
    def _open(self, flow, switch_on=False):
        """Check a flow; show what was found, or say that it is well.

        :param bool switch_on: switch it on where nothing but hints was found
        :return: the action
        """
        self.check_access("create")
        records = self._get_sample(flow)
        findings = self._find(flow, records)
        serious = [finding for finding in findings if finding.severity != "info"]
        if switch_on and (not serious or not (flow.sms_enabled and flow.sender_id)):
            return self._switch_on(flow, len(records))
        if not findings:
            return self._notify(self._get_all_clear(flow, len(records)))
        return self._create_check(flow, switch_on, records, findings)._get_form_action()

    @api.model
    def _create_check(self, flow, switch_on, records, findings):
        lines = [Command.create(self._prepare_line_values(finding)) for finding in findings]
        values = {"flow_id": flow.id, "switch_on": switch_on, "sample_count": len(records)}
        return self.create({**values, "line_ids": lines})

    @api.model
    def _prepare_line_values(self, finding):
        return {
            "sequence": [severity for severity, _label in SEVERITIES].index(finding.severity),
            "severity": finding.severity,
            "step_id": finding.step_id,
            "words": finding.words,
            "record_count": len(finding.record_ids),
            "record_ids": list(finding.record_ids),
        }

    def _get_form_action(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Check of %s", self.flow_id.name),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
        }

    def action_check_again(self):
        """Look anew, after something was put right."""
        self.ensure_one()
        return self._open(self.flow_id, self.switch_on)

    def action_switch_on(self):
        """Switch the flow on though there are warnings."""
        self.ensure_one()
        if self.has_error:
            raise UserError(
                self.env._(
                    "%s cannot be switched on: put the errors right first.", self.flow_id.name
                )
            )
        return self._switch_on(self.flow_id, self.sample_count)

    @api.model
    def _switch_on(self, flow, sample_count):
        flow.flow_enabled = True
        return self._notify(
            self.env._(
                "%(flow)s is on. %(looked)s",
                flow=flow.name,
                looked=self._get_sample_words(sample_count),
            )
        )

    @api.model
    def _get_all_clear(self, flow, sample_count):
        return self.env._(
            "Nothing found in %(flow)s. %(looked)s",
            flow=flow.name,
            looked=self._get_sample_words(sample_count),
        )

    @api.model
    def _get_sample_words(self, sample_count):
        if not sample_count:
            return self.env._("There was no record to try the texts on.")
        return self.env._("The texts were tried on %s records.", sample_count)

    @api.model
    def _notify(self, message):
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": message,
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    # === RULES === #

    @api.model
    def _find(self, flow, records):
        """Everything found, the worst first.

        :param records: those that the texts are tried on
        :return: list of :class:`Finding`
        """
        found = [*self._check_set_up(flow), *self._check_plan(flow), *self._check_number(flow)]
        keywords = self.env["sms.keyword"]._find_rows(flow.company_id.id)
        for step, plan in zip(flow.step_ids, self._get_plan(flow), strict=True):
            found += self._check_overlaps(step, plan)
            found += self._check_keywords(step, plan, keywords)
            found += self._check_ends(step, plan)
            found += self._check_reminders(step, plan)
            found += self._check_text(step, records)
        order = [severity for severity, _label in SEVERITIES]
        return sorted(found, key=lambda finding: order.index(finding.severity))

    @api.model
    def _get_plan(self, flow):
        """The steps as plain data, in their order.

        :return: list of :class:`lint.Step`
        """
        return [
            lint.Step(
                step.id,
                tuple(
                    lint.Reply(
                        tuple(reply._get_words()), reply.match == "word", reply.target_step_id.id
                    )
                    for reply in step.reply_ids
                ),
                tuple(self._get_reminder_plan(reminder) for reminder in step.reminder_ids),
                step.expires_after * lint.MINUTES[step.expires_unit],
                step.expires_step_id.id or None,
                step.is_final,
            )
            for step in flow.step_ids
        ]

    @api.model
    def _get_reminder_plan(self, reminder):
        delay = reminder.delay * lint.MINUTES[reminder.delay_unit]
        window = reminder.window_start, reminder.window_end
        return lint.Reminder(reminder.id, delay, reminder.base, *window)

    # === RULES: THE FLOW === #

    @api.model
    def _check_set_up(self, flow):
        """Whether it can run at all, and hear answers where it asks for them."""
        if not flow.step_ids:
            yield Finding("error", self.env._("The flow has no step. Add one."))
        sender = flow.sender_id
        if not sender:
            yield Finding("error", self.env._("The flow has no sender. Switch SMS on, choose one."))
        elif asking := flow.step_ids.filtered("reply_ids"):
            steps = ", ".join(asking[:NAMED].mapped("name"))
            if not sender.can_receive:
                yield Finding("error", self._get_deaf_words(sender, steps))
            elif not flow.inbound_enabled:
                words = self.env._(
                    "%s wait for answers, but “Listen to answers” is off. Switch it on.", steps
                )
                yield Finding("error", words)

    @api.model
    def _get_deaf_words(self, sender, steps):
        if sender.kind == "text":
            return self.env._(
                "%(steps)s wait for answers, but %(sender)s is a name, to which nobody can answer. "
                "Choose a number as the sender.",
                steps=steps,
                sender=sender.display_name,
            )
        return self.env._(
            "%(steps)s wait for answers, but %(sender)s does not receive any. Switch that on for "
            "the sender, or choose another.",
            steps=steps,
            sender=sender.display_name,
        )

    @api.model
    def _check_number(self, flow):
        """Whether others use the number (R030, R031)."""
        if flow.sender_note:
            severity = "warning" if flow.other_flow_ids else "info"
            yield Finding(severity, flow.sender_note)

    @api.model
    def _check_plan(self, flow):
        """Steps that nothing leads to, and ways that lead round."""
        plan = self._get_plan(flow)
        for id_ in lint.find_unreachable(plan):
            words = self.env._("No answer leads here: it is reached by hand or automation only.")
            yield Finding("info" if flow.model == "crm.lead" else "warning", words, id_)
        for word, ids in lint.find_word_loops(plan):
            words = self.env._(
                "Who always answers “%(word)s” goes round in circles: %(steps)s. After some rounds "
                "within a day the flow stops for the customer.",
                word=word,
                steps=self._get_way(ids),
            )
            yield Finding("warning", words, ids[0])
        for ids in lint.find_silent_loops(plan):
            words = self.env._(
                "Who never answers goes round in circles, and gets texts for ever: %s. Let one of "
                "the steps give up for good.",
                self._get_way(ids),
            )
            yield Finding("warning", words, ids[0])

    @api.model
    def _get_way(self, ids):
        names = self.env["sms.flow.step"].browse([*ids, ids[0]]).mapped(lambda step: step.name)
        return " → ".join(names)

    # === RULES: A STEP === #

    @api.model
    def _check_overlaps(self, step, plan):
        """Answers that take the same words for theirs."""
        for one, other, common, is_doubtful in lint.find_overlaps(plan.replies):
            pair = step.reply_ids[one] + step.reply_ids[other]
            words = self._get_overlap_words(pair, ", ".join(common[:NAMED]), is_doubtful)
            yield Finding("error" if is_doubtful else "warning", words, step.id)

    @api.model
    def _get_overlap_words(self, pair, common, is_doubtful):
        one, other = (reply.target_step_id.name for reply in pair)
        if is_doubtful:
            return self.env._(
                "“%(words)s” leads to %(one)s and to %(other)s. Take it out of one of the two.",
                words=common,
                one=one,
                other=other,
            )
        return self.env._(
            "“%(words)s” fits the answers to %(one)s and to %(other)s. As a text of its own it "
            "leads to %(exact)s.",
            words=common,
            one=one,
            other=other,
            exact=pair.filtered(lambda reply: reply.match == "exact").target_step_id.name,
        )

    @api.model
    def _check_keywords(self, step, plan, keywords):
        """Answers that are also words of the company, or of providers, with a meaning."""
        words = dict.fromkeys(word for reply in plan.replies for word in reply.words)
        for word in words:
            kinds = keywords.get(word, {})
            if "hard_words" in kinds:
                yield Finding("error", self._get_keyword_words("hard_words", word), step.id)
                continue
            for kind in kinds:
                yield Finding("warning", self._get_keyword_words(kind, word), step.id)
            if word in lint.PROVIDER_WORDS:
                yield Finding("warning", self._get_keyword_words("provider", word), step.id)

    @api.model
    def _get_keyword_words(self, kind, word):
        return {
            "hard_words": self.env._(
                "“%s” is an opt-out word and always stops the texts; it never gets here as an "
                "answer. Choose another.",
                word,
            ),
            "soft_words": self.env._(
                "“%s” also opts customers out. While the question is open it is the answer; later "
                "it stops all texts.",
                word,
            ),
            "optin_words": self.env._(
                "“%s” also opts customers in again. While the question is open it is the answer.",
                word,
            ),
            "help_words": self.env._(
                "“%s” also asks for help. While the question is open it is the answer.", word
            ),
            "provider": self.env._(
                "Some providers take “%s” for an opt-out themselves: they block the customer, and "
                "the answer may never arrive. Ask yours, or choose another word.",
                word,
            ),
        }[kind]

    @api.model
    def _check_ends(self, step, plan):
        """Questions that nobody hears the answer to, and steps that nobody leaves."""
        if not plan.replies:
            if self._get_literal(step).rstrip().endswith("?"):
                words = self.env._("The text asks, but takes no answer. Add the answers.")
                yield Finding("warning", words, step.id)
            elif not plan.is_final and not plan.arrows:
                words = self.env._(
                    "Nothing leads on from here. If customers are through, mark it as the last "
                    "step."
                )
                yield Finding("info", words, step.id)
        elif not step.body:
            words = self.env._("It has answers, but no text that asks for them.")
            yield Finding("warning", words, step.id)
        elif plan.is_final:
            words = self.env._("It is the last step: its answers are not waited for.")
            yield Finding("warning", words, step.id)
        elif not plan.reminders and not plan.expires:
            words = self.env._(
                "Who does not answer stays here for ever. Add a reminder, or a time to give up "
                "after."
            )
            yield Finding("warning", words, step.id)

    @api.model
    def _check_reminders(self, step, plan):
        """Reminders that never go."""
        if plan.reminders and (plan.is_final or not step.body):
            words = self.env._("Its reminders never go: nothing is waited for here.")
            yield Finding("warning", words, step.id)
            return
        for id_ in lint.find_late_reminders(plan):
            words = self.env._(
                "The reminder %s never goes: the step is given up before.", self._get_delay(id_)
            )
            yield Finding("warning", words, step.id)
        yield from self._check_windows(step, plan)

    @api.model
    def _check_windows(self, step, plan):
        company = step.flow_id.company_id.sudo()
        quiet = company.sms_quiet_start, company.sms_quiet_end
        for reminder in plan.reminders if company.sms_quiet_hours else ():
            if lint.never_opens(reminder.start, reminder.end, *quiet):
                words = self.env._(
                    "The reminder %(delay)s never goes: its window, %(start)s to %(end)s, lies in "
                    "the quiet hours of the company.",
                    delay=self._get_delay(reminder.id),
                    start=lint.format_hour(reminder.start),
                    end=lint.format_hour(reminder.end),
                )
                yield Finding("warning", words, step.id)

    @api.model
    def _get_delay(self, reminder_id):
        reminder = self.env["sms.flow.reminder"].browse(reminder_id)
        units = dict(reminder._fields["delay_unit"]._description_selection(self.env))
        return self.env._(
            "after %(number)s %(unit)s", number=reminder.delay, unit=units[reminder.delay_unit]
        )

    # === RULES: TEXTS === #

    @api.model
    def _get_sample(self, flow):
        """The newest records that may get the texts, of those the user may read."""
        Model = self.env[flow.model]
        if not Model.has_access("read"):
            return Model
        if flow.model == "crm.lead":
            return Model.search(
                [
                    ("team_id", "=", flow.team_id.id),
                    ("company_id", "in", (False, flow.company_id.id)),
                ],
                order="id desc",
                limit=SAMPLE,
            )
        runs = self.env["sms.flow.run"].search(
            [("flow_id", "=", flow.id), ("res_model", "=", flow.model)], limit=SAMPLE
        )
        return Model.browse(runs.mapped("res_id")).exists()

    @api.model
    def _check_text(self, step, records):
        """The text as it would go out to real records."""
        if not step.body:
            return
        if unknown := self._find_unknown_fields(step):
            words = self.env._(
                "There is no field %s. No text can go out: put the merge field right.",
                ", ".join(unknown[:NAMED]),
            )
            yield Finding("error", words, step.id)
            return
        texts = step._render_texts(records) if records else {}
        yield from self._check_merge_fields(step, texts)
        filled = {id_: t for id_, t in texts.items() if not INLINE_TEMPLATE_REGEX.search(t)}
        yield from self._check_alphabet(step, filled)
        yield from self._check_length(step, filled)

    @api.model
    def _find_unknown_fields(self, step):
        """Paths of merge fields that the records do not have."""
        paths = lint.get_paths(self._get_body(step))
        return [path for path in paths if not self._is_known(path, self.env[step.model])]

    @api.model
    def _is_known(self, path, model):
        for name in path.split("."):
            field = model._fields.get(name)
            if field is None:
                return hasattr(model, name)
            if not field.relational:
                return True
            model = self.env[field.comodel_name]
        return True

    @api.model
    def _check_merge_fields(self, step, texts):
        """Records that get no text, for a merge field is empty."""
        empty = defaultdict(list)
        for id_, text in texts.items():
            for match in INLINE_TEMPLATE_REGEX.finditer(text):
                empty[match[1].strip()].append(id_)
        for expression, ids in empty.items():
            words = self.env._(
                "%(field)s is empty on %(count)s of %(total)s records; they get no text.",
                field=_describe_expression(self.env[step.model], expression),
                count=len(set(ids)),
                total=len(texts),
            )
            yield Finding("warning", words, step.id, tuple(dict.fromkeys(ids)))

    @api.model
    def _check_alphabet(self, step, texts):
        """Characters that make a text dearer (R001).

        Those of the text itself are dear for all; a name with such a letter is only told of.
        """
        literal = self._get_literal(step)
        texts = texts or {0: literal}
        ids = [id_ for id_, text in texts.items() if find_culprits(text)]
        if not ids:
            return
        characters = dict.fromkeys(char for id_ in ids for char in find_culprits(texts[id_]))
        dear = max(measure(texts[id_]).segments for id_ in ids)
        cheap = max(measure(lint.replace_culprits(texts[id_])).segments for id_ in ids)
        words = self.env._(
            "Not in the alphabet of SMS: %(characters)s. So 70 characters fit into one SMS instead "
            "of 160; the text takes up to %(dear)s SMS, without them %(cheap)s.",
            characters=" ".join(list(characters)[:NAMED]),
            dear=dear,
            cheap=cheap,
        )
        severity = "warning" if find_culprits(literal) and dear > cheap else "info"
        yield Finding(severity, words, step.id, tuple(id_ for id_ in ids if id_))

    @api.model
    def _check_length(self, step, texts):
        """Texts that are refused for their length, be it as a reminder."""
        limit = step.flow_id.company_id.sudo().sms_max_segments
        if not limit:
            return
        literal = self._get_literal(step)
        if measure(literal).segments > limit:
            words = self.env._(
                "The text takes %(segments)s SMS and is refused: %(limit)s are allowed. Shorten "
                "it.",
                segments=measure(literal).segments,
                limit=limit,
            )
            yield Finding("error", words, step.id)
            return
        prefix = self._get_longest_prefix(step)
        lengths = {id_: measure(prefix + text).segments for id_, text in texts.items()}
        long = tuple(id_ for id_, segments in lengths.items() if segments > limit)
        if long:
            words = self.env._(
                "The text or its reminder takes up to %(segments)s SMS and is refused on %(count)s "
                "of %(total)s records: %(limit)s are allowed. Shorten it.",
                segments=max(lengths.values()),
                count=len(long),
                total=len(texts),
                limit=limit,
            )
            yield Finding("warning", words, step.id, long)

    @api.model
    def _get_longest_prefix(self, step):
        reminders = (
            step.flow_id._with_flow_lang().env["sms.flow.reminder"].browse(step.reminder_ids.ids)
        )
        prefixes = [f"{reminder.prefix.strip()} " for reminder in reminders if reminder.prefix]
        return max(prefixes, key=len, default="")

    @api.model
    def _get_literal(self, step):
        return lint.get_literal(self._get_body(step))

    @api.model
    def _get_body(self, step):
        """The text in the language of the flow's company."""
        return step.flow_id._with_flow_lang().env["sms.flow.step"].browse(step.id).body or ""


class SmsFlowCheckLine(models.TransientModel):
    """One finding."""

    _name = "sms.flow.check.line"
    _description = "SMS Flow Finding"
    _order = "sequence, id"

    check_id = fields.Many2one("sms.flow.check", required=True, index=True, ondelete="cascade")
    sequence = fields.Integer()
    severity = fields.Selection(SEVERITIES, readonly=True)
    step_id = fields.Many2one("sms.flow.step", "Step", readonly=True, ondelete="cascade")
    words = fields.Text("What", readonly=True)
    record_count = fields.Integer("Records", readonly=True)
    record_ids = fields.Json(readonly=True)

    def action_open_records(self):
        """The records that it is about."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.words,
            "res_model": self.check_id.flow_id.model,
            "view_mode": "list,form",
            "views": [(False, "list"), (False, "form")],
            "domain": [("id", "in", self.record_ids or [])],
        }

    def action_open_step(self):
        """The step, to put it right."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.step_id.name,
            "res_model": "sms.flow.step",
            "res_id": self.step_id.id,
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
        }
