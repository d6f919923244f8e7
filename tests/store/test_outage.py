"""A database that is away: one asks now and then, the others are told at once."""

from __future__ import annotations

import pytest

from signal_bridge.errors import StoreUnavailable
from signal_bridge.store import outage as module
from signal_bridge.store.outage import Outage


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    clock = [1000.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: clock[0])
    return clock


def test_while_there_is_none_everybody_may_ask() -> None:
    outage = Outage()
    outage.check()
    outage.ended()
    outage.check()


def test_during_an_outage_everybody_is_told_why(clock: list[float]) -> None:
    outage = Outage()
    outage.began("no answer")
    for _ in range(5):
        with pytest.raises(StoreUnavailable, match="no answer"):
            outage.check()


def test_one_a_second_may_try(clock: list[float]) -> None:
    outage = Outage()
    outage.began("no answer")
    clock[0] += 1
    outage.check()
    with pytest.raises(StoreUnavailable):
        outage.check()
    clock[0] += 1
    outage.check()


def test_a_database_that_has_answered_lately_is_busy_and_not_away(clock: list[float]) -> None:
    outage = Outage()
    assert not outage.answered_within(2)
    outage.ended()
    clock[0] += 2
    assert outage.answered_within(2)
    clock[0] += 1
    assert not outage.answered_within(2)


def test_after_the_first_that_succeeds_everybody_may_ask_again(clock: list[float]) -> None:
    outage = Outage()
    outage.began("no answer")
    outage.ended()
    outage.check()
    outage.check()
