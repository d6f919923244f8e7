"""A run of retention: others get in between, and what interrupts it is made good by the next."""

from __future__ import annotations

import contextlib
import itertools
import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from signal_bridge.clock import now_ms
from signal_bridge.errors import StoreError, StoreUnavailable
from signal_bridge.feed import clockwatch, removal, retention
from signal_bridge.feed.clockwatch import Clocks, ClockWatch
from signal_bridge.feed.cursors import Cursors, consumer_name
from signal_bridge.feed.feed import Feed
from signal_bridge.feed.retention import Retention
from signal_bridge.settings import Settings
from signal_bridge.store.engine import Store
from signal_bridge.store.tables import events
from tests.feed.retained import (
    DAY_MS,
    SIZE,
    counts,
    fill,
    park,
    parked_seqs,
    reports,
    seqs,
    settings_of,
    summed,
    totals,
)
from tests.support import eventually

BATCH = 50
MINUTE_MS = 60_000


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removal, "MOST_EVENTS", BATCH)
    monkeypatch.setattr(retention, "next_batch", lambda _events, _seconds: BATCH)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_of(tmp_path)


@pytest.fixture
def keeping(settings: Settings, store: Store) -> Retention:
    return Retention(settings, store, Feed(store))


def after_batches(
    keeping: Retention, monkeypatch: pytest.MonkeyPatch, count: int, work: Callable[[], object]
) -> None:
    """Do `work` after batch number `count`, before it is known to be over."""
    remove, numbers = keeping._removal.remove, itertools.count(1)

    def remove_and_then(through: int) -> int:
        removed = remove(through)
        if next(numbers) == count:
            work()
        return removed

    monkeypatch.setattr(keeping._removal, "remove", remove_and_then)


# -- in the middle of a run --------------------------------------------------------------------


