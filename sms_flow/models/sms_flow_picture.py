import re
from collections import defaultdict
from textwrap import shorten

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools.rendering_tools import INLINE_TEMPLATE_REGEX

from ..engine.graph import find_looping, find_reachable

#: Characters of a text that the picture shows.
FIRST_WORDS = 90


class SmsFlowPicture(models.AbstractModel):
    """What the picture of a flow shows: its steps and what leads from one to the next; a part of
    ``sms.flow``."""

    _name = "sms.flow.picture"
    _description = "Picture of an SMS Flow"

    # === PUBLIC METHODS === #

    def get_picture(self, run_id=False):
        """The flow as it is drawn, with the path of one of its records.

        :param int run_id: of the ``sms.flow.run`` whose path is shown
        :return: dict of ``steps``, ``arrows`` and ``path``, as the screen needs them
        """
        self.ensure_one()
        self.check_access("read")
        run = self.env["sms.flow.run"].browse(run_id or ())
        if run:
            run.check_access("read")
        arrows = self.sudo()._picture_arrows()
        path = self._picture_path(run, arrows) if run else False
        if path:
            arrows += path.pop("jumps")
        return {
            "id": self.id,
            "name": self.name,
            "model": self.model,
            "is_running": self.is_running,
            "can_edit": self.has_access("write"),
            "steps": self._picture_steps(arrows),
            "arrows": arrows,
            "path": path,
        }

    # === STEPS === #

    def _picture_steps(self, arrows):
        links = defaultdict(set)
        for arrow in arrows:
            if arrow["kind"] != "jump":
                links[arrow["source"]].add(arrow["target"])
        steps = self.sudo().step_ids
        looping = find_looping(links)
        reachable = find_reachable(steps[:1].ids, links)
        active, troubled = self._picture_counts()
        return [
            {
                **_describe_step(step),
                "count": active.get(step.id, 0),
                "attention": troubled.get(step.id, 0),
                "is_dead_end": not (step.is_final or step.expires_after or links.get(step.id)),
                "is_in_loop": step.id in looping,
                "is_unreachable": step.id not in reachable,
            }
            for step in steps
        ]

    def _picture_counts(self):
        """How many of the records that the user may read stand in each step, and need attention.

        :return: two dicts of int by step id
        """
        Run = self.env["sms.flow.run"]
        if not Run.has_access("read"):
            return {}, {}
        here = [("flow_id", "=", self.id), ("step_id", "!=", False)]
        counts = [
            Run._read_group([*here, condition], ["step_id"], ["__count"])
            for condition in (("state", "=", "active"), ("attention", "!=", False))
        ]
        return tuple({step.id: count for step, count in group} for group in counts)

    # === ARROWS === #

    def _picture_arrows(self):
        """What leads from one step to another: answers, the end of patience, and actions."""
        arrows = []
        for step in self.step_ids:
            arrows += [
                _arrow("reply", reply.id, step, reply.target_step_id, reply.keywords)
                for reply in step.reply_ids
            ]
            if step.expires_after and step.expires_step_id:
                words = _describe_delay(step, "expires_after", "expires_unit")
                arrows.append(_arrow("expiry", step.id, step, step.expires_step_id, words))
            arrows += [
                _arrow(
                    "action", f"{step.id}-{action.id}", step, action.sms_flow_step_id, action.name
                )
                for action in step.action_ids
                if action.sms_flow_step_id.flow_id == self and action.state == "sms_flow_step"
            ]
        return arrows

    # === THE PATH OF A RECORD === #

    def _picture_path(self, run, arrows):
        """Where a record has been, which arrows it took, and where it went without one.

        :return: dict of ``steps`` and ``arrows``, lists of moments (UTC) by id, the ``current``
            step, and ``jumps``: arrows for what no arrow of the flow leads to
        """
        if run.flow_id != self:
            raise UserError(self.env._("%s is not in this flow.", run.record_name or run.id))
        entries = run.sudo().entry_ids.filtered("step_id").sorted("id")
        known = {arrow["id"] for arrow in arrows}
        steps, taken, jumps = defaultdict(list), defaultdict(list), {}
        for index, entry in enumerate(entries):
            moment = fields.Datetime.to_string(entry.entered_at)
            steps[entry.step_id.id].append(moment)
            if not index:
                continue
            before = entries[index - 1]
            arrow = self._find_arrow_taken(before, entry, arrows)
            if arrow not in known:
                jumps[arrow] = {
                    **_arrow("jump", "", before.step_id, entry.step_id, get_label(entry, "cause")),
                    "id": arrow,
                }
            taken[arrow].append(moment)
        return {
            "run_id": run.id,
            "current": run.step_id.id,
            "state": run.state,
            "steps": dict(steps),
            "arrows": dict(taken),
            "jumps": list(jumps.values()),
        }

    def _find_arrow_taken(self, before, entry, arrows):
        """The id of the arrow from one stay to the next; that of a jump where there is none."""
        if entry.cause == "reply" and before.reply_id.target_step_id == entry.step_id:
            return f"reply-{before.reply_id.id}"
        ends = (before.step_id.id, entry.step_id.id)
        for arrow in arrows:
            kinds = {"expired": "expiry", "action": "action"}
            if (
                arrow["kind"] == kinds.get(entry.cause)
                and (arrow["source"], arrow["target"]) == ends
            ):
                return arrow["id"]
        return f"jump-{ends[0]}-{ends[1]}"


def _arrow(kind, key, source, target, words):
    return {
        "id": f"{kind}-{key}",
        "kind": kind,
        "source": source.id,
        "target": target.id,
        "words": words,
    }


def _describe_step(step):
    """What stands in the box of a step."""
    return {
        "id": step.id,
        "name": step.name,
        "stage": step.stage_id.name if step.stage_id.name != step.name else False,
        "text": _get_first_words(step.body),
        "reminders": [_describe_delay(r, "delay", "delay_unit") for r in step.reminder_ids],
        "expires": _describe_delay(step, "expires_after", "expires_unit"),
        "actions": step.action_ids.mapped("name"),
        "is_final": step.is_final,
    }


def _get_first_words(template):
    """A text in one line; what will be filled in is left open."""
    text = re.sub(INLINE_TEMPLATE_REGEX, "…", template or "")
    return shorten(text, FIRST_WORDS, placeholder=" …")


def _describe_delay(record, delay, unit):
    """A delay in words, False for none."""
    one = {
        "minutes": record.env._("1 minute"),
        "hours": record.env._("1 hour"),
        "days": record.env._("1 day"),
    }
    if record[delay] == 1:
        return one[record[unit]]
    return record[delay] > 0 and f"{record[delay]} {get_label(record, unit)}"


def get_label(record, field):
    """The word for the value of a selection, in the user's language."""
    return dict(record._fields[field]._description_selection(record.env)).get(record[field])
