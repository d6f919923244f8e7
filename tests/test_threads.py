"""The loop of a long-lived thread goes on whatever happens in it, and says what does."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator

import pytest

from signal_bridge import threads as module
from signal_bridge.errors import StoreFull, StoreUnavailable
from signal_bridge.threads import Guard, Loop
from tests.support import eventually

Outcome = Exception | None
BUSY = StoreUnavailable("the database is busy")


class Work:
    """A step that fails as its script says, one entry a round; after the script all is well."""

    def __init__(self, *script: Outcome) -> None:
        self.script = list(script)
        self.rounds = 0
        self.idle = threading.Event()
        self.stop = threading.Event()

    def __call__(self) -> None:
        self.rounds += 1
        if not self.script:
            self.idle.set()
            self.stop.wait(0.005)
        elif error := self.script.pop(0):
            raise error


class Reports:
    """What a loop reported, in order; the first `refusals` of its calls fail."""

    def __init__(self, refusals: int = 0, error: Exception = BUSY) -> None:
        self.seen: list[str | None] = []
        self._refusals = refusals
        self._error = error

    def __call__(self, name: str, trouble: str | None) -> None:
        assert name == "worker"
        self.seen.append(trouble)
        if len(self.seen) <= self._refusals:
            raise self._error


Start = Callable[..., Work]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a loop over a script: `work = start(None, BUSY, None)`. Each is stopped at the end."""
    started: list[tuple[Work, Loop]] = []

    def start(*script: Outcome, report: module.Report | None = None) -> Work:
        work = Work(*script)
        loop = Loop("worker", work, work.stop, report=report,
                    first_wait_seconds=0.001, longest_wait_seconds=0.002)  # fmt: skip
        started.append((work, loop))
        loop.start()
        return work

    yield start
    for work, loop in started:
        work.stop.set()
        assert loop.join(10)
        assert not loop.is_alive()


def finish(work: Work) -> None:
    """Until the script is over and the round after it has gone well."""
    assert work.idle.wait(10)
    done = work.rounds
    eventually(lambda: work.rounds > done + 1, what="more rounds")


def messages(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == module.__name__]


@pytest.fixture(autouse=True)
def _everything_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)


# -- going on ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error", [BUSY, ValueError("x"), KeyError(1), MemoryError(), RecursionError(), OSError(24, "x")]
)
def test_no_error_ends_the_loop(start: Start, error: Exception) -> None:
    work = start(error, None, error, error)
    finish(work)
    assert work.rounds > 4


class Unspeakable(Exception):
    """Saying what it is fails, too."""

    def __str__(self) -> str:
        raise ValueError("no words")


class UnspeakableTrouble(StoreFull):
    def __str__(self) -> str:
        raise ValueError("no words")


@pytest.mark.parametrize("error", [Unspeakable(), UnspeakableTrouble("x")])
def test_an_error_that_cannot_even_be_told_does_not_end_it(start: Start, error: Exception) -> None:
    finish(start(error, error))


def test_it_runs_on_a_thread_of_its_name_that_keeps_no_process_alive() -> None:
    stop, seen = threading.Event(), list[threading.Thread]()

    def step() -> None:
        seen.append(threading.current_thread())
        stop.set()

    loop = Loop("worker", step, stop)
    loop.start()
    assert loop.join(10)
    assert [(thread.name, thread.daemon) for thread in seen] == [("worker", True)]


def test_what_is_stopped_before_it_starts_does_nothing() -> None:
    work = Work()
    work.stop.set()
    loop = Loop("worker", work, work.stop)
    loop.start()
    assert loop.join(10)
    assert work.rounds == 0


def test_what_was_never_started_has_ended() -> None:
    loop = Loop("worker", Work(), threading.Event())
    assert not loop.is_alive()
    assert loop.join(0)


def test_a_round_that_does_not_end_is_not_waited_for_beyond_the_limit() -> None:
    stop, release = threading.Event(), threading.Event()
    loop = Loop("worker", lambda: assert_set(release), stop)
    loop.start()
    stop.set()
    assert not loop.join(0.01)
    assert loop.is_alive()
    release.set()
    assert loop.join(10)


def assert_set(event: threading.Event) -> None:
    assert event.wait(30)


def test_a_stop_ends_a_wait() -> None:
    work = Work(*[BUSY] * 3)
    loop = Loop("worker", work, work.stop, first_wait_seconds=3600, longest_wait_seconds=3600)
    loop.start()
    eventually(lambda: work.rounds == 1, what="the first round")
    work.stop.set()
    assert loop.join(10)
    assert work.rounds == 1


# -- waiting -----------------------------------------------------------------------------------


@pytest.fixture
def attempts(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, ...]]:
    """What the back-off before each repetition was asked for."""
    seen: list[tuple[float, ...]] = []
    monkeypatch.setattr(module, "backoff_seconds", lambda *asked: seen.append(asked) or 0.001)
    return seen


def run(work: Work, longest_wait_seconds: float) -> None:
    """All of the script, on this thread."""
    loop = Loop("worker", work, work.stop, longest_wait_seconds=longest_wait_seconds)
    beside = threading.Thread(target=loop.run)
    beside.start()
    finish(work)
    work.stop.set()
    beside.join(10)


def test_waits_grow_while_trouble_keeps_coming(attempts: list[tuple[float, ...]]) -> None:
    run(Work(*[BUSY] * 4), longest_wait_seconds=60)
    assert attempts == [(number, 0.1, 60) for number in (1, 2, 3, 4)]


