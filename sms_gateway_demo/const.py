"""Names and figures of the demo carrier that several files share."""

#: Texts in one request.
BATCH_SIZE = 50
#: Where the carrier answers, under its own address.
SEND_PATH = "/sms_gateway_demo/carrier/send"
ACCOUNT_PATH = "/sms_gateway_demo/carrier/account"
#: Names the customer's account, as the account number of a real provider.
ACCOUNT_HEADER = "X-Demo-Account"

#: What one part of a text costs.
PRICE, CURRENCY = 0.05, "EUR"

#: Why a text did not arrive: the carrier's code and words.
FAILURES = [
    ("absent", "The telephone was switched off too long"),
    ("unknown", "No such subscriber"),
    ("blocked", "The customer has blocked this sender"),
    ("content", "The content was refused"),
    ("network", "Lost in the network"),
    ("other", "Another reason"),
]
#: The same in the words of Odoo.
FAILURE_TYPES = {
    "absent": "sms_expired",
    "unknown": "sms_invalid_destination",
    "blocked": "sms_not_allowed",
    "content": "sms_rejected",
    "network": "sms_not_delivered",
    "other": "sms_not_delivered",
    "number": "sms_number_format",
    "empty": "sms_rejected",
    "credit": "sms_credit",
}

#: Waits before Odoo is told again what it did not take, in seconds; then the carrier gives up.
RETRY_DELAYS = (2, 10, 60, 300, 1800, 3600, 7200)
#: What is told out of order comes this much later, in seconds.
DISORDER_DELAY = 2
