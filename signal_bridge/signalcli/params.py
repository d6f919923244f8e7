"""Parameters of a call."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

# Nineteen digits are enough for 64 bits, with some room for zeros in front.
_DECIMAL: Final = re.compile(r"[+-]?[0-9]{1,40}")
_INT64: Final = range(-(2**63), 2**63)


def without_none(params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that have a value; None stands for one that was not given."""
    return {name: value for name, value in params.items() if value is not None}


def int64(text: str) -> int | None:
    """The signed 64-bit number that `text` writes in decimal, else None."""
    if not _DECIMAL.fullmatch(text) or int(text) not in _INT64:
        return None
    return int(text)
