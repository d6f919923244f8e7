"""What the soak calls flat, and how a crowd behaves."""

from __future__ import annotations

import socket
import threading

import pytest

from bench.attacks.crowd import Crowd, gathered
from bench.attacks.script import Script, always
from bench.soak import Held, Soak, problems_of
from tests.support import eventually

WORKER = ("worker", 0)
FIRST = Held(100.0, 50.0, 20, 30)


def soaked(*rests: Held, pids: frozenset[int] = frozenset({7})) -> Soak:
    soak = Soak()
    soak.rests[WORKER] += rests
    soak.pids[WORKER] |= pids
    return soak


def test_what_stays_within_a_tenth_is_flat() -> None:
    later = Held(109.0, 60.0, 20, 30)
    assert list(problems_of(soaked(FIRST, later, later, later))) == []


@pytest.mark.parametrize(
    ("later", "what"),
    [
        (Held(111.0, 50.0, 20, 30), "memory of worker: 100.0 MB -> 111.0 MB"),
        (Held(100.0, 50.0, 21, 30), "threads of worker: 20 -> 21"),
        (Held(100.0, 50.0, 20, 31), "descriptors of worker: 30 -> 31"),
    ],
)
def test_what_has_grown_is_named(later: Held, what: str) -> None:
    assert list(problems_of(soaked(FIRST, later, later))) == [what]


def test_one_look_that_falls_into_some_work_says_nothing() -> None:
    busy = Held(180.0, 90.0, 25, 40)
    assert list(problems_of(soaked(FIRST, FIRST, busy, FIRST))) == []


def test_a_process_that_was_replaced_is_not_flat() -> None:
    (problem,) = problems_of(soaked(FIRST, FIRST, pids=frozenset({7, 8})))
    assert problem == "worker was replaced: [7, 8]"


def test_a_crowd_that_is_cut_off_comes_back_and_leaves_nothing_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken: list[bytes] = []

        def take() -> None:
            for _ in range(6):
                connection, _address = server.accept()
                with connection:
                    taken.append(connection.recv(100))

        taking = threading.Thread(target=take)
        taking.start()
        script = Script(always(b"half"), rest_seconds=0.01)
        with gathered(Crowd(server.getsockname()[1], script, 2)) as crowd:
            eventually(lambda: crowd.cut >= 6)
        taking.join()
    assert set(taken) == {b"half"}
    assert crowd.held() == 0
