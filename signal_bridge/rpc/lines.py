"""How large a request's line may be, and of what shape. Pure.

signal-cli reads each line into memory as a whole, and ends the connection that all calls share
over some that it does not like (signal-cli.rst 0.5): neither may happen for one caller's sake.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from signal_bridge.errors import CallTooLarge, RequestError
from signal_bridge.jsonlimits import Limits, excess

MOST_BYTES: Final = 4 * 2**20
"""Two lines of this size fit into the heap at once, whatever they consist of; three do not."""
HARMLESS_BYTES: Final = 1000
"""A line up to here exceeds nothing: the least of the limits is a thousand of something."""
BUDGET_BYTES: Final = 110 * 2**20
"""Of the costs of all lines that are worked on at once. By it a heap of 128 MB has room for two of
the largest, or for six that are all structure; with twice as many it has none."""

# What signal-cli's parser takes (signal-cli.rst 0.5). A string is never longer than a line.
_LIMITS: Final = Limits(depth=1000)
_NAME_BYTES: Final = 50_000
COST_OF_BYTE: Final = 10
"""How many bytes of the heap a byte of a line takes while it is read (signal-cli.rst 4.5)."""
# And how many more when it lies outside of strings.
_COST_OF_STRUCTURE: Final = 60


def check(line: bytes, params: Any) -> None:
    """Raises CallTooLarge or RequestError when signal-cli cannot read the line of these params.

    The line is one of ours: compact, and JSON.
    """
    if len(line) > MOST_BYTES:
        raise CallTooLarge(f"This is more than {MOST_BYTES} bytes for signal-cli to read at once")
    found = excess(line, _LIMITS)
    if found is not None and found.is_too_much:
        raise CallTooLarge(f"This is too much for signal-cli to read: {found.sentence}")
    if found is not None:
        raise RequestError(f"signal-cli cannot read this: {found.sentence}")
    if len(line) > _NAME_BYTES and any(len(name.encode()) > _NAME_BYTES for name in _names(params)):
        raise RequestError(f"signal-cli cannot read this: a name has more than {_NAME_BYTES} bytes")


def cost_bytes(line: bytes) -> int:
    """About how much of its heap signal-cli takes to read a line of ours, at most."""
    return COST_OF_BYTE * len(line) + _COST_OF_STRUCTURE * _structure_bytes(line)


def _structure_bytes(line: bytes) -> int:
    """How many bytes lie outside of strings, their quotes included."""
    if b"\\" in line:
        line = line.replace(b"\\\\", b"").replace(b'\\"', b"")
    parts = line.split(b'"')
    return sum(map(len, parts[::2])) + len(parts) - 1


def _names(value: Any) -> list[str]:
    """Those of all objects in it. What could be written is not nested deep."""
    if isinstance(value, Mapping):
        return [*value, *(name for each in value.values() for name in _names(each))]
    if isinstance(value, list):
        return [name for each in value for name in _names(each)]
    return []
