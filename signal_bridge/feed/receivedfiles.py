"""Received files that are kept no longer. Others work in their directory at the same time."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from signal_bridge.feed.keeping import File, files_to_remove

log = logging.getLogger(__name__)


class ReceivedFiles:
    """The regular files directly in `directory`. Belongs to one thread; never raises OSError."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._logged: set[str] = set()  # kinds of trouble, until all goes well

    def prune(self, oldest_at: float, limit_bytes: int, stop: threading.Event) -> None:
        """Remove those last written before `oldest_at` (seconds since the epoch, 0.0 for none).

        And the oldest above `limit_bytes`, 0 for any. What cannot be removed is logged once.
        """
        if not oldest_at and not limit_bytes:
            return
        trouble = False
        try:
            for file in files_to_remove(_files_in(self._directory), oldest_at, limit_bytes):
                if stop.is_set():
                    return
                trouble |= not self._is_removed(file.name)
        except OSError as error:
            self._log("received files cannot be listed", error)
            return
        if not trouble:
            self._logged.clear()

    def _is_removed(self, name: str) -> bool:
        try:
            (self._directory / name).unlink(missing_ok=True)
        except OSError as error:
            self._log("a received file cannot be removed", error)
            return False
        return True

    def _log(self, what: str, error: OSError) -> None:
        if what not in self._logged:
            self._logged.add(what)
            log.warning("%s: %s", what, error.strerror)


def _files_in(directory: Path) -> Iterator[File]:
    """What vanishes while it is looked at is not there. Raises OSError for the directory's."""
    try:
        entries = os.scandir(directory)
    except FileNotFoundError:  # nothing has been received yet
        return
    with entries:
        for entry in entries:
            with suppress(OSError):
                if entry.is_file(follow_symlinks=False):
                    status = entry.stat(follow_symlinks=False)
                    yield File(entry.name, status.st_mtime, status.st_size)
