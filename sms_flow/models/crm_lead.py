from collections import defaultdict

from odoo import api, models
from odoo.tools import SQL

#: Where core collects what is said with a change, and who said it, by id of the record.
TRACKING_NOTES = ("mail.tracking.message", "mail.tracking.author")


class CrmLead(models.Model):
    _name = "crm.lead"
    _inherit = ["crm.lead", "sms.flow.mixin"]

    @api.model
    def _sms_flow_get_owner_fields(self):
        """Override: a lead's team and company may follow from its seller, or from what it is."""
        return super()._sms_flow_get_owner_fields() | {"team_id", "user_id", "type", "partner_id"}

    def _take_over_sms(self, merged):
        """Override of `sms_inbox`: and the runs of flows."""
        res = super()._take_over_sms(merged)
        self._sms_flow_take_over(merged)
        return res

    def _sms_flow_find(self):
        """Override: a lead belongs to the flow of its team, be it in a step or not."""
        flows = self.env["sms.flow"].sudo().search([("team_id", "in", self.team_id.ids)])
        return flows.filtered(
            lambda flow: flow.sms_enabled
            and flow.sender_id
            and flow.company_id in (self.company_id or self.team_id.company_id or self.env.company)
        )

    def _sms_flow_set_step(self, step, notes):
        """Override: a lead's step is its stage; the note stands with the change of the stage."""
        self._sms_flow_write_step(step.id)
        moving = self.filtered(lambda lead: lead.stage_id != step.stage_id)
        for lead in moving:
            if lead.id in notes:
                lead._track_set_log_message(notes[lead.id])
        # the rule that follows the stage has nothing to follow here
        with self.env["sms.flow.transition"]._doing("action", step):
            together = moving.with_context(sms_flow_track_together=True)
            together.write({"stage_id": step.stage_id.id})

    def _message_track(self, fields_iter, initial_values_dict):
        """Override of `mail`: the changes of many leads that go through flows, written together.

        Leads with a follower who wants to know are Odoo's; of the others, those with the same
        change get copies of the first one's note. One by one the notes take ten times as long as
        all else that happens.
        """
        if len(self) < 2 or not self._is_sms_flow_moving():
            return super()._message_track(fields_iter, initial_values_dict)
        data = self.env.cr.precommit.data
        # what is said, and by whom: core takes both of all leads with the first it looks at
        noted = {key: data.pop(f"{key}.{self._name}", {}) for key in TRACKING_NOTES}
        bodies, authors = noted.values()
        tracking = {}
        for leads in self._group_by_change(fields_iter, initial_values_dict, authors):
            first = leads[:1]
            for key, values in noted.items():
                data[f"{key}.{self._name}"] = {i: values[i] for i in first._ids if i in values}
            changes = super(CrmLead, first)._message_track(fields_iter, initial_values_dict)
            tracking |= changes | {lead.id: changes[first.id] for lead in leads - first}
            leads[1:]._copy_tracking(first, bodies)
        return tracking

    def _is_sms_flow_moving(self):
        """Whether a flow moves these leads, or is about to."""
        moving = self.env.context.get("sms_flow_track_together")
        return moving or self.env["sms.flow.transition"]._is_following(self)

    def _group_by_change(self, fields_iter, initial_values_dict, authors):
        """Leads whose notes of the change are the same; each by itself where somebody is told.

        :return: list of ``crm.lead``
        """
        tracked = self.fields_get(
            fields_iter, attributes=("string", "type", "selection", "currency_field")
        )
        told = self._get_told_of_stage()
        groups = defaultdict(self.browse)
        for lead in self.exists():
            initial = initial_values_dict[lead.id]
            changes, values = lead._mail_track(tracked, initial)
            subtype = lead._track_subtype({name: initial[name] for name in changes})
            alone = lead.id if lead.id in told else False
            groups[(alone, subtype, repr(values), authors.get(lead.id))] += lead
        return list(groups.values())

    def _get_told_of_stage(self):
        """Ids of leads with a follower who is told of more than notes."""
        self.env.cr.execute(
            """
            SELECT DISTINCT follower.res_id FROM mail_followers follower
              JOIN mail_followers_mail_message_subtype_rel rel
                ON rel.mail_followers_id = follower.id
              JOIN mail_message_subtype subtype ON subtype.id = rel.mail_message_subtype_id
             WHERE follower.res_model = %s AND follower.res_id = ANY(%s)
               AND subtype.res_model = %s
            """,
            [self._name, self.ids, self._name],
        )
        return {row[0] for row in self.env.cr.fetchall()}

    def _copy_tracking(self, first, bodies):
        """Notes of a change like that of another lead, with what changed."""
        note = self.env["mail.message"].sudo()
        note = note.search(
            [("model", "=", self._name), ("res_id", "=", first.id)], order="id desc", limit=1
        )
        if not self or not note.tracking_value_ids:
            return
        notes = note._clone_for(self, {lead.id: bodies.get(lead.id, "") for lead in self})
        columns = SQL(", ").join(
            SQL.identifier(name)
            for name, field in note.tracking_value_ids._fields.items()
            if field.store and field.column_type and name not in ("id", "mail_message_id")
        )
        self.env.execute_query(
            SQL(
                """
                INSERT INTO mail_tracking_value (mail_message_id, %(columns)s)
                SELECT note.id, %(columns)s FROM mail_tracking_value value,
                       unnest(%(notes)s) AS note (id)
                 WHERE value.mail_message_id = %(original)s RETURNING 1
                """,
                columns=SQL(columns),
                notes=notes.ids,
                original=note.id,
            )
        )
        notes.invalidate_recordset(["tracking_value_ids"], flush=False)
