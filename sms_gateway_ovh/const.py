"""What OVHcloud says, and what it means for a text."""

API = "https://eu.api.ovh.com/1.0"
#: Before the sender in the tag of a text, which comes back with the customer's answer. A tag has
#: 20 characters.
TAG = "odoo-"
#: Kinds of texts that are advertisement.
ADVERTISEMENT = {"mailing", "campaign"}

#: Failure type by ``errorCode`` of a refusal (ovh 1.2, Client.call), or by its HTTP status.
FAILURES = {
    "FORBIDDEN": "sms_configuration",
    "INVALID_CREDENTIAL": "sms_configuration",
    "INVALID_KEY": "sms_configuration",
    "NOT_CREDENTIAL": "sms_configuration",
    "NOT_GRANTED_CALL": "sms_configuration",
    "INVALID_SIGNATURE": "sms_configuration",  # [unverified]
    "QUERY_TIME_OUT": "sms_configuration",  # our clock is wrong [unverified]
    "460": "sms_configuration",  # the service has expired
}
#: Failure type by a word of a refusal with another code [unverified].
WORDS = {
    "credit": "sms_credit",
    "sender": "sms_sender",
    "receiver": "sms_invalid_destination",
}

#: State by ``ptt`` of a report, where it is one of these (OVHcloud, *SMS users*, step 5).
PTT_STATES = {
    "1": "sent",  # tried again, for the phone
    "2": "sent",  # tried again, for the carrier
    "3": "sent",  # accepted by the carrier
    "4": "delivered",
}
#: Else by its ``description``.
DLR_STATES = {
    "0": "sent",  # pending
    "1": "delivered",
    "2": "failed",
    "4": "sent",  # pending
    "8": "sent",  # buffered
    "16": "failed",
}
#: Failure type by ``ptt`` of a report.
PTT_FAILURES = {
    "5": "sms_not_delivered",
    "6": "sms_not_delivered",  # cannot be told
    "8": "sms_expired",
    "20": "sms_not_delivered",
    "21": "sms_not_delivered",  # the customer has no credit
    "23": "sms_invalid_destination",  # or on a blacklist
    "24": "sms_not_delivered",  # absent
    "25": "sms_not_delivered",  # network
    "26": "sms_not_delivered",  # phone
    "27": "sms_not_delivered",  # the phone cannot
    "28": "sms_rejected",  # spam
    "29": "sms_rejected",  # content
    "33": "sms_rejected",  # adult content
    "39": "sms_not_delivered",
    "73": "sms_not_delivered",  # unreachable
    "74": "sms_not_delivered",  # roaming
    "76": "sms_not_allowed",  # blocked for the account
    "202": "sms_not_allowed",
}
