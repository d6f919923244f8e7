"""What couriers have done is written for many at once, and never lost on the way."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from signal_bridge.delivery.webhooks import scribe as module
from signal_bridge.delivery.webhooks.dispatcher import NOW, WOKEN
from signal_bridge.delivery.webhooks.ledger import Entry, Ledger, Mark, Tried
from signal_bridge.delivery.webhooks.post import Attempt
from signal_bridge.delivery.webhooks.scribe import GROUP, Scribe
from signal_bridge.delivery.webhooks.webhook import Webhook
from signal_bridge.errors import LeaseLost, StoreRefused, StoreUnavailable
from tests.webhooks.conftest import ACCOUNT, Desk
from tests.webhooks.test_post import webhook as some_webhook


class Book:
    """In place of a ledger: keeps what is written, and fails as it is told."""

    def __init__(self) -> None:
        self.written: list[list[Mark]] = []
        self.troubles: list[Exception] = []
        self.changed: set[tuple[str, int]] = set()
        self.meanwhile: Callable[[], object] = lambda: None

    def mark(self, marks: Sequence[Mark]) -> set[tuple[str, int]]:
        self.meanwhile()
        if self.troubles:
            raise self.troubles.pop(0)
        self.written.append(list(marks))
        return self.changed & {one.key for one in marks}


class Desktop:
    """A scribe with a book, and what it has told."""

    def __init__(self) -> None:
        self.book = Book()
        self.told: list[Any] = []
        ledger: Any = self.book
        self.scribe = Scribe(ledger, lambda *key: self.told.append(key), self.told.append)
        self.wakes = 0
        self.scribe.wake = self.count

    def count(self) -> None:
        self.wakes += 1


@pytest.fixture
def desktop(monkeypatch: pytest.MonkeyPatch) -> Desktop:
    monkeypatch.setattr(module, "_GATHER_SECONDS", 0.0)
    monkeypatch.setattr(module, "_REST_SECONDS", 0.0)
    return Desktop()


def hook(name: str = "wh_1", **values: Any) -> Webhook:
    return dataclasses.replace(some_webhook("http://h/"), id=name, **values)


def mark(webhook: Webhook, *seqs: int) -> Mark:
    tried = tuple(Tried(seq, 1, 0, Attempt(204, "", 1)) for seq in seqs)
    return Mark(dataclasses.replace(webhook, position=max(seqs, default=0)), Entry(tried))


def seqs(one: Mark) -> list[int]:
    return [tried.seq for tried in one.entry.tried]


def test_what_many_have_done_is_one_mark_each_in_one_unit(desktop: Desktop) -> None:
    for seq in range(1, 4):
        for name in ("a", "b"):
            desktop.scribe.note(mark(hook(name), seq))
    assert desktop.wakes == 1
    assert desktop.scribe.turn() == NOW
    [[first, second]] = desktop.book.written
    assert (first.webhook.position, seqs(first)) == (3, [1, 2, 3])
    assert (second.webhook.id, seqs(second)) == ("b", [1, 2, 3])
    assert desktop.scribe.turn() == WOKEN
    assert not desktop.scribe.has("a")


def test_what_follows_is_gathered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_GATHER_SECONDS", 1000.0)
    monkeypatch.setattr(module, "_REST_SECONDS", 2000.0)
    desktop = Desktop()
    desktop.scribe.note(mark(hook(), 1))
    assert 0 < desktop.scribe.turn() <= 1000
    assert desktop.book.written == []
    desktop.scribe.flush()
    desktop.scribe.note(mark(hook(), 2))
    assert 1000 < desktop.scribe.turn() <= 2000, "it rests between two"
    assert len(desktop.book.written) == 1


def test_a_full_group_waits_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_GATHER_SECONDS", 1000.0)
    desktop = Desktop()
    for seq in range(GROUP):
        desktop.scribe.note(mark(hook(), seq))
    assert desktop.wakes == 2
    assert desktop.scribe.turn() == NOW
    assert len(desktop.book.written) == 1


def test_a_courier_that_is_far_ahead_waits_until_it_is_written(desktop: Desktop) -> None:
    woken: list[bool] = []

    def wake() -> None:
        woken.append(True)

    desktop.book.troubles = [StoreUnavailable("away")]
    webhook = hook()
    for seq in range(2 * GROUP):
        assert not desktop.scribe.is_behind((webhook.id, webhook.revision), wake)
        desktop.scribe.note(mark(webhook, seq))
    assert desktop.scribe.is_behind((webhook.id, webhook.revision), wake)
    with pytest.raises(StoreUnavailable):
        desktop.scribe.turn()
    assert desktop.scribe.is_behind((webhook.id, webhook.revision), wake)
    assert woken == []
    desktop.scribe.turn()
    assert woken == [True]
    assert not desktop.scribe.is_behind((webhook.id, webhook.revision), wake)


def test_what_could_not_be_written_is_written_with_what_came_meanwhile(desktop: Desktop) -> None:
    desktop.book.troubles = [StoreUnavailable("away")]
    desktop.scribe.note(mark(hook(), 1))
    with pytest.raises(StoreUnavailable):
        desktop.scribe.turn()
    assert desktop.scribe.has("wh_1")
    desktop.scribe.note(mark(hook(), 2))
    desktop.scribe.turn()
    assert [[seqs(one) for one in unit] for unit in desktop.book.written] == [[[1, 2]]]


def test_while_nothing_can_be_written_no_turn_looks_as_if_it_went_well(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_GATHER_SECONDS", 0.0)
    desktop = Desktop()
    desktop.book.troubles = [StoreUnavailable("away"), StoreUnavailable("away")]
    desktop.book.meanwhile = lambda: desktop.scribe.note(mark(hook(), 2))
    desktop.scribe.note(mark(hook(), 1))
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            desktop.scribe.turn()


def test_what_was_done_under_two_revisions_is_written_one_after_the_other(
    desktop: Desktop,
) -> None:
    desktop.book.changed = {("wh_1", 1)}
    desktop.scribe.note(mark(hook(revision=1), 1))
    desktop.scribe.note(mark(hook(revision=2), 2))
    desktop.scribe.flush()
    assert [[one.key for one in unit] for unit in desktop.book.written] == [
        [("wh_1", 1)],
        [("wh_1", 2)],
    ]
    assert desktop.told == [("wh_1", 1)]


@pytest.mark.parametrize(
    "error", [StoreRefused("a NUL"), UnicodeEncodeError("utf-8", "\ud800", 0, 1, "no")]
)
def test_what_cannot_be_stored_holds_up_nobody(desktop: Desktop, error: Exception) -> None:
    for name in ("a", "b", "c"):
        desktop.scribe.note(mark(hook(name), 1))
    desktop.book.troubles = [error]
    desktop.scribe.turn()
    assert [[one.webhook.id for one in unit] for unit in desktop.book.written] == [
        ["a"], ["b"], ["c"],
    ]  # fmt: skip
    entry = Entry(tried=mark(hook(), 2).entry.tried, parked=((2, "\0"),))
    desktop.scribe.note(Mark(hook(position=2), entry))
    desktop.book.troubles = [error]
    desktop.scribe.turn()
    [bare] = desktop.book.written[-1]
    assert bare.webhook.position == 2
    assert bare.entry == Entry(parked=((2, "the receiver's answer cannot be stored"),))


def test_that_another_process_delivers_is_told(desktop: Desktop) -> None:
    desktop.book.troubles = [LeaseLost("Another process has taken over daemon")]
    desktop.scribe.note(mark(hook(), 1))
    desktop.scribe.flush()
    assert desktop.told == ["Another process has taken over daemon"]
    assert desktop.book.written == []


@pytest.mark.parametrize("text", ["a\0b", "\ud800", "\U0001f600", "x" * 100_000, "\x1b[2J\r\n"])
def test_whatever_a_receiver_says_is_written(desk: Desk, text: str) -> None:
    webhook = desk.register("http://127.0.0.1:1/")
    scribe = Scribe(Ledger(desk.store, desk.feed), lambda *_: None, lambda _: None)
    tried = Tried(1, 1, 0, Attempt(400, text, 1, None, text))
    on = dataclasses.replace(webhook, position=1)
    scribe.note(Mark(on, Entry((tried,), ((1, text),))))
    scribe.flush()
    assert desk.get(webhook).position == 1
    assert len(desk.registry.list_parked(ACCOUNT, webhook.id)) == 1
