"""Turns for many jobs on few threads: who gets one, when, and what it costs the others."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from signal_bridge.delivery.webhooks import dispatcher as module
from signal_bridge.delivery.webhooks.dispatcher import (
    NEW_THREADS,
    NEW_THREADS_IN_ALL,
    NOW,
    SLOW_THREADS,
    THREADS,
    THREADS_IN_ALL,
    WOKEN,
    Dispatcher,
    Job,
    Pace,
    Task,
)  # fmt: skip
from signal_bridge.errors import StoreUnavailable
from tests.support import eventually


class Worker(Job):
    """Does what it is told, and counts its turns and how many it had at once."""

    def __init__(
        self,
        work: Callable[[], float] = lambda: WOKEN,
        pace: Pace = Pace.QUICK,
        origin: str = "",
    ) -> None:
        super().__init__()
        self.name = "a worker"
        self.pace = pace
        self.origin = origin
        self.work = work
        self.turns = 0
        self.at_once = 0
        self.most_at_once = 0
        self.looks = 0
        self.ends = 0

    def turn(self) -> float:
        self.turns += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            return self.work()
        finally:
            self.at_once -= 1

    def look(self) -> None:
        self.looks += 1

    def end(self) -> None:
        self.ends += 1


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """What hanging workers wait for; at the end they may go."""
    gate = threading.Event()
    yield gate
    gate.set()


@pytest.fixture
def dispatcher(gate: threading.Event) -> Iterator[Dispatcher]:
    dispatcher = Dispatcher()
    dispatcher.start()
    yield dispatcher
    gate.set()
    dispatcher.stop()
    assert dispatcher.wait(10) == []


def enrol(dispatcher: Dispatcher, *workers: Worker) -> list[Task]:
    return [dispatcher.enrol(worker) for worker in workers]


def hanging(gate: threading.Event, pace: Pace = Pace.QUICK, origin: str = "") -> Worker:
    def hang() -> float:
        gate.wait(60)
        return WOKEN

    return Worker(hang, pace, origin)


def courier_threads() -> int:
    return sum(thread.name.startswith("courier-") for thread in threading.enumerate())


def test_whoever_is_woken_has_a_turn(dispatcher: Dispatcher) -> None:
    workers = [Worker() for _ in range(300)]
    enrol(dispatcher, *workers)
    for worker in workers:
        worker.wake()
    eventually(lambda: all(worker.turns == 1 for worker in workers))
    assert courier_threads() <= THREADS


def test_whoever_is_not_woken_has_none(dispatcher: Dispatcher) -> None:
    idle, other = Worker(), Worker()
    enrol(dispatcher, idle, other)
    for count in range(1, 21):
        other.wake()
        eventually(lambda count=count: other.turns == count)  # type: ignore[misc]
    assert idle.turns == 0


def test_who_wants_another_turn_at_once_has_it(dispatcher: Dispatcher) -> None:
    worker = Worker(lambda: NOW if worker.turns < 1000 else WOKEN)
    enrol(dispatcher, worker)
    worker.wake()
    eventually(lambda: worker.turns == 1000)
    assert worker.most_at_once == 1


def test_who_wants_a_turn_later_has_it_later(dispatcher: Dispatcher) -> None:
    worker = Worker(lambda: 0.02 if worker.turns < 5 else WOKEN)
    far = Worker(lambda: 3600.0)
    enrol(dispatcher, far, worker)
    far.wake()
    worker.wake()
    eventually(lambda: worker.turns == 5)
    assert far.turns == 1


def test_a_wait_ends_when_it_is_woken(dispatcher: Dispatcher) -> None:
    worker = Worker(lambda: 3600.0)
    enrol(dispatcher, worker)
    for count in range(1, 4):
        worker.wake()
        eventually(lambda count=count: worker.turns == count)  # type: ignore[misc]


def test_one_woken_in_its_turn_has_one_more(dispatcher: Dispatcher, gate: threading.Event) -> None:
    worker = hanging(gate)
    enrol(dispatcher, worker)
    worker.wake()
    eventually(lambda: worker.turns == 1)
    for _ in range(5):
        worker.wake()
    gate.set()
    eventually(lambda: worker.turns == 2)
    assert worker.most_at_once == 1


def test_one_has_one_turn_at_a_time_however_often_it_is_woken(dispatcher: Dispatcher) -> None:
    workers = [Worker() for _ in range(20)]
    enrol(dispatcher, *workers)

    def wake_all() -> None:
        for _ in range(200):
            for worker in workers:
                worker.wake()

    threads = [threading.Thread(target=wake_all) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    dispatcher.stop()
    assert dispatcher.wait(10) == []
    assert {worker.most_at_once for worker in workers} == {1}


def test_the_slow_have_a_part_of_the_threads(dispatcher: Dispatcher, gate: threading.Event) -> None:
    slow = [hanging(gate, Pace.SLOW) for _ in range(100)]
    fast = [Worker() for _ in range(50)]
    enrol(dispatcher, *slow, *fast)
    for worker in (*slow, *fast):
        worker.wake()
    eventually(lambda: all(worker.turns for worker in fast))
    eventually(lambda: sum(worker.at_once for worker in slow) == SLOW_THREADS)
    assert sum(worker.turns for worker in slow) == SLOW_THREADS
    gate.set()
    eventually(lambda: all(worker.turns == 1 for worker in slow))


def test_turns_that_last_take_nobodys_place(dispatcher: Dispatcher, gate: threading.Event) -> None:
    """As when many receivers begin to hang at once."""
    hung = [hanging(gate) for _ in range(THREADS + 10)]
    fast = [Worker() for _ in range(50)]
    enrol(dispatcher, *hung, *fast)
    for worker in hung:
        worker.wake()
    eventually(lambda: sum(worker.at_once for worker in hung) >= THREADS)
    for worker in fast:
        worker.wake()
    eventually(lambda: all(worker.turns for worker in fast))
    assert sum(worker.at_once for worker in hung) == THREADS + 10
    eventually(lambda: all(worker.looks for worker in hung))


def test_of_whom_nothing_is_known_leave_threads_to_those_known_to_be_quick(
    dispatcher: Dispatcher, gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many, from wherever, and whether or not their turns last."""
    for lasts_after, most in ((3600.0, NEW_THREADS), (0.0, NEW_THREADS_IN_ALL)):
        monkeypatch.setattr(module, "SLOW_SECONDS", lasts_after)
        new = [hanging(gate, Pace.NEW, str(number)) for number in range(300)]
        quick = [Worker() for _ in range(50)]
        enrol(dispatcher, *new, *quick)
        for worker in new:
            worker.wake()
        eventually(lambda new=new, most=most: sum(worker.at_once for worker in new) == most)  # type: ignore[misc]
        for worker in quick:
            worker.wake()
        eventually(lambda quick=quick: all(worker.turns for worker in quick))  # type: ignore[misc]
        assert sum(worker.turns for worker in new) == most
        gate.set()
        eventually(lambda new=new: all(worker.turns == 1 for worker in new))  # type: ignore[misc]
        gate.clear()


