"""Clients that send their bodies, or read their answers, as slowly as they can."""

from __future__ import annotations

import contextlib
import time

import pytest

from bench.attacks.script import head, part
from tests.hostile.hands import (
    ANN,
    FORM,
    JSON,
    assert_honest_clients_are_answered,
    dial,
    drip,
    held,
    is_cut,
)
from tests.support import Bridge, eventually

LENGTH = "Content-Length: 100000"
CHUNKED = "Transfer-Encoding: chunked"
LARGE_ANSWER_BYTES = 30_000_000

BODIES = {
    "of a length": (head("POST", "/v2/send", JSON, LENGTH) + b"{", b" "),
    "in chunks": (head("POST", "/v2/send", JSON, CHUNKED) + b"1\r\n{\r\n", b"1\r\n \r\n"),
    "in a chunk's extension": (head("POST", "/v2/send", JSON, CHUNKED) + b"5;x=", b"a"),
    "in trailers": (head("POST", "/v2/send", JSON, CHUNKED) + b"2\r\n{}\r\n0\r\n", b"A: b\r\n"),
    "of a form": (head("POST", "/v2/send", FORM, LENGTH) + part("attachment", b"z", "f"), b"z"),
    "of a PUT": (head("PUT", f"/v1/profiles/{ANN}", JSON, LENGTH) + b"{", b" "),
    "of a DELETE": (head("DELETE", f"/v1/reactions/{ANN}", JSON, LENGTH) + b"{", b" "),
    "of a GET": (head("GET", "/v1/about", LENGTH), b" "),
    "of a probe": (head("GET", "/livez", LENGTH), b" "),
    "of signal-cli's dialect": (head("POST", "/api/v1/rpc", JSON, LENGTH) + b"{", b" "),
    "of no route": (head("POST", "/nowhere", LENGTH), b" "),
    "that is waited for": (head("POST", "/v2/send", JSON, LENGTH, "Expect: 100-continue"), b""),
}
ENDLESS = BODIES | {
    "half a head": (b"GET /livez HTTP/1.1\r\nHost: bridge\r\nX-Slow: a", b""),
    "a head that drips": (b"GET /livez HTTP/1.1\r\nHost: bridge\r\nX-Slow: a", b"a"),
    "half a second head": (head("GET", "/livez") + b"GET /livez HTTP/1.1\r\nHost: br", b""),
    "nothing": (b"", b""),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(32), b"\0"),
}


@pytest.mark.parametrize("kind", BODIES)
def test_slow_bodies_are_in_nobodys_way(bridge: Bridge, kind: str) -> None:
    first, rest = BODIES[kind]
    with held(bridge, 200, first) as connections:
        drip(connections, rest, times=2, pause_seconds=0.1)
        assert_honest_clients_are_answered(bridge, times=7)


def test_whatever_has_no_end_is_cut_off(bridge: Bridge) -> None:
    with contextlib.ExitStack() as stack:
        slow = {name: stack.enter_context(dial(bridge)) for name in ENDLESS}
        for name, connection in slow.items():
            connection.sendall(ENDLESS[name][0])
        left = set(slow)

        def all_cut() -> bool:
            left.difference_update([name for name in left if is_cut(slow[name], ENDLESS[name][1])])
            time.sleep(0.2)
            return not left

        eventually(all_cut, 60, lambda: f"these are cut off: {left}")


def test_a_body_that_pauses_for_a_moment_is_taken(bridge: Bridge) -> None:
    body = b'{"number":"%s","recipients":["%s"],"message":"slow but whole"}'
    body %= ANN.encode(), ANN.encode()
    with dial(bridge, source="127.0.0.1") as connection:
        connection.sendall(head("POST", "/v2/send", JSON, f"Content-Length: {len(body)}"))
        drip([connection], body[:1], times=1, pause_seconds=1.5)
        connection.sendall(body[1:])
        assert connection.recv(4096).startswith(b"HTTP/1.1 201 ")


@pytest.fixture
def large(bridge: Bridge) -> str:
    """The path of an answer that fits in no buffer of the kernel's."""
    place = bridge.config_dir / "attachments"
    place.mkdir(exist_ok=True)
    with (place / "large.bin").open("wb") as file:
        file.truncate(LARGE_ANSWER_BYTES)
    return "/v1/attachments/large.bin"


def test_those_who_read_nothing_of_a_large_answer_are_in_nobodys_way(
    bridge: Bridge, large: str
) -> None:
    with held(bridge, 100, head("GET", large), receive_buffer=2048):
        assert_honest_clients_are_answered(bridge)


def test_nor_are_those_who_want_many_answers_and_read_none(bridge: Bridge) -> None:
    with held(bridge, 100, head("GET", "/openapi.json") * 20, receive_buffer=2048):
        assert_honest_clients_are_answered(bridge)


def test_a_reader_that_is_slow_and_reads_gets_all_of_it(bridge: Bridge, large: str) -> None:
    with dial(bridge, source="127.0.0.1") as connection:
        connection.sendall(head("GET", large, "Connection: close"))
        drip([connection], b"", times=3, pause_seconds=0.5)
        got = 0
        with contextlib.suppress(ConnectionResetError):
            while data := connection.recv(2**20):
                got += len(data)
        assert got > LARGE_ANSWER_BYTES
