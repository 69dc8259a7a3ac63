from odoo import api, fields, models
from odoo.tools import SQL


class SmsFlowMixin(models.AbstractModel):
    """For records that go through flows: their step, their runs, and the way to both."""

    _name = "sms.flow.mixin"
    _description = "Record in SMS flows"

    sms_flow_run_ids = fields.One2many(
        "sms.flow.run",
        "res_id",
        "SMS flows",
        domain=lambda self: [("res_model", "=", self._name)],
        groups="sms_gateway.group_sms_user",
        copy=False,
    )
    sms_flow_step_id = fields.Many2one(
        "sms.flow.step",
        "SMS step",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
        groups="sms_gateway.group_sms_user",
        help="Where the record stands in its SMS flow; of several flows, the latest.",
    )
    sms_flow_attention = fields.Char(
        "SMS flow needs attention",
        compute="_compute_sms_flow_attention",
        groups="sms_gateway.group_sms_user",
    )

    # === COMPUTE METHODS === #

    @api.depends("sms_flow_run_ids.attention")
    @api.depends_context("uid", "allowed_company_ids")
    def _compute_sms_flow_attention(self):
        Run = self.env["sms.flow.run"]
        runs = Run.search(
            [
                ("res_model", "=", self._name),
                ("res_id", "in", self.ids),
                ("attention", "!=", False),
            ]
        ).grouped("res_id")
        for record in self:
            record.sms_flow_attention = runs.get(record.id, Run)[:1].attention

    # === CRUD METHODS === #

    def write(self, vals):
        """Override of `base`: who is archived is in no flow any more; who goes to others leaves."""
        res = super().write(vals)
        if "active" in vals and not vals["active"]:
            self.env["sms.flow.run"]._find_active(self)._stop("archived")
        if self._sms_flow_get_owner_fields() & vals.keys():
            self._sms_flow_leave_strange()
        return res

    def unlink(self):
        """Override of `base`: the runs go with the record."""
        if not self.env["sms.flow"]._is_any():
            return super().unlink()
        runs = self.env["sms.flow.run"].sudo()
        runs = runs.search([("res_model", "=", self._name), ("res_id", "in", self.ids)])
        runs._stop_waiting()
        res = super().unlink()
        runs.unlink()
        return res

    # === ACTION METHODS === #

    def action_sms_flow_start(self):
        """Open the wizard that puts records into a step."""
        action = self.env["ir.actions.act_window"]._for_xml_id("sms_flow.sms_flow_start_action")
        context = {"active_model": self._name, "active_ids": self.ids, "active_id": self[:1].id}
        return {**action, "context": context}

    def action_sms_flow_view(self):
        """Open the picture of the flow with the record's path; of several, the list of runs."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("sms_flow.sms_flow_run_action")
        runs = self.env["sms.flow.run"].search(
            [("res_model", "=", self._name), ("res_id", "=", self.id)]
        )
        if len(runs) == 1:
            return {**action, "res_id": runs.id, "views": [(False, "form")], "view_mode": "form"}
        domain = [("id", "in", runs.ids)]
        return {**action, "domain": domain, "context": {}}

    # === BUSINESS METHODS === #

    @api.model
    def _sms_flow_get_owner_fields(self):
        """Names of the fields with which a record may go to another company or team."""
        return {"company_id"}

    def _sms_flow_leave_strange(self):
        """Leave the flows that the records do not belong to any more."""
        runs = self.env["sms.flow.run"]._find_active(self)
        records = {record.id: record for record in self}
        runs.filtered(lambda run: not run.flow_id._owns(records[run.res_id]))._stop("moved")

    def _sms_flow_set_step(self, step, notes):
        """The records come to a step; a note in the chatter says what brought them there.

        Straight in the database, for the step is not what the records are about: nobody's edit of
        them is disturbed.

        :param dict notes: what is said, by record id
        """
        self._sms_flow_write_step(step.id)
        noted = self.filtered(lambda record: record.id in notes)
        if noted:
            bodies = {
                record.id: self.env._(
                    "%(flow)s: %(step)s. %(why)s",
                    flow=step.flow_id.name,
                    step=step.name,
                    why=notes[record.id],
                )
                for record in noted
            }
            noted._message_log_batch(bodies, clone=True)

    def _sms_flow_forget_step(self, steps):
        """The records left the flow of these steps; of others they are in, the latest shows."""
        left = self.filtered(lambda record: record.sms_flow_step_id in steps)
        others = self.env["sms.flow.run"]._find_active(left).sorted("step_entered_at")
        latest = {run.res_id: run.step_id.id for run in others}
        for step_id, records in left.grouped(lambda record: latest.get(record.id)).items():
            records._sms_flow_write_step(step_id)

    def _sms_flow_write_step(self, step_id):
        if not self:
            return
        self.flush_recordset(["sms_flow_step_id"])
        self.env.execute_query(
            SQL(
                "UPDATE %s SET sms_flow_step_id = %s WHERE id = ANY(%s) RETURNING id",
                SQL.identifier(self._table),
                step_id,
                self.ids,
            )
        )
        self.invalidate_recordset(["sms_flow_step_id"], flush=False)

    def _sms_flow_find(self):
        """The flows with SMS switched on that the records belong to.

        :return: ``sms.flow``
        """
        flows = self.env["sms.flow.run"]._find_active(self).flow_id
        return flows.filtered(
            lambda flow: flow.sms_enabled
            and flow.sender_id
            and flow.company_id in self.env.companies
        )

    def _sms_flow_get_recipients(self):
        """Whom the texts of each record go to.

        :return: dict of ``number`` and ``partner_id`` by record id
        """
        known = self.filtered("phone_sanitized")
        partners = known._mail_get_partners()
        recipients = {
            record.id: {
                "number": record.phone_sanitized,
                "partner_id": partners[record.id][:1].id,
            }
            for record in known
        }
        for id_, info in (self - known)._sms_get_recipients_info().items():
            recipients[id_] = {
                "number": info["sanitized"] or info["number"],
                "partner_id": info["partner"].id,
            }
        return recipients

    def _sms_flow_take_over(self, merged):
        """Runs of records merged into this one; where it is in the flow itself, they end.

        One that goes on comes before one that is over.
        """
        Run = self.env["sms.flow.run"].sudo()
        domain = [("res_model", "=", self._name)]
        own = Run.search([*domain, ("res_id", "=", self.id)]).grouped("flow_id")
        for run in Run.search([*domain, ("res_id", "in", merged.ids)], order="state, id"):
            known, goes_on = own.get(run.flow_id, Run), run.state == "active"
            if known and (not goes_on or known.state == "active"):
                run.filtered(lambda r: r.state == "active")._stop("moved")
                continue
            known.unlink()
            own[run.flow_id] = run
            run.res_id = self.id
            if goes_on:
                self._sms_flow_write_step(run.step_id.id)
