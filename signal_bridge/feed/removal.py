"""Removing events from the feed, a batch at a time, and telling what went.

Every batch is a unit of its own and leaves everything true: what is gone, that it is gone
(`pruned`, which readers get as a gap), what was parked of it, and the totals. What was removed and
not told yet is counted in `pruned` as well, so that a crash leaves it to the next run to tell.
"""

from __future__ import annotations

import logging
import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa

from signal_bridge.clock import now_ms
from signal_bridge.feed import cursor_rows
from signal_bridge.feed.event import Arrival
from signal_bridge.feed.feed import Feed
from signal_bridge.feed.keeping import DAY_MS, MOST_EVENTS, Candidate, Reached, Tally, tallies
from signal_bridge.feed.own import own_event
from signal_bridge.store.engine import Store, Unit
from signal_bridge.store.leases import Leases
from signal_bridge.store.tables import cursors, events, feed_totals, links, parked, pruned, webhooks

log = logging.getLogger(__name__)

_REPORT: Final = "feed.pruned"
# An envelope begins with who sent it and when; its content, of any size, comes after.
_HEAD_BYTES: Final = 1024
# So many of other rows at once.
_MOST_ROWS: Final = 500
KEEP_LINKS_MS: Final = 7 * DAY_MS
_DELIVERED: Final = re.compile(rb'"serverDeliveredTimestamp":(\d{1,15})\b')
_SIZE: Final = sa.func.length(events.c.payload)
_HEAD: Final = sa.func.substr(events.c.payload, 1, _HEAD_BYTES, type_=sa.LargeBinary)


class Removal:
    """What retention does to the database. Methods raise StoreError."""

    def __init__(self, store: Store, feed: Feed) -> None:
        self._store = store
        self._feed = feed

    def window(self) -> list[Candidate]:
        """The oldest events, MOST_EVENTS or all, in order."""
        query = sa.select(
            events.c.seq, events.c.received_at_ms, _HEAD.label("head"), _SIZE.label("size")
        )
        with self._store.read() as connection:
            rows = connection.execute(query.order_by(events.c.seq).limit(MOST_EVENTS)).all()
        return [
            Candidate(row.seq, row.received_at_ms, delivered_at_ms(row.head), row.size)
            for row in rows
        ]

    def size_bytes(self) -> int:
        """The size of all payloads together, by the running total."""
        with self._store.read() as connection:
            return int(connection.scalar(sa.select(feed_totals.c.size_bytes)) or 0)

    def remove(self, through: int) -> int:
        """Remove the events up to `through`, as one unit. How many went."""
        with self._store.read() as connection:
            reached = _furthest_positions(connection)
        with self._store.write() as unit:
            gone = unit.execute(
                sa.delete(events)
                .where(events.c.seq <= through)
                .returning(events.c.seq, events.c.account, events.c.kind, _SIZE.label("size"))
            ).all()
            found = tallies(
                ((row.seq, row.account, row.kind) for row in gone),
                _remove_parked(unit, through),
                reached,
            )
            self._count(unit, found)
            size_bytes = sum(row.size for row in gone)
            # As the last thing: everybody who appends needs this row.
            unit.before_commit(lambda: _lower_totals(unit, len(gone), size_bytes))
        return len(gone)

    def remove_rows(self) -> bool:
        """Remove a batch of cursors, leases and links that nobody needs. Whether more may be."""
        over = links.c.started_ms < now_ms() - KEEP_LINKS_MS
        with self._store.read() as connection:
            names = cursor_rows.unneeded(connection, _MOST_ROWS)
            strays = cursor_rows.stray_leases(connection, _MOST_ROWS)
            link_id = connection.scalar(sa.select(links.c.id).where(over).limit(1))
        if not (names or strays or link_id):
            return False
        with self._store.write() as unit:
            Leases(self._store).forget(unit, strays)
            cursor_rows.remove_unneeded(self._store, unit, names)
            unit.execute(sa.delete(links).where(over))
        return _MOST_ROWS in (len(names), len(strays))

    def tell(self) -> None:
        """Tell what was removed since it was last told: one event an account, and the log."""
        untold = pruned.c.removed > 0
        with self._store.read() as connection:
            if connection.scalar(sa.select(pruned.c.account).where(untold).limit(1)) is None:
                return
        with self._store.write() as unit:
            rows = unit.execute(sa.select(pruned).where(untold).with_for_update()).all()
            unit.execute(sa.update(pruned).where(untold).values(removed=0, unread=0, parked=0))
            accounts = by_account(rows)
            self._feed.tell(unit, [_report(*one) for one in accounts.items()])
        _log(list(accounts.values()))

    def _count(self, unit: Unit, found: dict[tuple[str, str], Tally]) -> None:
        if not found:
            return
        statement = self._store.insert(pruned)
        new, old = statement.excluded, pruned.c
        raised = statement.on_conflict_do_update(
            index_elements=[old.account, old.kind],
            set_={
                "through_seq": sa.case(
                    (new.through_seq > old.through_seq, new.through_seq), else_=old.through_seq
                ),
                **{name: old[name] + new[name] for name in ("removed", "unread", "parked")},
            },
        )
        # In one order always: two that do this at once must not wait for each other.
        unit.execute(raised, [_row(*key, tally) for key, tally in sorted(found.items(), key=_key)])


