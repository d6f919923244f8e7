"""How much of a request has arrived: when it may be handed to a thread. Pure.

Nothing here says what a request *is*: Gunicorn's parser does, of the same bytes. A head that is
misread here costs a wait, or a place of another kind, and nothing more. What no parser would read
to an end is refused: lines that do not end with CRLF, and a first line that is none of HTTP/1.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Final, NamedTuple

from signal_bridge.gunicorn_parts import CHUNK_LINE

HEAD_LIMIT_BYTES: Final = 64 * 1024
LINE_LIMIT_BYTES: Final = 8190  # Gunicorn's, which answers with it
BODY_IN_MEMORY_BYTES: Final = 64 * 1024
"""A body up to this size waits for its end before it takes a thread."""

_END: Final = b"\r\n\r\n"
_OF_HTTP_1: Final = re.compile(rb" HTTP/1\.[0-9]\Z")
_BARE: Final = re.compile(rb"(?<!\r)\n|\r(?=[^\n])")
_TLS_HANDSHAKE: Final = 0x16
# What is no size is for the parser to refuse, without a wait.
_SIZE: Final = re.compile(rb"0*([0-9]+)")
# More are no body that is read; that many would take a while to be a number.
_SIZE_DIGITS: Final = 15
_CHUNK_LINE_BYTES: Final = 1024
# Each costs a turn of a loop in Python, on the thread that all connections share.
_CHUNKS_LOOKED_AT: Final = 512


class Stage(Enum):
    """How far a request has come."""

    HEAD = "the head has not ended"
    BODY = "the body has not ended"
    WHOLE = "all of it is here"
    LONG = "the rest of the body has to be read by who answers it"


class Fault(Enum):
    """Why a head is refused."""

    NOT_HTTP = "it is no HTTP/1.1"
    LINE_TOO_LONG = "its first line is too long"
    HEAD_TOO_LONG = "all of it is too long"


class Head(NamedTuple):
    """What decides where a request waits. `length` is None where none, or no size, is announced."""

    size_bytes: int
    method: bytes
    path: bytes
    length: int | None
    is_chunked: bool
    expects_continue: bool


class Reading:
    """The bytes of one connection that no parser has seen yet, and how far they were looked at."""

    __slots__ = ("_chunk_at", "_chunks_seen", "_scanned", "buffer", "head")

    def __init__(self) -> None:
        self.buffer: Final = bytearray()
        self.head: Head | None = None
        self._scanned = 0  # so much holds no end of the head
        self._chunk_at = 0  # where the next chunk begins, from the beginning of the buffer
        self._chunks_seen = 0

    def begin(self, rest: bytes) -> None:
        """The next request, of whose beginning `rest` was read too early."""
        if rest:
            self.buffer[:0] = rest
        self.head = None
        self._scanned = self._chunks_seen = 0

    def look(self, max_body_bytes: int) -> Stage | Fault:
        """How far the request has come, whose body may have so many bytes."""
        if self.head is None:
            found = self._look_for_head()
            if not isinstance(found, Head):
                return found
            self.head = found
            self._chunk_at = found.size_bytes
        return self._look_at_body(self.head, max_body_bytes)

    def missing_bytes(self) -> int | None:
        """How much of the body is still to come; None where that is not announced."""
        if self.head is None or self.head.length is None:
            return None
        return self.head.size_bytes + self.head.length - len(self.buffer)

    def forwarded_for(self) -> str:
        """The head's X-Forwarded-For, several joined as Gunicorn joins them."""
        if self.head is None:
            return ""
        lines = bytes(self.buffer[: self.head.size_bytes]).split(b"\r\n")
        pairs = (line.partition(b":") for line in lines[1:])
        values = (value for name, _, value in pairs if name.lower() == b"x-forwarded-for")
        return ",".join(value.strip().decode("latin-1") for value in values)

    # -- the head ------------------------------------------------------------------------------

    def _look_for_head(self) -> Head | Stage | Fault:
        end = self.buffer.find(_END, max(0, self._scanned - len(_END) + 1))
        if end < 0:
            return self._look_at_part() or Stage.HEAD
        size_bytes = end + len(_END)
        if size_bytes > HEAD_LIMIT_BYTES:
            return self._fault_of_line() or Fault.HEAD_TOO_LONG
        return read_head(bytes(self.buffer[:size_bytes]))

    def _look_at_part(self) -> Fault | None:
        """What is wrong with the beginning of a head, that no more of it need be waited for."""
        buffer, scanned = self.buffer, self._scanned
        self._scanned = len(buffer)
        if buffer and buffer[0] == _TLS_HANDSHAKE:
            return Fault.NOT_HTTP
        if len(buffer) > HEAD_LIMIT_BYTES:
            return self._fault_of_line() or Fault.HEAD_TOO_LONG
        if _BARE.search(buffer, max(0, scanned - 1)):
            return Fault.NOT_HTTP
        return self._fault_of_line()

    def _fault_of_line(self) -> Fault | None:
        end = self.buffer.find(b"\r\n", 0, LINE_LIMIT_BYTES + 2)
        if end < 0:
            return Fault.LINE_TOO_LONG if len(self.buffer) > LINE_LIMIT_BYTES + 1 else None
        return None if _OF_HTTP_1.search(self.buffer, 0, end) else Fault.NOT_HTTP

    # -- the body ------------------------------------------------------------------------------

    def _look_at_body(self, head: Head, max_body_bytes: int) -> Stage:
        if head.is_chunked:
            return self._look_at_chunks(head)
        if not head.length or len(self.buffer) >= head.size_bytes + head.length:
            return Stage.WHOLE
        if head.expects_continue or head.length > max_body_bytes:
            return Stage.LONG
        return self._short_or_long(head)

    def _short_or_long(self, head: Head) -> Stage:
        have_bytes = len(self.buffer) - head.size_bytes
        return Stage.BODY if have_bytes < BODY_IN_MEMORY_BYTES else Stage.LONG

    def _look_at_chunks(self, head: Head) -> Stage:
        while self._chunks_seen < _CHUNKS_LOOKED_AT:
            end = self.buffer.find(b"\r\n", self._chunk_at, self._chunk_at + _CHUNK_LINE_BYTES)
            if end < 0:
                return self._unfinished(head, len(self.buffer) - self._chunk_at)
            size = CHUNK_LINE.fullmatch(self.buffer, self._chunk_at, end)
            if size is None:
                return Stage.WHOLE  # the parser refuses it, and waits for nothing
            size_bytes = int(size[1], 16)
            if size_bytes == 0:
                ends = self.buffer.find(_END, end) >= 0
                return Stage.WHOLE if ends else self._unfinished(head, 0)
            if end + size_bytes + 4 > len(self.buffer):
                return self._unfinished(head, 0)
            self._chunk_at = end + size_bytes + 4
            self._chunks_seen += 1
        return Stage.LONG

    def _unfinished(self, head: Head, line_bytes: int) -> Stage:
        if line_bytes >= _CHUNK_LINE_BYTES or head.expects_continue:
            return Stage.LONG
        return self._short_or_long(head)


