"""What Kannel and the carriers behind it say, and what it means for a text."""

#: Every event of a text: delivered, failed, buffered, accepted and rejected by the carrier.
DLR_MASK = "31"
#: Appended to our address for reports; Kannel fills the escapes in, each URL-encoded.
DLR_QUERY = "type=%d&answer=%A&ref=%F"
#: Appended to our address for texts in Kannel's ``get-url``. The text is %b, for %a is its words
#: only, with one blank between them.
INBOUND_QUERY = "from=%q&to=%Q&text=%b&id=%I&time=%T&coding=%c&charset=%C"

#: Bodies of a 202: accepted, queued while the carrier is away, immediate-sendsms-reply.
ACCEPTED = r"0: |3: |Sent\."

#: Beginning of the words of a refusal (403 and 400), in this order.
REFUSALS = {
    "Authorization failed": "sms_configuration",
    "Not routable": "sms_configuration",
    "Number(s) has/have been denied": "sms_not_allowed",
    "Empty receiver": "sms_invalid_destination",
    "Missing receiver": "sms_invalid_destination",
    "Sender missing": "sms_sender",
}

#: Beginning of those that tell of no receiver, after user and password were accepted.
NO_RECEIVER = ("Empty receiver", "Missing receiver")

#: State of a text by the type (%d) of its report.
REPORT_STATES = {"1": "delivered", "2": "failed", "4": "sent", "8": "sent", "16": "failed"}
#: Failure type by the type of the report, where its words say nothing better.
REPORT_FAILURES = {"2": "sms_not_delivered", "16": "sms_rejected"}

#: SMPP 3.4 §5.1.3: the carrier refused the text with this command status.
SMPP_STATUSES = {
    0x01: "sms_too_long",  # invalid message length
    0x0A: "sms_sender",  # invalid source address
    0x0B: "sms_invalid_destination",  # invalid destination address
    0x0D: "sms_configuration",  # bind failed
    0x0E: "sms_configuration",  # invalid password
    0x0F: "sms_configuration",  # invalid system id
    0x14: "sms_throttled",  # message queue full
    0x48: "sms_sender",  # invalid source type of number
    0x49: "sms_sender",  # invalid source numbering plan
    0x50: "sms_invalid_destination",  # invalid destination type of number
    0x51: "sms_invalid_destination",  # invalid destination numbering plan
    0x58: "sms_throttled",
}
#: SMPP 3.4 appendix B: the final state in a delivery receipt.
RECEIPT_STATES = {
    "EXPIRED": "sms_expired",
    "REJECTD": "sms_rejected",
    "DELETED": "sms_not_delivered",
    "UNDELIV": "sms_not_delivered",
}
