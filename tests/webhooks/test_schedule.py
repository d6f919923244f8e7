"""What an outcome means, as tables."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signal_bridge.delivery.webhooks.schedule import Decision, Fate, decide, retry_after
from signal_bridge.settings import read_settings

DAY_SECONDS = 24 * 3600
FIVE_DAYS = 5.0 * DAY_SECONDS
WAITS = (5.0, 30.0, 120.0)
MIDDLE = 0.5  # the jitter that changes nothing
NOW_S = 1_445_412_480.0  # Wed, 21 Oct 2015 07:28:00 GMT


def fate_of(status: int, error: str = "") -> Decision:
    return decide(status, error, None, 0, 0.0, WAITS, MIDDLE)


@pytest.mark.parametrize(
    ("status", "fate"),
    [
        (200, Fate.DELIVERED), (201, Fate.DELIVERED), (204, Fate.DELIVERED), (299, Fate.DELIVERED),
        (0, Fate.LATER), (301, Fate.LATER), (302, Fate.LATER), (307, Fate.LATER),
        (408, Fate.LATER), (409, Fate.LATER), (425, Fate.LATER), (429, Fate.LATER),
        (500, Fate.LATER), (502, Fate.LATER), (503, Fate.LATER), (599, Fate.LATER),
        (400, Fate.PARKED), (401, Fate.PARKED), (403, Fate.PARKED), (404, Fate.PARKED),
        (413, Fate.PARKED), (422, Fate.PARKED), (499, Fate.PARKED),
        (410, Fate.DISABLED),
    ],
)  # fmt: skip
def test_each_status_has_its_fate(status: int, fate: Fate) -> None:
    assert fate_of(status).fate is fate


def test_the_waits_come_in_turn_and_then_it_is_parked() -> None:
    decisions = [decide(500, "", None, tries, 0.0, WAITS, MIDDLE) for tries in range(4)]
    assert [one.wait_seconds for one in decisions[:3]] == [5.0, 30.0, 120.0]
    assert decisions[3].fate is Fate.PARKED
    assert decisions[3].reason == "the receiver answered 500, at the last of 4 tries"


@given(st.floats(0, 0.999), st.integers(0, 2))
def test_jitter_stays_within_a_fifth(jitter: float, tries: int) -> None:
    wait = decide(500, "", None, tries, 0.0, WAITS, jitter).wait_seconds
    assert 0.8 * WAITS[tries] <= wait <= 1.2 * WAITS[tries]


def test_by_default_the_tries_take_about_a_day() -> None:
    waits = read_settings({}).webhook_retry_seconds
    assert waits[:8] == (5, 30, 120, 600, 1800, 3600, 7200, 14400)
    assert all(one <= other for one, other in itertools.pairwise(waits))
    assert 20 * 3600 < sum(waits) < 28 * 3600


@pytest.mark.parametrize(
    ("asked_seconds", "wait_seconds", "counts"),
    [
        (60.0, 60.0, True),  # later than the schedule's 5 s
        (2.0, 2.0, False),  # sooner: that try is not spent
        (0.0, 1.0, False),  # never at once
        (DAY_SECONDS, 4 * 3600.0, True),  # never longer than four hours
    ],
)
def test_a_receiver_that_names_a_time_is_asked_then(
    asked_seconds: float, wait_seconds: float, counts: bool
) -> None:
    decision = decide(429, "", asked_seconds, 0, 0.0, WAITS, MIDDLE)
    assert (decision.fate, decision.wait_seconds) == (Fate.LATER, wait_seconds)
    assert decision.counts is counts


@pytest.mark.parametrize("status", [0, 302, 400, 404, 429, 500])
def test_five_days_without_a_success_disable(status: int) -> None:
    failing = decide(status, "", None, 1, FIVE_DAYS - 1, WAITS, MIDDLE)
    assert failing.fate is not Fate.DISABLED
    assert decide(status, "", None, 1, FIVE_DAYS, WAITS, MIDDLE).fate is Fate.DISABLED


def test_a_success_after_five_days_is_a_success() -> None:
    assert decide(200, "", None, 1, FIVE_DAYS, WAITS, MIDDLE).fate is Fate.DELIVERED


def test_the_reason_is_the_error_or_the_status() -> None:
    assert fate_of(0, "no connection").reason == "no connection"
    assert fate_of(404).reason == "the receiver answered 404"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("-1", None),
        ("1.5", None),
        ("²", None),
        ("0", 0.0),
        (" 120 ", 120.0),
        ("9" * 5000, 999_999_999.0),
        ("Wed, 21 Oct 2015 07:29:00 GMT", 60.0),
        ("Wed, 21 Oct 2015 07:28:30 -0000", 30.0),
        ("Wed, 21 Oct 2015 07:27:00 GMT", 0.0),
        ("Wed, 99 Oct 2015 07:27:00 GMT", None),
        ("Wed, 21 Oct 99999999999999999999 07:27:00 GMT", None),
        ("Wed, 21 Oct 2015 99999999999999999999:27:00 GMT", None),
        ("Wed, 21 Oct 2015 07:27:00 +99999999999999999999", None),
    ],
)
def test_retry_after_is_a_number_or_a_date(text: str | None, seconds: float | None) -> None:
    assert retry_after(text, NOW_S) == seconds


@given(st.text(max_size=40))
def test_retry_after_is_never_a_surprise(text: str) -> None:
    seconds = retry_after(text, NOW_S)
    assert seconds is None or seconds >= 0
