"""What becomes of an event after an attempt to deliver it. Pure: time and chance are arguments.

Delivered, tried again later, parked (kept for replay, and the next event's turn), or the webhook
is disabled. The order of the events holds in every case.
"""

from __future__ import annotations

import dataclasses
import datetime
import email.utils
import enum
from collections.abc import Sequence
from typing import Final

DISABLED_AFTER_SECONDS: Final = 5 * 24 * 3600

_LONGEST_PAUSE_SECONDS: Final = 4 * 3600
_SHORTEST_PAUSE_SECONDS: Final = 1.0
_GONE: Final = 410
# Of the 4xx, these say that the same request may succeed later.
_PASSING: Final = frozenset({408, 409, 425, 429})


class Fate(enum.Enum):
    """What becomes of an event; DISABLED is of its webhook, whose next event it stays."""

    DELIVERED = "delivered"
    LATER = "later"
    PARKED = "parked"
    DISABLED = "disabled"


@dataclasses.dataclass(frozen=True)
class Decision:
    """`wait_seconds` is how long to wait when it is LATER; `counts` whether that try is spent."""

    fate: Fate
    reason: str = ""
    wait_seconds: float = 0.0
    counts: bool = True


def decide(
    status: int,
    error: str,
    retry_after_seconds: float | None,
    tries: int,
    failing_seconds: float,
    waits_seconds: Sequence[float],
    jitter: float,
) -> Decision:
    """What to do after an attempt that ended with HTTP `status`, or 0 and an `error`.

    `tries` counts the failed ones of this event before this one; `failing_seconds` is how long
    nothing has succeeded; `jitter` in [0, 1) spreads the waits by a fifth to either side.
    """
    if 200 <= status < 300:
        return Decision(Fate.DELIVERED)
    reason = error or f"the receiver answered {status}"
    if status == _GONE:
        return Decision(Fate.DISABLED, reason)
    if failing_seconds >= DISABLED_AFTER_SECONDS:
        return Decision(Fate.DISABLED, f"no success for five days; last, {reason}")
    if 400 <= status < 500 and status not in _PASSING:
        return Decision(Fate.PARKED, reason)
    return _later(reason, retry_after_seconds, tries, waits_seconds, jitter)


def _later(
    reason: str,
    retry_after_seconds: float | None,
    tries: int,
    waits_seconds: Sequence[float],
    jitter: float,
) -> Decision:
    """A receiver that names a time is asked then and not before.

    If that is sooner than the schedule would ask, it costs no try: else a receiver that says "in
    five seconds" for an hour would have used up a day's tries.
    """
    if tries >= len(waits_seconds):
        return Decision(Fate.PARKED, f"{reason}, at the last of {tries + 1} tries")
    scheduled = waits_seconds[tries] * (0.8 + 0.4 * jitter)
    if retry_after_seconds is None:
        return Decision(Fate.LATER, reason, scheduled)
    pause = min(max(retry_after_seconds, _SHORTEST_PAUSE_SECONDS), _LONGEST_PAUSE_SECONDS)
    return Decision(Fate.LATER, reason, pause, counts=pause >= scheduled)


def longest_wait_seconds(waits_seconds: Sequence[float]) -> float:
    """The longest time that `decide` makes anybody wait."""
    return max(_LONGEST_PAUSE_SECONDS, 1.2 * max(waits_seconds, default=0.0))


def retry_after(text: str | None, now_s: float) -> float | None:
    """Seconds from `now_s` (Unix) that a Retry-After header asks for: a number or a date.

    None when there is none that can be read.
    """
    if text is None:
        return None
    word = text.strip()
    if word.isascii() and word.isdigit():
        return float(word[:9])
    try:
        date = email.utils.parsedate_to_datetime(word)
    except (ValueError, OverflowError):  # a year or a zone of many digits
        return None
    if date.tzinfo is None:  # an HTTP date is in GMT whatever it says
        date = date.replace(tzinfo=datetime.UTC)
    return max(0.0, date.timestamp() - now_s)
