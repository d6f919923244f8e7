"""One reader of the feed wakes whom an event concerns, and nobody else."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from signal_bridge.clock import Deadline
from signal_bridge.feed import watch as module
from signal_bridge.feed.envelope import arrival_of
from signal_bridge.feed.event import Event
from signal_bridge.feed.feed import Feed
from signal_bridge.feed.filters import SIGNAL_KINDS, Filter
from signal_bridge.feed.own import own_event
from signal_bridge.feed.watch import Tail
from signal_bridge.store.engine import Store
from signal_bridge.store.tables import events, pruned
from tests.feed.envelopes import ACCOUNT, text
from tests.support import eventually

ANOTHER = "+15559990000"
MINE = Filter(ACCOUNT)


class Woken:
    """Counts how often a follower was woken."""

    def __init__(self, feed: Feed, wanted: Filter) -> None:
        self.times = 0
        self.follower = feed.watch.follow(wanted, self)

    def __call__(self) -> None:
        self.times += 1


def event(seq: int, account: str = ACCOUNT, kind: str = "message", size: int = 10) -> Event:
    return Event(seq, account, kind, 0, b"x" * size, f"evt_{seq}", "uuid", "+1999")


# -- whom it wakes -----------------------------------------------------------------------------


def test_an_event_wakes_whom_it_concerns(feed: Feed) -> None:
    concerned = [
        Woken(feed, wanted)
        for wanted in (MINE, Filter(), Filter(ACCOUNT, ("message",)), Filter(ACCOUNT, senders=()))
    ]
    others = [
        Woken(feed, wanted)
        for wanted in (
            Filter(ANOTHER),
            Filter(ACCOUNT, ("typing",)),
            Filter(ACCOUNT, ("account.linked",)),
            Filter(ACCOUNT, senders=("nobody",)),
        )
    ]
    feed.append([arrival_of(text("a"))])
    eventually(lambda: all(one.times for one in concerned), what="all that are concerned")
    assert [one.times for one in others] == [0, 0, 0, 0]


def test_one_event_wakes_one_of_a_thousand(feed: Feed) -> None:
    many = [Woken(feed, Filter(f"+1555{number:07}")) for number in range(1000)]
    feed.append([arrival_of(text("a", account="+15550000007"))])
    eventually(lambda: many[7].times, what="the one")
    assert sum(one.times for one in many) == 1


def test_what_the_bridge_says_of_no_account_is_for_all_who_want_it(feed: Feed) -> None:
    own = Woken(feed, Filter(ACCOUNT, (*SIGNAL_KINDS, "daemon.restarted")))
    other = Woken(feed, MINE)
    feed.append([own_event("daemon.restarted")])
    eventually(lambda: own.times, what="who wants it")
    assert other.times == 0


def test_who_has_left_is_woken_no_more(feed: Feed) -> None:
    gone, stays = Woken(feed, MINE), Woken(feed, MINE)
    feed.watch.leave(gone.follower)
    feed.append([arrival_of(text("a"))])
    eventually(lambda: stays.times, what="the one that stays")
    assert gone.times == 0


def test_closing_wakes_everybody(feed: Feed) -> None:
    with feed.following(MINE) as follower:
        feed.close()
        assert follower.wait(Deadline(20))
        assert feed.closing


# -- what they read ----------------------------------------------------------------------------


def test_who_keeps_up_reads_from_memory(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    woken = [Woken(feed, MINE) for _ in range(50)]
    feed.append([arrival_of(text("a"))])
    eventually(lambda: all(one.times for one in woken), what="all of them")
    monkeypatch.setattr(feed, "read", None)
    pages = [one.follower.read(0, 10) for one in woken]
    assert {page.through for page in pages} == {pages[0][0].seq}
    assert all(page[0] is pages[0][0] for page in pages)


def test_who_lags_reads_from_the_database(feed: Feed) -> None:
    feed.append([arrival_of(text("before"))])
    woken = Woken(feed, MINE)
    assert len(woken.follower.read(0, 10)) == 1


def test_who_begins_where_everything_was_removed_is_told_of_the_gap(
    feed: Feed, store: Store
) -> None:
    feed.append([arrival_of(text("a")), arrival_of(text("b"))])
    newest = feed.newest_seq()
    gone = {"account": ACCOUNT, "kind": "message", "through_seq": newest}
    with store.write() as unit:
        unit.execute(sa.delete(events))
        unit.execute(sa.insert(pruned), {**gone, "removed": 2, "unread": 2, "parked": 0})
    assert feed.newest_seq() == newest
    page = Woken(feed, MINE).follower.read(0, 10)
    assert page.gap
    assert (page.gap.last_seq, page.through) == (newest, newest)


def test_a_burst_that_is_more_than_the_tail_takes_loses_nothing(feed: Feed) -> None:
    woken, position, got = Woken(feed, MINE), 0, []
    for batch in range(4):
        numbers = range(batch * 400, batch * 400 + 400)
        feed.append([arrival_of(text(str(number), timestamp=number)) for number in numbers])
    while len(got) < 1600:
        seen = woken.times
        while page := woken.follower.read(position, 100):
            got += [one.seq for one in page]
            position = page.through
        if len(got) < 1600:
            eventually(lambda seen=seen: woken.times > seen, 20, "a word of the rest")
    assert got == sorted(set(got))
    assert len(got) == 1600


def test_what_is_not_wanted_need_not_be_looked_at_again(feed: Feed) -> None:
    woken, other = Woken(feed, Filter(ACCOUNT, ("typing",))), Woken(feed, MINE)
    feed.append([arrival_of(text(str(n), timestamp=n)) for n in range(5)])
    eventually(lambda: other.times, what="the events to be seen")
    page = woken.follower.read(0, 10)
    assert not page
    assert page.through == feed.newest_seq()


# -- the tail ----------------------------------------------------------------------------------


def test_the_tail_is_complete_above_where_it_begins() -> None:
    tail = Tail(10)
    tail.extend([event(11), event(13, ANOTHER), event(14)])
    assert tail.page(MINE, 9, 10) is None
    page = tail.page(MINE, 10, 10)
    assert page
    assert [one.seq for one in page] == [11, 14]
    rest = tail.page(MINE, 14, 10)
    assert rest is not None
    assert (len(rest), rest.through) == (0, 14)


def test_a_page_of_the_tail_ends_at_its_limit() -> None:
    tail = Tail(0)
    tail.extend([event(seq) for seq in range(1, 10)])
    page = tail.page(MINE, 2, 3)
    assert page
    assert ([one.seq for one in page], page.through) == ([3, 4, 5], 5)


@pytest.mark.parametrize("size", [10, 100_000])
def test_the_tail_is_bounded_in_events_and_bytes(size: int) -> None:
    tail = Tail(0)
    for seq in range(1, 3 * module._TAIL_EVENTS):
        tail.extend([event(seq, size=size)])
        assert len(tail._events) <= module._TAIL_EVENTS
        assert tail._size_bytes <= module._TAIL_BYTES
        assert tail.newest == seq
        assert [one.seq for one in tail._events] == list(range(tail.after + 1, seq + 1))


def test_an_event_larger_than_the_tail_is_read_from_the_database(feed: Feed) -> None:
    woken = Woken(feed, MINE)
    feed.append([arrival_of(text("x" * (module._TAIL_BYTES + 1)))])
    eventually(lambda: woken.times, what="a word of it")
    assert len(woken.follower.read(0, 10)) == 1


def test_followers_survive_that_the_database_is_away(
    feed: Feed, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken, failed = Woken(feed, MINE), []
    real = feed.read_all

    def fail_once(*arguments: int) -> object:
        if not failed:
            failed.append(True)
            raise OSError("out of files")
        return real(*arguments)

    monkeypatch.setattr(feed, "read_all", fail_once)
    feed.append([arrival_of(text("a"))])
    eventually(lambda: woken.times, 20, "a follower that is woken all the same")
    assert failed
