from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.sms_gateway.tests.common import CUSTOMER
from odoo.addons.sms_inbox.tests.common import SmsInboxCase

from ..engine import tags

RENDERING_LOG = "odoo.addons.mail.models.mail_render_mixin"
TOOL_LOG = "odoo.addons.sms_flow.models.sms_tool_sending"


class SmsToolCase(SmsInboxCase):
    """A lead of Anna's, a tool on leads, and a salesman who may press it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.sms_default_sender_id = cls.sender
        cls.lead = cls.create_lead(partner_id=cls.partner.id, expected_revenue=5000)
        cls.tool = cls.create_tool()
        cls.env.flush_all()

    @classmethod
    def create_tool(cls, model="crm.lead", **values):
        return cls.env["sms.tool"].create(
            {
                "name": "Offer is on its way",
                "model_id": cls.env["ir.model"]._get_id(model),
                "body": "Hi {{ object.partner_id.name }}",
                **values,
            }
        )

    def press(self, records=None, tool=None, user=None):
        """Press the button, as the web client does."""
        tool = (tool or self.tool).with_user(user or self.ola)
        return tool.run((self.lead if records is None else records).ids)

    def find_texts(self, records=None):
        records = self.lead if records is None else records
        domain = [("res_model", "=", records._name), ("res_id", "in", records.ids)]
        return self.env["sms.message"].search(domain, order="id")

    def see(self, records=None, user=None):
        """Names of the tools that a user sees on records."""
        records = self.lead if records is None else records
        Tool = self.env["sms.tool"].with_user(user or self.ola)
        return [tool["name"] for tool in Tool.get_visible(records._name, records.ids)]

    def create_action(self, tool=None):
        tool = tool or self.tool
        return self.env["ir.actions.server"].create(
            {
                "name": "Text",
                "model_id": tool.model_id.id,
                "state": "sms_tool",
                "sms_tool_id": tool.id,
            }
        )

    def automate(self, records=None, tool=None):
        """Run the tool as an automation rule does."""
        records = self.lead if records is None else records
        context = {"active_model": records._name, "active_ids": records.ids}
        self.create_action(tool).with_context(**context, active_id=records[:1].id).run()

    def assert_untouched(self, records=None):
        """No text, not even a failed one, and nothing in the chatter."""
        self.assertFalse(self.find_texts(records))


@tagged("post_install", "-at_install")
class TestTool(SmsToolCase):
    def test_r156_r157_a_press_texts_the_contact_with_the_fields_of_the_record(self):
        """R156, R157, R166, R170: the text and the number are the tool's, the data the record's."""
        self.tool.body = "Hi {{ object.partner_id.name }}, about {{ object.name }}"
        action = self.press()
        text = self.find_texts()
        self.assertEqual(text.body, "Hi Anna Hansen, about Roof")
        self.assertEqual((text.number, text.partner_id), (CUSTOMER, self.partner))
        self.assertEqual((text.origin, text.state, text.sender_id), ("tool", "queued", self.sender))
        self.assertEqual(text.user_id, self.ola)
        self.assertEqual(action["params"]["title"], "Text to Anna Hansen is on its way")
        with self.provider() as provider:
            self.run_lanes("chat")
        self.assertEqual(provider.bodies, ["Hi Anna Hansen, about Roof"])

    def test_records_named_twice_are_texted_once(self):
        action = self.tool.with_user(self.ola).run(self.lead.ids * 2)
        self.assertEqual(len(self.find_texts()), 1)
        self.assertEqual(action["params"]["title"], "Text to Anna Hansen is on its way")
        Tool = self.env["sms.tool"].with_user(self.ola)
        self.assertEqual(len(Tool.get_visible("crm.lead", self.lead.ids * 2)), 1)

    def test_r171_tags_in_translations_are_translated(self):
        """R171: as the translation dialog of the form writes them, all languages at once."""
        self.env["res.lang"]._activate_lang("nb_NO")
        self.tool.update_field_translations(
            "body", {"en_US": "Hello $contact-name$", "nb_NO": "Hei $contact-name$"}
        )
        self.assertEqual(self.tool.body, "Hello {{ object.partner_id.name }}")
        norwegian = self.tool.with_context(lang="nb_NO")
        self.assertEqual(norwegian.body, "Hei {{ object.partner_id.name }}")
        with self.assertRaisesRegex(ValidationError, "has no field for “\\$contact-shoesize\\$”"):
            self.tool.update_field_translations("body", {"nb_NO": "Hei $contact-shoesize$"})
        self.assertEqual(norwegian.body, "Hei {{ object.partner_id.name }}")
        self.tool.update_field_translations("body", {"nb_NO": False})
        self.assertEqual(norwegian.body, "Hello {{ object.partner_id.name }}")

    def test_r157_the_text_stands_in_the_chatter_of_the_record(self):
        self.press()
        note = self.lead.message_ids[0]
        self.assertEqual((note.message_type, note.author_id), ("sms", self.ola.partner_id))
        self.assertEqual(note.notification_ids.notification_status, "ready")

    def test_r157_on_any_model_those_without_a_chatter_too(self):
        """R157: a bank account has no chatter; the ledger keeps the text."""
        account = self.env["res.partner.bank"].create(
            {"acc_number": "NO9386011117947", "partner_id": self.partner.id}
        )
        tool = self.create_tool("res.partner.bank", body="Account {{ object.acc_number }}")
        self.assertEqual(tool.contact_path, "partner_id")
        self.press(account, tool, self.salesman)
        self.assertEqual(self.find_texts(account).body, "Account NO9386011117947")
        self.assertEqual(self.find_texts(account).state, "queued")

    def test_r157_on_contacts_the_record_is_the_contact(self):
        tool = self.create_tool("res.partner", body="Hi {{ object.name }}")
        self.assertFalse(tool.contact_path)
        self.press(self.partner, tool, self.salesman)
        self.assertEqual(self.find_texts(self.partner).partner_id, self.partner)

    def test_in_the_contacts_language_and_by_the_contacts_clock(self):
        self.env["res.lang"]._activate_lang("nb_NO")
        self.partner.lang = "nb_NO"
        self.lead.date_closed = "2026-07-01 10:00:00"
        body = "%s {{ format_datetime(object.date_closed, dt_format='HH:mm') }}"
        self.tool.body = body % "At"
        self.tool.with_context(lang="nb_NO").body = body % "Klokka"
        self.press()
        self.assertEqual(self.find_texts().body, "Klokka 12:00")

    def test_r161_inactive_is_not_shown_and_not_run(self):
        self.assertEqual(self.see(), ["Offer is on its way"])
        self.tool.active = False
        self.assertEqual(self.see(), [])
        with self.assertRaisesRegex(UserError, "switched off"):
            self.press()
        self.automate()
        self.assert_untouched()

    def test_r160_r161_what_the_button_says(self):
        self.tool.write({"icon": "fa-truck", "description": "When it leaves"})
        (shown,) = self.env["sms.tool"].with_user(self.ola).get_visible("crm.lead", self.lead.ids)
        self.assertEqual(
            shown,
            {
                "id": self.tool.id,
                "name": "Offer is on its way",
                "icon": "fa-truck",
                "description": "When it leaves",
            },
        )
        self.assertEqual(self.see(self.partner), [], "it is on another model")
        self.assertIn("crm.lead", self.env["sms.tool"].with_user(self.ola)._get_models())

    def test_r162_shown_only_on_records_that_match(self):
        """R162: in a list where one of the selected matches; the server looks again."""
        self.tool.visible_domain = "[('expected_revenue', '>', 1000)]"
        small = self.create_lead("Small", partner_id=self.partner.id)
        self.assertEqual(self.see(small), [])
        self.assertEqual(self.see(small | self.lead), ["Offer is on its way"])
        with self.assertRaisesRegex(
            UserError, "Small: The conditions of the SMS tool Offer is on its way are not met"
        ):
            self.press(small)
        self.assert_untouched(small)

    def test_r162_archived_records_can_match(self):
        self.lead.active = False
        self.assertEqual(self.see(), ["Offer is on its way"])

    def test_r163_a_person_is_refused_where_the_run_condition_is_not_met(self):
        """R163: refused with a message, nothing sent."""
        self.tool.run_domain = "[('user_id', '=', uid)]"
        self.assertEqual(self.see(), ["Offer is on its way"], "it shows all the same")
        with self.assertRaisesRegex(UserError, "Roof: The conditions"):
            self.press()
        self.assert_untouched()
        self.lead.user_id = self.ola
        self.press()
        self.assertTrue(self.find_texts())

    def test_r163_an_automation_passes_over_in_silence(self):
        self.tool.run_domain = "[('expected_revenue', '>', 9000)]"
        before = self.lead.message_ids
        self.automate()
        self.assert_untouched()
        self.assertEqual(self.lead.message_ids, before)

    def test_r167_without_a_contact_the_person_is_told_which_field(self):
        """R167: empty contact field; the field and the record are named."""
        self.lead.partner_id = False
        with self.assertRaisesRegex(UserError, "Roof: “Contact” is empty"):
            self.press()
        self.assert_untouched()

    def test_r167_the_contact_over_several_records(self):
        """R167: a path through other records."""
        parent = self.env["res.partner"].create({"name": "Hansen AS", "phone": "+4790000001"})
        self.partner.parent_id = parent
        self.tool.contact_path = "partner_id.parent_id"
        self.press()
        self.assertEqual(self.find_texts().partner_id, parent)
        self.partner.parent_id = False
        with self.assertRaisesRegex(UserError, "Contact › Related Company"):
            self.press()

    def test_r167_the_path_must_lead_to_a_contact(self):
        for path, words in (
            ("nofield", "“nofield” in “nofield” is no field of Lead"),
            ("name", "“name” in “name” is no field"),
            ("partner_id.name", "“name” in “partner_id.name” is no field of Contact"),
            ("team_id", "leads to: Sales Team"),
            (False, "it must lead to a contact"),
        ):
            with self.subTest(path), self.assertRaisesRegex(ValidationError, words):
                self.tool.contact_path = path

    def test_r168_the_phone_field_of_the_contact(self):
        field = self.env["ir.model.fields"].create(
            {
                "name": "x_gsm",
                "field_description": "GSM",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "ttype": "char",
            }
        )
        self.tool.phone_field_id = field
        self.partner.x_gsm = "90 00 00 02"
        self.press()
        self.assertEqual(self.find_texts().number, "+4790000002")
        self.partner.x_gsm = False
        with self.assertRaisesRegex(UserError, "Roof: “GSM” of Anna Hansen is empty"):
            self.press()

    def test_r168_only_a_text_field_of_contacts(self):
        field = self.env["ir.model.fields"]._get("crm.lead", "phone")
        with self.assertRaisesRegex(ValidationError, "Phone field"):
            self.tool.phone_field_id = field

    def test_a_national_number_takes_the_country_of_the_contact_or_the_company(self):
        """R169: without a country it is refused by name."""
        self.partner.phone = "0401234567"
        self.partner.country_id = self.env.ref("base.fi")
        self.press()
        self.assertEqual(self.find_texts().number, "+358401234567")
        self.partner.country_id = self.company.country_id = False
        with self.assertRaisesRegex(
            UserError, "“0401234567” of Anna Hansen is not a number in internat"
        ):
            self.press()

    @mute_logger(RENDERING_LOG)
    def test_r025_an_empty_field_is_an_error_that_names_it(self):
        self.tool.body = "In {{ object.city }}"
        with self.assertRaises(UserError) as refusal:
            self.press()
        self.assertIn("on Roof: City (object.city)", str(refusal.exception))
        self.assert_untouched()

    def test_what_the_gate_refuses_is_an_error_for_one_record(self):
        self.env["phone.blacklist"]._add([CUSTOMER])
        with self.assertRaisesRegex(UserError, "opted out"):
            self.press()
        self.env["phone.blacklist"]._remove([CUSTOMER])
        self.company.sms_enabled = False
        with self.assertRaisesRegex(UserError, "SMS is switched off"):
            self.press()

    def test_of_several_records_those_that_can_are_texted(self):
        """A list: one notification counts, and says why not."""
        leads = self.lead
        leads |= self.create_lead("Second", partner_id=self.partner.id)
        leads |= self.create_lead("Nobody")
        self.tool.run_domain = "[('name', '!=', 'Second')]"
        params = self.press(leads)["params"]
        self.assertEqual(params["title"], "1 sent, 2 not")
        self.assertIn("\nNobody: “Contact” is empty", params["message"])
        self.assertIn("\nSecond: The conditions", params["message"])
        self.assertEqual((params["type"], params["sticky"]), ("warning", True))
        self.assertEqual(self.find_texts(leads).mapped("res_id"), self.lead.ids)

    @mute_logger(RENDERING_LOG)
    def test_of_several_records_what_the_gate_refuses_is_counted_too(self):
        self.tool.body = "In {{ object.city }}"
        oslo = self.create_lead("Oslo", partner_id=self.partner.id, city="Oslo")
        params = self.press(self.lead | oslo)["params"]
        self.assertEqual(params["title"], "1 sent, 1 not")
        self.assertIn("City (object.city)", params["message"])
        self.assertEqual(self.find_texts(self.lead).state, "failed")
        self.assertEqual(self.find_texts(oslo).state, "queued")

    def test_records_with_the_same_reason_share_a_line(self):
        leads = self.env["crm.lead"].concat(*(self.create_lead(f"L{n}") for n in range(6)))
        message = self.press(leads)["params"]["message"]
        self.assertEqual(
            message, "\nL0, L1, L2 and 3 more: “Contact” is empty. Choose who gets the text."
        )

    def test_many_reasons_are_cut(self):
        leads = self.env["crm.lead"]
        for number in range(7):
            partner = self.env["res.partner"].create({"name": f"P{number}"})
            leads |= self.create_lead(f"L{number}", partner_id=partner.id, phone=False)
        message = self.press(leads)["params"]["message"]
        self.assertEqual(message.count("\n"), 6)
        self.assertIn("L0: “Phone” of P0 is empty", message)
        self.assertTrue(message.endswith("… and 2 other reasons"))

    def test_one_by_hand_goes_first_many_go_after(self):
        second = self.create_lead("Second", partner_id=self.partner.id)
        self.press()
        self.press(self.lead | second)
        texts = self.env["sms.sms"].search([("res_model", "=", "crm.lead")], order="id")
        self.assertEqual(texts.mapped("lane")[0], "chat")
        self.automate(second)
        latest = self.env["sms.sms"].search([], order="id desc", limit=1)
        self.assertEqual((latest.lane, latest.origin), ("normal", "tool"))

    def test_r165_only_an_approved_sender(self):
        draft = self._create_sender("New", "text", "NewName", state="draft")
        with self.assertRaisesRegex(ValidationError, "not approved"):
            self.tool.sender_id = draft
        self.tool.sender_id = self.text_sender
        self.press()
        self.assertEqual(self.find_texts().sender_id, self.text_sender)

    def test_without_any_sender_the_remedy_is_named(self):
        self.company.sms_default_sender_id = False
        with self.assertRaisesRegex(UserError, "There is no sender to text with"):
            self.press()

    def test_r159_the_form_and_its_example(self):
        """R159: made in a form, by an administrator; what is wrong shows while it is typed."""
        with Form(self.env["sms.tool"].with_user(self.env.ref("base.user_admin"))) as form:
            form.name = "Thanks"
            form.model_id = self.env["ir.model"]._get("crm.lead")
            self.assertEqual(form.contact_path, "partner_id")
            form.visible_domain = f"[('id', '=', {self.lead.id})]"
            form.body = "Hi $contact-firstname$!"
            self.assertEqual(form.preview, "Hi Anna!")
            self.assertIn(CUSTOMER, form.preview_title)
            form.body = "Hi $contact-shoesize$!"
            self.assertIn("$contact-shoesize$", form.preview)
            form.body = "Thank you!"
        self.assertEqual(form.record.phone_field_id.name, "phone")

    def test_another_model_means_other_conditions(self):
        self.tool.visible_domain = "[('expected_revenue', '>', 1)]"
        self.tool.model_id = self.env["ir.model"]._get("res.partner")
        self.assertEqual((self.tool.visible_domain, self.tool.contact_path), ("[]", False))

    def test_one_condition_given_leaves_the_other_open(self):
        tool = self.create_tool(visible_domain="[('id', '=', 1)]")
        self.assertEqual((tool.visible_domain, tool.run_domain), ("[('id', '=', 1)]", "[]"))

    def test_a_condition_must_fit_the_model(self):
        for domain in ("[('nofield', '=', 1)]", "[('name', '=', x)]", "no domain"):
            with self.subTest(domain), self.assertRaisesRegex(ValidationError, "Shown on"):
                self.tool.visible_domain = domain

    def test_only_on_models_that_keep_records(self):
        with self.assertRaisesRegex(ValidationError, "another model"):
            self.create_tool("sms.composer", contact_path="partner_id")

    def test_a_copy_says_so(self):
        self.assertEqual(self.tool.copy().name, "Offer is on its way (copy)")


@tagged("post_install", "-at_install")
class TestToolAccess(SmsToolCase):
    """R160, R004: who sees, presses and makes tools."""

    def test_only_administrators_make_tools(self):
        manager = self.create_seller(
            "sms_manager", "sales_team.group_sale_manager,sms_gateway.group_sms_manager"
        )
        for user in (self.ola, manager):
            with self.subTest(user.login), self.assertRaises(AccessError):
                self.tool.with_user(user).body = "{{ object.env }}"
        self.tool.with_user(self.env.ref("base.user_admin")).body = "Hi"

    def test_who_has_no_right_to_sms_sees_and_presses_nothing(self):
        clerk = new_test_user(
            self.env, "no_sms", groups="base.group_user,sales_team.group_sale_salesman"
        )
        self.assertEqual(self.see(user=clerk), [])
        self.assertEqual(self.env["sms.tool"].with_user(clerk)._get_models(), [])
        with self.assertRaises(AccessError):
            self.press(user=clerk)
        self.assert_untouched()

    def test_a_portal_user_gets_nowhere(self):
        portal = new_test_user(self.env, "sms_portal", groups="base.group_portal")
        self.assertEqual(self.see(user=portal), [])
        with self.assertRaises(AccessError):
            self.press(user=portal)

    def test_records_that_one_may_not_read_are_not_texted(self):
        self.lead.user_id = self.kari
        self.assertEqual(self.see(), [])
        with self.assertRaises(AccessError):
            self.press()
        self.assertEqual(self.see(user=self.kari), ["Offer is on its way"])

    def test_who_may_not_write_to_a_contact_may_not_press(self):
        """As in the composer."""
        reader = new_test_user(self.env, "sms_reader", groups="sms_gateway.group_sms_user")
        tool = self.create_tool("res.partner", body="Hi {{ object.name }}")
        with self.assertRaises(AccessError):
            self.press(self.partner, tool, reader)
        self.assertFalse(self.find_texts(self.partner))

    def test_a_sender_of_others_is_not_lent_by_a_tool(self):
        self.tool.sender_id = self.ola_sender
        self.assertEqual(self.see(user=self.kari), [])
        with self.assertRaisesRegex(UserError, "You may not send with Ola"):
            self.press(user=self.kari)
        self.press(user=self.ola)
        self.assertEqual(self.find_texts().sender_id, self.ola_sender)

    def test_a_tool_of_another_company_is_out_of_sight(self):
        other = self.env["res.company"].create({"name": "Other"})
        self.tool.company_id = other
        self.assertEqual(self.see(), [])
        with self.assertRaises(AccessError):
            self.press()

    def test_a_tool_passes_over_records_of_another_company(self):
        other = self.env["res.company"].create({"name": "Other"})
        self.tool.sender_id = self.sender
        self.lead.company_id = other
        before = self.lead.message_ids
        self.automate()
        self.assert_untouched()
        self.assertEqual(self.lead.message_ids, before)

    def test_the_company_is_that_of_the_sender(self):
        other = self.env["res.company"].create({"name": "Other"})
        self.tool.sender_id = self.sender
        self.assertEqual(self.tool.company_id, self.company)
        with self.assertRaises(UserError):
            self.tool.company_id = other

    def test_without_a_sender_the_country_decides(self):
        """A tool that names no sender texts a Swede from the Swedish number."""
        swede = self._create_sender("Sweden", "mobile", "+46700000009")
        self.env["sms.sender.rule"].create({"prefix": "+46", "sender_id": swede.id})
        self.partner.phone = "+46721234567"
        self.press()
        self.assertEqual(self.find_texts().sender_id, swede)

    def test_a_tool_of_all_companies_sends_with_the_default_of_the_records(self):
        other = self.env["res.company"].create({"name": "Other"})
        gateway = self.env["sms.gateway"].create(
            {"name": "Theirs", "state": "enabled", "company_id": other.id}
        )
        sender = self._create_sender(
            "Theirs", "text", "Theirs", gateway_id=gateway.id, company_id=other.id
        )
        other.sms_default_sender_id = sender
        self.lead.company_id = other
        self.automate()
        self.assertEqual(self.find_texts().sender_id, sender)


@tagged("post_install", "-at_install")
class TestToolAutomation(SmsToolCase):
    def test_r158_an_automation_rule_runs_the_tool(self):
        """R158: on a stage, as a step of the rule."""
        won = self.env["crm.stage"].search([("is_won", "=", True)], limit=1)
        action = self.create_action()
        self.assertEqual(action._generate_action_name(), "Run SMS tool: Offer is on its way")
        self.env["base.automation"].create(
            {
                "name": "Text when won",
                "model_id": self.tool.model_id.id,
                "trigger": "on_stage_set",
                "trg_field_ref": won.id,
                "action_server_ids": [(6, 0, action.ids)],
            }
        )
        self.lead.with_user(self.ola).stage_id = won
        text = self.find_texts()
        self.assertEqual((text.body, text.origin), ("Hi Anna Hansen", "tool"))

    def test_p10_a_missing_contact_is_noted_on_the_record(self):
        """P10, R167: nothing is raised, the note says what to fill."""
        self.lead.partner_id = False
        self.automate()
        self.assert_untouched()
        note = self.lead.message_ids[0]
        self.assertIn("“Contact” is empty", note.body)
        self.assertIn("Offer is on its way", note.body)

    @mute_logger(RENDERING_LOG)
    def test_p10_r025_an_empty_field_stands_as_a_failed_text_on_the_record(self):
        self.tool.body = "In {{ object.city }}"
        self.automate()
        text = self.find_texts()
        self.assertEqual((text.state, text.failure_type), ("failed", "sms_merge_field"))
        self.assertIn("City", text.failure_reason)
        notification = self.lead.message_ids[0].notification_ids
        self.assertEqual(notification.notification_status, "exception")

    def test_p10_without_a_chatter_the_ledger_says_why(self):
        self.partner.phone = False
        account = self.env["res.partner.bank"].create(
            {"acc_number": "NO9386011117947", "partner_id": self.partner.id}
        )
        self.automate(account, self.create_tool("res.partner.bank", body="Hi"))
        text = self.find_texts(account)
        self.assertEqual((text.state, text.failure_type), ("failed", "sms_number_missing"))
        self.assertIn("“Phone” of Anna Hansen is empty", text.failure_reason)

    @mute_logger(TOOL_LOG)
    def test_p10_what_cannot_be_foreseen_is_noted_too(self):
        """P10: the business write goes through, whatever the tool does."""
        self.env.flush_all()
        self.env.cr.execute("UPDATE sms_tool SET run_domain = '[(1' WHERE id = %s", [self.tool.id])
        self.tool.invalidate_recordset()
        self.automate()
        self.assert_untouched()
        self.assertIn("Offer is on its way", self.lead.message_ids[0].body)

    def test_one_that_fails_leaves_the_others_alone(self):
        nobody = self.create_lead("Nobody")
        self.automate(nobody | self.lead)
        self.assertEqual(self.find_texts(nobody | self.lead).res_id, self.lead.id)
        self.assertIn("Contact", nobody.message_ids[0].body)

    def test_the_tool_belongs_to_the_model_of_the_action(self):
        action = self.create_action()
        self.assertFalse(action.warning)
        action.model_id = self.env["ir.model"]._get("res.partner")
        self.assertFalse(action.sms_tool_id)
        self.assertIn("Choose an SMS tool", action.warning)

    def test_a_tool_that_changed_its_model_texts_nobody(self):
        action = self.create_action()
        self.tool.model_id = self.env["ir.model"]._get("res.partner")
        while not self.env["res.partner"].browse(self.lead.id).exists():
            self.env["res.partner"].create({"name": "Of the same id"})
        before = self.lead.message_ids
        context = {"active_model": "crm.lead", "active_ids": self.lead.ids}
        action.with_context(**context, active_id=self.lead.id).run()
        self.assert_untouched()
        self.assertEqual(self.lead.message_ids, before)


@tagged("post_install", "-at_install")
class TestToolTags(SmsToolCase):
    """R171: ``$module-field$`` turns into Odoo's placeholders when it is saved."""

    def assert_saved(self, body, saved):
        self.tool.body = body
        self.assertEqual(self.tool.body, saved)

    def test_r171_tags_of_the_contact_the_record_and_what_it_points_to(self):
        self.assert_saved("Hi $contact-firstname$", "Hi {{ object.partner_id.name.split()[0] }}")
        self.assert_saved("$asiakas-city$", "{{ object.partner_id.city }}")
        self.assert_saved("$lead-name$", "{{ object.name }}")
        self.assert_saved("$crm.lead-Expected Closing$", "{{ format_date(object.date_deadline) }}")
        self.assert_saved("$salesperson-name$", "{{ object.user_id.name }}")
        self.assert_saved("$lead-stage$", "{{ object.stage_id.display_name }}")

    def test_r171_money_is_no_tag(self):
        text = "From $5 to $10, 3$ - and a $"
        self.assert_saved(text, text)

    def test_r171_r170_pressed_with_the_values(self):
        """R170: first name of the contact, and money, a choice and a date of the record."""
        self.lead.write({"type": "opportunity", "date_deadline": "2026-07-01"})
        self.tool.body = (
            "$contact-firstname$ $lead-expected revenue$ $lead-type$ $lead-expected closing$"
        )
        self.press()
        name, amount, kind, day = self.find_texts().body.split(" ")
        self.assertEqual((name, kind, day), ("Anna", "Opportunity", "07/01/2026"))
        self.assertIn("5,000.00", amount)

    @mute_logger(RENDERING_LOG)
    def test_r171_an_empty_value_is_an_error(self):
        self.tool.body = "Hi $contact-firstname$ in $lead-city$"
        with self.assertRaisesRegex(UserError, "City"):
            self.press()

    def test_r171_an_unknown_module_or_field_is_refused_by_name(self):
        with self.assertRaisesRegex(ValidationError, r"“\$boat-name\$”.*contact, lead"):
            self.tool.body = "The $boat-name$"
        with self.assertRaisesRegex(ValidationError, r"“\$lead-citty\$”.*There are: city"):
            self.tool.body = "In $lead-citty$"
        with self.assertRaises(ValidationError):
            self.create_tool(body="$boat-name$")

    def test_r171_created_and_translated_texts_too(self):
        self.env["res.lang"]._activate_lang("fi_FI")
        tool = self.create_tool(body="Hi $contact-name$")
        self.assertEqual(tool.body, "Hi {{ object.partner_id.name }}")
        tool.update_field_translations("body", {"fi_FI": "Hei $kontakti-etunimi$"})
        finnish = tool.with_context(lang="fi_FI")
        self.assertEqual(finnish.body, "Hei {{ object.partner_id.name.split()[0] }}")
        finnish.body = "Moi $kontakti-nimi$"
        self.assertEqual(finnish.body, "Moi {{ object.partner_id.name }}")
        self.assertEqual(tool.body, "Hi {{ object.partner_id.name }}")

    def test_r171_made_by_somebody_who_works_in_another_language(self):
        self.env["res.lang"]._activate_lang("fi_FI")
        tool = self.env["sms.tool"].with_context(lang="fi_FI")
        tool = tool.create(
            {
                "name": "Kiitos",
                "model_id": self.env["ir.model"]._get_id("crm.lead"),
                "body": "Hei $asiakas-nimi$",
            }
        )
        for lang in ("fi_FI", "en_US"):
            with self.subTest(lang):
                body = tool.with_context(lang=lang).body
                self.assertEqual(body, "Hei {{ object.partner_id.name }}")

    def test_r171_tags_on_an_invoice(self):
        """R171: the example of the source, on a stand-in for the invoice."""
        contact = tags.Model("res.partner", ("Contact",), (tags.Field("name", ("Name",)),))
        invoice = tags.Model(
            "account.move",
            ("Journal Entry",),
            (
                tags.Field("name", ("Number",)),
                tags.Field("amount_total", ("Total",), "monetary", currency="currency_id"),
                tags.Field("partner_id", ("Partner",), "many2one", "res.partner"),
            ),
        )
        text = "Hei $contact-firstname$, lasku $invoice-number$ on $invoice-total$."
        self.assertEqual(
            tags.translate(text, invoice, "partner_id", {"res.partner": contact}.get),
            "Hei {{ object.partner_id.name.split()[0] }}, lasku {{ object.name }} on "
            "{{ format_amount(object.amount_total, object.currency_id) }}.",
        )
