"""Connections to receivers are kept for the next event, and not for ever."""

from __future__ import annotations

import pytest

from signal_bridge.delivery.webhooks import posters as module
from signal_bridge.delivery.webhooks.addresses import Rules
from signal_bridge.delivery.webhooks.dispatcher import WOKEN
from signal_bridge.delivery.webhooks.post import Poster
from signal_bridge.delivery.webhooks.posters import Posters


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> list[Poster]:
    """The posters that were closed, in order."""
    closed: list[Poster] = []
    monkeypatch.setattr(Poster, "close", lambda poster: closed.append(poster))
    return closed


@pytest.fixture
def posters() -> Posters:
    return Posters(Rules())


def lend(posters: Posters, webhook_id: str) -> Poster:
    with posters.lend(webhook_id) as poster:
        return poster


def test_a_webhook_gets_the_one_it_had(posters: Posters, closed: list[Poster]) -> None:
    first = lend(posters, "a")
    assert lend(posters, "b") is not first
    assert lend(posters, "a") is first
    assert closed == []


def test_one_that_failed_is_closed_and_not_lent_again(
    posters: Posters, closed: list[Poster]
) -> None:
    with pytest.raises(RuntimeError), posters.lend("a") as failed:
        raise RuntimeError("half way")
    assert closed == [failed]
    assert lend(posters, "a") is not failed


def test_more_than_are_kept_close_the_one_used_least_lately(
    posters: Posters, closed: list[Poster], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "KEPT", 2)
    first, second = lend(posters, "a"), lend(posters, "b")
    assert lend(posters, "a") is first
    lend(posters, "c")
    assert closed == [second]


def test_one_that_nobody_uses_is_closed(
    posters: Posters, closed: list[Poster], monkeypatch: pytest.MonkeyPatch
) -> None:
    idle = lend(posters, "a")
    assert 1 <= posters.turn() <= 60
    assert closed == []
    monkeypatch.setattr(module, "_IDLE_SECONDS", 0.0)
    assert posters.turn() == WOKEN
    assert closed == [idle]


def test_at_the_end_all_are_closed(posters: Posters, closed: list[Poster]) -> None:
    lent = [lend(posters, name) for name in "abc"]
    posters.end()
    assert closed == lent
