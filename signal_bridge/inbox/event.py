"""An event: one thing signal-cli told us, or the bridge says of itself."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Arrival:
    """An event that is not stored yet.

    `payload` is JSON text, `{"envelope": …, "account": …}`. Two arrivals with one `dedup_key` are
    the same message. `kind` has a dot in it when the bridge speaks of itself.
    """

    account: str
    kind: str
    dedup_key: str
    payload: bytes
    sender_uuid: str = ""
    sender_number: str = ""


@dataclasses.dataclass(frozen=True)
class Event:
    """An event in the feed. `seq` rises with every event and is never used twice.

    `id` names the event wherever it is delivered, however often.
    """

    seq: int
    account: str
    kind: str
    received_at_ms: int
    payload: bytes
    id: str


@dataclasses.dataclass(frozen=True)
class Gap:
    """Events from `first_seq` to `last_seq` that a reader asked for are no longer kept."""

    first_seq: int
    last_seq: int
