"""From the reader thread to disk, whatever the disk says."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Sequence

import pytest

from signal_bridge.errors import StoreError, StoreFull, StoreRefused, StoreUnavailable
from signal_bridge.feed import intake as module
from signal_bridge.feed.event import Arrival
from signal_bridge.feed.feed import Feed
from signal_bridge.feed.filters import Filter
from signal_bridge.feed.intake import Intake
from tests.feed.envelopes import ACCOUNT, received, text
from tests.rpc.far_end import InThread
from tests.support import eventually


class Faulty:
    """A feed whose store is away until it is told otherwise."""

    def __init__(self, feed: Feed, error: StoreError) -> None:
        self.error: StoreError | None = error
        self.attempts = 0
        self._feed = feed

    def append(self, arrivals: Sequence[Arrival]) -> int:
        self.attempts += 1
        if self.error:
            raise self.error
        return self._feed.append(arrivals)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FIRST_RETRY_SECONDS", 0.01)
    monkeypatch.setattr(module, "_LONGEST_RETRY_SECONDS", 0.02)


@pytest.fixture
def reports() -> list[StoreError | None]:
    return []


@pytest.fixture
def stop() -> threading.Event:
    return threading.Event()


def words(feed: Feed) -> list[str]:
    return [
        json.loads(event.payload)["envelope"]["dataMessage"]["message"]
        for event in feed.read(Filter(ACCOUNT), 0, 100)
    ]


def test_what_arrives_is_on_disk_when_accept_returns(
    feed: Feed, stop: threading.Event, reports: list[StoreError | None]
) -> None:
    intake = Intake(feed, stop, reports.append)
    intake.accept([text("a"), {"subscription": 0, "result": text("b")}])
    assert words(feed) == ["a", "b"]
    assert reports == []


def test_what_comes_again_is_kept_once_and_said(
    feed: Feed, stop: threading.Event, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    intake = Intake(feed, stop, lambda _: None)
    intake.accept([text("a")])
    assert "delivered again" not in caplog.text
    intake.accept([text("a"), text("b")])
    assert words(feed) == ["a", "b"]
    assert "1 messages were delivered again and are kept once" in caplog.text


@pytest.mark.parametrize("error", [StoreFull("full"), StoreUnavailable("locked")])
def test_it_keeps_trying_while_the_store_fails_and_goes_on_after(
    feed: Feed,
    stop: threading.Event,
    reports: list[StoreError | None],
    caplog: pytest.LogCaptureFixture,
    error: StoreError,
) -> None:
    faulty = Faulty(feed, error)
    intake = Intake(faulty, stop, reports.append)  # type: ignore[arg-type]
    accepting = InThread(intake.accept, [text("SECRET")])
    eventually(lambda: faulty.attempts >= 4, what="four attempts")
    assert not accepting.is_over()
    faulty.error = None
    accepting.result()
    assert words(feed) == ["SECRET"]
    assert set(reports[:-1]) == {error}
    assert reports[-1] is None
    assert len(reports) == faulty.attempts
    assert "SECRET" not in caplog.text


def test_a_recovery_is_reported_once(
    feed: Feed, stop: threading.Event, reports: list[StoreError | None]
) -> None:
    faulty = Faulty(feed, StoreFull("full"))
    intake = Intake(faulty, stop, reports.append)  # type: ignore[arg-type]
    accepting = InThread(intake.accept, [text("a")])
    eventually(lambda: faulty.attempts >= 2, what="two attempts")
    faulty.error = None
    accepting.result()
    intake.accept([text("b")])
    assert reports.count(None) == 1


def test_only_a_stop_ends_the_attempts_and_then_it_raises(
    feed: Feed, stop: threading.Event, reports: list[StoreError | None]
) -> None:
    error = StoreFull("full")
    faulty = Faulty(feed, error)
    accepting = InThread(Intake(faulty, stop, reports.append).accept, [text("a")])  # type: ignore[arg-type]
    eventually(lambda: faulty.attempts >= 2, what="two attempts")
    stop.set()
    assert accepting.error() is error
    assert None not in reports


def test_a_stop_does_not_keep_a_batch_from_being_stored(feed: Feed, stop: threading.Event) -> None:
    stop.set()
    Intake(feed, stop, lambda _: None).accept([text("a")])
    assert words(feed) == ["a"]


def test_nonsense_is_stored_beside_the_rest(feed: Feed, stop: threading.Event) -> None:
    Intake(feed, stop, lambda _: None).accept([None, text("a"), 5, [], {"envelope": {"x": 1}}])
    payloads = [json.loads(event.payload) for event in feed.read(Filter(), 0, 10)]
    # What holds nothing at all is the same nothing.
    assert payloads == [{}, text("a"), {"envelope": {"x": 1}}]


# -- what the database refuses for good ----------------------------------------------------------


def intake_of(feed: Feed) -> Intake:
    return Intake(feed, threading.Event(), lambda _error: None)


def test_a_nul_in_any_field_stops_nothing(feed: Feed) -> None:
    odd = [
        received(sourceNumber="+49\0", dataMessage={"message": "number"}),
        received(sourceUuid="u\0", dataMessage={"message": "uuid"}),
        received(source="s\0", dataMessage={"message": "nul \0 in the text"}),
    ]
    intake_of(feed).accept([*odd, text("after")])
    assert len(feed.read(Filter(), 0, 10)) == 4
    assert "nul \\u0000 in the text" in feed.read(Filter(), 0, 10)[2].payload.decode()


def test_an_event_that_can_never_be_stored_is_kept_as_an_error_and_the_rest_as_it_is(
    feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = feed.append

    def refuse_some(arrivals: Sequence[Arrival]) -> int:
        if any(b"odd" in one.payload and one.kind != "error" for one in arrivals):
            raise StoreRefused("no room for this")
        return append(arrivals)

    monkeypatch.setattr(feed, "append", refuse_some)
    intake = intake_of(feed)
    intake.accept([text("a"), text("odd"), text("b")])
    kept = feed.read(Filter(), 0, 10)
    assert [event.kind for event in kept] == ["message", "error", "message"]
    assert b"odd" in kept[1].payload
    intake.accept([text("odd")])  # handed over again
    assert len(feed.read(Filter(), 0, 10)) == 3
