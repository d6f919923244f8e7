"""An event: one thing signal-cli told us, before and after it has a place in the feed."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Arrival:
    """An event that is not stored yet.

    `payload` is JSON text, `{"envelope": …, "account": …}`. Two arrivals with one `dedup_key` are
    the same message.
    """

    account: str
    kind: str
    dedup_key: str
    payload: bytes


@dataclasses.dataclass(frozen=True)
class Event:
    """An event in the feed. `seq` rises with every event and is never used twice."""

    seq: int
    account: str
    kind: str
    received_at_ms: int
    payload: bytes
