"""Small programs for a supervisor to keep alive, and a record of what it saw."""

from __future__ import annotations

import itertools
import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from signal_bridge.clock import Deadline
from signal_bridge.supervisor.command import Command
from signal_bridge.supervisor.states import MOVES, State
from signal_bridge.supervisor.supervisor import Policy, Supervisor
from tests.support import eventually

# Restarts at once, gives up on nothing soon. A test changes what it is about.
QUICK = Policy(
    first_backoff_seconds=0.02,
    longest_backoff_seconds=0.1,
    stable_seconds=3600,
    probe_every_seconds=0.05,
    probe_seconds=1,
    probe_failures=2,
    starting_probe_seconds=0.5,
    start_seconds=60,
    stop_seconds=20,
)

SLEEP = "import time; time.sleep(3600)"
DEAF = """
import signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
open(sys.argv[1], "w").close()
time.sleep(3600)
"""


def python(code: str, *arguments: object) -> Command:
    return Command((sys.executable, "-c", code, *map(str, arguments)))


class Record:
    """What `on_change` told, checked against the moves that are allowed."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()  # guards `seen`
        self.seen: list[tuple[State, str]] = []
        self.threads: set[str] = set()

    def __call__(self, state: State, detail: str) -> None:
        with self._mutex:
            self.seen.append((state, detail))
            self.threads.add(threading.current_thread().name)

    @property
    def states(self) -> list[State]:
        with self._mutex:
            return [state for state, _ in self.seen]

    def detail(self, state: State) -> str:
        """The sentence of the latest `state`."""
        with self._mutex:
            return next(detail for one, detail in reversed(self.seen) if one is state)

    def wait_for(self, state: State, count: int = 1, seconds: float = 30) -> None:
        eventually(
            lambda: self.states.count(state) >= count,
            seconds,
            lambda: f"{count} x {state.value} among {self.seen}",
        )

    def assert_allowed(self) -> None:
        states = [State.STOPPED, *self.states]
        for before, after in itertools.pairwise(states):
            assert after in MOVES[before], f"{before} became {after}: {self.seen}"

    def pid(self) -> int:
        """The child's, from the latest "running with pid …"."""
        return int(self.detail(State.RUNNING).rsplit(" ", 1)[1])


class Watched:
    """A supervisor with its record; ended, and checked, at the end of the block."""

    def __init__(self, command: Command, **options: object) -> None:
        self.record = Record()
        options.setdefault("policy", QUICK)
        self.supervisor = Supervisor("child", command, self.record, **options)  # type: ignore[arg-type]

    def __enter__(self) -> Watched:
        self.supervisor.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.supervisor.stop()
        assert self.supervisor.state in (State.STOPPED, State.FAILED)
        self.record.assert_allowed()
        assert self.record.threads <= {"supervisor:child"}

    def wait_for(self, state: State, count: int = 1) -> None:
        self.record.wait_for(state, count)

    def running(self) -> bool:
        running = self.supervisor.wait_for(State.RUNNING, deadline=Deadline(30))
        self.wait_for(State.RUNNING)  # the record is told a moment later
        return running


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def exists(pid: int) -> bool:
    """Whether it still runs; a zombie does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def fail_once(monkeypatch: pytest.MonkeyPatch, owner: object, name: str, error: Exception) -> None:
    """The next call of `owner.name` raises; those after it do what they always did."""
    usual, failures = getattr(owner, name), [error]

    def call(*arguments: object) -> object:
        if failures:
            raise failures.pop()
        return usual(*arguments)

    monkeypatch.setattr(owner, name, call)
