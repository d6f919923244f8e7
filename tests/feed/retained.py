"""A feed to remove from: events of any age, and what is left and told of them."""

from __future__ import annotations

import itertools
from typing import Any

import orjson
import sqlalchemy as sa

from signal_bridge.clock import now_ms
from signal_bridge.feed.event import Arrival
from signal_bridge.feed.feed import Feed
from signal_bridge.feed.filters import OWN_KINDS, SIGNAL_KINDS, Filter
from signal_bridge.settings import Settings, read_settings
from signal_bridge.store.engine import Store
from signal_bridge.store.tables import events, feed_totals, parked, webhooks

ACCOUNT = "+4915112345"
ANOTHER = "+4915199999"
DAY_MS = 86_400_000
SIZE = 100  # bytes of each payload

_numbers = itertools.count()


def settings_of(directory: object, **changes: int) -> Settings:
    """`BRIDGE_KEEP_…` by the last of its name: `days=30`."""
    names = {f"BRIDGE_KEEP_{name.upper()}": str(value) for name, value in changes.items()}
    return read_settings({"SIGNAL_CLI_CONFIG_DIR": str(directory), **names})


def fill(
    store: Store,
    count: int,
    age_days: float = 0,
    account: str = ACCOUNT,
    kind: str = "message",
    delivered_days_ago: float | None = None,
) -> list[int]:
    """Add events that were received `age_days` ago, by our clock; their seqs.

    By that of Signal's server `delivered_days_ago`, where it says so.
    """
    feed = Feed(store)
    before = feed.newest_seq()
    payload = _payload(delivered_days_ago)
    feed.append([Arrival(account, kind, f"key {next(_numbers)}", payload) for _ in range(count)])
    with store.write() as unit:
        new = events.c.seq > before
        stamp = now_ms() - round(age_days * DAY_MS)
        unit.execute(sa.update(events).where(new).values(received_at_ms=stamp))
        return list(
            unit.execute(sa.select(events.c.seq).where(new).order_by(events.c.seq)).scalars()
        )


def _payload(delivered_days_ago: float | None) -> bytes:
    envelope = {}
    if delivered_days_ago is not None:
        envelope["serverDeliveredTimestamp"] = now_ms() - round(delivered_days_ago * DAY_MS)
    return orjson.dumps({"envelope": envelope}).ljust(SIZE)


def park(store: Store, seq: int, webhook_id: str = "w") -> None:
    row = {"webhook_id": webhook_id, "seq": seq, "parked_ms": 0, "reason": "", "wanted": False}
    with store.write() as unit:
        unit.execute(sa.insert(parked).values(**row))


def parked_seqs(store: Store) -> list[int]:
    with store.read() as connection:
        return list(connection.scalars(sa.select(parked.c.seq).order_by(parked.c.seq)))


def add_webhook(store: Store, account: str, position: int) -> None:
    numbers = {
        column.name: 0
        for column in webhooks.c
        if isinstance(column.type, sa.Integer) and column.name != "position"
    }
    texts = {column.name: "" for column in webhooks.c if isinstance(column.type, sa.Text)}
    row = {**numbers, **texts, "types": [], "senders": [], "headers": {}}
    with store.write() as unit:
        row |= {"id": f"{account} {position}", "account": account, "position": position}
        unit.execute(sa.insert(webhooks).values(**row))


def seqs(store: Store) -> list[int]:
    """What is left of what signal-cli told."""
    page = Feed(store).read(Filter(kinds=SIGNAL_KINDS), 0, 10_000)
    return [event.seq for event in page]


def reports(store: Store, account: str = "*") -> list[dict[str, Any]]:
    """What was told of what was removed."""
    page = Feed(store).read(Filter(account, OWN_KINDS), 0, 10_000)
    told = [orjson.loads(event.payload) for event in page if event.kind == "feed.pruned"]
    return [one for one in told if account in ("*", one["account"])]


def counts(report: dict[str, Any]) -> tuple[int, int, int]:
    return report["removed"], report["unread"], report["parked"]


def totals(store: Store) -> tuple[int, int]:
    """As they are kept: how many events, and how many bytes."""
    with store.read() as connection:
        row = connection.execute(sa.select(feed_totals)).one()
    return row.events, row.size_bytes


def summed(store: Store) -> tuple[int, int]:
    """As they are."""
    query = sa.select(sa.func.count(), sa.func.sum(sa.func.length(events.c.payload)))
    with store.read() as connection:
        count, size_bytes = connection.execute(query).one()
    return count, int(size_bytes or 0)
