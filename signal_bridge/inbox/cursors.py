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
from typing import Any, Final

import sqlalchemy as sa

from signal_bridge.clock import Deadline, now_ms, pause
from signal_bridge.store.engine import Store
from signal_bridge.store.tables import cursors, events

_RETRY_SECONDS: Final = 0.05
# A reader that died bars the next for no longer; one that lives renews its lease in time.
_LEASE_SECONDS: Final = 10.0
RENEW_SECONDS: Final = 3.0


_LATECOMER_MS: Final = 3_600_000

# Each way of reading an account has a cursor of its own: a poll takes nothing from a WebSocket.
POLL: Final = "poll"
WEBSOCKET: Final = "websocket"
SSE: Final = "sse"
_WAYS: Final = (POLL, WEBSOCKET, SSE)


def cursor_name(way: str, account: str) -> str:
    """The name of the cursor of an account for one way of reading it."""
    return f"{way}:{account}"


def consumer_name(consumer: str) -> str:
    """The name of the cursor of a named consumer."""
    return f"consumer:{consumer}"


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

    def renew(self) -> bool:
        """Keep it for longer. False when it ran out and another reader has it. Raises StoreError.

        To be called every RENEW_SECONDS while waiting or handing over.
        """
        with self._store.write() as connection:
            renewed = _mine(self._name, self._lease).values(lease_ends_at_ms=_lease_ends_at_ms())
            return connection.execute(renewed).rowcount == 1

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

        Raises StoreError.
        """
        lease, never = secrets.token_hex(8), threading.Event()
        while not self._try(name, lease):
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
        """The seq that was handed over last. Raises StoreError.

        The first way to read an account begins before its first event. Another that begins
        later has missed nothing of the last hour, but is not told of all that the first has read:
        a bot that changes from polling to a WebSocket must not answer last month's messages.
        """
        with self._store.read() as connection:
            query = sa.select(cursors.c.position).where(cursors.c.name == name)
            position: Any = connection.scalar(query)
            if position is None:
                furthest: Any = connection.scalar(_furthest(name))
                an_hour_ago: Any = connection.scalar(_newest_before(now_ms() - _LATECOMER_MS))
                position = min(furthest or 0, an_hour_ago or 0)
        return int(position)

    def move(self, name: str, seq: int) -> None:
        """Everything up to `seq` was handed over; a cursor never goes back. Raises StoreError."""
        with self._store.write() as connection:
            connection.execute(self._store.insert_new(cursors), {"name": name, "position": 0})
            connection.execute(
                sa.update(cursors)
                .where(cursors.c.name == name, cursors.c.position < seq)
                .values(position=seq)
            )

    def consumers(self) -> dict[str, int]:
        """The position of every named consumer. Raises StoreError."""
        prefix = consumer_name("")
        with self._store.read() as connection:
            rows = connection.execute(
                sa.select(cursors.c.name, cursors.c.position).where(
                    cursors.c.name.startswith(prefix, autoescape=True)
                )
            )
            return {row.name.removeprefix(prefix): row.position for row in rows}

    def _try(self, name: str, lease: str) -> bool:
        start = {"name": name, "position": self.position(name)}
        with self._store.write() as connection:
            connection.execute(self._store.insert_new(cursors), start)
            taken = connection.execute(
                sa.update(cursors)
                .where(cursors.c.name == name, cursors.c.lease_ends_at_ms <= now_ms())
                .values(lease=lease, lease_ends_at_ms=_lease_ends_at_ms())
            )
            return taken.rowcount == 1


def _furthest(name: str) -> sa.Select[tuple[int]]:
    """The furthest position of the other ways of reading the account of cursor `name`."""
    account = name.partition(":")[2]
    others = [cursor_name(way, account) for way in _WAYS]
    return sa.select(sa.func.max(cursors.c.position)).where(cursors.c.name.in_(others))


def _newest_before(time_ms: int) -> sa.Select[tuple[int]]:
    return sa.select(sa.func.max(events.c.seq)).where(events.c.received_at_ms < time_ms)


def _lease_ends_at_ms() -> int:
    return now_ms() + int(_LEASE_SECONDS * 1000)


def _mine(name: str, lease: str) -> sa.Update:
    return sa.update(cursors).where(cursors.c.name == name, cursors.c.lease == lease)
