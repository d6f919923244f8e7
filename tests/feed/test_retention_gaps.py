"""Whoever is overtaken by retention is told so with the next page, once; nobody else is."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from signal_bridge.clock import Deadline
from signal_bridge.feed.event import Page
from signal_bridge.feed.feed import Feed
from signal_bridge.feed.filters import OWN_KINDS, SIGNAL_KINDS, Filter
from signal_bridge.feed.retention import Retention
from signal_bridge.store.engine import Store
from tests.feed.retained import ACCOUNT, ANOTHER, fill, settings_of
from tests.rpc.far_end import InThread

MINE = Filter(ACCOUNT)


@pytest.fixture
def feed(store: Store) -> Feed:
    return Feed(store)


@pytest.fixture
def keeping(store: Store, feed: Feed, tmp_path: Path) -> Retention:
    return Retention(settings_of(tmp_path), store, feed)


def gap_of(page: Page) -> tuple[int, int] | None:
    return (page.gap.first_seq, page.gap.last_seq) if page.gap else None


def read_to_the_end(feed: Feed, wanted: Filter, after: int, limit: int = 2) -> list[Page]:
    pages = []
    while page := feed.read(wanted, after, limit):
        pages.append(page)
        after = page.through
    return [*pages, page]


def test_the_gap_comes_with_the_next_page_and_not_again(
    store: Store, feed: Feed, keeping: Retention
) -> None:
    old = fill(store, 6, age_days=40)
    kept = fill(store, 5)
    first = feed.read(MINE, 0, 2)
    keeping.prune_events()
    pages = read_to_the_end(feed, MINE, first.through)
    assert [gap_of(page) for page in pages] == [(old[2], old[-1]), None, None, None]
    assert [event.seq for page in pages for event in page] == kept


def test_who_has_read_as_far_as_it_went_has_no_gap(
    store: Store, feed: Feed, keeping: Retention
) -> None:
    old = fill(store, 6, age_days=40)
    fill(store, 2)
    keeping.prune_events()
    assert gap_of(feed.read(MINE, old[-1], 10)) is None
    assert gap_of(feed.read(MINE, old[-1] - 1, 10)) == (old[-1], old[-1])


def test_who_wanted_nothing_of_what_went_has_no_gap(
    store: Store, feed: Feed, keeping: Retention
) -> None:
    fill(store, 3, age_days=40)
    other = fill(store, 3, age_days=40, account=ANOTHER, kind="typing")
    fill(store, 1)
    keeping.prune_events()
    assert gap_of(feed.read(Filter("+49333"), 0, 10)) is None
    assert gap_of(feed.read(Filter(ACCOUNT, ("typing", "call")), 0, 10)) is None
    assert gap_of(feed.read(Filter(ANOTHER, ("message",)), 0, 10)) is None
    assert gap_of(feed.read(Filter(ANOTHER, ("typing",)), 0, 10)) == (1, other[-1])
    assert gap_of(feed.read(Filter(kinds=("typing",)), 0, 10)) == (1, other[-1])
    assert gap_of(feed.read(Filter(kinds=OWN_KINDS), 0, 10)) is None


def test_what_the_bridge_said_of_itself_and_went_is_missed_by_every_account(
    store: Store, feed: Feed, keeping: Retention
) -> None:
    old = fill(store, 2, age_days=40, account="", kind="daemon.restarted")
    keeping.prune_events()
    wanted = Filter(ACCOUNT, (*SIGNAL_KINDS, "daemon.restarted"))
    assert gap_of(feed.read(wanted, 0, 10)) == (1, old[-1])
    assert gap_of(feed.read(MINE, 0, 10)) is None


def test_when_nothing_is_left_the_gap_is_told_all_the_same_and_once(
    store: Store, feed: Feed, keeping: Retention
) -> None:
    old = fill(store, 6, age_days=40)
    keeping.prune_events()
    page = feed.read(MINE, 0, 10)
    assert (list(page), gap_of(page), page.through) == ([], (1, old[-1]), old[-1])
    assert gap_of(feed.read(MINE, page.through, 10)) is None


def test_who_waits_and_is_overtaken_is_told_and_goes_on(
    store: Store, feed: Feed, keeping: Retention
) -> None:
    fill(store, 3, age_days=40)
    with feed.following(MINE) as follower:
        page = follower.read(0, 1)
        keeping.prune_events()
        overtaken = follower.read(page.through, 10)
        kept = fill(store, 2)
        assert follower.wait(Deadline(10))
        pages = [overtaken]
        while len([event for page in pages for event in page]) < len(kept):
            pages.append(follower.read(pages[-1].through, 10))
            follower.wait(Deadline(0.1))
    assert [gap_of(page) for page in pages if page.gap] == [(2, 3)]
    assert [event.seq for page in pages for event in page] == kept


def test_who_keeps_up_has_no_gap_when_what_it_has_seen_goes(
    store: Store, feed: Feed, keeping: Retention
) -> None:
    with feed.following(MINE) as follower:
        old = fill(store, 3, age_days=40)
        assert follower.wait(Deadline(10))
        page = feed.read_or_wait(MINE, 0, 10, Deadline(10))
        assert [event.seq for event in page] == old
        keeping.prune_events()
        kept = fill(store, 1)
        page = follower.read(page.through, 10)
        while not page:
            assert follower.wait(Deadline(10))
            page = follower.read(page.through, 10)
        assert ([event.seq for event in page], page.gap) == (kept, None)


def test_who_waits_with_an_old_cursor_is_not_left_waiting(
    store: Store, feed: Feed, keeping: Retention
) -> None:
    fill(store, 3, age_days=40)
    keeping.prune_events()
    waiting = InThread(feed.read_or_wait, MINE, 0, 10, Deadline(60))
    assert gap_of(waiting.result()) == (1, 3)


def test_readers_that_read_while_events_go_miss_nothing_untold(
    store: Store, feed: Feed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every event is read, or lies in a gap that was told; and none is both."""
    monkeypatch.setattr("signal_bridge.feed.removal.MOST_EVENTS", 20)
    added = fill(store, 400)
    done, trouble = threading.Event(), []

    def read(limit: int) -> None:
        seen, lost, after = set(), set(), 0
        while after < added[-1]:
            page = feed.read(MINE, after, limit)
            seen |= {event.seq for event in page}
            if page.gap:
                lost |= set(range(page.gap.first_seq, page.gap.last_seq + 1))
            after = page.through
            done.wait(0.002)
        if seen & lost or seen | lost != set(added):
            trouble.append((limit, len(seen), len(lost), len(seen & lost)))

    threads = [threading.Thread(target=read, args=(limit,)) for limit in (3, 10, 30)]
    for thread in threads:
        thread.start()
    Retention(settings_of(tmp_path, bytes=2000), store, feed).prune_events()
    for thread in threads:
        thread.join(60)
    assert trouble == []
