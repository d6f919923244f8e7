"""Styled text: `*italic*`, `**bold**`, `~struck~`, `||spoiler||` (rest-surface.rst 8).

The grammar is the peer's, oddities included: messages must look the same through either.
"""

from __future__ import annotations

import dataclasses
import io
import re
from collections.abc import Iterator
from typing import Final

from signal_bridge.errors import RequestError

_STYLES: Final = {
    "*": ("ITALIC",),
    "**": ("BOLD",),
    "***": ("BOLD", "ITALIC"),
    "||": ("SPOILER",),
    "~": ("STRIKETHROUGH",),
    "`": ("MONOSPACE",),
}

# All of them go into the one line that signal-cli is told; nobody means so many.
_MOST_STYLES: Final = 10_000

# A marker is the longest there is, of stars at most three. An escape covers a whole marker, and
# a single `|`, which is none.
_TOKEN: Final = re.compile(
    r"""\\ (?P<escaped> \*{1,3} | \|\|? | ~ | ` )
      | (?P<marker> \*{1,3} | \|\| | ~ | ` )
      | (?P<plain> [^\\*|~`]+ | . )""",
    re.VERBOSE | re.DOTALL,
)


@dataclasses.dataclass(frozen=True)
class StyledText:
    """A text without markers, and its styles as signal-cli takes them: `start:length:STYLE`.

    Start and length count UTF-16 code units.
    """

    text: str
    styles: tuple[str, ...] = ()


def parse(marked: str) -> StyledText:
    """Read the markers of `marked`. A marker left open just vanishes.

    Styles come in the order in which they close. Those without length are left out, since
    signal-cli has no use for them (rest-surface.rst 11.24). Raises `RequestError` for more than
    10,000 of them, or as many markers that are open.
    """
    text = io.StringIO(newline="")
    styles: list[str] = []
    opened: list[tuple[str, int]] = []
    position = 0
    for token in _TOKEN.finditer(marked):
        marker = token["marker"]
        if marker is None:
            copied = token["escaped"] or token["plain"]
            text.write(copied)
            position += utf16_length(copied)
        elif opened and opened[-1][0] == marker:
            styles.extend(_spans(*opened.pop(), position))
        else:
            opened.append((marker, position))
        if len(opened) + len(styles) > _MOST_STYLES:
            raise RequestError(f"The text has more styles than the limit of {_MOST_STYLES}")
    return StyledText(text.getvalue(), tuple(styles))


def utf16_length(text: str) -> int:
    """The length of `text` in UTF-16 code units, which is how Signal counts."""
    return len(text) + sum(character > "\uffff" for character in text)


def _spans(marker: str, start: int, end: int) -> Iterator[str]:
    if end > start:
        yield from (f"{start}:{end - start}:{style}" for style in _STYLES[marker])
