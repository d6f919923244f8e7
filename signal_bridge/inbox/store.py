"""The feed on disk: append, read after a cursor, wait for more."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import sqlalchemy as sa

from signal_bridge.clock import Deadline, now_ms, pause
from signal_bridge.errors import StoreError
from signal_bridge.inbox.event import Arrival, Event, Gap
from signal_bridge.inbox.filters import EVERY_ACCOUNT, Filter
from signal_bridge.store.engine import Store
from signal_bridge.store.tables import events, pruned

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
        if not arrivals:
            return 0
        received_at_ms = now_ms()
        rows = [
            {
                "account": arrival.account,
                "kind": arrival.kind,
                "sender_uuid": arrival.sender_uuid,
                "sender_number": arrival.sender_number,
                "dedup_key": arrival.dedup_key,
                "received_at_ms": received_at_ms,
                "payload": arrival.payload,
            }
            for arrival in arrivals
        ]
        with self._store.write() as connection:
            before = _newest_seq(connection)
            connection.execute(self._store.insert_new(events), rows)
            new, newest = _count_after(connection, before), _newest_seq(connection)
        self._newest.tell(newest)  # who waits in this process need not look
        return new

    def read(self, wanted: Filter, after: int, limit: int) -> list[Event]:
        """Up to `limit` events that are wanted, with a seq above `after`, oldest first."""
        query = (
            sa.select(
                events.c.seq,
                events.c.account,
                events.c.kind,
                events.c.received_at_ms,
                events.c.payload,
                events.c.dedup_key,
            )
            .where(events.c.seq > after, wanted.condition())
            .order_by(events.c.seq)
            .limit(limit)
        )
        with self._store.read() as connection:
            return [_event(row) for row in connection.execute(query)]

    def read_or_wait(
        self, wanted: Filter, after: int, limit: int, deadline: Deadline
    ) -> list[Event]:
        """Like `read`, but waits until there is something, or the deadline passes (then [])."""
        with self._newest.watched() as newest:
            while True:
                seen = newest.seq
                found = self.read(wanted, after, limit)
                if found or not newest.wait_beyond(seen, deadline):
                    return found

    def gap(self, account: str, after: int) -> Gap | None:
        """What a reader of `account` ("*" is every one) who has read up to `after` has lost."""
        query = sa.select(sa.func.max(pruned.c.through_seq)).where(pruned.c.through_seq > after)
        if account != EVERY_ACCOUNT:
            query = query.where(pruned.c.account == account)
        with self._store.read() as connection:
            through = connection.scalar(query)
        return None if through is None else Gap(after + 1, int(through))

    def count_after(self, wanted: Filter, after: int) -> int:
        """How many wanted events there are above `after`: the lag of a reader."""
        query = (
            sa.select(sa.func.count())
            .select_from(events)
            .where(events.c.seq > after, wanted.condition())
        )
        with self._store.read() as connection:
            return int(connection.scalar(query) or 0)

    @property
    def newest(self) -> Newest:
        """For those who wait for the feed and something else."""
        return self._newest

    @property
    def closing(self) -> bool:
        """Whether this process is on its way out and nobody should wait any more."""
        return self._newest.closing()

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
        # Guards seq, _watchers, _bells and _looking; notified whenever seq has changed.
        self._grown = threading.Condition()
        self._watchers = 0
        self._bells: set[int] = set()
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

    @contextmanager
    def bell(self) -> Iterator[int]:
        """A file descriptor that becomes readable when the feed grows, or on closing.

        For those who wait for a socket at the same time. Within the block somebody looks.
        """
        with self.watched():
            bell = os.eventfd(0, os.EFD_NONBLOCK)
            with self._grown:
                self._bells.add(bell)
            try:
                yield bell
            finally:
                with self._grown:
                    self._bells.discard(bell)
                os.close(bell)

    def wait_beyond(self, seq: int, deadline: Deadline) -> bool:
        """Wait until the feed has grown beyond `seq`. False when the time is up, or closing."""
        with self._grown:
            self._grown.wait_for(
                lambda: self.seq != seq or self.closing(), deadline.remaining_seconds()
            )
            return self.seq != seq

    def _look(self) -> None:
        """On thread inbox-newest, until nobody watches."""
        while True:
            try:
                self._look_through_one_connection()
            except StoreError:
                pause(1, threading.Event())  # readers meet the same error and report it
                if self._wanted():
                    continue
            return

    def _look_through_one_connection(self) -> None:
        """Taking a connection costs three times as much as the look. Raises StoreError."""
        nap = threading.Event()
        with self._store.read() as connection:
            while self._wanted():
                self.tell(_newest_seq(connection))
                pause(_LOOK_SECONDS, nap)

    def _wanted(self) -> bool:
        with self._grown:
            self._looking = self._watchers > 0
            return self._looking

    def tell(self, seq: int) -> None:
        """The feed has grown to `seq`."""
        with self._grown:
            if seq <= self.seq and not self.closing():
                return
            self.seq = max(seq, self.seq)
            self._grown.notify_all()
            for bell in self._bells:
                os.eventfd_write(bell, 1)  # never blocks: the counter is far from full


def _event(row: Any) -> Event:
    """The dedup key names the event, and its digest says so without telling anything else."""
    digest = hashlib.sha256(row.dedup_key.encode()).hexdigest()
    return Event(
        seq=row.seq,
        account=row.account,
        kind=row.kind,
        received_at_ms=row.received_at_ms,
        payload=row.payload,
        id=f"evt_{digest[:32]}",
    )


def _newest_seq(connection: sa.Connection) -> int:
    return int(connection.scalar(sa.select(sa.func.max(events.c.seq))) or 0)


def _count_after(connection: sa.Connection, seq: int) -> int:
    query = sa.select(sa.func.count()).select_from(events).where(events.c.seq > seq)
    return int(connection.scalar(query) or 0)
