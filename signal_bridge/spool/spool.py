"""Files on their way to signal-cli, which is given paths, never the data.

One JSON line of 100 MB would sit in its memory. A spool holds the files that belong together and
lives until whoever owns it removes it, however long the request that brought them takes. Each
file has a directory of its own, since its name is what the receiver sees.
"""

from __future__ import annotations

import errno
import io
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from signal_bridge.errors import BodyTooLarge, StoreError, StoreFull
from signal_bridge.spool.filenames import safe_filename
from signal_bridge.spool.holding import Held, hold_new


class Spool:
    """The files of one owner, below `parent`. Not for several threads.

    Nothing is there before the first file. Methods raise StoreFull or StoreError.
    """

    def __init__(self, parent: Path, max_file_bytes: int) -> None:
        self._parent = parent
        self._max_file_bytes = max_file_bytes
        self._held: Held | None = None

    def write(self, name: str, data: Iterable[bytes]) -> Path:
        """A new file of that name, made safe, that holds `data`. Raises BodyTooLarge as well."""
        path = self._new_place() / safe_filename(name)
        with _disk_errors(), path.open("wb") as file:
            self._copy(data, file)
        return path

    def open_new(self, name: str) -> tuple[Path, IO[bytes]]:
        """An empty file for the caller to write and close: the path, and the file."""
        path = self._new_place() / safe_filename(name)
        with _disk_errors():
            return path, _File(path.open("w+b", buffering=0))

    def remove(self) -> None:
        """Remove everything. What cannot be removed is swept at the next start."""
        held, self._held = self._held, None
        if held is not None:
            held.remove()

    def _new_place(self) -> Path:
        with _disk_errors():
            if self._held is None:
                self._held = hold_new(self._parent)
            place = self._held.path / str(uuid.uuid4())
            place.mkdir(mode=0o700)
        return place

    def _copy(self, data: Iterable[bytes], file: IO[bytes]) -> None:
        size_bytes = 0
        for part in data:
            size_bytes += len(part)
            if size_bytes > self._max_file_bytes:
                raise BodyTooLarge(self._max_file_bytes, "A file of the request")
            file.write(part)


class _File(io.BufferedRandom):
    """A file that others write: to them, too, a full disk is StoreFull."""

    def write(self, data: Any) -> int:
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
