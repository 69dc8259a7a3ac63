import re

from odoo import models
from odoo.exceptions import AccessError, UserError
from odoo.tools.rendering_tools import parse_inline_template

#: Private-use characters around an expression: they stand for the braces while core renders.
OPEN, CLOSE = "\ue000", "\ue001"
_UNFILLED = re.compile(f"{OPEN}(.*?){CLOSE}", re.DOTALL)


class MailRenderMixin(models.AbstractModel):
    _inherit = "mail.render.mixin"

    def _render_template_inline_template(
        self, template_txt, model, res_ids, add_context=None, options=None
    ):
        """Override of `mail`: strict rendering for texts.

        With ``sms_strict_rendering`` in the context a merge field that is empty or does not exist
        stays in the text as ``{{ expression }}``, where core would print nothing. Whoever writes
        sees it, and the gate refuses to send it. A field with a default of its own is filled.
        """
        strict = self.env.context.get("sms_strict_rendering") and "{{" in (template_txt or "")
        lenient = self.with_context(sms_strict_rendering=False)
        if not strict:
            return super(MailRenderMixin, lenient)._render_template_inline_template(
                template_txt, model, res_ids, add_context=add_context, options=options
            )
        return lenient._render_strictly(str(template_txt), model, res_ids, add_context, options)

    def _render_strictly(self, template_txt, model, res_ids, add_context, options):
        """Render once for all; where an expression fails, for each record by itself.

        The text of a record on which an expression fails stays unfilled. An expression that the
        user may not write is Odoo's own error.
        """
        try:
            rendered = self._render_template_inline_template(
                _keep_unfilled(template_txt), model, res_ids, add_context, options
            )
        except AccessError:
            raise
        except UserError:
            if len(res_ids) == 1:
                return {res_ids[0]: template_txt}
            rendered = {}
            for res_id in res_ids:
                rendered |= self._render_strictly(
                    template_txt, model, [res_id], add_context, options
                )
        return {res_id: _UNFILLED.sub(r"{{ \1 }}", text) for res_id, text in rendered.items()}


def _keep_unfilled(template_txt):
    """Give each expression without a default its own source as the default."""
    parts = []
    for literal, expression, default in parse_inline_template(template_txt):
        parts.append(literal)
        if expression:
            filler = default or f"{OPEN}{expression}{CLOSE}"
            parts.append(f"{{{{ {expression} |||{filler}}}}}")
    return "".join(parts)
