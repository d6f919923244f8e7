"""What urllib3 and requests do not document and webhooks need all the same. All of it is here.

Read from urllib3 2.8.0 and requests 2.34.2. `tests/webhooks/test_urllib3_parts.py` fails when
another is installed, or when one of these has another shape: then read them again in the new one.

    HTTPConnection._new_conn              makes the socket: here to addresses that were checked
    HTTPConnection.send                   called for the head, then for the body: here once for both
    HTTPConnection.sock, .timeout …       of the socket that is made, and to end an attempt
    PoolManager.pool_classes_by_scheme    which classes of connections it makes
    HTTPAdapter.poolmanager               the one that an adapter of requests uses
    util.connection.create_connection     a socket with a connection's timeout and options
    HTTPConnection.response_class         reads an answer, from a file of the socket in `fp`:
                                          here from one that ends
    Session.get_redirect_target           asked, and the body read, though redirects are not allowed
    args[0] of an error of requests       urllib3's error, with the `reason` for giving up
"""

from __future__ import annotations

import http.client
import io
import logging
import socket
from collections.abc import Callable
from typing import Any, Final

import requests
import requests.adapters
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ProtocolError
from urllib3.util.connection import create_connection

log = logging.getLogger(__name__)

URLLIB3_READ_FROM: Final = "2.8.0"
REQUESTS_READ_FROM: Final = "2.34.2"

ANSWER_BYTES: Final = 64 * 1024
"""The most that is read of an answer, its head and what stands around its body included.

Heads of more than 16 KiB are refused by most of what lies between two programs, and of the body
little is wanted. Without an end, a receiver could have as many interim answers and fields read as
it can send while an attempt lasts.
"""

Connect = Callable[[HTTPConnection], socket.socket]


class AnswerTooLong(ProtocolError):
    """The receiver's answer goes on after ANSWER_BYTES."""

    def __init__(self) -> None:
        super().__init__("the answer is too long")


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


def open_socket(
    connection: HTTPConnection, address: str, port: int, most_seconds: float
) -> socket.socket:
    """A socket to `address`, with the options of `connection`. Raises OSError.

    Connecting to it takes as long as the connection's timeout says, and `most_seconds` at most.
    """
    timeout = connection.timeout
    return create_connection(
        (address, port),
        most_seconds if timeout is None else min(timeout, most_seconds),
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


class _Metered(io.RawIOBase):
    """What comes through a socket, as far as ANSWER_BYTES. Raises AnswerTooLong."""

    def __init__(self, inner: io.RawIOBase) -> None:
        self._inner = inner
        self._left = ANSWER_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._left <= 0:
            raise AnswerTooLong
        count: int | None = self._inner.readinto(memoryview(buffer)[: self._left])
        self._left -= count or 0
        return count

    def close(self) -> None:
        self._inner.close()
        super().close()


class _Answer(http.client.HTTPResponse):
    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.fp = io.BufferedReader(_Metered(self.fp.detach()))


class _Exchange(HTTPConnection):
    """Head and body of a request leave in one write: that is a quarter of a delivery's time.

    Requests here always have a body, so `send` is called twice for each. An answer has an end.
    """

    response_class = _Answer
    _head: bytes | None = None

    def send(self, data: Any) -> None:
        if self._head is None:
            self._head = data
            return
        head, self._head = self._head, None
        super().send(head + data)


def _pools(connect: Connect) -> dict[str, type[HTTPConnectionPool]]:
    """urllib3 makes connections by class, so how to connect becomes part of the classes."""

    class Plain(_Exchange, HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return connect(self)

    class Secure(_Exchange, HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return connect(self)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}
