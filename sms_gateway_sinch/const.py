"""What Sinch says, and what it means for a text.

States: Sinch's documentation of delivery reports. Codes: its Java library of 2026-07. The codes of
refusals, the length of a list and what a wrong number does to it are [unverified].
"""

#: Recipients in one request. Sinch takes more; that many are lost together with a lost answer.
MAX_RECIPIENTS = 100

#: Failure type by the code of a refusal, where the status of HTTP does not say it.
ERRORS = {"missing_callback_url": "sms_configuration"}

#: State of a text by the status of its report, in capitals: Sinch writes it in several ways.
STATES = {
    "QUEUED": "sent",
    "DISPATCHED": "sent",
    "UNKNOWN": "sent",  # nothing more will be told
    "DELIVERED": "delivered",
    "ABORTED": "failed",
    "CANCELLED": "failed",
    "REJECTED": "failed",
    "DELETED": "failed",  # no such number, or opted out: which of them is not told
    "FAILED": "failed",
    "EXPIRED": "failed",
}
#: Failure type by the code of the report.
FAILURES = {
    "402": "sms_rejected",  # unroutable, permanent
    "405": "sms_rejected",  # unmatched parameter
    "406": "sms_expired",
    "408": "sms_rejected",
    "410": "sms_sender",  # no default originator
    "411": "sms_too_long",  # more parts than allowed
    "412": "sms_country_not_supported",  # region not provisioned
    "413": "sms_configuration",  # account blocked, perhaps out of credit
}
#: Failure type by the status, where the code says nothing better.
STATUS_FAILURES = {"ABORTED": "sms_rejected", "REJECTED": "sms_rejected", "EXPIRED": "sms_expired"}
