"""`seq` is the order of commits: whoever has seen one has seen all below it, whoever writes."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from signal_bridge.clock import Deadline
from signal_bridge.inbox.envelope import arrival_of
from signal_bridge.inbox.event import Arrival
from signal_bridge.inbox.filters import OWN_KINDS, SIGNAL_KINDS, Filter
from signal_bridge.inbox.own import own_event
from signal_bridge.inbox.store import Inbox
from signal_bridge.store.engine import Store
from signal_bridge.store.tables import events, feed_totals
from tests.inbox.envelopes import ACCOUNT, text
from tests.rpc.far_end import InThread

EVERYTHING = Filter(kinds=(*SIGNAL_KINDS, *OWN_KINDS))
BATCHES, BATCH = 20, 25


@pytest.fixture
def elsewhere(database_url: str) -> Iterator[Inbox]:
    """The same feed, as another process has it."""
    store = Store(database_url)
    yield Inbox(store)
    store.close()


def messages(*words: str) -> list[Arrival]:
    return [arrival_of(text(word)) for word in words]


def seqs(inbox: Inbox, after: int = 0) -> list[int]:
    return [event.seq for event in inbox.read(EVERYTHING, after, 100_000)]


def test_a_reader_beside_two_writers_passes_nothing(
    inbox: Inbox, elsewhere: Inbox, database_url: str
) -> None:
    done = threading.Event()
    seen: list[int] = []

    def follow() -> None:
        store = Store(database_url)
        feed, after = Inbox(store), 0
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
        inbox.append(messages(*(f"{batch}-{number}" for number in range(BATCH))))
    done.set()
    for thread in threads:
        thread.result(30)
    assert seen == seqs(inbox)


def test_who_commits_later_has_the_higher_number(inbox: Inbox, elsewhere: Inbox) -> None:
    """Another writes and is at its last step; whoever comes now waits until that is committed."""
    with inbox._store.write() as unit:
        inbox.tell(unit, messages("first"))
        inside, go = threading.Event(), threading.Event()
        unit.before_commit(lambda: (inside.set(), go.wait(10)))
        committing = InThread(_commit_elsewhere, elsewhere, inside, go)
    committing.result(30)
    words = [event.payload.decode() for event in inbox.read(EVERYTHING, 0, 10)]
    assert ["first" in words[0], "second" in words[1]] == [True, True]


def _commit_elsewhere(elsewhere: Inbox, inside: threading.Event, go: threading.Event) -> None:
    inside.wait(10)
    waiting = InThread(elsewhere.append, messages("second"))
    assert not waiting.is_over()
    go.set()
    waiting.result(30)


def test_an_append_counts_only_its_own(inbox: Inbox, elsewhere: Inbox) -> None:
    counted: dict[str, int] = {"inbox": 0, "elsewhere": 0}

    def write(name: str, feed: Inbox) -> None:
        for number in range(30):
            counted[name] += feed.append(messages(f"{name}-{number}", f"{name}-{number}"))

    threads = [InThread(write, "inbox", inbox), InThread(write, "elsewhere", elsewhere)]
    for thread in threads:
        thread.result(30)
    assert counted == {"inbox": 30, "elsewhere": 30}


def test_a_state_and_the_event_that_tells_of_it_are_committed_together(
    inbox: Inbox, store: Store
) -> None:
    def fail() -> None:
        with store.write() as unit:
            inbox.tell(unit, messages("lost"))
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        fail()
    assert seqs(inbox) == []
    with store.write() as unit:
        inbox.tell(unit, messages("a", "b"))
        inbox.tell(unit, messages("c"))
    assert len(seqs(inbox)) == 3


def test_the_totals_say_what_is_there(inbox: Inbox, store: Store) -> None:
    inbox.append(messages("a", "b", "a"))
    inbox.append(messages("b", "c"))
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


def test_readers_that_were_further_get_all_that_comes(inbox: Inbox, store: Store) -> None:
    inbox.append(messages(*"abcdef"))
    position = inbox.newest_seq()
    go_back(store, 2)
    inbox.append(messages("g", "h"))
    assert len(inbox.read(EVERYTHING, position, 10)) == 2


def test_readers_of_other_processes_get_it_too(
    inbox: Inbox, elsewhere: Inbox, store: Store
) -> None:
    inbox.append(messages(*"abcdef"))
    position = inbox.newest_seq()
    with inbox.following(EVERYTHING) as follower:
        go_back(store, 2)
        inbox.watch.look()  # as after every bell and every few seconds
        elsewhere.append(messages("g"))
        while not (page := follower.read(position, 10)):
            assert follower.wait(Deadline(20))
    assert len(page) == 1
