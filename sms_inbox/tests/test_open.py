from lxml import etree

from odoo.exceptions import AccessError
from odoo.tests import Form, tagged
from odoo.tools.safe_eval import safe_eval

from odoo.addons.sms_gateway.tests.common import CUSTOMER

from .test_handle import STRANGER, InboxCase


@tagged("post_install", "-at_install")
class TestOpen(InboxCase):
    """Which number to which, about what; who answers; where conversations are found."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.second = cls._create_sender(
            "Service", "dedicated", "59445013", inbound_enabled=True, user_ids=cls.salesman.ids
        )
        cls.firm = cls.env["res.partner"].create(
            {"name": "Hansen AS", "is_company": True, "phone": "+4722334455"}
        )
        cls.partner.parent_id = cls.firm
        cls.lead.write({"partner_id": cls.partner.id, "phone": STRANGER})
        cls.partner.phone = CUSTOMER
        cls.env.flush_all()

    def form(self, record=None, **defaults):
        if record is not None:
            defaults |= {"res_model": record._name, "res_id": record.id}
        context = {f"default_{name}": value for name, value in defaults.items()}
        Open = self.env["sms.conversation.open"].with_user(self.salesman)
        return Form(Open.with_context(**context))

    def open(self, form):
        action = form.save().action_open()
        self.assertEqual(action["tag"], "sms_inbox.open")
        return self.env["discuss.channel"].browse(action["params"]["channel_id"])

    def numbers(self, form):
        return form.available_number_ids[:].mapped("number")

    # === NUMBERS === #

    def test_the_customers_numbers_can_be_chosen(self):
        """R145: the record's own first, then the contact's and the company's, each labelled."""
        form = self.form(self.lead)
        self.assertEqual(self.numbers(form)[0], self.lead.phone_sanitized)
        self.assertIn(CUSTOMER, self.numbers(form))
        self.assertIn("+4722334455", self.numbers(form))
        labels = form.available_number_ids[:].mapped("display_name")
        self.assertIn("Hansen AS: +4722334455", labels)

    def test_a_company_offers_those_of_its_people(self):
        self.assertEqual(self.numbers(self.form(self.firm)), ["+4722334455", CUSTOMER])

    def test_it_opens_the_conversation_of_the_pair_chosen(self):
        """R140, R144: from one of the own numbers, to one of the customer's."""
        form = self.form(self.partner)
        form.number_id = form.available_number_ids[:].filtered(
            lambda line: line.number == "+4722334455"
        )
        form.sender_id = self.second
        conversation = self.open(form)
        self.assertEqual(
            (conversation.sms_sender_id, conversation.sms_number), (self.second, "+4722334455")
        )
        self.assertEqual(conversation.sms_res_id, self.partner.id)

    def test_only_own_numbers_are_offered(self):
        """R144: those of the user and of everybody; not a colleague's."""
        self.second.user_ids = self.outsider
        offered = self.form(self.partner).available_sender_ids[:]
        self.assertIn(self.sender, offered)
        self.assertNotIn(self.second, offered)
        self.assertEqual(offered[-1], self.text_sender, "what cannot be answered is last")

    def test_it_begins_with_the_conversation_it_is_opened_from(self):
        conversation = self.receive(number=CUSTOMER).conversation_id
        conversation.sudo().sms_sender_id = self.second
        form = self.form(channel_id=conversation.id)
        self.assertEqual(form.sender_id, self.second)
        self.assertEqual(form.number_id.number, CUSTOMER)
        self.assertEqual(form.record_name, self.partner.display_name)

    def test_a_conversation_on_no_record_offers_its_number(self):
        conversation = self.receive(number="+4799000011").conversation_id
        form = self.form(channel_id=conversation.id)
        self.assertEqual(self.numbers(form), ["+4799000011"])
        form.sender_id = self.second
        self.assertEqual(self.open(form).sms_number, "+4799000011")

    def test_a_conversation_one_may_not_read_tells_nothing(self):
        """P11"""
        conversation = self.receive(number=CUSTOMER).conversation_id
        Open = self.env["sms.conversation.open"].with_user(self.outsider)
        with self.assertRaises(AccessError):
            Open.with_context(default_channel_id=conversation.id).default_get(["number_id"])

    # === OPPORTUNITIES === #

    def test_related_opportunities_of_persons_and_opportunities_only(self):
        """R142: not of companies and leads."""
        self.assertEqual(self.form(self.partner).available_lead_ids[:], self.lead)
        self.assertEqual(self.form(self.lead).available_lead_ids[:], self.lead)
        self.assertFalse(self.form(self.firm).available_lead_ids[:])
        cold = self._create_lead("Cold", type="lead", partner_id=self.partner.id)
        self.assertFalse(self.form(cold).available_lead_ids[:])

    def test_choosing_an_opportunity_opens_its_conversation(self):
        """R142: with the numbers that are in use for it."""
        Channel = self.env["discuss.channel"].with_user(self.salesman)
        known = Channel.sms_open_conversation(
            "crm.lead", self.lead.id, number=CUSTOMER, sender_id=self.second.id
        )
        form = self.form(self.partner)
        form.lead_id = self.lead
        self.assertEqual((form.sender_id, form.number_id.number), (self.second, CUSTOMER))
        self.assertEqual(self.open(form).id, known)

    # === FINDING THEM === #

    def test_a_record_counts_its_conversations_and_leads_to_them(self):
        """R150: one is opened at once, several are listed."""
        record = self.partner.with_user(self.salesman)
        self.assertEqual(record.sms_conversation_count, 0)
        conversation = self.receive(number=CUSTOMER).conversation_id
        record.invalidate_recordset()
        self.assertEqual(record.sms_conversation_count, 1)
        action = record.action_view_sms_conversations()
        self.assertEqual(action["params"]["channel_id"], conversation.id)
        self.receive(number=CUSTOMER, address=self.second.address)
        record.invalidate_recordset()
        self.assertEqual(record.sms_conversation_count, 2)
        action = record.action_view_sms_conversations()
        self.assertEqual(self.env["discuss.channel"].search_count(action["domain"]), 2)

    def test_my_sms_are_those_i_answer_and_the_unassigned_of_my_numbers(self):
        """R127"""
        mine = self.receive(number=CUSTOMER).conversation_id
        mine.sms_assign(self.salesman.id)
        free = self.receive(number="+4799000011").conversation_id
        free.sms_assign(False)
        given = self.receive(number="+4799000022").conversation_id
        given.sms_assign(self.outsider.id)
        self.assertEqual(self.search_by_filter("mine"), mine | free)
        self.assertEqual(self.search_by_filter("unassigned"), free)
        free.action_sms_done()
        self.assertEqual(self.search_by_filter("waiting"), mine | given)

    def search_by_filter(self, name):
        """The salesman's conversations by a filter of the search view."""
        Channel = self.env["discuss.channel"].with_user(self.salesman)
        view = self.env.ref("sms_inbox.sms_conversation_view_search")
        arch = Channel.get_view(view.id, "search")["arch"]
        (node,) = etree.fromstring(arch).xpath(f"//filter[@name='{name}']")
        domain = safe_eval(node.get("domain"), {"uid": self.salesman.id})
        return Channel.search([("channel_type", "=", "sms"), *domain])

    # === ASSIGNING === #

    def test_selected_conversations_are_given_to_somebody(self):
        texts = self.receive(number=CUSTOMER) | self.receive(number="+4799000011")
        Assign = self.env["sms.conversation.assign"].with_user(self.salesman)
        context = {"active_model": "discuss.channel", "active_ids": texts.conversation_id.ids}
        form = Form(Assign.with_context(**context))
        form.user_id = self.outsider
        form.save().action_assign()
        self.assertEqual(texts.conversation_id.sudo().sms_user_id, self.outsider)

    def test_the_activity_type_sms_opens_the_pane(self):
        """R132: its category is what the button of the to-do list goes by."""
        kind = self.env.ref("sms_inbox.mail_activity_type_sms")
        activity = self.lead.activity_schedule(activity_type_id=kind.id, user_id=self.salesman.id)
        self.assertEqual(activity.activity_category, "sms")
