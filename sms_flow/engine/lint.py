"""What may be wrong with a flow, as far as its plan alone tells; nothing here needs a database."""

import re
from dataclasses import dataclass, field
from itertools import combinations

from odoo.tools.rendering_tools import parse_inline_template

from odoo.addons.sms_gateway.engine.segments import find_culprits

from .graph import find_reachable
from .replies import overlap

#: Words that providers take for an opt-out by themselves; what they block never gets here.
PROVIDER_WORDS = frozenset(
    ("stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout")
)
MINUTES = {"minutes": 1, "hours": 60, "days": 24 * 60}
DAY = 24.0
#: A field that an expression names and does nothing else with.
_PATH = re.compile(r"object((?:\.[a-z_][a-z0-9_]*)+)")


@dataclass(frozen=True, slots=True)
class Reply:
    """An accepted answer: its words as they are compared, whether they may stand anywhere in the
    text, and the id of the step it leads to."""

    words: tuple[str, ...]
    anywhere: bool
    target: int


@dataclass(frozen=True, slots=True)
class Reminder:
    """``delay`` in minutes, counted from the ``first`` or the ``last`` text; the hours of the day
    between which it may go."""

    id: int
    delay: int
    base: str
    start: float = 9.0
    end: float = 21.0


@dataclass(frozen=True, slots=True)
class Step:
    """A step; ``expires`` are minutes, 0 for never, ``expires_to`` the id of the step after."""

    id: int
    replies: tuple[Reply, ...] = field(default=())
    reminders: tuple[Reminder, ...] = field(default=())
    expires: int = 0
    expires_to: int | None = None
    is_final: bool = False

    @property
    def arrows(self):
        """Ids of the steps that it leads to by itself."""
        targets = {reply.target for reply in self.replies}
        return targets | {self.expires_to} if self.expires and self.expires_to else targets


def find_overlaps(replies):
    """Pairs of answers that take the same words for theirs and lead to different steps.

    Words listed exactly go before words contained, so such a pair is no doubt but a trap.

    >>> ja, ok, ja_or_ok = Reply(("ja",), False, 2), Reply(("ok",), False, 3), Reply(
    ...     ("ja", "ok"), False, 3)
    >>> find_overlaps([ja, ok])
    []
    >>> find_overlaps([ja, ok, ja_or_ok])
    [(0, 2, ['ja'], True)]
    >>> find_overlaps([Reply(("nei takk",), False, 2), Reply(("takk",), True, 3)])
    [(0, 1, ['nei takk'], False)]

    :return: list of (index, index, words, whether nothing tells which of them counts)
    """
    found = []
    for (i, one), (j, other) in combinations(enumerate(replies), 2):
        words = overlap(list(one.words), one.anywhere, list(other.words), other.anywhere)
        if words and one.target != other.target:
            found.append((i, j, words, one.anywhere == other.anywhere))
    return found


def find_unreachable(steps):
    """Ids of steps that no arrow leads to from the first one.

    >>> find_unreachable([Step(1, (Reply(("ja",), False, 2),)), Step(2), Step(3), Step(4)])
    [3, 4]
    >>> find_unreachable([Step(1, expires=60, expires_to=2), Step(2)])
    []
    """
    starts = [step.id for step in steps[:1]]
    reached = find_reachable(starts, {step.id: step.arrows for step in steps})
    return [step.id for step in steps if step.id not in reached]


def find_word_loops(steps):
    """Ways round on which a customer who always answers alike comes back to where he was.

    >>> a, b = Step(1, (Reply(("yes",), False, 2),)), Step(2, (Reply(("yes", "ok"), False, 1),))
    >>> find_word_loops([a, b, Step(3)])
    [('yes', [1, 2])]
    >>> find_word_loops([a, Step(2, (Reply(("no",), False, 1),))])
    []

    :return: list of (word, ids of the steps in their order)
    """
    words = dict.fromkeys(word for step in steps for reply in step.replies for word in reply.words)
    loops = {}
    for word in words:
        arrows = {step.id: {r.target for r in step.replies if word in r.words} for step in steps}
        for loop in _find_loops(steps, arrows):
            loops.setdefault(tuple(loop), word)
    return [(word, list(loop)) for loop, word in loops.items()]


