"""`seq` is the order of commits: whoever has seen one has seen all below it, whoever writes."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from signal_bridge.clock import Deadline
from signal_bridge.feed.envelope import arrival_of
from signal_bridge.feed.event import Arrival
from signal_bridge.feed.feed import Feed
from signal_bridge.feed.filters import OWN_KINDS, SIGNAL_KINDS, Filter
from signal_bridge.feed.own import own_event
from signal_bridge.store.engine import Store
from signal_bridge.store.tables import events, feed_totals
from tests.feed.envelopes import ACCOUNT, text
from tests.rpc.far_end import InThread

EVERYTHING = Filter(kinds=(*SIGNAL_KINDS, *OWN_KINDS))
BATCHES, BATCH = 20, 25


@pytest.fixture
def elsewhere(database_url: str) -> Iterator[Feed]:
    """The same feed, as another process has it."""
    store = Store(database_url)
    yield Feed(store)
    store.close()


def messages(*words: str) -> list[Arrival]:
    return [arrival_of(text(word)) for word in words]


def seqs(feed: Feed, after: int = 0) -> list[int]:
    return [event.seq for event in feed.read(EVERYTHING, after, 100_000)]


def test_a_reader_beside_two_writers_passes_nothing(
    feed: Feed, elsewhere: Feed, database_url: str
) -> None:
    done = threading.Event()
    seen: list[int] = []

    def follow() -> None:
        store = Store(database_url)
        feed, after = Feed(store), 0
        while True:
            last = done.is_set()
            found = feed.read_or_wait(EVERYTHING, after, 500, Deadline(0.2))
            seen.extend(event.seq for event in found)
            after = found.through
            if last and not found:
                break
        store.close()

    def write_singly() -> None:
        while not done.is_set():
            elsewhere.append([own_event("account.rate_limited", ACCOUNT)])

    threads = [InThread(follow), InThread(write_singly)]
    for batch in range(BATCHES):
        feed.append(messages(*(f"{batch}-{number}" for number in range(BATCH))))
    done.set()
    for thread in threads:
        thread.result(30)
    assert seen == seqs(feed)


def test_who_commits_later_has_the_higher_number(feed: Feed, elsewhere: Feed) -> None:
    """Another writes and is at its last step; whoever comes now waits until that is committed."""
    with feed._store.write() as unit:
        feed.tell(unit, messages("first"))
        inside, go = threading.Event(), threading.Event()
        unit.before_commit(lambda: (inside.set(), go.wait(10)))
        committing = InThread(_commit_elsewhere, elsewhere, inside, go)
    committing.result(30)
    words = [event.payload.decode() for event in feed.read(EVERYTHING, 0, 10)]
    assert ["first" in words[0], "second" in words[1]] == [True, True]


def _commit_elsewhere(elsewhere: Feed, inside: threading.Event, go: threading.Event) -> None:
    inside.wait(10)
    waiting = InThread(elsewhere.append, messages("second"))
    assert not waiting.is_over()
    go.set()
    waiting.result(30)


def test_an_append_counts_only_its_own(feed: Feed, elsewhere: Feed) -> None:
    counted: dict[str, int] = {"feed": 0, "elsewhere": 0}

    def write(name: str, feed: Feed) -> None:
        for number in range(30):
            counted[name] += feed.append(messages(f"{name}-{number}", f"{name}-{number}"))

    threads = [InThread(write, "feed", feed), InThread(write, "elsewhere", elsewhere)]
    for thread in threads:
        thread.result(30)
    assert counted == {"feed": 30, "elsewhere": 30}


def test_a_state_and_the_event_that_tells_of_it_are_committed_together(
    feed: Feed, store: Store
) -> None:
    def fail() -> None:
        with store.write() as unit:
            feed.tell(unit, messages("lost"))
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        fail()
    assert seqs(feed) == []
    with store.write() as unit:
        feed.tell(unit, messages("a", "b"))
        feed.tell(unit, messages("c"))
    assert len(seqs(feed)) == 3


def test_the_totals_say_what_is_there(feed: Feed, store: Store) -> None:
    feed.append(messages("a", "b", "a"))
    feed.append(messages("b", "c"))
    with store.read() as connection:
        count = connection.scalar(sa.select(sa.func.count()).select_from(events))
        size_bytes = connection.scalar(sa.select(sa.func.sum(sa.func.length(events.c.payload))))
        totals = connection.execute(sa.select(feed_totals)).one()
    assert (totals.events, totals.size_bytes) == (count, size_bytes) == (3, size_bytes)


# -- a database that went back in time: a standby that lagged behind has taken over ------------


def go_back(store: Store, seq: int) -> None:
    """The database as it was when `seq` was its newest."""
    with store.write() as unit:
        unit.execute(sa.delete(events).where(events.c.seq > seq))
        if store.is_postgres:
            unit.go_on_from(events.c.seq, seq)


def test_readers_that_were_further_get_all_that_comes(feed: Feed, store: Store) -> None:
    feed.append(messages(*"abcdef"))
    position = feed.newest_seq()
    go_back(store, 2)
    feed.append(messages("g", "h"))
    assert len(feed.read(EVERYTHING, position, 10)) == 2


def test_readers_of_other_processes_get_it_too(feed: Feed, elsewhere: Feed, store: Store) -> None:
    feed.append(messages(*"abcdef"))
    position = feed.newest_seq()
    with feed.following(EVERYTHING) as follower:
        go_back(store, 2)
        feed.watch.look()  # as after every bell and every few seconds
        elsewhere.append(messages("g"))
        while not (page := follower.read(position, 10)):
            assert follower.wait(Deadline(20))
    assert len(page) == 1
