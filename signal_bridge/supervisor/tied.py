"""Become another program that dies when its parent does: `python tied.py PROGRAM [ARG …]`.

Run as a script by `process.py`, in the place of a function between fork and exec, which is not
safe in a process with threads. The parent-death signal survives exec (prctl(2)). It belongs to
the *thread* that forked, so that thread must live as long as the parent means to.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import Final

_PR_SET_PDEATHSIG: Final = 1


def tie_to_parent(parent_pid: int) -> None:
    """Ask the kernel to kill this process when its parent ends; end now if it already has."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent_pid:
        os._exit(0)


if __name__ == "__main__":
    tie_to_parent(int(sys.argv[1]))
    try:
        os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606 - no shell is wanted
    except OSError as error:
        sys.exit(f"{sys.argv[2]} cannot be started: {error.strerror}")
