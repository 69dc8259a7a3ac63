from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

from odoo.addons.phone_validation.tools import phone_validation

from .sms_demo_carrier import E164

#: Telephones on the screen, and texts on each.
SCREEN_PHONES, SCREEN_TEXTS = 24, 30


class SmsDemoPhone(models.Model):
    """A customer's telephone: it receives what Odoo sends to its number, and answers."""

    _name = "sms.demo.phone"
    _description = "Demo Telephone"
    _order = "last_text_at DESC NULLS LAST, name, id"
    _rec_names_search = ["name", "number"]

    # === FIELDS === #

    name = fields.Char("Owner", required=True)
    number = fields.Char(required=True, help="With + and country code, e.g. +4791234567")
    partner_id = fields.Many2one("res.partner", "Contact", index="btree_not_null")
    mode = fields.Selection(
        [("on", "Switched on"), ("off", "Switched off"), ("gone", "Out of service")],
        required=True,
        default="on",
        help="Switched off: texts wait until it is on. Out of service: they fail.",
    )
    text_ids = fields.One2many("sms.demo.text", "phone_id", string="Texts")
    last_text_at = fields.Datetime("Last text", readonly=True, index=True)

    _number_uniq = models.UniqueIndex("(number)", "There is a telephone with this number already.")

    # === COMPUTE METHODS === #

    @api.depends("name", "number")
    def _compute_display_name(self):
        for phone in self:
            phone.display_name = f"{phone.name} ({phone._format_number()})"

    # === CONSTRAINT METHODS === #

    @api.constrains("number")
    def _check_number(self):
        for phone in self:
            if not E164.fullmatch(phone.number):
                raise ValidationError(
                    self.env._(
                        "“%s” is not a telephone number: write it with + and country code, "
                        "e.g. +4791234567.",
                        phone.number,
                    )
                )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        phones = super().create([self._complete(vals) for vals in vals_list])
        phones._update_screens()
        return phones

    def write(self, vals):
        result = super().write(self._complete(vals))
        if vals.get("mode") == "on":
            self._get_missed_texts()._schedule()
        self._update_screens()
        return result

    def unlink(self):
        self.text_ids.unlink()
        self._update_screens()
        return super().unlink()

    def _complete(self, vals):
        """The values with the number in E.164, where it can be told which one it is."""
        number = vals.get("number")
        if not number:
            return vals
        country = self.env.company.country_id
        return {**vals, "number": self._phone_format(number=number, country=country) or number}

    # === ACTION METHODS === #

    def action_answer(self, body, address=None):
        """Text Odoo from this telephone.

        :param str body: what its owner typed
        :param str address: which of our numbers to text; the last one that wrote if left out
        """
        self.check_access("write")
        self._answer(body, address)

    def action_clear(self):
        """Empty the telephone."""
        self.text_ids.unlink()

    # === BUSINESS METHODS === #

    def _answer(self, body, address=None):
        """Text Odoo from this telephone; Odoo hears of it after the commit.

        :param str body: what its owner typed
        :param str address: which of our numbers to text; the last one that wrote if left out
        :return: the ``sms.demo.text``, for more mischief before it leaves: ``_delay``,
            ``_duplicate``, ``_reorder``, ``_lose``
        :raise UserError: where no number of ours receives texts
        """
        self.ensure_one()
        sender = self._find_sender(address)
        if not sender:
            raise UserError(
                self.env._(
                    "None of your numbers at the demo carrier receives answers. Choose a number "
                    "as the sender, and switch its answers on."
                )
            )
        carrier = self.env["sms.demo.carrier"].sudo()._find_account(str(sender.gateway_id.id))
        return self.env["sms.demo.text"]._send(carrier, self, sender.address, body)

    def _find_sender(self, address=None):
        """Our sender that the telephone texts to."""
        senders = self._get_reachable_senders()
        if not address:
            last = self._get_texts(SCREEN_TEXTS).filtered(
                lambda text: text.address in senders.mapped("address")
            )
            address = last[:1].address or senders[:1].address
        return senders.filtered(lambda sender: sender.address == address)[:1]

    @api.model
    def _get_reachable_senders(self):
        """Our numbers at the demo carrier that receive texts, in the user's companies."""
        domain = [
            ("gateway_id.code", "=", "demo"),
            ("company_id", "in", self.env.companies.ids),
            ("inbound_enabled", "=", True),
            ("state", "=", "approved"),
        ]
        return self.env["sms.sender"].sudo().search(domain).filtered("can_receive")

    def _get_texts(self, limit):
        """The last texts, the newest first."""
        self.ensure_one()
        return self.env["sms.demo.text"].search([("phone_id", "=", self.id)], limit=limit)

    def _get_missed_texts(self):
        """Texts that wait for the telephone to be switched on."""
        return self.env["sms.demo.text"].search(
            [
                ("phone_id", "in", self.ids),
                ("direction", "=", "to_phone"),
                ("state", "=", "waiting"),
                ("due_at", "=", False),
                ("carrier_id.delivery", "=", "auto"),
            ]
        )

    @api.model
    def _map_numbers(self, numbers, company):
        """The telephones of these numbers, new ones where there was none.

        :param numbers: E.164
        :param company: whose contacts give their names to new telephones
        :return: dict of number to telephone
        """
        numbers = set(numbers)
        phones = self.search([("number", "in", list(numbers))])
        if missing := numbers - set(phones.mapped("number")):
            self._insert_missing(sorted(missing), company)
            phones = self.search([("number", "in", list(numbers))])
        return {phone.number: phone for phone in phones}

    def _insert_missing(self, numbers, company):
        """New telephones, unless another request makes them at this moment: then once again.

        Not through ``create``: Odoo repeats a request after a conflict, but not after a
        violated unique index.
        """
        owners = self._find_owners(numbers, company)
        rows = [
            SQL(
                "(%s, %s, %s, 'on', %s, now() at time zone 'utc')",
                number,
                owners[number].name or self._format_international(number),
                owners[number].id or None,
                self.env.uid,
            )
            for number in numbers
        ]
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO sms_demo_phone (number, name, partner_id, mode, create_uid, create_date)
                VALUES %s ON CONFLICT (number) DO NOTHING
                """,
                SQL(", ").join(rows),
            ),
            log_exceptions=False,
        )

    def _find_owners(self, numbers, company):
        """The contact of each number, or an empty recordset."""
        domain = [
            ("phone_sanitized", "in", numbers),
            ("company_id", "in", [False, company.id]),
        ]
        partners = self.env["res.partner"].sudo().search(domain, order="id DESC")
        known = {partner.phone_sanitized: partner for partner in partners}
        return {number: known.get(number, self.env["res.partner"]) for number in numbers}

    # === SCREEN === #

    @api.model
    @api.readonly
    def get_screen(self, search=""):
        """All that the screen shows.

        :param str search: part of an owner's name or number
        :return: dict of JSON values
        """
        self.check_access("read")
        domain = self._get_search_domain(search)
        phones = self._find_for_screen(domain)[:SCREEN_PHONES]
        failure_code = self.env["sms.demo.text"]._fields["failure_code"]
        return {
            "carriers": self.env["sms.demo.carrier"]._format_for_screen(),
            "failures": failure_code._description_selection(self.env),
            "addresses": self._format_addresses(),
            "phones": [phone._format_for_screen() for phone in phones],
            "count": self.search_count(domain),
        }

    def _find_for_screen(self, domain):
        """The telephones of the screen, the first first.

        Hook: override to put others before them.
        """
        return self.search(domain, limit=SCREEN_PHONES)

    def _get_search_domain(self, search):
        """Telephones whose owner or number holds the words, spaces in numbers left out."""
        if not search:
            return Domain.TRUE
        digits = search.replace(" ", "")
        return Domain("name", "ilike", search) | Domain("number", "ilike", digits)

    def _format_addresses(self):
        return [
            {"address": sender.address, "name": sender.name}
            for sender in self._get_reachable_senders()
        ]

    def _format_for_screen(self):
        texts = self._get_texts(SCREEN_TEXTS)
        return {
            "id": self.id,
            "name": self.name,
            "number": self._format_number(),
            "partner_id": self.partner_id.id,
            "mode": self.mode,
            "texts": [text._format_for_screen() for text in reversed(texts)],
        }

    def _format_number(self):
        return self._format_international(self.number) if self.number else ""

    @api.model
    def _format_international(self, number):
        return phone_validation.phone_format(number, None, None, raise_exception=False)

    def _update_screens(self):
        self.env["sms.demo.carrier"]._update_screens()
