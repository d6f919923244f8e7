"""Streams: a request that stays open and is told of events as they come.

Each takes one of the worker's threads for as long as it lasts, so there are only so many places:
a third of the threads is always left to requests.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from signal_bridge.errors import TooManyStreams


class StreamPlaces:
    """The places for streams in one worker process. Safe from any thread."""

    def __init__(self, threads: int) -> None:
        self.limit = max(1, threads - threads // 3)
        self._free = threading.BoundedSemaphore(self.limit)

    def take(self) -> None:
        """Take a place; give it back with `leave`. Raises TooManyStreams."""
        if not self._free.acquire(blocking=False):
            raise TooManyStreams(self.limit)

    def leave(self) -> None:
        """Give back a place that was taken; ValueError when there is none to give back."""
        self._free.release()

    @contextmanager
    def one(self) -> Iterator[None]:
        """A place for the length of a block. Raises TooManyStreams."""
        self.take()
        try:
            yield
        finally:
            self.leave()

    @contextmanager
    def one_if_free(self) -> Iterator[bool]:
        """A place for the length of a block, or none: whether there was one."""
        taken = self._free.acquire(blocking=False)
        try:
            yield taken
        finally:
            if taken:
                self.leave()
