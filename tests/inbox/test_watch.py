"""One reader of the feed wakes whom an event concerns, and nobody else."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from signal_bridge.clock import Deadline
from signal_bridge.inbox import watch as module
from signal_bridge.inbox.envelope import arrival_of
from signal_bridge.inbox.event import Event
from signal_bridge.inbox.filters import SIGNAL_KINDS, Filter
from signal_bridge.inbox.own import own_event
from signal_bridge.inbox.store import Inbox
from signal_bridge.inbox.watch import Tail
from signal_bridge.store.engine import Store
from signal_bridge.store.tables import events, pruned
from tests.inbox.envelopes import ACCOUNT, text
from tests.support import eventually

ANOTHER = "+15559990000"
MINE = Filter(ACCOUNT)


class Woken:
    """Counts how often a follower was woken."""

    def __init__(self, inbox: Inbox, wanted: Filter) -> None:
        self.times = 0
        self.follower = inbox.watch.follow(wanted, self)

    def __call__(self) -> None:
        self.times += 1


def event(seq: int, account: str = ACCOUNT, kind: str = "message", size: int = 10) -> Event:
    return Event(seq, account, kind, 0, b"x" * size, f"evt_{seq}", "uuid", "+1999")


# -- whom it wakes -----------------------------------------------------------------------------


def test_an_event_wakes_whom_it_concerns(inbox: Inbox) -> None:
    concerned = [
        Woken(inbox, wanted)
        for wanted in (MINE, Filter(), Filter(ACCOUNT, ("message",)), Filter(ACCOUNT, senders=()))
    ]
    others = [
        Woken(inbox, wanted)
        for wanted in (
            Filter(ANOTHER),
            Filter(ACCOUNT, ("typing",)),
            Filter(ACCOUNT, ("account.linked",)),
            Filter(ACCOUNT, senders=("nobody",)),
        )
    ]
    inbox.append([arrival_of(text("a"))])
    eventually(lambda: all(one.times for one in concerned), what="all that are concerned")
    assert [one.times for one in others] == [0, 0, 0, 0]


def test_one_event_wakes_one_of_a_thousand(inbox: Inbox) -> None:
    many = [Woken(inbox, Filter(f"+1555{number:07}")) for number in range(1000)]
    inbox.append([arrival_of(text("a", account="+15550000007"))])
    eventually(lambda: many[7].times, what="the one")
    assert sum(one.times for one in many) == 1


def test_what_the_bridge_says_of_no_account_is_for_all_who_want_it(inbox: Inbox) -> None:
    own = Woken(inbox, Filter(ACCOUNT, (*SIGNAL_KINDS, "daemon.restarted")))
    other = Woken(inbox, MINE)
    inbox.append([own_event("daemon.restarted")])
    eventually(lambda: own.times, what="who wants it")
    assert other.times == 0


def test_who_has_left_is_woken_no_more(inbox: Inbox) -> None:
    gone, stays = Woken(inbox, MINE), Woken(inbox, MINE)
    inbox.watch.leave(gone.follower)
    inbox.append([arrival_of(text("a"))])
    eventually(lambda: stays.times, what="the one that stays")
    assert gone.times == 0


def test_closing_wakes_everybody(inbox: Inbox) -> None:
    with inbox.following(MINE) as follower:
        inbox.close()
        assert follower.wait(Deadline(20))
        assert inbox.closing


# -- what they read ----------------------------------------------------------------------------


def test_who_keeps_up_reads_from_memory(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    woken = [Woken(inbox, MINE) for _ in range(50)]
    inbox.append([arrival_of(text("a"))])
    eventually(lambda: all(one.times for one in woken), what="all of them")
    monkeypatch.setattr(inbox, "read", None)
    pages = [one.follower.read(0, 10) for one in woken]
    assert {page.through for page in pages} == {pages[0][0].seq}
    assert all(page[0] is pages[0][0] for page in pages)


def test_who_lags_reads_from_the_database(inbox: Inbox) -> None:
    inbox.append([arrival_of(text("before"))])
    woken = Woken(inbox, MINE)
    assert len(woken.follower.read(0, 10)) == 1


def test_who_begins_where_everything_was_removed_is_told_of_the_gap(
    inbox: Inbox, store: Store
) -> None:
    inbox.append([arrival_of(text("a")), arrival_of(text("b"))])
    newest = inbox.newest_seq()
    gone = {"account": ACCOUNT, "kind": "message", "through_seq": newest}
    with store.write() as unit:
        unit.execute(sa.delete(events))
        unit.execute(sa.insert(pruned), {**gone, "removed": 2, "unread": 2, "parked": 0})
    assert inbox.newest_seq() == newest
    page = Woken(inbox, MINE).follower.read(0, 10)
    assert page.gap
    assert (page.gap.last_seq, page.through) == (newest, newest)


def test_a_burst_that_is_more_than_the_tail_takes_loses_nothing(inbox: Inbox) -> None:
    woken, position, got = Woken(inbox, MINE), 0, []
    for batch in range(4):
        numbers = range(batch * 400, batch * 400 + 400)
        inbox.append([arrival_of(text(str(number), timestamp=number)) for number in numbers])
    while len(got) < 1600:
        seen = woken.times
        while page := woken.follower.read(position, 100):
            got += [one.seq for one in page]
            position = page.through
        if len(got) < 1600:
            eventually(lambda seen=seen: woken.times > seen, 20, "a word of the rest")
    assert got == sorted(set(got))
    assert len(got) == 1600


def test_what_is_not_wanted_need_not_be_looked_at_again(inbox: Inbox) -> None:
    woken, other = Woken(inbox, Filter(ACCOUNT, ("typing",))), Woken(inbox, MINE)
    inbox.append([arrival_of(text(str(n), timestamp=n)) for n in range(5)])
    eventually(lambda: other.times, what="the events to be seen")
    page = woken.follower.read(0, 10)
    assert not page
    assert page.through == inbox.newest_seq()


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


def test_an_event_larger_than_the_tail_is_read_from_the_database(inbox: Inbox) -> None:
    woken = Woken(inbox, MINE)
    inbox.append([arrival_of(text("x" * (module._TAIL_BYTES + 1)))])
    eventually(lambda: woken.times, what="a word of it")
    assert len(woken.follower.read(0, 10)) == 1


def test_followers_survive_that_the_database_is_away(
    inbox: Inbox, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken, failed = Woken(inbox, MINE), []
    real = inbox.read_all

    def fail_once(*arguments: int) -> object:
        if not failed:
            failed.append(True)
            raise OSError("out of files")
        return real(*arguments)

    monkeypatch.setattr(inbox, "read_all", fail_once)
    inbox.append([arrival_of(text("a"))])
    eventually(lambda: woken.times, 20, "a follower that is woken all the same")
    assert failed
