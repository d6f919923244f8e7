"""The status board, as the daemon writes it and the web workers read it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import pytest

from signal_bridge.errors import StoreUnavailable
from signal_bridge.store import status
from signal_bridge.store.engine import Store
from signal_bridge.store.status import BEAT_SECONDS, Status, StatusBoard

BEAT_MS = int(BEAT_SECONDS * 1000)


class Clock:
    """The wall clock of the board, moved by hand."""

    now_ms = 1_700_000_000_000

    def __call__(self) -> int:
        return self.now_ms

    def forward(self, ms: int) -> None:
        self.now_ms += ms


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(status, "now_ms", clock)
    return clock


@pytest.fixture
def board(store: Store) -> StatusBoard:
    return StatusBoard(store)


def test_what_is_put_is_read_by_everybody(board: StatusBoard, store: Store, clock: Clock) -> None:
    board.put("signal-cli", "running", "running with pid 7")
    now = clock.now_ms
    assert StatusBoard(store).all() == {
        "signal-cli": Status("signal-cli", "running", "running with pid 7", now, now)
    }


def test_an_empty_board_is_empty(board: StatusBoard) -> None:
    assert board.all() == {}


def test_since_stays_while_the_state_stays(board: StatusBoard, clock: Clock) -> None:
    began = clock.now_ms
    board.put("signal-cli", "down", "starting")
    clock.forward(10)
    board.put("signal-cli", "down", "backing off")
    found = board.all()["signal-cli"]
    assert (found.detail, found.since_ms, found.beat_ms) == ("backing off", began, began + 10)


def test_since_begins_anew_with_another_state(board: StatusBoard, clock: Clock) -> None:
    board.put("signal-cli", "down", "starting")
    clock.forward(7000)
    board.put("signal-cli", "running", "running")
    found = board.all()["signal-cli"]
    assert found.since_ms == clock.now_ms
    clock.forward(3000)
    assert found.lasted_seconds() == 3


def test_the_same_again_is_written_only_as_a_sign_of_life(board: StatusBoard, clock: Clock) -> None:
    began = clock.now_ms
    board.put("receive", "running", "ok")
    clock.forward(BEAT_MS - 1)
    board.put("receive", "running", "ok")
    assert board.all()["receive"].beat_ms == began
    clock.forward(1)
    board.put("receive", "running", "ok")
    found = board.all()["receive"]
    assert (found.since_ms, found.beat_ms) == (began, began + BEAT_MS)


def test_the_age_is_the_time_since_the_last_sign_of_life(board: StatusBoard, clock: Clock) -> None:
    board.put("receive", "running", "ok")
    clock.forward(2500)
    assert board.all()["receive"].age_seconds() == 2.5
    clock.forward(-10_000)  # a wall clock may be set back
    assert board.all()["receive"].age_seconds() == 0
    assert board.all()["receive"].lasted_seconds() == 0


def test_parts_do_not_disturb_each_other(board: StatusBoard, clock: Clock) -> None:
    board.put("web", "running")
    clock.forward(5)
    board.put("receive", "down", "no")
    assert board.all()["web"].since_ms == clock.now_ms - 5
    assert board.all()["web"].detail == ""


def test_a_board_that_was_forgotten_is_empty_and_written_anew(
    board: StatusBoard, clock: Clock
) -> None:
    board.put("receive", "running", "ok")
    clock.forward(1)
    board.forget()
    assert board.all() == {}
    board.put("receive", "running", "ok")
    assert board.all()["receive"].since_ms == clock.now_ms


def test_what_could_not_be_written_is_written_the_next_time(
    board: StatusBoard, store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> AbstractContextManager[Any]:
        raise StoreUnavailable("locked")

    with monkeypatch.context() as patch:
        patch.setattr(store, "write", fail)
        with pytest.raises(StoreUnavailable):
            board.put("signal-cli", "running", "ok")
    board.put("signal-cli", "running", "ok")
    assert board.all()["signal-cli"].state == "running"
