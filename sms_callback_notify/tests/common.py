import itertools
from datetime import datetime, timedelta

from odoo.addons.sms_inbox.tests.common import SmsInboxCase

CALLER, OTHER, FIXED = "+4790612345", "+4790612346", "+4722123456"
NOON = datetime(2026, 11, 25, 12)


class CallbackCase(SmsInboxCase):
    """An exchange with a service that welcomes, and tells before it calls back."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.connector = cls.env["contact.center.connector"].create(
            {
                "name": "Exchange",
                "code": "heat",
                "country_id": cls.env.ref("base.no").id,
                "outbound_url": "https://pbx.example.com/hook",
            }
        )
        cls.name_sender = cls._create_sender("Heat AS", "text", "Heat AS")
        cls.service = cls.env["contact.center.service"].create(
            {
                "name": "Support",
                "code": "heat",
                "welcome_enabled": True,
                "welcome_sender_id": cls.name_sender.id,
                "welcome_body": "Welcome to {{ object.service_id.name }}",
                "notify_enabled": True,
                "notify_sender_id": cls.team_sender.id,
                "notify_position": 1,
                "notify_body": "{{ object.name or 'Hi' }}, number {{ object.position }}",
            }
        )
        cls.ids = itertools.count(1)

    def tell(self, event_type, at=0, **data):
        """The exchange tells something, and it is worked off."""
        events = self.env["contact.center.event"]
        events._store(
            self.connector,
            f"e{next(self.ids)}",
            event_type,
            NOON + timedelta(seconds=at),
            data,
            f"{data}",
        )
        event = events.search([("state", "=", "new")], order="id desc", limit=1)
        event._process()
        return event

    def queue(self, call_id="c1", at=0, caller=CALLER, **data):
        self.tell("call.queued", at, service="heat", call_id=call_id, caller=caller, **data)
        return self.env["contact.center.call"].search([("external_id", "=", call_id)])

    def ask(self, number=CALLER, at=0, **data):
        """A caller asks to be called back."""
        self.tell(
            "callback.requested",
            at,
            service="heat",
            phone=number,
            callback_id=f"k{number}",
            **data,
        )
        return self.env["contact.center.callback"].search([("external_id", "=", f"k{number}")])

    def get_bodies(self, number=CALLER):
        texts = self.env["sms.message"].search(
            [("number", "=", number), ("direction", "=", "out")], order="id"
        )
        return texts.mapped("body")

    def answer(self, body, number=CALLER):
        """The customer answers the notification, once it has left."""
        with self.provider():
            self.run_lanes()
        return self.receive(body, number=number, sender=self.team_sender)
