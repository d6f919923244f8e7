"""Keeps one child alive: starts it, watches it, restarts it, ends it.

One thread, `supervisor:<name>`, lives one life of the child after the other:

    starting ── answers the probe ──► running ── exits, or stops answering ──► backing off ──┐
       ▲                                                                                     │
       └──────────────── after a growing pause, which a stable life resets ──────────────────┘

A child of which `diagnose` says that it cannot work is unusable, and started again rarely.

It spawns from that thread, since the kernel kills the child when the thread that forked ends.
Whatever goes wrong there ends the child, never the supervision of it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from signal_bridge.clock import Deadline, backoff_seconds, pause
from signal_bridge.supervisor.command import Command
from signal_bridge.supervisor.output import OutputRing
from signal_bridge.supervisor.process import Process
from signal_bridge.supervisor.states import MOVES, State
from signal_bridge.supervisor.surroundings import make_empty
from signal_bridge.threads import Guard, Loop

log = logging.getLogger(__name__)

_QUOTED_LINES: Final = 5
RESTARTED: Final = "was restarted"
"""How the reason begins why a child ended that was to be replaced: no other was ended by us."""

# Answers within the given seconds whether the child works; a sentence says what is wrong.
Probe = Callable[[float], str | None]
# Told of every change, on the supervisor's thread: the new state and a sentence. What it raises
# is logged.
OnChange = Callable[[State, str], None]
# Told the pid of a child that has just answered a probe, on that thread; the same otherwise.
OnAnswer = Callable[[int], None]
# Given the last complaints of a child that has ended: a sentence when only another child helps.
Diagnose = Callable[[Sequence[str]], str | None]


@dataclasses.dataclass(frozen=True)
class Policy:
    """When the supervisor does what, in seconds.

    `hopeless_exit_codes`: a child that ends with one of these before it ever answered has a
    configuration error; starting it again cannot help. After `unusable_backoff_seconds` one that
    is unusable is tried again, in case it was replaced.
    """

    first_backoff_seconds: float = 0.5
    longest_backoff_seconds: float = 60.0
    unusable_backoff_seconds: float = 600.0
    stable_seconds: float = 60.0
    probe_every_seconds: float = 5.0
    probe_seconds: float = 10.0
    probe_failures: int = 3
    starting_probe_seconds: float = 1.0
    start_seconds: float = 120.0
    stop_seconds: float = 10.0
    hopeless_exit_codes: frozenset[int] = frozenset()


class Supervisor:
    """Supervises one child. Methods may be called from any thread.

    Without a `probe` the child counts as running as soon as it is started.
    """

    def __init__(
        self,
        name: str,
        command: Command,
        on_change: OnChange,
        *,
        probe: Probe | None = None,
        on_answer: OnAnswer = lambda _: None,
        diagnose: Diagnose = lambda _: None,
        policy: Policy | None = None,
        stdin: int | None = None,
        inherited: Sequence[int] = (),
        captures_output: bool = True,
    ) -> None:
        self.name = name
        self._command = command
        self._on_change = on_change
        self._probe = probe
        self._on_answer = on_answer
        self._diagnose = diagnose
        self._policy = policy or Policy()
        self._stdin = stdin
        self._inherited = inherited
        self._output = OutputRing(name) if captures_output else None
        # Guards _state; notified at every change. Only _enter writes it.
        self._changed = threading.Condition()
        self._state = State.STOPPED
        self._stop = threading.Event()
        # Why a living child is to be replaced; set by restart, taken by the thread.
        self._restart_because: str | None = None
        # Readable once a stop or restart was asked for: wakes the wait for the child.
        self._wake_fd = os.eventfd(0, os.EFD_NONBLOCK)
        self._telling = Guard(f"telling of {name}")
        # How many lives ended since a stable one. The supervisor's thread only.
        self._attempt = 0
        # Why the child that has ended is unusable; None when it is not. The same thread.
        self._ailment: str | None = None
        self._loop = Loop(
            f"the supervision of {name}",
            self._live,
            self._stop,
            report=self._on_trouble,
            first_wait_seconds=self._policy.first_backoff_seconds,
            longest_wait_seconds=self._policy.longest_backoff_seconds,
        )
        self._thread = threading.Thread(target=self._run, name=f"supervisor:{name}", daemon=True)

    # -- any thread ----------------------------------------------------------------------------

    @property
    def state(self) -> State:
        """How the child is at this moment."""
        with self._changed:
            return self._state

    def complaints(self) -> list[str]:
        """What the child of the moment has complained of lately, a line each, oldest first."""
        return self._output.kept() if self._output is not None else []

    def start(self) -> None:
        """Start the child, and keep it alive from then on. Once."""
        self._thread.start()

    def wait_for(self, *states: State, deadline: Deadline) -> bool:
        """Wait until the child is in one of `states`. False when the deadline passed."""
        with self._changed:
            return self._changed.wait_for(
                lambda: self._state in states, timeout=deadline.remaining_seconds()
            )

    def restart(self, because: str) -> None:
        """End the child and start another, without waiting for either."""
        self._restart_because = because
        os.eventfd_write(self._wake_fd, 1)

    def stop(self) -> None:
        """End the child, politely and then by force, and the supervision of it.

        Returns when both have ended; takes at most the policy's stop_seconds and a little.
        """
        self._stop.set()
        os.eventfd_write(self._wake_fd, 1)
        if self._thread.ident is not None:
            self._thread.join()

    # -- the supervisor's thread ---------------------------------------------------------------

    def _run(self) -> None:
        self._loop.run()
        if self._state is not State.FAILED:
            self._enter(State.STOPPED, "stopped on request")

    def _live(self) -> None:
        """One life of the child, and the pause after it."""
        began = time.monotonic()
        because = self._live_once()
        if time.monotonic() - began >= self._policy.stable_seconds:
            self._attempt = 0
        if self._state is State.FAILED:
            self._stop.set()
        if self._stop.is_set():
            return
        if self._ailment is not None:
            self._rest(self._ailment)
        else:
            self._back_off(because)

    def _on_trouble(self, _name: str, trouble: str | None) -> None:
        """A life did not end as lives do. The loop makes the pause."""
        if trouble is not None and not self._stop.is_set():
            self._enter(State.BACKING_OFF, trouble)

    def _back_off(self, because: str) -> None:
        self._attempt += 1
        seconds = backoff_seconds(
            self._attempt, self._policy.first_backoff_seconds, self._policy.longest_backoff_seconds
        )
        self._enter(State.BACKING_OFF, f"{because}; next start in {seconds:.1f} s")
        pause(seconds, self._stop)

    def _rest(self, ailment: str) -> None:
        seconds = self._policy.unusable_backoff_seconds
        self._enter(State.UNUSABLE, ailment)
        log.info("%s: next start in %.0f s", self.name, seconds)
        pause(seconds, self._stop)

    def _live_once(self) -> str:
        """Start the child and stay until it has ended. Why it ended."""
        self._enter(State.STARTING, "starting")
        self._ailment = None
        if self._output is not None:
            self._output.clear()
        try:
            if self._command.temporary is not None:
                make_empty(self._command.temporary)
            child = Process(self._command, self._stdin, self._inherited, self._output)
        except OSError as error:
            return f"cannot be started: {error}"
        try:
            return self._watch(child)
        except Exception:
            child.end(self._policy.stop_seconds)
            raise
        finally:
            child.close()

    def _watch(self, child: Process) -> str:
        if self._probe is None:
            self._enter(State.RUNNING, f"running with pid {child.pid}")
        started, failures, pause_seconds = time.monotonic(), 0, 0.0
        while True:
            exit_code = child.wait(pause_seconds, self._wake_fd)
            self._fall_asleep()
            if exit_code is not None:
                return self._on_exit(exit_code)
            if self._stop.is_set():
                return self._on_stop(child)
            if self._restart_because is not None:
                return self._on_restart(child)
            wrong = self._ask(child)
            failures = failures + 1 if wrong else 0
            if wrong and self._is_hung(failures, time.monotonic() - started):
                return self._on_hang(child, wrong)
            pause_seconds = self._pause_seconds()

    def _fall_asleep(self) -> None:
        """Before a look at what was asked for: that is said first, so nothing is missed."""
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._wake_fd)

    def _pause_seconds(self) -> float:
        """A start is watched closely, so that waiting requests go on as soon as they can."""
        return 0.05 if self._state is State.STARTING else self._policy.probe_every_seconds

    def _ask(self, child: Process) -> str | None:
        """Probe the child; a first answer makes it running. What is wrong, or None."""
        if self._probe is None:
            return None
        starting = self._state is State.STARTING
        seconds = self._policy.starting_probe_seconds if starting else self._policy.probe_seconds
        wrong = self._probe(seconds)
        if wrong is None and starting:
            self._enter(State.RUNNING, f"running with pid {child.pid}")
        if wrong is None:
            self._telling.goes_well(self._on_answer, child.pid)
        return wrong

    def _is_hung(self, failures: int, age_seconds: float) -> bool:
        if self._state is State.STARTING:
            return age_seconds > self._policy.start_seconds
        return failures >= self._policy.probe_failures

    def _on_exit(self, exit_code: int) -> str:
        said = self._complaints()
        self._ailment = self._diagnose(said)
        if exit_code == -signal.SIGKILL:
            said = []  # who is killed explains nothing
        because = f"{_exit_text(exit_code)}{_quoted(said)}"
        hopeless = exit_code in self._policy.hopeless_exit_codes
        if hopeless and self._ailment is None and self._state is State.STARTING:
            self._enter(State.FAILED, because)
        return because

    def _on_hang(self, child: Process, wrong: str) -> str:
        self._enter(State.STOPPING, f"stopped answering: {wrong}")
        child.end(self._policy.stop_seconds)
        return f"stopped answering ({wrong}) and was ended{_quoted(self._complaints())}"

    def _on_restart(self, child: Process) -> str:
        because, self._restart_because = self._restart_because, None
        self._enter(State.STOPPING, f"restarting: {because}")
        child.end(self._policy.stop_seconds)
        return f"{RESTARTED}: {because}"

    def _on_stop(self, child: Process) -> str:
        self._enter(State.STOPPING, "asked to stop")
        exit_code = child.end(self._policy.stop_seconds)
        log.info("%s %s", self.name, _exit_text(exit_code))
        return "stopped on request"

    def _complaints(self) -> list[str]:
        return self._output.last_lines() if self._output is not None else []

    def _enter(self, state: State, detail: str) -> None:
        """The one door to a new state."""
        with self._changed:
            if state is self._state:
                return
            if state not in MOVES[self._state]:
                raise AssertionError(f"{self.name}: {self._state} cannot become {state}")
            self._state = state
            self._changed.notify_all()
        quiet = state in (State.STARTING, State.RUNNING, State.STOPPING, State.STOPPED)
        log.log(logging.INFO if quiet else logging.ERROR, "%s: %s", self.name, detail)
        if state is State.RUNNING:
            self._loop.works()
        self._telling.goes_well(self._on_change, state, detail)


def _quoted(complaints: Sequence[str]) -> str:
    last = complaints[-_QUOTED_LINES:]
    return "; it said: " + " | ".join(last) if last else ""


def _exit_text(exit_code: int) -> str:
    if exit_code < 0:
        return f"was ended by signal {-exit_code}"
    return f"exited with code {exit_code}"
