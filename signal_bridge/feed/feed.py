"""The feed on disk: append, read after a cursor, wait for more.

`seq` is the order of commits, on both databases and with any number of writers: whoever has seen
one has seen all below it. SQLite has one writer. On PostgreSQL a number is given before a commit
is made, so appends go one after the other: each waits, as the last thing its transaction does,
for the one before it to be committed.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Final

import sqlalchemy as sa

from signal_bridge.clock import Deadline, now_ms
from signal_bridge.feed import query
from signal_bridge.feed.event import Arrival, Event, Gap, Page
from signal_bridge.feed.filters import EVERY_ACCOUNT, OWN_KINDS, SIGNAL_KINDS, Filter
from signal_bridge.feed.watch import WaitingFollower, Watch
from signal_bridge.store.bells import FEED, Bells
from signal_bridge.store.engine import Store, Unit
from signal_bridge.store.tables import events, feed_totals, pruned

# Beyond this a lag is estimated: counting a million takes a second, and says no more. Ten thousand
# still took longer than the page it was told with.
COUNTED_MOST: Final = 1_000
_EVERYTHING: Final = Filter(EVERY_ACCOUNT, (*SIGNAL_KINDS, *OWN_KINDS))


class Feed:
    """The events of all accounts, in the order they were committed. Safe from any thread.

    Methods that touch the database raise StoreError.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.bells: Final[Bells] = store.bells
        self.watch: Final = Watch(self)
        self._mutex = threading.Lock()  # guards _highest
        self._highest = 0  # the highest seq this process knows of

    # -- writing -------------------------------------------------------------------------------

    def append(self, arrivals: Sequence[Arrival]) -> int:
        """Commit arrivals, in order and all at once. How many of them were new."""
        if not arrivals:
            return 0
        new: list[int] = []
        with self._store.write() as unit:
            unit.before_commit(lambda: new.append(self._add(unit, arrivals)))
        return sum(new)

    def tell(self, unit: Unit, arrivals: Sequence[Arrival]) -> None:
        """Append arrivals together with the state they tell of: both are committed, or neither."""
        if arrivals:
            unit.before_commit(lambda: self._add(unit, arrivals))

    def _add(self, unit: Unit, arrivals: Sequence[Arrival]) -> int:
        """As the last thing of a unit, since everybody else waits for it to end."""
        unit.take_turns()
        received_at_ms = now_ms()
        rows = [_row(arrival, received_at_ms) for arrival in arrivals]
        added = self._insert(unit, rows)
        if not added:
            return 0
        unit.execute(
            sa.update(feed_totals).values(
                events=feed_totals.c.events + len(added),
                size_bytes=feed_totals.c.size_bytes + sum(added.values()),
            )
        )
        unit.ring(FEED)
        unit.after_commit(lambda: self._know_of(max(added)))
        return len(added)

    def _insert(self, unit: Unit, rows: list[dict[str, Any]]) -> dict[int, int]:
        """The seq and size of those that were new, by what this transaction did alone."""
        statement = self._store.insert_new(events).returning(
            events.c.seq, sa.func.length(events.c.payload)
        )
        added = _sizes(unit.execute(statement, rows))
        if added and min(added) <= self._highest:
            # The database went back in time (a standby that lagged took over). Readers have been
            # at these numbers already and would never see what is told under them.
            unit.execute(sa.delete(events).where(events.c.seq.in_(list(added))))
            unit.go_on_from(events.c.seq, self._highest)
            added = _sizes(unit.execute(statement, rows))
        return added

    def mend_numbers(self, seen: int) -> None:
        """The feed has nothing above `seen`. If it ends below, go on above it all the same."""
        if self.newest_seq() >= seen:
            return
        with self._store.write() as unit:
            unit.take_turns()
            newest = int(unit.scalar(sa.select(sa.func.max(events.c.seq))) or 0)
            if newest < seen:
                unit.go_on_from(events.c.seq, seen)

    def _know_of(self, seq: int) -> None:
        with self._mutex:
            self._highest = max(self._highest, seq)

    # -- reading -------------------------------------------------------------------------------

    def read(self, wanted: Filter, after: int, limit: int) -> Page:
        """Up to `limit` events that are wanted, with a seq above `after`, oldest first.

        Fewer when they are large: it ends with the one that makes it query.PAGE_BYTES. With what
        was wanted and is no longer kept: a gap is told with the events behind it.
        """
        # Whoever asks for senders may have to look at much to find little; where it has looked
        # need not be looked at again. The newest is asked first: then nothing below it is missed.
        looked_through = self.newest_seq() if wanted.senders else 0
        with self._store.read() as connection:
            values = query.values(wanted, after, limit)
            rows = connection.execute(query.page(wanted), values).all()
            lost = (
                rows[0].lost_through
                if rows
                else connection.scalar(query.lost_through(wanted), values)
            )
        found = tuple(_event(row) for row in rows)
        size_bytes = sum(len(event.payload) for event in found)
        is_full = len(found) == limit or size_bytes >= query.PAGE_BYTES
        through = found[-1].seq if found else max(after, lost or 0)
        if not is_full:
            through = max(through, looked_through)
        self._know_of(through if found else 0)
        gap = None if lost is None else Gap(after + 1, int(lost))
        return Page(found, through, gap, is_full)

    def read_all(self, after: int, limit: int) -> Page:
        """The next events of every account and kind."""
        return self.read(_EVERYTHING, after, limit)

    def read_or_wait(self, wanted: Filter, after: int, limit: int, deadline: Deadline) -> Page:
        """Like `read`, but waits until there is something, or the deadline passes (then empty)."""
        page = self.read(wanted, after, limit)
        if page or page.gap or deadline.expired() or self.closing:
            return page
        with self.following(wanted) as follower:
            while True:
                page = follower.read(after, limit)
                if page or page.gap or self.closing or not follower.wait(deadline):
                    return page

    def following(self, wanted: Filter) -> AbstractContextManager[WaitingFollower]:
        """For a thread that waits for the feed, and perhaps for something else."""
        return self.watch.following(wanted)

    def count_after(self, wanted: Filter, after: int) -> int:
        """How many wanted events there are above `after`: the lag of a reader.

        Counted up to COUNTED_MOST; beyond, estimated from how dense they are among those.
        """
        if wanted.senders:
            return self._count_of_senders(wanted, after)
        with self._store.read() as connection:
            values = query.values(wanted, after, COUNTED_MOST)
            counted = connection.execute(query.count(wanted), values).one()
            if counted.found < COUNTED_MOST:
                return int(counted.found)
            newest = newest_seq_in(connection)
        density = (counted.found - 1) / (counted.last - counted.first)
        return int(counted.found + (newest - counted.last) * density)

    def _count_of_senders(self, wanted: Filter, after: int) -> int:
        """Counted among COUNTED_MOST events: there may be a million between two of a sender."""
        with self._store.read() as connection:
            newest = newest_seq_in(connection)
            oldest = int(connection.scalar(sa.select(sa.func.min(events.c.seq))) or newest + 1)
            after = max(after, oldest - 1)
            values = query.values(wanted, after, COUNTED_MOST)
            found = int(connection.scalar(query.count_within(wanted), values) or 0)
        left = newest - after
        return found if left <= COUNTED_MOST else found * left // COUNTED_MOST

    def lags(self, positions: Sequence[int]) -> list[int]:
        """How many events of all kinds and accounts there are above each: by their numbers."""
        with self._store.read() as connection:
            newest = newest_seq_in(connection)
            oldest = int(connection.scalar(sa.select(sa.func.min(events.c.seq))) or newest + 1)
        return [max(0, newest - max(position, oldest - 1)) for position in positions]

    def newest_seq(self) -> int:
        """The seq of the newest event, 0 when there was none."""
        with self._store.read() as connection:
            newest = newest_seq_in(connection)
        self._know_of(newest)
        return newest

    # -- the end -------------------------------------------------------------------------------

    @property
    def closing(self) -> bool:
        """Whether this process is on its way out and nobody should wait any more."""
        return self.watch.is_closed

    def close(self) -> None:
        """From now on nobody waits any more: whoever does is woken."""
        self.watch.close()


