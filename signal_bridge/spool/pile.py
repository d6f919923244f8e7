"""Bytes that arrive in pieces and are needed together: in memory while they are few, else a file.

A client that sends slowly so costs no more memory than a piece, however much it has sent.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import IO, Final

IN_MEMORY_BYTES: Final = 64 * 1024

NewFile = Callable[[], tuple[Path, IO[bytes]]]
"""Gives an empty file to write: its path, and the file."""


class Pile:
    """Add to it, then take the whole. Not for several threads.

    What `new_file` and its file raise, `add` and `whole` raise. Who made the file removes it.
    """

    def __init__(self, new_file: NewFile) -> None:
        self._new_file = new_file
        self._memory = bytearray()
        self._file: IO[bytes] | None = None
        self.size_bytes = 0

    def add(self, piece: bytes | bytearray) -> None:
        """Put a piece at the end."""
        self._memory += piece
        self.size_bytes += len(piece)
        if len(self._memory) > IN_MEMORY_BYTES:
            self._put_away()

    def whole(self) -> bytes:
        """All that was added, in memory."""
        if self._file is None:
            return bytes(self._memory)
        self._put_away()
        self._file.seek(0)
        return self._file.read()

    def close(self) -> None:
        """Close the file, if there is one."""
        if self._file is not None:
            self._file.close()

    def _put_away(self) -> None:
        if self._file is None:
            _, self._file = self._new_file()
        self._file.write(self._memory)
        self._memory = bytearray()
