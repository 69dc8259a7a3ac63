from contextlib import contextmanager, nullcontext
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import ValidationError
from odoo.sql_db import BaseCursor
from odoo.tests.test_cursor import TestCursor

from odoo.addons.sms_gateway.tests.common import CUSTOMER
from odoo.addons.sms_inbox.tests.common import SmsInboxCase

OTHER_CUSTOMER = "+4798765432"


class SmsFlowCase(SmsInboxCase):
    """A team that sells by text, and a short survey of contacts.

    The leads' flow: *Sale* asks and takes a yes for *Confirmed*, a no for *Rejected*; both are
    last steps, and *Confirmed* sends a receipt. The stage *Talk* has no step. The contacts' flow
    asks three questions, one after the other.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.company.partner_id.tz = "Europe/Oslo"
        cls.talk, cls.sale, cls.confirmed, cls.rejected = cls.env["crm.stage"].create(
            [
                {"name": name, "team_ids": cls.team.ids, "sequence": sequence}
                for sequence, name in enumerate(("Talk", "Sale", "Confirmed", "Rejected"), 70)
            ]
        )
        cls.flow = cls.create_flow("Heat pumps", team_id=cls.team.id)
        cls.sale_step = cls.create_step(
            stage_id=cls.sale.id, body="Hi {{ object.contact_name }}, shall we install it?"
        )
        cls.confirmed_step = cls.create_step(
            stage_id=cls.confirmed.id, body="Thank you for your order!", is_final=True
        )
        cls.rejected_step = cls.create_step(stage_id=cls.rejected.id, is_final=True)
        cls.yes = cls.create_reply(cls.sale_step, "ja, ja takk, ok, yes", cls.confirmed_step)
        cls.no = cls.create_reply(cls.sale_step, "nei", cls.rejected_step)
        cls.flow.flow_enabled = True
        cls.survey_sender = cls._create_sender(
            "Survey", "dedicated", "59445003", inbound_enabled=True
        )
        cls.survey = cls.create_flow("Survey", model="res.partner", sender_id=cls.survey_sender.id)
        cls.questions = cls.env["sms.flow.step"]
        for number in (1, 2, 3):
            cls.questions += cls.create_step(
                cls.survey, name=f"Q{number}", body=f"Question {number}?"
            )
        cls.done = cls.create_step(cls.survey, name="Done", body="Thanks!", is_final=True)
        for step, target in zip(cls.questions, [*cls.questions[1:], cls.done], strict=True):
            cls.create_reply(step, "1, 2, 3", target)
        cls.survey.flow_enabled = True
        cls.env.flush_all()

    # === RECORDS === #

    @classmethod
    def create_flow(cls, name="Flow", **values):
        """A flow with SMS and answers switched on, yet without steps, and off itself."""
        return cls.env["sms.flow"].create(
            {
                "name": name,
                "sms_enabled": True,
                "sender_id": cls.team_sender.id,
                "inbound_enabled": True,
                **values,
            }
        )

    @classmethod
    def create_step(cls, flow=None, **values):
        flow = flow or cls.flow
        return cls.env["sms.flow.step"].create(
            {"flow_id": flow.id, "sequence": 10 * len(flow.step_ids), **values}
        )

    @classmethod
    def create_reply(cls, step, words, target, **values):
        return cls.env["sms.flow.reply"].create(
            {"step_id": step.id, "keywords": words, "target_step_id": target.id, **values}
        )

    @classmethod
    def create_reminder(cls, step=None, **values):
        return cls.env["sms.flow.reminder"].create(
            {"step_id": (step or cls.sale_step).id, **values}
        )

    @classmethod
    def create_team_lead(cls, **values):
        """An opportunity of the team, in the stage without a step."""
        return cls.create_lead(
            **{
                "type": "opportunity",
                "team_id": cls.team.id,
                "stage_id": cls.talk.id,
                "contact_name": "Anna",
                **values,
            }
        )

    def create_customers(self, count, **values):
        """Leads of the team, each with a number of its own."""
        return self.env["crm.lead"].concat(
            *(
                self.create_team_lead(phone=f"+479120{number:04}", **values)
                for number in range(count)
            )
        )

    def create_rule(self, stage, code, model="crm.lead", **values):
        """An automation rule of somebody else: runs code once a stage is set."""
        model_id = self.env["ir.model"]._get_id(model)
        return self.env["base.automation"].create(
            {
                "name": "Somebody's rule",
                "model_id": model_id,
                "trigger": "on_stage_set",
                "trg_field_ref": stage.id,
                "action_server_ids": [
                    (0, 0, {"name": "Code", "model_id": model_id, "state": "code", "code": code})
                ],
                **values,
            }
        )

    def create_action(self, code="", model="crm.lead", **values):
        return self.env["ir.actions.server"].create(
            {
                "name": "Action",
                "model_id": self.env["ir.model"]._get_id(model),
                "state": "code",
                "code": code,
                **values,
            }
        )

    # === WHAT HAPPENS === #

    def commit(self):
        """What is done at the end of every transaction."""
        self.env.cr.flush()

    def set_stage(self, leads, stage):
        """Somebody sets a stage, in a transaction of its own."""
        leads.write({"stage_id": stage.id})
        self.commit()

    def enter(self, records, step, cause="hand", **values):
        """Records are brought to a step."""
        self.env["sms.flow.transition"]._enter(records, step, cause, **values)
        self.commit()

    def reply(self, body="Ja takk", number=CUSTOMER, sender=None):
        """A customer answers; returns the text."""
        message = self.receive(body, number=number, sender=sender or self.flow.sender_id)
        self.commit()
        return message

    def send(self, *lanes):
        """Have the lanes send what waits; returns the texts that left."""
        with self.provider() as provider:
            self.run_lanes(*lanes)
        return provider.bodies

    @contextmanager
    def at(self, moment):
        """The clock stands at a moment of UTC, for every transaction."""
        moment = fields.Datetime.to_datetime(moment)
        with (
            patch.object(BaseCursor, "now", lambda cr: moment),
            patch.object(TestCursor, "now", lambda cr: moment),
            patch.object(fields.Datetime, "now", lambda *args: moment),
        ):
            yield moment

    def run_due(self):
        """See to what is due, as the scheduled action would."""
        lock = patch.object(self.registry["sms.lane"], "_lock", lambda *args: nullcontext(True))
        with self.own_cursor() as env, lock:  # a test has one connection: savepoints would cross
            env["sms.flow.run"]._run_due()

    def tick(self, moment):
        """A tick of the scheduled action at a moment, and what it had sent."""
        with self.at(moment):
            self.run_due()
            return self.send()

    @contextmanager
    def refused(self, words):
        """What is entered is refused, with such words; and undone."""
        with self.assertRaises(ValidationError) as caught:
            yield
        self.assertRegex(str(caught.exception), words)

    # === WHAT CAN BE SEEN === #

    def get_run(self, record, flow=None):
        """The run of a record in a flow; as a fresh transaction sees it."""
        flow = flow or (self.flow if record._name == "crm.lead" else self.survey)
        return self.env["sms.flow.run"].search(
            [
                ("flow_id", "=", flow.id),
                ("res_model", "=", record._name),
                ("res_id", "=", record.id),
            ]
        )

    def get_texts(self, records, states=None):
        """The texts written to records, oldest first."""
        domain = [
            ("res_model", "=", records._name),
            ("res_id", "in", records.ids),
            ("direction", "=", "out"),
        ]
        if states:
            domain.append(("state", "in", states))
        return self.env["sms.message"].search(domain, order="id")

    def get_bodies(self, records):
        return self.get_texts(records).mapped("body")

    def get_messages(self, record):
        """What stands in the chatter, the latest first."""
        record.invalidate_recordset(["message_ids"])
        return record.message_ids

    def get_notes(self, record):
        return [message.body.striptags() for message in self.get_messages(record)]
