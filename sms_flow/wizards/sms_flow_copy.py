from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError


class SmsFlowCopy(models.TransientModel):
    """Copy the set-up of another flow into this one: steps, answers, reminders and templates.

    What is there already stays. What cannot be copied is left out and listed.
    """

    _name = "sms.flow.copy"
    _description = "SMS Flow Copy"

    # === FIELDS === #

    flow_id = fields.Many2one(
        "sms.flow", "Copy into", required=True, readonly=True, ondelete="cascade"
    )
    model = fields.Selection(related="flow_id.model")
    source_id = fields.Many2one(
        "sms.flow",
        "Copy from",
        required=True,
        domain="[('model', '=', model), ('id', '!=', flow_id)]",
        ondelete="cascade",
    )
    source_step_count = fields.Integer("Its steps", compute="_compute_source_counts")
    source_is_on = fields.Boolean("It is on", related="source_id.flow_enabled")
    is_done = fields.Boolean(readonly=True)
    summary = fields.Char("Copied", readonly=True)
    left_out = fields.Text("Left out", readonly=True)

    # === COMPUTE METHODS === #

    @api.depends("source_id")
    def _compute_source_counts(self):
        for wizard in self:
            wizard.source_step_count = len(wizard.source_id.step_ids)

    # === ACTION METHODS === #

    def action_copy(self):
        """Copy, and show what was copied and what was not."""
        self.ensure_one()
        self._check_may_copy()
        copier = FlowCopier(self.source_id, self.flow_id)
        copier.run()
        self.write(
            {
                "is_done": True,
                "summary": copier.get_summary(),
                "left_out": "\n".join(copier.left_out) or False,
            }
        )
        action = self.env["ir.actions.act_window"]._for_xml_id("sms_flow.sms_flow_copy_action")
        return {**action, "res_id": self.id}

    def _check_may_copy(self):
        self.source_id.check_access("read")
        self.flow_id.check_access("write")
        if self.source_id == self.flow_id or self.source_id.model != self.flow_id.model:
            raise UserError(
                self.env._("Choose another flow for the same kind of record to copy from.")
            )
        if not self.flow_id.sms_enabled:
            raise UserError(
                self.env._("%s: switch SMS on before you copy a set-up into it.", self.flow_id.name)
            )


class FlowCopier:
    """One copy of a flow's set-up into another.

    ``steps`` maps the steps of the source to those of the target; ``left_out`` collects, in words,
    what could not be copied.
    """

    def __init__(self, source, target):
        self.source, self.target, self.env = source, target, target.env
        self.steps, self.left_out = {}, []
        self.counts = dict.fromkeys(("steps", "answers", "reminders", "templates"), 0)

    def run(self):
        """Copy all there is."""
        new = self.copy_steps()
        for step in new:
            self.copy_answers(step)
            self.copy_expiry(step)
        self.copy_templates()
        self.copy_state()

    # Steps -----------------------------------------------------------------------------

    def copy_steps(self):
        """Copy the steps that the target has not; return those of the source that were copied."""
        stages, new = self.target._get_stages(), []
        for step in self.source.step_ids:
            stage = self.find_stage(step.stage_id, stages)
            if step.stage_id and not stage:
                self.leave_out(
                    self.env._(
                        "Step %(step)s: the pipeline of %(flow)s has no stage %(stage)s.",
                        step=step.name,
                        flow=self.target.name,
                        stage=step.stage_id.name,
                    )
                )
            elif known := self.find_step(step, stage):
                self.steps[step] = known
                self.leave_out(self.env._("Step %s: it is there already.", step.name))
            else:
                self.steps[step] = self.copy_step(step, stage)
                new.append(step)
        return new

    def find_stage(self, stage, stages):
        """The same stage in the target's pipeline, else the one of its name, else none."""
        if stage in stages:
            return stage
        return stages.filtered(lambda other: fold(other.name) == fold(stage.name))[:1]

    def find_step(self, step, stage):
        """The target's step of the stage; of contacts, the one of the same name."""
        if stage:
            return self.target._get_step_of_stage(stage)
        return self.target.step_ids.filtered(lambda other: fold(other.name) == fold(step.name))[:1]

    def copy_step(self, step, stage):
        """Copy a step with its reminders, and with its texts in all languages."""
        actions = step.sudo().action_ids
        may_run = self.env.user.has_group("base.group_system")
        if actions and not may_run:
            self.leave_out(
                self.env._(
                    "The actions of step %s: an administrator adds them to the new step.",
                    step.name,
                )
            )
        self.counts["steps"] += 1
        self.counts["reminders"] += len(step.reminder_ids)
        copied = step.sudo().copy(
            {
                "flow_id": self.target.id,
                "stage_id": stage.id,
                "reply_ids": [],
                "expires_step_id": False,
                "action_ids": [(6, 0, actions.ids if may_run else [])],
            }
        )
        return copied.sudo(False)

    # What leads from step to step ------------------------------------------------------

    def copy_answers(self, step):
        """Copy the answers of a step whose target was copied, too."""
        for reply in step.reply_ids:
            target = self.steps.get(reply.target_step_id)
            if target:
                reply.copy({"step_id": self.steps[step].id, "target_step_id": target.id})
                self.counts["answers"] += 1
            else:
                self.leave_out(
                    self.env._(
                        "Step %(step)s: the answer “%(words)s”, for it goes to %(target)s.",
                        step=step.name,
                        words=reply.keywords,
                        target=reply.target_step_id.name,
                    )
                )

    def copy_expiry(self, step):
        """Let the new step give up to where the old one does, if that was copied."""
        goal = step.expires_step_id
        if goal in self.steps:
            self.steps[step].sudo().expires_step_id = self.steps[goal]
        elif goal:
            self.leave_out(
                self.env._(
                    "Step %(step)s: where it goes without an answer, %(target)s.",
                    step=step.name,
                    target=goal.name,
                )
            )

    # Templates and state ---------------------------------------------------------------

    def copy_templates(self):
        """Copy the templates whose names the target has not."""
        known = {fold(template.name) for template in self.target.template_ids}
        for template in self.source.template_ids:
            if not self.target.sender_id:
                self.leave_out(self.env._("Template %s: choose a sender first.", template.name))
            elif fold(template.name) in known:
                self.leave_out(self.env._("Template %s: it is there already.", template.name))
            else:
                template.sudo().copy({"flow_id": self.target.id, "name": template.name})
                self.counts["templates"] += 1

    def copy_state(self):
        """The copy of a flow that is on is on, where it can be."""
        if not self.source.flow_enabled or self.target.flow_enabled:
            return
        try:
            with self.env.cr.savepoint():
                self.target.flow_enabled = True
        except ValidationError as error:
            self.target.invalidate_recordset(["flow_enabled"])
            self.leave_out(self.env._("It stays off. %s", error.args[0]))

    # Words -----------------------------------------------------------------------------

    def leave_out(self, words):
        """Note what is not copied."""
        self.left_out.append(words)

    def get_summary(self):
        """What was copied, in one line."""
        return self.env._(
            "%(steps)s steps, %(answers)s answers, %(reminders)s reminders and %(templates)s "
            "templates were copied.",
            **self.counts,
        )


def fold(name):
    """A name as it is compared with others.

    >>> fold(" Confirmed Sale ") == fold("confirmed sale")
    True
    """
    return (name or "").strip().casefold()
