"""Processes as /proc shows them. Only ever those that a given process has started."""

from __future__ import annotations

import contextlib
import os
import signal
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Process:
    """One process. Its start time tells it from a later one with the same pid."""

    pid: int
    parent_pid: int
    started_ticks: int
    command: str

    def is_alive(self) -> bool:
        """Still running. A zombie is not: it only waits to be reaped."""
        now = _look_at(self.pid)
        return now is not None and now.started_ticks == self.started_ticks

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        if self.is_alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, how)


def descendants(pid: int) -> list[Process]:
    """Every process that `pid` started, and those that they started, nearest first."""
    everybody = [process for process in map(_look_at, _pids()) if process]
    found: list[Process] = []
    parents = {pid}
    while parents:
        children = [process for process in everybody if process.parent_pid in parents]
        found += children
        parents = {process.pid for process in children}
    return found


def is_running(pid: int) -> bool:
    """Whether there is a process of this number that is no zombie."""
    return _look_at(pid) is not None


def children_and_zombies(pid: int) -> set[int]:
    """The pids of what `pid` started and has not reaped."""
    return {one for one in _pids() if (stat := _stat(one)) and int(stat[1]) == pid}


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _look_at(pid: int) -> Process | None:
    """The process as it is now; None if it is gone or dead."""
    stat = _stat(pid)
    if stat is None or stat[0] in "ZX":
        return None
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return None
    _state, parent_pid, *rest = stat
    words = command.rstrip(b"\0").replace(b"\0", b" ").decode(errors="replace")
    return Process(pid, int(parent_pid), int(rest[17]), words)


def _stat(pid: int) -> list[str] | None:
    """What /proc says of it, from its state on (proc_pid_stat(5)); None if it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name stands in parentheses and may contain any character, so count from the last one.
    return stat.rpartition(")")[2].split()
