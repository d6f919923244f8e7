"""Files on their way to signal-cli, which is given paths, never the data.

One JSON line of 100 MB would sit in its memory. A spool holds the files that belong together and
lives until whoever owns it removes it, however long the request that brought them takes. Each
file has a directory of its own, since its name is what the receiver sees. All spools share one
room (room.py), of which each gets as much as it writes.
"""

from __future__ import annotations

import errno
import io
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

from signal_bridge.errors import BodyTooLarge, StoreError, StoreFull
from signal_bridge.spool.filenames import safe_filename
from signal_bridge.spool.holding import Held
from signal_bridge.spool.room import ENTRY_BYTES, Room

# How much room is asked for at a time: an escaped string arrives in pieces of a few bytes.
_AT_ONCE_BYTES: Final = 64 * 1024


class Spool:
    """The files of one request of `client`, in `room`. Not for several threads.

    Nothing is there before the first file. Methods raise what `Room.grant` raises, or StoreError.
    """

    def __init__(self, room: Room, client: str, max_file_bytes: int) -> None:
        self._room = room
        self._client = client
        self._max_file_bytes = max_file_bytes
        self._held: Held | None = None
        self._spare_bytes = 0  # granted and not written yet

    def write(self, name: str, data: Iterable[bytes]) -> Path:
        """A new file of that name, made safe, that holds `data`."""
        path = self._new_place() / safe_filename(name)
        with _disk_errors(), path.open("wb") as file:
            self._copy(data, file)
        return path

    def open_new(self, name: str) -> tuple[Path, IO[bytes]]:
        """An empty file for the caller to write and close: the path, and the file."""
        path = self._new_place() / safe_filename(name)
        with _disk_errors():
            return path, _File(path.open("w+b", buffering=0), self._take)

    def remove(self) -> None:
        """Remove everything. What cannot be removed is swept at the next start."""
        held, self._held, self._spare_bytes = self._held, None, 0
        if held is not None:
            self._room.give_back(held)

    def _new_place(self) -> Path:
        with _disk_errors():
            held = self._held = self._held or self._room.hold(self._client)
            self._take(2 * ENTRY_BYTES)  # its own directory and itself
            place = held.path / str(uuid.uuid4())
            place.mkdir(mode=0o700)
        return place

    def _take(self, size_bytes: int) -> None:
        """Before so much is written. Raises what `Room.grant` raises."""
        lacking_bytes = size_bytes - self._spare_bytes
        if lacking_bytes > 0 and self._held is not None:
            more_bytes = max(lacking_bytes, _AT_ONCE_BYTES)
            self._room.grant(self._held, more_bytes)
            self._spare_bytes += more_bytes
        self._spare_bytes -= size_bytes

    def _copy(self, data: Iterable[bytes], file: IO[bytes]) -> None:
        size_bytes = 0
        for part in data:
            size_bytes += len(part)
            if size_bytes > self._max_file_bytes:
                raise BodyTooLarge(self._max_file_bytes, "A file of the request")
            self._take(len(part))
            file.write(part)


class _File(io.BufferedRandom):
    """A file that others write: to them, too, a full disk is StoreFull.

    `take` is called with the size of what is to be written.
    """

    def __init__(self, raw: Any, take: Callable[[int], None]) -> None:
        super().__init__(raw)
        self._take = take

    def write(self, data: Any) -> int:
        self._take(len(data))
        with _disk_errors():
            return super().write(data)

    def flush(self) -> None:  # close calls it
        with _disk_errors():
            super().flush()


@contextmanager
def _disk_errors() -> Iterator[None]:
    """An error of the disk, as what the caller experiences."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StoreFull("There is no room left on the disk for the files sent") from error
        raise StoreError(f"The files sent cannot be stored: {error.strerror}") from error
