"""What GatewayAPI says, and what it means for a text.

Codes and states: gatewayapi.com/docs, "Error code index" and "Delivery Status Notification"; fields
of the messaging API: its OpenAPI description of 2026-06-03. Codes are in small letters here.
"""

REGIONS = [("com", "gatewayapi.com"), ("eu", "gatewayapi.eu (only within the EU)")]

#: Texts in one request. Both take far more; one that is refused holds up fewer.
BATCH_SIZE = 100

#: Failure type by the code of a refusal, or by the field that the messaging API complains of.
FAILURES = {
    "0x0210": "sms_configuration",  # user name
    "0x0211": "sms_configuration",  # password
    "0x0212": "sms_configuration",  # IP address is none
    "0x0213": "sms_configuration",  # IP address is not allowed
    "0x0214": "sms_not_allowed",  # number blocked for a while
    "0x0215": "sms_not_allowed",  # number blocked
    "0x0216": "sms_credit",
    "0x0217": "sms_country_not_supported",
    "0x0218": "sms_configuration",  # message class
    "0x021d": "sms_configuration",  # SMS is not enabled
    "0x021e": "sms_configuration",  # message class
    "0x021f": "sms_not_allowed",  # operator
    "0x0220": "sms_rejected",  # parameter not supported
    "0x0222": "sms_rejected",  # parameter missing
    "0x0223": "sms_configuration",  # key
    "0x0224": "sms_configuration",  # signature
    "0x0310": "sms_rejected",  # recipient twice
    "0x0311": "sms_configuration",  # priority
    "0x0312": "sms_rejected",  # content [unverified]
    "recipient": "sms_number_format",
    "sender": "sms_sender",
    "message": "sms_too_long",
}
#: What is wrong with one text, told of a whole request: each of its texts is then tried alone.
OF_ONE = {"0x0214", "0x0215", "0x0312", "recipient", "sender", "message"}

#: State of a text by the state that is told.
REPORT_STATES = {
    "UNKNOWN": "sent",
    "SCHEDULED": "sent",
    "BUFFERED": "sent",
    "ENROUTE": "sent",
    "ACCEPTED": "sent",  # by the operator, who does not tell what becomes of it
    "DELIVERED": "delivered",
    "READ": "delivered",
    "EXPIRED": "failed",
    "DELETED": "failed",
    "UNDELIVERABLE": "failed",
    "REJECTED": "failed",
    "SKIPPED": "failed",
}
#: Failure type by that state, where the code says nothing better.
STATE_FAILURES = {
    "EXPIRED": "sms_expired",
    "REJECTED": "sms_rejected",
    "SKIPPED": "sms_rejected",
}
#: Failure type by the code of a delivery report.
REPORT_FAILURES = {
    "0x1010": "sms_invalid_destination",  # unknown subscriber
    "0x1011": "sms_not_allowed",  # call barred
    "0x1020": "sms_invalid_destination",  # unidentified subscriber
    "0x1025": "sms_not_allowed",  # illegal subscriber
    "0x1033": "sms_sender",  # originator blocked
    "0x1034": "sms_not_allowed",  # destination blocked
    "0x1035": "sms_rejected",  # keyword blocked
    "0x1037": "sms_configuration",  # quota exceeded
    "0x103c": "sms_not_allowed",  # personal barring
    "0x1040": "sms_invalid_destination",  # unidentified subscriber
    "0x1048": "sms_invalid_destination",
    "0x1060": "sms_invalid_destination",
    "0x1061": "sms_invalid_destination",  # numbering plan
    "0x1062": "sms_invalid_destination",  # type of number
    "0x1065": "sms_sender",
    "0x1066": "sms_sender",  # numbering plan
    "0x1067": "sms_sender",  # type of number
    "0x1078": "sms_too_long",
    "0x1084": "sms_invalid_destination",
    "0x1085": "sms_too_long",
    "0x1093": "sms_not_allowed",  # subscriber blocked
    "0x1905": "sms_sender",  # not supported
}

#: Header that tells a call of the legacy API: a JSON Web Token that repeats it.
TOKEN_HEADER = "x-gwapi-signature"
#: Events of the messaging API that bring a text.
TEXT_EVENTS = {"user-message.text.sms", "user-message.text.rcs"}
#: User data header of a part of a long text, in hexadecimal digits: reference, total, number
#: (3GPP TS 23.040 §9.2.3.24.1 and §9.2.3.24.8).
PART_HEADER = r"(?:050003(..)|060804(....))(..)(..)"
