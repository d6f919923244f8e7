"""Bells: a process that has changed something in the database wakes those who wait for it.

    a unit of work that commits ── rings a topic ──► every process: thread `bells` ── wakes ──► who
                                                     listens to that topic

For SQLite a bell is a file beside the database, ringing it is writing a byte, and hearing it is
inotify(7): nothing to clean up, and it works between containers that share a volume. For
PostgreSQL it is LISTEN and NOTIFY. Whoever listens is woken every few seconds all the same, so
that a bell nobody heard costs time and never an event.
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import select
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Protocol

from signal_bridge.errors import StoreUnavailable
from signal_bridge.threads import Loop

log = logging.getLogger(__name__)

FEED: Final = "feed"
WEBHOOKS: Final = "webhooks"
LINKS: Final = "links"
LEASES: Final = "leases"
ACCOUNTS: Final = "accounts"
TOPICS: Final = (FEED, WEBHOOKS, LINKS, LEASES, ACCOUNTS)

LOOK_SECONDS: Final = 2.0
# Without a bell, how often to look.
_DEAF_LOOK_SECONDS: Final = 0.05
_IN_MODIFY: Final = 0x2
_IN_NONBLOCK_CLOEXEC: Final = os.O_NONBLOCK | os.O_CLOEXEC
_EVENT: Final = struct.Struct("iIII")


class Ear(Protocol):
    """One process's way of hearing. Belongs to thread `bells`."""

    def fileno(self) -> int:
        """What becomes readable when a bell was rung."""

    def heard(self) -> set[str]:
        """The topics that have been rung since the last time. Raises StoreUnavailable."""

    def close(self) -> None:
        """Hear no more. Once."""


class Bells:
    """Wakes who listens. Safe from any thread; the thread begins with the first listener."""

    def __init__(self, make_ear: Callable[[], Ear | None]) -> None:
        self._make_ear = make_ear
        # Guards _listeners, _new and _loop.
        self._mutex = threading.Lock()
        self._listeners: dict[str, set[Callable[[], None]]] = {topic: set() for topic in TOPICS}
        self._new: set[Callable[[], None]] = set()  # not called yet
        self._loop: Loop | None = None
        self._stop = threading.Event()
        self._wake_fd = -1
        # The rest belongs to thread bells.
        self._ear: Ear | None = None
        self._deaf = False
        self._failed: set[Callable[[], None]] = set()

    @contextlib.contextmanager
    def listening(self, topic: str, wake: Callable[[], None]) -> Iterator[None]:
        """Within the block `wake` is called, on thread `bells`, after `topic` has been rung.

        And once at the beginning, for what was rung between the caller's own look and now; and
        every LOOK_SECONDS, and again soon when it raises. It must not block for long.
        """
        self.listen(topic, wake)
        try:
            yield
        finally:
            self.forget(topic, wake)

    def listen(self, topic: str, wake: Callable[[], None]) -> None:
        """`listening`, until `forget`."""
        with self._mutex:
            self._listeners[topic].add(wake)
            self._new.add(wake)
            if self._loop is None and not self._stop.is_set():
                self._wake_fd = os.eventfd(0, os.EFD_NONBLOCK)
                self._loop = Loop("bells", self._round, self._stop)
                self._loop.start()
                return
            self._wake()

    def forget(self, topic: str, wake: Callable[[], None]) -> None:
        """Wake it no more; nothing when it is not listening."""
        with self._mutex:
            self._listeners[topic].discard(wake)

    def close(self) -> None:
        """End the thread. Nobody is woken any more."""
        with self._mutex:
            self._stop.set()
            loop = self._loop
            self._wake()
        if loop is not None:
            loop.join(5)

    def _wake(self) -> None:
        if self._wake_fd >= 0:
            os.eventfd_write(self._wake_fd, 1)

    # -- thread bells --------------------------------------------------------------------------

    def _round(self) -> None:
        """Wait for a bell, or for the next look, and wake who listens. Raises what they raise."""
        if self._ear is None and not self._deaf:
            self._ear = self._make_ear()
            self._deaf = self._ear is None
            self._call(set(TOPICS))  # what was rung before there was an ear
        topics = self._wait()
        if self._stop.is_set():
            self._close_ear()
        else:
            self._call(topics)

    def _wait(self) -> set[str]:
        """The topics to wake for: those that were rung, or all when it is time to look."""
        poller = select.poll()
        poller.register(self._wake_fd, select.POLLIN)
        if self._ear is not None:
            poller.register(self._ear.fileno(), select.POLLIN)
        ready = {fd for fd, _events in poller.poll(self._patience_ms())}
        if self._wake_fd in ready:
            os.eventfd_read(self._wake_fd)
        if self._failed and not ready:
            return set()
        if not ready or self._ear is None:
            return set(TOPICS)
        try:
            return self._ear.heard()
        except StoreUnavailable:
            self._close_ear()
            raise

    def _patience_ms(self) -> float | None:
        if self._failed:
            return 0  # the loop has waited after the failure
        with self._mutex:
            if not any(self._listeners.values()):
                return None
        return 1000 * (_DEAF_LOOK_SECONDS if self._ear is None else LOOK_SECONDS)

    def _call(self, topics: set[str]) -> None:
        with self._mutex:
            listeners = {wake for topic in topics for wake in self._listeners[topic]}
            everybody = set().union(*self._listeners.values())
            listeners |= (self._failed | self._new) & everybody
            self._new.clear()
        self._failed = set(listeners)
        trouble: Exception | None = None
        for wake in listeners:
            try:
                wake()
            except Exception as error:  # noqa: BLE001 - the loop reports it, after the others are woken
                trouble = error
            else:
                self._failed.discard(wake)
        if trouble is not None:
            raise trouble

    def _close_ear(self) -> None:
        if self._ear is not None:
            self._ear.close()
            self._ear = None


