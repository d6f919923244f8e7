"""What a courier writes down: how far it has got, what it tried, what it parked.

A courier owns the position of its webhook, yet a caller may move it at any moment (a replay), or
remove the webhook. So a courier writes only over what it read: `mark` says no when the row is not
as it was, and then the courier reads it again.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from signal_bridge.clock import now_ms
from signal_bridge.inbox.event import Event
from signal_bridge.inbox.filters import OWN_KINDS, SIGNAL_KINDS, Filter
from signal_bridge.inbox.store import Inbox
from signal_bridge.store.engine import Store
from signal_bridge.store.tables import attempts, parked, webhooks
from signal_bridge.webhooks.webhook import ACTIVE, Webhook, webhook_of

if TYPE_CHECKING:
    from signal_bridge.webhooks.post import Attempt

ATTEMPTS_KEPT: Final = 100

_EVERYTHING: Final = Filter(kinds=(*SIGNAL_KINDS, *OWN_KINDS))
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
    parked and are delivered now.
    """

    tried: Sequence[Tried] = ()
    parked: Sequence[tuple[int, str]] = ()
    unparked: Sequence[int] = ()


class Ledger:
    """Safe from any thread; every method may raise StoreError."""

    def __init__(self, store: Store, inbox: Inbox) -> None:
        self._store = store
        self._inbox = inbox

    def active(self) -> list[Webhook]:
        """Every webhook that is to be served now."""
        query = sa.select(webhooks).where(webhooks.c.state == ACTIVE)
        with self._store.read() as connection:
            return [webhook_of(row) for row in connection.execute(query)]

    def wanted(self) -> set[str]:
        """Ids of the webhooks that are to get parked events once more."""
        query = sa.select(parked.c.webhook_id).where(parked.c.wanted).distinct()
        with self._store.read() as connection:
            return set(connection.scalars(query))

    def get(self, webhook_id: str) -> Webhook | None:
        """The webhook as it is now; None when it is gone or not active."""
        query = sa.select(webhooks).where(webhooks.c.id == webhook_id, webhooks.c.state == ACTIVE)
        with self._store.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else webhook_of(row)

    def next_wanted(self, webhook_id: str) -> Event | None:
        """The oldest parked event that is to be tried again, and is still kept."""
        while (seq := self._oldest_wanted(webhook_id)) is not None:
            found = self._inbox.read(_EVERYTHING, seq - 1, 1)
            if found and found[0].seq == seq:
                return found[0]
            with self._store.write() as connection:
                self._park(connection, webhook_id, seq, _GONE)
        return None

    def _oldest_wanted(self, webhook_id: str) -> int | None:
        query = sa.select(sa.func.min(parked.c.seq)).where(
            parked.c.webhook_id == webhook_id, parked.c.wanted
        )
        with self._store.read() as connection:
            seq: int | None = connection.scalar(query)
        return seq

    def mark(self, before: Webhook, after: Webhook, entry: Entry) -> bool:
        """Write down `entry`, and the webhook as it is `after`, if it still is as it was `before`.

        False when somebody has changed its position or its attempts meanwhile, or removed it:
        then the attempts are kept, and nothing else.
        """
        unchanged = (
            webhooks.c.id == before.id,
            webhooks.c.position == before.position,
            webhooks.c.attempt == before.attempt,
            webhooks.c.next_attempt_ms == before.next_attempt_ms,
        )
        with self._store.write() as connection:
            done = connection.execute(
                sa.update(webhooks).where(*unchanged).values(**_progress(before, after))
            )
            self._keep_attempts(connection, before.id, entry.tried)
            if entry.unparked:
                connection.execute(
                    sa.delete(parked).where(
                        parked.c.webhook_id == before.id, parked.c.seq.in_(entry.unparked)
                    )
                )
            for seq, reason in entry.parked if done.rowcount else ():
                self._park(connection, before.id, seq, reason)
            return done.rowcount == 1

    def _park(self, connection: sa.Connection, webhook_id: str, seq: int, reason: str) -> None:
        row = {"parked_ms": now_ms(), "reason": reason, "wanted": False}
        key = {"webhook_id": webhook_id, "seq": seq}
        connection.execute(self._store.insert_new(parked), {**key, **row})
        this = (parked.c.webhook_id == webhook_id, parked.c.seq == seq)
        connection.execute(sa.update(parked).where(*this).values(**row))

    def _keep_attempts(
        self, connection: sa.Connection, webhook_id: str, tried: Sequence[Tried]
    ) -> None:
        """The newest are kept, for as long as there is a webhook."""
        exists = sa.select(webhooks.c.id).where(webhooks.c.id == webhook_id)
        if not tried or connection.scalar(exists) is None:
            return
        connection.execute(sa.insert(attempts), [_attempt_row(webhook_id, one) for one in tried])
        mine = attempts.c.webhook_id == webhook_id
        oldest_kept = (
            sa.select(attempts.c.id)
            .where(mine)
            .order_by(attempts.c.id.desc())
            .offset(ATTEMPTS_KEPT - 1)
            .limit(1)
            .scalar_subquery()
        )
        connection.execute(sa.delete(attempts).where(mine, attempts.c.id < oldest_kept))


def _progress(before: Webhook, after: Webhook) -> dict[str, Any]:
    """The columns a courier may write. Whether it is active is mostly for callers to say."""
    columns = ["position", "attempt", "next_attempt_ms", "failing_since_ms"]
    if after.state != before.state:
        columns += ["state", "detail"]
    return {name: getattr(after, name) for name in columns}


def _attempt_row(webhook_id: str, tried: Tried) -> dict[str, Any]:
    return {
        "webhook_id": webhook_id,
        "seq": tried.seq,
        "attempt": tried.attempt,
        "at_ms": tried.at_ms,
        "duration_ms": tried.outcome.duration_ms,
        "status": tried.outcome.status,
        "error": tried.outcome.error,
        "answer": tried.outcome.answer,
    }
