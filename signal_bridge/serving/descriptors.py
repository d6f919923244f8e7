"""Descriptors: how many connections they are enough for, and what to do when there is none."""

from __future__ import annotations

import contextlib
import os
import resource
from typing import Any, Final

_CONNECTIONS: Final = 2000
_FEWEST: Final = 32
# For everything else: the database, signal-cli, files, and a pipe for each who waits for events.
_OTHERS: Final = 200
_DESCRIPTORS: Final = 65536


def connections_at_most() -> int:
    """Raise the limit of this process as far as it may, and say how many connections fit in it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    if soft == resource.RLIM_INFINITY:
        return _CONNECTIONS
    return max(_FEWEST, min(_CONNECTIONS, soft - _OTHERS))


class Spare:
    """A descriptor that is given up when there is no other.

    A connection that nobody can accept would wake the event loop again and again.
    """

    def __init__(self) -> None:
        self._fd = -1

    def open(self) -> None:
        """In the process that may need it."""
        self._fd = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)

    def refuse_one(self, listener: Any) -> None:
        """Accept a connection, and close it."""
        with contextlib.suppress(OSError):  # others may be quicker
            os.close(self._fd)
            listener.accept()[0].close()
        with contextlib.suppress(OSError):
            self.open()
