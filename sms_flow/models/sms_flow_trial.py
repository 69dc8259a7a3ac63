import contextlib
import re
from datetime import timedelta
from zoneinfo import ZoneInfo

from odoo import fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from odoo.addons.sms_gateway.engine.contract import InboundText
from odoo.addons.sms_gateway.engine.quiet_hours import next_allowed

from .sms_flow_picture import get_label

#: In the cache of the cursor of a trial: the actions that would have been run.
TRIAL = "sms_flow.trial"
#: Of the sample customer.
SAMPLE_NUMBER = "+4791234567"
#: What is played of one script, and what happens by itself while the clock is moved once.
MOST_MOVES, MOST_EVENTS = 200, 100
#: The clock is moved so far at once, at most.
MOST_MINUTES = 366 * 24 * 60
#: Characters of one answer, as of the longest text.
MOST_CHARACTERS = 1600


class SmsFlowTrial(models.AbstractModel):
    """A dry run of a flow; a part of ``sms.flow``.

    A script is played by the real engine, in a cursor of its own that is rolled back whatever
    happens, on a clock that can be moved forward. What would reach beyond the database, or what
    others have hung on it, does not happen: see ``sms_flow_trial_guards``.
    """

    _name = "sms.flow.trial"
    _description = "Trial of an SMS Flow"

    # === ACTION METHODS === #

    def action_try(self):
        """Open the flow beside a telephone; nothing is sent."""
        self.ensure_one()
        self._check_may_try()
        return {
            "type": "ir.actions.client",
            "tag": "sms_flow_trial",
            "name": self.env._("Try: %s", self.name),
            "context": {"active_id": self.id},
        }

    # === PUBLIC METHODS === #

    def get_trial(self, script, res_id=False, started_at=False):
        """Play a script from its beginning, and tell what happened.

        :param list script: dicts with a ``type``: ``start`` (``step_id``, False for the first),
            ``reply`` (``text``), ``wait`` (``minutes``) or ``until_due``
        :param int res_id: of a record of the flow's model; False for a sample customer
        :param str started_at: of an earlier playing, in UTC: the clock begins there
        :return: dict, see :meth:`Trial.tell`
        """
        self.ensure_one()
        self._check_may_try()
        record = self.env[self.model].browse(res_id or ())
        record.check_access("read")
        with self._open_trial(started_at) as flow:
            trial = Trial(flow, record.id)
            for move in script[:MOST_MOVES]:
                trial.play(**move)
            return trial.tell()

    def _check_may_try(self):
        """Who may change a flow, or looks after SMS, may try it."""
        self.check_access("read")
        is_manager = self.env.user.has_group("sms_gateway.group_sms_manager")
        if not is_manager and not self.has_access("write"):
            raise AccessError(self.env._("Only who looks after SMS may try a flow."))
        if not self.sudo().sender_id:
            raise UserError(self.env._("%s: choose a sender before you try the flow.", self.name))
        if not self.sudo().step_ids:
            raise UserError(self.env._("%s: add a step before you try the flow.", self.name))

    # === THE CURSOR === #

    @contextlib.contextmanager
    def _open_trial(self, started_at=False):
        """The flow in a cursor of its own and as if switched on; nothing of it stays."""
        cr = self.env.registry.cursor()
        try:
            cr.commit = _refuse_commit
            cr.cache[TRIAL] = []
            begin = fields.Datetime.to_datetime(started_at) or cr.now()
            cr.now = Clock(begin.replace(microsecond=0))
            flow = self.with_env(self.env(cr=cr, su=True))
            flow._switch_on_for_trial()
            yield flow
        finally:
            cr.rollback()
            cr.close()

    def _switch_on_for_trial(self):
        """As it will be, straight in the database; a row that is right already is left alone."""
        self.env.cr.execute(
            """
            UPDATE sms_flow SET active = true, sms_enabled = true, flow_enabled = true
             WHERE id = %(flow)s AND NOT (active AND sms_enabled AND flow_enabled IS TRUE);
            UPDATE res_company SET sms_enabled = true
             WHERE id = (SELECT company_id FROM sms_flow WHERE id = %(flow)s)
               AND sms_enabled IS NOT TRUE;
            UPDATE sms_gateway gateway SET state = 'enabled', active = true
              FROM sms_sender sender
              JOIN sms_flow flow ON flow.sender_id = sender.id AND flow.id = %(flow)s
             WHERE gateway.id = sender.gateway_id
               AND NOT (gateway.active AND gateway.state = 'enabled')
            """,
            {"flow": self.id},
        )

    # === THE SAMPLE CUSTOMER === #

    def _create_trial_sample(self):
        """A record as it might be, that nobody else knows of."""
        self._free_sample_number()
        quiet = {
            "mail_create_nolog": True,
            "mail_create_nosubscribe": True,
            "mail_auto_subscribe_no_notify": True,
            "tracking_disable": True,
        }
        contact = self.env["res.partner"].with_context(**quiet).create(self._get_sample_contact())
        if self.model == "res.partner":
            return contact
        lead = self.env["crm.lead"].with_context(**quiet)
        return lead.create(self._get_sample_lead(contact))

    def _free_sample_number(self):
        """Whoever has the number in truth: he opted out of nothing and is asked nothing."""
        self.env.cr.execute(
            """
            UPDATE phone_blacklist SET active = false WHERE number = %(number)s AND active;
            UPDATE sms_prompt SET state = 'cancelled' WHERE number = %(number)s AND state = 'open'
            """,
            {"number": SAMPLE_NUMBER},
        )

    def _get_sample_contact(self):
        """Override to fill fields that the texts of your flows show."""
        return {
            "name": "Anna Hansen",
            "phone": SAMPLE_NUMBER,
            "email": "anna.hansen@example.com",
            "street": "Storgata 1",
            "zip": "0155",
            "city": "Oslo",
            "country_id": self.env["res.country"].search([("code", "=", "NO")], limit=1).id,
            "company_id": self.company_id.id,
            "user_id": self.env.uid,
            "lang": self.company_id.partner_id.lang or self.env.user.lang,
        }

    def _get_sample_lead(self, contact):
        """Override to fill fields that the texts of your flows show."""
        return {
            "name": self.env._("Sample: %s", contact.name),
            "type": "opportunity",
            "partner_id": contact.id,
            "contact_name": contact.name,
            "partner_name": "Hansen AS",
            "phone": contact.phone,
            "email_from": contact.email,
            "expected_revenue": 10000,
            "date_deadline": self.env.cr.now().date() + timedelta(days=7),
            "team_id": self.team_id.id,
            "company_id": self.company_id.id,
            "user_id": self.env.uid,
        }