@pytest.mark.parametrize("pace", [Pace.NEW, Pace.SLOW])
def test_many_at_one_origin_do_not_stand_before_the_only_one_at_another(
    dispatcher: Dispatcher, pace: Pace
) -> None:
    """Those that wait for a thread: each that is free goes to one of each origin."""
    gate = threading.Semaphore(0)

    def hang_once() -> float:
        gate.acquire(timeout=60)
        return WOKEN

    many = [Worker(hang_once, pace, "one") for _ in range(300)]
    others = [Worker(pace=pace, origin=f"other-{number}") for number in range(3)]
    enrol(dispatcher, *many, *others)
    most = {Pace.NEW: NEW_THREADS, Pace.SLOW: SLOW_THREADS}[pace]
    for worker in (*many, *others):
        worker.wake()
    eventually(lambda: sum(worker.at_once for worker in many) >= most - len(others))
    gate.release(2)  # when all threads hung before the others woke, it is that one's turn first
    eventually(lambda: all(worker.turns for worker in others))
    assert sum(worker.turns for worker in many) < 250
    for _ in many:
        gate.release()
    eventually(lambda: all(worker.turns == 1 for worker in many))


def test_there_are_never_more_threads_than_that(
    dispatcher: Dispatcher, gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SLOW_SECONDS", 0.0)  # every turn lasts
    hung = [hanging(gate) for _ in range(2 * THREADS_IN_ALL)]
    enrol(dispatcher, *hung)
    for worker in hung:
        worker.wake()
    eventually(lambda: sum(worker.at_once for worker in hung) == THREADS_IN_ALL)
    assert courier_threads() == THREADS_IN_ALL
    gate.set()
    eventually(lambda: all(worker.turns == 1 for worker in hung))


def test_one_that_fails_holds_up_nobody(
    dispatcher: Dispatcher, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "backoff_seconds", lambda attempt, first, cap: 0.01)

    def fail() -> float:
        if broken.turns < 5:
            raise [ValueError("first kind"), KeyError("second kind")][broken.turns % 2]
        return WOKEN

    broken, whole = Worker(fail), Worker()
    enrol(dispatcher, broken, whole)
    broken.wake()
    whole.wake()
    eventually(lambda: broken.turns == 5 and whole.turns == 1)
    failures = [one for one in caplog.records if "nobody expected" in one.message]
    assert len(failures) == 2, "once for each kind"
    broken.turns = 2
    broken.wake()
    eventually(lambda: len([one for one in caplog.records if "nobody expected" in one.message]) > 2)


def test_one_that_has_failed_waits_though_it_is_woken(dispatcher: Dispatcher) -> None:
    def fail() -> float:
        raise ValueError

    broken, whole = Worker(fail), Worker()
    enrol(dispatcher, broken, whole)
    broken.wake()
    eventually(lambda: broken.turns == 1 and not broken.at_once)
    for count in range(1, 6):
        broken.wake()
        whole.wake()
        eventually(lambda count=count: whole.turns == count)  # type: ignore[misc]
    assert broken.turns == 1


def test_waits_after_failures_grow_to_a_minute(
    dispatcher: Dispatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[float, float]] = []

    def backoff(attempt: int, first: float, cap: float) -> float:
        asked.append((attempt, cap))
        return 0.001

    def fail() -> float:
        if broken.turns > 8:
            return WOKEN
        raise ValueError if broken.turns <= 4 else StoreUnavailable("away")

    monkeypatch.setattr(module, "backoff_seconds", backoff)
    broken = Worker(fail)
    enrol(dispatcher, broken)
    broken.wake()
    eventually(lambda: broken.turns == 9)
    assert asked == [*((n, 60.0) for n in range(1, 5)), *((n, 5.0) for n in range(5, 9))]


def test_that_the_database_is_away_is_told_by_one(
    dispatcher: Dispatcher, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "backoff_seconds", lambda attempt, first, cap: 0.01)
    caplog.set_level("INFO")
    away = True

    def work() -> float:
        if away:
            raise StoreUnavailable("the disk is gone")
        return WOKEN

    workers = [Worker(work) for _ in range(30)]
    enrol(dispatcher, *workers)
    for worker in workers:
        worker.wake()
    eventually(lambda: all(worker.turns > 3 for worker in workers))
    assert caplog.text.count("waits for the database: the disk is gone") == 1
    away = False
    eventually(lambda: "works again" in caplog.text)


def test_one_that_is_removed_ends_once_and_has_no_more_turns(
    dispatcher: Dispatcher, gate: threading.Event
) -> None:
    idle, busy = Worker(), hanging(gate)
    tasks = enrol(dispatcher, idle, busy)
    busy.wake()
    eventually(lambda: busy.at_once)
    for task in (*tasks, *tasks):
        dispatcher.remove(task)
    assert (idle.ends, busy.ends) == (1, 0), "not within its turn"
    idle.wake()
    gate.set()
    eventually(lambda: busy.ends == 1)
    assert idle.turns == 0


def test_at_the_end_those_who_still_have_a_turn_are_named(
    dispatcher: Dispatcher, gate: threading.Event
) -> None:
    hung, late = hanging(gate), Worker()
    enrol(dispatcher, hung, late)
    hung.wake()
    eventually(lambda: hung.at_once)
    dispatcher.stop()
    late.wake()
    assert dispatcher.wait(0.05) == [hung]
    gate.set()
    assert dispatcher.wait(10) == []
    assert late.turns == 0


def test_a_thread_that_the_system_has_none_of_is_asked_for_again(
    dispatcher: Dispatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusals = [RuntimeError("can't start new thread")] * 3
    start = threading.Thread.start

    def scarce(thread: threading.Thread) -> None:
        if refusals and thread.name.startswith("courier-"):
            raise refusals.pop()
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", scarce)
    worker = Worker()
    enrol(dispatcher, worker)
    worker.wake()
    eventually(lambda: worker.turns == 1)
