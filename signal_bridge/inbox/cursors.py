"""How far each reader has got.

Read, hand over, then mark: a reader takes a lease on its cursor, reads after its position, hands
the events to its client and only then moves the cursor. If it dies between, the lease runs out
and the events are read again.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import sqlalchemy as sa

from signal_bridge.clock import Deadline, now_ms, pause
from signal_bridge.store.engine import Store
from signal_bridge.store.tables import cursors

_RETRY_SECONDS: Final = 0.05
# Longer than handing one batch to a client may take.
_GRACE_SECONDS: Final = 60


class Lease:
    """The right to read with one cursor. `position` is the seq handed over last."""

    def __init__(self, store: Store, name: str, lease: str, position: int) -> None:
        self._store = store
        self._name = name
        self._lease = lease
        self.position = position

    def advance(self, seq: int) -> None:
        """Everything up to `seq` was handed over. Raises StoreError."""
        with self._store.write() as connection:
            connection.execute(_mine(self._name, self._lease).values(position=seq))
        self.position = seq

    def release(self) -> None:
        """Let the next reader in. Raises StoreError; then the lease runs out by itself."""
        with self._store.write() as connection:
            connection.execute(_mine(self._name, self._lease).values(lease="", lease_ends_at_ms=0))


class Cursors:
    """All cursors by name. Safe from any thread and process."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def take(self, name: str, deadline: Deadline) -> Lease | None:
        """The lease on cursor `name`, or None when another reader keeps it past the deadline.

        A cursor nobody has used begins before the first event. Raises StoreError.
        """
        lease, never = secrets.token_hex(8), threading.Event()
        while not self._try(name, lease, deadline):
            if deadline.expired():
                return None
            pause(_RETRY_SECONDS, never)
        return Lease(self._store, name, lease, self.position(name))

    @contextmanager
    def held(self, name: str, deadline: Deadline) -> Iterator[Lease | None]:
        """`take` for the length of a block."""
        lease = self.take(name, deadline)
        try:
            yield lease
        finally:
            if lease is not None:
                lease.release()

    def position(self, name: str) -> int:
        """The seq that was handed over last, 0 at the beginning. Raises StoreError."""
        with self._store.read() as connection:
            query = sa.select(cursors.c.position).where(cursors.c.name == name)
            return int(connection.scalar(query) or 0)

    def _try(self, name: str, lease: str, deadline: Deadline) -> bool:
        now = now_ms()
        ends_at_ms = now + int((deadline.remaining_seconds() + _GRACE_SECONDS) * 1000)
        with self._store.write() as connection:
            connection.execute(self._store.insert_new(cursors), {"name": name, "position": 0})
            taken = connection.execute(
                sa.update(cursors)
                .where(cursors.c.name == name, cursors.c.lease_ends_at_ms <= now)
                .values(lease=lease, lease_ends_at_ms=ends_at_ms)
            )
            return taken.rowcount == 1


def _mine(name: str, lease: str) -> sa.Update:
    return sa.update(cursors).where(cursors.c.name == name, cursors.c.lease == lease)
