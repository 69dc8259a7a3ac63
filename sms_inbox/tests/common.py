from odoo.tests import new_test_user

from odoo.addons.sms_gateway.engine.contract import InboundText
from odoo.addons.sms_gateway.tests.common import CUSTOMER, SmsGatewayCase

SELLER_GROUPS = "base.group_user,sales_team.group_sale_salesman,sms_gateway.group_sms_user"


class SmsInboxCase(SmsGatewayCase):
    """A team with a number of its own, two sellers in it with theirs, and a customer."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["crm.lead"].search([("phone_sanitized", "=", CUSTOMER)]).phone = False
        cls.env["res.partner"].search([("phone_sanitized", "=", CUSTOMER)]).phone = False
        cls.partner.phone = CUSTOMER
        cls.ola = cls.create_seller("sms_ola")
        cls.kari = cls.create_seller("sms_kari")
        cls.outsider = cls.create_seller("sms_outsider")
        cls.team = cls.env["crm.team"].create({"name": "Heat pumps", "user_id": False})
        cls.team.member_ids = cls.ola | cls.kari
        cls.ola_sender = cls._create_sender(
            "Ola", "dedicated", "59445001", inbound_enabled=True, user_ids=[(6, 0, cls.ola.ids)]
        )
        cls.team_sender = cls._create_sender(
            "Team", "dedicated", "59445002", inbound_enabled=True, team_id=cls.team.id
        )
        cls.env.flush_all()

    @classmethod
    def create_seller(cls, login, groups=SELLER_GROUPS, **values):
        return new_test_user(
            cls.env, login, groups=groups, notification_type="inbox", name=login, **values
        )

    @classmethod
    def create_lead(cls, name="Roof", **values):
        return cls.env["crm.lead"].create(
            {
                "name": name,
                "type": "lead",
                "phone": CUSTOMER,
                "user_id": False,
                "team_id": False,
                **values,
            }
        )

    def receive(self, body="Yes please", number=CUSTOMER, sender=None, address=None, ref=None):
        """A text of the customer comes in; returns its row of the ledger."""
        text = InboundText(
            number=number,
            address=address or (sender or self.sender).address,
            body=body,
            provider_ref=ref or f"in-{self.env['sms.sms']._new_uuid()}",
        )
        return self.env["sms.message"]._receive(self.gateway, [text])

    def text_the_customer(self, record, sender=None, body="Shall we come on Friday?"):
        """We text the customer from a record, and the provider takes it."""
        message = self.send_from_record(body, record=record, sender=sender)
        with self.provider():
            self.run_lanes()
        return self.env["sms.message"].search([("mail_message_id", "=", message.id)])

    def open_conversation(self, user=None, record=None, sender=None):
        """A user opens the conversation with the customer of a record."""
        user, record = user or self.ola, record or self.partner
        id_ = (
            self.env["discuss.channel"]
            .with_user(user)
            .sms_open_conversation(record._name, record.id, sender_id=sender and sender.id)
        )
        return self.env["discuss.channel"].with_user(user).browse(id_)

    def write_in(self, conversation, body="Hello", **values):
        """What typing in Discuss does: core posts with the rights of nobody, as the user."""
        return conversation.sudo().message_post(
            body=body, message_type="comment", subtype_xmlid="mail.mt_comment", **values
        )
