"""Whose cursors there may be, how many, and when one goes."""

from __future__ import annotations

import contextlib

import pytest
import sqlalchemy as sa

from signal_bridge.clock import Deadline, now_ms
from signal_bridge.errors import RequestError
from signal_bridge.feed.cursor_rows import Bounds
from signal_bridge.feed.cursors import (
    EVENTS,
    POLL,
    SSE,
    WEBSOCKET,
    Cursors,
    consumer_name,
    cursor_name,
)
from signal_bridge.feed.envelope import arrival_of
from signal_bridge.feed.feed import Feed
from signal_bridge.feed.filters import EVERY_ACCOUNT, Filter
from signal_bridge.feed.removal import KEEP_LINKS_MS, Removal
from signal_bridge.store.engine import Store
from signal_bridge.store.tables import cursors as rows
from signal_bridge.store.tables import leases, links
from tests.feed.envelopes import ACCOUNT, text
from tests.feed.test_cursors import know
from tests.rpc.far_end import InThread

NOW = Deadline(0)
FEW = Bounds(filters=3, consumers=3)
STRANGER = "+15550000000"
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
WHOLE = cursor_name(POLL, Filter(ACCOUNT))


@pytest.fixture
def cursors(store: Store) -> Cursors:
    """Of an account that there is, with bounds that are soon met."""
    know(store, ACCOUNT)
    return Cursors(store, FEW)


@pytest.fixture
def removal(store: Store, feed: Feed) -> Removal:
    return Removal(store, feed)


def filtered(number: int, way: str = POLL, account: str = ACCOUNT) -> str:
    return cursor_name(way, Filter(account, senders=(str(number),)))


def read_with(cursors: Cursors, name: str, seq: int, account: str = ACCOUNT) -> None:
    reading = cursors.take(name, NOW, account)
    assert reading is not None
    reading.finish(seq)


def names(store: Store) -> set[str]:
    with store.read() as connection:
        return set(connection.execute(sa.select(rows.c.name)).scalars())


def leased(store: Store) -> set[str]:
    with store.read() as connection:
        return set(connection.execute(sa.select(leases.c.name)).scalars())


def let_time_pass(store: Store, days: float, *which: str) -> None:
    """As if these cursors, or all, had been used so much earlier."""
    with store.write() as unit:
        chosen = rows.c.name.in_(which) if which else sa.true()
        earlier = rows.c.used_ms - round(days * DAY_MS)
        unit.execute(sa.update(rows).where(chosen).values(used_ms=earlier))


# -- whose they are ------------------------------------------------------------------------------


def test_an_account_that_nobody_has_heard_of_has_no_cursor_and_no_lease(
    cursors: Cursors, store: Store
) -> None:
    for number in range(20):
        account = f"{STRANGER}{number}"
        read_with(cursors, cursor_name(POLL, Filter(account)), 9, account)
        cursors.move(cursor_name(POLL, Filter(account)), 9, account)
        cursors.mark(cursor_name(WEBSOCKET, Filter(account)), 9, account)
    cursors.flush()
    assert names(store) == leased(store) == set()


def test_a_reader_without_a_cursor_can_read_all_the_same(cursors: Cursors) -> None:
    name = cursor_name(POLL, Filter(STRANGER))
    first = cursors.take(name, NOW, STRANGER)
    second = cursors.take(name, NOW, STRANGER)
    assert first
    assert second
    assert (first.position, second.position, first.renew()) == (0, 0, True)
    assert first.renew_seconds > 0
    first.finish(7)
    second.release()
    assert cursors.position(name, STRANGER) == 0


def test_an_account_of_which_there_are_events_has_cursors(store: Store, feed: Feed) -> None:
    feed.append([arrival_of(text("hello", timestamp=1))])
    cursors = Cursors(store, FEW)
    read_with(cursors, WHOLE, 1)
    assert names(store) == {WHOLE}


def test_what_belongs_to_an_account_goes_with_it(cursors: Cursors, store: Store) -> None:
    know(store, STRANGER)
    other = cursor_name(POLL, Filter(STRANGER))
    read_with(cursors, WHOLE, 1)
    read_with(cursors, filtered(1), 1)
    read_with(cursors, other, 1, STRANGER)
    cursors.acknowledge("archive", 1)
    cursors.close()  # no thread: what was marked is not written by itself
    cursors.mark(cursor_name(SSE, Filter(ACCOUNT)), 1, ACCOUNT)
    cursors.forget_account(ACCOUNT)
    cursors.flush()
    assert names(store) == {other, consumer_name("archive")}
    assert leased(store) == {other}


