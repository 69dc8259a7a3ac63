from odoo import api, fields, models
from odoo.fields import Domain


class SmsSender(models.Model):
    _inherit = "sms.sender"

    team_id = fields.Many2one(
        "crm.team",
        "Sales team",
        check_company=True,
        index="btree_not_null",
        tracking=True,
        help="Its members may send with this number and read its texts.",
    )

    @api.model
    def _get_own_domain(self, user):
        """Override of `sms_gateway`: a team's numbers are its members' and its leader's."""
        return (
            super()._get_own_domain(user)
            | Domain("team_id.user_id", "=", user.id)
            | Domain("team_id.crm_team_member_ids.user_id", "=", user.id)
        )

    @api.model
    def _get_shared_domain(self):
        """Override of `sms_gateway`: a team's number is not everybody's."""
        return super()._get_shared_domain() & Domain("team_id", "=", False)

    def _get_team_users(self):
        """The leader and the members of the team the number belongs to."""
        return self.team_id.user_id | self.team_id.member_ids
