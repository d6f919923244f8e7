"""Who may log what, at each level."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from signal_bridge.logs import LEVELS, log_at

OTHERS = ("urllib3.connectionpool", "requests", "sqlalchemy.engine", "wsproto", "alembic", "PIL")


@pytest.fixture(autouse=True)
def _levels() -> Iterator[None]:
    """As they were, afterwards."""
    names = ("", "signal_bridge", "urllib3", "requests", "sqlalchemy", "wsproto", "werkzeug")
    before = {name: logging.getLogger(name).level for name in names}
    yield
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


@pytest.mark.parametrize("level", LEVELS)
def test_our_own_modules_log_at_the_level_that_was_chosen(level: str) -> None:
    log_at(level)
    assert logging.getLogger("signal_bridge.web.app").getEffectiveLevel() == LEVELS[level]


@pytest.mark.parametrize("name", OTHERS)
def test_no_level_makes_others_tell_of_their_work(name: str) -> None:
    log_at("debug")
    assert not logging.getLogger(name).isEnabledFor(logging.DEBUG)


def test_urls_are_not_logged_with_a_warning_either() -> None:
    """urllib3 warns of an answer's odd header fields with the URL and its query."""
    log_at("debug")
    assert not logging.getLogger("urllib3.connection").isEnabledFor(logging.WARNING)


def test_errors_of_others_are_logged_at_every_level() -> None:
    log_at("error")
    assert logging.getLogger("urllib3.connection").isEnabledFor(logging.ERROR)