class Files:
    """The bells of one SQLite database: a directory beside it with a file for each topic."""

    def __init__(self, database: Path) -> None:
        self._directory = database.with_name(f"{database.name}-bells")
        self._mutex = threading.Lock()  # guards _fds
        self._fds: dict[str, int] = {}

    def ring(self, topic: str) -> None:
        """Never fails: whoever did not hear it looks by himself before long."""
        try:
            os.pwrite(self._file(topic), b"!", 0)
        except OSError as error:
            log.debug("the bell of %s cannot be rung: %s", topic, error)

    def ear(self) -> Ear | None:
        """None where there is no inotify to be had; the log says so."""
        try:
            for topic in TOPICS:
                self._file(topic)
            return _FilesEar(self._directory)
        except OSError as error:
            log.warning("changes of other processes are looked for, not heard of: %s", error)
            return None

    def _file(self, topic: str) -> int:
        with self._mutex:
            fd = self._fds.get(topic)
            if fd is None:
                self._directory.mkdir(mode=0o700, exist_ok=True)
                path = self._directory / topic
                fd = self._fds[topic] = os.open(
                    path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600
                )
            return fd


class _FilesEar:
    """inotify(7) on the directory. Raises OSError when there is none to be had."""

    def __init__(self, directory: Path) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._fd: int = libc.inotify_init1(_IN_NONBLOCK_CLOEXEC)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        if libc.inotify_add_watch(self._fd, os.fsencode(directory), _IN_MODIFY) < 0:
            number = ctypes.get_errno()
            os.close(self._fd)
            raise OSError(number, os.strerror(number))

    def fileno(self) -> int:
        return self._fd

    def heard(self) -> set[str]:
        try:
            data = os.read(self._fd, 65536)
        except BlockingIOError:
            return set()
        names = set(_names(data))
        return names & set(TOPICS) if names <= set(TOPICS) else set(TOPICS)

    def close(self) -> None:
        os.close(self._fd)


def _names(data: bytes) -> Iterator[str]:
    """The file names in inotify's events; an overflow of its queue has an empty one."""
    at = 0
    while at < len(data):
        *_rest, length = _EVENT.unpack_from(data, at)
        at += _EVENT.size
        yield data[at : at + length].rstrip(b"\0").decode(errors="replace")
        at += length
