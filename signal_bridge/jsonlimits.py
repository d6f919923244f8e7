"""How large a JSON text may be in everything but its strings. Pure.

Of a few bytes of structure Python, or signal-cli, makes a hundred times as many in memory; so what
is bounded is what they cost, and before they are read. Strings cost what they are long: whoever
holds one bounds its length.

Only JSON is understood, and only up to where a text stops being JSON: nobody reads on from there.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import Final

_PIECE_BYTES: Final = 64 * 1024
_LONG_BYTES: Final = 1000
_NO_BRACKET: Final = bytes(set(range(256)) - set(b"[]{}"))
_STEPS: Final = tuple((byte in b"[{") - (byte in b"]}") for byte in range(256))
_INSIDE_CHARACTER: Final = bytes(range(0x80, 0xC0))  # of one in UTF-8, all but its first byte
# What a number consists of becomes 0, everything else a space.
_OF_NUMBERS: Final = bytes(
    b"0"[0] if byte in b"0123456789.+-eE" else b" "[0] for byte in range(256)
)
# So many places of a number are looked at before it is measured.
_SAMPLES: Final = 10


@dataclass(frozen=True)
class Limits:
    """The most of each. More than the first two is too much; more than the others nobody means.

    `structure_bytes` is all that lies outside of strings, with the quotes and the white space;
    `keys` are those of all objects together; `depth` is how many arrays and objects lie within each
    other. `number_bytes` is how long a number may be, with its sign, point and exponent.
    signal-cli's parser takes numbers of a thousand digits, and a depth of a thousand.
    """

    structure_bytes: int = 256 * 1024
    keys: int = 20_000
    depth: int = 100
    number_bytes: int = 1000


@dataclass(frozen=True)
class Excess:
    """The first limit that a text exceeds, and where, counted from 1 and in characters."""

    sentence: str
    line: int
    column: int
    is_too_much: bool
    """Of something there may be some of; else it is of a kind that nobody means."""

    def __str__(self) -> str:
        return f"Line {self.line}, column {self.column}: {self.sentence}"


@dataclass(frozen=True)
class _Place:
    """Where a text is, and what it has had up to there."""

    in_string: bool = False
    after_backslash: bool = False
    structure_bytes: int = 0
    keys: int = 0
    depth: int = 0
    number_bytes: int = 0  # of the number that the place is in
    excess: tuple[str, bool] | None = None  # its sentence, and whether it is too much


class Scanner:
    """Feed it the bytes of a JSON text, cut anywhere."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._place = _Place()
        self._line, self._column = 1, 1  # of what comes next

    @property
    def structure_bytes(self) -> int:
        """How much of what was fed lies outside of strings."""
        return self._place.structure_bytes

    def feed(self, chunk: bytes) -> Excess | None:
        """What is exceeded with these bytes; None for nothing so far. An excess is the end."""
        place = _after(self._place, chunk, self._limits)
        if place.excess is not None:
            return self._first_excess(chunk, place.excess)
        self._place = place
        self._line, self._column = self._next_after(chunk)
        return None

    def _first_excess(self, chunk: bytes, found: tuple[str, bool]) -> Excess:
        """Where in the chunk that is. Each half is looked at once: all of it costs two looks."""
        place, begin, end = self._place, 0, len(chunk)
        while end - begin > 1:
            middle = (begin + end) // 2
            half = _after(place, chunk[begin:middle], self._limits)
            if half.excess is None:
                place, begin = half, middle
            else:
                found, end = half.excess, middle
        sentence, is_too_much = found
        return Excess(sentence, *self._next_after(chunk[:begin]), is_too_much)

    def _next_after(self, chunk: bytes) -> tuple[int, int]:
        """The line and the column of what follows on it."""
        last = chunk.rfind(b"\n")
        if last < 0:
            return self._line, self._column + _characters(chunk)
        return self._line + chunk.count(b"\n"), 1 + _characters(chunk[last + 1 :])


def excess(text: bytes, limits: Limits) -> Excess | None:
    """The first limit that a whole JSON text exceeds; None for none."""
    if _is_harmless(text, limits):
        return None
    scanner = Scanner(limits)
    pieces = (text[at : at + _PIECE_BYTES] for at in range(0, len(text), _PIECE_BYTES))
    return next((found for found in map(scanner.feed, pieces) if found is not None), None)


