"""Whose turn it is among polls of one cursor."""

from __future__ import annotations

from signal_bridge.web.streams import Turns

CURSOR = "poll:+1"


def test_who_has_nothing_under_way_may_go() -> None:
    turns = Turns()
    waiting = turns.waiting(CURSOR, "one"), turns.waiting(CURSOR, "two")
    assert not turns.is_of_another(CURSOR, "one")
    assert waiting


def test_who_has_an_answer_under_way_lets_another_client_go_first() -> None:
    turns = Turns()
    waiting = turns.waiting(CURSOR, "two")
    with turns.under_way(CURSOR, "one"):
        assert turns.is_of_another(CURSOR, "one")
        assert not turns.is_of_another(CURSOR, "two")
        with turns.under_way(CURSOR, "two"):
            assert not turns.is_of_another(CURSOR, "one")
    assert not turns.is_of_another(CURSOR, "one")
    assert waiting


def test_nobody_else_waits_so_one_client_may_have_several() -> None:
    turns = Turns()
    with turns.under_way(CURSOR, "one"), turns.waiting(CURSOR, "one"):
        assert not turns.is_of_another(CURSOR, "one")


def test_another_cursor_is_another_matter() -> None:
    turns = Turns()
    with turns.under_way(CURSOR, "one"), turns.waiting("poll:+2", "two"):
        assert not turns.is_of_another(CURSOR, "one")
        assert not turns.is_of_another("poll:+2", "one")


def test_an_answer_that_nobody_has_any_more_is_not_under_way() -> None:
    turns = Turns()
    dropped = turns.under_way(CURSOR, "one")
    with turns.waiting(CURSOR, "two"):
        assert turns.is_of_another(CURSOR, "one")
        del dropped
        assert not turns.is_of_another(CURSOR, "one")
