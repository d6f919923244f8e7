"""What grows with the feed and with the number of webhooks, and what does not.

make bench ARGS=--growth
make bench ARGS='--growth --events 100000 --webhooks 100'
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bench import by_events, by_webhooks
from bench.databases import KINDS, databases, is_there
from bench.table import Growth, heading, remark


@dataclass(frozen=True)
class Sizes:
    """What is small, and what is large."""

    few_events: int = 10_000
    many_events: int = 1_000_000
    few_webhooks: int = 10
    many_webhooks: int = 1_000


def lines(sizes: Sizes) -> Iterator[str]:
    """The table, line by line as it is found."""
    grown: list[str] = []
    count = 0
    yield remark()
    for kind in KINDS:
        if not is_there(kind):
            yield f"\n{kind}: not measured, since it is not installed"
            continue
        for title, small, large, rows in _parts(kind, sizes):
            yield heading(f"{kind}, {title}", f"{small:,}", f"{large:,}")
            for row in rows:
                yield str(row)
                count += 1
                grown += [] if row.is_flat else [f"{title}: {row.name.strip()} on {kind}"]
    yield f"\n{count - len(grown)} of {count} are flat" + "".join(f"\n  not {one}" for one in grown)


def _parts(kind: str, sizes: Sizes) -> Iterator[tuple[str, int, int, Iterator[Growth]]]:
    with databases(kind, sizes.many_events) as found:
        counts = sizes.few_events, sizes.many_events
        yield "events in the feed", *counts, by_events.rows(found, counts)
        counts = sizes.few_webhooks, sizes.many_webhooks
        yield "webhooks", *counts, by_webhooks.rows(found, counts)
