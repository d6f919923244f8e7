"""Which events a reader wants, in the words of requests, of databases and of the documents."""

from __future__ import annotations

import fnmatch
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signal_bridge.errors import RequestError
from signal_bridge.feed.cursors import POLL, cursor_name
from signal_bridge.feed.filters import (
    OWN_KINDS,
    SIGNAL_KINDS,
    Filter,
    few_words,
    kinds_named,
    kinds_of,
)
from tests.feed.envelopes import ACCOUNT, EVERY_KIND

EVENTS_RST = Path(__file__).parents[2] / "docs" / "events.rst"
# What clients and databases may have from the first version: there was nothing else.
FIRST_KINDS = (
    "message", "edit", "reaction", "delete", "story", "sync", "call", "receipt", "typing", "error",
    "other",
)  # fmt: skip


def test_the_documents_list_every_kind() -> None:
    text = EVENTS_RST.read_text()
    table = text[text.index("\nkind ") : text.index("\nAn event is of one kind")]
    assert re.findall(r"^``([^`]+)``", table, re.MULTILINE) == [*SIGNAL_KINDS, *OWN_KINDS]


def test_every_kind_of_signal_cli_has_an_example_and_no_dot() -> None:
    assert {kind for kind, _ in EVERY_KIND.values()} == set(SIGNAL_KINDS)
    assert not any("." in kind for kind in SIGNAL_KINDS)
    assert all("." in kind for kind in OWN_KINDS)


@pytest.mark.parametrize(
    ("types", "kinds"),
    [
        ([], SIGNAL_KINDS),
        (["message"], ("message",)),
        (["poll*"], ("poll", "poll_vote", "poll_close")),
        (["*pin", "timer"], ("pin", "unpin", "timer")),
        (["account.*"], ("account.linked", "account.unlinked", "account.missing",
                         "account.rate_limited")),
        (["*"], (*SIGNAL_KINDS, *OWN_KINDS)),
    ],
)  # fmt: skip
def test_words_name_kinds(types: list[str], kinds: tuple[str, ...]) -> None:
    assert kinds_of(types) == kinds


def test_a_word_that_names_none_is_refused_with_those_there_are() -> None:
    with pytest.raises(RequestError, match=r"no events of type polls; .*poll_vote"):
        kinds_of(["message", "polls"])


def test_who_names_all_that_there_was_at_first_misses_nothing_that_came_later() -> None:
    assert kinds_of(FIRST_KINDS) == SIGNAL_KINDS
    assert kinds_of([*FIRST_KINDS, "account.*"])[: len(SIGNAL_KINDS)] == SIGNAL_KINDS
    assert kinds_of(FIRST_KINDS[1:]) == FIRST_KINDS[1:]


@pytest.mark.parametrize("kind", ["message", "account.linked", "poll_vote"])
@pytest.mark.parametrize("pattern", ["{}", "*{}", "{}*", "**{}**", "*"])
def test_stars_stand_for_nothing_too(kind: str, pattern: str) -> None:
    assert kind in kinds_of([pattern.format(kind)])


@pytest.mark.parametrize(
    "word",
    [
        "mess*sage",
        "*z*",
        "message*message",
        "*m",
        "polls*",
        "?",
        "[a-z]*",
        "Message",
        "*" + "e" * 60,
    ],
)
def test_a_pattern_that_fits_no_kind_is_refused(word: str) -> None:
    with pytest.raises(RequestError, match="no events of type"):
        kinds_of([word])


@given(st.lists(st.text("*etpoll_.adn", max_size=9), min_size=1, max_size=4))
def test_a_pattern_fits_what_the_shells_pattern_fits(words: list[str]) -> None:
    every = (*SIGNAL_KINDS, *OWN_KINDS)
    fitting = {kind for kind in every for word in words if word and fnmatch.fnmatchcase(kind, word)}
    if not fitting.issuperset(FIRST_KINDS):  # which means all (below)
        assert set(kinds_named(words)) == fitting


@pytest.mark.parametrize(
    ("types", "complaint"),
    [
        (["message"] * 101, "more than 100 types"),
        (["*"] * 17, "More than 16 of the types have a *"),
        (["*" * 65], "longer than 64 characters"),
    ],
)
def test_what_is_named_is_few_and_short(types: list[str], complaint: str) -> None:
    with pytest.raises(RequestError, match=re.escape(complaint)):
        kinds_of(types)


def test_blank_words_are_none() -> None:
    assert few_words(["", " message ", "\t"] * 50, "types") == ["message"] * 50


# Recorded from the version that had eleven kinds: databases have these names.
@pytest.mark.parametrize(
    ("types", "senders", "name"),
    [
        ([], (), "poll:+15550001111"),
        (FIRST_KINDS, (), "poll:+15550001111"),
        (["message"], (), "poll:+15550001111?00cf20e07aa9699f"),
        (["message", "typing"], (), "poll:+15550001111?2c6e312051e9676f"),
        (["*"], (), "poll:+15550001111?705464f6b5aa0378"),
        ([*FIRST_KINDS, "account.*"], (), "poll:+15550001111?b733e75927877913"),
        ([], ("+15550002222",), "poll:+15550001111?212400d6f9318f10"),
    ],
)
def test_a_cursor_of_an_earlier_version_is_found_again(
    types: list[str], senders: tuple[str, ...], name: str
) -> None:
    assert cursor_name(POLL, Filter(ACCOUNT, kinds_of(types), senders)) == name


def test_no_two_filters_have_one_cursor() -> None:
    later = SIGNAL_KINDS[len(FIRST_KINDS) :]
    wanted = [["message"], ["message", *later], [*FIRST_KINDS[1:], *later], later, ["*"], []]
    names = {cursor_name(POLL, Filter(ACCOUNT, kinds_of(types))) for types in wanted}
    assert len(names) == len(wanted)