# -- how many there may be -----------------------------------------------------------------------


def test_filters_of_an_account_are_bounded_and_the_rest_is_told_so(
    cursors: Cursors, store: Store
) -> None:
    for number in range(3):
        read_with(cursors, filtered(number), 1)
    for way in (POLL, WEBSOCKET, SSE, EVENTS):
        with pytest.raises(RequestError, match="read with 3 filters"):
            cursors.position(filtered(4, way), ACCOUNT)
        with pytest.raises(RequestError, match="read with 3 filters"):
            cursors.take(filtered(4, way), NOW, ACCOUNT)
    cursors.move(filtered(4), 1, ACCOUNT)
    cursors.mark(filtered(4, SSE), 1, ACCOUNT)
    cursors.flush()
    assert names(store) == leased(store) == {filtered(0), filtered(1), filtered(2)}


def test_who_reads_everything_and_who_reads_others_finds_room(
    cursors: Cursors, store: Store
) -> None:
    know(store, STRANGER)
    for number in range(3):
        read_with(cursors, filtered(number), 1)
    for way in (POLL, WEBSOCKET, SSE):
        read_with(cursors, cursor_name(way, Filter(ACCOUNT)), 1)
    read_with(cursors, filtered(4, account=STRANGER), 1, STRANGER)
    read_with(cursors, filtered(4, EVENTS, EVERY_ACCOUNT), 1, EVERY_ACCOUNT)
    assert len(names(store)) == 8


def test_the_filters_of_every_account_are_bounded_too(cursors: Cursors) -> None:
    for number in range(3):
        read_with(cursors, filtered(number, EVENTS, EVERY_ACCOUNT), 1, EVERY_ACCOUNT)
    with pytest.raises(RequestError, match="read with 3 filters"):
        cursors.position(filtered(4, EVENTS, EVERY_ACCOUNT), EVERY_ACCOUNT)


def test_a_filter_that_nobody_has_used_for_a_day_gives_its_place_to_another(
    cursors: Cursors, store: Store
) -> None:
    for number in range(3):
        read_with(cursors, filtered(number), 1)
    let_time_pass(store, 1.1, filtered(0), filtered(1))
    let_time_pass(store, 1, filtered(1))
    read_with(cursors, filtered(4), 1)
    assert names(store) == leased(store) == {filtered(0), filtered(2), filtered(4)}


def test_who_comes_back_in_time_keeps_the_place(cursors: Cursors, store: Store) -> None:
    for number in range(3):
        read_with(cursors, filtered(number), 1)
    let_time_pass(store, 1.1)
    for number in range(3):
        assert cursors.position(filtered(number), ACCOUNT) == 1
    with pytest.raises(RequestError):
        cursors.take(filtered(4), NOW, ACCOUNT)


def test_consumers_are_bounded_and_those_that_are_there_go_on(cursors: Cursors) -> None:
    for number in range(3):
        cursors.acknowledge(f"c{number}", 1)
    with pytest.raises(RequestError, match="There are 3 consumers"):
        cursors.acknowledge("c4", 1)
    cursors.acknowledge("c1", 2)
    assert cursors.consumers() == {"c0": 1, "c1": 2, "c2": 1}
    assert cursors.position(consumer_name("c4")) == 0


def test_a_consumer_that_was_removed_leaves_room_and_begins_anew(cursors: Cursors) -> None:
    for number in range(3):
        cursors.acknowledge(f"c{number}", 2**62)
    assert cursors.forget_consumer("c1")
    assert not cursors.forget_consumer("c1")
    assert cursors.position(consumer_name("c1")) == 0
    cursors.acknowledge("c1", 5)
    assert cursors.position(consumer_name("c1")) == 5


def test_many_who_come_at_once_do_not_pass_the_bound(
    cursors: Cursors, store: Store, database_url: str
) -> None:
    """Each with connections of its own, as processes have."""

    def make(first: int) -> None:
        own = Store(database_url)
        mine = Cursors(own, FEW)
        for number in range(first, first + 5):
            with contextlib.suppress(RequestError):
                read_with(mine, filtered(number), 1)
        own.close()

    threads = [InThread(make, first) for first in range(0, 40, 5)]
    for thread in threads:
        thread.result(60)
    assert len(names(store)) == 3


# -- when one goes -------------------------------------------------------------------------------


