"""Ends a PostgreSQL server when a process ends: `python postgres_watcher.py PID HOME`.

A test run may be killed, and then nobody of it is left to end what it has started.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import sys
import time
from pathlib import Path

_STOP_SECONDS = 10.0


def wait_for_the_end_of(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        select.select([os.pidfd_open(pid)], [], [])


def end(home: Path) -> None:
    """Stop the server at once, whoever started it, and remove its files."""
    ends_at = time.monotonic() + _STOP_SECONDS
    with contextlib.suppress(OSError, ValueError, IndexError):
        while pid := int((home / "data/postmaster.pid").read_text().split()[0]):
            os.kill(pid, signal.SIGQUIT if time.monotonic() < ends_at else signal.SIGKILL)
            time.sleep(0.02)
    shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    wait_for_the_end_of(int(sys.argv[1]))
    end(Path(sys.argv[2]))
