from unittest.mock import patch

from markupsafe import Markup

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user, tagged

from .common import CUSTOMER, SmsGatewayCase

SECOND = "+4790000001"


class ComposerCase(SmsGatewayCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.partner.city = "Bergen"
        cls.second = cls.env["res.partner"].create({"name": "Bo Ek", "phone": SECOND})
        cls.template = cls.env["sms.template"].create(
            {
                "name": "Visit",
                "model_id": cls.env["ir.model"]._get_id("res.partner"),
                "body": "Hi {{ object.name }}, we come to {{ object.city }}.",
            }
        )

    def open(self, records=None, user=None, **context):
        """The composer's form, as the button on records opens it."""
        records = self.partner if records is None else records
        many = len(records) > 1
        return Form(
            self.env["sms.composer"]
            .with_user(user or self.salesman)
            .with_context(
                default_res_model=records._name,
                default_res_id=False if many else records.id,
                default_res_ids=repr(records.ids) if many else False,
                default_composition_mode="mass" if many else "comment",
                **context,
            )
        )

    def send(self, form):
        form.save().action_send_sms()

    def texts_of(self, records):
        return self.env["sms.message"].search(
            [("res_model", "=", records._name), ("res_id", "in", records.ids)], order="id"
        )


@tagged("post_install", "-at_install")
class TestComposer(ComposerCase):
    """To one customer."""

    def test_r164_the_form_proposes_the_default_sender(self):
        """R164: one's own, else the company's, else Odoo's service."""
        self.assertFalse(self.open().sender_id)
        self.company.sms_default_sender_id = self.sender
        self.assertEqual(self.open().sender_id, self.sender)
        own = self._create_sender("Mine", "dedicated", "59445077", user_ids=self.salesman.ids)
        self.assertEqual(self.open().sender_id, own)

    def test_r012_the_form_offers_what_the_user_may_use(self):
        """R012, R165: approved ones of the company, everybody's and his own."""
        colleague = new_test_user(self.env, "sms_colleague", groups="base.group_user")
        other = self.env["res.company"].create({"name": "Other"})
        gateway = self._create_gateway(name="Other's", company_id=other.id)
        own = self._create_sender("Mine", "dedicated", "59445077", user_ids=self.salesman.ids)
        self._create_sender("Hers", "dedicated", "59445066", user_ids=colleague.ids)
        self._create_sender("Name", "text", "Nordlys", state="draft")
        self._create_sender(
            "Other's", "dedicated", "59445088", gateway_id=gateway.id, company_id=other.id
        )
        offered = self.open().available_sender_ids[:]
        self.assertEqual(offered, self.sender | self.text_sender | own)
        self.assertNotIn(own, self.open(user=colleague).available_sender_ids[:])

    def test_the_form_says_whether_the_text_can_be_answered(self):
        form = self.open()
        form.sender_id = self.sender
        self.assertTrue(form.can_be_answered)
        form.sender_id = self.text_sender
        self.assertFalse(form.can_be_answered)

    def test_a_text_leaves_with_the_sender_chosen(self):
        """And stands in the chatter, in the ledger with its record, author and origin."""
        form = self.open()
        form.sender_id = self.text_sender
        form.body = "We are here"
        with self.provider() as provider:
            self.send(form)
            self.run_lanes("chat")
        self.assertEqual(
            provider.sent, [{"number": CUSTOMER, "body": "We are here", "from": "Fjord AS"}]
        )
        text = self.texts_of(self.partner)
        self.assertEqual((text.origin, text.user_id), ("composer", self.salesman))
        self.assertEqual(text.partner_id, self.partner)
        self.assertEqual(text.mail_message_id, self.partner.message_ids[0])
        self.assertEqual(text.mail_message_id.notification_ids.notification_status, "pending")

    def test_r022_a_template_is_filled_and_can_be_edited(self):
        """R022: with the fields of the record; the template itself stays as it is."""
        form = self.open()
        form.sender_id = self.sender
        form.template_id = self.template
        self.assertEqual(form.body, "Hi Anna Hansen, we come to Bergen.")
        form.body = "Hi Anna, see you in Bergen!"
        with self.provider() as provider:
            self.send(form)
            self.run_lanes()
        self.assertEqual(provider.bodies, ["Hi Anna, see you in Bergen!"])
        self.assertEqual(self.template.body, "Hi {{ object.name }}, we come to {{ object.city }}.")

    def test_another_sender_keeps_what_was_typed(self):
        form = self.open()
        form.template_id = self.template
        form.body = "Something else altogether"
        form.sender_id = self.text_sender
        self.assertEqual(form.body, "Something else altogether")

    def test_r025_an_empty_field_stands_in_the_text_and_is_refused_by_name(self):
        """R025: seen while writing, named when sending; nothing is sent or stored."""
        self.partner.city = False
        form = self.open()
        form.sender_id = self.sender
        form.template_id = self.template
        self.assertEqual(form.body, "Hi Anna Hansen, we come to {{ object.city }}.")
        self.assertTrue(form.has_unfilled_fields)
        with self.assertRaisesRegex(UserError, r"on Anna Hansen: City \(object.city\)"):
            self.send(form)
        self.assertFalse(self.texts_of(self.partner))
        form.body = "Hi Anna Hansen, we come to you."
        self.assertFalse(form.has_unfilled_fields)
        with self.provider() as provider:
            self.send(form)
            self.run_lanes()
        self.assertEqual(len(provider.sent), 1)

    def test_r025_holds_for_odoos_own_service_too(self):
        """R025: the braces seen in the form never reach a customer."""
        self.partner.city = False
        form = self.open()
        form.template_id = self.template
        self.assertIn("{{ object.city }}", form.body)
        with (
            patch(
                "odoo.addons.sms.tools.sms_api.SmsApi._send_sms_batch",
                side_effect=AssertionError("sent"),
            ),
            self.assertRaisesRegex(UserError, "City"),
        ):
            self.send(form)

    def test_a_number_corrected_in_the_form_is_used(self):
        self.partner.phone = "123"
        form = self.open()
        form.sender_id = self.sender
        form.body = "Hello"
        form.recipient_single_number_itf = SECOND
        with self.provider() as provider:
            self.send(form)
            self.run_lanes()
        self.assertEqual(provider.numbers, [SECOND])

    def test_to_numbers_only(self):
        """Several numbers, no record: each has its row in the ledger."""
        composer = (
            self.env["sms.composer"]
            .with_user(self.salesman)
            .create(
                {
                    "composition_mode": "numbers",
                    "numbers": f"{CUSTOMER}, {SECOND}",
                    "body": "Hello",
                    "sender_id": self.sender.id,
                }
            )
        )
        self.assertEqual(composer.sms_recipient_count, 2)
        with self.provider() as provider:
            composer.action_send_sms()
            self.run_lanes()
        self.assertEqual(sorted(provider.numbers), [SECOND, CUSTOMER])

    def test_r002_the_form_counts_the_recipients(self):
        """R002: with the segments, which the browser counts, it says what the text will cost."""
        self.assertEqual(self.open().sms_recipient_count, 1)
        nobody = self.env["res.partner"].create({"name": "No number"})
        records = self.partner | self.second | nobody
        self.assertEqual(self.open(records=records).sms_recipient_count, 2)
        silent = nobody | nobody.copy()
        self.assertEqual(self.open(records=silent).sms_recipient_count, 0)
        arch = self.env["sms.composer"].get_view(view_type="form")["arch"]
        self.assertIn('name="sms_recipient_count"', arch)
        self.assertIn('widget="sms_widget"', arch)


@tagged("post_install", "-at_install")
class TestMassComposer(ComposerCase):
    """To many at once."""

    def setUp(self):
        super().setUp()
        self.patch_chunk = patch("odoo.addons.sms_gateway.wizards.sms_composer.CHUNK", 2)
        self.patch_chunk.start()
        self.addCleanup(self.patch_chunk.stop)
        values = [
            {"name": "Anna's twin", "phone": "912 34 567"},
            {"name": "Opted out", "phone": "+4790000002"},
            {"name": "No number"},
            {"name": "Wrong number", "phone": "12"},
            {"name": "Cy", "phone": "+4790000003"},
            {"name": "Cy's twin", "phone": "+4790000003"},
        ]
        others = self.env["res.partner"].create([{**vals, "city": "Oslo"} for vals in values])
        self.twin, self.opted_out, self.silent, self.wrong, self.third, self.fourth = others
        self.second.city = "Oslo"
        self.env["phone.blacklist"]._add(["+4790000002"])
        self.records = self.partner | self.second | others

    def mass(self, body="Hi {{ object.name }}", **values):
        self.template.body = body
        form = self.open(records=self.records)
        form.sender_id = self.sender
        form.template_id = self.template
        composer = form.save()
        composer.write(values)
        return composer

    def test_each_number_gets_the_text_once_over_all_chunks(self):
        """And every other recipient stands in the ledger with the reason."""
        with self.provider() as provider:
            self.mass().action_send_sms()
            self.run_lanes("chat", "normal")
            self.assertFalse(provider.sent, "many wait behind the few")
            self.run_lanes("bulk")
        self.assertEqual(provider.numbers, [CUSTOMER, SECOND, "+4790000003"])
        self.assertEqual(provider.bodies, ["Hi Anna Hansen", "Hi Bo Ek", "Hi Cy"])
        fates = {
            text.res_id: (text.state, text.failure_type) for text in self.texts_of(self.records)
        }
        self.assertEqual(
            fates,
            {
                self.partner.id: ("sent", False),
                self.second.id: ("sent", False),
                self.twin.id: ("cancelled", "sms_duplicate"),
                self.opted_out.id: ("cancelled", "sms_blacklist"),
                self.silent.id: ("cancelled", "sms_number_missing"),
                self.wrong.id: ("cancelled", "sms_number_format"),
                self.third.id: ("sent", False),
                self.fourth.id: ("cancelled", "sms_duplicate"),
            },
        )

    def test_the_note_on_each_record_shows_the_state_of_its_text(self):
        """R146: notification and tracker as of a single text, also for what did not go."""
        with self.provider():
            self.mass().action_send_sms()
            self.run_lanes()
        for record, status in (
            (self.partner, "pending"),
            (self.second, "pending"),
            (self.opted_out, "exception"),
            (self.silent, "exception"),
        ):
            text = self.texts_of(record)
            notification = text.mail_message_id.notification_ids
            self.assertIn(text.mail_message_id, record.message_ids)
            self.assertEqual(notification.notification_status, status, record.name)
            self.assertEqual(notification.sms_tracker_ids.sms_uuid, text.uuid)
        self.texts_of(self.partner)._set_delivered()
        notification = self.texts_of(self.partner).mail_message_id.notification_ids
        self.assertEqual(notification.notification_status, "sent")

    def test_the_notes_are_as_core_writes_them(self):
        """All but the first are copies of a row: in nothing but record and text may they differ."""
        body = "Tom & <b>Jerry</b>\nhttps://example.com/a {{ object.name }}"
        with self.provider():
            self.mass(body).action_send_sms()
        notes = self.texts_of(self.records).sorted("res_id").mail_message_id
        self.assertEqual(len(notes), len(self.records))
        columns = notes._get_cloned_columns()
        first, *others = notes.sudo().read(columns, load=None)
        for note in others:
            own = {name: note[name] for name in ("id", "message_id", "date")}
            self.assertEqual(note, {**first, **own}, "each chunk has its own id and moment")
        for note in notes:
            self.assertEqual(note.body, note.copy({"body": note.body}).body, "sanitized")
            self.assertIn("Tom &amp; &lt;b&gt;Jerry&lt;/b&gt;<br", note.body)
            self.assertIn('<a href="https://example.com', note.body)
            self.assertIn(self.env[note.model].browse(note.res_id).name.split("'")[0], note.body)

    def test_a_copied_note_holds_no_html_but_what_core_lets_through(self):
        """What is no ``Markup`` is escaped; what is, is sanitized."""
        for body in ("plain", "<b>text</b>", Markup("a<br/>b"), Markup("<script>x</script>ok")):
            bodies = dict.fromkeys(self.records.ids, body)
            note, *copies = self.records._message_log_batch(bodies, clone=True)
            self.assertTrue(copies)
            for copy in copies:
                self.assertEqual(copy.body, note.body)

    def test_without_a_note_nothing_is_written_on_the_records(self):
        before = self.records.message_ids
        with self.provider() as provider:
            self.mass(mass_keep_log=False).action_send_sms()
            self.run_lanes()
        self.assertEqual(len(provider.sent), 3)
        self.assertEqual(self.records.message_ids, before)
        self.assertEqual(len(self.texts_of(self.records)), 8, "the ledger knows all the same")

    def test_send_now_is_no_different(self):
        with self.provider() as provider:
            self.mass().action_send_sms_mass_now()
            self.run_lanes()
        self.assertEqual(len(provider.sent), 3)

    def test_r025_only_the_records_that_fail_fail(self):
        """R025: in a batch the others get their text, whatever chunk they are in."""
        self.third.city = False
        self.second.city = False
        with self.provider() as provider:
            self.mass("In {{ object.city }}").action_send_sms()
            self.run_lanes()
        self.assertEqual(provider.bodies, ["In Bergen"])
        for record in (self.second, self.third):
            text = self.texts_of(record)
            self.assertEqual((text.state, text.failure_type), ("failed", "sms_merge_field"))
            self.assertIn(f"on {record.name}: City (object.city)", text.failure_reason)
            self.assertIn("City", text.mail_message_id.notification_ids.failure_reason)

    def test_who_may_not_write_a_field_into_a_batch_is_told_at_once(self):
        """Not by a failure on each record that names a field which is not empty."""
        composer = self.mass()
        composer.body = "In {{ object.city }}"
        with self.assertRaisesRegex(AccessError, "Mail Template Editor"):
            composer.action_send_sms()
        self.assertFalse(self.texts_of(self.records))

    def test_the_costs_of_a_batch_grow_with_it_and_no_faster(self):
        """P12: the blacklist is asked for these numbers, not read."""
        self.env["phone.blacklist"]._add([f"+479000{n:04}" for n in range(1000, 1050)])
        statements = []
        execute = type(self.env.cr).execute

        def record(cr, query, *args, **kwargs):
            statements.append(str(query))
            return execute(cr, query, *args, **kwargs)

        with patch.object(type(self.env.cr), "execute", record):
            self.mass().action_send_sms()
        reads = [s for s in statements if "phone_blacklist" in s and "SELECT" in s]
        self.assertTrue(reads)
        self.assertFalse([s for s in reads if "number" not in s.split("WHERE")[-1]])


@tagged("post_install", "-at_install")
class TestTemplatePreview(ComposerCase):
    """R026: templates are tried without touching a customer."""

    def setUp(self):
        super().setUp()
        self.salesman.phone = "912 00 001"
        self.company.sms_default_sender_id = self.sender

    def preview(self, record=None):
        return (
            self.env["sms.template.preview"]
            .with_user(self.salesman)
            .create(
                {
                    "sms_template_id": self.template.id,
                    "resource_ref": f"res.partner,{(record or self.partner).id}",
                }
            )
        )

    def test_r026_the_preview_shows_what_would_be_sent(self):
        """R026: with an empty field visible, as in the text itself (R025)."""
        self.assertEqual(self.preview().body, "Hi Anna Hansen, we come to Bergen.")
        self.partner.city = False
        self.assertEqual(self.preview().body, "Hi Anna Hansen, we come to {{ object.city }}.")

    def test_r026_a_test_goes_to_ones_own_telephone(self):
        """R026: and to nobody else, and leaves nothing on the record."""
        before = self.partner.message_ids
        with self.provider() as provider:
            action = self.preview().action_send_test()
            self.run_lanes("chat")
        self.assertEqual(
            provider.sent,
            [
                {
                    "number": "+4791200001",
                    "body": "Hi Anna Hansen, we come to Bergen.",
                    "from": "59445012",
                }
            ],
        )
        self.assertIn("+4791200001", action["params"]["message"])
        self.assertEqual(self.partner.message_ids, before)
        self.assertFalse(self.texts_of(self.partner))

    def test_r026_also_where_the_gateway_is_in_test(self):
        """R026: a whole set-up is tried before it may reach a customer."""
        self.gateway.state = "test"
        with self.provider() as provider:
            self.preview().action_send_test()
            self.partner._message_sms("Hello")
            self.run_lanes()
        self.assertEqual(provider.numbers, ["+4791200001"])

    def test_r026_a_test_with_an_empty_field_is_refused(self):
        self.partner.city = False
        with self.assertRaisesRegex(UserError, r"City|object\.city"):
            self.preview().action_send_test()

    def test_without_a_telephone_of_ones_own_there_is_no_test(self):
        self.salesman.phone = False
        with self.assertRaisesRegex(UserError, "no valid telephone number"):
            self.preview().action_send_test()
