"""What a child prints: drained always, the last lines kept, the important ones logged."""

from __future__ import annotations

import collections
import logging
import threading
from typing import BinaryIO, Final

log = logging.getLogger(__name__)

_LINES_KEPT: Final = 40
_LINE_BYTES: Final = 2000


class OutputRing:
    """The last lines of a child. Safe from any thread.

    A full pipe would stop the child, so a thread named `output:<name>` reads until the pipe ends.
    signal-cli runs with --no-receive-stdout and --scrub-log: its lines hold no message and no
    number.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        # Guards _lines.
        self._mutex = threading.Lock()
        self._lines: collections.deque[str] = collections.deque(maxlen=_LINES_KEPT)

    def drain(self, pipe: BinaryIO) -> None:
        """Start reading `pipe` to its end."""
        threading.Thread(
            target=self._read, args=(pipe,), name=f"output:{self._name}", daemon=True
        ).start()

    def last_lines(self, count: int = 5) -> list[str]:
        with self._mutex:
            return list(self._lines)[-count:]

    def clear(self) -> None:
        """A new child begins with nothing said."""
        with self._mutex:
            self._lines.clear()

    def _read(self, pipe: BinaryIO) -> None:
        with pipe:
            while line := pipe.readline(_LINE_BYTES):
                self._keep(line.decode(errors="replace").rstrip())

    def _keep(self, line: str) -> None:
        if not line:
            return
        with self._mutex:
            self._lines.append(line)
        log.log(_level_of(line), "%s: %s", self._name, line)


def _level_of(line: str) -> int:
    """signal-cli begins a line with its level (signal-cli-rpc.md 4.1)."""
    word = line.split(maxsplit=1)[0]
    return {"ERROR": logging.ERROR, "WARN": logging.WARNING}.get(word, logging.DEBUG)