def read_head(head: bytes) -> Head | Fault:
    """What a whole head says, with the empty line that ends it."""
    lines = head.count(b"\r\n")
    if head.count(b"\n") != lines or head.count(b"\r") != lines:
        return Fault.NOT_HTTP
    method, _, rest = head[: head.index(b"\r\n")].partition(b" ")
    lower = head.lower()
    length = _value(lower, b"\r\ncontent-length:")
    codings = _codings(lower)
    return Head(
        len(head),
        method,
        rest.partition(b" ")[0].partition(b"?")[0],
        # With both, the parser refuses it, and waits for neither.
        None if codings else _size(length),
        b"chunked" in codings and not length,
        bool(_value(lower, b"\r\nexpect:")),
    )


def _size(text: bytes) -> int | None:
    size = _SIZE.fullmatch(text)
    return int(size[1][: _SIZE_DIGITS + 1]) if size else None


def _codings(lower: bytes) -> bytes:
    """All that stands in any Transfer-Encoding: the parser reads them as one list."""
    parts = lower.split(b"\r\ntransfer-encoding:")[1:]
    return b",".join(part.partition(b"\r\n")[0].strip(b" \t") for part in parts)


def _value(lower: bytes, name: bytes) -> bytes:
    """Of the first field of that name; empty where there is none. The parser refuses two."""
    at = lower.find(name)
    if at < 0:
        return b""
    begin = at + len(name)
    return lower[begin : lower.index(b"\r\n", begin)].strip(b" \t")
