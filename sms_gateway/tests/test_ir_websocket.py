from odoo.tests import HttpCase, new_test_user, tagged

CHANNEL = "sms_gateway.record/{}/{}"


@tagged("post_install", "-at_install")
class TestWatching(HttpCase):
    """P11: who may listen for the texts of a record that is open on his screen."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        new_test_user(cls.env, "watcher", groups="base.group_user")
        new_test_user(cls.env, "outsider", groups="base.group_portal")
        cls.partner = cls.env["res.partner"].create({"name": "Anna Hansen"})
        other_company = cls.env["res.company"].create({"name": "Other company"})
        cls.foreign = cls.env["res.partner"].create(
            {"name": "Foreign", "company_id": other_company.id}
        )

    def subscribe(self, login, *channels):
        """Which of the channels the server lets the user listen to."""
        self.authenticate(login, login)
        result = self.make_jsonrpc_request(
            "/websocket/peek_notifications",
            {"channels": list(channels), "last": 0, "is_first_poll": True},
        )
        heard = {channel[1] for channel in result["channels"] if len(channel) == 2}
        return [channel for channel in channels if channel in heard]

    def test_a_record_that_may_be_read_is_watched(self):
        channel = CHANNEL.format("res.partner", self.partner.id)
        self.assertEqual(self.subscribe("watcher", channel), [channel])

    def test_a_record_of_another_company_is_not(self):
        channel = CHANNEL.format("res.partner", self.foreign.id)
        self.assertEqual(self.subscribe("watcher", channel), [])

    def test_a_portal_user_watches_nothing(self):
        outsider = self.env["res.users"].search([("login", "=", "outsider")])
        channel = CHANNEL.format("res.partner", outsider.partner_id.id)
        self.assertEqual(self.subscribe("outsider", channel), [])

    def test_what_is_no_record_with_a_chatter_is_refused_without_harm(self):
        nonsense = [
            CHANNEL.format("res.partner", 999999999),
            CHANNEL.format("res.partner", "9" * 30),
            CHANNEL.format("no.such.model", 1),
            CHANNEL.format("mail.thread", 1),
            CHANNEL.format("ir.config_parameter", 1),
            CHANNEL.format("res.partner", f"{self.partner.id}x"),
            "sms_gateway.record/",
        ]
        allowed = CHANNEL.format("res.partner", self.partner.id)
        self.assertEqual(self.subscribe("watcher", *nonsense, allowed), [allowed])

    def test_other_channels_are_left_alone(self):
        self.assertEqual(self.subscribe("watcher", "some_other_channel"), ["some_other_channel"])
