"""What a child prints: drained always; what it complains of is logged, and the last of it kept."""

from __future__ import annotations

import logging
import re
import threading
import time
from typing import BinaryIO, Final

from signal_bridge.threads import Guard

log = logging.getLogger(__name__)

_LINES_KEPT: Final = 40
# What was said long before the end is no reason for it.
_RECENT_SECONDS: Final = 60.0
# Where in the program something happened, a line for each call. What happened is said in the line
# before these.
_STACK_FRAME: Final = re.compile(r"\s+at \S|\s*\.\.\. \d+ (more|common frames)")
_LINE_BYTES: Final = 2000
# Callers can make a child complain as often as they ask: 17 lines for each request about an account
# that there is not (signal-cli.rst 1.6). Two stack traces a second are read by nobody.
_MOST_LINES: Final = 300
_PERIOD_SECONDS: Final = 10.0
# How long to wait for the last words of a child that has ended. They are in the pipe by then, but
# a child of its own may hold that open.
_LAST_WORDS_SECONDS: Final = 0.5


class OutputRing:
    """The last complaints of a child. Safe from any thread.

    A full pipe would stop the child, so a thread named `output:<name>` reads until the pipe ends.
    signal-cli runs with --no-receive-stdout and --scrub-log: its lines hold no message and no
    number.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        # Guards _lines.
        self._mutex = threading.Lock()
        # When each was said last, the newest at the end. What is said again and again takes one
        # place.
        self._lines: dict[str, float] = {}
        # When the period began whose lines are counted, and how many were logged in it. The reading
        # thread only.
        self._period_began = 0.0
        self._logged = 0
        # Reads what the child of the moment prints. Written by the supervisor's thread.
        self._reader: threading.Thread | None = None

    def drain(self, pipe: BinaryIO) -> None:
        """Start reading `pipe` to its end."""
        reader = threading.Thread(
            target=self._read, args=(pipe,), name=f"output:{self._name}", daemon=True
        )
        reader.start()
        self._reader = reader

    def last_lines(self, count: int = _LINES_KEPT) -> list[str]:
        """What a child that has ended said in its last minute, waited for until it is read."""
        if self._reader is not None:
            self._reader.join(_LAST_WORDS_SECONDS)
        with self._mutex:
            since = time.monotonic() - _RECENT_SECONDS
            recent = [line for line, said in self._lines.items() if said >= since]
        return recent[-count:]

    def kept(self) -> list[str]:
        """What is kept of a child that goes on, oldest first."""
        with self._mutex:
            return list(self._lines)

    def clear(self) -> None:
        """A new child begins with nothing said."""
        with self._mutex:
            self._lines.clear()

    def _read(self, pipe: BinaryIO) -> None:
        guard = Guard(f"the output of {self._name}")  # the pipe is emptied whatever is in it
        with pipe:
            while line := pipe.readline(_LINE_BYTES):
                guard.goes_well(self._keep, line.decode(errors="replace").rstrip())
                while line and not line.endswith(b"\n"):
                    line = pipe.readline(_LINE_BYTES)  # the rest of a long line is dropped

    def _keep(self, line: str) -> None:
        if not line:
            return
        level = _level_of(line)
        if log.isEnabledFor(level) and self._may_log():
            log.log(level, "%s: %s", self._name, line)
        if level > logging.DEBUG and not _STACK_FRAME.match(line):
            self._remember(line)

    def _may_log(self) -> bool:
        """Whether it is no flood yet. That it has become one is said once in its period."""
        now = time.monotonic()
        if now - self._period_began > _PERIOD_SECONDS:
            self._period_began, self._logged = now, 0
        self._logged += 1
        if self._logged == _MOST_LINES + 1:
            log.warning(
                "%s has said %d lines within %.0f s; what else it says until they are over is not "
                "logged",
                self._name,
                _MOST_LINES,
                _PERIOD_SECONDS,
            )
        return self._logged <= _MOST_LINES

    def _remember(self, line: str) -> None:
        with self._mutex:
            self._lines.pop(line, None)
            self._lines[line] = time.monotonic()
            if len(self._lines) > _LINES_KEPT:
                del self._lines[next(iter(self._lines))]


def _level_of(line: str) -> int:
    """signal-cli begins a line with its level (signal-cli.rst 4.1).

    A line without one belongs to a complaint: the usage, a stack trace, the JVM's own words.
    """
    levels = {"ERROR": logging.ERROR, "INFO": logging.DEBUG, "DEBUG": logging.DEBUG}
    return levels.get(line.split(maxsplit=1)[0], logging.WARNING)