def test_a_cursor_that_was_not_used_for_90_days_goes_once_all_it_has_passed_is_gone(
    cursors: Cursors, store: Store, feed: Feed, removal: Removal
) -> None:
    feed.append([arrival_of(text(str(n), timestamp=n)) for n in range(10)])
    read_with(cursors, WHOLE, 5)
    read_with(cursors, filtered(1), 8)
    cursors.acknowledge("old", 5)
    cursors.acknowledge("quick", 10)
    let_time_pass(store, 91)
    assert not removal.remove_rows()
    assert len(names(store)) == 4, "what they have passed would be read again"
    removal.remove(5)
    removal.remove_rows()
    assert names(store) == {filtered(1), consumer_name("quick")}
    assert leased(store) == {filtered(1)}


@pytest.mark.parametrize("days", [0, 89])
def test_a_cursor_that_is_used_stays(
    days: int, cursors: Cursors, store: Store, feed: Feed, removal: Removal
) -> None:
    feed.append([arrival_of(text(str(n), timestamp=n)) for n in range(10)])
    read_with(cursors, WHOLE, 5)
    removal.remove(9)
    let_time_pass(store, days)
    removal.remove_rows()
    assert names(store) == {WHOLE}


def test_who_finds_nothing_for_long_is_still_there(
    cursors: Cursors, store: Store, removal: Removal
) -> None:
    read_with(cursors, WHOLE, 5)
    cursors.acknowledge("archive", 5)
    let_time_pass(store, 100)
    cursors.position(WHOLE, ACCOUNT)
    cursors.position(consumer_name("archive"))
    removal.remove_rows()
    assert len(names(store)) == 2


def test_a_time_that_is_still_to_come_is_put_right(cursors: Cursors, store: Store) -> None:
    read_with(cursors, WHOLE, 5)
    let_time_pass(store, -4000)
    cursors.position(WHOLE, ACCOUNT)
    with store.read() as connection:
        used_ms = connection.scalar(sa.select(rows.c.used_ms))
    assert abs(used_ms - now_ms()) < HOUR_MS


def test_what_an_earlier_version_kept_of_strangers_goes_batch_by_batch(
    cursors: Cursors, store: Store, removal: Removal
) -> None:
    accounts = [f"+1555{number:07}" for number in range(1200)]
    strange = [
        {"name": f"poll:{one}", "account": one, "position": 1, "used_ms": 1} for one in accounts
    ]
    held = [{"name": f"poll:{n}?x", "holder": "", "epoch": 1, "ends_ms": 0} for n in range(700)]
    with store.write() as unit:
        unit.execute(sa.insert(rows), strange)
        unit.execute(sa.insert(leases), held)
    read_with(cursors, WHOLE, 5)
    runs = 1
    while removal.remove_rows():
        runs += 1
    assert runs == 3
    assert names(store) == leased(store) == {WHOLE}


def test_a_lease_that_is_held_stays_and_fences(cursors: Cursors, store: Store) -> None:
    """Epochs begin anew where a row was removed: who held it before is known by its name."""
    reading = cursors.take(WHOLE, NOW, ACCOUNT)
    assert reading
    with store.write() as unit:
        cursors.leases.forget(unit, [WHOLE])
    assert leased(store) == {WHOLE}
    with store.write() as unit:
        unit.execute(sa.delete(leases))
    other = cursors.take(WHOLE, NOW, ACCOUNT)
    assert other
    reading.finish(9)
    assert not reading.renew()
    other.finish(3)
    assert cursors.position(WHOLE, ACCOUNT) == 3


def test_links_that_are_long_over_go(store: Store, removal: Removal) -> None:
    def link(name: str, started_ms: int) -> dict[str, object]:
        over = {"state": "expired", "account": "", "reason": ""}
        return {"id": name, "uri": "", "device_name": "", "started_ms": started_ms, **over}

    with store.write() as unit:
        unit.execute(sa.insert(links), link("old", now_ms() - KEEP_LINKS_MS - HOUR_MS))
        unit.execute(sa.insert(links), link("new", now_ms()))
    removal.remove_rows()
    with store.read() as connection:
        assert list(connection.execute(sa.select(links.c.id)).scalars()) == ["new"]


def test_nothing_is_written_when_nothing_is_to_go(
    store: Store, removal: Removal, cursors: Cursors, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_with(cursors, WHOLE, 5)

    def write() -> None:
        raise AssertionError("written")

    monkeypatch.setattr(store, "write", write)
    assert not removal.remove_rows()
