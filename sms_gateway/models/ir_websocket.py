import re
from collections import defaultdict

from odoo import models

PREFIX = "sms_gateway.record/"
WATCHED_RECORD = re.compile(re.escape(PREFIX) + r"(?P<model>[a-z0-9_.]+)/(?P<id>[0-9]{1,9})")


class IrWebsocket(models.AbstractModel):
    """Live chatters: who has a record open learns at once that a text of it came or changed.

    The browser listens to ``sms_gateway.record/<model>/<id>``, whose notifications say no more
    than that there is something to fetch. The name can be guessed, so it is checked here.
    """

    _inherit = "ir.websocket"

    def _build_bus_channel_list(self, channels):
        """Override of `bus`: nobody watches the texts of a record he may not read."""
        wishes = [c for c in channels if isinstance(c, str) and c.startswith(PREFIX)]
        refused = set(wishes) - self._sms_grant_watching(wishes)
        return super()._build_bus_channel_list([c for c in channels if c not in refused])

    def _sms_grant_watching(self, wishes):
        """Those of the channels whose record exists and may be read by the user."""
        if not self.env.user._is_internal():
            return set()
        channels_by_model = defaultdict(dict)
        for wish in wishes:
            if match := WATCHED_RECORD.fullmatch(wish):
                channels_by_model[match["model"]][int(match["id"])] = wish
        return {
            channels[record.id]
            for model, channels in channels_by_model.items()
            if self._sms_can_be_watched(model)
            for record in self.env[model].browse(channels).exists()._filtered_access("read")
        }

    def _sms_can_be_watched(self, model):
        return (
            model in self.env
            and not self.env[model]._abstract
            and hasattr(self.env[model], "message_post")
        )
