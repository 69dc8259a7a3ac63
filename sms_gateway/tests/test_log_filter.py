from odoo.tests import HttpCase, tagged


@tagged("post_install", "-at_install")
class TestLogFilter(HttpCase):
    def test_the_secret_of_our_addresses_is_not_in_the_access_log(self):
        """P9: for a provider that signs nothing, the token is the credential."""
        with self.assertLogs("werkzeug", "INFO") as log:
            self.url_open("/sms/gateway/s3cr3t-t0ken/inbound?from=4791234567")
        text = "\n".join(log.output)
        self.assertIn("/sms/gateway/***/inbound", text)
        self.assertNotIn("s3cr3t-t0ken", text)
