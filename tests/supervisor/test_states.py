"""The states of a child and the moves between them."""

from __future__ import annotations

import itertools

import pytest

from signal_bridge.supervisor.command import Command
from signal_bridge.supervisor.states import MOVES, State
from signal_bridge.supervisor.supervisor import Supervisor

ALLOWED = [
    (before, after) for before, afters in MOVES.items() for after in State if after in afters
]
FORBIDDEN = [
    (before, after)
    for before, after in itertools.permutations(State, 2)
    if after not in MOVES[before]
]


def supervisor_in(state: State, seen: list[State]) -> Supervisor:
    supervisor = Supervisor("child", Command(("true",)), lambda state, _: seen.append(state))
    supervisor._state = state
    return supervisor


def word(state: State) -> str:
    return state.value


@pytest.mark.parametrize(("before", "after"), ALLOWED, ids=word)
def test_an_allowed_move_is_made_and_told(before: State, after: State) -> None:
    seen: list[State] = []
    supervisor = supervisor_in(before, seen)
    supervisor._enter(after, "why")
    assert supervisor.state is after
    assert seen == [after]


@pytest.mark.parametrize(("before", "after"), FORBIDDEN, ids=word)
def test_any_other_move_is_a_mistake_of_ours(before: State, after: State) -> None:
    seen: list[State] = []
    supervisor = supervisor_in(before, seen)
    with pytest.raises(AssertionError, match="cannot become"):
        supervisor._enter(after, "why")
    assert supervisor.state is before
    assert seen == []


@pytest.mark.parametrize("state", State, ids=word)
def test_staying_is_not_told_again(state: State) -> None:
    seen: list[State] = []
    supervisor_in(state, seen)._enter(state, "why")
    assert seen == []


def test_every_state_has_its_moves_and_each_can_end_in_stopped() -> None:
    assert set(MOVES) == set(State)
    reached = {State.STOPPED}
    while more := {s for s in State if MOVES[s] & reached} - reached:
        reached |= more
    assert reached == set(State)


def test_nothing_leads_on_from_a_failure() -> None:
    assert MOVES[State.FAILED] == {State.STOPPED}
