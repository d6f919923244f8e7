"""How far each reader has got, and that two never get the same."""

from __future__ import annotations

import json
import threading

import pytest
import sqlalchemy as sa

from signal_bridge.clock import Deadline, now_ms
from signal_bridge.errors import StoreUnavailable
from signal_bridge.feed import feed as feed_module
from signal_bridge.feed.cursors import (
    POLL,
    SSE,
    WEBSOCKET,
    Cursors,
    consumer_name,
    cursor_name,
)
from signal_bridge.feed.envelope import arrival_of
from signal_bridge.feed.feed import Feed
from signal_bridge.feed.filters import Filter
from signal_bridge.store.engine import Store
from signal_bridge.store.tables import accounts
from tests.feed.envelopes import ACCOUNT, text
from tests.rpc.far_end import InThread
from tests.support import eventually

NOW = Deadline(0)


@pytest.fixture
def cursors(store: Store) -> Cursors:
    """Of an account that there is."""
    know(store, ACCOUNT)
    return Cursors(store)


def know(store: Store, account: str) -> None:
    row = {"number": account, "state": "linked", "detail": "", "since_ms": 1}
    with store.write() as unit:
        unit.execute(sa.insert(accounts), row)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The clock of the leases: `clock[0] += ms`."""
    clock = [1_700_000_000_000]
    monkeypatch.setattr(
        Store, "clock_ms", property(lambda _: sa.literal(clock[0], sa.BigInteger()))
    )
    return clock


def test_a_new_cursor_begins_before_the_first_event(cursors: Cursors) -> None:
    lease = cursors.take("a", NOW)
    assert lease
    assert lease.position == 0
    assert cursors.position("never used") == 0


def test_a_cursor_goes_on_where_it_was_left(cursors: Cursors) -> None:
    lease = cursors.take("a", NOW)
    assert lease
    lease.finish(7)
    assert cursors.position("a") == 7
    again = cursors.take("a", NOW)
    assert again
    assert again.position == 7


def test_what_was_not_handed_over_is_read_again(cursors: Cursors) -> None:
    lease = cursors.take("a", NOW)
    assert lease
    lease.release()
    again = cursors.take("a", NOW)
    assert again
    assert again.position == 0


def test_a_second_reader_waits_until_the_first_lets_go(cursors: Cursors) -> None:
    first = cursors.take("a", NOW)
    assert first
    assert cursors.take("a", NOW) is None
    second = InThread(cursors.take, "a", Deadline(60))
    threading.Event().wait(0.05)
    assert not second.is_over()
    first.finish(3)
    assert second.result().position == 3


def test_cursors_of_other_names_do_not_wait(cursors: Cursors) -> None:
    assert cursors.take("a", NOW)
    assert cursors.take("b", NOW)


def test_a_reader_that_died_holds_its_lease_only_for_a_while(
    cursors: Cursors, clock: list[int]
) -> None:
    assert cursors.take("a", NOW)
    clock[0] += 3_900
    assert cursors.take("a", NOW) is None
    clock[0] += 2_000
    assert cursors.take("a", NOW)


def test_a_lease_lasts_for_as_long_as_it_is_renewed(cursors: Cursors, clock: list[int]) -> None:
    lease = cursors.take("a", Deadline(1000))
    assert lease
    for _ in range(100):
        clock[0] += int(lease.renew_seconds * 1000)
        assert lease.renew()
        assert cursors.take("a", NOW) is None
    clock[0] += 4_100
    assert cursors.take("a", NOW)
    assert not lease.renew()


def test_a_reader_whose_lease_ran_out_moves_nothing_and_lets_nobody_in(
    cursors: Cursors, clock: list[int]
) -> None:
    late = cursors.take("a", NOW)
    clock[0] += 3_600_000
    current = cursors.take("a", NOW)
    assert late
    assert current
    late.finish(99)
    late.release()
    assert cursors.position("a") == 0
    assert cursors.take("a", NOW) is None
    current.finish(5)
    assert cursors.position("a") == 5


def test_two_pollers_never_get_the_same_message(
    cursors: Cursors, feed: Feed, database_url: str
) -> None:
    """Each with connections of its own, as two processes have."""
    feed.append([arrival_of(text(str(n), timestamp=n)) for n in range(200)])
    got: list[str] = []
    adding = threading.Lock()  # guards got

    def poll_until_empty() -> None:
        store = Store(database_url)
        mine, feed = Cursors(store), Feed(store)
        while True:
            lease = mine.take("poll", Deadline(60))
            assert lease
            events = feed.read(Filter(ACCOUNT), lease.position, 7)
            if not events:
                lease.release()
                break
            with adding:
                got.extend(
                    json.loads(event.payload)["envelope"]["dataMessage"]["message"]
                    for event in events
                )
            lease.finish(events[-1].seq)
        store.close()

    pollers = [InThread(poll_until_empty) for _ in range(4)]
    for poller in pollers:
        poller.result(60)
    assert got == [str(n) for n in range(200)]


# -- where a cursor begins -----------------------------------------------------------------------


POLL_NAME = cursor_name(POLL, Filter(ACCOUNT))
SOCKET_NAME = cursor_name(WEBSOCKET, Filter(ACCOUNT))
HOUR_MS = 3_600_000


def arrive(feed: Feed, monkeypatch: pytest.MonkeyPatch, ages_ms: list[int]) -> list[int]:
    """An event of each age, oldest first; their seqs."""
    for number, age_ms in enumerate(ages_ms):
        with monkeypatch.context() as patch:
            patch.setattr(feed_module, "now_ms", lambda age_ms=age_ms: now_ms() - age_ms)
            feed.append([arrival_of(text(str(number), timestamp=number))])
    return [event.seq for event in feed.read(Filter(ACCOUNT), 0, 100)]


AGES_MS = [5 * HOUR_MS, 3 * HOUR_MS, 2 * HOUR_MS, HOUR_MS + 60_000, HOUR_MS - 60_000, 1000]


def test_the_first_way_of_reading_begins_before_the_first_event(
    cursors: Cursors, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrive(feed, monkeypatch, AGES_MS)
    assert cursors.position(POLL_NAME, ACCOUNT) == 0


def test_a_latecomer_begins_an_hour_back_where_others_have_read_all(
    cursors: Cursors, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    seqs = arrive(feed, monkeypatch, AGES_MS)
    cursors.move(POLL_NAME, seqs[-1], ACCOUNT)
    assert cursors.position(SOCKET_NAME, ACCOUNT) == seqs[3]
    only_typing = cursor_name(POLL, Filter(ACCOUNT, ("typing",)))
    assert cursors.position(only_typing, ACCOUNT) == seqs[3]


def test_a_latecomer_misses_nothing_that_others_have_not_read(
    cursors: Cursors, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    seqs = arrive(feed, monkeypatch, AGES_MS)
    cursors.move(POLL_NAME, seqs[1], ACCOUNT)
    assert cursors.position(SOCKET_NAME, ACCOUNT) == seqs[1]


def test_readers_of_other_accounts_and_consumers_make_nobody_late(
    cursors: Cursors, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    seqs = arrive(feed, monkeypatch, AGES_MS)
    cursors.move(cursor_name(POLL, Filter("+15550000000")), seqs[-1], "+15550000000")
    cursors.move(consumer_name("archive"), seqs[-1])
    assert cursors.position(SOCKET_NAME, ACCOUNT) == 0


# -- one cursor for each filter ------------------------------------------------------------------


def test_a_filter_has_a_cursor_of_its_own() -> None:
    whole, typing = Filter(ACCOUNT), Filter(ACCOUNT, ("typing", "call"))
    names = {
        cursor_name(POLL, whole),
        cursor_name(SSE, whole),
        cursor_name(POLL, typing),
        cursor_name(POLL, Filter(ACCOUNT, senders=("a",))),
        cursor_name(POLL, Filter(ACCOUNT, senders=("a", "b"))),
    }
    assert len(names) == 5
    assert cursor_name(POLL, typing) == cursor_name(POLL, Filter(ACCOUNT, ("call", "typing")))


# -- marks that are gathered ---------------------------------------------------------------------


def test_marks_are_written_down_together_and_read_back_at_once(
    cursors: Cursors, store: Store, database_url: str
) -> None:
    for seq in range(1, 101):
        cursors.mark(SOCKET_NAME, seq, ACCOUNT)
    cursors.mark(SOCKET_NAME, 50, ACCOUNT)  # goes never back
    assert cursors.position(SOCKET_NAME, ACCOUNT) == 100
    elsewhere = Cursors(store)
    eventually(lambda: elsewhere.position(SOCKET_NAME, ACCOUNT) == 100, what="the mark")


def test_closing_writes_down_what_was_marked(cursors: Cursors, store: Store) -> None:
    cursors.mark(SOCKET_NAME, 7, ACCOUNT)
    cursors.close()
    assert Cursors(store).position(SOCKET_NAME, ACCOUNT) == 7


def test_a_mark_that_cannot_be_written_is_kept(
    cursors: Cursors, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    cursors.close()  # no thread: this test writes by itself
    cursors.mark(SOCKET_NAME, 7, ACCOUNT)
    with monkeypatch.context() as patch:
        patch.setattr(store, "write", _away)
        with pytest.raises(StoreUnavailable):
            cursors.flush()
    cursors.flush()
    assert Cursors(store).position(SOCKET_NAME, ACCOUNT) == 7


def _away() -> object:
    raise StoreUnavailable("away")
