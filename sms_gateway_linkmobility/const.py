"""What LINK Mobility's "Common" platform says, and what it means for a text.

Codes: LINK's "SMS REST API, MT and Delivery Reports" 1.6; what of 2.4 differs is [unverified].
"""

import re

#: Texts in one request. LINK takes a thousand; that many are lost together with a lost answer.
MAX_MESSAGES = 100
#: Characters of four bytes in UTF-8, as emoji, which LINK does not carry.
NOT_CARRIED = re.compile("[\U00010000-\U0010ffff]")

#: What LINK calls the kinds of our senders; that of a dedicated number is [unverified].
SOURCE_KINDS = {
    "text": "ALPHANUMERIC",
    "short": "SHORTNUMBER",
    "mobile": "MSISDN",
    "dedicated": "MSISDN",
}

QUEUED = "1005"
DELIVERED = "1001"
#: On its way; 1007: delivered, to be paid later.
TRANSIENT = {"1000", QUEUED, "1007", "1008", "1011", "1012"}
#: The account, its platform and gate: LINK's words say which.
ACCOUNT = ("106100", "106101", "106200", "106201", "106202", "106300", "106301")

#: Failure type by result code, of answers and of delivery reports.
FAILURES = {
    "2": "sms_not_delivered",  # permanent routing error [unverified]
    "1002": "sms_expired",
    "1004": "sms_not_delivered",  # telephone full
    "1006": "sms_not_delivered",
    "1009": "sms_not_delivered",  # paid for, not delivered
    "1010": "sms_expired",  # without any report of the operator
    "2104": "sms_invalid_destination",  # unknown subscriber
    "2105": "sms_not_delivered",  # barred for good
    "2106": "sms_invalid_destination",
    "2107": "sms_not_delivered",  # barred for the moment
    **dict.fromkeys(map(str, range(2200, 2300)), "sms_rejected"),  # charging
    **dict.fromkeys(map(str, range(3000, 3003)), "sms_rejected"),  # encoding
    **dict.fromkeys(map(str, range(4000, 4008)), "sms_rejected"),  # content
    **dict.fromkeys(ACCOUNT, "sms_configuration"),
}
#: Final results of a text that tell no reason we know: routing, throttling, LINK's own errors. In
#: an answer they do not prove that the text was not taken [unverified].
UNEXPLAINED = {"0", "1", "3", "4", "5", "6", "104", "105"}
