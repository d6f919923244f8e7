"""Which addresses are this machine's own, so that a webhook does not call the bridge itself.

Asked of the system each time: interfaces come and go.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
from typing import Final

from signal_bridge.delivery.webhooks.addresses import Address, forms_of

# For documents (RFC 5737, RFC 3849): where these can be bound, any address can
# (ip(7), "ip_nonlocal_bind"), and that one can be bound says nothing.
_NOBODYS: Final = {4: "198.51.100.1", 6: "2001:db8::1"}


def is_own(address: Address) -> bool:
    """Whether this machine is reached under `address`, in any of its forms."""
    return any(_is_own(form) for form in forms_of(address))


def _is_own(address: Address) -> bool:
    if address.is_loopback or address.is_unspecified:
        return True
    return _can_be_bound(address) and not _can_be_bound(
        ipaddress.ip_address(_NOBODYS[address.version])
    )


def _can_be_bound(address: Address) -> bool:
    """By a socket for datagrams, which leaves every port to those who listen."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as trying:
        trying.bind((str(address), 0))
        return True
    return False
