"""The lives of signal-cli: how its process is, how it ended, and whether it dies of one call.

A worker knows its calls in flight when its connection is lost; whether that was a death, and when,
only the daemon process knows. So each worker leaves a note on the status board, and the daemon
process compares the notes of one death with those of others when signal-cli runs again. A method
that was in flight at two deaths within an hour is named: it may be what signal-cli dies of.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import logging
import os
import re
import time
from collections.abc import Mapping, Sequence
from typing import Final

from signal_bridge.clock import now_ms
from signal_bridge.errors import StoreError
from signal_bridge.rpc.pending import InFlight
from signal_bridge.store.status import Status, StatusBoard

log = logging.getLogger(__name__)

NOTE: Final = "in flight when lost: "
"""How the name of a note begins on the status board; after it comes which process left it, of
which so many are told apart: those that died leave no more rows than that."""

PROCESS: Final = "signal-cli process"
"""The part of the status board whose detail is a `Process`."""

_MEMORY_MS: Final = 3600 * 1000
# A worker hears of a death at once; a clock of another process may be a little ahead.
_HEARD_WITHIN_MS: Final = 5000
_MOST_NOTES: Final = 64
_MOST_METHODS: Final = 8
_MOST_TOLD: Final = 5
# What a raw call names may be anything, such as a number or a text.
_METHOD: Final = re.compile(r"[A-Za-z]{1,64}")
_ANOTHER: Final = "(no method)"
# Harmless, and always in flight: the probe.
_PROBE: Final = "version"


@dataclasses.dataclass(frozen=True)
class Process:
    """signal-cli's, as it was seen last; how often it was started again, and how it ended last.

    `pid` and `memory_bytes` are 0 while there is none, `last_exit_ms` before the first has ended.
    """

    pid: int = 0
    memory_bytes: int = 0
    restarts: int = 0
    last_exit_ms: int = 0
    last_exit: str = ""
    suspicion: str = ""

    def as_text(self) -> str:
        """For the status board."""
        return json.dumps(dataclasses.asdict(self))


def process_on(board: Mapping[str, Status]) -> Process:
    """What the daemon process has told of it last; nothing of one of somebody else's."""
    found = board.get(PROCESS)
    if found is None:
        return Process()
    seen = Process(**json.loads(found.detail))
    return seen if found.is_fresh() else dataclasses.replace(seen, pid=0, memory_bytes=0)


def note_loss(board: StatusBoard, in_flight: Sequence[InFlight]) -> None:
    """Leave a note of what this process had in flight. Never raises: callers have been told."""
    sizes = _sizes(in_flight)
    if not sizes:
        return
    with contextlib.suppress(StoreError):
        note = {"at": now_ms(), "sizes": sizes}
        board.put(f"{NOTE}{os.getpid() % _MOST_NOTES}", "lost", json.dumps(note))


@dataclasses.dataclass(frozen=True)
class Death:
    """When signal-cli died, and the methods in flight with the size of the largest line."""

    at_ms: int
    sizes: Mapping[str, int]


class Deaths:
    """Those of the last hour. For one thread."""

    def __init__(self, board: StatusBoard) -> None:
        self._board = board
        self._known: list[Death] = []
        # When each method was last said to be suspect.
        self._said_ms: dict[str, int] = {}

    def learn(self, at_ms: int) -> str:
        """signal-cli died then and runs again: what it may have died of, in a sentence, or "".

        A method is logged once an hour. Raises StoreError.
        """
        death = Death(at_ms, _noted(self._board.take(NOTE), at_ms))
        self._known = [one for one in self._known if at_ms - one.at_ms < _MEMORY_MS] + [death]
        found = {method: suspicion(method, self._known) for method in death.sizes}
        for method, sentence in found.items():
            if sentence and at_ms - self._said_ms.get(method, 0) >= _MEMORY_MS:
                self._said_ms[method] = at_ms
                log.warning("%s", sentence)
        return "; ".join(filter(None, found.values()))


def suspicion(method: str, deaths: Sequence[Death]) -> str:
    """Why `method` is suspect: "" when it was in flight at fewer than two deaths."""
    met = [(one.at_ms, one.sizes[method]) for one in deaths if method in one.sizes]
    if len(met) < 2:
        return ""
    told = ", ".join(f"{_clock(at_ms)} ({size} bytes)" for at_ms, size in met[-_MOST_TOLD:])
    return (
        f"{method} was in flight at {len(met)} of {len(deaths)} deaths of signal-cli within an "
        f"hour, and may be what it dies of: at {told}"
    )


def _sizes(in_flight: Sequence[InFlight]) -> dict[str, int]:
    """The methods with the size of their largest line, a few, the largest first."""
    sizes: dict[str, int] = {}
    for one in sorted(in_flight, key=lambda one: -one.size_bytes):
        method = one.method if _METHOD.fullmatch(one.method) else _ANOTHER
        if method != _PROBE:
            sizes.setdefault(method, one.size_bytes)
    return dict(list(sizes.items())[:_MOST_METHODS])


def _noted(notes: Sequence[Status], at_ms: int) -> dict[str, int]:
    """What all processes had in flight at a death; a note of another loss is none of it."""
    sizes: dict[str, int] = {}
    for note in notes:
        noted = json.loads(note.detail)
        if abs(noted["at"] - at_ms) <= _HEARD_WITHIN_MS:
            for method, size in noted["sizes"].items():
                sizes[method] = max(size, sizes.get(method, 0))
    return sizes


def _clock(at_ms: int) -> str:
    return time.strftime("%H:%M:%S UTC", time.gmtime(at_ms / 1000))
