"""What Plivo says, and what it means for a text."""

API = "https://api.plivo.com/v1/Account"
#: Numbers in one request. Plivo takes 1,000; the address for their reports names them all.
BATCH = 20
#: Prices are told in this currency.
CURRENCY = "USD"

#: ``Status`` of a delivery report (plivo.com/docs, the message object).
REPORT_STATES = {
    "queued": "sent",
    "sent": "sent",
    "delivered": "delivered",
    "read": "delivered",
    "failed": "failed",
    "undelivered": "failed",
    "rejected": "failed",
}
#: Failure type by ``ErrorCode`` of a report (Plivo's error codes, as others quote them).
REPORT_FAILURES = {
    "10": "sms_rejected",  # invalid message
    "20": "sms_not_delivered",  # network
    "30": "sms_rejected",  # spam
    "40": "sms_sender",
    "50": "sms_invalid_destination",
    "60": "sms_rejected",  # loop
    "70": "sms_not_delivered",  # unavailable for good
    "80": "sms_not_delivered",  # unavailable for now
    "90": "sms_country_not_supported",  # no route
    "100": "sms_not_allowed",
    "110": "sms_too_long",
    "200": "sms_optout",
    "201": "sms_country_not_supported",  # toll-free to Canada
    "300": "sms_not_delivered",  # dispatch
    "420": "sms_expired",
    "900": "sms_credit",
    "910": "sms_configuration",  # account disabled
    "1000": "sms_not_delivered",  # unknown
}
