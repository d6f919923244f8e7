"""How signal-cli's process is, and whether it dies of one kind of call."""

from __future__ import annotations

import json
import logging
import os

import pytest

from signal_bridge.rpc.pending import InFlight
from signal_bridge.session import lives as module
from signal_bridge.session.lives import PROCESS, Deaths, Process, note_loss, process_on
from signal_bridge.store.engine import Store
from signal_bridge.store.status import StatusBoard

MINUTE_MS = 60_000
START_MS = 1_700_000_000_000


class Worker:
    """One process that leaves notes, of which there are several."""

    def __init__(self, board: StatusBoard, monkeypatch: pytest.MonkeyPatch) -> None:
        self._board = board
        self._monkeypatch = monkeypatch

    def loses(self, *calls: tuple[str, int], at_ms: int = START_MS, pid: int = 1) -> None:
        self._monkeypatch.setattr(module, "now_ms", lambda: at_ms)
        self._monkeypatch.setattr(os, "getpid", lambda: pid)
        note_loss(self._board, [InFlight(*call) for call in calls])


@pytest.fixture
def board(store: Store) -> StatusBoard:
    return StatusBoard(store)


@pytest.fixture
def worker(board: StatusBoard, monkeypatch: pytest.MonkeyPatch) -> Worker:
    return Worker(board, monkeypatch)


@pytest.fixture
def deaths(board: StatusBoard) -> Deaths:
    return Deaths(board)


def test_one_death_makes_nothing_suspect(
    worker: Worker, deaths: Deaths, caplog: pytest.LogCaptureFixture
) -> None:
    worker.loses(("send", 80), ("send", 4_000_000))
    assert deaths.learn(START_MS) == ""
    assert caplog.records == []


def test_workers_that_died_do_not_leave_ever_more_notes(worker: Worker, board: StatusBoard) -> None:
    for pid in range(1, 200):
        worker.loses(("send", 80), pid=pid)
    assert len(board.all()) == 64


def test_what_was_in_flight_at_two_deaths_within_an_hour_is_named_with_its_sizes(
    worker: Worker, deaths: Deaths, caplog: pytest.LogCaptureFixture
) -> None:
    worker.loses(("send", 80), ("send", 4_000_000), ("listGroups", 70))
    deaths.learn(START_MS)
    later = START_MS + 10 * MINUTE_MS
    worker.loses(("send", 3_000_000), ("getAvatar", 90), at_ms=later + 200)
    sentence = (
        "send was in flight at 2 of 2 deaths of signal-cli within an hour, and may be what it "
        "dies of: at 22:13:20 UTC (4000000 bytes), 22:23:20 UTC (3000000 bytes)"
    )
    assert deaths.learn(later) == sentence
    assert [(one.levelno, one.message) for one in caplog.records] == [(logging.WARNING, sentence)]


def test_it_is_logged_once_an_hour_and_told_as_long_as_it_goes_on(
    worker: Worker, deaths: Deaths, caplog: pytest.LogCaptureFixture
) -> None:
    for minutes in range(0, 60, 5):
        at_ms = START_MS + minutes * MINUTE_MS
        worker.loses(("send", 100), at_ms=at_ms)
        assert bool(deaths.learn(at_ms)) == (minutes > 0)
    assert len(caplog.records) == 1


def test_two_deaths_an_hour_apart_have_nothing_to_do_with_each_other(
    worker: Worker, deaths: Deaths
) -> None:
    worker.loses(("send", 100))
    deaths.learn(START_MS)
    worker.loses(("send", 100), at_ms=START_MS + 60 * MINUTE_MS)
    assert deaths.learn(START_MS + 60 * MINUTE_MS) == ""


def test_what_several_workers_had_in_flight_is_one_death(worker: Worker, deaths: Deaths) -> None:
    worker.loses(("send", 100), pid=1)
    worker.loses(("send", 200), pid=2)
    assert deaths.learn(START_MS) == ""
    worker.loses(("send", 300), at_ms=START_MS + MINUTE_MS, pid=2)
    assert "22:13:20 UTC (200 bytes), 22:14:20 UTC (300 bytes)" in deaths.learn(
        START_MS + MINUTE_MS
    )


def test_a_connection_that_was_lost_otherwise_is_no_death(worker: Worker, deaths: Deaths) -> None:
    worker.loses(("send", 100))
    deaths.learn(START_MS)
    worker.loses(("send", 100), at_ms=START_MS + 5 * MINUTE_MS)
    assert deaths.learn(START_MS + 10 * MINUTE_MS) == ""


def test_nothing_that_a_caller_has_written_is_kept_but_names_of_methods(
    worker: Worker, board: StatusBoard, deaths: Deaths
) -> None:
    """The raw dialect takes any text for a method."""
    for at_ms in (START_MS, START_MS + MINUTE_MS):
        worker.loses(("+4915112345", 100), ("x" * 1000, 99), ("secret text", 98), at_ms=at_ms)
        (note,) = board.all().values()
        assert json.loads(note.detail) == {"at": at_ms, "sizes": {"(no method)": 100}}
        told = deaths.learn(at_ms)
    assert told.startswith("(no method) was in flight at 2 of 2 deaths")


def test_a_note_names_a_few_methods_the_largest_first_and_not_the_probe(
    worker: Worker, board: StatusBoard
) -> None:
    worker.loses(("version", 60))
    assert board.all() == {}
    worker.loses(*(("m" * (n + 1), n) for n in range(50)), ("version", 100))
    (note,) = board.all().values()
    sizes = json.loads(note.detail)["sizes"]
    assert sizes == {"m" * (n + 1): n for n in range(42, 50)}


def test_notes_do_not_pile_up(worker: Worker, board: StatusBoard, deaths: Deaths) -> None:
    for pid in range(20):
        worker.loses(("send", 100), pid=pid)
        worker.loses(("send", 100), pid=pid)
    assert len(board.all()) == 20
    deaths.learn(START_MS)
    assert board.all() == {}


def test_a_store_that_is_away_is_no_trouble_of_callers(
    board: StatusBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise module.StoreError("it is away")

    monkeypatch.setattr(board, "put", fail)
    note_loss(board, [InFlight("send", 100)])


def test_a_process_is_on_the_board_as_it_was_seen(board: StatusBoard) -> None:
    seen = Process(
        pid=7, memory_bytes=5, restarts=1, last_exit_ms=3, last_exit="exited", suspicion=""
    )
    board.put(PROCESS, "seen", seen.as_text())
    assert process_on(board.all()) == seen


def test_of_one_that_was_not_seen_lately_nobody_knows_how_large_it_is(board: StatusBoard) -> None:
    assert process_on({}) == Process()
    board.put(PROCESS, "seen", Process(pid=7, memory_bytes=5, restarts=1).as_text())
    (found,) = board.all().values()
    old = {PROCESS: module.dataclasses.replace(found, beat_ms=found.beat_ms - MINUTE_MS)}
    assert process_on(old) == Process(restarts=1)
