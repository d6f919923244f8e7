"""The feed on disk: append, read after a cursor, wait for more."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import sqlalchemy as sa

from signal_bridge.clock import Deadline, now_ms
from signal_bridge.errors import StoreError
from signal_bridge.inbox.event import Arrival, Event
from signal_bridge.store.engine import Store
from signal_bridge.store.tables import events

# A reader learns of a commit within two looks; the target is 50 ms.
_LOOK_SECONDS: Final = 0.02


class Inbox:
    """The events of all accounts, in the order they were committed. Safe from any thread.

    Methods that touch the database raise StoreError.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._newest = Newest(store)

    def append(self, arrivals: Sequence[Arrival]) -> int:
        """Commit arrivals, in order and all at once. How many of them were new."""
        received_at_ms = now_ms()
        rows = [
            {
                "account": arrival.account,
                "kind": arrival.kind,
                "dedup_key": arrival.dedup_key,
                "received_at_ms": received_at_ms,
                "payload": arrival.payload,
            }
            for arrival in arrivals
        ]
        with self._store.write() as connection:
            before = _newest_seq(connection)
            connection.execute(self._store.insert_new(events), rows)
            return _count_after(connection, before)

    def read(self, account: str, after: int, limit: int) -> list[Event]:
        """Up to `limit` events of `account` with a seq above `after`, oldest first."""
        query = (
            sa.select(
                events.c.seq,
                events.c.account,
                events.c.kind,
                events.c.received_at_ms,
                events.c.payload,
            )
            .where(events.c.account == account, events.c.seq > after)
            .order_by(events.c.seq)
            .limit(limit)
        )
        with self._store.read() as connection:
            return [Event(*row) for row in connection.execute(query)]

    def read_or_wait(self, account: str, after: int, limit: int, deadline: Deadline) -> list[Event]:
        """Like `read`, but waits until there is something, or the deadline passes (then [])."""
        with self._newest.watched() as newest:
            while True:
                seen = newest.seq
                found = self.read(account, after, limit)
                if found or not newest.wait_beyond(seen, deadline):
                    return found

    def close_when(self, closing: Callable[[], bool]) -> None:
        """From when `closing()` is true nobody waits any more: `read_or_wait` returns at once."""
        self._newest.closing = closing

    def newest_seq(self) -> int:
        """The seq of the newest event, 0 when there was none."""
        with self._store.read() as connection:
            return _newest_seq(connection)


class Newest:
    """Tells waiting threads that the feed grew, whoever of all processes wrote to it.

    One thread looks at the newest seq, and only while somebody waits.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        # Guards seq, _watchers and _looking; notified whenever seq has changed.
        self._grown = threading.Condition()
        self._watchers = 0
        self._looking = False
        self.seq = 0
        self.closing: Callable[[], bool] = lambda: False

    @contextmanager
    def watched(self) -> Iterator[Newest]:
        """Within the block somebody looks."""
        with self._grown:
            self._watchers += 1
            if not self._looking:
                self._looking = True
                threading.Thread(target=self._look, name="inbox-newest", daemon=True).start()
        try:
            yield self
        finally:
            with self._grown:
                self._watchers -= 1

    def wait_beyond(self, seq: int, deadline: Deadline) -> bool:
        """Wait until the feed has grown beyond `seq`. False when the time is up, or closing."""
        with self._grown:
            self._grown.wait_for(
                lambda: self.seq != seq or self.closing(), deadline.remaining_seconds()
            )
            return self.seq != seq

    def _look(self) -> None:
        """On thread inbox-newest, until nobody watches."""
        nap = threading.Event()
        while self._wanted():
            try:
                with self._store.read() as connection:
                    self._tell(_newest_seq(connection))
            except StoreError:
                nap.wait(1)  # readers meet the same error and report it
            nap.wait(_LOOK_SECONDS)

    def _wanted(self) -> bool:
        with self._grown:
            self._looking = self._watchers > 0
            return self._looking

    def _tell(self, seq: int) -> None:
        with self._grown:
            if seq != self.seq or self.closing():
                self.seq = seq
                self._grown.notify_all()


def _newest_seq(connection: sa.Connection) -> int:
    return int(connection.scalar(sa.select(sa.func.max(events.c.seq))) or 0)


def _count_after(connection: sa.Connection, seq: int) -> int:
    query = sa.select(sa.func.count()).select_from(events).where(events.c.seq > seq)
    return int(connection.scalar(query) or 0)
