from odoo import models


class IrActionsServer(models.Model):
    _inherit = "ir.actions.server"

    def _run_action_sms_multi(self, eval_context=None):
        """Override of `sms`: a text that cannot be sent never blocks what caused it (P10)."""
        records = (eval_context or {}).get("records") or ()
        automatic = self.with_context(
            sms_automatic=True, sms_to_many=len(records) > 1, sms_raise_refusal=False
        )
        return super(IrActionsServer, automatic)._run_action_sms_multi(eval_context)
