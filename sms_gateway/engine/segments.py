"""How many parts a text takes on the air, after 3GPP TS 23.038 and TS 23.040.

The browser counts with ``static/src/core/segments.js``; both are proved on the table of cases
in ``static/tests/segments.test.js``.
"""

from dataclasses import dataclass

#: TS 23.038 §6.2.1, the default alphabet (the escape itself left out).
GSM7_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
#: TS 23.038 §6.2.1.1, the extension table: each takes two septets.
GSM7_EXTENSION = frozenset("\f^{}\\[~]|€")

#: Units of one part: alone, and with the six-byte header of a longer text (TS 23.040 §9.2.3.24.1).
GSM7_SINGLE, GSM7_PART = 160, 153
UCS2_SINGLE, UCS2_PART = 70, 67


@dataclass(frozen=True, slots=True)
class Segments:
    """The measure of a text.

    ``encoding`` is ``gsm7`` or ``ucs2``; ``units`` are septets or UTF-16 code units; ``segments``
    the parts billed; ``free`` the units left in the last part; ``culprits`` the characters, in
    order, that turn the text to UCS-2.
    """

    encoding: str
    units: int
    segments: int
    free: int
    culprits: tuple[str, ...] = ()


def measure(text):
    """Measure a text.

    A two-unit character (an extension, an emoji) is never split over two parts, which can
    leave a part one unit short.

    >>> measure("a" * 160).segments, measure("a" * 161).segments
    (1, 2)
    >>> measure("€" * 80).segments, measure("a" * 152 + "€" + "a" * 152).segments
    (1, 3)
    >>> measure("it’s").encoding, measure("it’s").culprits
    ('ucs2', ('’',))
    >>> measure("😀" * 35).segments, measure("😀" * 36).segments
    (1, 2)
    >>> measure("")
    Segments(encoding='gsm7', units=0, segments=0, free=160, culprits=())
    """
    text = text or ""
    culprits = find_culprits(text)
    if culprits:
        widths = [2 if ord(char) > 0xFFFF else 1 for char in text]
        single, part = UCS2_SINGLE, UCS2_PART
    else:
        widths = [2 if char in GSM7_EXTENSION else 1 for char in text]
        single, part = GSM7_SINGLE, GSM7_PART
    segments, free = _fill_parts(widths, single, part)
    return Segments("ucs2" if culprits else "gsm7", sum(widths), segments, free, culprits)


def find_culprits(text):
    """The characters outside the GSM alphabet, each once, in order of appearance.

    >>> find_culprits("Zażółć")
    ('ż', 'ó', 'ł', 'ć')
    """
    return tuple(dict.fromkeys(c for c in text if c not in GSM7_BASIC and c not in GSM7_EXTENSION))


def _fill_parts(widths, single, part):
    """Number of parts and units left in the last one."""
    total = sum(widths)
    if total <= single:
        return (1 if total else 0), single - total
    segments, free = 1, part
    for width in widths:
        if width > free:
            segments, free = segments + 1, part
        free -= width
    return segments, free
