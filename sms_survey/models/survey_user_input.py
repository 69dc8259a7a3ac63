import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from odoo.addons.contact_center.engine.numbers import is_mobile

_logger = logging.getLogger(__name__)

#: Customers asked, and questions given up, in one transaction.
BATCH = 200
#: States in which a text may be the answer; after the last one a person must say that it is.
ANSWERABLE = ("sent", "invalid", "expired")


class SurveyUserInput(models.Model):
    """Of a survey by SMS: one customer who is asked once, e.g. after a call.

    It owns the question that is out (``sms.prompt``). Whoever is not asked has a row, too, with
    the reason.
    """

    _inherit = "survey.user_input"

    # === FIELDS === #

    company_id = fields.Many2one(related="survey_id.company_id", store=True, index="btree_not_null")
    service_id = fields.Many2one(
        "contact.center.service", readonly=True, index="btree_not_null", ondelete="set null"
    )
    agent_id = fields.Many2one(
        "contact.center.agent",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        groups="survey.group_survey_manager",
    )
    call_id = fields.Many2one(
        "contact.center.call",
        readonly=True,
        ondelete="set null",
        groups="survey.group_survey_manager",
    )
    callback_id = fields.Many2one(
        "contact.center.callback",
        readonly=True,
        ondelete="set null",
        groups="survey.group_survey_manager",
    )
    res_model = fields.Char("Record model", readonly=True)
    res_id = fields.Many2oneReference("Record", model_field="res_model", readonly=True)
    number = fields.Char(readonly=True, help="In international form.")
    sms_state = fields.Selection(
        [
            ("waiting", "To be asked"),
            ("sent", "Asked"),
            ("answered", "Answered"),
            ("invalid", "Not understood"),
            ("expired", "No answer"),
            ("skipped", "Passed over"),
            ("failed", "Not sent"),
        ],
        "SMS",
        readonly=True,
    )
    skip_reason = fields.Selection(
        [
            ("off", "Survey closed, or without a sender or a question"),
            ("no_number", "No number"),
            ("not_mobile", "No mobile number"),
            ("blacklisted", "Opted out"),
            ("quarantine", "Asked lately"),
        ],
        "Passed over because",
        readonly=True,
    )
    failure_reason = fields.Char("Not sent because", readonly=True)
    due_at = fields.Datetime("To be asked at", readonly=True)
    asked_at = fields.Datetime(readonly=True)
    replied_at = fields.Datetime("Answered at", readonly=True)
    is_late = fields.Boolean("Late", readonly=True, help="An answer came after the time for it.")
    question_id = fields.Many2one(
        "survey.question",
        "Question out",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
    )
    question_message_id = fields.Many2one(
        "sms.message", readonly=True, index="btree_not_null", ondelete="set null"
    )
    sms_message_ids = fields.One2many("sms.message", "survey_input_id", "Texts", readonly=True)

    _call_uniq = models.UniqueIndex("(call_id) WHERE call_id IS NOT NULL")
    _callback_uniq = models.UniqueIndex("(callback_id) WHERE callback_id IS NOT NULL")
    _due_idx = models.Index("(due_at) WHERE sms_state = 'waiting'")
    _expiry_idx = models.Index("(deadline) WHERE sms_state = 'sent'")
    _number_idx = models.Index("(number, asked_at) WHERE number IS NOT NULL")
    _record_idx = models.Index("(res_model, res_id) WHERE res_id IS NOT NULL")

    # === RENDERING === #

    @api.model
    def mail_allowed_qweb_expressions(self):
        """Override of `mail`: what the text of a question may have, whoever writes it."""
        return (
            *super().mail_allowed_qweb_expressions(),
            "object.agent_id.name",
            "object.service_id.name",
            "object.survey_id.title",
        )

    # === BUSINESS METHODS: PLANNING === #

    @api.model
    def _plan_for_source(self, source, record, agent):
        """Plan the question of a call or a callback, once; its service and agent are the last.

        :param str source: the field that links to the record
        """
        service = record.service_id
        planned = self.search([(source, "=", record.id)])
        if planned.sms_state == "waiting" and planned.survey_id != service.survey_id:
            planned.unlink()
        if existing := planned.exists():
            existing.write({"service_id": service.id, "agent_id": agent.id})
        elif service.survey_id:
            self._plan(
                service.survey_id,
                {
                    source: record.id,
                    "service_id": service.id,
                    "agent_id": agent.id,
                    "number": record.number,
                    "partner_id": record.partner_id.id,
                    "lang_id": self._find_lang(record._get_langs()),
                },
            )

    @api.model
    def _plan_for_records(self, survey, records):
        """Plan the question to the customers of any records; nothing is raised (P10)."""
        try:
            with self.env.cr.savepoint():
                for record, info in self._get_customers(survey, records):
                    self._plan(survey, self._prepare_for_record(survey, record, info))
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            raise
        except Exception as error:
            _logger.warning("Survey %s was not sent to %s", survey, records, exc_info=True)
            self._note_failure(survey, records, error)

    @api.model
    def _note_failure(self, survey, records, error):
        """It stands on the records, where somebody sees it."""
        words = self.env._(
            "The survey %(survey)s was not sent: %(why)s", survey=survey.title, why=error
        )
        records.sudo()._message_log_batch(dict.fromkeys(records.ids, words))

    @api.model
    def _get_customers(self, survey, records):
        """Records that wait for no question of the survey yet, and whom to text of each."""
        waiting = self.search(
            [
                ("survey_id", "=", survey.id),
                ("sms_state", "=", "waiting"),
                ("res_model", "=", records._name),
                ("res_id", "in", records.ids),
            ]
        )
        fresh = records.browse(set(records.ids) - set(waiting.mapped("res_id")))
        infos = fresh._sms_get_recipients_info()
        return [(record, infos[record.id]) for record in fresh]

    @api.model
    def _prepare_for_record(self, survey, record, info):
        user = record["user_id"] if "user_id" in record else self.env["res.users"]
        company = survey.company_id or self.env.company
        partner = info["partner"] or record._mail_get_partners()[record.id][:1]
        is_user = user._name == "res.users"
        agents = self.env["contact.center.agent"]
        return {
            "res_model": record._name,
            "res_id": record.id,
            "agent_id": agents._find_of_user(user, company).id if is_user else False,
            "number": info["sanitized"] or False,
            "partner_id": partner.id,
            "lang_id": self._find_lang([partner.lang]),
        }

    @api.model
    def _plan(self, survey, values):
        due_at = self.env.cr.now() + timedelta(minutes=survey.sms_delay_minutes)
        self.create({"survey_id": survey.id, "sms_state": "waiting", "due_at": due_at, **values})
        if not survey.sms_delay_minutes:
            self.env.ref("sms_survey.ir_cron_due")._trigger()

    @api.model
    def _find_lang(self, codes):
        """Id of the first of the languages that is active, or False."""
        known = self.env["res.lang"]
        return next((lang.id for code in codes if (lang := known._lang_get(code or ""))), False)

    # === BUSINESS METHODS: ASKING === #

    @api.model
    def _run_due(self):
        """Ask whoever is to be asked by now, and give up what is over; the scheduled action."""
        while due := self._pick("waiting", "due_at"):
            due._pass_over_unfit()._ask_first()
            if not self.env["ir.cron"]._commit_progress(len(due)):
                return
        while over := self._pick("sent", "deadline"):
            over._expire()
            if not self.env["ir.cron"]._commit_progress(len(over)):
                return

    @api.model
    def _pick(self, state, fname):
        """The next rows in a state whose moment has come; nobody else has them meanwhile."""
        domain = [("sms_state", "=", state), (fname, "<=", self.env.cr.now())]
        return self.search(domain, order=f"{fname}, id", limit=BATCH).try_lock_for_update(
            allow_referencing=True
        )

    def _pass_over_unfit(self):
        """Those who may not be asked stay, with the reason; returns the others (decision 8).

        Of several rows of one number only the first is seen to; it decides about the next ones.
        """
        blacklisted = self.env["sms.sms"]._gate_get_blacklisted(set(self.mapped("number")))
        asked = self._find_asked_lately()
        fit = {}
        for row in self:
            key = (row.company_id, row.number)
            if key in fit:
                continue
            if reason := row._get_skip_reason(blacklisted, asked.get(key)):
                row.write({"sms_state": "skipped", "skip_reason": reason})
            else:
                fit[key] = row
        return self.browse().concat(*fit.values())

    def _find_asked_lately(self):
        """When the numbers were asked last, by company and number."""
        rows = self._read_group(
            [
                ("number", "in", [number for number in self.mapped("number") if number]),
                ("company_id", "in", self.company_id.ids),
                ("asked_at", "!=", False),
                ("sms_state", "!=", "failed"),
            ],
            ["company_id", "number"],
            ["asked_at:max"],
        )
        return {(company, number): asked_at for company, number, asked_at in rows}

    def _get_skip_reason(self, blacklisted, asked_at):
        """Why the customer is not asked; one of ``skip_reason``, or None."""
        quarantine = timedelta(days=self.survey_id.sms_quarantine_days)
        count_either = not self.service_id or self.service_id.ambiguous_is_mobile
        reasons = {
            "off": not self.survey_id._can_ask(),
            "no_number": not self.number,
            "not_mobile": not is_mobile(self.number, count_either),
            "blacklisted": self.number in blacklisted,
            "quarantine": bool(asked_at) and asked_at > self.env.cr.now() - quarantine,
        }
        return next((reason for reason, holds in reasons.items() if holds), None)

    def _ask_first(self):
        """Send the first question; one that is out to the same number is over."""
        self._supersede()
        for row in self:
            row.question_id = row.predefined_question_ids[:1]
        self._mark_in_progress()
        self._ask(self._render_first())

    def _supersede(self):
        """Two questions to one number could not be told apart: the older ones are over."""
        older = self.search(
            [
                ("number", "in", self.mapped("number")),
                ("survey_id.sms_sender_id", "in", self.survey_id.sms_sender_id.ids),
                ("sms_state", "in", ("sent", "invalid")),
            ]
        )
        older._find_open_questions()._set_late()
        older.filtered(lambda row: row.sms_state == "sent").sms_state = "expired"

    def _render_first(self):
        """The text of the question to each: the service's, else the survey's (R103).

        :return: dict of str by row; what cannot be filled stays in braces, and the gate refuses it
        """
        renderer = self.env["mail.render.mixin"].with_context(sms_strict_rendering=True)
        bodies = {}
        for (template, lang), rows in self.grouped(
            lambda row: (row.service_id.survey_body, row._get_lang())
        ).items():
            if template:
                rendered = renderer.with_context(lang=lang)._render_template_inline_template(
                    template, self._name, rows.ids
                )
                bodies |= {row: rendered[row.id] for row in rows}
            else:
                bodies |= {row: row._with_lang().question_id._get_sms_text() for row in rows}
        return bodies

    def _get_lang(self):
        """Code of the customer's language, else the company's."""
        return self.lang_id.code or self.company_id.partner_id.lang or self.env.lang

    def _with_lang(self):
        return self.with_context(lang=self._get_lang())

    def _ask(self, bodies):
        """Send questions and wait for their answers; one that cannot be sent says why.

        :param dict bodies: str by row
        """
        for row in self:
            try:
                with self.env.cr.savepoint():
                    row.sms_state = "sent"
                    row._note_asked(row._send(bodies[row]))
            except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
                raise
            except Exception as error:
                _logger.warning("The question of %s was not sent", row, exc_info=True)
                row.write({"sms_state": "failed", "failure_reason": str(error)})

    def _note_asked(self, message):
        self.question_message_id = message
        if message.state != "queued":
            self._note_failed(message)
            return
        now = self.env.cr.now()
        deadline = now + timedelta(hours=self.survey_id.sms_expiry_hours)
        self.write({"asked_at": self.asked_at or now, "deadline": deadline})
        self.env["sms.prompt"]._ask(self, message, deadline)

    def _send(self, body):
        """Send the customer a text, in the chatter of the contact where there is one.

        :return: its ``sms.message``; one that may not go stands as failed there
        """
        holder = self.partner_id or self
        text = self.env["sms.sms"]._send_from_records(
            holder,
            {holder.id: {"number": self.number, "partner_id": self.partner_id.id, "body": body}},
            sender_id=self.survey_id.sms_sender_id.id,
            origin="survey",
            lane="normal",
        )
        text.message_id.survey_input_id = self
        return text.message_id

    def _find_open_questions(self):
        domain = [
            ("res_model", "=", self._name),
            ("res_id", "in", self.ids),
            ("state", "=", "open"),
        ]
        return self.env["sms.prompt"].sudo().search(domain)

    # === BUSINESS METHODS: ANSWERS === #

    def _handle_sms_reply(self, prompt, message):
        """Take a text for the answer, where it is one of the accepted words (R104).

        Implements the contract of ``sms.prompt``. What is not understood waits in the inbox; the
        question stays open, and the first valid answer counts.

        :return: whether it was an answer
        """
        self.ensure_one()
        row = self.sudo()
        if row.sms_state not in ANSWERABLE or not row.question_id:
            return False
        message.survey_input_id = row
        answer = row._with_lang().question_id._find_sms_answer(message.body)
        if answer:
            row._note_answer(answer, is_late=prompt.state != "open")
        else:
            row._note_invalid()
        return bool(answer)

    def _note_answer(self, answer, is_late=False):
        """The customer has answered: the Survey app's own line, then the next question or none."""
        self._save_lines(self.question_id, answer.id)
        self.write({"replied_at": self.env.cr.now(), "is_late": self.is_late or is_late})
        following = self._get_following_question()
        if following:
            self.question_id = following
            self._ask({self: self._with_lang().question_id._get_sms_text()})
        else:
            self.sms_state = "answered"
            self._mark_done()
            self._send_note("sms_thank_you")

    def _get_following_question(self):
        """The next question that is not answered and not made needless by an answer."""
        done = self.user_input_line_ids.question_id | self._get_inactive_conditional_questions()
        return (self.predefined_question_ids - done)[:1]

    def _note_invalid(self):
        if self.sms_state == "sent":
            self.sms_state = "invalid"
            self._send_note("sms_not_understood")

    def _send_note(self, fname):
        """A text that asks nothing, where the survey has one."""
        if body := self._with_lang().survey_id[fname]:
            self._send(body)

    def _note_extra(self, message):
        """A text to a question that is closed, where it would have been an answer: kept (R102)."""
        self.ensure_one()
        row = self.sudo()
        if not row._with_lang().question_id._find_sms_answer(message.body):
            return
        message.survey_input_id = row
        row.is_late = row.is_late or row.sms_state != "answered"

    def _expire(self):
        """Nobody answered in time."""
        self._find_open_questions()._set_expired()
        self.sms_state = "expired"

    # === BUSINESS METHODS: TEXTS === #

    def _note_failed(self, message):
        """The question did not reach the customer."""
        if self.sms_state != "sent":
            return
        self._find_open_questions()._set_cancelled()
        why = message.failure_reason or dict(message._selection_failure_type()).get(
            message.failure_type
        )
        self.write({"sms_state": "failed", "failure_reason": why})

    def _note_resent(self, old, new):
        """Somebody sent a text again; a question asks as the first should have."""
        new.survey_input_id = self
        if self.question_message_id != old or new.state != "queued":
            return
        self._find_open_questions()._set_late()
        self.write({"sms_state": "sent", "failure_reason": False})
        self._note_asked(new)
