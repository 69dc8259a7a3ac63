from odoo import fields, models


class SmsGatewayThrottle(models.Model):
    """When the gateway may send next.

    Kept apart from ``sms.gateway`` because every claim locks and writes it: who reads or edits
    the gateway must not wait for that, nor disturb it.
    """

    _name = "sms.gateway.throttle"
    _description = "SMS Gateway Throttle"
    _log_access = False

    gateway_id = fields.Many2one("sms.gateway", required=True, ondelete="cascade")
    next_send_at = fields.Float(
        help="Seconds since the epoch, with fractions: the moment the next text may leave."
    )

    _gateway_uniq = models.UniqueIndex("(gateway_id)")
