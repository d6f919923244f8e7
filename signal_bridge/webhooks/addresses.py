"""Where a webhook may connect to: a pure decision, and connections that keep to it.

A name is resolved once, the addresses are checked, and the connection goes to one that was
checked: a name that changes its mind between the two gains nothing. Host and SNI stay the name.

Bots live in private networks, so these are allowed. Link-local addresses are not: cloud machines
hand out credentials there.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import socket
from collections.abc import Callable
from typing import Any, Final

import requests.adapters
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util.connection import create_connection

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
    """The operator's say: `allow` wins over `deny`, and both over the default."""

    allow: tuple[Network, ...] = ()
    deny: tuple[Network, ...] = ()

    def refusal(self, address: Address) -> str | None:
        """Why there may be no connection to `address`, or None when there may."""
        forms = _forms(address)
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


class NoConnection(NewConnectionError):
    """No address of the host is allowed, or none answers. `sentence` says which and why."""

    def __init__(self, connection: Any, sentence: str) -> None:
        super().__init__(connection, sentence)
        self.sentence = sentence


class CheckedAdapter(requests.adapters.HTTPAdapter):
    """Connects only where `rules` allow. Keeps one connection open: for one thread, one host.

    `newest_connection` is the one in use, if any is.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self.newest_connection: HTTPConnection | None = None
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = _pools(self.connect)

    def connect(self, connection: HTTPConnection) -> socket.socket:
        self.newest_connection = connection
        return _connect(connection, self._rules)


def _pools(
    connect: Callable[[HTTPConnection], socket.socket],
) -> dict[str, type[HTTPConnectionPool]]:
    """urllib3 makes connections by class, so how to connect becomes part of the classes."""

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return connect(self)

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return connect(self)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


def _connect(connection: HTTPConnection, rules: Rules) -> socket.socket:
    """A socket to the first address that is allowed and answers. Raises urllib3's errors."""
    host, port = connection.host, connection.port
    try:
        allowed = _allowed(connection, _resolved(host, port), rules)
        return _first_that_answers(connection, allowed, port)
    except socket.gaierror as error:
        raise NameResolutionError(host, connection, error) from error
    except UnicodeError as error:  # a label that is empty or too long is no name
        raise NameResolutionError(host, connection, socket.gaierror(str(error))) from error
    except TimeoutError as error:
        raise ConnectTimeoutError(connection, "connect timeout") from error
    except OSError as error:
        raise NoConnection(connection, f"no connection: {error.strerror or error}") from error


def _resolved(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    return [str(sockaddr[0]) for *_, sockaddr in found]


def _allowed(connection: HTTPConnection, found: list[str], rules: Rules) -> list[str]:
    refusals = {one: rules.refusal(ipaddress.ip_address(one)) for one in found}
    allowed = [one for one in found if refusals[one] is None]
    if not allowed:
        reasons = ", ".join(f"{one}: {why}" for one, why in refusals.items())
        raise NoConnection(connection, f"the receiver's address is refused ({reasons})")
    return allowed


def _first_that_answers(connection: HTTPConnection, allowed: list[str], port: int) -> socket.socket:
    *others, last = allowed
    for address in others:
        try:
            return _socket(connection, address, port)
        except OSError:  # the next may answer; if none does, the last one's error counts
            continue
    return _socket(connection, last, port)


def _socket(connection: HTTPConnection, address: str, port: int) -> socket.socket:
    return create_connection(
        (address, port),
        connection.timeout,
        source_address=connection.source_address,
        socket_options=connection.socket_options,
    )


def _forms(address: Address) -> list[Address]:
    """The address, and the IPv4 address inside it if there is one."""
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
