"""Whose a request is, for counting what one client may take at a time. Pure.

A proxy's clients all come from its own address. The networks of proxies that are trusted
(BRIDGE_TRUSTED_PROXIES) are looked behind: each proxy appends to `X-Forwarded-For` the address that
it was called from, so the right-most that is not a trusted proxy's is the client. What stands
further left, anybody may have written.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from typing import Final

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

UNKNOWN: Final = "unknown"
"""Who is called so has no address: it came through a UNIX socket, or a proxy wrote none."""

# Nobody has more proxies in a row. What stands further left is read as one text, which is no
# address: a head may have thousands.
_MOST_HOPS: Final = 16
# A household or a server is given a network of this size, with 2^64 addresses to choose from.
_IPV6_CLIENT_BITS: Final = 64


def client_of(peer: str, forwarded_for: str, trusted: Sequence[Network] = ()) -> str:
    """The address of the client of one request, an IPv6 address as its /64 network.

    `peer` is the address that the connection comes from, `forwarded_for` the request's
    `X-Forwarded-For`, several joined with commas in their order, or empty.
    """
    address = _address(peer)
    for hop in _hops_from_the_right(forwarded_for):
        if address is None or not _is_in(address, trusted):
            break
        address = _address(hop)
    return UNKNOWN if address is None else _named(address)


def _hops_from_the_right(forwarded_for: str) -> Iterable[str]:
    return reversed(forwarded_for.rsplit(",", _MOST_HOPS)) if forwarded_for else ()


def _address(text: str) -> Address | None:
    """An IPv4 address written as an IPv6 one is itself; a port behind it is none of it."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _is_in(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)


def _named(address: Address) -> str:
    if isinstance(address, ipaddress.IPv4Address) or address.is_loopback:
        return str(address)
    return str(ipaddress.ip_network((address, _IPV6_CLIENT_BITS), strict=False))
