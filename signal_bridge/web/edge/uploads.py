"""Files on their way to signal-cli: written as they arrive, removed when the request is over.

signal-cli is given paths, never the data: one JSON line of 100 MB would sit in its memory. Each
file has a directory of its own, since its name is what the receiver sees; all of them are in one
that the request holds.
"""

from __future__ import annotations

import errno
import io
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from signal_bridge.errors import BodyTooLarge, RequestError, StoreError, StoreFull
from signal_bridge.signalcli.attachments import safe_filename, stored_name
from signal_bridge.signalcli.base64text import Base64Decoder
from signal_bridge.signalcli.filetypes import HEAD_BYTES
from signal_bridge.spool.holding import Held, hold_new


class Uploads:
    """The files of one request. Not for several threads.

    Methods raise BodyTooLarge, StoreFull or StoreError.
    """

    def __init__(self, directory: Path, max_file_bytes: int) -> None:
        self._directory = directory
        self._max_file_bytes = max_file_bytes
        self._held: Held | None = None

    def save_base64(self, chunks: Iterable[bytes], filename: str | None = None) -> Path:
        """Decode base64 text to a file named `filename`, or by what it holds.

        Raises RequestError as well, when the text is not base64 or holds nothing.
        """
        data = _decoded(chunks)
        head = _head(data)
        if not head:
            raise RequestError("The base64 data does not exist.")
        place = self._fresh()
        path = place / stored_name(filename, head, unique=str(uuid.uuid4()))
        with _translated(), path.open("wb") as file:
            self._copy(_chain(head, data), file)
        return path

    def save_avatar(self, picture: bytes, extension: str) -> Path:
        """Write a picture whose kind signal-cli tells by its extension."""
        path = self._fresh() / f"{uuid.uuid4()}{extension}"
        with _translated():
            path.write_bytes(picture)
        return path

    def open_new(self, filename: str) -> tuple[Path, IO[bytes]]:
        """An empty file for the caller to write, close and name: the path, and the file."""
        path = self._fresh() / safe_filename(filename)
        with _translated():
            return path, _File(path.open("w+b", buffering=0))

    def remove(self) -> None:
        """Remove everything. What cannot be removed is swept at the next start."""
        held, self._held = self._held, None
        if held is not None:
            held.remove()

    def _fresh(self) -> Path:
        with _translated():
            if self._held is None:
                self._held = hold_new(self._directory)
            place = self._held.path / str(uuid.uuid4())
            place.mkdir(mode=0o700)
        return place

    def _copy(self, data: Iterable[bytes], file: IO[bytes]) -> None:
        size_bytes = 0
        for part in data:
            size_bytes += len(part)
            if size_bytes > self._max_file_bytes:
                raise BodyTooLarge(self._max_file_bytes)
            file.write(part)


class _File(io.BufferedRandom):
    """A file that others write: to them, too, a full disk is StoreFull."""

    def write(self, data: Any) -> int:
        with _translated():
            return super().write(data)

    def flush(self) -> None:  # close calls it
        with _translated():
            super().flush()


def _decoded(chunks: Iterable[bytes]) -> Iterator[bytes]:
    decoder = Base64Decoder()
    for chunk in chunks:
        yield decoder.feed(chunk)
    yield decoder.finish()


def _head(data: Iterator[bytes]) -> bytes:
    """Enough of the beginning to tell what it is."""
    head = b""
    for part in data:
        head += part
        if len(head) >= HEAD_BYTES:
            break
    return head


def _chain(head: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield head
    yield from rest


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StoreFull("There is no room left on the disk for the files sent") from error
        raise StoreError(f"The files sent cannot be stored: {error.strerror}") from error
