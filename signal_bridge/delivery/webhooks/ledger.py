"""What couriers write down: how far they have got, what they tried, what they parked.

A courier owns the progress of its webhook, yet a caller may change the webhook at any moment. So a
mark is written only over the revision that the courier has read. Over a later one it says no more
than what was delivered, so that a change does not double it; and not even that when the caller has
moved the position (a replay), or the webhook is gone. Then the courier goes on from the new row.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from signal_bridge.clock import now_ms
from signal_bridge.delivery.webhooks.webhook import ACTIVE, Webhook, webhook_of
from signal_bridge.feed.event import Arrival, Event
from signal_bridge.feed.feed import Feed
from signal_bridge.feed.filters import OWN_KINDS, SIGNAL_KINDS, Filter
from signal_bridge.store.bells import WEBHOOKS
from signal_bridge.store.engine import Store, Unit
from signal_bridge.store.leases import Lease, Leases
from signal_bridge.store.tables import attempts, parked, webhooks

if TYPE_CHECKING:
    from signal_bridge.delivery.webhooks.post import Attempt

ATTEMPTS_KEPT: Final = 100

_EVERYTHING: Final = Filter(kinds=(*SIGNAL_KINDS, *OWN_KINDS))
PARKED_REPORT: Final = "webhook.parked"
_GONE: Final = "the event is no longer kept"


@dataclasses.dataclass(frozen=True)
class Tried:
    """An attempt at event `seq`, the `attempt`th, that began at `at_ms`."""

    seq: int
    attempt: int
    at_ms: int
    outcome: Attempt


@dataclasses.dataclass(frozen=True)
class Entry:
    """What happened since the last mark.

    `parked` are the events refused for good, each with the reason; `unparked` are those that were
    parked and are delivered now; `reports` are told in the feed.
    """

    tried: tuple[Tried, ...] = ()
    parked: tuple[tuple[int, str], ...] = ()
    unparked: tuple[int, ...] = ()
    reports: tuple[Arrival, ...] = ()

    def __add__(self, later: Entry) -> Entry:
        return Entry(
            self.tried + later.tried,
            self.parked + later.parked,
            self.unparked + later.unparked,
            self.reports + later.reports,
        )


@dataclasses.dataclass(frozen=True)
class Mark:
    """The webhook as its courier has left it, and what happened on the way."""

    webhook: Webhook
    entry: Entry = Entry()

    @property
    def key(self) -> tuple[str, int]:
        """The id of the webhook, and the revision that this may be written over."""
        return self.webhook.id, self.webhook.revision


@dataclasses.dataclass(frozen=True)
class Row:
    """A webhook as it stands in the table, and whether parked events are to be tried again."""

    webhook: Webhook
    replays: bool = False


def revisions_in(roll: str) -> dict[str, int]:
    """The revision of each webhook, by its id."""
    entries = (line.split(":") for line in roll.split())
    return {webhook_id: int(revision) for webhook_id, revision in entries}


class Ledger:
    """Safe from any thread; every method may raise StoreError.

    With a lease, only its holder writes: LeaseLost when another process has it by now.
    """

    def __init__(self, store: Store, feed: Feed, lease: Lease | None = None) -> None:
        self._store = store
        self._feed = feed
        self._leases = Leases(store)
        self._lease = lease

    # -- reading -------------------------------------------------------------------------------

    def roll(self) -> str:
        """Every webhook that is to be served now, for `revisions_in`. Equal when nothing changed.

        As one text a thousand of them cost a third of what a thousand rows do.
        """
        line = webhooks.c.id + ":" + sa.cast(webhooks.c.revision, sa.Text)
        query = sa.select(sa.func.aggregate_strings(line, " ")).where(webhooks.c.state == ACTIVE)
        with self._store.read() as connection:
            return connection.scalar(query) or ""

    def rows(self, ids: Collection[str]) -> list[Row]:
        """Those of the webhooks that are to be served now, as they are now."""
        query = sa.select(webhooks).where(webhooks.c.id.in_(ids), webhooks.c.state == ACTIVE)
        wanted = sa.select(parked.c.webhook_id).where(parked.c.webhook_id.in_(ids), parked.c.wanted)
        with self._store.read() as connection:
            found = [webhook_of(row) for row in connection.execute(query)]
            # after the rows: one wanted since then has raised the revision, and is heard of again
            replaying = set(connection.scalars(wanted.distinct()))
        return [Row(webhook, webhook.id in replaying) for webhook in found]

    def next_wanted(self, webhook_id: str, after: int) -> Event | None:
        """The oldest parked event above `after` that is to be tried again, and is still kept."""
        while (seq := self._oldest_wanted(webhook_id, after)) is not None:
            found = self._feed.read(_EVERYTHING, seq - 1, 1)
            if found and found[0].seq == seq:
                return found[0]
            with self._unit() as unit:
                self._park(unit, [_parked_row(webhook_id, seq, _GONE)], anew=True)
        return None

    def _oldest_wanted(self, webhook_id: str, after: int) -> int | None:
        query = sa.select(sa.func.min(parked.c.seq)).where(
            parked.c.webhook_id == webhook_id, parked.c.seq > after, parked.c.wanted
        )
        with self._store.read() as connection:
            seq: int | None = connection.scalar(query)
        return seq

    # -- writing -------------------------------------------------------------------------------

    def mark(self, marks: Sequence[Mark]) -> set[tuple[str, int]]:
        """Write down `marks`, at most one of each webhook, or none of them.

        The keys of those that are not written whole, since their webhook has changed or is gone.
        The attempts are kept whenever there is a webhook.
        """
        with self._unit() as unit:
            current = _current(unit, [mark.webhook.id for mark in marks])
            known = [mark for mark in marks if mark.webhook.id in current]
            valid = [
                one for one in known if current[one.webhook.id].rewound <= one.webhook.revision
            ]
            whole = [
                one for one in valid if current[one.webhook.id].revision == one.webhook.revision
            ]
            late = [one for one in valid if one not in whole]
            _move(unit, whole, late)
            _keep_attempts(unit, [row for one in known for row in _attempt_rows(one)])
            self._park(unit, _parked_rows(whole), anew=True)
            self._park(unit, _parked_rows(late), anew=False)
            _unpark(unit, whole)
            self._feed.tell(unit, _reports(whole, late))
        return {one.key for one in marks} - {one.key for one in whole}

    @contextlib.contextmanager
    def _unit(self) -> Iterator[Unit]:
        """A unit of work that is committed only while the lease is ours."""
        with self._store.write() as unit:
            if self._lease is not None:
                self._leases.fence(unit, self._lease)
            yield unit

    def _park(self, unit: Unit, rows: Sequence[dict[str, Any]], anew: bool) -> None:
        """What is parked already is parked `anew`, else it is left alone: it may be wanted."""
        if not rows:
            return
        statement = self._store.insert(parked)
        key = [parked.c.webhook_id, parked.c.seq]
        new = {name: statement.excluded[name] for name in ("parked_ms", "reason", "wanted")}
        if anew:
            statement = statement.on_conflict_do_update(index_elements=key, set_=new)
        else:
            statement = statement.on_conflict_do_nothing()
        unit.execute(statement, list(rows))


def _current(unit: Unit, ids: Sequence[str]) -> dict[str, Any]:
    """As they are, and stay until the unit ends: in one order, so that nobody waits in a circle."""
    columns = (webhooks.c.id, webhooks.c.revision, webhooks.c.rewound)
    query = sa.select(*columns).where(webhooks.c.id.in_(ids)).order_by(webhooks.c.id)
    return {row.id: row for row in unit.execute(query.with_for_update())}


def _move(unit: Unit, whole: Iterable[Mark], late: Iterable[Mark]) -> None:
    progress = [_progress(mark.webhook) for mark in whole]
    if progress:
        unit.execute(_PROGRESS, progress)
    if any(row["new_state"] != ACTIVE for row in progress):
        unit.ring(WEBHOOKS)
    positions = [{"webhook": one.webhook.id, "new": one.webhook.position} for one in late]
    if positions:
        unit.execute(_POSITION, positions)


_THIS: Final = webhooks.c.id == sa.bindparam("webhook")
_WRITTEN: Final = (
    "position", "attempt", "next_attempt_ms", "failing_since_ms", "state", "detail",
)  # fmt: skip
_PROGRESS: Final = (
    sa.update(webhooks)
    .where(_THIS)
    .values({name: sa.bindparam(f"new_{name}") for name in _WRITTEN})
)
# The attempts that stand there were at the event that is dealt with now.
_POSITION: Final = (
    sa.update(webhooks)
    .where(_THIS, webhooks.c.position != sa.bindparam("new"))
    .values(position=sa.bindparam("new"), attempt=0, next_attempt_ms=0)
)


def _progress(webhook: Webhook) -> dict[str, Any]:
    """What a courier may write. The rest is for callers to say."""
    new = {f"new_{name}": getattr(webhook, name) for name in _WRITTEN}
    return {"webhook": webhook.id, **new}


def _reports(whole: Iterable[Mark], late: Iterable[Mark]) -> list[Arrival]:
    """That a webhook is disabled is not so if it has been changed since."""
    reports = [report for one in whole for report in one.entry.reports]
    kept = [report for one in late for report in one.entry.reports]
    return [*reports, *(report for report in kept if report.kind == PARKED_REPORT)]


def _keep_attempts(unit: Unit, rows: Sequence[dict[str, Any]]) -> None:
    """The newest of each webhook are kept."""
    if not rows:
        return
    unit.execute(sa.insert(attempts), list(rows))
    ids = {row["webhook_id"] for row in rows}
    unit.execute(_FORGET_ATTEMPTS, [{"webhook": one} for one in sorted(ids)])


_mine = attempts.c.webhook_id == sa.bindparam("webhook")
_FORGET_ATTEMPTS: Final = sa.delete(attempts).where(
    _mine,
    attempts.c.id
    < sa.select(attempts.c.id)
    .where(_mine)
    .order_by(attempts.c.id.desc())
    .offset(ATTEMPTS_KEPT - 1)
    .limit(1)
    .scalar_subquery(),
)


def _unpark(unit: Unit, marks: Iterable[Mark]) -> None:
    rows = [
        {"webhook": one.webhook.id, "event": seq} for one in marks for seq in one.entry.unparked
    ]
    this = (parked.c.webhook_id == sa.bindparam("webhook"), parked.c.seq == sa.bindparam("event"))
    if rows:
        unit.execute(sa.delete(parked).where(*this), rows)


def _parked_rows(marks: Iterable[Mark]) -> list[dict[str, Any]]:
    return [
        _parked_row(one.webhook.id, seq, reason)
        for one in marks
        for seq, reason in one.entry.parked
    ]


def _parked_row(webhook_id: str, seq: int, reason: str) -> dict[str, Any]:
    row = {"parked_ms": now_ms(), "reason": reason, "wanted": False}
    return {"webhook_id": webhook_id, "seq": seq, **row}


def _attempt_rows(mark: Mark) -> list[dict[str, Any]]:
    """Of more than are kept only the newest."""
    return [
        {
            "webhook_id": mark.webhook.id,
            "seq": tried.seq,
            "attempt": tried.attempt,
            "at_ms": tried.at_ms,
            "duration_ms": tried.outcome.duration_ms,
            "status": tried.outcome.status,
            "error": tried.outcome.error,
            "answer": tried.outcome.answer,
        }
        for tried in mark.entry.tried[-ATTEMPTS_KEPT:]
    ]
