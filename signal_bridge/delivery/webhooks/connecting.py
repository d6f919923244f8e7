"""Connections that keep to the rules of `addresses.py`.

A name is resolved once, the addresses are checked, and the connection goes to one that was
checked: a name that changes its mind between the two gains nothing. Host and SNI stay the name.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

from urllib3.connection import HTTPConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from signal_bridge.delivery.webhooks.addresses import Rules
from signal_bridge.delivery.webhooks.urllib3_parts import ConnectingAdapter, open_socket


class NoConnection(NewConnectionError):
    """No address of the host is allowed, or none answers. `sentence` says which and why."""

    def __init__(self, connection: Any, sentence: str) -> None:
        super().__init__(connection, sentence)
        self.sentence = sentence


class CheckedAdapter(ConnectingAdapter):
    """Connects only where `rules` allow.

    `newest_connection` is the one in use, if any is.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self.newest_connection: HTTPConnection | None = None
        super().__init__(self._connect_checked)

    def _connect_checked(self, connection: HTTPConnection) -> socket.socket:
        self.newest_connection = connection
        return _connect(connection, self._rules)


def _connect(connection: HTTPConnection, rules: Rules) -> socket.socket:
    """A socket to the first address that is allowed and answers. Raises urllib3's errors."""
    host, port = connection.host, connection.port
    try:
        allowed = _allowed_addresses(connection, _addresses_of(host, port), rules)
        return _first_that_answers(connection, allowed, port)
    except socket.gaierror as error:
        raise NameResolutionError(host, connection, error) from error
    except UnicodeError as error:  # a label that is empty or too long is no name
        raise NameResolutionError(host, connection, socket.gaierror(str(error))) from error
    except TimeoutError as error:
        raise ConnectTimeoutError(connection, "connect timeout") from error
    except OSError as error:
        raise NoConnection(connection, f"no connection: {error.strerror or error}") from error


def _addresses_of(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    return [str(sockaddr[0]) for *_, sockaddr in found]


def _allowed_addresses(connection: HTTPConnection, found: list[str], rules: Rules) -> list[str]:
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
            return open_socket(connection, address, port)
        except OSError:  # the next may answer; if none does, the last one's error counts
            continue
    return open_socket(connection, last, port)
