"""What webhooks use of urllib3 and requests without their promise is still what it was."""

from __future__ import annotations

import http.client
import io
import socket
from collections.abc import Callable
from typing import Any

import pytest
import requests
import requests.adapters
import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util import connection as util_connection

from signal_bridge.delivery.webhooks.urllib3_parts import (
    REQUESTS_READ_FROM,
    URLLIB3_READ_FROM,
    ConnectingAdapter,
    StayingSession,
    open_socket,
    root_of,
    shut_down,
)
from tests.support.private_parts import PrivateParts
from tests.webhooks.receiver import Receiver, status

MODULE = "signal_bridge/delivery/webhooks/urllib3_parts.py"
URLLIB3 = PrivateParts("urllib3", URLLIB3_READ_FROM, MODULE)
REQUESTS = PrivateParts("requests", REQUESTS_READ_FROM, MODULE)


class Recording(socket.socket):
    """A socket that counts what is written to it."""

    writes: list[bytes]

    def sendall(self, data: Any, *_: Any) -> None:
        self.writes.append(bytes(data))
        super().sendall(data)


class Connecting:
    """Connects to the receiver, whatever the name; holds what it was asked for."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self.asked: list[HTTPConnection] = []
        self.sockets: list[Recording] = []

    def __call__(self, connection: HTTPConnection) -> socket.socket:
        self.asked.append(connection)
        plain = open_socket(connection, "127.0.0.1", self._receiver.port, 10)
        recording = Recording(fileno=plain.detach())
        recording.settimeout(10)
        recording.writes = []
        self.sockets.append(recording)
        return recording


@pytest.fixture
def connecting(receiver: Receiver) -> Connecting:
    return Connecting(receiver)


@pytest.fixture
def session(connecting: Connecting) -> requests.Session:
    session = StayingSession()
    session.trust_env = False
    for scheme in ("http://", "https://"):
        session.mount(scheme, ConnectingAdapter(connecting))
    return session


def refusing(error: Exception) -> Callable[[HTTPConnection], socket.socket]:
    def connect(_connection: HTTPConnection) -> socket.socket:
        raise error

    return connect


def test_the_versions_that_were_read_are_installed_and_pinned() -> None:
    URLLIB3.assert_version()
    REQUESTS.assert_version()


def test_what_is_called_or_replaced_takes_the_same() -> None:
    for connection in (HTTPConnection, HTTPSConnection):
        URLLIB3.assert_takes(connection, "_new_conn", "self")
        URLLIB3.assert_takes(connection, "send", "self", "data")
    URLLIB3.assert_takes(
        util_connection, "create_connection",
        "address", "timeout", "source_address", "socket_options",
    )  # fmt: skip
    REQUESTS.assert_takes(
        requests.adapters.HTTPAdapter, "init_poolmanager",
        "self", "connections", "maxsize", "block", "pool_kwargs",
    )  # fmt: skip
    REQUESTS.assert_takes(requests.Session, "get_redirect_target", "self", "resp")


def test_what_is_read_is_there() -> None:
    connection = HTTPConnection("bot.test", 80)
    URLLIB3.assert_has(connection, "sock", "timeout", "source_address", "socket_options")
    URLLIB3.assert_has(urllib3.PoolManager(), "pool_classes_by_scheme")
    URLLIB3.assert_has(urllib3.HTTPConnectionPool, "ConnectionCls")
    REQUESTS.assert_has(requests.adapters.HTTPAdapter(), "poolmanager")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_every_connection_is_made_here(
    scheme: str, session: requests.Session, connecting: Connecting
) -> None:
    try:
        session.post(f"{scheme}://bot.test/hook", data=b"{}", timeout=10)
    except requests.exceptions.SSLError:
        assert scheme == "https"  # the receiver speaks none
    hosts = [connection.host for connection in connecting.asked]
    URLLIB3.assert_that(hosts == ["bot.test"], f"an {scheme} connection is made by _new_conn")


def test_a_request_is_one_write(
    session: requests.Session, connecting: Connecting, receiver: Receiver
) -> None:
    for _ in range(2):
        assert session.post("http://bot.test/hook", data=b"body").status_code == 204
    [only] = connecting.sockets
    URLLIB3.assert_that(len(only.writes) == 2, "send is called for a head and then for its body")
    assert [post.body for post in receiver.posts] == [b"body", b"body"]


def test_no_redirect_is_looked_at(session: requests.Session, receiver: Receiver) -> None:
    receiver.answers.append(status(302, Location="http://other.test/"))
    answer = session.post("http://bot.test/hook", data=b"{}")
    REQUESTS.assert_that(answer.status_code == 302, "get_redirect_target decides on redirects")


def test_an_error_of_requests_holds_urllib3s() -> None:
    mine = urllib3.exceptions.NewConnectionError(HTTPConnection("bot.test"), "mine")
    session = requests.Session()
    session.mount("http://", ConnectingAdapter(refusing(mine)))
    with pytest.raises(requests.ConnectionError) as caught:
        session.post("http://bot.test/hook", data=b"{}")
    REQUESTS.assert_that(root_of(caught.value) is mine, "args[0] of its errors is urllib3's error")


def test_an_answer_is_read_from_a_file_that_can_be_replaced() -> None:
    reading, writing = socket.socketpair()
    with reading, writing:
        answer = HTTPConnection.response_class(reading)
        URLLIB3.assert_that(isinstance(answer, http.client.HTTPResponse), "as http.client has it")
        URLLIB3.assert_that(isinstance(answer.fp, io.BufferedReader), "fp has a raw file inside")
        answer.close()


@pytest.mark.parametrize("error", [ValueError(), ValueError("text"), OSError(5, "text")])
def test_an_error_without_another_is_its_own_root(error: Exception) -> None:
    assert root_of(error) is error


def test_a_connection_is_shut_down_once_there_is_one(receiver: Receiver) -> None:
    connection = HTTPConnection("127.0.0.1", receiver.port)
    shut_down(connection)
    connection.connect()
    shut_down(connection)
    URLLIB3.assert_that(connection.sock.recv(1) == b"", "sock is the socket of a connection")
    shut_down(connection)
    connection.close()
