"""What Infobip says, and what it means for a text.

Codes: Infobip's page "Response status and error codes", read in copies of it; groups: its Python
library 6.0.0. The form of ``violations`` is [unverified].
"""

#: Texts in one request. Infobip takes more; that many are lost together with a lost answer.
MAX_MESSAGES = 100
#: Proof that a text was not taken, whatever the status of HTTP.
REFUSED = 400

#: State of a text by the group of its status.
STATES = {
    "ACCEPTED": "sent",
    "PENDING": "sent",
    "DELIVERED": "delivered",
    "UNDELIVERABLE": "failed",
    "EXPIRED": "failed",
    "REJECTED": "failed",
}
#: DELIVERED_TO_OPERATOR: of the group DELIVERED, but not there yet.
AT_OPERATOR = "2"
#: REJECTED_DUPLICATE_MESSAGE_ID: our id is known there; whether the text went is not told.
DUPLICATE = "23"

#: Failure type by the id of a status.
FAILURES = {
    "6": "sms_country_not_supported",  # REJECTED_NETWORK: not covered, or not for this account
    "8": "sms_invalid_destination",  # REJECTED_PREFIX_MISSING
    "10": "sms_blacklist",  # REJECTED_DND: the country's register of those who want no texts
    "11": "sms_sender",  # REJECTED_SOURCE: not registered
    "12": "sms_credit",  # REJECTED_NOT_ENOUGH_CREDITS
    "13": "sms_sender",  # REJECTED_SENDER: blocked
    "14": "sms_not_allowed",  # REJECTED_DESTINATION: blocked by the customer's operator or account
    "15": "sms_expired",
    "17": "sms_credit",  # REJECTED_PREPAID_PACKAGE_EXPIRED
    "18": "sms_configuration",  # REJECTED_DESTINATION_NOT_REGISTERED: trial account
    "19": "sms_configuration",  # REJECTED_ROUTE_NOT_AVAILABLE
    "20": "sms_throttled",  # REJECTED_FLOODING_FILTER: too many to one number within an hour
    "21": "sms_server",  # REJECTED_SYSTEM_ERROR: "please retry"
    "25": "sms_too_long",
    "51": "sms_number_missing",
    "52": "sms_invalid_destination",
}
#: Failure type by the id of an error in a report, where the status says nothing better.
ERRORS = {
    "1": "sms_invalid_destination",  # EC_UNKNOWN_SUBSCRIBER
    "5": "sms_invalid_destination",  # EC_UNIDENTIFIED_SUBSCRIBER
}
#: Failure type by the group of the status, where neither says anything better.
GROUPS = {
    "UNDELIVERABLE": "sms_not_delivered",
    "EXPIRED": "sms_expired",
    "REJECTED": "sms_rejected",
}
#: Failure type by what a violation complains of.
VIOLATIONS = {"to": "sms_invalid_destination", "sender": "sms_sender"}
