"""Bytes in, lines out: newline-delimited JSON without any I/O.

A line ends at byte 0x0A and nowhere else: signal-cli sends U+2028 and U+0085 raw inside strings,
so anything that splits text on "line breaks" would cut messages (signal-cli.rst 1.2).
"""

from __future__ import annotations

import dataclasses
from typing import Final

# A 30 MB attachment comes back as one line of 40 MB (signal-cli.rst 1.2).
MAX_LINE_BYTES: Final = 64 * 2**20


# As much of an overlong line's beginning, and of its end, as tells whose it is.
_EDGE_BYTES: Final = 512


@dataclasses.dataclass(frozen=True)
class Overlong:
    """A line that was longer than the limit, `size_bytes`. Its bytes were dropped but for `edges`.

    Those are its beginning and its end.
    """

    size_bytes: int
    edges: bytes = b""


class LineBuffer:
    """Collects chunks and gives back the lines completed by each.

    Not for use by several threads. Memory is bounded by the limit: an overlong line is dropped as
    it arrives and reported once as `Overlong`, and the next line is read as if nothing happened.
    """

    def __init__(self, max_line_bytes: int = MAX_LINE_BYTES) -> None:
        self._max_line_bytes = max_line_bytes
        self._parts: list[bytes] = []
        self._size_bytes = 0
        self._edges = b""  # of an overlong line

    def feed(self, chunk: bytes) -> list[bytes | Overlong]:
        """The lines that end in `chunk`, without their line feed."""
        *ends, rest = chunk.split(b"\n")
        lines = [self._complete(end) for end in ends]
        self._keep(rest)
        return lines

    def _complete(self, end: bytes) -> bytes | Overlong:
        self._keep(end)
        size_bytes, parts, edges = self._size_bytes, self._parts, self._edges
        self._size_bytes, self._parts, self._edges = 0, [], b""
        if size_bytes > self._max_line_bytes:
            return Overlong(size_bytes, edges)
        return b"".join(parts)

    def _keep(self, part: bytes) -> None:
        self._size_bytes += len(part)
        if self._size_bytes <= self._max_line_bytes:
            if part:
                self._parts.append(part)
            return
        known = self._edges + b"".join(self._parts) + part
        self._parts.clear()
        if len(known) > 2 * _EDGE_BYTES:
            known = known[:_EDGE_BYTES] + known[-_EDGE_BYTES:]
        self._edges = known
