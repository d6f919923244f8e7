"""How far each reader has got.

Read, hand over, then mark: a poll takes the lease of its cursor, reads after its position, hands
the events to its client and only then moves the cursor. If it dies between, the lease runs out
and the events are read again. Who waits holds no lease, and who finds nothing writes nothing.

A filter uses up nothing that it did not show: each filter has a cursor of its own, so that a poll
for `types=typing` leaves the messages for the poll that wants them. How many there may be, and
when one goes, is in cursor_rows.py.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from contextlib import suppress
from typing import Any, Final

import sqlalchemy as sa

from signal_bridge.clock import Deadline, now_ms, pause
from signal_bridge.errors import LeaseLost, RequestError, StoreError
from signal_bridge.feed import cursor_rows
from signal_bridge.feed.cursor_rows import CONSUMER, FILTERED, Bounds
from signal_bridge.feed.feed import first_since
from signal_bridge.feed.filters import Filter
from signal_bridge.store.engine import Store
from signal_bridge.store.leases import Lease, Leases
from signal_bridge.store.tables import cursors
from signal_bridge.threads import Loop

_LATECOMER_MS: Final = 3_600_000
# Marks are written down together: each commit waits for the disk.
_GATHER_SECONDS: Final = 0.25
# What a reader takes that died in the middle waits for so long.
_READING_SECONDS: Final = 4.0

# Each way of reading an account has a cursor of its own: a poll takes nothing from a WebSocket.
POLL: Final = "poll"
WEBSOCKET: Final = "websocket"
SSE: Final = "sse"
EVENTS: Final = "events"
_WAYS: Final = (POLL, WEBSOCKET, SSE)


def cursor_name(way: str, wanted: Filter) -> str:
    """The name of the cursor for one way of reading what is wanted.

    One that wants everything signal-cli tells of an account has a short name.
    """
    name = f"{way}:{wanted.account}"
    if wanted.is_whole:
        return name
    words = "\n".join([*sorted(wanted.kinds_in_key), "", *sorted(wanted.senders)])
    return f"{name}{FILTERED}{hashlib.sha256(words.encode()).hexdigest()[:16]}"


def consumer_name(consumer: str) -> str:
    """The name of the cursor of a named consumer."""
    return f"{CONSUMER}{consumer}"


class Reading:
    """The right to read with one cursor. `position` is the seq handed over last.

    Without a `lease` there is no cursor: the account is one that nobody has heard of, and nothing
    is remembered.
    """

    def __init__(self, cursors_: Cursors, lease: Lease | None, position: int) -> None:
        self._cursors = cursors_
        self._lease = lease
        self.position = position

    @property
    def renew_seconds(self) -> float:
        """How often to `renew` while the events are on their way to a client."""
        return _READING_SECONDS if self._lease is None else self._lease.renew_seconds

    def finish(self, seq: int) -> None:
        """Everything up to `seq` was handed over: let the next reader in. Raises StoreError.

        Nothing when another reader has the lease by now: it reads the same again.
        """
        if self._lease is None:
            return
        with suppress(LeaseLost), self._cursors.store.write() as unit:
            self._cursors.leases.fence(unit, self._lease)
            cursor_rows.move(unit, self._lease.name, seq)
            self._cursors.leases.release(unit, self._lease)

    def renew(self) -> bool:
        """Keep it for longer. False when it ran out and another reader has it. Raises StoreError.

        To be called every `renew_seconds` while handing over.
        """
        return self._lease is None or self._cursors.leases.renew(self._lease)

    def release(self) -> None:
        """Let the next reader in. Raises StoreError; then the lease runs out by itself."""
        if self._lease is None:
            return
        with self._cursors.store.write() as unit:
            self._cursors.leases.release(unit, self._lease)


class Cursors:
    """All cursors by name. Safe from any thread and process."""

    def __init__(self, store: Store, bounds: Bounds | None = None) -> None:
        self.store = store
        self._bounds = bounds or Bounds()
        self.leases = Leases(store)
        # Guards _marks and _loop.
        self._mutex = threading.Lock()
        self._marks: dict[str, tuple[str, int]] = {}
        self._marked = threading.Event()
        self._stop = threading.Event()
        self._loop: Loop | None = None

    def take(self, name: str, deadline: Deadline, account: str = "") -> Reading | None:
        """The right to read with cursor `name`, or None when another keeps it past the deadline.

        Raises StoreError, and RequestError when it would be one cursor too many.
        """
        taken: list[Reading] = []

        def ready() -> bool:
            reading = self._try(name, account)
            taken.extend([reading] if reading else [])
            return reading is not None

        self.leases.wait_until(ready, deadline)
        return taken[0] if taken else None

    def position(self, name: str, account: str = "") -> int:
        """The seq that was handed over last. Raises StoreError.

        And RequestError when it would be one filter too many for the account.

        The first way to read an account begins before its first event. Another that begins
        later has missed nothing of the last hour, but is not told of all that the first has read:
        a bot that changes from polling to a WebSocket must not answer last month's messages.
        """
        with self._mutex:
            marked = self._marks.get(name)
        with self.store.read() as connection:
            query = sa.select(cursors.c.position, cursors.c.used_ms).where(cursors.c.name == name)
            row = connection.execute(query).first()
            furthest: Any = None
            if row is None and account:
                why_not = cursor_rows.why_not(connection, name, account, self._bounds)
                if why_not is not None:
                    raise RequestError(why_not)
                furthest = connection.scalar(_furthest(account))
        if row is not None and cursor_rows.is_used_anew(row.used_ms):
            self._note_use(name)
        position = self._latecomer(furthest) if row is None else int(row.position)
        return max(position, marked[1] if marked else 0)

    def move(self, name: str, seq: int, account: str = "") -> None:
        """Everything up to `seq` was handed over; a cursor never goes back. Raises StoreError.

        Nothing when it would be one cursor too many.
        """
        self._write({name: (account, seq)})

    def acknowledge(self, consumer: str, seq: int) -> None:
        """A named consumer has dealt with everything up to `seq`; it never goes back.

        Raises StoreError, and RequestError when it would be one consumer too many.
        """
        name = consumer_name(consumer)
        with self.store.write() as unit:
            if (
                why_not := cursor_rows.make(self.store, unit, name, "", 0, self._bounds)
            ) is not None:
                raise RequestError(why_not)
            cursor_rows.move(unit, name, seq)

    def forget_consumer(self, consumer: str) -> bool:
        """Remove a named consumer. Whether there was one. Raises StoreError."""
        with self.store.write() as unit:
            named = cursors.c.name == consumer_name(consumer)
            return bool(cursor_rows.remove(self.store, unit, named))

    def forget_account(self, account: str) -> None:
        """Remove every cursor of an account. Raises StoreError."""
        with self._mutex:
            self._marks = {name: mark for name, mark in self._marks.items() if mark[0] != account}
        with self.store.write() as unit:
            cursor_rows.remove(self.store, unit, cursors.c.account == account)

    def mark(self, name: str, seq: int, account: str) -> None:
        """`move`, written down within a moment together with others.

        What a crash takes of it is handed over again.
        """
        with self._mutex:
            known = self._marks.get(name)
            if known is None or known[1] < seq:
                self._marks[name] = (account, seq)
            if self._loop is None and not self._stop.is_set():
                self._loop = Loop("marks", self._write_marks, self._stop)
                self._loop.start()
        self._marked.set()

    def flush(self) -> None:
        """Write down what was marked. Raises StoreError; then it is still to be written."""
        with self._mutex:
            marks = dict(self._marks)
        if not marks:
            return
        self._write(marks)
        with self._mutex:
            for name, mark in marks.items():
                if self._marks.get(name) == mark:
                    del self._marks[name]

    def close(self) -> None:
        """Write down what was marked, and end. Raises StoreError."""
        self._stop.set()
        self._marked.set()
        if self._loop is not None:
            self._loop.join(5)
        self.flush()

    def consumers(self) -> dict[str, int]:
        """The position of every named consumer. Raises StoreError."""
        prefix = consumer_name("")
        with self.store.read() as connection:
            rows = connection.execute(
                sa.select(cursors.c.name, cursors.c.position).where(
                    cursors.c.name.startswith(prefix, autoescape=True)
                )
            )
            return {row.name.removeprefix(prefix): row.position for row in rows}

    def _try(self, name: str, account: str) -> Reading | None:
        begins = self.position(name, account)
        query = sa.select(cursors.c.position).where(cursors.c.name == name)
        with self.store.write() as unit:
            if unit.scalar(query) is None:
                why_not = cursor_rows.make(self.store, unit, name, account, begins, self._bounds)
                if why_not:
                    raise RequestError(why_not)
                if why_not is not None:
                    return Reading(self, None, begins)
            lease = self.leases.take(unit, name, secrets.token_hex(8), _READING_SECONDS)
            if lease is None:
                return None
            position = unit.scalar(query)  # again: who had the lease may have moved it
            return Reading(self, lease, begins if position is None else int(position))

    def _note_use(self, name: str) -> None:
        with suppress(StoreError), self.store.write() as unit:
            cursor_rows.note_use(unit, name)

    def _latecomer(self, furthest: int | None) -> int:
        if not furthest:
            return 0
        with self.store.read() as connection:
            return min(furthest, first_since(connection, now_ms() - _LATECOMER_MS) - 1)

    def _write_marks(self) -> None:
        """On thread `marks`."""
        self._marked.wait()
        pause(_GATHER_SECONDS, self._stop)
        self._marked.clear()
        self.flush()

    def _write(self, marks: dict[str, tuple[str, int]]) -> None:
        """Those that would be one cursor too many are passed over."""
        with self.store.write() as unit:
            there = sa.select(cursors.c.name).where(cursors.c.name.in_(list(marks)))
            missing = sorted(marks.keys() - set(unit.execute(there).scalars()))
            for name in missing:
                cursor_rows.make(self.store, unit, name, marks[name][0], 0, self._bounds)
            for name, (_account, seq) in sorted(marks.items()):
                cursor_rows.move(unit, name, seq)


def _furthest(account: str) -> sa.Select[tuple[int]]:
    """The furthest position of the ways of reading the account."""
    ways = [f"{way}:" for way in _WAYS]
    return sa.select(sa.func.max(cursors.c.position)).where(
        cursors.c.account == account,
        sa.or_(*(cursors.c.name.startswith(way, autoescape=True) for way in ways)),
    )
