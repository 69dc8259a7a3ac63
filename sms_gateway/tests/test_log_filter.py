import logging

from odoo.tests import BaseCase, tagged


@tagged("post_install", "-at_install")
class TestLogFilter(BaseCase):
    def test_the_secret_of_our_addresses_is_not_in_the_access_log(self):
        """P9: for a provider that signs nothing, the token is the credential."""
        line = "POST /sms/gateway/s3cr3t-t0ken/status HTTP/1.1"
        with self.assertLogs("werkzeug", "INFO") as log:
            logging.getLogger("werkzeug").info('%s - - "%s" %s', "127.0.0.1", line, 200)
        self.assertIn("/sms/gateway/***/status", log.output[0])
        self.assertNotIn("s3cr3t-t0ken", log.output[0])
