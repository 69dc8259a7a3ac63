"""Names that several files share."""

import re

#: A telephone number in international form.
E164 = re.compile(r"\+[1-9][0-9]{6,14}")

#: Failure types added to those of core. The words are what a salesman reads on hover.
FAILURE_TYPES = [
    ("sms_disabled", "SMS is switched off"),
    ("sms_bulk_disabled", "Bulk SMS is switched off"),
    ("sms_sender", "Sender not usable"),
    ("sms_too_long", "Text too long"),
    ("sms_merge_field", "Empty merge field"),
    ("sms_no_answer", "No answer from the provider: sent or not is unknown"),
    ("sms_configuration", "Refused: check the provider's account"),
    ("sms_throttled", "Too many texts at once"),
]
#: Known to core on notifications, but not on texts.
CORE_DELIVERY_FAILURE_TYPES = [
    ("sms_expired", "Expired"),
    ("sms_invalid_destination", "Invalid Destination"),
    ("sms_not_allowed", "Not Allowed"),
    ("sms_not_delivered", "Not Delivered"),
    ("sms_rejected", "Rejected"),
]
#: Known to core on texts, but not on notifications.
CORE_GATE_FAILURE_TYPES = [
    ("sms_blacklist", "Blacklisted"),
    ("sms_duplicate", "Duplicate"),
    ("sms_optout", "Opted Out"),
]

#: Lanes by urgency: a text of a lane never waits for one of a later lane.
LANES = [("chat", "Chat"), ("normal", "Normal"), ("bulk", "Bulk")]

ORIGINS = [
    ("composer", "Composer"),
    ("chat", "Conversation"),
    ("flow", "Flow"),
    ("reminder", "Reminder"),
    ("tool", "Tool"),
    ("mailing", "Mailing"),
    ("campaign", "Campaign"),
    ("callback", "Callback"),
    ("survey", "Survey"),
    ("system", "System"),
]

#: Waits before the next try of a text that was certainly not accepted, in seconds. Odoo looks
#: for what is due later once a minute.
RETRY_DELAYS = (30, 60, 120, 600, 1800, 3600)
#: A webhook body larger than this is refused, in bytes.
MAX_WEBHOOK_SIZE = 256 * 1024
#: Tries and wait, in seconds, of a report whose text is not (yet) known.
UNKNOWN_REFERENCE_TRIES, UNKNOWN_REFERENCE_DELAY = 10, 60
#: Seconds after which a long text is handed on without the parts of it that did not come.
PART_WAIT = 600
#: Webhook events are kept this long, in days.
EVENT_RETENTION_DAYS = 30
