"""When an account is tried again, and when signal-cli is started anew for it: pure decisions."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest

from signal_bridge.session.loading import RESTART, Efforts, Try

ONE, TWO, THREE = "+491", "+492", "+493"
HOUR = 3600.0
# What the world does: a try takes so long without a network, and is refused at once by 0.13.
OFFLINE, REFUSED = 9.6, 0.001


def missing(*numbers: str, others: bool = False, now: float = 0.0) -> Efforts:
    return Efforts().after_look(frozenset(numbers), others, now)


def days_of_absence(hours: float, others: bool, try_seconds: float) -> Iterator[tuple[float, str]]:
    """What is done, and when, for an account that stays away whatever is done."""
    efforts, now = missing(ONE, others=others), 0.0
    while now < hours * HOUR:
        step = efforts.due(now)
        if isinstance(step, Try):
            yield now, "try"
            now += try_seconds
            efforts = efforts.after_try(now)
        elif step is RESTART:
            yield now, "restart"
            efforts = efforts.after_restart(now)
        now += 2
        efforts = efforts.after_look(frozenset({ONE}), others, now)


def restarts(hours: float, others: bool, try_seconds: float = REFUSED) -> list[float]:
    steps = days_of_absence(hours, others, try_seconds)
    return [when for when, what in steps if what == "restart"]


def test_nothing_is_due_while_every_account_is_loaded() -> None:
    assert missing().due(1e9) is None


def test_an_account_is_tried_as_soon_as_it_is_missed() -> None:
    assert missing(ONE, now=5.0).due(5.0) == Try(ONE)


def test_the_waits_between_tries_grow_up_to_a_quarter_of_a_minute_when_nobody_is_disturbed() -> (
    None
):
    efforts, waits = missing(ONE), []
    for _ in range(6):
        efforts = efforts.after_try(100.0)
        waits.append(efforts.try_at - 100.0)
    assert waits == [1, 2, 4, 8, 15, 15]


def test_they_are_longer_when_other_accounts_work_for_a_try_holds_up_their_calls() -> None:
    efforts, waits = missing(ONE, others=True), []
    for _ in range(6):
        efforts = efforts.after_try(100.0)
        waits.append(efforts.try_at - 100.0)
    assert waits == [5, 10, 20, 40, 60, 60]


def test_each_missing_account_has_its_turn() -> None:
    efforts, tried = missing(ONE, TWO, THREE), []
    for now in range(0, 600, 100):
        step = efforts.due(now, may_restart=False)
        assert isinstance(step, Try)
        tried.append(step.number)
        efforts = efforts.after_try(now)
    assert tried == [ONE, TWO, THREE] * 2


def test_once_one_is_loaded_the_others_follow_at_once() -> None:
    efforts = missing(ONE, TWO)
    for now in (0.0, 5.0, 10.0, 15.0):
        efforts = efforts.after_try(now)
    assert efforts.due(16.0) is None
    assert efforts.after_look(frozenset({TWO}), True, 16.0).due(16.0) == Try(TWO)


def test_one_that_goes_missing_beside_another_is_tried_at_once() -> None:
    efforts = missing(ONE)
    for now in (0.0, 10.0, 20.0, 30.0):
        efforts = efforts.after_try(now)
    assert efforts.after_look(frozenset({ONE, TWO}), False, 31.0).due(31.0) == Try(TWO)


def test_a_look_that_finds_nothing_new_changes_no_wait() -> None:
    efforts = missing(ONE).after_try(1.0)
    assert efforts.after_look(frozenset({ONE}), False, 1.5) == efforts


@pytest.mark.parametrize("others", [False, True])
@pytest.mark.parametrize("try_seconds", [REFUSED, OFFLINE])
def test_signal_cli_is_started_anew_only_after_some_tries(others: bool, try_seconds: float) -> None:
    steps = [what for _, what in days_of_absence(1, others, try_seconds)]
    assert steps.index("restart") >= 3


@pytest.mark.parametrize("others", [False, True])
def test_the_first_restart_comes_within_a_minute_for_most_trouble_is_that_of_a_boot(
    others: bool,
) -> None:
    assert 20 <= restarts(1, others)[0] <= 60


def test_restarts_wait_for_minutes_and_not_for_hours() -> None:
    alone = restarts(24, others=False)
    assert max(later - earlier for earlier, later in pairwise(alone)) <= 5 * 60 + 20
    beside = restarts(24, others=True)
    assert max(later - earlier for earlier, later in pairwise(beside)) <= 30 * 60 + 20


def test_an_account_that_stays_away_for_days_disturbs_the_others_twice_an_hour_at_most() -> None:
    assert len(restarts(48, others=True)) <= 2 * 48 + 4


def test_with_others_at_work_signal_cli_is_restarted_less_often() -> None:
    assert len(restarts(6, others=True)) * 4 < len(restarts(6, others=False))


def test_others_are_held_up_a_sixth_of_the_time_at_most_by_tries_without_a_network() -> None:
    tries = [when for when, what in days_of_absence(2, True, OFFLINE) if what == "try"]
    assert len(tries) * OFFLINE < 2 * HOUR / 6


def test_a_daemon_of_somebody_elses_is_tried_and_never_restarted() -> None:
    efforts, now = missing(ONE), 0.0
    for _ in range(1000):
        step = efforts.due(now, may_restart=False)
        assert step is None or isinstance(step, Try)
        efforts, now = efforts.after_try(now), now + 100


def test_after_a_restart_the_account_is_tried_again() -> None:
    efforts = missing(ONE).after_restart(100.0)
    assert efforts.due(110.0) == Try(ONE)


def test_one_that_comes_and_goes_does_not_have_signal_cli_restarted_each_time() -> None:
    efforts = missing(ONE, others=True).after_restart(40.0)
    back = efforts.after_look(frozenset(), True, 60.0)
    gone = back.after_look(frozenset({ONE}), True, 120.0)
    for now in (120.0, 130.0, 140.0, 150.0):
        gone = gone.after_try(now)
    assert gone.due(170.0, may_restart=True) is not RESTART


def test_what_was_long_ago_is_forgotten() -> None:
    efforts = missing(ONE, others=True).after_restart(40.0)
    gone = efforts.after_look(frozenset(), True, 60.0).after_look(frozenset({ONE}), True, 2 * HOUR)
    for second in range(4):
        gone = gone.after_try(2 * HOUR + second)
    assert gone.due(2 * HOUR + 45) is RESTART
