"""Which of a question's answers a customer's text is."""

from odoo.addons.sms_gateway.engine.words import normalize_word


def split_words(text):
    """The words of a list as they are compared, in its order, each once.

    >>> split_words("Bra, TOPPEN;  väldigt bra, bra, 👍")
    ['bra', 'toppen', 'väldigt bra', '👍']
    """
    words = (text or "").replace(";", ",").replace("\n", ",").split(",")
    return list(dict.fromkeys(filter(None, map(normalize_word, words))))


def find_answer(text, choices, first_word=False):
    """The answer that a text is, or None.

    A text is one of the words. Where none of the words is a number, it may be the answer's place
    in the list, too.

    >>> smiles = {"bad": ["dåligt", "👎"], "good": ["bra", "väldigt bra", "👍"]}
    >>> [find_answer(text, smiles) for text in (" Väldigt BRA! 🙏", "👍🏽", "2")]
    ['good', 'good', 'good']
    >>> find_answer("3", smiles), find_answer("inte bra", smiles), find_answer("", smiles)
    (None, None, None)

    Five stars from the best to the worst: a number is the word, not the place.

    >>> stars = {f"{number} stars": [str(number)] for number in (5, 4, 3, 2, 1)}
    >>> find_answer("5", stars), find_answer("１", stars), find_answer("6", stars)
    ('5 stars', '1 stars', None)

    With more behind it only where that is allowed; the longest beginning counts.

    >>> find_answer("5 takk", stars), find_answer("5, takk!", stars, first_word=True)
    (None, '5 stars')
    >>> find_answer("Väldigt bra, tack", smiles, first_word=True)
    'good'

    :param dict choices: list of words, normalized, by answer; in the order of the answers
    """
    tokens = normalize_word(text).split()
    lengths = range(len(tokens), 0, -1) if first_word else [len(tokens)]
    for length in lengths:
        if found := _match(normalize_word(" ".join(tokens[:length])), choices):
            return found
    return None


def find_shared_words(choices):
    """Words that more than one answer has, sorted.

    >>> find_shared_words({"yes": ["ja", "ok"], "well": ["ok", "njae"]})
    ['ok']
    """
    words = [word for choice in choices.values() for word in set(choice)]
    return sorted({word for word in words if words.count(word) > 1})


def _match(said, choices):
    for answer, words in choices.items():
        if said in words:
            return answer
    if said.isdecimal() and len(said) < 4 and not _is_numbered(choices):
        return dict(enumerate(choices, start=1)).get(int(said))
    return None


def _is_numbered(choices):
    return any(word.isdecimal() for words in choices.values() for word in words)
