"""How a customer's text is compared with a listed word."""

import re
import unicodedata

#: Around the word: punctuation, symbols, emoji and blanks.
_EDGE = re.compile(r"^[\W_]+|[\W_]+$")
#: What is not seen: zero-width characters, soft hyphens, the variants and colours of emoji.
_UNSEEN = re.compile(
    "[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufe00-\ufe0f\ufeff"
    "\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]"
)


def normalize_word(text):
    """The text as it is compared with a word: NFKC, case folded, without what surrounds it.

    A text of symbols alone is those symbols.

    >>> normalize_word(" Stopp!! 🙏")
    'stopp'
    >>> normalize_word("«J\u200bA, tack»")
    'ja, tack'
    >>> normalize_word("👍🏽 ")
    '👍'
    """
    composed = unicodedata.normalize("NFKC", _UNSEEN.sub("", text or ""))
    folded = unicodedata.normalize("NFKC", composed.casefold())
    spaced = " ".join(folded.split())
    return _EDGE.sub("", spaced) or spaced