def _is_harmless(text: bytes, limits: Limits) -> bool:
    """Whether a look from afar shows that nothing is exceeded, whatever lies in strings."""
    return (
        len(text) <= limits.structure_bytes
        and (len(text) <= limits.keys or text.count(b":") <= limits.keys)
        and _is_rare(b"[", text, limits.depth // 2)
        and _is_rare(b"{", text, limits.depth // 2)
        and (len(text) <= limits.number_bytes or not _may_have_long_number(text, limits))
    )


def _is_rare(byte: bytes, text: bytes, most: int) -> bool:
    """Whether there are no more than that. In a long text to find a few is faster than to count."""
    if len(text) < _LONG_BYTES:
        return text.count(byte) <= most
    at = -1
    for _ in range(most + 1):
        at = text.find(byte, at + 1)
        if at < 0:
            return True
    return False


def _may_have_long_number(text: bytes, limits: Limits) -> bool:
    """A long number is met many times in a row where every hundredth byte alone is looked at."""
    step = max(1, limits.number_bytes // _SAMPLES)
    in_a_row = (limits.number_bytes + 1) // step
    return b"0" * in_a_row in text[::step].translate(_OF_NUMBERS)


def _after(place: _Place, chunk: bytes, limits: Limits) -> _Place:
    """Where a text is after one more chunk."""
    if place.in_string and not place.after_backslash and b'"' not in chunk and b"\\" not in chunk:
        return place
    chunk, after_backslash = without_escapes(chunk, place.after_backslash)
    parts = chunk.split(b'"')
    quotes = len(parts) - 1
    in_string = place.in_string ^ (quotes % 2 == 1)
    beside = parts[place.in_string :: 2]
    structure_bytes = place.structure_bytes + sum(map(len, beside)) + quotes
    outside = b'"'.join(beside) + b'"' * in_string  # no number goes on beyond a string
    keys = place.keys + outside.count(b":")
    depth, is_deep = _depth_after(place.depth, outside, limits.depth)
    number_bytes, is_long = _number_after(place.number_bytes, outside, limits.number_bytes)
    found = None
    if structure_bytes > limits.structure_bytes:
        found = (f"more than {limits.structure_bytes} bytes lie outside of strings", True)
    elif keys > limits.keys:
        found = (f"there are more than {limits.keys} keys", True)
    elif is_deep:
        found = (f"arrays or objects are nested too deep: in more than {limits.depth}", False)
    elif is_long:
        found = (f"this number has too many digits: more than {limits.number_bytes}", False)
    return _Place(
        in_string, after_backslash, structure_bytes, keys, depth, number_bytes, excess=found
    )


def _characters(text: bytes) -> int:
    return len(text) if text.isascii() else len(text.translate(None, _INSIDE_CHARACTER))


def without_escapes(chunk: bytes, after_backslash: bool) -> tuple[bytes, bool]:
    """The chunk with no quote in it but those that begin or end a string.

    And whether it ends with a backslash whose character is still to come.
    """
    if after_backslash and chunk:
        chunk, after_backslash = b"." + chunk[1:], False
    if b"\\" not in chunk:
        return chunk, after_backslash
    # From the left, so that of a run of backslashes each second one is what is escaped.
    chunk = chunk.replace(b"\\\\", b"..").replace(b'\\"', b"..")
    return chunk, chunk.endswith(b"\\")


def _depth_after(depth: int, outside: bytes, most: int) -> tuple[int, bool]:
    opened = outside.count(b"[") + outside.count(b"{")
    if depth + opened <= most:
        return depth + opened - outside.count(b"]") - outside.count(b"}"), False
    steps = map(_STEPS.__getitem__, outside.translate(None, _NO_BRACKET))
    depths = list(accumulate(steps, initial=depth))
    return depths[-1], max(depths) > most


def _number_after(carried_bytes: int, outside: bytes, most: int) -> tuple[int, bool]:
    """How long the number at the end is, and whether any is too long."""
    marked = b"0" * carried_bytes + outside.translate(_OF_NUMBERS)
    is_long = len(marked) > most and b"0" * (most + 1) in marked
    return len(marked) - len(marked.rstrip(b"0")), is_long
