from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    sms_notify_in_app = fields.Boolean(
        "Notify in the app",
        default=True,
        help="Whoever works on a conversation hears of its texts at once: a chat window or bubble, "
        "the browser's notification, push on the telephone; followers of the record by their "
        "preference. Without it the counters are all there is.",
    )
