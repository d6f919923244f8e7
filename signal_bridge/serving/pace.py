"""How slow a client may be: how long a thread waits for it to send, or to read.

A client begins with 15 seconds of patience. Waiting for it uses them up; each KiB that it moves
adds one more, up to 30. So a pause ends after 30 s at the latest, whoever stays below 1 KiB/s is
cut off, and what the bridge itself takes is at nobody's cost.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
import threading
import time
from typing import Any, Final

from signal_bridge.serving.crowd import slowest_of_most

_FIRST_SECONDS: Final = 15.0
_MOST_SECONDS: Final = 30.0
_BYTES_PER_SECOND: Final = 1024
# A wait is cut into pieces, after each of which is looked whether it is over for another reason.
_LOOK_EVERY_SECONDS: Final = 0.5
_STOP_SECONDS: Final = 3.0

SLOW_BYTES_PER_SECOND: Final = 64 * 1024
"""Below this a client has to make way when the places of slow ones are taken."""

JUDGED_AFTER_SECONDS: Final = 0.5
"""Nobody is slow who was not waited for for so long in all."""

_SENDFILE_BYTES: Final = 2**20


class TooSlow(ConnectionResetError):
    """The client does not send, or read, fast enough. Its connection is as good as lost."""

    def __init__(self, doing: str) -> None:
        super().__init__(errno.ECONNRESET, f"the client {doing} too slowly")


class Patience:
    """With one client in one request, or for one piece of a stream."""

    __slots__ = ("_left_seconds", "moved_bytes", "waited_seconds")

    def __init__(self, seconds: float = _FIRST_SECONDS) -> None:
        self._left_seconds = seconds
        self.moved_bytes = 0
        self.waited_seconds = 0.0

    def left_seconds(self) -> float:
        """How much longer may be waited."""
        return max(0.0, self._left_seconds)

    def wait(self, seconds: float) -> None:
        """So long was waited."""
        self.waited_seconds += seconds
        self._left_seconds -= seconds

    def move(self, size_bytes: int) -> None:
        """So much was sent, or read.

        What moved before the first wait says nothing: the buffers of the two systems took it.
        """
        if not self.waited_seconds:
            return
        self.moved_bytes += size_bytes
        self._left_seconds = min(_MOST_SECONDS, self._left_seconds + size_bytes / _BYTES_PER_SECOND)

    def bytes_per_second(self) -> float:
        """While it was waited for."""
        return self.moved_bytes / max(self.waited_seconds, 0.001)

    def is_slow(self) -> bool:
        """Whether the client was waited for long enough to say so."""
        return (
            self.waited_seconds >= JUDGED_AFTER_SECONDS
            and self.bytes_per_second() < SLOW_BYTES_PER_SECOND
        )


class Stopping:
    """Whether the worker stops: then slow clients are waited for a little longer, and no more."""

    def __init__(self) -> None:
        self._cut_at = float("inf")

    def begin(self) -> None:
        """Once."""
        self._cut_at = time.monotonic() + _STOP_SECONDS

    def left_seconds(self) -> float:
        """How long a client may still be waited for."""
        return max(0.0, self._cut_at - time.monotonic())


class ClientSocket(socket.socket):
    """A client's connection. It never blocks by itself; what is written whole is waited for here.

    `send` and `recv` raise BlockingIOError instead of waiting. `sendall` and `sendfile` wait, and
    raise TooSlow.
    """

    def __init__(
        self, accepted: socket.socket, readers: SlowReaders, stopping: Stopping, owner: str = ""
    ) -> None:
        family, kind, protocol = accepted.family, accepted.type, accepted.proto
        super().__init__(family, kind, protocol, accepted.detach())
        super().setblocking(False)
        self.owner = owner
        self.reading_patience = Patience()
        self.writing_patience = Patience()
        self.is_stream = False
        self.is_answered = False  # the rest of its request is not waited for
        self.is_cut = False
        self._readers = readers
        self._stopping = stopping

    def begin_answer(self, is_probe: bool) -> None:
        """To another request. Whoever probes and does not read is not waited for."""
        self.writing_patience = Patience(0) if is_probe else Patience()
        self.is_stream = self.is_answered = False

    def begin_writing(self, is_stream: bool) -> None:
        """The answer. What the client has not sent of its request, nobody needs."""
        self.is_stream = is_stream
        self.is_answered = True

    def setblocking(self, _flag: bool) -> None:
        """Nothing: Gunicorn would have it block before each request, and not before each wait."""

    def settimeout(self, _seconds: float | None) -> None:
        """Nothing, likewise."""

    def sendall(self, data: Any, _flags: int = 0) -> None:
        """Write all of it. Raises TooSlow, or another OSError."""
        try:
            sent = self.send(data)
        except BlockingIOError:
            sent = 0
        if sent < len(data):
            self._finish(memoryview(data)[sent:])

    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:
        """Write `count` bytes of a file, or the rest of it; how many there were.

        Raises TooSlow, or another OSError.
        """
        left = os.fstat(file.fileno()).st_size - offset if count is None else count
        total = 0
        try:
            while total < left:
                size_bytes = min(left - total, _SENDFILE_BYTES)
                try:
                    sent = os.sendfile(self.fileno(), file.fileno(), offset + total, size_bytes)
                except BlockingIOError:
                    self._wait_to_write(self.writing_patience)
                    continue
                if sent == 0:
                    break  # the file is shorter than it was
                self.writing_patience.move(sent)
                total += sent
        finally:
            self._readers.leave(self)
        return total

    def wait_to_read(self) -> None:
        """Until the client has sent something. Raises TooSlow."""
        self._wait(select.POLLIN, self.reading_patience, "sends")

    def cut(self) -> None:
        """Have whoever waits for the client on another thread give up."""
        self.is_cut = True
        with contextlib.suppress(OSError):
            self.shutdown(socket.SHUT_RDWR)

    def _finish(self, rest: memoryview) -> None:
        """For each piece of a stream there is patience anew: it may have been long since the last.

        How many streams there are is counted where they are made.
        """
        patience = Patience(_MOST_SECONDS) if self.is_stream else self.writing_patience
        try:
            while rest:
                self._wait_to_write(patience)
                with contextlib.suppress(BlockingIOError):
                    sent = self.send(rest)
                    patience.move(sent)
                    rest = rest[sent:]
        finally:
            self._readers.leave(self)

    def _wait_to_write(self, patience: Patience) -> None:
        if patience.is_slow() and not self.is_stream:
            self._readers.stay(self)
        self._wait(select.POLLOUT, patience, "reads")

    def _wait(self, event: int, patience: Patience, doing: str) -> None:
        poller = select.poll()
        poller.register(self, event)
        while not self.is_cut:
            left = min(patience.left_seconds(), self._stopping.left_seconds())
            if left <= 0:
                break
            began = time.monotonic()
            ready = poller.poll(min(left, _LOOK_EVERY_SECONDS) * 1000)
            patience.wait(time.monotonic() - began)
            if ready and not self.is_cut:
                return
            if doing == "reads" and patience.is_slow() and not self.is_stream:
                self._readers.stay(self)
        raise TooSlow(doing)


class SlowReaders:
    """The clients that read their answers slowly: so many threads may wait for them at a time.

    When one comes and there is no place, then of the client with the most of them the slowest is
    cut off, which may be the one that came. No reader waits for a place.
    """

    def __init__(self, places: int) -> None:
        self._places: Final = places
        self._lock: Final = threading.Lock()  # guards _slow
        self._slow: Final[set[ClientSocket]] = set()

    def stay(self, reader: ClientSocket) -> None:
        """It is slow, and is waited for. Raises TooSlow if it has to go."""
        with self._lock:
            if reader in self._slow or len(self._slow) < self._places:
                self._slow.add(reader)
                return
            slowest = slowest_of_most(
                [*self._slow, reader],
                lambda one: (one.owner, one.writing_patience.bytes_per_second()),
            )
            if slowest is reader:
                raise TooSlow("reads")
            slowest.cut()  # while it is in _slow, its thread cannot leave
            self._slow.remove(slowest)
            self._slow.add(reader)

    def leave(self, reader: ClientSocket) -> None:
        """It is not waited for any more."""
        if reader in self._slow:
            with self._lock:
                self._slow.discard(reader)
