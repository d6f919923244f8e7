"""An inbox on a database of its own."""

from __future__ import annotations

import pytest

from signal_bridge.inbox.store import Inbox
from signal_bridge.store.engine import Store


@pytest.fixture
def inbox(store: Store) -> Inbox:
    return Inbox(store)
