"""Old events go, and nobody is left to wonder where they went."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from signal_bridge.feed.cursors import POLL, Cursors, consumer_name, cursor_name
from signal_bridge.feed.feed import Feed
from signal_bridge.feed.filters import Filter
from signal_bridge.feed.retention import Retention
from signal_bridge.store.engine import Store
from signal_bridge.store.tables import events, pruned
from tests.feed.retained import (
    ACCOUNT,
    ANOTHER,
    SIZE,
    add_webhook,
    counts,
    fill,
    park,
    parked_seqs,
    reports,
    seqs,
    settings_of,
    summed,
    totals,
)

Prune = Callable[..., None]


@pytest.fixture
def prune(store: Store, tmp_path: Path) -> Prune:
    """Removes events: `prune(days=30, bytes=0)`."""

    def prune(**changes: int) -> None:
        Retention(settings_of(tmp_path, **changes), store, Feed(store)).prune_events()

    return prune


# -- what goes ---------------------------------------------------------------------------------


def test_events_older_than_allowed_go_and_the_others_stay(store: Store, prune: Prune) -> None:
    fill(store, 3, age_days=40)
    fresh = fill(store, 2)
    prune()
    assert seqs(store) == fresh


def test_the_oldest_go_until_the_rest_fits(store: Store, prune: Prune) -> None:
    added = fill(store, 10)
    prune(bytes=450)
    assert seqs(store) == added[-4:]


def test_zero_is_for_ever(store: Store, prune: Prune) -> None:
    added = fill(store, 3, age_days=4000)
    prune(days=0, bytes=0)
    assert seqs(store) == added


def test_a_feed_without_events_has_nothing_to_lose(store: Store, prune: Prune) -> None:
    prune(bytes=1)
    assert reports(store) == []


def test_much_more_than_goes_at_once_goes_all_the_same(store: Store, prune: Prune) -> None:
    fill(store, 1701, age_days=40)
    fresh = fill(store, 3)
    prune()
    assert seqs(store) == fresh
    assert [counts(one) for one in reports(store)] == [(1701, 1701, 0)]


def test_events_larger_than_what_goes_at_once_go_one_by_one(
    store: Store, prune: Prune, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signal_bridge.feed.retention._BATCH_BYTES", SIZE // 2)
    fill(store, 3, age_days=40)
    fresh = fill(store, 2)
    prune()
    assert seqs(store) == fresh


def test_the_totals_stay_true(store: Store, prune: Prune) -> None:
    fill(store, 600, age_days=40)
    fill(store, 30)
    prune(bytes=SIZE * 20)
    assert totals(store) == summed(store)
    assert totals(store)[0] == 21  # twenty that fit, and what is told of the others


def test_a_seq_is_never_used_again(store: Store, prune: Prune) -> None:
    last = fill(store, 3, age_days=40)[-1]
    prune()
    assert fill(store, 1)[0] > last


# -- a clock that was wrong --------------------------------------------------------------------


def test_one_event_with_a_wrong_time_does_not_take_those_before_it_along(
    store: Store, prune: Prune
) -> None:
    added = fill(store, 100) + fill(store, 1, age_days=40) + fill(store, 10)
    prune()
    assert seqs(store) == added


def test_what_arrived_before_the_clock_was_set_stays_for_signal_knows_when_it_came(
    store: Store, prune: Prune
) -> None:
    added = fill(store, 40, age_days=40, delivered_days_ago=0) + fill(store, 5)
    prune()
    assert seqs(store) == added


def test_what_came_while_the_clock_was_years_ahead_is_not_kept_for_years(
    store: Store, prune: Prune
) -> None:
    fill(store, 700, age_days=-4000, delivered_days_ago=40)
    fill(store, 700, age_days=40)
    fresh = fill(store, 5)
    prune()
    assert seqs(store) == fresh


def test_an_event_of_the_future_does_not_keep_the_old_ones_behind_it(
    store: Store, prune: Prune
) -> None:
    fill(store, 1, age_days=-4000)
    fill(store, 3, age_days=40)
    fresh = fill(store, 5)
    prune()
    assert seqs(store) == fresh


def test_a_lone_old_message_of_a_quiet_account_goes_when_signal_says_so_too(
    store: Store, prune: Prune
) -> None:
    fill(store, 1, age_days=31, delivered_days_ago=31)
    later = fill(store, 1, age_days=12)
    prune()
    assert seqs(store) == later


def test_a_lone_old_event_that_only_our_clock_vouches_for_goes_with_the_next(
    store: Store, prune: Prune
) -> None:
    added = fill(store, 1, age_days=42) + fill(store, 1, age_days=12)
    prune()
    assert seqs(store) == added
    prune(days=10)
    assert seqs(store) == []


# -- what is told ------------------------------------------------------------------------------


def test_a_reader_whose_cursor_is_older_is_told_the_gap(store: Store, prune: Prune) -> None:
    first, _second, third = fill(store, 3, age_days=40)
    fill(store, 1)
    prune()
    feed = Feed(store)
    gap = feed.read(Filter(ACCOUNT), first, 10).gap
    assert gap is not None
    assert (gap.first_seq, gap.last_seq) == (first + 1, third)
    assert feed.read(Filter(ACCOUNT), third, 10).gap is None
    assert feed.read(Filter(ANOTHER), 0, 10).gap is None


def test_what_nobody_has_read_and_what_is_parked_is_counted_and_told(
    store: Store, prune: Prune
) -> None:
    added = fill(store, 5, age_days=40)
    Cursors(store).move(cursor_name(POLL, Filter(ACCOUNT)), added[1], ACCOUNT)
    park(store, added[3])
    prune()
    (report,) = reports(store)
    assert report["event"] == "feed.pruned"
    assert (report["account"], report["through"]) == (ACCOUNT, added[-1])
    assert counts(report) == (5, 3, 1)
    assert parked_seqs(store) == []


def test_what_is_parked_and_kept_stays_parked(store: Store, prune: Prune) -> None:
    old = fill(store, 2, age_days=40)
    (fresh,) = fill(store, 1)
    for seq in (*old, fresh):
        park(store, seq)
        park(store, seq, webhook_id="another")
    prune()
    assert parked_seqs(store) == [fresh, fresh]
    assert counts(reports(store)[0]) == (2, 2, 4)


def test_an_account_is_read_as_far_as_its_furthest_reader(store: Store, prune: Prune) -> None:
    mine = fill(store, 5, age_days=40)
    other = fill(store, 5, age_days=40, account=ANOTHER)
    cursors = Cursors(store)
    cursors.move(cursor_name(POLL, Filter(ACCOUNT)), mine[0], ACCOUNT)
    cursors.move(cursor_name(POLL, Filter(ACCOUNT, ("message",))), mine[2], ACCOUNT)
    cursors.move(consumer_name("backup"), other[-1])
    add_webhook(store, ANOTHER, other[3])
    prune()
    assert {one["account"]: counts(one)[1] for one in reports(store)} == {ACCOUNT: 2, ANOTHER: 1}


def test_who_reads_every_account_has_read_each(store: Store, prune: Prune) -> None:
    added = fill(store, 3, age_days=40) + fill(store, 3, age_days=40, account=ANOTHER)
    add_webhook(store, "*", added[-2])
    prune()
    assert {one["account"]: counts(one)[1] for one in reports(store)} == {ACCOUNT: 0, ANOTHER: 1}


def test_what_was_told_is_not_told_again(store: Store, prune: Prune) -> None:
    fill(store, 3, age_days=40)
    prune()
    prune()
    fill(store, 2, age_days=40)
    prune(days=20)
    # the report in between is fresh, and keeps what looks older behind it
    assert [counts(one)[0] for one in reports(store)] == [3]


def test_that_an_earlier_report_goes_is_not_reported(store: Store, prune: Prune) -> None:
    fill(store, 3, age_days=40)
    prune()
    with store.write() as unit:
        unit.execute(sa.update(events).values(received_at_ms=0))
    prune()
    assert reports(store) == []
    gap = Feed(store).read(Filter(ACCOUNT, ("feed.pruned",)), 0, 1).gap
    assert gap is not None
    assert gap.last_seq > 3


def test_where_a_gap_ends_never_goes_back(store: Store, prune: Prune) -> None:
    added = fill(store, 2, age_days=40)
    with store.write() as unit:
        row = {"account": ACCOUNT, "kind": "message", "through_seq": 1000, "removed": 0}
        unit.execute(sa.insert(pruned).values(**row, unread=0, parked=0))
    prune()
    gap = Feed(store).read(Filter(ACCOUNT), added[0], 10).gap
    assert gap is not None
    assert gap.last_seq == 1000
    assert [counts(one)[0] for one in reports(store)] == [2]
