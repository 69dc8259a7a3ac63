import hashlib
import re
from urllib.parse import urlencode

from odoo import models
from odoo.tools import split_every

from odoo.addons.phone_validation.tools.phone_validation import phone_format

from ..engine.contract import WebhookRefused
from ..engine.reading import read_text
from ..engine.results import MAX_REASON


class SmsGatewayAdapter(models.AbstractModel):
    """The contract between the gateway and one provider.

    A provider's addon adds its code to ``sms.gateway.code`` and one model
    ``sms.gateway.adapter.<code>`` that inherits this one. Adapters never do I/O and never touch
    records they were not given: they turn texts into requests and bytes into facts. The data
    they exchange is in ``engine/contract.py``; ``tests/contract.py`` is the test every adapter
    inherits.
    """

    _name = "sms.gateway.adapter"
    _description = "SMS gateway adapter: the contract with a provider"

    # === SENDING === #

    def _prepare_requests(self, gateway, messages):
        """Turn texts into HTTP requests.

        :param gateway: the ``sms.gateway`` (sudo), credentials readable
        :param messages: ``sms.message`` to send, all of this gateway
        :return: list of :class:`SendRequest`; each text in exactly one of them
        """
        return [self._prepare_request(gateway, batch) for batch in self._split(messages)]

    def _prepare_request(self, gateway, messages):
        """Turn the texts of one batch into one HTTP request. Override in every adapter.

        :param messages: ``sms.message``; put the ``uuid`` of each where the provider echoes it
        :return: :class:`SendRequest`
        """
        raise NotImplementedError

    def _split(self, messages):
        """Batches, each for one request.

        :return: generator of ``sms.message``
        """
        alone = self._get_alone(messages)
        for batch in (messages - alone).grouped(self._get_batch_key).values():
            for ids in split_every(self._get_batch_size(), batch.ids):
                yield messages.browse(ids).with_prefetch(messages._prefetch_ids)
        yield from alone

    def _get_batch_size(self):
        """Texts that one request can carry."""
        return 1

    def _get_batch_key(self, message):
        """What the texts of one request have in common; override where they cannot be any."""

    def _get_alone(self, messages):
        """Texts that go alone although they fit in with others; override to name them."""
        return messages.browse()

    def _parse_response(self, gateway, request, response):
        """Read the provider's answer to one request. Override in every adapter.

        An answer that cannot be understood is ``unknown``, not ``retry``: the provider may have
        accepted the text.

        :return: list of :class:`SendResult`, one for each uuid of the request
        """
        raise NotImplementedError

    def _check_sender(self, gateway, sender):
        """Why the provider would not send in this name; override for the provider's own rules.

        :param sender: ``sms.sender`` of the gateway
        :return: words with the remedy, or None
        """
        if sender.kind == "text" and not self._get_features()["text_sender"]:
            return self.env._("%s does not accept a name as the sender.", gateway.name)
        return None

    def _get_report_url(self, gateway, message, **query):
        """Where the provider is to report on this text, if each can have an address of its own."""
        return f"{gateway.status_url}?{urlencode({'uuid': message.uuid, **query})}"

    def _get_words(self, response):
        """The provider's words for a refusal; override to find them in its answer."""
        return response.text.strip()[:MAX_REASON]

    # === WEBHOOKS === #

    def _verify_webhook(self, gateway, webhook):
        """Prove that a call comes from the provider, before anything else looks at it.

        The token in the address was right when this is called, and the caller's address and
        password where the gateway asks for them. Override to check the signature, or to accept
        those alone where the provider signs nothing.

        :raise WebhookRefused: always, unless overridden; also where our secret is not set
        """
        raise WebhookRefused("unverified")

    def _extract_inbound(self, gateway, webhook):
        """The texts in a verified call to the inbound address.

        :return: list of :class:`InboundText`
        :raise WebhookMalformed: where the call cannot be understood
        """
        return []

    def _extract_reports(self, gateway, webhook):
        """The delivery reports in a verified call to the status address.

        :return: list of :class:`DeliveryReport`
        :raise WebhookMalformed: where the call cannot be understood
        """
        return []

    def _format_number(self, gateway, number):
        """The customer's number in E.164, written +46…, 0046…, 46… or as within the country.

        What is no number, as the name or the short number of a sender, stays as it is; what are
        no words is empty.
        """
        number = re.sub("^00", "+", read_text(number) or "")
        if re.match("[1-9][0-9]{6}", number):
            number = f"+{number}"
        country = gateway.company_id.country_id
        return phone_format(
            number, country.code, country.phone_code, force_format="E164", raise_exception=False
        )

    def _webhook_reply(self, gateway, webhook):
        """The exact answer the provider needs so that it does not repeat the call.

        Beware: for some providers a body is a text to the customer.

        :return: (HTTP status, headers dict, body bytes)
        """
        return 200, {}, b""

    def _get_dedup_key(self, gateway, webhook):
        """What is equal in every repetition of one call and differs between two calls.

        Override where the provider repeats a call with other bytes (a time stamp, a new
        signature). Texts are also recognised by their ``provider_ref``, so this only spares work.
        It never raises: a call that cannot be understood must be stored to be parked.
        """
        digest = hashlib.sha256()
        for part in (webhook.kind, repr(webhook.query), repr(webhook.form)):
            digest.update(part.encode("utf-8", "surrogateescape"))
        digest.update(webhook.body)
        return digest.hexdigest()

    # === ACCOUNT === #

    def _prepare_test_request(self, gateway):
        """A request that proves the credentials without sending a text, or None.

        By default the one for the balance.
        """
        return self._prepare_balance_request(gateway)

    def _is_account(self, gateway, response):
        """Whether the answer to it proves the credentials; by default, if it tells the balance."""
        return bool(self._parse_balance(gateway, response))

    def _get_test_advice(self):
        """What to look at where the credentials are not proven, as whole sentences."""
        return ""

    def _parse_test_response(self, gateway, response):
        """What *Test connection* tells the administrator.

        :return: (ok bool, words)
        """
        if self._is_account(gateway, response):
            return True, ""
        told = f"{response.status} {self._get_words(response)}".strip().rstrip(".")
        answer = self.env._("The provider answered “%s”.", told)
        return False, f"{answer} {self._get_test_advice()}".strip()

    def _prepare_balance_request(self, gateway):
        """A request for the account's balance, or None where the provider has none."""

    def _parse_balance(self, gateway, response):
        """:return: (amount float, ISO currency code or None), or None where it is not told"""

    def _get_features(self):
        """What the provider can do; computed into the ``support_*`` fields of the gateway.

        ``inbound`` and ``status``: it passes on texts and delivery reports. ``text_sender``: a name
        can be the sender. ``idempotency``: it recognises a repeated request. ``balance`` and
        ``cost``: it tells the account's balance, what a text cost. ``signature``: it signs its
        calls.
        """
        return {
            "inbound": True,
            "status": True,
            "text_sender": True,
            "idempotency": False,
            "balance": False,
            "cost": False,
            "signature": False,
        }
