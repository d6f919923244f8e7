"""How much memory a child takes, as the kernel counts it."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Final

_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
_PROCESSES: Final = Path("/proc")


def resident_bytes(pid: int) -> int:
    """What the process and those it started have in memory (proc(5)); 0 for one that is gone.

    A start script that does not become the program has it for a child.
    """
    try:
        pages = int((_PROCESSES / f"{pid}/statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * _PAGE_BYTES + sum(map(resident_bytes, _children(pid)))


def _children(pid: int) -> list[int]:
    """None where the kernel does not list them."""
    with contextlib.suppress(OSError):
        return [int(one) for one in (_PROCESSES / f"{pid}/task/{pid}/children").read_text().split()]
    return []
