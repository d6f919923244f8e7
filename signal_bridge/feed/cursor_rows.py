"""The rows of cursors: whose each is, how many there may be, and which of them nobody needs.

A request can bring one into being, so each has an owner that it counts for: an account that there
is, every account, or the named consumers together.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa

from signal_bridge.clock import now_ms
from signal_bridge.feed.filters import EVERY_ACCOUNT
from signal_bridge.store.engine import CURSORS_LOCK, Store, Unit
from signal_bridge.store.leases import Leases
from signal_bridge.store.tables import accounts, cursors, events, leases, pruned

CONSUMER: Final = "consumer:"
_LEASED: Final = "poll:"
# Between an account and the digest of what is wanted of it.
FILTERED: Final = "?"

_HOUR_MS: Final = 3_600_000
_DAY_MS: Final = 24 * _HOUR_MS
# Who reads and finds nothing writes nothing, but for this often.
_NOTED_EVERY_MS: Final = 6 * _HOUR_MS
# One that was used within this is nobody's to take, however many others there are.
_SPARED_MS: Final = _DAY_MS
_UNUSED_MS: Final = 90 * _DAY_MS


@dataclasses.dataclass(frozen=True)
class Bounds:
    """How many cursors there may be: with a filter for one account, and of named consumers."""

    filters: int = 100
    consumers: int = 1000


def is_used_anew(used_ms: int) -> bool:
    """Whether that a cursor is read with is worth noting, since it was noted long ago.

    Or in a time that is still to come, by a clock that was wrong.
    """
    return abs(now_ms() - used_ms) > _NOTED_EVERY_MS


def why_not(connection: sa.Connection, name: str, account: str, bounds: Bounds) -> str | None:
    """Why the cursor, which is not there, cannot come into being; a sentence, None if it can.

    An account is read in three ways with everything it has, which are always free; filters and
    consumers are counted. A filter may take the place of one that nobody has used for a day.
    """
    if name.startswith(CONSUMER):
        if _count(connection, _OF_CONSUMERS) < bounds.consumers:
            return None
        return (
            f"There are {bounds.consumers} consumers, and no more can be. One that is not needed "
            "any more goes by DELETE /v1/events/consumers/{name}"
        )
    if FILTERED not in name or _count(connection, *_filters_of(account)) < bounds.filters:
        return None
    if connection.scalar(_unused_filter(account)) is not None:
        return None
    return (
        f"This account is read with {bounds.filters} filters (types, from) already, and no more "
        "can be remembered; read with one of them, or say where to begin (after=)"
    )


def make(
    store: Store, unit: Unit, name: str, account: str, position: int, bounds: Bounds
) -> str | None:
    """Bring a cursor into being, unless it is there. As `why_not`: None when it is there now.

    Of an account that nobody has heard of nothing is kept: then the sentence is empty.
    """
    unit.take_turns(CURSORS_LOCK)
    if unit.scalar(sa.select(cursors.c.name).where(cursors.c.name == name)) is not None:
        return None
    if not _is_known(unit, account):
        return ""
    if (why := why_not(unit.connection, name, account, bounds)) is not None:
        return why
    _make_room(store, unit, name, account, bounds)
    row = {"name": name, "account": account, "position": position}
    unit.execute(store.insert_new(cursors), row)
    return None


def move(unit: Unit, name: str, seq: int) -> None:
    """Everything up to `seq` was handed over; never back."""
    unit.execute(
        sa.update(cursors)
        .where(cursors.c.name == name, cursors.c.position < seq)
        .values(position=seq, used_ms=now_ms())
    )


def note_use(unit: Unit, name: str) -> None:
    """It is read with now."""
    unit.execute(sa.update(cursors).where(cursors.c.name == name).values(used_ms=now_ms()))


def remove(store: Store, unit: Unit, *which: sa.ColumnElement[bool]) -> int:
    """Remove these cursors, with the leases that they were read with. How many went."""
    names = list(unit.execute(sa.select(cursors.c.name).where(*which)).scalars())
    if not names:
        return 0
    Leases(store).forget(unit, names)
    # asked again: one that was used meanwhile stays
    return unit.execute(sa.delete(cursors).where(cursors.c.name.in_(names), *which)).rowcount


def unneeded(connection: sa.Connection, most: int) -> list[str]:
    """The names of up to `most` cursors that nobody needs any more.

    Those that were not used for 90 days, once all that they have passed is gone: whoever comes
    back reads on as if they were there. And those of accounts that nobody has heard of.
    """
    query = sa.select(cursors.c.name).where(_is_unneeded()).limit(most)
    return list(connection.execute(query).scalars())


def remove_unneeded(store: Store, unit: Unit, names: Sequence[str]) -> None:
    """Remove those of these cursors that still nobody needs."""
    remove(store, unit, cursors.c.name.in_(names), _is_unneeded())


def stray_leases(connection: sa.Connection, most: int) -> list[str]:
    """The names of up to `most` leases of cursors that are not there."""
    no_cursor = ~sa.exists().where(cursors.c.name == leases.c.name)
    stray = leases.c.name.startswith(_LEASED), leases.c.ends_ms == 0, no_cursor
    return list(connection.execute(sa.select(leases.c.name).where(*stray).limit(most)).scalars())


_OF_CONSUMERS: Final = cursors.c.name.startswith(CONSUMER)


def _filters_of(account: str) -> tuple[sa.ColumnElement[bool], ...]:
    return cursors.c.account == account, cursors.c.name.contains(FILTERED, autoescape=True)


def _unused_filter(account: str) -> sa.Select[tuple[str]]:
    """The name of the one that was not used for longest, if that is long enough."""
    unused = cursors.c.used_ms < now_ms() - _SPARED_MS
    query = sa.select(cursors.c.name).where(*_filters_of(account), unused)
    return query.order_by(cursors.c.used_ms).limit(1)


def _make_room(store: Store, unit: Unit, name: str, account: str, bounds: Bounds) -> None:
    if FILTERED not in name or name.startswith(CONSUMER):
        return
    if _count(unit.connection, *_filters_of(account)) >= bounds.filters:
        oldest = unit.scalar(_unused_filter(account))
        remove(store, unit, cursors.c.name == oldest)


def _count(connection: sa.Connection, *which: sa.ColumnElement[bool]) -> int:
    return int(connection.scalar(sa.select(sa.func.count()).where(*which)) or 0)


def _is_known(unit: Unit, account: str) -> bool:
    """Whether it is in the book, or has or had events: else there is nothing to remember."""
    if account in ("", EVERY_ACCOUNT):
        return True
    columns = accounts.c.number, events.c.account, pruned.c.account
    return any(
        unit.scalar(sa.select(column).where(column == account).limit(1)) is not None
        for column in columns
    )


def _is_unneeded() -> sa.ColumnElement[bool]:
    now = now_ms()
    oldest = sa.select(sa.func.min(events.c.seq)).scalar_subquery()
    passed_is_gone = cursors.c.position < sa.func.coalesce(oldest, cursors.c.position + 1)
    unused = sa.and_(cursors.c.used_ms < now - _UNUSED_MS, passed_is_gone)
    strange = sa.and_(cursors.c.used_ms < now - _DAY_MS, ~_is_of_known_account())
    return sa.or_(unused, strange)


def _is_of_known_account() -> sa.ColumnElement[bool]:
    return sa.or_(
        cursors.c.account.in_(["", EVERY_ACCOUNT]),
        sa.exists().where(accounts.c.number == cursors.c.account),
        sa.exists().where(events.c.account == cursors.c.account),
        sa.exists().where(pruned.c.account == cursors.c.account),
    )
