"""Which of the listed words a customer's text is."""

from odoo.addons.sms_gateway.engine.words import normalize_word


def split_words(text):
    """The words of a list as they are compared, in its order, each once.

    >>> split_words("JA, Ja takk; OK, ja\\n👍")
    ['ja', 'ja takk', 'ok', '👍']
    """
    words = (text or "").replace(";", ",").replace("\n", ",").split(",")
    return list(dict.fromkeys(filter(None, map(normalize_word, words))))


def matches(text, words, anywhere=False):
    """Whether a text is one of the words, or holds one of them as a word of its own.

    >>> matches(" Ja takk! 🙏", ["ja", "ja takk"])
    True
    >>> matches("Okei", ["ok"])
    False
    >>> matches("yes, but on Friday", ["yes"]), matches("yes, but on Friday", ["yes"], True)
    (False, True)
    >>> matches("yesterday", ["yes"], anywhere=True)
    False

    :param list words: normalized
    """
    found = normalize_word(text)
    if found in words:
        return True
    if not anywhere:
        return False
    spoken = _tokens(found)
    return any(_holds(spoken, _tokens(word)) for word in words)


def overlap(words, anywhere, other_words, other_anywhere):
    """Words that two lists would both take for theirs.

    >>> overlap(["ja", "ok"], False, ["ok"], False)
    ['ok']
    >>> overlap(["ja takk"], False, ["ja"], True)
    ['ja takk']
    """
    return [
        *(word for word in words if matches(word, other_words, other_anywhere)),
        *(word for word in other_words if word not in words and matches(word, words, anywhere)),
    ]


def _tokens(text):
    return [token for token in map(normalize_word, text.split()) if token]


def _holds(spoken, wanted):
    return bool(wanted) and any(
        spoken[start : start + len(wanted)] == wanted
        for start in range(len(spoken) - len(wanted) + 1)
    )
