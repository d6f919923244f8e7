"""Time in one place: deadlines, waits that a stop ends, back-off, and the wall clock.

Durations are float seconds on the monotonic clock. Timestamps are integer milliseconds since the
epoch, as Signal counts them.
"""

from __future__ import annotations

import random
import threading
import time
from typing import Final


class Deadline:
    """The time left for one piece of work, carried through all of its blocking steps.

    >>> deadline = Deadline(seconds=10)
    >>> 0 < deadline.remaining_seconds() <= 10
    True
    """

    __slots__ = ("_ends_at",)

    def __init__(self, seconds: float) -> None:
        self._ends_at: Final = time.monotonic() + seconds

    def remaining_seconds(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self._ends_at - time.monotonic())

    def expired(self) -> bool:
        """Whether no time is left."""
        return time.monotonic() >= self._ends_at

    def at_most(self, seconds: float) -> Deadline:
        """A deadline that ends with this one, or after `seconds`, whichever comes first."""
        return Deadline(min(seconds, self.remaining_seconds()))


def pause(seconds: float, stop: threading.Event) -> bool:
    """Wait for `seconds`, or until `stop` is set. True if it was set: the work is over."""
    return stop.wait(seconds)


def backoff_seconds(
    attempt: int, first_seconds: float, cap_seconds: float, jitter: float | None = None
) -> float:
    """How long to wait before attempt number `attempt` (1 is the first repetition).

    Doubles from `first_seconds` up to `cap_seconds`, then takes between half and all of it, so
    that many who fail together do not come back together. `jitter` in [0, 1) replaces chance.
    """
    grown = first_seconds * 2.0 ** min(max(attempt, 1) - 1, 32)
    share = random.random() if jitter is None else jitter  # noqa: S311 - not a secret
    return min(cap_seconds, grown) * (0.5 + share / 2)


def now_ms() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000
