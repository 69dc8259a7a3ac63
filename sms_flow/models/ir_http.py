from odoo import models


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    def session_info(self):
        """Override of `web`: the models with SMS tools, so that on others nothing is asked."""
        info = super().session_info()
        if self.env.user._is_internal():
            info["sms_tool_models"] = self.env["sms.tool"]._get_models()
        return info
