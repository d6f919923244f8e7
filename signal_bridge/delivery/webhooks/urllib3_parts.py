"""What urllib3 and requests do not document and webhooks need all the same. All of it is here.

Read from urllib3 2.8.0 and requests 2.34.2. `tests/webhooks/test_urllib3_parts.py` fails when
another is installed, or when one of these has another shape: then read them again in the new one.

    HTTPConnection._new_conn              makes the socket: here to addresses that were checked
    HTTPConnection.send                   called for the head, then for the body: here once for both
    HTTPConnection.sock, .timeout …       of the socket that is made, and to end an attempt
    PoolManager.pool_classes_by_scheme    which classes of connections it makes
    HTTPAdapter.poolmanager               the one that an adapter of requests uses
    util.connection.create_connection     a socket with a connection's timeout and options
    Session.get_redirect_target           asked, and the body read, though redirects are not allowed
    args[0] of an error of requests       urllib3's error, with the `reason` for giving up
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from typing import Any, Final

import requests
import requests.adapters
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.connection import create_connection

log = logging.getLogger(__name__)

URLLIB3_READ_FROM: Final = "2.8.0"
REQUESTS_READ_FROM: Final = "2.34.2"

Connect = Callable[[HTTPConnection], socket.socket]


class ConnectingAdapter(requests.adapters.HTTPAdapter):
    """Lets `connect` make the sockets. Keeps one connection open: for one thread, one host."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """Called by the constructor, as requests allows for subclasses."""
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = _pools(self._connect)


class StayingSession(requests.Session):
    """Never follows, and so never reads, a redirect."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002
        """None: an answer that redirects is an answer."""
        return None


def open_socket(connection: HTTPConnection, address: str, port: int) -> socket.socket:
    """A socket to `address`, with the timeout and the options of `connection`. Raises OSError."""
    return create_connection(
        (address, port),
        connection.timeout,
        source_address=connection.source_address,
        socket_options=connection.socket_options,
    )


def shut_down(connection: HTTPConnection) -> None:
    """End a connection that another thread waits on, which then has an error."""
    if (its_socket := connection.sock) is None:
        return
    try:
        # Not SSLSocket's own, which takes the state of TLS away from under that thread.
        socket.socket.shutdown(its_socket, socket.SHUT_RDWR)
    except OSError as error:  # it ended by itself
        log.debug("the connection was gone already: %s", error)


def root_of(error: Exception) -> Exception:
    """The error of urllib3 inside one of requests, or else the error itself."""
    inner = error.args[0] if error.args else None
    inner = getattr(inner, "reason", None) or inner
    return inner if isinstance(inner, Exception) else error


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


def _pools(connect: Connect) -> dict[str, type[HTTPConnectionPool]]:
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
