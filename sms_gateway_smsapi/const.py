"""What SMSAPI says, and what it means for a text.

Codes: SMSAPI's list of error codes and statuses (smsapi.com/resp, and §18 and §19 of its
documentation), read in copies of it. What happens to a whole list of numbers for one bad number,
and how long an ``idx`` is remembered, is [unverified].
"""

#: Numbers in one request. SMSAPI takes more; that many are lost together with a lost answer.
MAX_RECIPIENTS = 100
#: No error at all.
NO_ERROR = "0"
#: The text with this idx "has been already sent", in SMSAPI's words.
DUPLICATE = "53"
#: No number that SMSAPI can send to.
NO_NUMBER = "13"
#: What is wrong with one number, told of a whole list: each is then tried again alone.
OF_ONE = {NO_NUMBER, "52", DUPLICATE, "57", "59", "112"}
#: Proof that nothing was sent, whatever the status of HTTP.
REFUSED = 400

FAILURES = {
    "11": "sms_too_long",  # or no text at all
    "12": "sms_too_long",  # more parts than allowed
    NO_NUMBER: "sms_invalid_destination",  # no valid numbers
    "14": "sms_sender",
    "52": "sms_throttled",  # more than ten texts to one number within 60 s
    "57": "sms_blacklist",  # on the account's own list
    "59": "sms_optout",  # on the opt-out list
    "74": "sms_not_allowed",  # not at this time of day
    "94": "sms_configuration",  # links are not allowed to this account
    "98": "sms_configuration",  # account restricted to its owner's number
    "101": "sms_configuration",  # authorisation
    "102": "sms_configuration",
    "103": "sms_credit",
    "105": "sms_configuration",  # IP filter
    "110": "sms_configuration",  # not allowed to this account
    "112": "sms_country_not_supported",
    "200": "sms_server",  # unsuccessful submission; the idx keeps a repetition from being two
    "201": "sms_server",
    "202": "sms_throttled",  # "too many simultaneous requests, the message won't be sent"
    "203": "sms_throttled",
    "401": "sms_configuration",  # the token lacks the permission
    "997": "sms_configuration",  # HTTP without TLS
    "999": "sms_server",
    "1000": "sms_configuration",  # main user only
}

#: State of a text by the status of its report; 401 and 408 know nothing final of it.
REPORT_STATES = {
    "401": "sent",  # NOT_FOUND
    "402": "failed",  # EXPIRED
    "403": "sent",
    "404": "delivered",
    "405": "failed",  # UNDELIVERED
    "406": "failed",
    "407": "failed",  # REJECTED
    "408": "sent",  # UNKNOWN
    "409": "sent",  # QUEUE
    "410": "sent",  # ACCEPTED by the operator
    "411": "sent",  # RENEWAL: tried again
    "412": "failed",  # STOP: stopped by the account's owner
}
REPORT_FAILURES = {
    "402": "sms_expired",
    "405": "sms_not_delivered",
    "406": "sms_not_delivered",
    "407": "sms_rejected",
    "412": "sms_rejected",
}
