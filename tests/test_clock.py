"""Deadlines, pauses and back-off."""

from __future__ import annotations

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signal_bridge.clock import Deadline, backoff_seconds, now_ms, pause


def test_a_deadline_counts_down_and_never_below_zero() -> None:
    assert 9 < Deadline(10).remaining_seconds() <= 10
    assert not Deadline(10).expired()
    assert Deadline(0).remaining_seconds() == 0
    assert Deadline(-5).remaining_seconds() == 0
    assert Deadline(0).expired()


def test_a_shorter_deadline_ends_no_later_than_the_one_it_is_cut_from() -> None:
    assert Deadline(5).at_most(60).remaining_seconds() <= 5
    assert Deadline(60).at_most(5).remaining_seconds() <= 5
    assert Deadline(0).at_most(5).expired()


def test_a_deadline_is_deaf_to_the_wall_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    deadline = Deadline(60)
    monkeypatch.setattr(time, "time", lambda: 0.0)
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    assert 50 < deadline.remaining_seconds() <= 60


def test_a_stop_ends_a_pause() -> None:
    stop = threading.Event()
    assert pause(0, stop) is False
    waiting = threading.Thread(target=pause, args=(3600, stop), daemon=True)
    waiting.start()
    stop.set()
    waiting.join(timeout=10)
    assert not waiting.is_alive()
    assert pause(3600, stop) is True


def test_back_off_doubles_up_to_its_cap() -> None:
    waits = [backoff_seconds(attempt, 0.5, 10, jitter=1.0) for attempt in range(1, 8)]
    assert waits == [0.5, 1, 2, 4, 8, 10, 10]


@pytest.mark.parametrize("attempt", [-1, 0, 1])
def test_the_first_back_off_is_the_shortest(attempt: int) -> None:
    assert backoff_seconds(attempt, 0.5, 10, jitter=1.0) == 0.5


@given(
    st.integers(-10, 10**9), st.floats(0.001, 100), st.floats(0.001, 1000),
    st.none() | st.floats(0, 1, exclude_max=True),
)  # fmt: skip
def test_back_off_takes_between_half_and_all_of_its_time(
    attempt: int, first: float, cap: float, jitter: float | None
) -> None:
    assert min(first, cap) / 2 <= backoff_seconds(attempt, first, cap, jitter) <= cap


def test_many_who_fail_together_come_back_apart() -> None:
    assert len({backoff_seconds(5, 1, 60) for _ in range(20)}) > 10


def test_timestamps_are_milliseconds() -> None:
    assert isinstance(now_ms(), int)
    assert 1_600_000_000_000 < now_ms() < 10_000_000_000_000
