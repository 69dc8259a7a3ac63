import re

from odoo import api, fields, models, tools
from odoo.exceptions import ValidationError

from ..cache import clear_cache

PREFIX = re.compile(r"\+[1-9][0-9]{0,9}")


class SmsSenderRule(models.Model):
    """Which sender is the default for numbers that begin alike, as those of a country do."""

    _name = "sms.sender.rule"
    _description = "SMS Sender Rule"
    _order = "prefix, id"
    _rec_name = "prefix"
    _check_company_auto = True

    # === FIELDS === #

    prefix = fields.Char(
        "Numbers that begin with",
        required=True,
        help="A plus sign and the country code, e.g. +47; more digits for a part of a country. "
        "Of several rules the longest beginning counts.",
    )
    sender_id = fields.Many2one(
        "sms.sender",
        "Sender",
        required=True,
        index=True,
        ondelete="cascade",
        check_company=True,
        domain="[('state', '=', 'approved')]",
    )
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )

    _prefix_uniq = models.UniqueIndex(
        "(company_id, prefix)", "There is a rule for numbers that begin so already: change that."
    )

    # === CONSTRAINT METHODS === #

    @api.constrains("prefix")
    def _check_prefix(self):
        for rule in self:
            if not PREFIX.fullmatch(rule.prefix):
                raise ValidationError(
                    self.env._(
                        "“Numbers that begin with”: “%s” begins no number. Write a plus sign and "
                        "the country code, without blanks, e.g. +47.",
                        rule.prefix,
                    )
                )

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
    def _get_sender(self, company, number):
        """The sender of the longest beginning of a number; empty where no rule has one.

        :param str number: E.164, or None
        """
        rules = self._get_rules(company.id) if number else ()
        found = next((sender_id for prefix, sender_id in rules if number.startswith(prefix)), ())
        return self.env["sms.sender"].sudo().browse(found)

    @api.model
    @tools.ormcache("company_id")
    def _get_rules(self, company_id):
        """Beginnings and ids of their senders, the longest first; of senders that can be used."""
        rules = self.sudo().search(
            [
                ("company_id", "=", company_id),
                ("sender_id.active", "=", True),
                ("sender_id.state", "=", "approved"),
            ]
        )
        pairs = [(rule.prefix, rule.sender_id.id) for rule in rules]
        return tuple(sorted(pairs, key=lambda pair: -len(pair[0])))
