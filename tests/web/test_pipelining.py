"""Requests that a client writes without waiting for answers (RFC 9112, 9.3.2)."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from http.client import HTTPResponse

import pytest

from tests.support import Bridge, eventually

ANN, BOB = "+12025550100", "+12025550101"
LIVE = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(scope="module")
def sandboxed() -> Iterator[Bridge]:
    with Bridge(MODE="sandbox") as served:
        yield served.wait_ready()


@pytest.fixture
def client(sandboxed: Bridge) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", sandboxed.port), timeout=30) as connection:
        yield connection


def send_request(text: str, chunked: bool = False) -> bytes:
    body = json.dumps({"number": ANN, "recipients": [BOB], "message": text}).encode()
    length = f"Content-Length: {len(body)}"
    if chunked:
        length, body = "Transfer-Encoding: chunked", b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    head = f"POST /v2/send HTTP/1.1\r\nHost: localhost\r\n{length}\r\n\r\n"
    return head.encode() + body


def statuses(connection: socket.socket, count: int) -> list[int]:
    """Of the next answers, which are read whole."""
    found = []
    for _ in range(count):
        answer = HTTPResponse(connection)
        # One buffer for all: each answer reads no further than its end.
        answer.fp = connection.makefile("rb", buffering=0)
        answer.begin()
        answer.read()
        found.append(answer.status)
    return found


@pytest.mark.parametrize("chunked", [False, True])
def test_sends_that_are_written_at_once_are_all_answered_in_order(
    client: socket.socket, sandboxed: Bridge, chunked: bool
) -> None:
    texts = [f"{chunked} {number}" for number in range(5)]
    client.sendall(b"".join(send_request(text, chunked) for text in texts))
    assert statuses(client, 5) == [201] * 5
    received: list[str] = []

    def all_there() -> bool:
        elements = sandboxed.get(f"/v1/receive/{BOB}?timeout=1").json()
        messages = ((one["envelope"].get("dataMessage") or {}).get("message") for one in elements)
        received.extend(message for message in messages if message in texts)
        return len(received) >= len(texts)

    eventually(all_there, 20, lambda: f"all of {texts} among {received}")
    assert received == texts


def test_each_gets_its_own_answer(client: socket.socket) -> None:
    client.sendall(LIVE + b"GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n" + LIVE)
    assert statuses(client, 3) == [200, 404, 200]


@pytest.mark.parametrize("cut", [1, 20, len(LIVE) - 1])
def test_a_request_of_which_a_part_came_with_the_last_is_answered_when_it_is_whole(
    client: socket.socket, cut: int
) -> None:
    client.sendall(LIVE + LIVE[:cut])
    assert statuses(client, 1) == [200]
    client.sendall(LIVE[cut:])
    assert statuses(client, 1) == [200]


def test_a_request_after_a_body_that_nobody_reads_is_answered(client: socket.socket) -> None:
    unread = b"GET /livez HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n\r\n" + b"x" * 5000
    client.sendall(unread + LIVE)
    assert statuses(client, 2) == [200, 200]


def test_what_is_no_request_ends_the_connection_and_not_the_one_before(
    client: socket.socket,
) -> None:
    client.sendall(LIVE + b"nonsense\r\n\r\n")
    assert statuses(client, 2) == [200, 400]
    assert client.recv(1) == b""


@pytest.mark.parametrize("trailer", [b"Transfer-Encoding: x", b"no field", b"a: b\r\n" * 300])
def test_a_trailer_that_cannot_be_read_is_the_clients_mistake(
    client: socket.socket, trailer: bytes
) -> None:
    whole = send_request("x", chunked=True)
    client.sendall(whole.replace(b"\r\n0\r\n\r\n", b"\r\n0\r\n" + trailer + b"\r\n\r\n"))
    assert statuses(client, 1) == [408]


@pytest.mark.parametrize(
    "body", [b"nonsense\r\n", b"-2\r\n{}\r\n", b"2\r\n{}nonsense\r\n", b"2\r\n{}\r\n0\r\nx\r\n\r\n"]
)
@pytest.mark.parametrize("request_line", [b"POST /v2/send", b"GET /livez"])
def test_nothing_is_read_after_a_body_of_which_nobody_knows_where_it_ends(
    client: socket.socket, request_line: bytes, body: bytes
) -> None:
    head = b" HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    client.sendall(request_line + head + body + LIVE)
    assert statuses(client, 1) in ([408], [200])
    assert client.recv(1) == b""


@pytest.mark.parametrize("endless", [b"2\r\n{}\r\n0\r\na: b\r\n", b"2;x=", b"1"])
def test_what_is_between_chunks_has_an_end(client: socket.socket, endless: bytes) -> None:
    head = b"POST /v2/send HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    client.sendall(head + endless + endless[-1:] * 65_537)
    assert statuses(client, 1) == [408]


def test_whoever_wants_no_more_gets_no_more(client: socket.socket) -> None:
    last = LIVE.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    client.sendall(LIVE + last + LIVE)
    assert statuses(client, 2) == [200, 200]
    assert client.recv(1) == b""
