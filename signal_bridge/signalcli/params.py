"""Parameters of a call."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from signal_bridge.errors import RequestError

# Nineteen digits are enough for 64 bits, with some room for zeros in front.
_DECIMAL: Final = re.compile(r"[+-]?[0-9]{1,40}")
_INT64: Final = range(-(2**63), 2**63)

# Milliseconds since the epoch of every message there can be: 2001 to 2286.
_MILLISECONDS: Final = range(10**12, 10**13)
# The peer hands everything on, and these are no time in any unit, so they are handed on as well:
# signal-cli refuses whatever fits into 32 bits (signal-cli.rst 2.1).
_NO_TIME: Final = range(1000)
_OTHER_UNITS: Final = (
    (range(10**8, 10**11), "seconds"),
    (range(10**14, 10**17), "microseconds"),
    (range(10**17, 2**63), "nanoseconds"),
)

LONGEST_SECONDS: Final = 2**31 - 1
"""signal-cli holds the time after which something ends in 32 bits."""


def without_none(params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that have a value; None stands for one that was not given."""
    return {name: value for name, value in params.items() if value is not None}


def int64(text: str) -> int | None:
    """The signed 64-bit number that `text` writes in decimal, else None."""
    if not _DECIMAL.fullmatch(text) or int(text) not in _INT64:
        return None
    return int(text)


def timestamp_ms(name: str, value: int) -> int:
    """`value`, which the caller named `name`, if it can be the time of a message.

    That is 13 digits: milliseconds since the epoch. Raises `RequestError`, which says so and, where
    it can be told, in which unit the time was given instead.
    """
    if value in _MILLISECONDS or value in _NO_TIME:
        return value
    unit = next((unit for numbers, unit in _OTHER_UNITS if value in numbers), None)
    guess = f"; {value} looks like {unit}" if unit else f", not {value}"
    raise RequestError(
        f"Couldn't process request - {name} must be in milliseconds since 1970 (13 digits){guess}"
    )


def duration_seconds(name: str, value: int, least: int = 0) -> int:
    """`value`, which the caller named `name`, if it is a number of seconds that can be meant.

    Raises `RequestError` for one below `least` or above what signal-cli can hold.
    """
    if not least <= value <= LONGEST_SECONDS:
        raise RequestError(
            f"Couldn't process request - {name} must be between {least} and {LONGEST_SECONDS} "
            "seconds"
        )
    return value
