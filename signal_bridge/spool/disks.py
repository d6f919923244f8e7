"""How much is free on the disks that events and files are written to.

Files are refused while events can still be stored: an upload can be sent again, and what arrives
from Signal should not have to wait.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from signal_bridge.errors import StoreFull

# Some days of events; of a small disk, such as one in memory, a part.
_USUAL_FLOOR_BYTES: Final = 256 * 2**20
_FLOOR_PART: Final = 20
_SHOWN_UNIT: Final = 2**20


class Disk(NamedTuple):
    """One file system. `of` is what lies on it, in words; `floor_bytes` are kept for events."""

    of: str
    free_bytes: int
    floor_bytes: int


class Disks:
    """The file systems of `places`, by what each place is. Safe from any thread.

    `min_free_bytes` is what has to stay free on each; None for what is usual, 0 for nothing.
    """

    def __init__(self, places: Mapping[str, Path], min_free_bytes: int | None) -> None:
        self._places = dict(places)
        self._min_free_bytes = min_free_bytes

    def lacking(self, coming_bytes: int) -> StoreFull | None:
        """Why files of that size cannot be taken, None when they can."""
        for disk in self._each():
            if disk.free_bytes - coming_bytes < disk.floor_bytes:
                return StoreFull(
                    f"Too little room is left on the disk of {disk.of} to take files: {_free(disk)}"
                )
        return None

    def warning(self) -> str:
        """Where room is running out, empty where it is not. It is said before files are refused."""
        low = [disk for disk in self._each() if disk.free_bytes < 2 * disk.floor_bytes]
        return "; ".join(
            f"little room is left on the disk of {disk.of}: {_free(disk)}" for disk in low
        )

    def _each(self) -> Iterator[Disk]:
        """One that cannot be asked is left out: whoever writes to it hears what is wrong."""
        seen = set()
        for of, place in self._places.items():
            try:
                device, status = os.stat(place).st_dev, os.statvfs(place)
            except OSError:
                continue
            if device not in seen:
                seen.add(device)
                size_bytes = status.f_blocks * status.f_frsize
                floor_bytes = floor(size_bytes, self._min_free_bytes)
                yield Disk(of, status.f_bavail * status.f_frsize, floor_bytes)


def floor(size_bytes: int, min_free_bytes: int | None) -> int:
    """How much of a disk has to stay free."""
    if min_free_bytes is not None:
        return min_free_bytes
    return min(_USUAL_FLOOR_BYTES, size_bytes // _FLOOR_PART)


def _free(disk: Disk) -> str:
    free, kept = (round(size / _SHOWN_UNIT, 1) for size in (disk.free_bytes, disk.floor_bytes))
    return f"{free} MiB are free, and files are refused below {kept} MiB (BRIDGE_MIN_FREE_BYTES)"
