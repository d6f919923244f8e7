"""Connections that keep to the rules of `addresses.py`.

A name is resolved once, the addresses are checked, and the connection goes to one that was
checked: a name that changes its mind between the two gains nothing. Host and SNI stay the name.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from typing import Any

import requests.adapters
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util.connection import create_connection

from signal_bridge.delivery.webhooks.addresses import Rules


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


class _InOnePiece(HTTPConnection):
    """Head and body of a request leave in one write: that is a quarter of a delivery's time.

    Requests here always have a body, so `send` is called twice for each.
    """

    _head: bytes | None = None

    def send(self, data: Any) -> None:
        if self._head is None:
            self._head = data
            return
        head, self._head = self._head, None
        super().send(head + data)


def _pools(
    connect: Callable[[HTTPConnection], socket.socket],
) -> dict[str, type[HTTPConnectionPool]]:
    """urllib3 makes connections by class, so how to connect becomes part of the classes."""

    class Plain(_InOnePiece, HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return connect(self)

    class Secure(_InOnePiece, HTTPSConnection):
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
