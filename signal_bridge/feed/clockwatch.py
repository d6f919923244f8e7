"""What this process has seen of time itself, whatever the wall clock says.

The machine's clock since boot goes on through sleep, and nobody can set it. It tells when the
wall clock was set, and that what arrived while we looked on cannot be older than that.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

from signal_bridge.clock import now_ms

_MOST_DRIFT_MS: Final = 60_000
# Fine enough: what arrived within this is judged by its times, like all that came before.
_MARK_EVERY_MS: Final = 3_600_000


class Clocks(NamedTuple):
    """The wall clock, and the one since boot."""

    wall_ms: int
    boot_ms: int


def read_clocks() -> Clocks:
    """Both as they are now; that since boot goes on while the machine sleeps."""
    return Clocks(now_ms(), time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000)


class ClockWatch:
    """Belongs to the thread that looks."""

    def __init__(self, read: Callable[[], Clocks] = read_clocks) -> None:
        self._read = read
        self._last: Clocks | None = None
        # When we looked, and the newest seq then: all above it arrived later.
        self._marks: deque[tuple[int, int]] = deque()

    def look(self, newest_seq: int) -> bool:
        """Whether the wall clock has gone on as it should since the last look, if there was one."""
        now, last = self._read(), self._last
        self._last = now
        if not self._marks or now.boot_ms - self._marks[-1][0] >= _MARK_EVERY_MS:
            self._marks.append((now.boot_ms, newest_seq))
        if last is None:
            return False
        return abs((now.wall_ms - last.wall_ms) - (now.boot_ms - last.boot_ms)) <= _MOST_DRIFT_MS

    def young_above(self, age_ms: int) -> int | None:
        """What has a seq above this is younger than `age_ms`; None before the first look."""
        if not self._marks:
            return None
        oldest_ms = self._read().boot_ms - age_ms
        while len(self._marks) > 1 and self._marks[0][0] <= oldest_ms:
            self._marks.popleft()
        at_ms, newest_seq = self._marks[0]
        return newest_seq if at_ms > oldest_ms else None
