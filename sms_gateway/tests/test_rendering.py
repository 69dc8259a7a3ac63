from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.sms_gateway.models.sms_gate import _describe_expression

from .common import CUSTOMER, SmsGatewayCase

RENDERING_LOG = "odoo.addons.mail.models.mail_render_mixin"


@tagged("post_install", "-at_install")
class TestStrictRendering(SmsGatewayCase):
    """R025: what cannot be filled stays visible between braces."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.partner.write({"city": "Bergen", "function": False, "color": 0})
        cls.second = cls.env["res.partner"].create({"name": "Bo Ek", "phone": "+4790000001"})
        cls.template = cls.env["sms.template"].create(
            {"name": "T", "model_id": cls.env["ir.model"]._get_id("res.partner"), "body": "-"}
        )

    def render(self, body, records=None, strict=True):
        records = records or self.partner
        self.template.body = body
        rendered = self.template.with_context(sms_strict_rendering=strict)._render_field(
            "body", records.ids
        )
        texts = [rendered[record.id] for record in records]
        return texts[0] if len(texts) == 1 else texts

    def test_r022_the_fields_of_each_record_are_merged(self):
        """R022: rendered per record, several fields in one text."""
        self.second.city = "Oslo"
        texts = self.render("Hi {{ object.name }} in {{object.city}}!", self.partner | self.second)
        self.assertEqual(texts, ["Hi Anna Hansen in Bergen!", "Hi Bo Ek in Oslo!"])

    @mute_logger(RENDERING_LOG)
    def test_r025_what_is_empty_or_missing_stays_between_braces(self):
        """R025: an empty field, one that does not exist, an expression that fails."""
        for body, text in (
            ("Dear {{ object.function }},", "Dear {{ object.function }},"),
            ("{{object.function}}{{ object.city }}", "{{ object.function }}Bergen"),
            ("Dear {{ object.nofield }}", "Dear {{ object.nofield }}"),
            ("Of {{ object.parent_id.name }}", "Of {{ object.parent_id.name }}"),
            ("{{ object.category_id[0].name }}", "{{ object.category_id[0].name }}"),
            ("Colour {{ object.color }}", "Colour {{ object.color }}"),
        ):
            with self.subTest(body):
                self.assertEqual(self.render(body), text)

    def test_a_default_fills_what_is_empty(self):
        for body, text in (
            ("Dear {{ object.function ||| customer}}!", "Dear customer!"),
            ("Dear {{ object.function or 'you' }}!", "Dear you!"),
            ("In {{ object.city ||| your town}}", "In Bergen"),
            ("Colour {{ object.color ||| 0}}", "Colour 0"),
        ):
            with self.subTest(body):
                self.assertEqual(self.render(body), text)

    @mute_logger(RENDERING_LOG)
    def test_one_record_that_fails_leaves_the_others_alone(self):
        tag = self.env["res.partner.category"].create({"name": "Gold"})
        self.partner.category_id = tag
        texts = self.render("{{ object.category_id[0].name }}", self.partner | self.second)
        self.assertEqual(texts, ["Gold", "{{ object.category_id[0].name }}"])

    def test_what_has_no_braces_is_not_touched(self):
        for body in ("Hello", "50 % off {today}", "{{ unclosed", "a }} b", "${object.name}"):
            self.assertEqual(self.render(body), body)

    def test_elsewhere_rendering_is_as_it_was(self):
        """E-mails and Odoo's own texts: an empty field prints nothing."""
        self.assertEqual(self.render("Dear {{ object.function }},", strict=False), "Dear ,")

    def test_a_value_with_braces_is_no_merge_field(self):
        """Nothing a customer is called is ever evaluated."""
        self.partner.name = "{{ 7 * 7 }}"
        self.assertEqual(self.render("Hi {{ object.name }}"), "Hi {{ 7 * 7 }}")
        self.assertEqual(self.create_text(body="Hi {{ 7 * 7 }}").failure_type, "sms_merge_field")

    def test_each_record_in_its_own_language(self):
        self.env["res.lang"]._activate_lang("nb_NO")
        self.second.lang = "nb_NO"
        self.template.body = "Hi {{ object.function }}"
        self.template.with_context(lang="nb_NO").body = "Hei {{ object.function }}"
        rendered = self.template.with_context(sms_strict_rendering=True)._render_field(
            "body", (self.partner | self.second).ids, compute_lang=True
        )
        self.assertEqual(rendered[self.partner.id], "Hi {{ object.function }}")
        self.assertEqual(rendered[self.second.id], "Hei {{ object.function }}")

    @mute_logger(RENDERING_LOG)
    def test_who_may_not_write_expressions_gets_none_evaluated(self):
        """A text of one's own may name what Odoo allows, and the error says who may more."""
        writer = new_test_user(self.env, "sms_writer", groups="base.group_user")
        mixin = self.env["mail.render.mixin"].with_user(writer)
        mixin = mixin.with_context(sms_strict_rendering=True)
        rendered = mixin._render_template("I am {{ object.name }}", "res.partner", self.partner.ids)
        self.assertEqual(rendered[self.partner.id], "I am Anna Hansen")
        for body in ("{{ object.env.cr.dbname }}", "{{ 7 * 7 }}", "{{ object.city }}"):
            with self.subTest(body), self.assertRaises(AccessError):
                mixin._render_template(body, "res.partner", self.partner.ids)

    def test_only_the_text_is_strict_not_what_its_sending_sets_off(self):
        """An e-mail that an automation sends meanwhile is rendered as ever."""
        seen = []
        post = type(self.partner).message_post

        def message_post(record, **kwargs):
            seen.append(bool(record.env.context.get("sms_strict_rendering")))
            return post(record, **kwargs)

        self.patch(type(self.partner), "message_post", message_post)
        self.template.body = "Hi {{ object.name }}"
        record = self.partner.with_context(sms_sender_id=self.sender.id)
        record._message_sms_with_template(template=self.template)
        self.assertEqual(seen, [False])


