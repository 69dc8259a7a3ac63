"""What Vonage says, and what it means for a text.

Codes: developer.vonage.com, SMS API, "Troubleshooting SMS" and "Delivery Receipts".
"""

URL = "https://rest.nexmo.com"
#: Of prices and of the balance.
CURRENCY = "EUR"

#: Failure type by the status of a refused text. Not here: 5, an internal error, after which nobody
#: knows whether the text was taken.
FAILURES = {
    "1": "sms_throttled",
    "2": "sms_rejected",  # a parameter is missing
    "3": "sms_number_format",  # a parameter is invalid
    "4": "sms_configuration",  # credentials
    "6": "sms_invalid_destination",  # prefix of the number is not known
    "7": "sms_not_allowed",  # number barred
    "8": "sms_configuration",  # account barred
    "9": "sms_credit",
    "10": "sms_throttled",  # too many connections
    "11": "sms_configuration",  # account not enabled for HTTP
    "12": "sms_too_long",
    "14": "sms_configuration",  # signature
    "15": "sms_sender",
    "22": "sms_rejected",  # network code
    "23": "sms_configuration",  # callback address
    "29": "sms_configuration",  # number is not on the list of a demo account
    "32": "sms_configuration",  # both signature and secret
    "33": "sms_invalid_destination",  # number is no longer in use
}
#: How long to wait, in milliseconds, in the words of a throttled text.
PAUSE = r"please wait \[ ?(\d{1,6}) ?\]"

#: State of a text by the state in a delivery receipt.
REPORT_STATES = {
    "delivered": "delivered",
    "accepted": "sent",
    "buffered": "sent",
    "unknown": "sent",
    "expired": "failed",
    "failed": "failed",
    "rejected": "failed",
}
#: Failure type and words by the error code in a delivery receipt, which tells none.
REPORT_FAILURES = {
    "1": ("sms_not_delivered", "Unknown"),
    "2": ("sms_not_delivered", "Absent subscriber, temporary"),
    "3": ("sms_not_delivered", "Absent subscriber, permanent"),
    "4": ("sms_not_allowed", "Call barred by user"),
    "5": ("sms_not_delivered", "Portability error"),
    "6": ("sms_rejected", "Anti-spam rejection"),
    "7": ("sms_not_delivered", "Handset busy"),
    "8": ("sms_not_delivered", "Network error"),
    "9": ("sms_optout", "Illegal number, or opted out"),
    "10": ("sms_rejected", "Illegal message"),
    "11": ("sms_invalid_destination", "Unroutable"),
    "12": ("sms_not_delivered", "Destination unreachable"),
    "13": ("sms_not_allowed", "Subscriber age restriction"),
    "14": ("sms_rejected", "Number blocked by carrier"),
    "15": ("sms_not_delivered", "Prepaid, insufficient funds"),
    "16": ("sms_configuration", "Gateway quota exceeded"),
    "50": ("sms_registration_needed", "Entity filter"),
    "51": ("sms_registration_needed", "Header filter"),
    "52": ("sms_rejected", "Content filter"),
    "53": ("sms_not_allowed", "Consent filter"),
    "54": ("sms_registration_needed", "Regulation error"),
    "99": ("sms_not_delivered", "General error"),
}

#: How the account's signature is made, as on the gateway.
SIGNATURES = [
    ("md5hash", "MD5 hash signature"),
    ("md5", "MD5 HMAC signature"),
    ("sha1", "SHA1 HMAC signature"),
    ("sha256", "SHA-256 HMAC signature"),
    ("sha512", "SHA-512 HMAC signature"),
    ("none", "Not signed: the secret in the address proves the calls"),
]
#: What stands for the signs that part names from values, in what is signed.
ESCAPES = str.maketrans("&=", "__")
#: Seconds for which a call may be repeated with its first signature: Vonage tries for a day.
MAX_AGE = 25 * 3600
