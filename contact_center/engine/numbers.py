"""Numbers of callers, as exchanges tell them."""

import phonenumbers
from phonenumbers import PhoneNumberType

#: Of these the kind is told by the number; in some countries both kinds look alike.
MOBILE, EITHER = PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE


def to_e164(raw, country_code=None):
    """The number in international form, or None where there is none: withheld, an extension.

    :param str raw: as the exchange has it
    :param str country_code: of numbers without one, e.g. "NO"; empty where it is not known

    >>> to_e164("906 12 345", "NO"), to_e164("0047 90612345", "NO"), to_e164("4790612345", "NO")
    ('+4790612345', '+4790612345', '+4790612345')
    >>> to_e164("anonymous", "NO"), to_e164("102", "NO"), to_e164("", "NO"), to_e164("+47")
    (None, None, None, None)
    >>> to_e164("+4790612345", False), to_e164("90612345", False)
    ('+4790612345', None)
    """
    number = _parse(raw, country_code or None) or _parse(f"+{raw}", None)
    return number and phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def is_mobile(number, count_either=True):
    """Whether a number is a mobile telephone's.

    :param str number: E.164
    :param bool count_either: what to say where the number does not tell

    >>> is_mobile("+4790612345"), is_mobile("+4722123456"), is_mobile(None)
    (True, False, False)
    >>> is_mobile("+12015550123"), is_mobile("+12015550123", count_either=False)
    (True, False)
    """
    parsed = _parse(number, None)
    kind = parsed and phonenumbers.number_type(parsed)
    return kind == MOBILE or (kind == EITHER and count_either)


def _parse(raw, country_code):
    try:
        number = phonenumbers.parse(str(raw or ""), country_code)
    except phonenumbers.NumberParseException:
        return None
    return number if phonenumbers.is_valid_number(number) else None
