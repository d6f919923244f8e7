"""Whose turn is next."""

from __future__ import annotations

import pytest

from signal_bridge.delivery.webhooks.fairqueue import FairQueue


def test_those_of_one_origin_leave_in_their_order() -> None:
    queue: FairQueue[str] = FairQueue()
    for number, item in enumerate("abcd"):
        queue.push("one", number, item)
    assert [queue.pop() for _ in range(4)] == list("abcd")


def test_origins_take_turns() -> None:
    queue: FairQueue[str] = FairQueue()
    for number, item in enumerate(["a1", "a2", "a3", "a4", "b1", "c1", "b2"]):
        queue.push(item[0], number, item)
    assert [queue.pop() for _ in range(7)] == ["a1", "b1", "c1", "a2", "b2", "a3", "a4"]


def test_it_says_how_many_there_are_and_the_number_of_the_next() -> None:
    queue: FairQueue[str] = FairQueue()
    assert not queue
    queue.push("a", 5, "first")
    queue.push("a", 6, "second")
    queue.push("b", 7, "third")
    assert (len(queue), queue.first_number) == (3, 5)
    queue.pop()
    assert (len(queue), queue.first_number) == (2, 7)


def test_an_empty_one_gives_nothing() -> None:
    queue: FairQueue[str] = FairQueue()
    with pytest.raises(KeyError):
        queue.pop()
    with pytest.raises(IndexError):
        _ = queue.first_number
