"""Large bodies in memory: one at a time is read, and few are there until they are answered.

Of a body of some megabytes Python makes ten times as much while it reads it. What one request may
take, as many as there are threads must not: the others wait, and what was sent waits on the disk.
"""

from __future__ import annotations

import ctypes
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from flask import Response, after_this_request

from signal_bridge.errors import Busy, BusyForClient
from signal_bridge.spool.pile import IN_MEMORY_BYTES
from signal_bridge.web.edge.context import client

_WAIT_SECONDS: Final = 10.0
# A thread that waits here is one less for everybody else.
_MOST_WAITING: Final = 16
_TOO_MANY: Final = "Too many large requests are being worked on; try again later"
_TOO_MANY_OF_CLIENT: Final = "Too many of your large requests are being worked on; try again later"
# Three of the largest; of one client half as much.
_MOST_HELD_BYTES: Final = 24 * 2**20
# The least that a byte of structure becomes, once it is a list or a dictionary.
_OF_STRUCTURE: Final = 16

_LIBC: Final = ctypes.CDLL(None)


class LargeBodies:
    """Room for the large bodies of one process."""

    def __init__(
        self,
        most_held_bytes: int = _MOST_HELD_BYTES,
        most_waiting: int = _MOST_WAITING,
        wait_seconds: float = _WAIT_SECONDS,
    ) -> None:
        self._most_held_bytes = most_held_bytes
        self._wait_seconds = wait_seconds
        self._reading = threading.Lock()  # held by the thread that reads a large body
        self._reader: int | None = None  # which that is
        self._waiting = threading.BoundedSemaphore(most_waiting + 1)
        self._lock = threading.Lock()  # guards _held_bytes
        self._held_bytes: Counter[str] = Counter()  # by client

    def hold(self, holder: str, size_bytes: int) -> None:
        """Room for a body of that size of a client; `give_back` it.

        Raises BusyForClient, or Busy when all clients together have too many.
        """
        with self._lock:
            if self._held_bytes.total() + size_bytes > self._most_held_bytes:
                raise Busy(_TOO_MANY)
            if self._held_bytes[holder] + size_bytes > self._most_held_bytes // 2:
                raise BusyForClient(_TOO_MANY_OF_CLIENT)
            self._held_bytes[holder] += size_bytes

    def give_back(self, holder: str, size_bytes: int) -> None:
        """That much was held, and is no more."""
        with self._lock:
            self._held_bytes[holder] -= size_bytes
            self._held_bytes = +self._held_bytes  # without those who hold nothing

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Within the block nobody else reads a large body. Raises Busy."""
        if self._reader == threading.get_ident():  # a part of what it reads already
            yield
            return
        if not self._waiting.acquire(blocking=False):
            raise Busy(_TOO_MANY)
        try:
            if not self._reading.acquire(timeout=self._wait_seconds):
                raise Busy(_TOO_MANY)
            try:
                self._reader = threading.get_ident()
                yield
            finally:
                self._reader = None
                self._reading.release()
        finally:
            self._waiting.release()


_of_this_process: Final = LargeBodies()


def _return_memory() -> None:
    """What was freed goes back to the system: glibc keeps it, in each of its arenas, for later."""
    trim = getattr(_LIBC, "malloc_trim", None)  # musl has none, and keeps nothing
    if trim is not None:
        trim(0)


@contextmanager
def into_memory(size_bytes: int, structure_bytes: int = 0) -> Iterator[None]:
    """A block in which that much of this request is read; it is held until that is answered.

    Small ones just go ahead. Raises Busy or BusyForClient.
    """
    if size_bytes <= IN_MEMORY_BYTES:
        yield
        return
    cost_bytes = size_bytes + structure_bytes * _OF_STRUCTURE
    holder = client()
    _of_this_process.hold(holder, cost_bytes)

    @after_this_request
    def _give_back(response: Response) -> Response:
        _of_this_process.give_back(holder, cost_bytes)
        _return_memory()
        return response

    with _of_this_process.reading():
        yield
