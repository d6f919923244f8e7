"""Cutting a stream of bytes into lines, as the daemon cuts its input. Pure.

A line ends with LF, CRLF or a bare CR, and the last one may end with the stream
(signal-cli-rpc.md 1.2). A client must not be so lax, so this is not the bridge's own framing.
"""

from __future__ import annotations

import re
from typing import Final

MAX_LINE: Final = 128 * 1024 * 1024
"""More than this in one line is what exhausts the daemon's heap; here it ends the connection."""

_END: Final = re.compile(rb"\r\n|\r|\n")


class TooLong(Exception):
    """A line outgrew `max_line`."""


class Lines:
    """Feed it chunks, take whole lines.

    >>> Lines().feed(b"one\\r\\ntwo")
    [b'one']
    """

    def __init__(self, max_line: int = MAX_LINE) -> None:
        self._max_line = max_line
        self._begun: list[bytes] = []
        self._begun_size = 0
        self._after_cr = False

    def feed(self, chunk: bytes) -> list[bytes]:
        if not chunk:
            return []
        if self._after_cr:
            chunk = chunk.removeprefix(b"\n")
        self._after_cr = chunk.endswith(b"\r")
        *ended, rest = _END.split(chunk)
        if ended:
            ended[0] = self._take() + ended[0]
        self._keep(rest)
        return ended

    def finish(self) -> list[bytes]:
        """What came after the last line end, if anything did."""
        return [self._take()] if self._begun_size else []

    def _keep(self, rest: bytes) -> None:
        self._begun.append(rest)
        self._begun_size += len(rest)
        if self._begun_size > self._max_line:
            raise TooLong

    def _take(self) -> bytes:
        line = b"".join(self._begun)
        self._begun.clear()
        self._begun_size = 0
        return line
