"""Connections that are held without a request."""

from __future__ import annotations

import contextlib
import os
import signal
import time

import pytest
import requests

from bench.attacks.script import head
from tests.hostile.hands import (
    ANN,
    SECONDS,
    allow_descriptors,
    assert_honest_clients_are_answered,
    dial,
    held,
    worker_pid,
)
from tests.journeys.http import vanish
from tests.support import Bridge, eventually

HALF = b"GET /livez HTTP/1.1\r\nHost: bridge\r\nX-Slow: a"
CONNECTIONS = 2050  # more than a worker holds at a time


def test_half_heads_are_in_nobodys_way(bridge: Bridge) -> None:
    with held(bridge, 120, HALF):
        assert_honest_clients_are_answered(bridge)


def test_half_heads_from_the_clients_own_address_are_not_either(bridge: Bridge) -> None:
    with held(bridge, 120, HALF, source="127.0.0.1"):
        assert_honest_clients_are_answered(bridge)


def test_nor_is_half_a_second_head(bridge: Bridge) -> None:
    with held(bridge, 120, head("GET", "/livez")) as connections:
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.recv(4096)
                connection.sendall(HALF)
        assert_honest_clients_are_answered(bridge)


def test_nor_are_connections_that_say_nothing(bridge: Bridge) -> None:
    with held(bridge, 200, b""):
        assert_honest_clients_are_answered(bridge)


def test_nor_are_those_that_speak_tls(bridge: Bridge) -> None:
    hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(32)
    with held(bridge, 120, hello):
        assert_honest_clients_are_answered(bridge)


def test_a_newcomer_is_let_in_beside_more_idle_connections_than_there_is_room_for() -> None:
    allow_descriptors(2 * CONNECTIONS)
    with Bridge(MODE="sandbox") as crowded:
        crowded.wait_ready()
        with held(crowded, CONNECTIONS, head("GET", "/livez")):
            assert_honest_clients_are_answered(crowded, times=5)


def test_nor_do_those_keep_it_out_that_wait_for_their_turn_while_signal_cli_hangs() -> None:
    allow_descriptors(2 * CONNECTIONS)
    with Bridge(MODE="sandbox") as crowded:
        crowded.wait_ready()
        hung = crowded.child("signal_bridge.sandbox")
        hung.kill(signal.SIGSTOP)
        try:
            with held(crowded, CONNECTIONS, head("GET", f"/v1/groups/{ANN}")):
                for _ in range(15):
                    time.sleep(0.2)  # all of them come in, and the first are given up
                    answer = requests.get(f"{crowded.url}/livez", timeout=SECONDS)
                    assert answer.status_code == 200
        finally:
            hung.kill(signal.SIGCONT)


@pytest.mark.parametrize(
    "first",
    [
        b"",
        HALF,
        head("POST", "/v2/send", "Content-Type: application/json", "Content-Length: 5000") + b"{",
        head("GET", "/openapi.json"),
        head("GET", "/v1/receive/+12025550102", "Accept: text/event-stream"),
    ],
    ids=["nothing", "half a head", "half a body", "an answer", "a stream"],
)
def test_who_vanishes_leaves_no_connection_behind(bridge: Bridge, first: bytes) -> None:
    place = f"/proc/{worker_pid(bridge)}/fd"

    def connections() -> int:
        return sum(_is_socket(f"{place}/{name}") for name in os.listdir(place))

    assert_honest_clients_are_answered(bridge, times=1)
    before = connections()
    for _ in range(100):
        connection = dial(bridge)
        with contextlib.suppress(OSError):
            connection.sendall(first)
        vanish(connection)
    eventually(lambda: connections() <= before, 60, lambda: f"{connections()} of {before}")


def _is_socket(path: str) -> bool:
    try:
        return os.readlink(path).startswith("socket:")
    except OSError:
        return False
