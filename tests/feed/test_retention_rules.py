"""What is old, decided on evidence that no single wrong time can outvote."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signal_bridge.feed.keeping import (
    DAY_MS,
    Candidate,
    File,
    Limits,
    Reached,
    Tally,
    at_once,
    files_to_remove,
    next_batch,
    tallies,
    through_age,
    through_size,
)
from signal_bridge.feed.removal import delivered_at_ms

NOW_MS = 1_900_000_000_000
KEEP_DAYS = 30
LIMITS = Limits(NOW_MS, NOW_MS - KEEP_DAYS * DAY_MS)

old_days = st.floats(KEEP_DAYS + 0.01, 20_000)
fresh_days = st.floats(0, KEEP_DAYS - 0.01)
any_days = st.floats(-20_000, 20_000)


def at(days_ago: float) -> int:
    return NOW_MS - round(days_ago * DAY_MS)


def window(*days_ago: float, delivered: float | None = None) -> list[Candidate]:
    """Events of these ages by our clock, numbered from 1."""
    theirs = None if delivered is None else at(delivered)
    return [Candidate(seq, at(days), theirs, 100) for seq, days in enumerate(days_ago, 1)]


def stamped(event: Candidate, days_ago: float) -> Candidate:
    return dataclasses.replace(event, received_at_ms=at(days_ago))


def delivered(event: Candidate, days_ago: float) -> Candidate:
    return dataclasses.replace(event, delivered_at_ms=at(days_ago))


# -- times that are right ----------------------------------------------------------------------


@settings(deadline=None)
@given(st.lists(old_days, max_size=40), st.lists(fresh_days, max_size=40))
def test_times_that_are_right_are_followed(old: list[float], fresh: list[float]) -> None:
    events = window(*sorted(old, reverse=True), *sorted(fresh, reverse=True))
    lone = len(old) == 1 and fresh
    assert through_age(events, LIMITS) == (0 if lone else len(old))


@settings(deadline=None)
@given(st.lists(old_days, max_size=40), st.lists(fresh_days, max_size=40))
def test_times_that_signal_confirms_are_followed_for_a_lone_event_too(
    old: list[float], fresh: list[float]
) -> None:
    ages = [*sorted(old, reverse=True), *sorted(fresh, reverse=True)]
    events = [delivered(event, days) for event, days in zip(window(*ages), ages, strict=True)]
    assert through_age(events, LIMITS) == len(old)


def test_a_lone_event_that_looks_old_stays_until_another_does() -> None:
    assert through_age(window(40, 1), LIMITS) == 0
    assert through_age(window(40, 31, 1), LIMITS) == 2


def test_a_lone_event_goes_when_it_is_all_there_is() -> None:
    assert through_age(window(40), LIMITS) == 1


def test_a_lone_event_goes_when_those_before_it_have_just_gone() -> None:
    limits = dataclasses.replace(LIMITS, follows_old=True)
    assert through_age(window(40, 1), limits) == 1


# -- times that are wrong ----------------------------------------------------------------------


@settings(deadline=None)
@given(st.lists(fresh_days, min_size=2, max_size=40), any_days, st.data())
def test_one_wrong_time_among_fresh_ones_removes_nothing(
    fresh: list[float], wrong: float, data: st.DataObject
) -> None:
    events = window(*fresh)
    at_index = data.draw(st.integers(0, len(events) - 1))
    events[at_index] = stamped(events[at_index], wrong)
    assert through_age(events, LIMITS) == 0


@settings(deadline=None)
@given(st.lists(old_days, min_size=4, max_size=40), any_days, st.data())
def test_one_wrong_time_among_old_ones_keeps_no_other_but_itself(
    old: list[float], wrong: float, data: st.DataObject
) -> None:
    events = window(*old)
    at_index = data.draw(st.integers(0, len(events) - 1))
    events[at_index] = stamped(events[at_index], wrong)
    # at the end it may stay; second to last, the last one is not enough to outvote it
    assert through_age(events, LIMITS) >= min(len(events), max(at_index, len(events) - 2))


@settings(deadline=None)
@given(st.integers(0, 60), st.integers(0, 20), st.data())
def test_no_more_is_misjudged_than_twice_what_is_wrong_and_a_lone_one(
    true_cut: int, most_wrong: int, data: st.DataObject
) -> None:
    events = window(*[40] * true_cut, *[1] * 60)
    wrong = data.draw(st.sets(st.integers(0, len(events) - 1), max_size=most_wrong))
    for index in wrong:
        events[index] = stamped(events[index], 1 if index < true_cut else 40)
    cut = through_age(events, LIMITS)
    assert abs(cut - true_cut) <= 2 * len(wrong) + 1


@settings(deadline=None)
@given(st.lists(any_days, max_size=60))
def test_what_goes_is_a_prefix_that_ends_with_an_old_event(ages: list[float]) -> None:
    cut = through_age(window(*ages), LIMITS)
    assert 0 <= cut <= len(ages)
    if cut:
        assert ages[cut - 1] > KEEP_DAYS


@settings(deadline=None)
@given(st.lists(old_days, min_size=1, max_size=60), st.lists(fresh_days, max_size=60))
def test_what_arrived_before_the_clock_was_set_stays_while_signal_calls_it_fresh(
    wrong: list[float], after: list[float]
) -> None:
    assert through_age(window(*wrong, *after, delivered=0), LIMITS) == 0


@settings(deadline=None)
@given(st.lists(any_days, min_size=1, max_size=60), st.integers(0, 60))
def test_what_came_while_we_looked_on_is_not_old_whatever_its_time_says(
    ages: list[float], young_above: int
) -> None:
    limits = dataclasses.replace(LIMITS, young_above=young_above)
    assert through_age(window(*ages), limits) <= young_above


@settings(deadline=None)
@given(st.floats(-20_000, -1.01), st.integers(1, 60))
def test_a_time_in_the_future_says_nothing(ahead: float, count: int) -> None:
    assert through_age(window(*[ahead] * count, 40, 40, 1), LIMITS) == count + 2
    assert through_age(window(*[ahead] * count, 1), LIMITS) == 0
    assert through_age(window(*[ahead] * count, delivered=40), LIMITS) == count


def test_a_time_of_signals_in_the_future_means_that_our_clock_is_behind() -> None:
    assert through_age(window(40, 40, 40, delivered=-40), LIMITS) == 0


@pytest.mark.parametrize(
    ("payload", "time_ms"),
    [
        (b'{"envelope":{"timestamp":1,"serverDeliveredTimestamp":17000132,"a":2}}', 17000132),
        (b'{"envelope":{"serverDeliveredTimestamp":7}}', 7),
        (b'{"envelope":{"timestamp":1}}', None),
        (b'{"envelope":{"sourceName":"\\"serverDeliveredTimestamp\\":7,"}}', None),
        (b'{"envelope":{"serverDeliveredTimestamp":null}}', None),
        (b'{"envelope":{"serverDeliveredTimestamp":1e9}}', None),
        (b'{"envelope":{"serverDeliveredTimestamp":%d}}' % 10**400, None),
        (b"", None),
    ],
)  # fmt: skip
def test_when_signal_handed_an_event_over_is_read_from_its_beginning(
    payload: bytes, time_ms: int | None
) -> None:
    assert delivered_at_ms(payload) == time_ms


# -- sizes -------------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.lists(st.integers(0, 1000), max_size=40), st.integers(-100, 50_000))
def test_no_more_goes_than_has_to_for_the_rest_to_fit(sizes: list[int], excess: int) -> None:
    events = [Candidate(seq, 0, None, size) for seq, size in enumerate(sizes, 1)]
    through = through_size(events, excess)
    assert sum(sizes[:through]) >= min(excess, sum(sizes))
    assert through == 0 or sum(sizes[: through - 1]) < excess


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 1000), min_size=1, max_size=40),
    st.integers(0, 40),
    st.integers(1, 50),
    st.integers(0, 5000),
)
def test_what_goes_at_once_is_bounded_and_never_nothing(
    sizes: list[int], through: int, most_events: int, most_bytes: int
) -> None:
    events = [Candidate(seq, 0, None, size) for seq, size in enumerate(sizes, 1)]
    through = min(through, len(sizes))
    cut = at_once(events, through, most_events, most_bytes)
    assert cut <= through
    assert (cut == 0) == (through == 0)
    assert cut <= 1 or (cut <= most_events and sum(sizes[:cut]) <= most_bytes)
    assert cut in (through, most_events) or sum(sizes[: cut + 1]) > most_bytes


@pytest.mark.parametrize(
    ("events", "took_seconds", "then"),
    [(100, 0.1, 100), (100, 0.01, 200), (400, 0.0, 500), (500, 1.0, 50), (20, 60.0, 10)],
)
def test_where_removing_is_slow_less_goes_at_once(
    events: int, took_seconds: float, then: int
) -> None:
    assert next_batch(events, took_seconds) == then


# -- counting ----------------------------------------------------------------------------------


def test_what_was_removed_is_counted_by_account_and_kind() -> None:
    removed = [(1, "a", "message"), (2, "b", "message"), (3, "a", "message"), (4, "a", "call")]
    reached = Reached([("a", 1), ("a", 3), ("b", 1)])
    assert tallies(removed, [2, 2, 4, 9], reached) == {
        ("a", "message"): Tally(through=3, removed=2),
        ("b", "message"): Tally(through=2, removed=1, unread=1, parked=2),
        ("a", "call"): Tally(through=4, removed=1, unread=1, parked=1),
    }


def test_who_reads_every_account_counts_for_each_and_anybody_for_what_belongs_to_none() -> None:
    reached = Reached([("a", 5), ("*", 7), ("b", 9)])
    assert [reached.position(account) for account in ("a", "b", "c", "")] == [7, 9, 7, 9]
    assert Reached([]).position("") == 0


# -- files -------------------------------------------------------------------------------------


def test_files_go_by_age_and_by_size_oldest_first() -> None:
    files = [File(name, float(at), 100) for at, name in enumerate("abcd", 1)]
    assert files_to_remove(reversed(files), 3.0, 0) == files[:2]
    assert files_to_remove(files, 0.0, 250) == files[:2]
    assert files_to_remove(files, 2.0, 150) == files[:3]
    assert files_to_remove(files, 0.0, 0) == []
    assert files_to_remove([], 9.0, 1) == []
