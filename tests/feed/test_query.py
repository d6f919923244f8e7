"""Reading costs the same however long the backlog: every run is along an index."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signal_bridge.feed import query
from signal_bridge.feed.event import Arrival, Event
from signal_bridge.feed.feed import COUNTED_MOST, Feed
from signal_bridge.feed.filters import OWN_KINDS, SIGNAL_KINDS, Filter
from signal_bridge.store.engine import Store
from signal_bridge.store.migrations import migrate
from signal_bridge.store.tables import pruned

ACCOUNTS = ("+1", "+2", "")
SENDERS = ("a", "b")
ALL_KINDS = (*SIGNAL_KINDS, *OWN_KINDS)

filters = st.builds(
    Filter,
    account=st.sampled_from(("*", "+1", "+2", "+3")),
    kinds=st.one_of(
        st.sampled_from((SIGNAL_KINDS, ALL_KINDS, ("message",), ("typing", "call"))),
        st.lists(st.sampled_from(ALL_KINDS), min_size=1, unique=True).map(tuple),
    ),
    senders=st.sampled_from(((), (), ("a",), ("b", "+2"))),
)


@pytest.fixture(scope="module")
def feed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Feed]:
    """A feed with every kind of every account, from two senders, several times."""
    store = Store(f"sqlite:///{tmp_path_factory.mktemp('feed')}/bridge.db")
    migrate(store)
    feed = Feed(store)
    feed.append(
        [
            Arrival(account, kind, f"{turn}{account}{kind}{sender}", b"{}", sender, f"+{sender}")
            for turn in range(3)
            for kind in ALL_KINDS
            for account in ACCOUNTS
            for sender in SENDERS
        ]
    )
    yield feed
    store.close()


def everything(feed: Feed) -> list[Event]:
    return list(feed.read(Filter(kinds=ALL_KINDS), 0, 100_000))


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wanted=filters, after=st.integers(0, 400), limit=st.integers(1, 50))
def test_the_database_and_memory_agree_on_what_is_wanted(
    feed: Feed, wanted: Filter, after: int, limit: int
) -> None:
    expected = [one for one in everything(feed) if one.seq > after and wanted.matches(one)]
    if wanted.senders:  # what the bridge says has no sender
        expected = [one for one in expected if one.account or wanted.account == "*"]
    assert list(feed.read(wanted, after, limit)) == expected[:limit]
    assert feed.count_after(wanted, after) == len(expected)


PLANS = [
    Filter("+1"),
    Filter("+1", ("message",)),
    Filter("+1", ("typing", "call")),
    Filter("+1", ALL_KINDS),
    Filter("*"),
    Filter("*", ("message",)),
    Filter("*", ALL_KINDS),
]


@pytest.mark.parametrize("wanted", PLANS)
def test_no_page_sorts_or_scans_the_backlog(feed: Feed, wanted: Filter) -> None:
    statement = query.page(wanted).params(query.values(wanted, 5, 50))
    with feed._store.read() as connection:
        text = str(statement.compile(connection, compile_kwargs={"literal_binds": True}))
        plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}")]
    reads = [step for step in plan if " events" in step]
    assert reads
    assert all("SEARCH events USING" in step for step in reads), plan
    found, *looked_at = reads  # each by its number, which was found along an index
    assert "rowid=?" in found, plan
    assert all("seq>?" in step or "rowid>?" in step for step in looked_at), plan


def test_a_large_lag_is_counted_up_to_a_limit_and_then_estimated(
    feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Filter(kinds=ALL_KINDS)
    assert feed.count_after(whole, 0) == len(everything(feed)) < COUNTED_MOST
    monkeypatch.setattr("signal_bridge.feed.feed.COUNTED_MOST", 20)
    assert feed.count_after(whole, 0) == len(everything(feed))  # as dense as what was counted
    assert 20 <= feed.count_after(Filter("+1"), 0) <= len(everything(feed))


def test_the_lag_of_a_sender_is_estimated_from_what_is_looked_at(
    feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of all events are one sender's."""
    wanted, newest = Filter(kinds=ALL_KINDS, senders=("a",)), feed.newest_seq()
    assert feed.count_after(wanted, 0) == newest // 2
    monkeypatch.setattr("signal_bridge.feed.feed.COUNTED_MOST", 20)
    assert feed.count_after(wanted, 0) == newest // 2
    assert feed.count_after(wanted, newest) == feed.count_after(wanted, newest + 7) == 0


def test_the_lags_of_many_readers_are_told_by_numbers(feed: Feed) -> None:
    newest = feed.newest_seq()
    assert feed.lags([0, newest - 3, newest, newest + 5]) == [len(everything(feed)), 3, 0, 0]


def test_a_page_tells_what_is_no_longer_kept(feed: Feed) -> None:
    row = {"removed": 0, "unread": 0, "parked": 0}
    with feed._store.write() as unit:
        unit.execute(
            sa.insert(pruned), [{"account": "+9", "kind": "message", "through_seq": 7, **row}]
        )
    page = feed.read(Filter("+9"), 2, 10)
    assert page.gap
    assert (page.gap.first_seq, page.gap.last_seq, page.through) == (3, 7, 7)
    assert feed.read(Filter("+9"), 7, 10).gap is None
    assert feed.read(Filter("+9", ("typing",)), 2, 10).gap is None
    assert feed.read(Filter("+8"), 2, 10).gap is None
    assert feed.read(Filter("*"), 2, 10).gap == page.gap
    with feed._store.write() as unit:
        unit.execute(sa.delete(pruned))
