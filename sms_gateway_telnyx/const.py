"""What Telnyx says, and what it means for a text.

Codes: developers.telnyx.com, "API error codes" and "Messaging Error Code Reference".
"""

#: Of the HTTP interface, version 2.
URL = "https://api.telnyx.com/v2"

#: Failure type by code, of a refusal and of a delivery report alike.
FAILURES = {
    "10001": "sms_sender",  # inactive phone number
    "10002": "sms_number_format",
    "10009": "sms_configuration",  # authentication failed
    "10010": "sms_configuration",  # authorization failed
    "10011": "sms_throttled",
    "10016": "sms_number_format",  # not +E.164
    "20002": "sms_configuration",  # API key revoked
    "20012": "sms_configuration",  # account inactive
    "20013": "sms_configuration",  # account blocked
    "20014": "sms_configuration",  # account unverified
    "20015": "sms_configuration",  # feature not enabled
    "20016": "sms_configuration",  # account not level 1 verified
    "20017": "sms_configuration",  # account not level 2 verified
    "20100": "sms_credit",
    "40001": "sms_invalid_destination",  # landline or not routable
    "40002": "sms_rejected",  # spam, for the moment
    "40003": "sms_rejected",  # spam, for good
    "40004": "sms_rejected",  # by the destination
    "40005": "sms_expired",
    "40006": "sms_not_delivered",  # recipient's server is unavailable
    "40008": "sms_not_delivered",
    "40009": "sms_rejected",  # text
    "40010": "sms_registration_needed",  # 10DLC
    "40011": "sms_throttled",  # by the carrier
    "40012": "sms_invalid_destination",
    "40013": "sms_sender",
    "40014": "sms_expired",  # in the queue of Telnyx
    "40015": "sms_rejected",  # spam, by Telnyx
    "40100": "sms_sender",  # not enabled for messaging
    "40150": "sms_registration_needed",  # toll-free number
    "40151": "sms_sender",  # enablement pending
    "40300": "sms_optout",  # the customer wrote STOP
    "40302": "sms_too_long",
    "40305": "sms_sender",
    "40306": "sms_sender",  # names are not configured
    "40309": "sms_country_not_supported",  # not allowed in the messaging profile
    "40310": "sms_invalid_destination",
    "40311": "sms_configuration",  # secret of the messaging profile
    "40312": "sms_configuration",  # messaging profile is disabled
    "40313": "sms_configuration",
    "40314": "sms_configuration",  # messaging is disabled
    "40315": "sms_sender",  # too much spam from it
    "40316": "sms_rejected",  # no text
}

#: State of a text by the state that Telnyx tells; others are transient.
#: "delivery_unconfirmed" is the end of what Telnyx learns, not of what may have happened.
REPORT_STATES = {
    "delivered": "delivered",
    "read": "delivered",
    "expired": "failed",
    "sending_failed": "failed",
    "delivery_failed": "failed",
}
#: Failure type by that state, where no code says more.
REPORT_FAILURES = {"expired": "sms_expired"}
#: Events about a text of ours.
REPORT_EVENTS = {"message.sent", "message.finalized", "message.read"}