def test_a_run_that_is_stopped_ends_after_its_batch_and_the_next_tells_all(
    keeping: Retention, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    added = fill(store, 5 * BATCH, age_days=40)
    stop = threading.Event()
    after_batches(keeping, monkeypatch, 2, stop.set)
    keeping.prune_events(stop)
    assert seqs(store) == added[2 * BATCH :]
    assert reports(store) == []
    assert totals(store) == summed(store)
    keeping.prune_events()
    assert seqs(store) == []
    assert [counts(one)[0] for one in reports(store)] == [5 * BATCH]


def test_after_a_crash_between_two_batches_the_next_run_tells_of_both(
    keeping: Retention, store: Store, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    added = fill(store, 3 * BATCH, age_days=40)
    park(store, added[0])
    park(store, added[-1])

    def crash() -> None:
        raise RuntimeError("power cut")

    after_batches(keeping, monkeypatch, 1, crash)
    with pytest.raises(RuntimeError, match="power cut"):
        keeping.prune_events()
    assert (seqs(store), parked_seqs(store)) == (added[BATCH:], [added[-1]])
    Retention(settings, store, Feed(store)).prune_events()
    assert [counts(one) for one in reports(store)] == [(3 * BATCH, 3 * BATCH, 2)]


def test_after_a_crash_at_the_end_of_a_run_the_next_tells_what_went(
    keeping: Retention, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store, BATCH, age_days=40)

    def crash() -> None:
        raise RuntimeError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr(keeping._removal, "tell", crash)
        with pytest.raises(RuntimeError):
            keeping.prune_events()
    assert (seqs(store), reports(store)) == ([], [])
    keeping.prune_events()
    assert [counts(one)[0] for one in reports(store)] == [BATCH]


def test_a_batch_that_fails_half_way_changes_nothing(
    keeping: Retention, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    added = fill(store, BATCH, age_days=40)
    park(store, added[0])

    def fail(*_: object) -> None:
        raise RuntimeError("half way")

    with monkeypatch.context() as patch:
        patch.setattr(removal, "_lower_totals", fail)
        with pytest.raises(RuntimeError):
            keeping.prune_events()
    assert (seqs(store), parked_seqs(store)) == (added, [added[0]])
    keeping.prune_events()
    assert [counts(one) for one in reports(store)] == [(BATCH, BATCH, 1)]


def test_a_report_that_cannot_be_told_is_told_by_the_next_run(
    keeping: Retention, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store, BATCH, age_days=40)

    def fail(*_: object) -> None:
        raise StoreUnavailable("away")

    with monkeypatch.context() as patch:
        patch.setattr(keeping._feed, "tell", fail)
        with pytest.raises(StoreUnavailable):
            keeping.prune_events()
    keeping.prune_events()
    assert [counts(one)[0] for one in reports(store)] == [BATCH]


def test_another_writer_gets_in_between_the_batches(
    keeping: Retention, store: Store, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store, 20 * BATCH, age_days=40)
    other, written_during = Store(database_url), []
    cursors, feed = Cursors(other), Feed(other)

    def write() -> None:
        """By a thread that is waited for: between two batches nothing is locked."""
        number = len(written_during) + 1
        cursors.move(consumer_name("another"), number)
        written_during.append(fill(other, 1))

    for batch in (1, 5, 9):
        after_batches(keeping, monkeypatch, batch, lambda: in_a_thread(write))
    keeping.prune_events()
    assert seqs(store) == [seq for added in written_during for seq in added]
    assert cursors.position(consumer_name("another")) == 3
    assert feed.newest_seq() > written_during[-1][0]
    other.close()


def in_a_thread(work: Callable[[], object]) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join(20)
    assert not thread.is_alive()


def test_a_run_ends_however_much_comes_meanwhile(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store, 3 * BATCH)
    keeping = Retention(settings_of(tmp_path, bytes=BATCH * SIZE), store, Feed(store))
    after = keeping._removal.remove

    def remove_while_others_write(through: int) -> int:
        fill(store, 2)
        return after(through)

    monkeypatch.setattr(keeping._removal, "remove", remove_while_others_write)
    keeping.prune_events()
    assert [counts(one)[0] for one in reports(store)] == [2 * BATCH + 4]


def test_many_others_write_all_the_time_and_everything_comes_true(
    keeping: Retention, store: Store, database_url: str
) -> None:
    fill(store, 20 * BATCH, age_days=40)
    stop, trouble = threading.Event(), []

    def write(number: int) -> None:
        other = Store(database_url)
        cursors = Cursors(other)
        try:
            for position in itertools.count(1):
                if stop.is_set():
                    return
                fill(other, 1)
                cursors.move(consumer_name(str(number)), position)
        except StoreError as error:
            trouble.append(error)
        finally:
            other.close()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    keeping.prune_events()
    stop.set()
    for thread in threads:
        thread.join(20)
    assert trouble == []
    assert counts(reports(store)[0])[0] == 20 * BATCH
    assert totals(store) == summed(store)


def test_a_database_that_is_locked_is_told_and_the_next_run_goes_on(
    keeping: Retention, store: Store, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store, 2 * BATCH, age_days=40)
    monkeypatch.setattr("signal_bridge.store.sqlite.BUSY_SECONDS", 0.05)
    with locked(Store(database_url)), pytest.raises(StoreUnavailable):
        keeping.prune_events()
    keeping.prune_events()
    assert [counts(one)[0] for one in reports(store)] == [2 * BATCH]


@contextlib.contextmanager
def locked(other: Store) -> Iterator[None]:
    """Another keeps every event locked."""
    with other.write() as unit:
        unit.execute(sa.update(events).values(kind=events.c.kind))
        yield
    other.close()


# -- the thread --------------------------------------------------------------------------------


class Machine:
    """Its clocks, by hand."""

    def __init__(self) -> None:
        self.wall_ms = now_ms()
        self.boot_ms = 5 * MINUTE_MS

    def passes(self, minutes: float, *, wall: float | None = None) -> None:
        """`minutes` go by; the wall clock goes on by `wall`, when somebody sets it."""
        self.boot_ms += round(minutes * MINUTE_MS)
        self.wall_ms += round((minutes if wall is None else wall) * MINUTE_MS)

    def read(self) -> Clocks:
        return Clocks(self.wall_ms, self.boot_ms)


@pytest.fixture
def machine(keeping: Retention, monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine()
    keeping._clocks = ClockWatch(machine.read)
    monkeypatch.setattr(retention, "now_ms", lambda: machine.wall_ms)
    monkeypatch.setattr(retention, "pause", lambda _seconds, _stop: False)
    return machine


def test_by_age_nothing_goes_before_the_clock_was_looked_at_twice(
    keeping: Retention, store: Store, machine: Machine
) -> None:
    added = fill(store, 3, age_days=40)
    keeping.step(threading.Event())
    assert seqs(store) == added
    machine.passes(minutes=1)
    keeping.step(threading.Event())
    assert seqs(store) == []


def test_by_size_events_go_at_the_first_look(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "pause", lambda _seconds, _stop: False)
    added = fill(store, 10)
    settings = settings_of(tmp_path, bytes=SIZE * 4)
    Retention(settings, store, Feed(store)).step(threading.Event())
    assert seqs(store) == added[-4:]


@pytest.mark.parametrize("jump_minutes", [40 * 1440, -3, 3])
def test_by_age_nothing_goes_at_the_look_after_the_clock_was_set(
    keeping: Retention, store: Store, machine: Machine, jump_minutes: int
) -> None:
    keeping.step(threading.Event())
    added = fill(store, 3, age_days=200)
    keeping._clocks._marks.clear()  # so that nothing else keeps them
    machine.passes(10, wall=10 + jump_minutes)
    keeping.step(threading.Event())
    assert seqs(store) == added
    machine.passes(10)
    keeping._clocks._marks.clear()
    keeping.step(threading.Event())
    assert seqs(store) == []


def test_what_arrived_while_the_clock_was_wrong_is_kept_as_long_as_the_rest(
    keeping: Retention, store: Store, machine: Machine
) -> None:
    keeping.step(threading.Event())
    wrong = fill(store, 40, age_days=40)  # before the clock was set, and none of it from Signal
    added = wrong + fill(store, 5)
    for _ in range(3):
        machine.passes(minutes=10)
        keeping.step(threading.Event())
    assert seqs(store) == added
    for _ in range(31 * 24):
        machine.passes(minutes=60)
        keeping._clocks.look(added[-1])
    keeping.step(threading.Event())
    assert seqs(store) == []


def test_the_thread_goes_on_whatever_happens_and_says_it_once(
    keeping: Retention,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(retention, "_LONGEST_WAIT_SECONDS", 0.02)
    monkeypatch.setattr(retention, "_SECOND_LOOK_SECONDS", 0.01)
    added = fill(store, 3, age_days=40)
    rounds: list[int] = []

    def fail() -> list[object]:
        rounds.append(1)
        raise StoreUnavailable("away")

    stop = threading.Event()
    thread = threading.Thread(target=keeping.run, args=(stop,), name="retention")
    caplog.set_level(logging.INFO)
    with monkeypatch.context() as patch:
        patch.setattr(keeping._removal, "window", fail)
        thread.start()
        eventually(lambda: len(rounds) > 3, what="rounds that fail")
    eventually(lambda: seqs(store) != added, what="the events to go")
    eventually(lambda: "retention works again" in caplog.text)
    stop.set()
    thread.join(10)
    assert not thread.is_alive()
    assert caplog.text.count("away") == 1


def test_the_thread_ends_at_once_when_it_is_stopped(keeping: Retention) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=keeping.run, args=(stop,), name="retention")
    thread.start()
    stop.set()
    thread.join(10)
    assert not thread.is_alive()


# -- the clocks --------------------------------------------------------------------------------


def test_the_clock_since_boot_is_not_the_wall_clock() -> None:
    before, after = clockwatch.read_clocks(), clockwatch.read_clocks()
    assert before.boot_ms <= after.boot_ms < after.wall_ms


def test_what_arrived_since_an_earlier_look_is_younger_than_that_look() -> None:
    machine = Machine()
    clocks = ClockWatch(machine.read)
    assert clocks.young_above(DAY_MS) is None
    for newest_seq in range(100, 200):
        clocks.look(newest_seq)
        machine.passes(minutes=60)
    assert clocks.young_above(DAY_MS) == 200 - 23
    assert clocks.young_above(DAY_MS // 2) == 200 - 11
    machine.passes(minutes=2 * 1440)
    assert clocks.young_above(DAY_MS) is None