def find_silent_loops(steps):
    """Ways round that a customer goes who never answers: he gets texts for ever.

    >>> find_silent_loops([Step(1, expires=60, expires_to=2), Step(2, expires=60, expires_to=1)])
    [[1, 2]]
    >>> find_silent_loops([Step(1, expires=60, expires_to=2), Step(2)])
    []
    """
    arrows = {
        step.id: {step.expires_to} if step.expires and step.expires_to else set() for step in steps
    }
    return _find_loops(steps, arrows)


def _find_loops(steps, arrows):
    """Groups of steps from each of which all of the group are reached, in the order of steps."""
    forth = {step.id: find_reachable(arrows[step.id], arrows) for step in steps}
    loops, seen = [], set()
    for step in steps:
        if step.id in forth[step.id] and step.id not in seen:
            loop = [s.id for s in steps if s.id in forth[step.id] and step.id in forth[s.id]]
            seen.update(loop)
            loops.append(loop)
    return loops


def plan_reminders(reminders):
    """When each reminder of a step is due, in minutes after its first text.

    Each waits its delay after the first text, or after the latest one, be it a reminder.

    >>> plan_reminders([Reminder(1, 60, "last"), Reminder(2, 90, "last")])
    {1: 60, 2: 150}
    >>> plan_reminders([Reminder(1, 120, "first"), Reminder(2, 60, "last")])
    {2: 60, 1: 120}
    """
    due, last, left = {}, 0, list(reminders)
    while left:
        times = [max(last, r.delay + (last if r.base == "last" else 0)) for r in left]
        last = min(times)
        due[left.pop(times.index(last)).id] = last
    return due


def find_late_reminders(step):
    """Ids of reminders that come when the step is already given up.

    >>> find_late_reminders(Step(1, reminders=(Reminder(7, 60, "last"),), expires=60))
    [7]
    >>> find_late_reminders(Step(1, reminders=(Reminder(7, 60, "last"),), expires=120))
    []
    """
    due = plan_reminders(step.reminders)
    return [id_ for id_, minutes in due.items() if step.expires and minutes >= step.expires]


def never_opens(start, end, quiet_start, quiet_end):
    """Whether a window of the day lies in the quiet hours as a whole; equal hours are no quiet.

    >>> never_opens(20, 22, 20, 9), never_opens(19, 22, 20, 9), never_opens(6, 9, 20, 9)
    (True, False, True)
    >>> never_opens(12, 13, 11, 14), never_opens(12, 15, 11, 14), never_opens(9, 21, 5, 5)
    (True, False, False)

    :param float start: hour of the day; smaller than ``end``
    :param float quiet_start: hour at which quiet begins
    :param float quiet_end: hour at which it ends; may be the smaller one
    """
    if quiet_start == quiet_end:
        return False
    loud = [(quiet_end, quiet_start)]
    if quiet_end > quiet_start:
        loud = [(quiet_end, DAY), (0.0, quiet_start)]
    return not any(max(start, opens) < min(end, closes) for opens, closes in loud)


def get_literal(template):
    """The words of a template that are the same for all, merge fields left out.

    >>> get_literal("Hi {{ object.name }}, it’s {{ object.city ||| here }}!")
    'Hi , it’s !'
    """
    return "".join(literal for literal, *_expression in parse_inline_template(template or ""))


def get_paths(template):
    """The paths of fields that a template asks for, in its order; computed ones are left out.

    >>> get_paths("{{ object.name }} {{ object.partner_id.city or '' }} {{ object.user_id.name }}")
    ['name', 'user_id.name']
    """
    expressions = (part[1] for part in parse_inline_template(template or ""))
    matched = (_PATH.fullmatch(expression) for expression in expressions)
    return [match[1][1:] for match in matched if match]


def replace_culprits(text):
    """A text as long as this one, in the alphabet of SMS.

    >>> replace_culprits("it’s")
    'itxs'
    """
    culprits = set(find_culprits(text))
    return "".join("x" if char in culprits else char for char in text)


def format_hour(hour):
    """An hour of the day as on a clock.

    >>> format_hour(9.5)
    '9:30'
    """
    return f"{int(hour)}:{round(hour % 1 * 60):02d}"
