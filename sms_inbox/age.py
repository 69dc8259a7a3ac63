"""How long ago something was, for people who wait and those who let them."""

from babel.dates import format_timedelta

from odoo import fields
from odoo.tools.misc import babel_locale_parse, get_lang


def format_age(env, moment):
    """How long ago a moment was, in the user's language: "3 hours ago"; False where there is none.

    :param datetime moment: UTC, or False
    """
    if not moment:
        return False
    locale = babel_locale_parse(get_lang(env).code)
    return format_timedelta(moment - fields.Datetime.now(), add_direction=True, locale=locale)
