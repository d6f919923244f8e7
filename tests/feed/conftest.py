"""A feed on a database of its own. Every bridge here runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import functools
from collections.abc import Callable

import pytest

from signal_bridge.feed.feed import Feed
from signal_bridge.store.engine import Store
from tests.support import Bridge
from tests.support.databases import Database


@pytest.fixture
def feed(store: Store) -> Feed:
    return Feed(store)


@pytest.fixture
def start_bridge(start_bridge: Callable[..., Bridge], database: Database) -> Callable[..., Bridge]:
    return functools.partial(start_bridge, **database.settings)
