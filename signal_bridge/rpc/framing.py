"""Bytes in, lines out: newline-delimited JSON without any I/O.

A line ends at byte 0x0A and nowhere else: signal-cli sends U+2028 and U+0085 raw inside strings,
so anything that splits text on "line breaks" would cut messages (signal-cli.rst 1.2).
"""

from __future__ import annotations

import dataclasses
from typing import Final

# A 30 MB attachment comes back as one line of 40 MB (signal-cli.rst 1.2).
MAX_LINE_BYTES: Final = 64 * 2**20


@dataclasses.dataclass(frozen=True)
class Overlong:
    """A line that was longer than the limit. Its bytes were dropped, `size_bytes` of them."""

    size_bytes: int


class LineBuffer:
    """Collects chunks and gives back the lines completed by each.

    Not for use by several threads. Memory is bounded by the limit: an overlong line is dropped as
    it arrives and reported once as `Overlong`, and the next line is read as if nothing happened.
    """

    def __init__(self, max_line_bytes: int = MAX_LINE_BYTES) -> None:
        self._max_line_bytes = max_line_bytes
        self._parts: list[bytes] = []
        self._size_bytes = 0

    def feed(self, chunk: bytes) -> list[bytes | Overlong]:
        """The lines that end in `chunk`, without their line feed."""
        *ends, rest = chunk.split(b"\n")
        lines = [self._complete(end) for end in ends]
        self._keep(rest)
        return lines

    def _complete(self, end: bytes) -> bytes | Overlong:
        self._keep(end)
        size_bytes, parts = self._size_bytes, self._parts
        self._size_bytes, self._parts = 0, []
        return Overlong(size_bytes) if size_bytes > self._max_line_bytes else b"".join(parts)

    def _keep(self, part: bytes) -> None:
        self._size_bytes += len(part)
        if self._size_bytes > self._max_line_bytes:
            self._parts.clear()
        elif part:
            self._parts.append(part)
