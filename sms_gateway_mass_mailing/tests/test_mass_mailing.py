import re
from unittest.mock import patch
from urllib.parse import urlencode

from odoo.exceptions import UserError, ValidationError
from odoo.tests import Form, HttpCase, new_test_user, tagged

from odoo.addons.sms_gateway.tests.common import CUSTOMER, SmsGatewayCase


class MassMailingCase(SmsGatewayCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = cls.env["res.partner"].create({"name": "Bo", "phone": "+4790000001"})
        cls.partners = cls.partner | cls.other
        cls.startClassPatcher(
            patch(
                "odoo.addons.sms.tools.sms_api.SmsApi._contact_iap",
                side_effect=AssertionError("Odoo's SMS service was asked"),
            )
        )

    def create_mailing(self, **values):
        return self.env["mailing.mailing"].create(
            {
                "subject": "Spring",
                "mailing_type": "sms",
                "mailing_model_id": self.env["ir.model"]._get_id("res.partner"),
                "mailing_domain": [("id", "in", self.partners.ids)],
                "body_plaintext": "New roofs",
                "sms_allow_unsubscribe": True,
                "sms_sender_id": self.sender.id,
                **values,
            }
        )

    def send_mailing(self, **values):
        mailing = self.create_mailing(**values)
        mailing.action_send_sms()
        return mailing

    def get_traces(self, mailing):
        return mailing.mailing_trace_ids.sorted("sms_number")

    def run_queue(self):
        """Odoo's scheduler takes the mailings up, as the superuser."""
        with self.own_cursor() as env:
            env["mailing.mailing"]._process_mass_mailing_queue()

    def get_texts(self):
        return self.env["sms.message"].search([("origin", "=", "mailing")], order="id")


@tagged("post_install", "-at_install")
class TestMassMailing(MassMailingCase):
    """Bulk: mailings and list views send with our senders, and never through IAP."""

    def test_a_mailing_leaves_with_our_sender(self):
        """R153: target groups get their texts through the gateway; the statistics follow."""
        mailing = self.send_mailing()
        texts = self.env["sms.message"].search([("origin", "=", "mailing")])
        self.assertEqual(set(texts.mapped("number")), {CUSTOMER, "+4790000001"})
        self.assertEqual(texts.sender_id, self.sender)
        with self.provider() as provider:
            self.run_lanes("bulk")
        self.assertEqual(set(provider.numbers), {CUSTOMER, "+4790000001"})
        self.assertTrue(all(body.startswith("New roofs") for body in provider.bodies))
        self.assertTrue(all("/sms/" in body for body in provider.bodies), "the way out is in it")
        self.assertEqual(set(self.get_traces(mailing).mapped("trace_status")), {"pending"})
        texts._set_delivered()
        self.assertEqual(set(self.get_traces(mailing).mapped("trace_status")), {"sent"})

    def test_the_country_decides_where_no_sender_is_chosen(self):
        """And who has chosen one gets it for every number."""
        swede = self._create_sender("Sweden", "mobile", "+46700000009")
        self.env["sms.sender.rule"].create({"prefix": "+46", "sender_id": swede.id})
        self.company.sms_default_sender_id = self.sender
        self.other.phone = "+46721234567"
        for chosen, expected in ((False, self.sender | swede), (self.sender.id, self.sender)):
            mailing = self.send_mailing(sms_sender_id=chosen)
            texts = self.env["sms.sms"].search([("mailing_id", "=", mailing.id)])
            self.assertEqual(texts.sender_id, expected)

    def test_the_countries_are_those_of_the_mailings_company(self):
        """Whoever sends it: by another company's account it would cost and be answered there."""
        company = self.env["res.company"].create({"name": "Other"})
        gateway = self.env["sms.gateway"].create({"name": "Other's", "company_id": company.id})
        theirs = self._create_sender(
            "Other's", "mobile", "+4790000009", gateway_id=gateway.id, company_id=company.id
        )
        company.write({"sms_default_sender_id": theirs.id, "sms_bulk_enabled": True})
        self.env["sms.sender.rule"].create({"prefix": "+47", "sender_id": self.sender.id})
        user = new_test_user(
            self.env, "other", company_id=company.id, company_ids=[(6, 0, company.ids)]
        )
        mailing = self.send_mailing(sms_sender_id=False, user_id=user.id)
        texts = self.env["sms.sms"].search([("mailing_id", "=", mailing.id)])
        self.assertEqual(texts.sender_id, theirs)
        self.assertEqual(texts.message_id.company_id, company)

    def test_a_list_view_leaves_with_our_sender(self):
        """R153: so do texts to records chosen in a list."""
        composer = self.env["sms.composer"].with_context(
            default_res_model="res.partner",
            default_res_ids=self.partners.ids,
            default_composition_mode="mass",
        )
        composer.create({"body": "Hello", "sender_id": self.sender.id}).action_send_sms()
        with self.provider() as provider:
            self.run_lanes("bulk")
        self.assertEqual(provider.bodies, ["Hello", "Hello"])

    def test_what_the_gate_refuses_shows_on_the_recipient(self):
        """R154: without bulk activated nothing leaves, and the mailing says why."""
        self.company.sms_bulk_enabled = False
        traces = self.get_traces(self.send_mailing())
        self.assertEqual(set(traces.mapped("trace_status")), {"error"})
        self.assertEqual(set(traces.mapped("failure_type")), {"sms_bulk_disabled"})

    def test_a_logged_mailing_has_one_tracker_for_each_text(self):
        """Kept in the chatter or not: the state has one source."""
        mailing = self.send_mailing(keep_archives=True)
        with self.provider():
            self.run_lanes("bulk")
        self.assertEqual(set(self.get_traces(mailing).mapped("trace_status")), {"pending"})

    def test_who_has_opted_out_gets_none(self):
        """P6: a mailing leaves him out, whatever its own exclusion list says."""
        self.env["phone.blacklist"]._add([CUSTOMER])
        self.send_mailing(use_exclusion_list=False)
        with self.provider() as provider:
            self.run_lanes("bulk")
        self.assertEqual(provider.numbers, ["+4790000001"])

    def test_the_form_offers_the_senders_one_may_use(self):
        """R012: the mailing's sender is one of those."""
        draft = self._create_sender("Draft", "dedicated", "59445099", state="draft")
        form = Form(
            self.env["mailing.mailing"].with_context(default_mailing_type="sms"),
            view="mass_mailing_sms.mailing_mailing_view_form_sms",
        )
        self.assertIn(self.sender, form.available_sms_sender_ids)
        self.assertNotIn(draft, form.available_sms_sender_ids)

    def test_r012_a_sender_that_is_not_the_users_cannot_be_chosen(self):
        """R012: the scheduler, who sends, may use any; so it is asked when it is chosen."""
        colleagues = self._create_sender(
            "Hers", "dedicated", "59445066", user_ids=self.env.ref("base.user_admin").ids
        )
        other = self.env["res.company"].create({"name": "Other"})
        gateway = self._create_gateway(name="Other's", company_id=other.id)
        foreign = self._create_sender(
            "Other's", "dedicated", "59445088", gateway_id=gateway.id, company_id=other.id
        )
        marketer = new_test_user(
            self.env, "sms_marketer", groups="mass_mailing.group_mass_mailing_user"
        )
        mailing = self.create_mailing(user_id=marketer.id).with_user(marketer)
        mailing.sms_sender_id = self.text_sender
        for sender in (colleagues, foreign):
            with self.assertRaisesRegex(ValidationError, "You may not send with"):
                mailing.sms_sender_id = sender

    def test_without_a_sender_of_its_own_it_is_the_responsibles(self):
        """R164: also where the scheduler sends it."""
        own = self._create_sender("Mine", "dedicated", "59445077", user_ids=self.salesman.ids)
        self.company.sms_default_sender_id = self.text_sender
        for user, sender in (
            (self.salesman, own),
            (self.env.ref("base.user_admin"), self.text_sender),
        ):
            mailing = self.create_mailing(user_id=user.id, sms_sender_id=False)
            mailing.action_put_in_queue()
            self.run_queue()
            self.assertEqual(self.get_texts().sender_id, sender)
            self.get_texts()._erase()
            self.get_texts().origin = "system"

    def test_without_any_sender_it_goes_odoos_own_way(self):
        mailing = self.create_mailing(sms_sender_id=False)
        mailing.action_send_sms()
        texts = self.env["sms.sms"].search([("mailing_id", "=", mailing.id)])
        self.assertEqual(texts.mapped("state"), ["outgoing"] * 2)
        self.assertFalse(texts.message_id)

    def test_r154_who_presses_send_is_told_at_once(self):
        """R154, R003: not by a failure on each recipient."""
        mailing = self.create_mailing()
        self.company.sms_bulk_enabled = False
        for send in (mailing.action_put_in_queue, mailing.action_launch, mailing.action_send_mail):
            with self.assertRaisesRegex(UserError, "Bulk SMS is not activated.*administrator"):
                send()
        self.company.sms_enabled = False
        with self.assertRaisesRegex(UserError, "SMS is switched off"):
            mailing.action_put_in_queue()
        mail = self.env["mailing.mailing"].create(
            {"subject": "E-mail", "mailing_model_id": self.env["ir.model"]._get_id("res.partner")}
        )
        mail.action_put_in_queue()

    def test_each_recipient_has_his_own_link(self):
        """What is sent is what Odoo counts the clicks by."""
        mailing = self.send_mailing(body_plaintext="See https://example.com/spring")
        with self.provider() as provider:
            self.run_lanes("bulk")
        links = {re.search(r"/r/\w+/s/(\d+)", body)[1] for body in provider.bodies}
        traces = self.get_traces(mailing)
        self.assertEqual(links, {str(trace.sms_id_int) for trace in traces})
        for text in self.get_texts():
            self.assertEqual(
                text.segments, text.env["sms.sms"]._measure_values(text.body)["segments"]
            )

    def test_an_empty_field_fails_its_recipient_only(self):
        """R025: and is named on the trace."""
        self.other.city = "Bergen"
        template = self.env["sms.template"].create(
            {
                "name": "T",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "body": "To {{ object.city }}",
            }
        )
        mailing = self.send_mailing(sms_template_id=template.id, body_plaintext=template.body)
        with self.provider() as provider:
            self.run_lanes("bulk")
        self.assertEqual(provider.numbers, ["+4790000001"])
        failed = mailing.mailing_trace_ids.filtered(lambda trace: trace.trace_status == "error")
        self.assertEqual((failed.sms_number, failed.failure_type), (CUSTOMER, "sms_merge_field"))
        self.assertIn("City", failed.failure_reason)

    def test_the_states_of_the_ledger_are_those_of_the_traces(self):
        mailing = self.send_mailing()
        with self.provider() as provider:
            provider.answers[CUSTOMER] = {
                "outcome": "failed",
                "failure_type": "sms_invalid_destination",
                "reason": "No such number",
                "code": "21211",
            }
            self.run_lanes("bulk")
        traces = {trace.sms_number: trace for trace in mailing.mailing_trace_ids}
        failed, sent = traces[CUSTOMER], traces["+4790000001"]
        self.assertEqual((failed.trace_status, sent.trace_status), ("error", "pending"))
        self.assertEqual(failed.failure_type, "sms_invalid_destination")
        self.assertEqual(failed.failure_reason, "No such number (21211)")
        self.assertEqual(mailing.state, "done")

    def test_every_kind_of_failure_is_known_to_the_trace(self):
        kinds = dict(self.env["sms.sms"]._fields["failure_type"]._description_selection(self.env))
        known = self.env["mailing.trace"]._fields["failure_type"]._description_selection(self.env)
        self.assertLessEqual(set(kinds), set(dict(known)))

    def test_p2_a_retry_leaves_out_what_may_have_arrived(self):
        """P2: the failed one is sent again, the unknown one stays unknown."""
        mailing = self.send_mailing()
        failed, unknown = self.get_texts()
        failed._set_failed("sms_server")
        self.env.flush_all()
        self.env.cr.execute("UPDATE sms_message SET state = 'sending' WHERE id = %s", [unknown.id])
        self.env.invalidate_all()
        unknown._set_unknown()
        mailing.action_retry_failed()
        self.run_queue()
        with self.provider() as provider:
            self.run_lanes("bulk")
        self.assertEqual(provider.numbers, [failed.number])

    def test_p2_a_retry_leaves_out_what_was_sent_again(self):
        """P2: from the ledger, by hand; the outbox still shows the text as failed."""
        mailing = self.send_mailing()
        failed, again = self.get_texts()
        (failed | again)._set_failed("sms_server")
        again.action_resend()
        mailing.action_retry_failed()
        self.run_queue()
        with self.provider() as provider:
            self.run_lanes()
        self.assertEqual(sorted(provider.numbers), sorted((failed | again).mapped("number")))

    def test_erasing_a_number_erases_it_from_the_mailing(self):
        mailing = self.send_mailing()
        self.get_texts().filtered(lambda text: text.number == CUSTOMER)._erase()
        self.assertEqual(
            sorted(mailing.mailing_trace_ids.mapped("sms_number"), key=str),
            ["+4790000001", False],
        )


@tagged("post_install", "-at_install")
class TestMailingTest(MassMailingCase):
    """*Test* in the mailing's form."""

    def send_test(self, mailing, numbers="912 00 001\n12"):
        wizard = self.env["mailing.sms.test"].create({"mailing_id": mailing.id, "numbers": numbers})
        wizard.action_send_sms()

    def test_a_test_leaves_once_and_with_the_senders_number(self):
        """R153, R026: not through Odoo's service as well."""
        mailing = self.create_mailing()
        self.send_test(mailing)
        with self.provider() as provider:
            self.run_lanes("chat")
        self.assertEqual(provider.numbers, ["+4791200001"])
        self.assertEqual(provider.sent[0]["from"], self.sender.address)
        self.assertIn("New roofs", provider.bodies[0])
        self.assertIn("/sms/", provider.bodies[0], "with the way out, to try that too")
        self.assertIn("successfully sent to +4791200001", str(mailing.message_ids.mapped("body")))
        self.assertTrue(mailing.mailing_trace_ids.is_test_trace)

    def test_a_test_that_may_not_go_is_an_error(self):
        self.company.sms_enabled = False
        with self.assertRaisesRegex(UserError, "switched off"):
            self.send_test(self.create_mailing())

    def test_without_a_sender_the_test_goes_odoos_own_way(self):
        """And ours no second time, where a rule has a sender for the number's country (P2)."""
        self.env["sms.sender.rule"].create({"prefix": "+47", "sender_id": self.sender.id})
        with patch("odoo.addons.sms.tools.sms_api.SmsApi._contact_iap", return_value=[]) as contact:
            self.send_test(self.create_mailing(sms_sender_id=False))
        contact.assert_called_once()
        with self.provider() as provider:
            self.run_lanes("chat")
        self.assertFalse(provider.sent)


@tagged("post_install", "-at_install")
class TestOptOutLink(MassMailingCase, HttpCase):
    """The link that Odoo puts under each text."""

    def test_p6_the_way_out_of_a_mailing_works(self):
        """P6: one click, and no text of any kind comes any more."""
        mailing = self.send_mailing()
        with self.provider() as provider:
            self.run_lanes("bulk")
        body = dict(zip(provider.numbers, provider.bodies, strict=True))[CUSTOMER]
        path = re.search(r"/sms/\d+/\w+", body)[0]
        self.assertEqual(self.url_open(path).status_code, 200)
        answer = self.url_open(f"{path}?{urlencode({'sms_number': CUSTOMER})}")
        self.assertIn("/unsubscribe/", answer.url)
        self.env.invalidate_all()
        self.assertEqual(self.create_text().failure_type, "sms_blacklist")
        mailing.copy().action_send_sms()
        with self.provider() as provider:
            self.run_lanes("bulk")
        self.assertEqual(provider.numbers, ["+4790000001"])
