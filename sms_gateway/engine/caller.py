"""Who calls: the address and the password that a gateway may ask of its provider's calls."""

import re
from base64 import b64encode
from ipaddress import ip_address, ip_network

from .contract import WebhookRefused
from .proof import check_equal


def check(webhook, networks, username, password):
    """Refuse a call from elsewhere, or without the password; both only where they are set.

    :param str networks: as in :func:`read_networks`
    :raise WebhookRefused: with the reason ``ip``, ``unsigned`` or ``signature``
    """
    if networks and not _is_in(webhook.remote_addr, read_networks(networks)):
        raise WebhookRefused("ip")
    if password:
        login = b64encode(f"{username}:{password}".encode()).decode()
        check_equal(webhook.headers.get("authorization"), f"Basic {login}")


def read_networks(words):
    """The networks named in a list with commas, semicolons or blanks.

    :raise ValueError: where one of them is none

    >>> read_networks("192.0.2.7, 10.0.0.0/8; 192.0.2.200/25")
    [IPv4Network('192.0.2.7/32'), IPv4Network('10.0.0.0/8'), IPv4Network('192.0.2.128/25')]
    """
    return [ip_network(word, strict=False) for word in re.findall(r"[^\s,;]+", words or "")]


def _is_in(address, networks):
    """Whether an address lies in one of the networks; no address lies in none.

    >>> _is_in("::ffff:10.1.2.3", read_networks("10.0.0.0/8")), _is_in("", read_networks("::/0"))
    (True, False)
    """
    try:
        address = ip_address(address)
    except ValueError:
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return any(address in network for network in networks)
