import itertools
from contextlib import contextmanager
from datetime import datetime, timedelta
from unittest.mock import patch

from odoo import fields
from odoo.sql_db import BaseCursor
from odoo.tests.test_cursor import TestCursor

from odoo.addons.contact_center.tests.common import ContactCenterCase
from odoo.addons.sms_gateway.tests.common import CUSTOMER
from odoo.addons.sms_inbox.tests.common import SmsInboxCase

OTHER_CUSTOMER = "+4790611111"
NOON = datetime(2026, 11, 25, 12)


class SmsSurveyCase(SmsInboxCase):
    """A service whose callers are asked how it was, from 1 to 5, by a number of its own."""

    tell = ContactCenterCase.tell

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ids = itertools.count(1)
        cls.env.company.partner_id.lang = "en_US"
        cls.connector = cls.env["contact.center.connector"].create(
            {
                "name": "Exchange",
                "code": "survey-exchange",
                "company_id": cls.company.id,
                "country_id": cls.env.ref("base.no").id,
            }
        )
        cls.survey_sender = cls._create_sender(
            "Surveys", "dedicated", "59445003", inbound_enabled=True
        )
        cls.survey = cls.create_survey("How did we do?", "12345")
        cls.service = cls.create_service("Support", "help", survey_id=cls.survey.id)
        cls.env.flush_all()

    # === RECORDS === #

    @classmethod
    def create_survey(cls, title, values, words=None, **options):
        """A survey of one question.

        :param values: the answers; each scores its place
        :param list words: accepted words of each answer
        """
        survey = cls.env["survey.survey"].create(
            {
                "title": title,
                "survey_type": "sms",
                "access_mode": "token",
                "scoring_type": "scoring_without_answers",
                "sms_sender_id": cls.survey_sender.id,
                "sms_quarantine_days": 0,
                **options,
            }
        )
        cls.create_question(survey, title, values, words)
        return survey

    @classmethod
    def create_question(cls, survey, title, values, words=None):
        words = words or [""] * len(values)
        return cls.env["survey.question"].create(
            {
                "survey_id": survey.id,
                "title": title,
                "question_type": "simple_choice",
                "sequence": 10 * len(survey.question_ids),
                "suggested_answer_ids": [
                    (
                        0,
                        0,
                        {
                            "value": value,
                            "sequence": place,
                            "answer_score": place,
                            "sms_keywords": keywords,
                        },
                    )
                    for place, (value, keywords) in enumerate(
                        zip(values, words, strict=True), start=1
                    )
                ],
            }
        )

    @classmethod
    def create_service(cls, name, code, **values):
        return cls.env["contact.center.service"].create(
            {"name": name, "code": code, "company_id": cls.company.id, **values}
        )

    @classmethod
    def create_agent(cls, name, **values):
        return cls.env["contact.center.agent"].create(
            {"name": name, "external_id": name, "connector_id": cls.connector.id, **values}
        )

    # === WHAT HAPPENS === #

    def call(self, call_id="c1", caller=CUSTOMER, agent="Ada", **data):
        """A call that was answered ends; returns what is planned of it."""
        known = {"call_id": call_id, "caller": caller}
        self.tell("call.queued", 0, service="help", **known)
        self.tell("call.answered", 10, call_id=call_id, agent=agent)
        self.tell("call.ended", 60, call_id=call_id, reason="caller", talk_seconds=50, **data)
        return self.find_input(call_id)

    def find_input(self, call_id="c1"):
        return self.env["survey.user_input"].search([("call_id.external_id", "=", call_id)])

    def run_due(self):
        """The scheduled action."""
        with self.own_cursor() as env:
            env["survey.user_input"]._run_due()

    def ask(self):
        """What is due is asked, and sent; returns the texts that left."""
        self.run_due()
        with self.provider() as provider:
            self.run_lanes()
        return provider.bodies

    def answer(self, body, number=CUSTOMER):
        """The customer writes; returns the text."""
        message = self.receive(body, number=number, sender=self.survey_sender)
        self.env.flush_all()
        return message

    @contextmanager
    def at(self, moment):
        """The clock stands at a moment of UTC, for every transaction."""
        with (
            patch.object(BaseCursor, "now", lambda cr: moment),
            patch.object(TestCursor, "now", lambda cr: moment),
            patch.object(fields.Datetime, "now", lambda *args: moment),
        ):
            yield moment

    def after(self, **delta):
        return self.at(NOON + timedelta(**delta))

    def get_values(self, rows):
        """What was answered, by the Survey app's own lines."""
        return rows.user_input_line_ids.suggested_answer_id.mapped("value")
