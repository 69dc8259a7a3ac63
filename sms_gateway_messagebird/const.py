"""What MessageBird and Bird say, and what it means for a text.

Codes and reasons of MessageBird: developers.messagebird.com, "SMS messaging" and "API errors"
[unverified]; those of Bird: its own library for Python (messagebird-sdk 0.106).
"""

URL = "https://rest.messagebird.com"
ISSUER = "MessageBird"

#: Failure type by the code of a refusal. Not here: 99, an internal error, after which nobody knows
#: whether the text was taken.
FAILURES = {
    "2": "sms_configuration",  # access key
    "9": "sms_rejected",  # a parameter is missing
    "10": "sms_rejected",  # a parameter is invalid
    "20": "sms_configuration",  # not found
    "21": "sms_rejected",  # bad request
    "25": "sms_credit",
    "98": "sms_configuration",  # address of the API
}
#: Failure type by the parameter complained of, before that by the code.
PARAMETERS = {
    "recipients": "sms_invalid_destination",
    "recipient": "sms_invalid_destination",
    "originator": "sms_sender",
    "body": "sms_too_long",
}

#: State of a text by the state that is told.
REPORT_STATES = {
    "scheduled": "sent",
    "sent": "sent",
    "buffered": "sent",
    "delivered": "delivered",
    "expired": "failed",
    "delivery_failed": "failed",
}
#: Failure type by the reason of a state.
REASONS = {
    "unknown subscriber": "sms_invalid_destination",
    "incorrect number": "sms_invalid_destination",
    "unavailable subscriber": "sms_not_delivered",
    "expired": "sms_expired",
    "opted out": "sms_optout",
    "insufficient balance": "sms_credit",
    "carrier rejected": "sms_rejected",
    "capacity limit reached": "sms_throttled",
}
#: Error code of a report on a text to who wrote STOP.
OPTED_OUT = "103"

#: Currency by the kind of the account's balance; there are also credits.
CURRENCIES = {"euros": "EUR", "pounds": "GBP", "dollars": "USD"}

# === BIRD === #

#: Of the platform, by the region in the key.
BIRD_URL = "https://{region}.platform.bird.com"
#: A key and its region.
BIRD_KEY = r"(?:bk|bm)_([a-z]{2}[0-9]+)_.+"
#: Before a secret of webhooks, which is in base 64 (standardwebhooks.com).
BIRD_SECRET_PREFIX = "whsec_"

#: Failure type by the name of a refusal, or by its type.
BIRD_REFUSALS = {
    "SMSInvalidRecipient": "sms_invalid_destination",
    "SMSMessagingProfileNotFound": "sms_configuration",
    "SMSMessagingProfileSenderBound": "sms_sender",
    "SMSSenderNotConfigured": "sms_sender",
    "SMSUnsupportedFeature": "sms_configuration",
    "SenderCategoryNotPermitted": "sms_registration_needed",
    "auth_error": "sms_configuration",
    "billing_error": "sms_credit",
    "conflict_error": "sms_server",  # the first try is still worked on
    "misdirected_error": "sms_configuration",  # the region
    "permission_error": "sms_configuration",
    "rate_limit_error": "sms_throttled",
}

#: State of a text by the event.
BIRD_EVENTS = {
    "sms.accepted": "sent",
    "sms.sent": "sent",
    "sms.delivered": "delivered",
    "sms.undelivered": "failed",
    "sms.failed": "failed",
    "sms.rejected": "failed",
    "sms.expired": "failed",
}
#: Failure type by that event, where the code says nothing better.
BIRD_EVENT_FAILURES = {"sms.rejected": "sms_rejected", "sms.expired": "sms_expired"}
#: Failure type by the code of a failure.
BIRD_FAILURES = {
    "invalid_destination": "sms_invalid_destination",
    "unreachable": "sms_not_delivered",
    "blocked_by_carrier": "sms_rejected",
    "blocked_by_fraud_protection": "sms_rejected",
    "blocked_by_recipient": "sms_not_allowed",
    "landline_unreachable": "sms_not_delivered",
    "content_rejected": "sms_rejected",
    "sender_unregistered": "sms_registration_needed",
    "recipient_opted_out": "sms_optout",
    "provider_unavailable": "sms_not_delivered",
    "insufficient_balance": "sms_credit",
}
#: Origins of texts that Bird wants to be told as marketing.
BIRD_MARKETING = {"mailing", "campaign"}
