"""Where a webhook may lead: to the public internet, and to what the site has named, and nowhere else.

A host name that is resolved twice can answer differently the second time, so it is resolved once, every address it has
is checked, and the connection goes to a checked address.
"""

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings

Address = IPv4Address | IPv6Address
_UNICAST = ip_network("2000::/3")  # all that is given out of IPv6; IPv4-mapped, NAT64 and local ones are outside (IANA)


class NotAllowed(Exception):
    """The address is refused; the message says which and how to allow it."""


def checked_addresses(host: str, port: int) -> list[str]:
    """The addresses of `host`, in the resolver's order. Raises NotAllowed if any is refused, OSError if it has none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(place[0]) for *_, place in found))
    for text in addresses:
        address = ip_address(text)
        if not (is_public(address) or is_named(address)):
            raise NotAllowed(
                f"{host} is at {text}, which is not a public address; "
                "a site allows it by naming it in DAYOPS_WEBHOOK_PRIVATE_ADDRESSES"
            )
    return addresses


def is_named(address: Address) -> bool:
    """Whether the site allows it, as itself: naming 10.0.0.1 does not allow ::ffff:10.0.0.1."""
    return any(address in network for network in settings.WEBHOOK_PRIVATE_ADDRESSES)


def is_public(address: Address) -> bool:
    """Whether it is somewhere on the public internet and leads nowhere else.

    Stricter than `is_global`, which takes multicast, 6to4, Teredo and NAT64 for global although the last three carry
    an IPv4 address that may be private.
    """
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    if isinstance(address, IPv4Address):
        return True
    return address in _UNICAST and address.sixtofour is None and address.teredo is None
