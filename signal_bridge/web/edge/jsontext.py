"""JSON read to its first mistake, which is named by its place and by what belongs there. Pure.

A place is a line and a column, both counted from 1, the column in characters. What stands there is
told by its kind: a text of somebody's is in no sentence.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

MORE_FOLLOWS: Final = "nothing belongs here, for the JSON value has ended"

_SPACE: Final = re.compile(r"[ \t\r\n]*+")
# How the sentences of the decoder begin in Python 3.11 to 3.14, and ours; {found} stands there.
_SENTENCES: Final = (
    ("Expecting property name", "a key in double quotes belongs here, not {found}"),
    ("Expecting value", "a value belongs here, not {found}"),
    ("Expecting ':'", "a colon belongs here, not {found}"),
    ("Expecting ','", "a comma or the closing bracket belongs here, not {found}"),
    ("Illegal trailing comma", "this comma is one too many"),
    ("Unterminated string", "the string that begins here does not end"),
    ("Invalid control character", "within a string {found} is written as {escape}"),
    ("Invalid \\escape", 'a backslash is followed by one of "\\/bfnrtu, not by {found}'),
    ("Invalid \\u", "\\u is followed by four hexadecimal digits"),
)
_NO_JSON: Final = "this is no JSON"
_NAMES: Final = {
    "\n": "a line feed",
    "\r": "a carriage return",
    "\t": "a tab",
    " ": "a space",
    "'": "a single quote",
    "\ufeff": "a byte order mark",
}
_SHOWN: Final = '{}[]:,"\\/'
_ESCAPES: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
# Strings are skipped; what is found beside them is what Python's decoder has taken offence at.
# Possessive, so that no character is looked at twice and none is remembered.
_STRING_OR_ODD: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"?|(-?Infinity|NaN)|(-?[0-9]++)', re.DOTALL)
_MANY_DIGITS: Final = 1000


@dataclass(frozen=True)
class Mistake:
    """Where a text is no JSON, as an index, and what belongs there."""

    index: int
    belongs: str


def mistake(text: str, error: ValueError | RecursionError) -> Mistake:
    """What DECODER has found wrong with a text, of which it said `error`."""
    if isinstance(error, json.JSONDecodeError):
        return _unexpected(text, error)
    if isinstance(error, RecursionError):
        return Mistake(0, "arrays or objects are nested too deep")
    return _odd_value(text)


def end_of_space(text: str, index: int) -> int:
    """Where the white space ends that may begin at `index`."""
    found = _SPACE.match(text, index)
    return index if found is None else found.end()


def place_after(pieces: Iterable[str]) -> tuple[int, int]:
    """The line and the column of what comes after these pieces of a text."""
    line, column = 1, 1
    for piece in pieces:
        line += piece.count("\n")
        last = piece.rfind("\n")
        column = len(piece) - last if last >= 0 else column + len(piece)
    return line, column


def _unexpected(text: str, error: json.JSONDecodeError) -> Mistake:
    index = error.pos
    if error.msg.startswith("Invalid \\escape"):
        index += 1  # what follows the backslash
    found = text[index : index + 1]
    sentence = next((ours for begin, ours in _SENTENCES if error.msg.startswith(begin)), _NO_JSON)
    escape = _ESCAPES.get(found) or f"\\u{ord(found or ' '):04x}"
    return Mistake(index, sentence.format(found=_kind_of(found), escape=escape))


def _odd_value(text: str) -> Mistake:
    """What Python would take for a number, and JSON or the bridge does not."""
    for match in _STRING_OR_ODD.finditer(text):
        if match[1]:
            return Mistake(match.start(), f"{match[1]} is no JSON number")
        if match[2] and len(match[2]) > _MANY_DIGITS:
            return Mistake(match.start(), "this number has too many digits")
    return Mistake(0, _NO_JSON)


def _kind_of(character: str) -> str:
    if not character:
        return "the end of the body"
    if character in _SHOWN:
        return character
    if character < " ":
        return _NAMES.get(character, f"the control character U+{ord(character):04X}")
    if character.isdigit():
        return "a digit"
    return _NAMES.get(character, "a letter" if character.isalpha() else "another character")


def _refuse_constant(word: str) -> None:
    raise ValueError(f"{word} is not JSON")


DECODER: Final = json.JSONDecoder(parse_constant=_refuse_constant)