def test_a_good_round_now_and_then_is_no_reason_to_hurry(
    attempts: list[tuple[float, ...]],
) -> None:
    run(Work(BUSY, None, BUSY, None, None, BUSY), longest_wait_seconds=60)
    assert [attempt for attempt, *_ in attempts] == [1, 2, 3]


def test_after_a_calm_time_the_next_trouble_is_the_first_again(
    attempts: list[tuple[float, ...]],
) -> None:
    run(Work(BUSY, None, BUSY), longest_wait_seconds=0)
    assert [attempt for attempt, *_ in attempts] == [1, 1]


# -- telling -----------------------------------------------------------------------------------


def test_trouble_that_has_a_name_is_logged_once_as_its_sentence(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    finish(start(BUSY, BUSY, BUSY))
    assert messages(caplog) == ["worker: the database is busy", "worker works again"]
    assert caplog.records[0].levelno == logging.WARNING
    assert not any(record.exc_info for record in caplog.records)


def test_what_nobody_expected_is_logged_once_with_its_traceback(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    finish(start(*[ValueError("odd")] * 3))
    assert messages(caplog) == [
        "worker failed in a way nobody expected; it goes on",
        "worker works again",
    ]
    assert caplog.records[0].levelno == logging.ERROR
    assert caplog.text.count("ValueError: odd") == 1
    assert "raise error" in caplog.text


def test_another_kind_of_trouble_is_logged_too_and_each_only_once(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    full = StoreFull("the disk is full")
    finish(start(BUSY, full, BUSY, full, KeyError(1), BUSY, KeyError(2)))
    assert messages(caplog) == [
        "worker: the database is busy",
        "worker: the disk is full",
        "worker failed in a way nobody expected; it goes on",
        "worker works again",
    ]


def test_trouble_that_comes_back_is_logged_again(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    finish(start(BUSY, None, BUSY))
    assert messages(caplog) == ["worker: the database is busy", "worker works again"] * 2


def test_a_loop_that_always_works_says_nothing(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    reports = Reports()
    finish(start(None, None, report=reports))
    assert messages(caplog) == []
    assert reports.seen == []


def test_every_bad_round_is_reported_and_that_it_works_again_once(start: Start) -> None:
    reports = Reports()
    finish(start(BUSY, BUSY, None, None, KeyError("secret"), report=reports))
    unexpected = "an unexpected error (KeyError), which the log shows"
    assert reports.seen == [str(BUSY), str(BUSY), None, unexpected, None]


@pytest.mark.parametrize(
    ("error", "logged"),
    [
        (BUSY, "the database is busy"),
        (RuntimeError("odd"), "an unexpected error (RuntimeError), which the log shows"),
    ],
)
def test_a_report_that_fails_is_only_logged_and_once(
    start: Start, caplog: pytest.LogCaptureFixture, error: Exception, logged: str
) -> None:
    finish(start(*[BUSY] * 3, report=Reports(3, error)))
    assert messages(caplog) == [
        "worker: the database is busy",
        f"worker: how it is cannot be reported: {logged}",
        "worker works again",
    ]
    assert ("RuntimeError: odd" in caplog.text) == isinstance(error, RuntimeError)


def test_that_it_works_again_is_reported_until_it_is_taken(start: Start) -> None:
    reports = Reports(3)
    work = start(BUSY, report=reports)
    eventually(lambda: len(reports.seen) == 4, what="the report that is taken")
    finish(work)
    assert reports.seen == [str(BUSY), None, None, None]


def test_a_step_that_works_for_long_says_so_by_itself(caplog: pytest.LogCaptureFixture) -> None:
    stop, reports, troubles = threading.Event(), Reports(), [BUSY]

    def step() -> None:
        if troubles:
            raise troubles.pop()
        loop.works()
        assert stop.wait(30)

    loop = Loop("worker", step, stop, report=reports, first_wait_seconds=0.001)
    loop.start()
    eventually(lambda: reports.seen == [str(BUSY), None], what="the report")
    assert messages(caplog)[-1] == "worker works again"
    stop.set()
    assert loop.join(10)


def test_what_a_stop_takes_from_a_step_is_no_trouble(caplog: pytest.LogCaptureFixture) -> None:
    stop, reports = threading.Event(), Reports()

    def step() -> None:
        stop.set()
        raise BUSY

    Loop("worker", step, stop, report=reports).run()
    assert messages(caplog) == []
    assert reports.seen == []


def test_what_nobody_expected_is_told_even_at_the_end(caplog: pytest.LogCaptureFixture) -> None:
    stop = threading.Event()

    def step() -> None:
        stop.set()
        raise ValueError("odd")

    Loop("worker", step, stop).run()
    assert "ValueError: odd" in caplog.text


# -- a guard alone -----------------------------------------------------------------------------


def test_a_guard_runs_the_work_and_says_whether_it_went_well(
    caplog: pytest.LogCaptureFixture,
) -> None:
    seen: list[object] = []
    guard = Guard("telling")
    assert guard.goes_well(seen.extend, (1, 2))
    assert seen == [1, 2]
    assert not guard.goes_well(seen.extend, None)
    assert not guard.goes_well(seen.extend, None)
    assert guard.goes_well(seen.clear)
    assert messages(caplog) == [
        "telling failed in a way nobody expected; it goes on",
        "telling works again",
    ]


def test_a_guard_takes_no_request_to_end_the_process() -> None:
    def leave() -> None:
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        Guard("telling").goes_well(leave)
