"""An event: one thing signal-cli told us, or the bridge says of itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import overload


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
    sender_uuid: str = ""
    sender_number: str = ""


@dataclasses.dataclass(frozen=True)
class Gap:
    """Events from `first_seq` to `last_seq` that a reader asked for are no longer kept."""

    first_seq: int
    last_seq: int


@dataclasses.dataclass(frozen=True)
class Page(Sequence[Event]):
    """What a reader gets at once: the next events, and what it has lost before them.

    Everything it wanted up to `through` is in this page or was in an earlier one, or is lost.
    `is_full`: it ends where a page has to end, and more may be there already.
    """

    events: tuple[Event, ...]
    through: int
    gap: Gap | None = None
    is_full: bool = False

    @property
    def tells(self) -> bool:
        """Whether there is anything to hand over: an event, or a gap."""
        return bool(self.events) or self.gap is not None

    @overload
    def __getitem__(self, at: int) -> Event: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Event]: ...
    def __getitem__(self, at: int | slice) -> Event | Sequence[Event]:
        return self.events[at]

    def __len__(self) -> int:
        return len(self.events)
