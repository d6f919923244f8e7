"""Large bodies are read one at a time, and few are in memory together."""

from __future__ import annotations

import threading
from contextlib import ExitStack

import pytest
from flask import Flask, Response, g

from signal_bridge.errors import Busy, BusyForClient
from signal_bridge.web.edge import largebodies
from signal_bridge.web.edge.largebodies import LargeBodies, into_memory

MIB = 2**20


def end(app: Flask) -> None:
    """The request is answered."""
    g.request_id, g.began = "the-id", 0.0
    app.process_response(Response())


def test_what_is_held_together_has_a_bound_until_it_is_given_back() -> None:
    room = LargeBodies(most_held_bytes=10)
    room.hold("one", 5)
    room.hold("two", 4)
    with pytest.raises(Busy) as refused:
        room.hold("three", 2)
    assert type(refused.value) is Busy
    room.give_back("two", 4)
    room.hold("three", 5)


def test_one_client_holds_half_of_it_at_most() -> None:
    room = LargeBodies(most_held_bytes=10)
    room.hold("one", 3)
    with pytest.raises(BusyForClient):
        room.hold("one", 3)
    room.hold("another", 5)
    room.give_back("one", 3)
    room.hold("one", 5)


def test_one_reads_and_another_waits_for_it() -> None:
    room = LargeBodies()
    order: list[str] = []
    began = threading.Event()

    def second() -> None:
        began.set()
        with room.reading():
            order.append("second")

    with room.reading():
        other = threading.Thread(target=second, name="second")
        other.start()
        began.wait(10)
        order.append("first")
    other.join(10)
    assert order == ["first", "second"]


def test_a_part_of_what_is_read_waits_for_nobody() -> None:
    room = LargeBodies(most_waiting=0, wait_seconds=0)
    with room.reading(), room.reading():
        pass
    with room.reading():
        pass


@pytest.mark.parametrize(("most_waiting", "wait_seconds"), [(0, 60), (1, 0.01)])
def test_who_cannot_wait_or_has_waited_long_is_told_so(
    most_waiting: int, wait_seconds: float
) -> None:
    room = LargeBodies(most_waiting=most_waiting, wait_seconds=wait_seconds)
    errors: list[Busy] = []

    def other() -> None:
        try:
            with room.reading():
                pass
        except Busy as error:
            errors.append(error)

    with room.reading():
        thread = threading.Thread(target=other, name="other")
        thread.start()
        thread.join(10)
    assert [error.retryable for error in errors] == [True]
    with room.reading():
        pass


def test_a_request_gives_back_what_it_held_when_it_is_answered(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(largebodies, "_of_this_process", LargeBodies(most_held_bytes=6 * MIB))
    for _ in range(3):
        with app.test_request_context("/"), ExitStack() as small:
            for _ in range(1000):
                small.enter_context(into_memory(64 * 1024))
            with into_memory(2 * MIB):
                pass
            with pytest.raises(BusyForClient), into_memory(2 * MIB):
                pass
            end(app)


def test_structure_costs_more_than_text(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(largebodies, "_of_this_process", LargeBodies(most_held_bytes=6 * MIB))
    with app.test_request_context("/"):
        with into_memory(MIB):
            pass
        with pytest.raises(BusyForClient), into_memory(MIB, 200_000):
            pass
        end(app)