def _row(arrival: Arrival, received_at_ms: int) -> dict[str, Any]:
    return {
        "account": arrival.account,
        "kind": arrival.kind,
        "sender_uuid": arrival.sender_uuid,
        "sender_number": arrival.sender_number,
        "dedup_key": arrival.dedup_key,
        "received_at_ms": received_at_ms,
        "payload": arrival.payload,
    }


def _sizes(added: Any) -> dict[int, int]:
    return {int(seq): int(size_bytes) for seq, size_bytes in added.all()}


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
        sender_uuid=row.sender_uuid,
        sender_number=row.sender_number,
    )


def first_since(connection: sa.Connection, time_ms: int) -> int:
    """The seq of the first event received at `time_ms` or later; one above the newest if none.

    By halving: the times of a feed rise, and an index of them would cost every append.
    """
    low = int(connection.scalar(sa.select(sa.func.min(events.c.seq))) or 0)
    high = newest_seq_in(connection) + 1
    while low < high:
        middle = (low + high) // 2
        found = connection.execute(
            sa.select(events.c.seq, events.c.received_at_ms)
            .where(events.c.seq >= middle)
            .order_by(events.c.seq)
            .limit(1)
        ).first()
        if found is None or found.received_at_ms >= time_ms:
            high = middle
        else:
            low = found.seq + 1
    return low


def newest_seq_in(connection: sa.Connection) -> int:
    """Also when it is not kept any more: who begins there has a gap behind, and not before."""
    newest = connection.scalar(sa.select(sa.func.max(events.c.seq)))
    if newest is None:
        newest = connection.scalar(sa.select(sa.func.max(pruned.c.through_seq)))
    return int(newest or 0)
