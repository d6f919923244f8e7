"""JSON whose long strings go to disk while it arrives: 100 MB of base64 never sits in memory.

A filter over the bytes of one JSON text. What it passes on is the same JSON with each string
longer than a limit replaced by a short mark; the string itself, still JSON-escaped, is in a file.
How many files there are, and how much of the text is ever in memory, has a bound.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Any, Final

from signal_bridge.errors import BodyTooLarge, TooManyParts
from signal_bridge.jsonlimits import without_escapes
from signal_bridge.spool.pile import NewFile, Pile

LONG_STRING_BYTES: Final = 64 * 1024
# Once that much is not long, a string is sooner: many small pictures are no text to be read.
_MUCH_BYTES: Final = 512 * 1024
_SOONER_LONG_BYTES: Final = 4 * 1024
_MOST_FILES: Final = 1000
_READ_CHARACTERS: Final = 256 * 1024
# The end of a string: no string of JSON holds a control character as it is.
_ENDS_STRING: Final = re.compile(rb'["\x00-\x1f]')
_NUMBER: Final = re.compile("[0-9]+")
# The longest escape is a surrogate pair, \uD83D\uDE00.
_ESCAPE_CHARACTERS: Final = 12
_SECOND_HALF: Final = re.compile(r"\\u[dD][c-fC-F][0-9a-fA-F]{2}")


IntoMemory = Callable[[int], AbstractContextManager[None]]
"""A block in which so many bytes of a text are read into memory."""


class Allowance:
    """How many bytes of one text may still be taken into memory, and how that is done."""

    def __init__(self, most_bytes: int, into_memory: IntoMemory) -> None:
        self.into_memory = into_memory
        self._most_bytes = most_bytes
        self._left_bytes = most_bytes

    def take(self, size_bytes: int) -> None:
        """Take so much of it. Raises BodyTooLarge."""
        if size_bytes > self._left_bytes:
            raise BodyTooLarge(self._most_bytes, "What of the request has to be held in memory")
        self._left_bytes -= size_bytes


class LongString(str):
    """A string that lies in a file. Its value is only a mark; read it with `chunks` or `text`."""

    path: Path
    allowance: Allowance

    def chunks(self) -> Iterator[str]:
        """The string, piece by piece. Raises ValueError where it is not valid JSON."""
        rest = ""
        for part in _pieces(self.path):
            whole, rest = _cut_before_escape(rest + part)
            yield whole_text(_unescape(whole))
        yield whole_text(_unescape(rest))

    def text(self) -> str:
        """The whole string, for one that belongs into memory after all.

        Raises ValueError, BodyTooLarge when too much of its request is there by then, or what the
        block does in which it is read.
        """
        size_bytes = self.path.stat().st_size
        self.allowance.take(size_bytes)
        with self.allowance.into_memory(size_bytes):
            return "".join(self.chunks())


class LongStringFilter:
    """Feed it the bytes of a JSON text; `finish` gives the text with marks.

    `new_file` gives a path and an open file for each long string. No more than `most_bytes` of the
    text are to be in memory, those included of which a `LongString` gives the text within a block
    of `into_memory`.
    """

    def __init__(self, new_file: NewFile, most_bytes: int, into_memory: IntoMemory) -> None:
        self._short = Pile(new_file)
        self._new_file = new_file
        self._allowance = Allowance(most_bytes, into_memory)
        # Cannot be guessed, so no string of the request can pass for a mark.
        self._token = f"long-string-{secrets.token_hex(16)}-"
        self._paths: list[Path] = []
        self._string = bytearray()  # the one that is being read, while it is short
        self._in_string = False
        self._after_backslash = False
        self._is_broken = False
        self._file: IO[bytes] | None = None

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the text, cut anywhere.

        What follows a control character in a string is not: the text is no JSON. Raises
        BodyTooLarge, or TooManyParts for more long strings than anybody sends.
        """
        plain, self._after_backslash = without_escapes(chunk, self._after_backslash)
        position = 0
        while position < len(chunk) and not self._is_broken:
            position = self._step(chunk, plain, position)

    def finish(self) -> Pile:
        """The whole text with marks, once all of it was fed. `close` closes it."""
        self._end_string()
        return self._short

    def close(self) -> None:
        """Close what is open; who made the files removes them."""
        self._short.close()
        if self._file is not None:
            self._file.close()

    def restore(self, value: Any) -> Any:
        """The parsed JSON with each mark as a LongString."""
        if isinstance(value, str) and value.startswith(self._token):
            restored = LongString(value)
            restored.path = self._paths[int(value.removeprefix(self._token))]
            restored.allowance = self._allowance
            return restored
        if isinstance(value, list):
            return [self.restore(item) for item in value]
        if isinstance(value, dict):
            return {key: self.restore(item) for key, item in value.items()}
        return value

    def whole_before(self, short: str, index: int) -> Iterator[str]:
        """In pieces, what stood in the text before a place in its `short` form."""
        begin = 0
        while 0 <= (mark := short.find(self._token, begin)) < index:
            yield short[begin:mark]
            number = _NUMBER.match(short, mark + len(self._token))
            if number is None or number.end() > index:  # the place is within the mark
                return
            yield from _pieces(self._paths[int(number[0])])
            begin = number.end()
        yield short[begin:index]

    def _step(self, chunk: bytes, plain: bytes, position: int) -> int:
        """Take the bytes up to the next one that means something. Where to go on.

        `plain` is the chunk without escapes, as long as it is.
        """
        if not self._in_string:
            quote = plain.find(b'"', position)
            end = len(chunk) if quote < 0 else quote + 1
            self._pass_on(chunk[position:end])
            self._in_string = quote >= 0
            return end
        found = _ENDS_STRING.search(plain, position)
        if found is None:
            self._keep(chunk[position:])
            return len(chunk)
        self._keep(chunk[position : found.start()])
        self._end_string()
        self._pass_on(found.group())
        self._in_string = False
        self._is_broken = found.group() != b'"'
        return found.end()

    def _pass_on(self, part: bytes | bytearray) -> None:
        self._allowance.take(len(part))
        self._short.add(part)

    def _keep(self, part: bytes) -> None:
        if self._file is not None:
            self._file.write(part)
            return
        self._string += part
        if len(self._string) > self._short_bytes():
            self._begin_file()

    def _short_bytes(self) -> int:
        """How long a string may be and stay where it is."""
        return LONG_STRING_BYTES if self._short.size_bytes < _MUCH_BYTES else _SOONER_LONG_BYTES

    def _begin_file(self) -> None:
        if len(self._paths) == _MOST_FILES:
            raise TooManyParts(_MOST_FILES, "The request has more long strings")
        path, self._file = self._new_file()
        self._paths.append(path)
        self._file.write(self._string)
        self._string = bytearray(f"{self._token}{len(self._paths) - 1}".encode())

    def _end_string(self) -> None:
        self._pass_on(self._string)
        self._string = bytearray()
        if self._file is not None:
            self._file.close()
            self._file = None


def _pieces(path: Path) -> Iterator[str]:
    """A string as it lies in its file, still escaped."""
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        while part := file.read(_READ_CHARACTERS):
            yield part


def _cut_before_escape(text: str) -> tuple[str, str]:
    """Two parts; no escape lies across the cut."""
    backslash = text.find("\\", max(0, len(text) - _ESCAPE_CHARACTERS))
    # The second half of a pair whose first half lies before what was looked at is complete.
    while backslash >= 0 and _SECOND_HALF.match(text, backslash):
        backslash = text.find("\\", backslash + 1)
    if backslash < 0:
        return text, ""
    # In a run of backslashes every second one begins an escape.
    run = backslash - len(text[:backslash].rstrip("\\"))
    cut = backslash - run % 2
    return text[:cut], text[cut:]


def _unescape(text: str) -> str:
    return str(json.loads(f'"{text}"'))


def whole_text(text: str) -> str:
    """Half of a surrogate pair is not text; it becomes U+FFFD (rest-surface.rst 1.4)."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