class Clock:
    """The time of a cursor, which stands still but where it is moved."""

    def __init__(self, moment):
        self.moment = moment  # naive UTC

    def __call__(self):
        return self.moment


class Trial:
    """One playing of a script, in the cursor of a trial."""

    def __init__(self, flow, res_id):
        self.flow, self.env = flow, flow.env
        self.record = self.env[flow.model].browse(res_id) if res_id else flow._create_trial_sample()
        self.clock = self.env.cr.now
        self.started_at = self.clock.moment
        self.run = self._find_run()
        self.ended = self.run.state if self.run.state != "active" else False
        self.attention = self.run.attention
        self.lines = []
        self._told = {
            model: self._get_last_id(model) for model in ("sms.message", "sms.flow.entry")
        }

    # Moves ---------------------------------------------------------------------------------

    def play(self, type, **options):  # noqa: A002 - as in the script
        """Make one move of the script, and note what comes of it."""
        moves = {
            "start": self._start,
            "reply": self._reply,
            "wait": self._wait,
            "until_due": self._wait_until_due,
        }
        if type not in moves:
            raise UserError(self.env._("“%s” is no move of a trial.", type))
        moves[type](**options)

    def _start(self, step_id=False):
        """Somebody puts the record into a step."""
        steps = self.flow.step_ids
        step = steps.filtered(lambda s: s.id == step_id) or steps.filtered("body")[:1] or steps[:1]
        if refusal := self.flow._find_refusal(self.record):
            self._note("note", "attention", refusal)
            return
        transition = self.env["sms.flow.transition"]
        with transition._doing("hand"):
            transition._request_step(self.record, step)
        self._settle()

    def _reply(self, text=""):
        """The customer writes to the flow's number."""
        text = text.strip()[:MOST_CHARACTERS]
        number = self._get_number()
        sender = self.flow.sender_id
        if not text or not number or not sender.can_receive:
            return
        received = InboundText(
            number=number,
            address=sender.address,
            body=text,
            provider_ref=f"trial-{self.env['sms.sms']._new_uuid()}",
        )
        self.env["sms.message"]._receive(sender.gateway_id, [received])
        self._settle()

    def _wait(self, minutes=0):
        """Time goes by, and what falls due happens when it does."""
        until = self.clock.moment + timedelta(minutes=min(max(minutes, 0), MOST_MINUTES))
        for _event in range(MOST_EVENTS):
            due = self._find_due()
            if not due or due[0] > until:
                break
            self._see_to(due)
        self.clock.moment = max(until, self.clock.moment)

    def _wait_until_due(self):
        """Time goes by until something happens by itself."""
        if due := self._find_due():
            self._see_to(due)

    def _see_to(self, due):
        self.clock.moment = max(due[0], self.clock.moment)
        self.run._see_to_due()
        self._settle()

    def _find_due(self):
        """What happens next by itself: (moment, ``reminder`` or ``expiry``), or None."""
        run = self.run
        waiting = {"reminder": run.next_reminder_at, "expiry": run.expires_at}
        moments = [(moment, kind) for kind, moment in waiting.items() if moment]
        return min(moments) if moments and run.state == "active" else None

    # What came of it -----------------------------------------------------------------------

    def _settle(self):
        """Have done what is done at the end of a transaction, and note what is new."""
        self.env.cr.flush()
        self.run = self._find_run()
        texts, entries = self._pop_new("sms.message"), self._pop_new("sms.flow.entry")
        for text in texts.filtered(lambda t: t.direction == "in"):
            self._note_answer(text)
        for entry in entries.filtered(lambda e: e.run_id == self.run):
            self._note("note", "move", get_label(entry, "cause"), step=entry.step_id.name)
        for words in self.env.cr.cache[TRIAL]:
            self._note("note", "action", words)
        self.env.cr.cache[TRIAL].clear()
        for text in texts.filtered(lambda t: t.direction == "out"):
            self._note_text(text)
        texts.filtered(lambda t: t.state == "queued")._set_sent()
        self._note_outcome()

    def _pop_new(self, model):
        """The records of a model that this trial has made since it was asked last."""
        records = self.env[model].search([("id", ">", self._told[model])], order="id")
        self._told[model] = max(records.ids, default=self._told[model])
        return records

    def _note(self, who, kind, words=False, **values):
        self.lines.append(
            {"at": self._tell_time(), "who": who, "kind": kind, "words": words} | values
        )

    def _note_answer(self, text):
        words = False
        if text.inbox_state == "todo":
            words = self.env._("Waits in the inbox: %s", get_label(text, "inbox_reason"))
        elif text.keyword:
            words = get_label(text, "keyword")
        self._note("customer", "answer", words, body=text.body)

    def _note_text(self, text):
        step = text.flow_step_id.name
        if text.state != "queued":
            words = text.failure_reason or get_label(text, "failure_type")
            self._note("us", "refused", words, body=text.body, step=step)
            return
        kind = "reminder" if text.flow_reminder_id else "text"
        self._note("us", kind, self._explain_delay(text), body=text.body, step=step)

    def _explain_delay(self, text):
        """Why a text does not leave at once, or False."""
        company, now = text.company_id, self.clock.moment
        outbox = self.env["sms.sms"].search([("message_id", "=", text.id)])
        if not company.sms_quiet_hours or outbox.lane == "chat":
            return False
        until = next_allowed(now, self._get_zone(), company.sms_quiet_start, company.sms_quiet_end)
        if until <= now:
            return False
        return self.env._("Quiet hours: leaves at %s", self._localize(until).strftime("%H:%M"))

    def _note_outcome(self):
        """Why the record left the flow, or what needs attention."""
        run = self.run
        refused = {line["words"] for line in self.lines if line["kind"] == "refused"}
        if run.attention and run.attention != self.attention and run.attention not in refused:
            self._note("note", "attention", run.attention)
        ended = run.state if run.state != "active" else False
        if ended and ended != self.ended:
            self._note("note", "end", get_label(run, "end_reason"))
        self.attention, self.ended = run.attention, ended

    # Telling -------------------------------------------------------------------------------

    def tell(self):
        """What the screen shows; moments are on the customer's clock, as ``YYYY-MM-DD HH:MM:SS``.

        :return: dict of

            * ``transcript``: dicts of ``at``, ``who`` (us, customer, note), ``kind`` (text,
              reminder, refused, answer, move, action, attention, end), ``words`` (why, or False),
              and where it has them ``body`` and ``step``
            * ``customer``: ``name`` and ``number``; ``clock``, ``tz``; ``started_at`` in UTC
            * ``step``: where the record stands, or False; ``state`` of its run, or False
            * ``next``: what happens next by itself, ``at`` and ``kind``, or False
            * ``answers``: the words that are listened to, each with its ``target``
            * ``can_answer``: whether the flow's number takes texts at all; ``hints``
            * ``flow``: ``name``, ``model`` and ``domain`` of its records; ``picture``
        """
        run, flow = self.run, self.flow
        due = self._find_due()
        return {
            "transcript": self.lines,
            "customer": {"name": self.record.display_name, "number": self._get_number()},
            "clock": self._tell_time(),
            "tz": self._get_zone(),
            "started_at": fields.Datetime.to_string(self.started_at),
            "step": {"id": run.step_id.id, "name": run.step_id.name} if run.step_id else False,
            "state": run.state,
            "next": due and {"at": self._tell_time(due[0]), "kind": due[1]},
            "answers": self._get_answers(),
            "can_answer": flow.sender_id.can_receive,
            "hints": self._get_hints(),
            "flow": {
                "name": flow.name,
                "model": flow.model,
                "domain": [("team_id", "=", flow.team_id.id)] if flow.team_id else [],
            },
            "picture": flow.get_picture(run.id),
        }

    def _get_answers(self):
        if self.run.state != "active" or not self.flow.inbound_enabled:
            return []
        return [
            {"words": words, "target": reply.target_step_id.name}
            for reply in self.run.step_id.reply_ids
            for words in map(str.strip, re.split(r"[,;\n]", reply.keywords))
            if words
        ]

    def _get_hints(self):
        sender = self.flow.sender_id
        if not sender.can_receive:
            return [self.env._("%s takes no answers.", sender.display_name)]
        if not self.flow.inbound_enabled and self.flow.step_ids.reply_ids:
            return [
                self.env._(
                    "The flow does not listen to answers: none of them moves the customer. "
                    "Switch “Listen to answers” on."
                )
            ]
        return []

    # Who and when --------------------------------------------------------------------------

    def _find_run(self):
        return self.env["sms.flow.run"].search(
            [
                ("flow_id", "=", self.flow.id),
                ("res_model", "=", self.record._name),
                ("res_id", "=", self.record.id),
            ]
        )

    def _get_number(self):
        recipients = self.record._sms_flow_get_recipients()
        return self.run.number or recipients[self.record.id]["number"]

    def _get_zone(self):
        return self.run.tz or self.flow._get_tz(self._get_number())

    def _localize(self, moment):
        return moment.replace(tzinfo=ZoneInfo("UTC")).astimezone(ZoneInfo(self._get_zone()))

    def _tell_time(self, moment=None):
        return self._localize(moment or self.clock.moment).strftime("%Y-%m-%d %H:%M:%S")

    def _get_last_id(self, model):
        table = SQL.identifier(self.env[model]._table)
        return self.env.execute_query(SQL("SELECT coalesce(max(id), 0) FROM %s", table))[0][0]


def _refuse_commit():
    raise RuntimeError("Something wants to commit what is only tried.")