@tagged("post_install", "-at_install")
class TestMergeFieldError(SmsGatewayCase):
    """R025: the gate refuses a text with braces left, and names what is missing."""

    def test_r025_the_error_names_field_and_record(self):
        """R025: by the label a person knows."""
        with self.assertRaisesRegex(UserError, r"on Anna Hansen: City \(object.city\)"):
            self.env["sms.sms"].with_context(sms_raise_refusal=True).create(
                {
                    "number": CUSTOMER,
                    "body": "In {{ object.city }}",
                    "sender_id": self.sender.id,
                    "res_model": "res.partner",
                    "res_id": self.partner.id,
                }
            )
        text = self.create_text(body="{{ object.city }} {{ object.nofield }}")
        self.assertEqual((text.state, text.failure_type), ("error", "sms_merge_field"))
        self.assertIn("object.city, object.nofield", text.message_id.failure_reason)

    def test_a_field_that_is_not_closed_is_no_words(self):
        """A slip of the pen in a template must not reach the customer as it stands."""
        for body in ("Hi {{ object.name ", "{{ object.city }} and {{ object.name"):
            text = self.create_text(body=body)
            self.assertEqual((text.state, text.failure_type), ("error", "sms_merge_field"))
            self.assertIn("object.name", text.message_id.failure_reason)
        self.assertEqual(self.create_text(body="}} Hi").state, "outgoing")

    def test_r025_how_an_expression_is_called(self):
        """R025: fields by label, along a path; what is no field of the record as it is written."""
        model = self.env["res.partner"]
        for expression, words in (
            ("object.city", "City (object.city)"),
            (
                "object.parent_id.country_id.name",
                "Related Company › Country › Country Name (object.parent_id.country_id.name)",
            ),
            ("object.nofield", "object.nofield"),
            ("object.parent_id.nofield", "object.parent_id.nofield"),
            ("object.name.upper()", "object.name.upper()"),
            ("user.city", "user.city"),
            ("object", "object"),
            ("7 * 7", "7 * 7"),
        ):
            with self.subTest(expression):
                self.assertEqual(_describe_expression(model, expression), words)
        self.assertEqual(_describe_expression(None, "object.city"), "object.city")

    def test_r021_a_template_has_a_name_and_a_text(self):
        """R021: the form asks for both; none is ever without."""
        values = {
            "name": "Visit",
            "body": "We come",
            "model_id": self.env["ir.model"]._get_id("res.partner"),
        }
        nameless = self.env["sms.template"].create({**values, "name": False})
        self.assertEqual(nameless.name, "We come", "a program's template is named by its text")
        with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"):
            self.env["sms.template"].create({**values, "body": False})
        for field in ("name", "body"):
            form = Form(self.env["sms.template"])
            form.model_id = self.env["ir.model"]._get("res.partner")
            form[{"name": "body", "body": "name"}[field]] = "Visit"
            with self.subTest(field, way="form"), self.assertRaisesRegex(AssertionError, field):
                form.save()
