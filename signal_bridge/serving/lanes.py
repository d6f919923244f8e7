"""The kinds of requests, and how many of each are answered at a time. Pure."""

from __future__ import annotations

from typing import Final

from signal_bridge.serving.heads import Head, Stage
from signal_bridge.serving.queueing import Lane, Share

PROBE_THREADS: Final = 4
_LIVENESS: Final = frozenset((b"/livez",))
# They may wait for signal-cli, or for the database; /livez waits for nothing.
_READINESS: Final = frozenset((b"/readyz", b"/v1/health", b"/metrics"))
_READINESS_THREADS: Final = 3
_PROBING: Final = frozenset((b"GET", b"HEAD"))


class Lanes:
    """Of a worker with so many threads.

    One client gets three quarters of the threads at most; an eighth of them may read long bodies,
    and as many may wait for slow readers. Probes have threads of their own.
    """

    def __init__(self, threads: int) -> None:
        self.slow_places: Final = max(2, threads // 8)
        long_places = max(2, threads // 8)
        self.long_bodies: Final = Share(long_places, max(1, long_places * 3 // 4))
        every = Share(threads, threads - threads // 4)
        probes = Share(PROBE_THREADS)
        self.ordinary: Final = Lane(every)
        self.long: Final = Lane(every, self.long_bodies)
        self.liveness: Final = Lane(probes)
        self.readiness: Final = Lane(probes, Share(_READINESS_THREADS))
        self.probes: Final = (self.liveness, self.readiness)
        self.all: Final = (self.ordinary, self.long, *self.probes)

    def of(self, head: Head | None, stage: Stage) -> Lane:
        """Where a request waits for its turn, of which so much is here."""
        if stage is Stage.LONG:
            return self.long
        if head is not None and head.method in _PROBING:
            if head.path in _LIVENESS:
                return self.liveness
            if head.path in _READINESS:
                return self.readiness
        return self.ordinary
