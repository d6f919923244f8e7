"""Directories that live as long as their request, though another process may sweep them.

The daemon sweeps at its start what a crash left behind, while a web half of its own may have
requests in hand. So each request holds a lock on its directory, which the kernel releases when
the process ends, however it does; and a sweep removes only what it can lock itself. A directory
that a sweep came upon between its making and its locking is not given out; its maker makes another.

What has any other name is somebody else's, who may keep things in a directory called like ours.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import os
import re
import shutil
import uuid
from pathlib import Path
from typing import Final

# A UUID, and before it what its maker says of it.
_OURS: Final = re.compile(r"(?:[0-9a-f]{16}\.)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclasses.dataclass(frozen=True)
class Held:
    """A directory that no sweep removes before `remove` was called or this process has ended."""

    path: Path
    lock_fd: int

    def remove(self) -> None:
        """Once. What cannot be removed is swept later."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self.lock_fd)


def hold_new(parent: Path, tag: str = "") -> Held:
    """A new directory in `parent`, for this user alone. Raises OSError.

    Its name begins with `tag`: nothing, or 16 hexadecimal digits and a dot.
    """
    while True:
        path = parent / f"{tag}{uuid.uuid4()}"
        path.mkdir(parents=True, mode=0o700)
        held = _hold(path)
        if held is not None:
            return held


def is_ours(name: str) -> bool:
    """Whether something of that name was made by `hold_new`."""
    return _OURS.fullmatch(name) is not None


def sweep(parent: Path) -> None:
    """Remove what is ours in `parent` and nobody holds, and make `parent` if it is not there.

    Raises OSError when it cannot be made.
    """
    parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    for path in [one for one in parent.iterdir() if is_ours(one.name)]:
        with contextlib.suppress(OSError):
            _sweep_one(path)


def _sweep_one(path: Path) -> None:
    if path.is_symlink() or not path.is_dir():
        path.unlink()
    elif held := _hold(path):
        held.remove()


def _hold(path: Path) -> Held | None:
    """None when another holds it, or has swept it. Raises OSError."""
    try:
        lock_fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(lock_fd), path.stat()):
            return Held(path, lock_fd)
    except (BlockingIOError, FileNotFoundError):
        pass
    except OSError:
        os.close(lock_fd)
        raise
    os.close(lock_fd)
    return None
