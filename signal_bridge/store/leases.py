"""Leases: who alone may do something for a while, in whichever process or on whichever machine.

A lease is a row with an end on the database's own clock (`Store.clock_ms`), so that no machine's
wrong clock matters; one that seems to end later than it can was made before the clock was set, and
counts for nothing. Its epoch rises with every new holder: `fence` refuses what an earlier one
writes late. A holder that dies keeps the others out for the length of the lease, no longer.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Sequence
from typing import Final

import sqlalchemy as sa

from signal_bridge.clock import Deadline
from signal_bridge.errors import LeaseLost
from signal_bridge.store.bells import LEASES, LOOK_SECONDS
from signal_bridge.store.engine import Store, Unit
from signal_bridge.store.tables import leases

LEASE_SECONDS: Final = 15.0


@dataclasses.dataclass(frozen=True)
class Lease:
    """The right to `name` for `seconds`, and for as long as it is renewed in time."""

    name: str
    holder: str
    epoch: int
    seconds: float = LEASE_SECONDS

    @property
    def renew_seconds(self) -> float:
        """How often to renew it: often enough that one renewal may fail."""
        return self.seconds / 3


class Leases:
    """All leases by name. Safe from any thread and process; methods raise StoreError."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def take(
        self, unit: Unit, name: str, holder: str, seconds: float = LEASE_SECONDS
    ) -> Lease | None:
        """The lease, or None while another holder has it. The same holder may take it again.

        One name's leases are of one length.
        """
        ends, length_ms = leases.c.ends_ms, round(seconds * 1000)
        now = self._store.clock_ms
        unit.execute(
            self._store.insert_new(leases),
            {"name": name, "holder": "", "epoch": 0, "ends_ms": 0},
        )
        free = sa.or_(ends <= now, ends > now + length_ms, leases.c.holder == holder)
        taken = unit.execute(
            sa.update(leases)
            .where(leases.c.name == name, free)
            .values(holder=holder, epoch=leases.c.epoch + 1, ends_ms=now + length_ms)
            .returning(leases.c.epoch)
        ).first()
        return None if taken is None else Lease(name, holder, taken.epoch, seconds)

    def renew(self, lease: Lease) -> bool:
        """Keep it for longer. False when another has it by now."""
        with self._store.write() as unit:
            kept = sa.update(leases).where(*_is(lease))
            ends = self._store.clock_ms + round(lease.seconds * 1000)
            done = unit.execute(kept.values(ends_ms=ends))
            return done.rowcount == 1

    def release(self, unit: Unit, lease: Lease) -> None:
        """Let the next one in, with this unit. Nothing when another has it by now."""
        unit.execute(sa.update(leases).where(*_is(lease)).values(holder="", ends_ms=0))
        unit.ring(LEASES)

    def fence(self, unit: Unit, lease: Lease) -> None:
        """Let this unit be committed only while the lease is ours. Raises LeaseLost."""
        held = sa.select(leases.c.epoch).where(*_is(lease)).with_for_update()
        if unit.scalar(held) is None:
            raise LeaseLost(f"Another process has taken over {lease.name}")

    def forget(self, unit: Unit, names: Sequence[str]) -> None:
        """Remove the leases of these names that nobody holds, with this unit.

        To be called before what they stand for is removed: holders write in that order, too.
        """
        ends, now = leases.c.ends_ms, self._store.clock_ms
        free = sa.or_(ends <= now, ends > now + round(LEASE_SECONDS * 1000))
        unit.execute(sa.delete(leases).where(leases.c.name.in_(names), free))

    def holder(self, name: str) -> str:
        """Who holds it now, empty for nobody."""
        now = self._store.clock_ms
        held = leases.c.ends_ms > now, leases.c.ends_ms <= now + round(LEASE_SECONDS * 1000)
        query = sa.select(leases.c.holder).where(leases.c.name == name, *held)
        with self._store.read() as connection:
            return str(connection.scalar(query) or "")

    def wait_until(self, ready: Callable[[], bool], deadline: Deadline) -> bool:
        """Wait until `ready()`, asked whenever a lease was released. False when the time is up.

        `ready` runs on this thread. It is asked every LOOK_SECONDS all the same: a lease that runs
        out rings no bell.
        """
        if ready():
            return True
        if deadline.expired():
            return False
        rung = threading.Event()
        with self._store.bells.listening(LEASES, rung.set):
            while not deadline.expired():
                if ready():
                    return True
                rung.wait(min(LOOK_SECONDS, deadline.remaining_seconds()))
                rung.clear()
        return ready()


def _is(lease: Lease) -> tuple[sa.ColumnElement[bool], ...]:
    """The holder, too: epochs begin anew when a row was removed that nobody held any more."""
    mine = leases.c.epoch == lease.epoch, leases.c.holder == lease.holder
    return leases.c.name == lease.name, *mine
