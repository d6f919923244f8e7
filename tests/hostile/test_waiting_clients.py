"""One client takes every stream and poll it can get; another gets its own."""

from __future__ import annotations

import pytest

from bench.attacks.script import head
from tests.hostile.hands import (
    CAROL,
    EVENTS,
    WEBSOCKET,
    assert_honest_clients_are_answered,
    dial,
    first_status,
    held,
    statuses,
)
from tests.support import Bridge

PATH = f"/v1/receive/{CAROL}?backlog=false"
KINDS = {
    "server-sent events": (head("GET", PATH, *EVENTS), 200),
    "WebSockets": (head("GET", PATH, *WEBSOCKET), 101),
    "signal-cli's events": (head("GET", "/api/v1/events"), 200),
}
POLLS = {
    "of a number": head("GET", f"/v1/receive/{CAROL}?timeout=300"),
    "of the feed": head("GET", "/v1/events?timeout=300"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_client_that_takes_all_it_gets_leaves_one_for_another(kind: str) -> None:
    opening, accepted = KINDS[kind]
    with Bridge(MODE="sandbox") as fresh:
        fresh.wait_ready()
        with held(fresh, 100, opening) as greedy:
            answers = [connection.recv(65536) for connection in greedy]
            taken = [answer for answer in answers if statuses(answer) == [accepted]]
            refused = [answer for answer in answers if statuses(answer) == [429]]
            assert len(taken) + len(refused) == len(answers)
            assert taken
            assert refused
            assert all(b"\r\nretry-after: " in answer.lower() for answer in refused)
            with dial(fresh, source="127.0.0.1") as other:
                other.sendall(opening)
                assert first_status(other) == accepted
            assert_honest_clients_are_answered(fresh, times=5)


@pytest.mark.parametrize("kind", POLLS)
def test_long_polls_are_in_nobodys_way(bridge: Bridge, kind: str) -> None:
    with held(bridge, 200, POLLS[kind]):
        assert_honest_clients_are_answered(bridge)
        with dial(bridge, source="127.0.0.1") as other:
            other.sendall(head("GET", f"/v1/receive/{CAROL}?timeout=1"))
            assert first_status(other) == 200


@pytest.mark.parametrize("kind", KINDS)
def test_streams_that_nobody_reads_hold_up_no_sends(bridge: Bridge, kind: str) -> None:
    opening, _accepted = KINDS[kind]
    text = {"number": CAROL, "recipients": [CAROL], "message": "x" * 60_000}
    with held(bridge, 70, opening, receive_buffer=2048):
        for _ in range(20):
            assert bridge.post("/v2/send", json=text).status_code == 201
        assert_honest_clients_are_answered(bridge, times=5)
