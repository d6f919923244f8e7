"""An inbox on a database of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from signal_bridge.inbox.store import Inbox
from signal_bridge.store.engine import Store
from signal_bridge.store.migrations import migrate


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'bridge.db'}"


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    store = Store(database_url)
    migrate(store)
    yield store
    store.close()


@pytest.fixture
def inbox(store: Store) -> Inbox:
    return Inbox(store)
