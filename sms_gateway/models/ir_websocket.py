import re

from odoo import models

WATCHED_RECORD = re.compile(r"sms_gateway\.record/(?P<model>[a-z0-9_.]+)/(?P<id>[0-9]{1,9})")


class IrWebsocket(models.AbstractModel):
    """Live chatters: who has a record open learns at once that a text of it came or changed.

    The browser listens to ``sms_gateway.record/<model>/<id>``, whose notifications say no more
    than that there is something to fetch. The name can be guessed, so it is checked here.
    """

    _inherit = "ir.websocket"

    def _build_bus_channel_list(self, channels):
        """Override of `bus`: nobody watches the texts of a record he may not read."""
        wishes = {c: m for c in channels if isinstance(c, str) and (m := WATCHED_RECORD.match(c))}
        granted = self._sms_grant_watching(wishes)
        channels = [c for c in channels if c not in wishes or c in granted]
        return super()._build_bus_channel_list(channels)

    def _sms_grant_watching(self, wishes):
        """Those of the channels whose record exists and may be read by the user.

        :param dict wishes: match of ``WATCHED_RECORD`` by channel
        """
        if not self.env.user._is_internal():
            return set()
        ids_by_model = {}
        for match in wishes.values():
            ids_by_model.setdefault(match["model"], set()).add(int(match["id"]))
        readable = {
            (model, record.id)
            for model, ids in ids_by_model.items()
            if self._sms_can_be_watched(model)
            for record in self.env[model].browse(ids).exists()._filtered_access("read")
        }
        return {
            channel
            for channel, match in wishes.items()
            if match.end() == len(channel) and (match["model"], int(match["id"])) in readable
        }

    def _sms_can_be_watched(self, model):
        return (
            model in self.env
            and not self.env[model]._abstract
            and hasattr(self.env[model], "message_post")
        )
