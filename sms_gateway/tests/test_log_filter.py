import logging

from odoo.tests import BaseCase, tagged


@tagged("post_install", "-at_install")
class TestLogFilter(BaseCase):
    def test_the_secret_of_our_addresses_is_not_in_the_access_log(self):
        """P9: for a provider that signs nothing, the token is the credential."""
        line = "POST /sms/gateway/s3cr3t-t0ken/status HTTP/1.1"
        logger = logging.getLogger("werkzeug")
        record = logger.makeRecord(
            logger.name, logging.INFO, "", 0, '%s - - "%s" %s', ("127.0.0.1", line, 200), None
        )
        self.assertTrue(logger.filter(record))
        self.assertIn("/sms/gateway/***/status", record.getMessage())
        self.assertNotIn("s3cr3t-t0ken", record.getMessage())
