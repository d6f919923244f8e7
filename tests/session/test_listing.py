"""Which accounts signal-cli lists: many who ask at once ask once."""

from __future__ import annotations

import threading
from typing import Any, cast

import pytest

from signal_bridge.errors import BridgeError, DaemonUnavailable, RequestError
from signal_bridge.session.gateway import Gateway
from signal_bridge.session.listing import Listing
from tests.rpc.far_end import InThread
from tests.support import eventually

ONE = [{"number": "+491"}]
BOTH = [{"number": "+491"}, {"number": "+492"}]


class Answers:
    """A gateway that gives each answer in turn, once it may."""

    def __init__(self, *answers: Any) -> None:
        self.left = list(answers)
        self.calls = 0
        self.may_answer = threading.Event()
        self.may_answer.set()

    def run(self, _call: object) -> Any:
        self.calls += 1
        answer = self.left.pop(0)
        assert self.may_answer.wait(10)
        if isinstance(answer, BridgeError):
            raise answer
        return answer


class CountedLock:
    """A lock that knows how many have come to it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.came: list[int] = []

    def acquire(self, timeout: float) -> bool:
        self.came.append(1)
        return self.lock.acquire(timeout=timeout)

    def release(self) -> None:
        self.lock.release()


def listing_of(answers: Answers, wait_seconds: float = 10) -> Listing:
    return Listing(cast(Gateway, answers), wait_seconds)


def test_each_who_asks_alone_is_told_what_is_there_by_now() -> None:
    listing = listing_of(Answers(ONE, BOTH))
    assert listing.numbers() == ["+491"]
    assert listing.numbers() == ["+491", "+492"]


def test_those_who_come_while_somebody_asks_share_the_next_call() -> None:
    answers = Answers(ONE, BOTH)
    answers.may_answer.clear()
    listing = listing_of(answers)
    lock = CountedLock()
    listing._asking = cast(Any, lock)
    first = InThread(listing.numbers)
    eventually(lambda: answers.calls == 1)
    others = [InThread(listing.numbers) for _ in range(20)]
    eventually(lambda: len(lock.came) == 21)
    answers.may_answer.set()
    assert first.result() == ["+491"]
    assert [other.result() for other in others] == [["+491", "+492"]] * 20
    assert answers.calls == 2


def test_a_signal_cli_that_cannot_be_asked_says_nothing() -> None:
    listing = listing_of(Answers(ONE, DaemonUnavailable("it is down"), ONE))
    assert listing.numbers() == ["+491"]
    assert listing.numbers() is None
    assert listing.numbers() == ["+491"]


def test_an_answer_that_is_no_list_is_an_error_and_leaves_nothing_behind() -> None:
    listing = listing_of(Answers(ONE, 7))
    assert listing.numbers()
    with pytest.raises(RequestError):
        listing.numbers()
    assert listing._listed is None


def test_nobody_waits_for_ever_behind_somebody_whose_call_hangs() -> None:
    answers = Answers(ONE)
    answers.may_answer.clear()
    listing = listing_of(answers, wait_seconds=0.05)
    first = InThread(listing.numbers)
    eventually(lambda: answers.calls == 1)
    assert listing.numbers() is None
    answers.may_answer.set()
    assert first.result() == ["+491"]
