"""Phone numbers: every usual spelling of one is read as `+` and its digits, at most 15 (E.164).

signal-cli drops whatever is neither a digit nor a plus, and takes what has no plus for a number of
the account's own country (signal-cli.rst 2.10). So what it is given is always the whole number.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

CANONICAL: Final = re.compile(r"\+[1-9][0-9]{0,14}")
"""The one spelling of a number that signal-cli is given."""

_TEL: Final = re.compile(r"tel:(//)?", re.IGNORECASE)
# How a number is written for both, those who call from abroad and those who do not: +49 (0)151 …
_TRUNK_ZERO: Final = "(0)"
_PUNCTUATION: Final = frozenset(
    " \t\r\n\v\f.()/·\N{MINUS SIGN}\N{DIVISION SLASH}\N{FRACTION SLASH}"
)
_PUNCTUATION_CATEGORIES: Final = ("Zs", "Zl", "Zp", "Pd")
_INVISIBLE_CATEGORY: Final = "Cf"
# Joiners, fillers and variation selectors that Unicode counts among letters, marks and symbols.
_INVISIBLE: Final = frozenset("\u034f\u115f\u1160\u2800\u3164\ufe0e\ufe0f\uffa0")


def visible(text: str) -> str:
    """The text without white space around it, and without what nobody sees anywhere in it.

    Direction marks, zero-width characters, the byte order mark, and the like.
    """
    if text.isascii():
        return text.strip()
    return "".join(c for c in text if not _is_invisible(c)).strip()


def international(text: str) -> str | None:
    """`+` and the digits of a number that begins with a plus or `00`; None for all else.

    Digits and plus may be of any script or width, and `tel:` may stand before it.
    """
    if CANONICAL.fullmatch(text):
        return text
    number = dialled(text)
    if number.startswith("00"):
        number = f"+{number[2:]}"
    return number if CANONICAL.fullmatch(number) else None


def dialled(text: str) -> str:
    """The text without `tel:` and without a number's punctuation, its digits those of ASCII."""
    plain = unicodedata.normalize("NFKC", visible(text))
    tel = _TEL.match(plain)
    if tel is not None:
        plain = plain[tel.end() :].partition(";")[0]  # RFC 3966: parameters follow
    return "".join(_ascii_digit(c) for c in plain.replace(_TRUNK_ZERO, "") if not _is_mark(c))


def _is_invisible(character: str) -> bool:
    return character in _INVISIBLE or unicodedata.category(character) == _INVISIBLE_CATEGORY


def _ascii_digit(character: str) -> str:
    return str(unicodedata.decimal(character, character))


def _is_mark(character: str) -> bool:
    return character in _PUNCTUATION or unicodedata.category(character) in _PUNCTUATION_CATEGORIES
