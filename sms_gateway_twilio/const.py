"""What Twilio says, and what it means for a text."""

API = "https://api.twilio.com/2010-04-01/Accounts"

#: Meaning of Twilio's codes (twilio.com/docs/api/errors), in an answer and in a delivery report.
FAILURES = {
    "14107": "sms_throttled",  # message rate limit
    "20003": "sms_configuration",  # authentication
    "20429": "sms_throttled",  # too many requests, none of them processed
    "21211": "sms_invalid_destination",
    "21212": "sms_sender",
    "21214": "sms_invalid_destination",  # cannot be reached
    "21217": "sms_invalid_destination",
    "21265": "sms_invalid_destination",
    "21266": "sms_invalid_destination",  # the sender itself
    "21408": "sms_country_not_supported",  # not permitted in the console
    "21602": "sms_rejected",  # empty text
    "21603": "sms_sender",  # none
    "21604": "sms_number_missing",
    "21606": "sms_sender",
    "21608": "sms_configuration",  # trial account
    "21609": "sms_configuration",  # our address for reports
    "21610": "sms_optout",
    "21611": "sms_throttled",  # queue of the sender full
    "21612": "sms_invalid_destination",  # not reachable from this sender
    "21614": "sms_invalid_destination",  # no mobile
    "21617": "sms_too_long",
    "21703": "sms_configuration",  # messaging service
    "21704": "sms_configuration",
    "21705": "sms_configuration",
    "30001": "sms_throttled",  # queue overflow
    "30002": "sms_configuration",  # account suspended
    "30003": "sms_not_delivered",  # unreachable
    "30004": "sms_rejected",  # blocked
    "30005": "sms_invalid_destination",  # unknown
    "30006": "sms_not_delivered",  # landline
    "30007": "sms_rejected",  # filtered
    "30008": "sms_not_delivered",  # unknown error
    "30017": "sms_not_delivered",  # congestion
    "30022": "sms_throttled",  # limit of the brand
    "30023": "sms_throttled",
    "30032": "sms_registration_needed",
    "30034": "sms_registration_needed",  # [unverified]
    "30410": "sms_server",  # carrier timed out
}

#: ``MessageStatus`` of a delivery report (twilio 9.13, MessageInstance.Status).
REPORT_STATES = {
    "accepted": "sent",
    "scheduled": "sent",
    "queued": "sent",
    "sending": "sent",
    "sent": "sent",
    "partially_delivered": "sent",
    "delivered": "delivered",
    "read": "delivered",
    "undelivered": "failed",
    "failed": "failed",
    "canceled": "failed",
}

#: Names a secret other than the auth token that signed the call, and how.
SETTINGS_HEADER = "x-twilio-webhooks-signature-settings"
#: Digest by the algorithm that it names.
ALGORITHMS = {"HMAC_SHA1": "sha1", "HMAC_SHA256": "sha256"}