def delivered_at_ms(head: bytes) -> int | None:
    """When Signal's server handed it over, by the beginning of a payload; None where not said.

    Within a JSON string the quotes would have backslashes: nobody can write it into a message.
    """
    found = _DELIVERED.search(head)
    return int(found[1]) if found else None


def by_account(rows: Sequence[Any]) -> dict[str, Tally]:
    """Rows of `pruned`, which are by account and kind, added up."""
    accounts: dict[str, Tally] = defaultdict(Tally)
    for row in rows:
        tally = accounts[row.account]
        tally.through = max(tally.through, row.through_seq)
        tally.removed += row.removed
        tally.unread += row.unread
        tally.parked += row.parked
    return accounts


def _furthest_positions(connection: sa.Connection) -> Reached:
    """The positions of every reader that belongs to an account, and of all webhooks."""
    furthest = (
        sa.select(table.c.account, sa.func.max(table.c.position)).group_by(table.c.account)
        for table in (cursors, webhooks)
    )
    rows = connection.execute(sa.union_all(*furthest))
    return Reached((account, position) for account, position in rows)


def _remove_parked(unit: Unit, through: int) -> Sequence[int]:
    """Up to a seq. The seqs of the rows that went, once for each."""
    statement = sa.delete(parked).where(parked.c.seq <= through)
    return unit.execute(statement.returning(parked.c.seq)).scalars().all()


def _lower_totals(unit: Unit, count: int, size_bytes: int) -> None:
    unit.execute(
        sa.update(feed_totals).values(
            events=feed_totals.c.events - count,
            size_bytes=feed_totals.c.size_bytes - size_bytes,
        )
    )


def _row(account: str, kind: str, tally: Tally) -> dict[str, Any]:
    """Earlier reports that go are not reported: that would never end on a quiet account."""
    told = kind != _REPORT
    return {
        "account": account,
        "kind": kind,
        "through_seq": tally.through,
        "removed": tally.removed if told else 0,
        "unread": tally.unread if told else 0,
        "parked": tally.parked if told else 0,
    }


def _key(item: tuple[tuple[str, str], Tally]) -> tuple[str, str]:
    return item[0]


def _report(account: str, tally: Tally) -> Arrival:
    return own_event(
        _REPORT,
        account,
        through=tally.through,
        removed=tally.removed,
        unread=tally.unread,
        parked=tally.parked,
    )


def _log(told: Sequence[Tally]) -> None:
    removed = sum(tally.removed for tally in told)
    unread = sum(tally.unread for tally in told)
    waiting = sum(tally.parked for tally in told)
    loud = logging.WARNING if unread or waiting else logging.INFO
    log.log(loud, "events removed: %d, %d unread, %d parked", removed, unread, waiting)
