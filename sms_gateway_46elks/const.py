"""What 46elks says (46elks.com/docs), and what it means for a text."""

API = "https://api.46elks.com/a1"
#: Amounts of money are told in this part of the account's currency.
MONEY = 10_000

#: Failure type by words of a refusal, where its HTTP status says too little [unverified].
REFUSALS = {"Not enough credits": "sms_credit"}

#: ``status`` of a text, in the answer and in delivery reports.
STATES = {"created": "sent", "sent": "sent", "delivered": "delivered", "failed": "failed"}
