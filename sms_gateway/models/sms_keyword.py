from collections import defaultdict
from itertools import product

from odoo import api, fields, models, tools
from odoo.exceptions import ValidationError

from ..cache import clear_cache
from ..engine.words import normalize_word

#: An answer in half of Europe; taken for an opt-out it would silence customers who never asked.
NEVER_OPTOUT = {"no", "nej", "nei", "ei", "nie", "nope"}
#: What the words of each list mean, in the order they are looked at.
MEANINGS = {
    "hard_words": "optout",
    "soft_words": "optout",
    "optin_words": "optin",
    "help_words": "help",
}


class SmsKeyword(models.Model):
    """The words of one language that stop, start and explain, and what is answered.

    Rows without a company serve every company; a company that has rows of its own uses only
    those.
    """

    _name = "sms.keyword"
    _description = "SMS Opt-out Words"
    _order = "company_id, sequence, id"

    name = fields.Char("Language", required=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one("res.company", index="btree_not_null", ondelete="cascade")
    country_ids = fields.Many2many(
        "res.country", string="Countries", help="Numbers of these countries get these answers."
    )
    hard_words = fields.Char(
        "Opt-out", help="Separated by commas. A text that is one of these always stops the texts."
    )
    soft_words = fields.Char(
        "Opt-out, unless a question is open",
        help="Words such as “cancel” that may also be the answer to a question.",
    )
    optin_words = fields.Char("Opt-in", help="Only for a number that has opted out.")
    help_words = fields.Char("Help")
    optout_reply = fields.Char("To an opt-out", help="The one confirmation. Empty: none.")
    optin_reply = fields.Char("To an opt-in")
    help_reply = fields.Char("To a call for help")

    @api.constrains("hard_words", "soft_words")
    def _check_no_plain_no(self):
        for keyword in self:
            clash = NEVER_OPTOUT & (keyword._split("hard_words") | keyword._split("soft_words"))
            if clash:
                raise ValidationError(
                    self.env._(
                        "“%s” is a plain answer and cannot be an opt-out word.", ", ".join(clash)
                    )
                )

    @api.constrains(*MEANINGS)
    def _check_words_differ(self):
        for keyword in self:
            words = [word for kind in MEANINGS for word in keyword._split(kind)]
            if twice := {word for word in words if words.count(word) > 1}:
                raise ValidationError(
                    self.env._(
                        "%(language)s: “%(words)s” stands in two lists.",
                        language=keyword.name,
                        words=", ".join(sorted(twice)),
                    )
                )

    def _split(self, kind):
        return {normalize_word(word) for word in (self[kind] or "").split(",")} - {""}

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        clear_cache(self.env)
        return super().create(vals_list)

    def write(self, vals):
        clear_cache(self.env)
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_clear_cache(self):
        clear_cache(self.env)

    # === BUSINESS METHODS === #

    @api.model
    def _recognize(self, message):
        """What a received text means, and the rows that say so.

        :return: (``optout``, ``optin``, ``help`` or False, ``sms.keyword``)
        """
        word = normalize_word(message.body)
        for kind, rows in self._find_rows(message.company_id.id).get(word, {}).items():
            if self._applies(kind, message):
                return MEANINGS[kind], self.sudo().browse(rows)
        return False, self.browse()

    @api.model
    @tools.ormcache("company_id")
    def _find_rows(self, company_id):
        """Ids of a company's rows by word and kind; the kinds in the order of ``MEANINGS``."""
        found = defaultdict(dict)
        rows = self._get_rows(self.env["res.company"].browse(company_id))
        for kind, row in product(MEANINGS, rows):
            for word in row._split(kind):
                found[word].setdefault(kind, []).append(row.id)
        return dict(found)

    @api.model
    def _applies(self, kind, message):
        """Hard words always; the others only where they cannot mean anything else."""
        if kind == "hard_words":
            return True
        if message._has_open_question():
            return False
        opted_out = bool(self.env["sms.sms"]._gate_get_blacklisted({message.number}))
        return opted_out if kind == "optin_words" else True

    @api.model
    def _get_rows(self, company):
        own = self.sudo().search([("company_id", "=", company.id)])
        return own or self.sudo().search([("company_id", "=", False)])

    def _choose_for(self, number):
        """The row of the number's country, else the first."""
        country = self.env["phone.blacklist"]._get_country_of(number)
        return self.filtered(lambda row: country in row.country_ids)[:1] or self[:1]

    @api.model
    def _obey(self, message, meaning, rows, with_reply=True):
        """Do what a received text asks for.

        :param message: ``sms.message``
        :param str meaning: as recognized
        :param rows: as recognized
        :param bool with_reply: the customer gets an answer
        """
        reply = with_reply and rows._choose_for(message.number)
        getattr(self, f"_obey_{meaning}")(message, reply)

    @api.model
    def _obey_optout(self, message, reply):
        known = self.env["sms.sms"]._gate_get_blacklisted({message.number})
        self.env["phone.blacklist"].sudo()._sms_opt_out(
            message.number,
            sender=message.sender_id,
            text=message.body,
            reason=self.env._("Opted out by text."),
        )
        if not known:
            self._answer(message, reply and reply.optout_reply, is_optout_confirmation=True)

    @api.model
    def _obey_optin(self, message, reply):
        self.env["phone.blacklist"].sudo()._remove(
            [message.number], message=self.env._("Opted in by text: “%s”", message.body)
        )
        self._answer(message, reply and reply.optin_reply)

    @api.model
    def _obey_help(self, message, reply):
        """Answered once a day at most, so that two machines cannot keep each other busy."""
        asked_before = self.env["sms.message"].search_count(
            [
                ("number", "=", message.number),
                ("sender_id", "=", message.sender_id.id),
                ("keyword", "=", "help"),
                ("id", "!=", message.id),
                ("create_date", ">", "now -1d"),
            ],
            limit=1,
        )
        if not asked_before:
            self._answer(message, reply and reply.help_reply)

    @api.model
    def _answer(self, message, body, is_optout_confirmation=False):
        if not body or not message.sender_id:
            return
        self.env["sms.sms"].sudo().create(
            {
                "number": message.number,
                "body": body,
                "sender_id": message.sender_id.id,
                "origin": "system",
                "lane": "chat",
                "is_optout_confirmation": is_optout_confirmation,
            }
        )
