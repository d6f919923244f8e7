"""How much the files of all requests may take, in all workers of a bridge together.

A process knows what it has granted to its own requests. What those of the others take lies in the
directory, for all to see: it is looked at now and then. So nothing is counted any more once it is
gone, however the process ended that had it, and what that left behind is swept when it is in
somebody's way. The name of each request's directory tells whose the request is.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
import time
from collections.abc import Container, Mapping
from pathlib import Path
from typing import Final

from signal_bridge.errors import BodyTooLarge, BridgeError, Busy, BusyForClient
from signal_bridge.spool.disks import Disks
from signal_bridge.spool.holding import Held, hold_new, is_ours, sweep

ENTRY_BYTES: Final = 4096
"""What a file or a directory takes besides what is in it: many empty ones are not for nothing."""

# What the others have written or removed since the last look is missed, so it is not long ago; and
# it costs a thread no more than a twentieth of its time, however many files there are.
_LOOK_SECONDS: Final = 0.005
_PAUSE_PER_LOOK: Final = 20
_SWEEP_SECONDS: Final = 1.0


class Room:
    """The room in `directory` for the files of all requests. Safe from any thread.

    All together get `limit_bytes`, one client half of that; nobody gets what `disks` lack.
    """

    def __init__(self, directory: Path, limit_bytes: int, disks: Disks) -> None:
        self.disks = disks
        self._directory = directory
        self._limit_bytes = limit_bytes
        # Guards all below.
        self._mutex = threading.Lock()
        self._granted: dict[str, int] = {}  # to requests of this process, by the directory's name
        self._others: dict[str, int] = {}  # at the last look
        self._look_at = 0.0
        self._sweep_at = 0.0

    def hold(self, client: str) -> Held:
        """A new directory for a request of `client`. Raises OSError."""
        held = hold_new(self._directory, _tag(client))
        with self._mutex:
            self._granted[held.path.name] = 0
        return held

    def grant(self, held: Held, more_bytes: int) -> None:
        """Let the request that has this directory write so much more.

        Raises BodyTooLarge when no request may take so much, BusyForClient or Busy while
        others have it, or StoreFull while it is lacking on a disk.
        """
        error = self._try(held.path.name, more_bytes)
        if error is not None and error.retryable and self._is_swept():
            error = self._try(held.path.name, more_bytes)
        if error is not None:
            raise error

    def give_back(self, held: Held) -> None:
        """Remove the directory with all that was granted for it. What cannot be removed counts."""
        held.remove()
        with self._mutex:
            self._granted.pop(held.path.name, None)

    def _try(self, name: str, more_bytes: int) -> BridgeError | None:
        if (lacking := self.disks.lacking(more_bytes)) is not None:
            return lacking
        self._look()
        with self._mutex:
            taken = {**self._others, **self._granted}
            error = refusal(taken, name, more_bytes, self._limit_bytes)
            if error is None:
                self._granted[name] = self._granted.get(name, 0) + more_bytes
        return error

    def _look(self) -> None:
        """At what the others have, unless that was done just now, or somebody is about to."""
        with self._mutex:
            now = time.monotonic()
            if now < self._look_at:
                return
            self._look_at = now + _SWEEP_SECONDS  # for others, until this look is over
            own = set(self._granted)
        began = time.thread_time()  # on a busy machine a look lasts longer, and costs no more
        found = sizes_in(self._directory, besides=own)
        cost_seconds = time.thread_time() - began
        with self._mutex:
            self._others = found
            self._look_at = time.monotonic() + max(_LOOK_SECONDS, _PAUSE_PER_LOOK * cost_seconds)

    def _is_swept(self) -> bool:
        """Remove what dead processes have left, unless that was done just now."""
        with self._mutex:
            now = time.monotonic()
            if now < self._sweep_at:
                return False
            self._sweep_at, self._look_at = now + _SWEEP_SECONDS, now
        with contextlib.suppress(OSError):
            sweep(self._directory)
        return True


def refusal(
    taken: Mapping[str, int], name: str, more_bytes: int, limit_bytes: int
) -> BridgeError | None:
    """Why the request of that name gets no more, None when it does.

    `taken` has what each has so far, in bytes; the part of a name before its dot is the client's.
    """
    share_bytes = limit_bytes // 2
    if taken.get(name, 0) + more_bytes > share_bytes:
        return BodyTooLarge(share_bytes, "The request with its files")
    tag = name.partition(".")[0]
    of_client = sum(size for one, size in taken.items() if one.partition(".")[0] == tag)
    if of_client + more_bytes > share_bytes:
        return BusyForClient(
            f"Files that this client is sending take all of the {share_bytes} bytes that one"
            f" client may have; try again later"
        )
    if sum(taken.values()) + more_bytes > limit_bytes:
        return Busy(
            f"Files that are being sent take all of the {limit_bytes} bytes there are for them"
            f" (BRIDGE_SPOOL_BYTES); try again later"
        )
    return None


def sizes_in(directory: Path, besides: Container[str]) -> dict[str, int]:
    """How much each request's directory takes, but for those named in `besides`."""
    sizes = {}
    with contextlib.suppress(OSError), os.scandir(directory) as entries:
        for entry in entries:
            if is_ours(entry.name) and entry.name not in besides:
                sizes[entry.name] = _size_bytes(entry)
    return sizes


def _size_bytes(entry: os.DirEntry[str]) -> int:
    """What vanishes meanwhile takes nothing."""
    size_bytes = ENTRY_BYTES
    with contextlib.suppress(OSError):
        if not entry.is_dir(follow_symlinks=False):
            return size_bytes + entry.stat(follow_symlinks=False).st_size
        with os.scandir(entry.path) as inner:
            for one in inner:
                size_bytes += _size_bytes(one)
    return size_bytes


def _tag(client: str) -> str:
    """Stands for the client in a name: an address may have slashes, and nobody picks two alike."""
    return hashlib.blake2b(client.encode(), digest_size=8).hexdigest() + "."
