import itertools
from datetime import datetime, timedelta

from odoo.fields import Command
from odoo.tests import TransactionCase

CALLER = "+4790612345"
NOON = datetime(2026, 11, 25, 12)


def create_calendar(env, company):
    """Hours from 8 to 12 and from 13 to 17 in Oslo, Monday to Friday."""
    return env["resource.calendar"].create(
        {
            "name": "Hours",
            "company_id": company.id,
            "tz": "Europe/Oslo",
            "attendance_ids": [
                Command.create(
                    {
                        "name": f"{day} {start}",
                        "dayofweek": str(day),
                        "hour_from": start,
                        "hour_to": end,
                        "day_period": "morning",
                    }
                )
                for day in range(5)
                for start, end in ((8, 12), (13, 17))
            ],
        }
    )


class ContactCenterCase(TransactionCase):
    """An exchange with a service, and its events."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.env["res.company"].create(
            {"name": "Heat AS", "country_id": cls.env.ref("base.no").id}
        )
        cls.env.user.company_ids += cls.company
        cls.connector = cls.env["contact.center.connector"].create(
            {
                "name": "Exchange",
                "code": "heat",
                "company_id": cls.company.id,
                "country_id": cls.env.ref("base.no").id,
            }
        )
        cls.service = cls.create_service("Support", "support")
        cls.ids = itertools.count(1)

    @classmethod
    def create_service(cls, name, code, **values):
        return cls.env["contact.center.service"].create(
            {"name": name, "code": code, "company_id": cls.company.id, **values}
        )

    def tell(self, event_type, at=0, moment=None, event_id=None, **data):
        """The exchange tells something, and it is worked off.

        :param at: seconds after noon of a Wednesday
        :return: ``contact.center.event``
        """
        events = self.env["contact.center.event"]
        events._store(
            self.connector,
            event_id or f"e{next(self.ids)}",
            event_type,
            moment or NOON + timedelta(seconds=at),
            data,
            f"{data}",
        )
        event = events.search([("state", "=", "new")], order="id desc", limit=1)
        event._process()
        return event

    def queue(self, call_id="c1", at=0, caller=CALLER, **data):
        """A call joins the queue."""
        data = {"service": "support", "call_id": call_id, "caller": caller, **data}
        self.tell("call.queued", at, **data)
        return self.find_call(call_id)

    def find_call(self, call_id="c1"):
        return self.env["contact.center.call"].search([("external_id", "=", call_id)])

    def create_callback(self, number=CALLER, at=0, **values):
        return self.env["contact.center.callback"].create(
            {
                "service_id": self.service.id,
                "connector_id": self.connector.id,
                "number": number,
                "queued_at": NOON + timedelta(seconds=at),
                **values,
            }
        )

    def get_line(self, service=None):
        """Who waits for a callback: position and number."""
        callbacks = self.env["contact.center.callback"].search(
            [
                ("service_id", "=", (service or self.service).id),
                ("state", "in", ("waiting", "notified")),
            ],
            order="position",
        )
        return [(callback.position, callback.number) for callback in callbacks]
