"""Where a webhook may connect to: a pure decision. `connecting.py` keeps to it.

Bots live in private networks, so these are allowed. Link-local addresses are not: cloud machines
hand out credentials there.
"""

from __future__ import annotations

import dataclasses
import ipaddress
from typing import Final

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_REFUSED: Final[tuple[tuple[str, str], ...]] = (
    ("0.0.0.0/8", "unspecified"),
    ("::/128", "unspecified"),
    ("169.254.0.0/16", "link-local"),
    ("fe80::/10", "link-local"),
    ("224.0.0.0/4", "multicast"),
    ("ff00::/8", "multicast"),
    ("240.0.0.0/4", "reserved"),
    # where clouds keep metadata outside the link-local range
    ("100.100.100.200/32", "metadata"),
    ("168.63.129.16/32", "metadata"),
    ("192.0.0.192/32", "metadata"),
    ("fd00:ec2::254/128", "metadata"),
    ("fd20:ce::254/128", "metadata"),
)
_REFUSED_NETWORKS: Final[tuple[tuple[Network, str], ...]] = tuple(
    (ipaddress.ip_network(network), why) for network, why in _REFUSED
)
# RFC 6052, RFC 8215: the last 32 bits are an IPv4 address.
_NAT64: Final = (
    ipaddress.IPv6Network("64:ff9b::/96"),
    ipaddress.IPv6Network("64:ff9b:1::/48"),
)
_IPV4_COMPATIBLE: Final = ipaddress.IPv6Network("::/96")


@dataclasses.dataclass(frozen=True)
class Rules:
    """The operator's say: `allow` wins over `deny`, and both over the default.

    `own_port` is where the bridge listens, 0 when that is not known; at an address of this machine
    it may not be called, whatever `allow` says. With `shows_answers` whoever may make a webhook
    may read what its receiver answers.
    """

    allow: tuple[Network, ...] = ()
    deny: tuple[Network, ...] = ()
    own_port: int = 0
    shows_answers: bool = False

    def refusal(self, address: Address) -> str | None:
        """Why there may be no connection to `address`, or None when there may."""
        forms = forms_of(address)
        if _any_in(forms, self.allow):
            return None
        if _any_in(forms, self.deny):
            return "it is in BRIDGE_WEBHOOK_DENY"
        for network, why in _REFUSED_NETWORKS:
            if _any_in(forms, (network,)):
                return f"it is a {why} address"
        return None


def literal(host: str) -> Address | None:
    """The address that `host` is, or None when it is a name."""
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None


def forms_of(address: Address) -> list[Address]:
    """The address, and the IPv4 address inside it if there is one: both lead to the same place."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    inner = address.ipv4_mapped or address.sixtofour
    if inner is None and any(address in network for network in _NAT64):
        inner = ipaddress.IPv4Address(address.packed[-4:])
    if inner is None and address in _IPV4_COMPATIBLE and int(address) > 0xFFFF:
        inner = ipaddress.IPv4Address(address.packed[-4:])
    return [address] if inner is None else [address, inner]


def _any_in(forms: list[Address], networks: tuple[Network, ...]) -> bool:
    return any(form in network for form in forms for network in networks)
