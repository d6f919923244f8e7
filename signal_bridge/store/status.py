"""The status board: what the daemon process knows of itself, readable from every process."""

from __future__ import annotations

import dataclasses
from typing import Final

import sqlalchemy as sa

from signal_bridge.clock import now_ms
from signal_bridge.store.engine import Store
from signal_bridge.store.tables import status

# How often a part that goes on as before says so. Older than three of these is dead.
BEAT_SECONDS: Final = 5.0
OUTDATED: Final = "outdated"
"""The state of a signal-cli that is down because Signal refuses its version."""


@dataclasses.dataclass(frozen=True)
class Status:
    """One part of the bridge: its state in a word, the reason, since when, and last heard of."""

    name: str
    state: str
    detail: str
    since_ms: int
    beat_ms: int

    def age_seconds(self) -> float:
        """Seconds since the part last said that it is there."""
        return max(0, now_ms() - self.beat_ms) / 1000

    def is_fresh(self) -> bool:
        """Whether the part was heard of lately. One that goes on as before says so regularly."""
        return self.age_seconds() <= 3 * BEAT_SECONDS

    def lasted_seconds(self) -> float:
        """Seconds since the state was entered."""
        return max(0, now_ms() - self.since_ms) / 1000


class StatusBoard:
    """Reads and writes the board. Safe from any thread. Methods raise StoreError."""

    def __init__(self, store: Store) -> None:
        self._store = store
        # What this process said last, and when. Each entry has one writing thread.
        self._said: dict[str, tuple[str, str, int]] = {}

    def forget(self) -> None:
        """A new daemon process begins with an empty board."""
        with self._store.write() as unit:
            unit.execute(sa.delete(status))
        self._said.clear()

    def put(self, name: str, state: str, detail: str = "") -> None:
        """Say how `name` is. `since_ms` stays as it was while the state stays the same.

        The same again is written only every BEAT_SECONDS, as a sign of life.
        """
        now = now_ms()
        *said, said_ms = self._said.get(name, ("", "", 0))
        if said == [state, detail] and now - said_ms < BEAT_SECONDS * 1000:
            return
        with self._store.write() as unit:
            row = unit.execute(sa.select(status).where(status.c.name == name)).first()
            since_ms = row.since_ms if row is not None and row.state == state else now
            values = {"state": state, "detail": detail, "since_ms": since_ms, "beat_ms": now}
            if row is None:
                unit.execute(sa.insert(status).values(name=name, **values))
            else:
                unit.execute(sa.update(status).where(status.c.name == name).values(values))
        self._said[name] = (state, detail, now)

    def check(self) -> None:
        """Write something. When that raises StoreError, what the board says is old."""
        now = now_ms()
        row = {"name": "store", "state": "running", "detail": "", "since_ms": now, "beat_ms": now}
        with self._store.write() as unit:
            unit.execute(self._store.insert_new(status), row)
            unit.execute(sa.update(status).where(status.c.name == "store").values(beat_ms=now))

    def take(self, prefix: str) -> list[Status]:
        """The parts whose names begin with `prefix`, which are on the board no more."""
        wanted = status.c.name.startswith(prefix, autoescape=True)
        with self._store.write() as unit:
            rows = unit.execute(sa.select(status).where(wanted)).all()
            unit.execute(sa.delete(status).where(wanted))
        return [Status(row.name, row.state, row.detail, row.since_ms, row.beat_ms) for row in rows]

    def all(self) -> dict[str, Status]:
        """Every part by its name."""
        with self._store.read() as connection:
            rows = connection.execute(sa.select(status)).all()
        return {row.name: Status(*row) for row in rows}
