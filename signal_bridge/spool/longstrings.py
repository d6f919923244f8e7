"""JSON whose long strings go to disk while it arrives: 100 MB of base64 never sits in memory.

A filter over the bytes of one JSON text. What it passes on is the same JSON with each string
longer than a limit replaced by a short mark; the string itself, still JSON-escaped, is in a file.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, Final

LONG_STRING_BYTES: Final = 64 * 1024
_READ_CHARACTERS: Final = 256 * 1024
# No string of JSON holds a control character as it is.
_MEANS_SOMETHING: Final = re.compile(rb'["\\\x00-\x1f]')
_NUMBER: Final = re.compile("[0-9]+")
# The longest escape is a surrogate pair, \uD83D\uDE00.
_ESCAPE_CHARACTERS: Final = 12
_SECOND_HALF: Final = re.compile(r"\\u[dD][c-fC-F][0-9a-fA-F]{2}")


class LongString(str):
    """A string that lies in a file. Its value is only a mark; read it with `chunks` or `text`."""

    path: Path

    def chunks(self) -> Iterator[str]:
        """The string, piece by piece. Raises ValueError where it is not valid JSON."""
        rest = ""
        for part in _pieces(self.path):
            whole, rest = _cut_before_escape(rest + part)
            yield _unescape(whole)
        yield _unescape(rest)

    def text(self) -> str:
        """The whole string, for one that belongs into memory after all."""
        return whole_text("".join(self.chunks()))


class LongStringFilter:
    """Feed it the bytes of a JSON text; `finish` gives the text with marks.

    `new_file` gives a path and an open file for each long string.
    """

    def __init__(self, new_file: Callable[[], tuple[Path, IO[bytes]]]) -> None:
        self._new_file = new_file
        # Cannot be guessed, so no string of the request can pass for a mark.
        self._token = f"long-string-{secrets.token_hex(16)}-"
        self._paths: list[Path] = []
        self._short = bytearray()
        self._in_string = False
        self._after_backslash = False
        self._is_broken = False
        self._string_start = 0
        self._file: IO[bytes] | None = None

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the text, cut anywhere.

        What follows a control character in a string is not: the text is no JSON.
        """
        position = 0
        while position < len(chunk) and not self._is_broken:
            position = self._step(chunk, position)

    def finish(self) -> bytes:
        """The whole text with marks, once all of it was fed."""
        self._end_file()
        return bytes(self._short)

    def close(self) -> None:
        """Close an unfinished file; who made it removes it."""
        if self._file is not None:
            self._file.close()

    def restore(self, value: Any) -> Any:
        """The parsed JSON with each mark as a LongString."""
        if isinstance(value, str) and value.startswith(self._token):
            restored = LongString(value)
            restored.path = self._paths[int(value.removeprefix(self._token))]
            return restored
        if isinstance(value, list):
            return [self.restore(item) for item in value]
        if isinstance(value, dict):
            return {key: self.restore(item) for key, item in value.items()}
        return value

    def whole_before(self, short: str) -> Iterator[str]:
        """In pieces, what stood in the text where `finish` gave `short`, a beginning of its."""
        short, *marked = short.split(self._token)
        yield short
        for each in marked:
            number = _NUMBER.match(each)
            if number is not None:  # else it ends within the mark
                yield from _pieces(self._paths[int(number[0])])
                yield each[number.end() :]

    def _step(self, chunk: bytes, position: int) -> int:
        """Take the bytes up to the next one that means something. Where to go on."""
        if not self._in_string:
            quote = chunk.find(b'"', position)
            end = len(chunk) if quote < 0 else quote + 1
            self._short += chunk[position:end]
            if quote >= 0:
                self._in_string, self._string_start = True, len(self._short)
            return end
        if self._after_backslash:
            self._after_backslash = False
            self._keep(chunk[position : position + 1])
            return position + 1
        found = _MEANS_SOMETHING.search(chunk, position)
        if found is None:
            self._keep(chunk[position:])
            return len(chunk)
        self._keep(chunk[position : found.start()])
        if found.group() == b"\\":
            self._keep(b"\\")
            self._after_backslash = True
        elif found.group() == b'"':
            self._in_string = False
            self._end_file()
            self._short += b'"'
        else:
            self._is_broken = True
            self._end_file()
            self._short += found.group()
        return found.end()

    def _keep(self, part: bytes) -> None:
        if self._file is not None:
            self._file.write(part)
            return
        self._short += part
        if len(self._short) - self._string_start > LONG_STRING_BYTES:
            self._begin_file()

    def _begin_file(self) -> None:
        path, self._file = self._new_file()
        self._file.write(self._short[self._string_start :])
        self._short[self._string_start :] = f"{self._token}{len(self._paths)}".encode()
        self._paths.append(path)

    def _end_file(self) -> None:
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
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
