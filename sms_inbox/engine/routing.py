"""Which of the records that hold a customer's number a text belongs to.

Six rules in strict order: each breaks only the ties that the ones before it leave.

==============  ==================================================================
conversation    the latest conversation, on the receiving number first
seller          owned by the seller to whom the receiving number belongs
team            owned by a seller of the team to which the number belongs
kind            a person, then a company, an opportunity, a lead
active          in use, then archived
updated         changed last
==============  ==================================================================

What is equal by all of them is decided by the higher id, so that the same text takes the same way
every time.
"""

import sys
from dataclasses import dataclass
from datetime import datetime

#: The rules in order, and what decides between equals.
RULES = ("conversation", "seller", "team", "kind", "active", "updated", "newest")
#: What records are, in the order of the rule "kind"; what is none of these comes last.
PERSON, COMPANY, OPPORTUNITY, LEAD, OTHER = range(5)


@dataclass(frozen=True)
class Candidate:
    """A record that a text may belong to.

    :param str model: of the record
    :param int id: of the record
    :param int kind: ``PERSON``, ``COMPANY``, ``OPPORTUNITY``, ``LEAD`` or ``OTHER``
    :param owner_id: ``res.users`` who looks after it, or None
    :param bool active: not archived
    :param datetime updated_at: when it was changed last
    """

    model: str
    id: int
    kind: int = OTHER
    owner_id: int | None = None
    active: bool = True
    updated_at: datetime = datetime.min

    @property
    def key(self):
        """What tells it from all others: model and id."""
        return self.model, self.id


@dataclass(frozen=True)
class Ranked:
    """A candidate in its place.

    ``rule`` is the one by which it beat the next or, for all but the first, by which it lost to
    the first. It is None where there was nobody else.
    """

    candidate: Candidate
    rule: str | None


def rank(candidates, conversations=(), sellers=frozenset(), team=frozenset()):
    """Put the candidates in order.

    >>> anna, firm = Candidate("res.partner", 1, PERSON), Candidate("res.partner", 2, COMPANY)
    >>> [(r.candidate.id, r.rule) for r in rank([firm, anna])]
    [(1, 'kind'), (2, 'kind')]
    >>> [(r.candidate.id, r.rule) for r in rank([firm, anna], conversations=[firm.key])]
    [(2, 'conversation'), (1, 'conversation')]
    >>> rank([anna])[0].rule is None
    True

    :param candidates: :class:`Candidate`
    :param conversations: keys of records in conversation with the customer, the latest first
    :param sellers: ids of the users to whom the receiving number belongs
    :param team: ids of the users of the team to which it belongs
    :return: list of :class:`Ranked`, the record the text belongs to first
    """
    places = {key: place for place, key in reversed(list(enumerate(conversations)))}
    marks = {c: _mark(c, places, sellers, team) for c in candidates}
    best, *others = sorted(marks, key=marks.get) or [None]
    if best is None:
        return []
    beaten = [Ranked(other, _deciding_rule(marks[best], marks[other])) for other in others]
    return [Ranked(best, beaten[0].rule if beaten else None), *beaten]


def _mark(candidate, places, sellers, team):
    """Return what is compared, one value a rule, less is better."""
    return (
        places.get(candidate.key, sys.maxsize),
        candidate.owner_id not in sellers,
        candidate.owner_id not in team,
        candidate.kind,
        not candidate.active,
        datetime.max - candidate.updated_at,
        -candidate.id,
    )


def _deciding_rule(better, worse):
    differing = (rule for rule, a, b in zip(RULES, better, worse, strict=True) if a != b)
    return next(differing, RULES[-1])
